/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Locks and other things to wait for, as their memory tells: held or not, the owner where it is
 * kept, who is on the list of waiters.
 */
#pragma once

#include "kernel/session.h"

enum lock_kind {
	LOCK_SPIN,
	LOCK_READ_WRITE,
	LOCK_MUTEX,
	LOCK_RWSEM,
	LOCK_RT_MUTEX,
	LOCK_SEMAPHORE,
	LOCK_COMPLETION,
	LOCK_PERCPU_RWSEM,
	LOCK_SEQ, /* at its sequence number: who reads waits until nobody writes */
	LOCK_SRCU, /* struct srcu_struct: who waits does so until those have gone that read now */
	/* With PREEMPT_RT these sleep, too, and keep their owner. */
	LOCK_SLEEPING_SPIN,
	LOCK_SLEEPING_READ_WRITE,
};

const char *lock_kind_name(enum lock_kind kind);

struct lock_state {
	bool held;        /* by somebody; completions: nobody has completed it */
	bool shared;      /* by readers */
	uint64_t readers; /* how many; 0 not known */
	uint64_t owner;   /* address of the owner's task_struct; 0: none is kept */
	/* The owner word leads to where a task was that has exited; 0: it does not. */
	uint64_t owner_gone;
	/* The owner is one who was a reader lately: it may have given it back since. */
	bool owner_is_hint;
};

/* False: the kernel's types or the memory are not there, or it makes no sense as such a lock. */
bool lock_state_of(struct session *s, enum lock_kind kind, uint64_t address,
		   struct lock_state *state);
/* Is this a kernel with PREEMPT_RT? Then all locks that sleep are built on rt_mutexes. */
bool locks_are_rt(struct session *s);
/*
 * The lock of that kind whose rt_mutex (struct rt_mutex_base) is at @base; 0: it has none. For
 * kernels with PREEMPT_RT, and rt_mutexes everywhere.
 */
uint64_t lock_of_rt_mutex(struct session *s, enum lock_kind kind, uint64_t base);
/*
 * The tasks (addresses of their task_structs) on the lock's list of waiters, the first in line
 * first; how many, @max at the most. 0 also for locks that keep no such list.
 */
size_t lock_waiters(struct session *s, enum lock_kind kind, uint64_t address, uint64_t *tasks,
		    size_t max);
