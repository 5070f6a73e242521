/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which locks has a thread taken and not given back, and for which does it wait? A spinning lock
 * keeps no owner; but the code of the functions on the stack tells: a function that called the
 * locking function and can have come to where it is now without the unlocking one holds the lock.
 *
 * In: a task's stack. Out: locks by address, with the frame whose function took them.
 */
#pragma once

#include "base/alloc.h"
#include "kernel/locks.h"
#include "kernel/session.h"
#include "kernel/tasks.h"

enum lock_act { LOCK_TAKE, LOCK_TRY, LOCK_GIVE };

/* What a locking function does, by its name (the first argument is the lock). */
struct lock_function {
	const char *glob;
	enum lock_kind kind;
	enum lock_act act;
	bool shared; /* for reading: others may hold it, too */
};

/* NULL: @name is no locking function. Suffixes of the compiler are cut off before. */
const struct lock_function *lock_function_of(const char *name);

struct held_lock {
	uint64_t lock;
	/* Not held: the code is still to complete it (complete()), later on its way. */
	bool to_complete;
	const char *taker;    /* the function that took it */
	enum lock_kind kind;
	bool shared;
	size_t frame;         /* whose function took it */
	uint64_t taken_at;    /* the call that took it */
	const char *function; /* that it called: "_raw_spin_lock_bh" */
	bool all_ways;        /* on every way through the code it is held there; else it may be */
	bool memory;          /* its address is known by reading memory again, which may have changed */
};

struct lock_wait {
	uint64_t lock;        /* 0: not known */
	enum lock_kind kind;
	bool shared;
	size_t frame;         /* of the locking function */
	const char *function;
	bool memory;          /* as above */
};

struct stack_locks {
	struct held_lock *held;
	size_t held_count;
	/* Something may be held of which the address is not known. */
	bool undecided;
	bool waits;
	struct lock_wait wait;
	struct arena arena;
};

enum { LOCKS_ALL = ~0u };

/*
 * Of the @stack of @task, locks of the kinds whose bits (1 << kind) are set in @kinds. Adds
 * registers that follow to its frames, as stack_args_find() does. For one thread at a time. Free
 * with stack_locks_deinit().
 */
void stack_locks_find(struct session *s, const struct task *task, struct stack *stack,
		      unsigned kinds, struct stack_locks *locks);
void stack_locks_deinit(struct stack_locks *locks);
