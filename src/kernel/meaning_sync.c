// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What they mean: locks and what is waited for. Owner words keep flags in their low bits
 * (kernel/locking/mutex.c, rwsem.c, rtmutex_common.h); spinlocks are queued ones, whose low byte is
 * the lock itself (include/asm-generic/qspinlock_types.h).
 */
#include "kernel/locks.h"
#include "kernel/meaning_rows.h"

enum { WAITERS_MAX = 10000 };

static bool owner_words(struct session *s, uint64_t owner, unsigned flags, char *buf, size_t size)
{
	char task[64];

	owner &= ~(uint64_t)((1u << flags) - 1);
	if (!owner) {
		snprintf(buf, size, "free");
		return true;
	}
	if (!meaning_task(s, owner, task, sizeof(task)))
		return false;
	snprintf(buf, size, "held by %s", task);
	return true;
}

static bool tell_mutex(struct session *s, uint64_t lock, char *buf, size_t size)
{
	uint64_t owner, owner_rt;

	if (kread(s, lock, "mutex", "owner", &owner))
		return owner_words(s, owner, 3, buf, size);
	return kread(s, lock, "mutex", "rtmutex.owner", &owner_rt) &&
	       owner_words(s, owner_rt, 1, buf, size);
}

static bool tell_rt_mutex(struct session *s, uint64_t lock, char *buf, size_t size)
{
	uint64_t owner;

	return kread(s, lock, "rt_mutex", "rtmutex.owner|owner", &owner) &&
	       owner_words(s, owner, 1, buf, size);
}

/* With PREEMPT_RT. */
static bool tell_rwbase(struct session *s, uint64_t lock, char *buf, size_t size)
{
	struct lock_state state;
	char task[64] = "";

	if (!lock_state_of(s, LOCK_RWSEM, lock, &state) ||
	    (state.owner && !meaning_task(s, state.owner, task, sizeof(task))))
		return false;
	if (state.shared)
		snprintf(buf, size, "read-locked by %" PRIu64, state.readers);
	else
		snprintf(buf, size, "%s%s%s", state.held ? "write-locked" : "free",
			 *task ? " by " : "", task);
	return true;
}

/* enum of kernel/locking/rwsem.c: count bit 0 writer locked, bits 8.. readers; owner bit 0 reader. */
static bool tell_rwsem(struct session *s, uint64_t lock, char *buf, size_t size)
{
	uint64_t count, owner;
	char task[64] = "";

	if (locks_are_rt(s))
		return tell_rwbase(s, lock, buf, size);
	if (!kread(s, lock, "rw_semaphore", "count.counter|count", &count) ||
	    !kread(s, lock, "rw_semaphore", "owner.counter|owner", &owner))
		return false;
	if (owner & ~UINT64_C(7) && !meaning_task(s, owner & ~UINT64_C(7), task, sizeof(task)))
		return false;
	uint64_t readers = (count & ~(UINT64_C(1) << 63)) >> 8;
	if (!count)
		snprintf(buf, size, "free");
	else if (count & 1)
		snprintf(buf, size, "write-locked%s%s", *task ? " by " : "", task);
	else if (readers)
		snprintf(buf, size, "read-locked by %" PRIu64 "%s%s%s", readers,
			 *task ? " (" : "", task, *task ? " at some time)" : "");
	else
		snprintf(buf, size, "free, with waiters");
	return true;
}

static bool spin_words(uint64_t value, char *buf, size_t size)
{
	/* Locked is 1 in the low byte, pending bit 8, the rest the last waiter's CPU and level. */
	if ((value & 0xff) > 1)
		return false;
	snprintf(buf, size, "%s%s", value & 0xff ? "locked" : "free",
		 value >> 8 ? ", with waiters" : "");
	return true;
}

static bool tell_raw_spinlock(struct session *s, uint64_t lock, char *buf, size_t size)
{
	uint64_t value;

	return kread(s, lock, "raw_spinlock", "raw_lock.val.counter", &value) &&
	       spin_words(value & UINT32_MAX, buf, size);
}

static bool tell_spinlock(struct session *s, uint64_t lock, char *buf, size_t size)
{
	uint64_t value;

	if (kread(s, lock, "spinlock", "rlock.raw_lock.val.counter", &value))
		return spin_words(value & UINT32_MAX, buf, size);
	return kread(s, lock, "spinlock", "lock.owner", &value) &&
	       owner_words(s, value, 1, buf, size);
}

static bool tell_semaphore(struct session *s, uint64_t semaphore, char *buf, size_t size)
{
	uint64_t count;

	if (!kread(s, semaphore, "semaphore", "count", &count) || count > INT32_MAX)
		return false;
	snprintf(buf, size, "count %" PRIu64, count);
	return true;
}

static bool waiters_words(struct session *s, uint64_t head, char *buf, size_t size)
{
	uint64_t at = head;

	for (unsigned i = 0; i < WAITERS_MAX; i++) {
		if (!kread(s, at, "list_head", "next", &at))
			return false;
		if (at == head) {
			snprintf(buf, size, i == 1 ? "%u waiter" : "%u waiters", i);
			return true;
		}
	}
	return false;
}

static bool tell_wait_queue(struct session *s, uint64_t queue, char *buf, size_t size)
{
	uint64_t offset;

	return koffset(s, "wait_queue_head", "head|task_list", &offset) &&
	       waiters_words(s, queue + offset, buf, size);
}

static bool tell_completion(struct session *s, uint64_t completion, char *buf, size_t size)
{
	uint64_t done;

	if (!kread(s, completion, "completion", "done", &done))
		return false;
	snprintf(buf, size, "%s", done ? "done" : "not done");
	return true;
}

const struct meaning_row meaning_sync_rows[] = {
	{ "mutex", tell_mutex, true },
	{ "rt_mutex", tell_rt_mutex, true },
	{ "rw_semaphore", tell_rwsem, true },
	{ "raw_spinlock", tell_raw_spinlock, true },
	{ "raw_spinlock_t", tell_raw_spinlock, true },
	{ "spinlock", tell_spinlock, true },
	{ "spinlock_t", tell_spinlock, true },
	{ "semaphore", tell_semaphore, true },
	{ "wait_queue_head", tell_wait_queue, true },
	{ "wait_queue_head_t", tell_wait_queue, true },
	{ "completion", tell_completion, true },
	{ NULL, NULL, false },
};
