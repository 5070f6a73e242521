/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long a task has not run, and where it sleeps, as ps -o wchan says. */
#pragma once

#include "kernel/tasks.h"

/* When the sleeping task ran last, at the latest, by its run queue's clock. False: unknown. */
bool task_slept_at(struct session *s, const struct task *task, uint64_t *ns);
/*
 * ns from when the task's run time was last accounted, which is when it went to sleep, until @now
 * (run_queue_now()); 0 unknown.
 */
uint64_t task_waited_ns(struct session *s, const struct task *task, uint64_t now);
/*
 * The innermost function of a sleeping task's stack that is none of the scheduler's or of locks
 * (get_wchan(), in_sched_functions(), kernel/sched/core.c). False: it runs, or cannot be told.
 */
bool task_wait_channel(struct session *s, const struct task *task, const struct stack *stack,
		       struct symbol *symbol);
