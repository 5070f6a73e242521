/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel itself must have passed to a function: arguments that are kept elsewhere too, so
 * that they are known however little the stack tells.
 *
 * In: a frame of a task's stack. Out: registers as they were on entry of the frame's function, each
 * with the place that it is known from. An anchor is given only where that place agrees with the
 * frame (the work's function is the frame's function, and so on).
 */
#pragma once

#include "kernel/tasks.h"

enum { ANCHORS_MAX = 4, SYSCALL_ARGS = 6 };

struct anchor {
	unsigned reg;     /* arch number: which register held it on entry */
	uint64_t value;
	const char *why;  /* static: "worker.current_work", "data of the kernel thread" ... */
};

/* Of the function of @stack->frames[@i]; how many. @task may be NULL. */
size_t anchors_of(struct session *s, const struct task *task, const struct stack *stack,
		  size_t i, struct anchor anchors[ANCHORS_MAX]);

/*
 * What the function of frame @i must have called by a pointer, and with what: of a worker the
 * work's function, of a kernel thread the thread's. 0: not known.
 */
uint64_t anchored_call(struct session *s, const struct task *task, const struct stack *stack,
		       size_t i, struct anchor anchors[ANCHORS_MAX], size_t *count);

/* The system call that a stack came in by. */
struct syscall_entry {
	int64_t number;
	char name[64];          /* "read"; "" when not known */
	uint64_t regs_at;       /* address of the struct pt_regs */
	uint64_t args[SYSCALL_ARGS];
	unsigned arg_count;     /* known to be taken; else SYSCALL_ARGS */
	bool compat;            /* 32-bit: args have 32 bits */
};

/* False: it is not in a system call, or the frame from user space is not to be read. */
bool syscall_of(struct session *s, const struct task *task, const struct stack *stack,
		struct syscall_entry *entry);

/* What a kernel thread runs: false when the task is none, or it is not to be read. */
bool kthread_of(struct session *s, const struct task *task, uint64_t *function, uint64_t *data);
