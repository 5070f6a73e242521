/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The task and frame that commands mean when they are given none. */
#pragma once

#include "kernel/tasks.h"

/* The task that was chosen, else the one that crashed; NULL when neither is known. */
const struct task *context_task(struct session *s);
/* Chooses a task (NULL: the one that crashed) and its innermost frame. */
void context_set_task(struct session *s, const struct task *task);
/*
 * The stack of context_task(), and of its frames the chosen one: NULL when there is no such frame
 * (the stack is then shorter than when it was chosen, or empty). Free with stack_deinit(), always.
 */
const struct frame *context_frame(struct session *s, struct stack *stack);
