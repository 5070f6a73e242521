// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kernel's locking functions by name: kernel/locking/, and in include/linux/ {spinlock,rwlock,
 * mutex,rwsem,semaphore,srcu}*.h; the names with one underscore are those before 2.6.33. Their
 * first argument is the lock. Slow paths are for waiting only: who is in one does not hold the lock
 * yet.
 */
#include "base/strbuf.h"
#include "forensics/held_locks.h"

static const struct lock_function functions[] = {
	{ "_raw_spin_trylock*", LOCK_SPIN, LOCK_TRY, false },
	{ "_spin_trylock*", LOCK_SPIN, LOCK_TRY, false },
	{ "_raw_spin_unlock*", LOCK_SPIN, LOCK_GIVE, false },
	{ "__raw_spin_unlock*", LOCK_SPIN, LOCK_GIVE, false },
	{ "_spin_unlock*", LOCK_SPIN, LOCK_GIVE, false },
	{ "*queued_spin_unlock*", LOCK_SPIN, LOCK_GIVE, false },
	{ "__ticket_spin_unlock", LOCK_SPIN, LOCK_GIVE, false },
	{ "_raw_spin_lock*", LOCK_SPIN, LOCK_TAKE, false },
	{ "__raw_spin_lock*", LOCK_SPIN, LOCK_TAKE, false },
	{ "_spin_lock*", LOCK_SPIN, LOCK_TAKE, false },
	{ "*queued_spin_lock_slowpath", LOCK_SPIN, LOCK_TAKE, false },
	{ "queued_spin_lock*", LOCK_SPIN, LOCK_TAKE, false },
	{ "__ticket_spin_lock", LOCK_SPIN, LOCK_TAKE, false },
	{ "_raw_read_trylock*", LOCK_READ_WRITE, LOCK_TRY, true },
	{ "_raw_write_trylock*", LOCK_READ_WRITE, LOCK_TRY, false },
	{ "_raw_read_unlock*", LOCK_READ_WRITE, LOCK_GIVE, true },
	{ "_raw_write_unlock*", LOCK_READ_WRITE, LOCK_GIVE, false },
	{ "_read_unlock*", LOCK_READ_WRITE, LOCK_GIVE, true },
	{ "_write_unlock*", LOCK_READ_WRITE, LOCK_GIVE, false },
	{ "_raw_read_lock*", LOCK_READ_WRITE, LOCK_TAKE, true },
	{ "_raw_write_lock*", LOCK_READ_WRITE, LOCK_TAKE, false },
	{ "_read_lock*", LOCK_READ_WRITE, LOCK_TAKE, true },
	{ "_write_lock*", LOCK_READ_WRITE, LOCK_TAKE, false },
	{ "queued_read_lock_slowpath", LOCK_READ_WRITE, LOCK_TAKE, true },
	{ "queued_write_lock_slowpath", LOCK_READ_WRITE, LOCK_TAKE, false },
	{ "__read_lock_failed", LOCK_READ_WRITE, LOCK_TAKE, true },
	{ "__write_lock_failed", LOCK_READ_WRITE, LOCK_TAKE, false },
	{ "mutex_trylock", LOCK_MUTEX, LOCK_TRY, false },
	{ "mutex_lock_killable*", LOCK_MUTEX, LOCK_TRY, false },
	{ "mutex_lock_interruptible*", LOCK_MUTEX, LOCK_TRY, false },
	{ "mutex_lock*", LOCK_MUTEX, LOCK_TAKE, false },
	{ "__mutex_lock*", LOCK_MUTEX, LOCK_TAKE, false },
	{ "mutex_unlock", LOCK_MUTEX, LOCK_GIVE, false },
	{ "down_read_trylock", LOCK_RWSEM, LOCK_TRY, true },
	{ "down_write_trylock", LOCK_RWSEM, LOCK_TRY, false },
	{ "down_read_killable*", LOCK_RWSEM, LOCK_TRY, true },
	{ "down_read_interruptible*", LOCK_RWSEM, LOCK_TRY, true },
	{ "down_write_killable*", LOCK_RWSEM, LOCK_TRY, false },
	{ "down_read*", LOCK_RWSEM, LOCK_TAKE, true },
	{ "down_write*", LOCK_RWSEM, LOCK_TAKE, false },
	{ "rwsem_down_read*", LOCK_RWSEM, LOCK_TAKE, true },
	{ "rwsem_down_write*", LOCK_RWSEM, LOCK_TAKE, false },
	{ "up_read*", LOCK_RWSEM, LOCK_GIVE, true },
	{ "up_write*", LOCK_RWSEM, LOCK_GIVE, false },
	{ "down_trylock", LOCK_SEMAPHORE, LOCK_TRY, false },
	{ "down_interruptible", LOCK_SEMAPHORE, LOCK_TRY, false },
	{ "down_killable", LOCK_SEMAPHORE, LOCK_TRY, false },
	{ "down_timeout", LOCK_SEMAPHORE, LOCK_TRY, false },
	{ "down", LOCK_SEMAPHORE, LOCK_TAKE, false },
	{ "__down*", LOCK_SEMAPHORE, LOCK_TAKE, false },
	{ "percpu_down_write", LOCK_PERCPU_RWSEM, LOCK_TAKE, false },
	{ "__percpu_down_read", LOCK_PERCPU_RWSEM, LOCK_TAKE, true },
	{ "percpu_up_write", LOCK_PERCPU_RWSEM, LOCK_GIVE, false },
	{ "complete", LOCK_COMPLETION, LOCK_GIVE, false },
	{ "complete_all", LOCK_COMPLETION, LOCK_GIVE, false },
	{ "complete_on_current_cpu", LOCK_COMPLETION, LOCK_GIVE, false },
	{ "rt_mutex_trylock", LOCK_RT_MUTEX, LOCK_TRY, false },
	{ "rt_mutex_lock*", LOCK_RT_MUTEX, LOCK_TAKE, false },
	{ "rt_mutex_unlock", LOCK_RT_MUTEX, LOCK_GIVE, false },
	{ "__srcu_read_lock*", LOCK_SRCU, LOCK_TAKE, true },
	{ "__srcu_read_unlock*", LOCK_SRCU, LOCK_GIVE, true },
	{ "up", LOCK_SEMAPHORE, LOCK_GIVE, false },
	/* With PREEMPT_RT, kernel/locking/spinlock_rt.c. */
	{ "rt_spin_trylock*", LOCK_SLEEPING_SPIN, LOCK_TRY, false },
	{ "rt_spin_unlock", LOCK_SLEEPING_SPIN, LOCK_GIVE, false },
	{ "rt_spin_lock", LOCK_SLEEPING_SPIN, LOCK_TAKE, false },
	{ "rt_spin_lock_nest*", LOCK_SLEEPING_SPIN, LOCK_TAKE, false },
	{ "rt_read_trylock", LOCK_SLEEPING_READ_WRITE, LOCK_TRY, true },
	{ "rt_write_trylock", LOCK_SLEEPING_READ_WRITE, LOCK_TRY, false },
	{ "rt_read_lock*", LOCK_SLEEPING_READ_WRITE, LOCK_TAKE, true },
	{ "rt_write_lock*", LOCK_SLEEPING_READ_WRITE, LOCK_TAKE, false },
	{ "rt_read_unlock", LOCK_SLEEPING_READ_WRITE, LOCK_GIVE, true },
	{ "rt_write_unlock", LOCK_SLEEPING_READ_WRITE, LOCK_GIVE, false },
};

const struct lock_function *lock_function_of(const char *name)
{
	for (size_t i = 0; i < array_size(functions); i++) {
		if (glob_match(functions[i].glob, name))
			return &functions[i];
	}
	return NULL;
}
