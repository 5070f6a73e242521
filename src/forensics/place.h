/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What lies at an address? In: an address, as the kernel used it. Out: what it is part of (a
 * task's stack, a variable, a slab object, the vmalloc area, user memory ...), in words and as a
 * class, and what its page tables allow. Nothing is guessed: what cannot be told is PLACE_UNKNOWN.
 */
#pragma once

#include "kernel/session.h"
#include "kernel/tasks.h"

enum place_kind {
	PLACE_UNKNOWN,
	PLACE_USER,        /* user space */
	PLACE_STACK,       /* a task's kernel stack */
	PLACE_STACK_BELOW, /* the page below a task's kernel stack: reached by an overflow */
	PLACE_STACK_ABOVE, /* the page above it */
	PLACE_TEXT,        /* code of the kernel or a module */
	PLACE_DATA,        /* a variable of the kernel or a module */
	PLACE_RODATA,      /* a constant */
	PLACE_SLAB,        /* an object of a slab cache, used or free */
	PLACE_DIRECT,      /* the direct map of memory, but not slab */
	PLACE_VMALLOC,     /* the area of vmalloc and ioremap */
	PLACE_VMEMMAP,     /* the array of struct page */
};

struct place {
	enum place_kind kind;
	/* By the page tables of the kernel, or for user addresses of @task. */
	bool mapped, unmapped; /* neither: the tables are not in the dump */
	bool permissions_known;
	bool writable, executable;
	uint64_t start;  /* of the stack, variable or slab object; 0: unknown */
	int32_t pid;     /* whose stack it is */
	char text[240];  /* "the stack of bash (pid 7)", "a slab object of kmalloc-64" ... */
};

/* @task: whose user space it would be, and whose stack is looked at first; NULL: none. */
void place_of(struct session *s, const struct task *task, uint64_t address, struct place *place);
