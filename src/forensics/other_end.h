/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The other end of a pipe, a Unix socket or a file system in user space that a task waits at: the
 * processes that have it open, of which one must read, write or answer, or close it, before that
 * task goes on.
 */
#pragma once

#include "forensics/waits.h"

enum { OTHER_END_TASKS = 8 };

enum other_end_role {
	END_READS,   /* of a pipe: who has it is to read */
	END_WRITES,
	END_PEER,    /* of a socket */
	END_ANSWERS, /* it serves a file system */
};

struct other_end {
	bool known;  /* the wait is at one of those, and all that is said here is known */
	enum other_end_role role;
	const struct task *tasks[OTHER_END_TASKS]; /* one of each process */
	size_t count; /* of all processes, those that did not fit too */
	size_t holes; /* tables of open files that are not, or not whole, in the dump */
};

/* Who serves the file system of the struct fuse_conn at @connection. */
void other_end_of_fuse(struct session *s, uint64_t connection, struct other_end *end);
/* For each of @waits (some may be for other things) the other end. One pass over all open files. */
void other_ends_find(struct session *s, const struct wait *const *waits, size_t count,
		     struct other_end *ends);
