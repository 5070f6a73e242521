/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stacks of many tasks, followed on all cores. */
#pragma once

#include "kernel/tasks.h"

/*
 * Called from any thread, in any order, with the stack of of[i]; the stack is freed after the call.
 * What it notes elsewhere needs a place for each i.
 */
typedef void (*task_stack_fn)(void *ctx, size_t i, const struct stack *stack);

/* Follows the stacks of @count tasks. False: stopped by the user, not every one was looked at. */
bool task_stacks_each(struct session *s, const struct task *const *of, size_t count,
		      task_stack_fn fn, void *ctx);

/*
 * The same, kept: stacks[i] is of[i]'s. Those that were not reached when the user stopped are empty
 * and say so. Free each with stack_deinit(). A frame takes some 300 bytes: not for all tasks of a
 * big machine at once.
 */
bool task_stacks(struct session *s, const struct task *const *of, size_t count,
		 struct stack *stacks);
