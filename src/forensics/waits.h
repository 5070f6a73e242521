/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What does a task wait for? The functions on its stack tell the kind, their argument the object,
 * and the object itself confirms it: the task is on its list of waiters.
 *
 * In: a task. Out: a kind of wait, the object's address as far as it is known, and how it is known.
 */
#pragma once

#include "forensics/held_locks.h"

enum wait_kind {
	WAIT_NOTHING,     /* it runs, or can run */
	WAIT_LOCK,        /* of lock_kind */
	WAIT_BIT,         /* a bit of a word */
	WAIT_PAGE,        /* a page's or folio's lock, or the end of its writing */
	WAIT_BUFFER,      /* a buffer_head */
	WAIT_INODE,       /* an inode that is being made, freed or written */
	WAIT_FUTEX,       /* a word of user space */
	WAIT_RCU,         /* a grace period */
	WAIT_WORK,        /* a work that is to end */
	WAIT_WORKQUEUE,   /* all works of a queue */
	WAIT_KTHREAD,     /* a kernel thread that is to end */
	WAIT_FROZEN_FS,   /* a file system that is frozen */
	WAIT_FROZEN_QUEUE, /* a request queue that is frozen, or has no free request */
	WAIT_IO,          /* I/O under way: a bio */
	WAIT_RECLAIM,     /* memory */
	WAIT_FREEZER,     /* the freezer (suspend, cgroup) */
	WAIT_CPU_CALL,    /* a function call on another CPU */
	WAIT_QUEUE,       /* some wait queue */
	WAIT_RPC,         /* a remote procedure call (NFS) */
	WAIT_FUSE,        /* the answer of a file system in user space: a struct fuse_req */
	WAIT_JOURNAL,     /* one of a journal's wait queues (kernel/journal.h) */
	/* Waits that nobody worries about: for events from outside, in an orderly way. */
	WAIT_PIPE,        /* something to read in a pipe, or room in it */
	WAIT_SOCKET,      /* something that comes by a socket, or room in it: a struct socket */
	WAIT_RESTING,     /* poll, select, nanosleep, wait4, idle workers ... */
	WAIT_OTHER,       /* it sleeps; for what is not known */
	WAIT_KINDS,
};

const char *wait_kind_name(enum wait_kind kind);
/* Does nobody need to worry about it? */
static inline bool wait_rests(enum wait_kind kind)
{
	return kind == WAIT_RESTING || kind == WAIT_PIPE || kind == WAIT_SOCKET;
}

struct wait {
	enum wait_kind kind;
	enum lock_kind lock_kind; /* of WAIT_LOCK */
	bool shared;              /* it wants to read only */
	uint64_t object;          /* address; 0 not known */
	bool memory;              /* known by reading memory again, which may have changed */
	bool confirmed;           /* by the object: it is on its list of waiters */
	size_t frame;             /* of the function that tells */
	const char *function;     /* its name (of the arena); NULL */
};

/* A kind by the stack alone, without the object: quick. @stack is that of @task. */
void wait_of_stack(struct session *s, const struct task *task, const struct stack *stack,
		   struct arena *arena, struct wait *wait);
/* The object of that wait, by the function's argument. May add registers to the stack's frames. */
void wait_find_object(struct session *s, const struct task *task, struct stack *stack,
		      struct wait *wait);
/* A wait for a bit of the word @wait->object: of a buffer or an inode it becomes a wait for that. */
void wait_tell_word(struct session *s, struct wait *wait);
/*
 * Argument @n (0: the first) of the function of frame @frame on entry, by value flow over that
 * frame and the next few. False: not known.
 */
bool frame_argument(struct session *s, const struct task *task, struct stack *stack, size_t frame,
		    unsigned n, uint64_t *value, bool *memory);
