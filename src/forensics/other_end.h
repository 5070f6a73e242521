/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The other end of a pipe or a Unix socket that a task waits at: the processes that have it open,
 * of which one must read or write, or close it, before that task goes on.
 */
#pragma once

#include "forensics/waits.h"

enum { OTHER_END_TASKS = 8 };

struct other_end {
	bool known;  /* the wait is at a pipe or a Unix socket, and all that is said here is known */
	bool reads;  /* of a pipe: who has it is to read; else to write */
	bool pipe;
	const struct task *tasks[OTHER_END_TASKS]; /* one of each process */
	size_t count; /* of all processes, those that did not fit too */
	size_t holes; /* tables of open files that are not, or not whole, in the dump */
};

/* For each of @waits (some may be for other things) the other end. One pass over all open files. */
void other_ends_find(struct session *s, const struct wait *const *waits, size_t count,
		     struct other_end *ends);
