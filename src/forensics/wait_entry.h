/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In which wait queue does a task stand? By the entry on its own stack: a part of wait_graph.c. */
#pragma once

#include "kernel/session.h"
#include "kernel/tasks.h"

struct wait_entry {
	uint64_t queue; /* address of the wait_queue_head, or of the swait_queue_head */
	uint64_t entry; /* of the struct wait_queue_entry (or swait_queue) */
	bool simple;    /* they are those of include/linux/swait.h */
	uint64_t word;  /* of a queue that all bits share: the word with the bit; 0 none */
	uint64_t page;  /* of a queue that all pages share: the struct page or folio; 0 none */
};

/* @stack is that of @task, which sleeps. False: none of its innermost functions has an entry. */
bool wait_entry_find(struct session *s, const struct task *task, const struct stack *stack,
		     struct wait_entry *found);
