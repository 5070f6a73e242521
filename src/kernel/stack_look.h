/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole kernel stack, whatever of it is in use: what exceptions have saved there, its words, and
 * whether it has overflowed.
 */
#pragma once

#include "kernel/cpus.h"
#include "kernel/tasks.h"

enum { STACK_IMAGE_MAX = 64 << 10, STACK_IMAGE_PAGES = STACK_IMAGE_MAX / PAGE_SIZE };

/* A copy of a stack. What the dump does not have is zero and marked. */
struct stack_image {
	struct stack_limits limits;
	uint64_t *words;
	size_t count;
	bool lost[STACK_IMAGE_PAGES]; /* pages that are not in the dump */
	size_t lost_count, unmapped_count; /* of those, how many are no memory at all */
};

/* Where the task's own kernel stack is; false: that is not known, or it was freed. */
bool task_stack_limits(struct session *s, const struct task *task, struct stack_limits *limits);
/* Reads at most STACK_IMAGE_MAX bytes from its low end. Free with stack_image_deinit(), always. */
void stack_image_read(struct session *s, const struct stack_limits *limits,
		      struct stack_image *image);
void stack_image_deinit(struct stack_image *image);
/* Is word @index in the dump? */
bool stack_image_has(const struct stack_image *image, size_t index);

/* A struct pt_regs that the entry of an exception or interrupt has left. */
struct exception_frame {
	uint64_t at;
	bool user; /* it came from user mode */
	struct regs regs;
};

/*
 * All of a stack, from its low end up, whether still in use or left over. Only what must have been
 * made by an entry is taken: sane selectors and flags, code where it points, and a stack pointer
 * that fits the place of the registers; @task (its address) is who runs there. Returns how many, at
 * most @max.
 */
size_t exception_frames_find(struct session *s, const struct stack_image *image, uint64_t task,
			     struct exception_frame *found, size_t max);

/* The stacks that belong to a CPU and not to tasks: interrupts, exceptions, entry. */
enum { CPU_STACKS_SHOWN_MAX = 12 };
unsigned cpu_stacks(struct session *s, const struct cpu *cpu,
		    struct stack_limits stacks[CPU_STACKS_SHOWN_MAX]);

/* Whether a task's stack has overflowed, and how near it came to that. */
enum stack_trouble {
	STACK_MAGIC_LOST = 1,  /* STACK_END_MAGIC at the low end was overwritten: magic */
	STACK_SP_OUTSIDE = 2,  /* the stack pointer is on no stack, or at the very end: sp */
	STACK_CPU_INVALID = 4, /* the CPU in thread_info does not exist */
	STACK_BACKLINK = 8,    /* thread_info on the stack does not point to the task (before 4.9) */
};

struct stack_check {
	unsigned trouble;      /* enum stack_trouble */
	bool freed;            /* the task has exited and has no stack any more */
	bool known;            /* its low end is in the dump: magic is what is there */
	uint64_t low, size, magic, sp;
	bool has_sp;
	/* Bytes from the low end that were never written (or zeroed since); -1 when not known. */
	int64_t unused;
};

void task_stack_check(struct session *s, const struct task *task, struct stack_check *check);
