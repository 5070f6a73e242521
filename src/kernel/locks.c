// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sources, in linux/: kernel/locking/{mutex,rwsem,rtmutex_common,rwbase_rt,semaphore}.[ch],
 * include/linux/{mutex,rwsem,rwbase_rt,semaphore,completion,swait,percpu-rwsem}.h. Low bits of
 * owner words are flags: of a mutex three (since 4.10), of an rwsem up to three (since 5.3), of an
 * rt_mutex one.
 */
#include "kernel/locks.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "kernel/tasks.h"
#include "kernel/trees.h"

enum {
	MUTEX_FLAGS = 7,
	RWSEM_FLAGS = 7,
	RWSEM_READER_OWNED = 1,
	RWSEM_WRITER_LOCKED = 1,  /* of the count, since 5.3 */
	RWSEM_READER_SHIFT = 8,
	RT_MUTEX_FLAGS = 1,
	RWBASE_WRITER = 1 << 30,  /* of the readers, with PREEMPT_RT: READER_BIAS and WRITER_BIAS */
	READERS_MAX = 1 << 20,    /* more are no count but rubbish */
};
#define RWBASE_NO_WRITER UINT32_C(0x80000000)

const char *lock_kind_name(enum lock_kind kind)
{
	static const char *const names[] = {
		[LOCK_SPIN] = "spinlock",
		[LOCK_READ_WRITE] = "rwlock",
		[LOCK_MUTEX] = "mutex",
		[LOCK_RWSEM] = "rwsem",
		[LOCK_RT_MUTEX] = "rt_mutex",
		[LOCK_SEMAPHORE] = "semaphore",
		[LOCK_COMPLETION] = "completion",
		[LOCK_PERCPU_RWSEM] = "percpu rwsem",
		[LOCK_SEQ] = "seqlock",
		[LOCK_SRCU] = "SRCU domain",
		[LOCK_SLEEPING_SPIN] = "spinlock",
		[LOCK_SLEEPING_READ_WRITE] = "rwlock",
	};

	return names[kind];
}

enum { TASK_ALIGNMENT = 64 }; /* a task_struct begins a cache line: kernel/fork.c */

/* An owner word must lead to a task, or to where one has been, or the lock is none. */
static bool set_owner(struct session *s, uint64_t word, struct lock_state *state)
{
	if (!word || task_by_address(s, word)) {
		state->owner = word;
		return true;
	}
	state->owner_gone = word;
	return s->arch->is_kernel_address(word) && word % TASK_ALIGNMENT == 0;
}

static bool mutex_state(struct session *s, uint64_t at, struct lock_state *state)
{
	uint64_t owner;

	if (!kread(s, at, "mutex", "owner.counter|rtmutex.owner|lock.owner|owner", &owner))
		return false;
	state->held = owner & ~(uint64_t)MUTEX_FLAGS;
	return set_owner(s, owner & ~(uint64_t)MUTEX_FLAGS, state);
}

/* As in the mainline since 5.15; in the patches for older kernels also a struct rt_mutex "lock". */
bool locks_are_rt(struct session *s)
{
	return koffset(s, "mutex", "rtmutex|lock", &(uint64_t){ 0 });
}

/* Where readers are counted, and the rt_mutex. Before 5.15 a rwlock was a struct rt_rw_lock. */
static bool rwbase_places(struct session *s, enum lock_kind kind, uint64_t *readers,
			  uint64_t *rt_mutex)
{
	const char *type = kind == LOCK_RWSEM			  ? "rw_semaphore"
			   : types_sizeof(s->types, "rt_rw_lock") ? "rt_rw_lock"
								  : "rwbase_rt";

	return koffset(s, type, "rwbase.readers.counter|readers.counter", readers) &&
	       koffset(s, type, "rwbase.rtmutex|rtmutex", rt_mutex);
}

/* Where the rt_mutex is in a lock of that kind. A mutex and a spinlock begin with theirs. */
static bool rt_mutex_offset(struct session *s, enum lock_kind kind, uint64_t *offset)
{
	*offset = 0;
	switch (kind) {
	case LOCK_RT_MUTEX:
		return true;
	case LOCK_MUTEX:
	case LOCK_SLEEPING_SPIN:
		return locks_are_rt(s);
	case LOCK_RWSEM:
	case LOCK_SLEEPING_READ_WRITE:
		return locks_are_rt(s) && rwbase_places(s, kind, &(uint64_t){ 0 }, offset);
	default:
		return false;
	}
}

uint64_t lock_of_rt_mutex(struct session *s, enum lock_kind kind, uint64_t base)
{
	uint64_t offset;

	return rt_mutex_offset(s, kind, &offset) ? base - offset : 0;
}

static bool rt_mutex_state(struct session *s, uint64_t at, struct lock_state *state)
{
	uint64_t owner;

	if (!kread(s, at, "rt_mutex", "rtmutex.owner|owner", &owner))
		return false;
	state->held = owner & ~(uint64_t)RT_MUTEX_FLAGS;
	return set_owner(s, owner & ~(uint64_t)RT_MUTEX_FLAGS, state);
}

/*
 * With PREEMPT_RT: who writes has the rt_mutex, but so has who waits for the readers to leave. Of
 * those only their number is kept.
 */
static bool rwbase_state(struct session *s, enum lock_kind kind, uint64_t at,
			 struct lock_state *state)
{
	uint64_t count, base;
	uint32_t readers;

	if (!rwbase_places(s, kind, &count, &base) ||
	    memory_u32(s->memory, at + count, &readers) != READ_OK)
		return false;
	if (readers == RWBASE_WRITER)
		return rt_mutex_state(s, at + base, state);
	state->readers = readers & ~RWBASE_NO_WRITER;
	state->shared = state->held = state->readers;
	return state->readers <= READERS_MAX;
}

static bool rwsem_state(struct session *s, uint64_t at, struct lock_state *state)
{
	uint64_t count, owner = 0;

	if (locks_are_rt(s))
		return rwbase_state(s, LOCK_RWSEM, at, state);
	if (!kread(s, at, "rw_semaphore", "count.counter|count", &count))
		return false;
	kread(s, at, "rw_semaphore", "owner.counter|owner", &owner);
	if (!koffset(s, "rw_semaphore", "owner.counter", &(uint64_t){ 0 })) {
		/* Before 5.3 other bits: only a writer's owner word is understood. */
		state->held = count != 0;
		state->shared = owner & 1;
		return set_owner(s, state->shared ? 0 : owner & ~(uint64_t)RWSEM_FLAGS, state);
	}
	state->readers = count >> RWSEM_READER_SHIFT;
	/* The sign bit says that there are far too many readers (kernel/locking/rwsem.c). */
	if (state->readers > READERS_MAX)
		return false;
	state->shared = !(count & RWSEM_WRITER_LOCKED) && state->readers;
	state->held = count & RWSEM_WRITER_LOCKED || state->readers;
	state->owner_is_hint = state->shared;
	if (!state->held)
		return true;
	return set_owner(s, owner & ~(uint64_t)RWSEM_FLAGS, state);
}

static bool semaphore_state(struct session *s, uint64_t at, struct lock_state *state)
{
	uint64_t count;

	if (!kread(s, at, "semaphore", "count", &count) || count > READERS_MAX)
		return false;
	state->held = !count;
	/* "last_holder" since 6.17, with hung-task detection (include/linux/semaphore.h). */
	uint64_t holder;
	if (kread(s, at, "semaphore", "last_holder", &holder) && task_by_address(s, holder)) {
		state->owner = holder;
		state->owner_is_hint = true;
	}
	return true;
}

static bool completion_state(struct session *s, uint64_t at, struct lock_state *state)
{
	uint64_t done;

	if (!kread(s, at, "completion", "done", &done))
		return false;
	state->held = !done;
	return true;
}

/* The low byte of a queued spinlock, the ticket pair before 4.2: not 0 or not equal when held. */
static bool spin_state(struct session *s, uint64_t at, struct lock_state *state)
{
	uint32_t value;

	if (memory_u32(s->memory, at, &value) != READ_OK)
		return false;
	state->held = value;
	return true;
}

/* Odd while somebody writes: include/linux/seqlock.h. */
static bool seq_state(struct session *s, uint64_t at, struct lock_state *state)
{
	uint32_t value;

	if (memory_u32(s->memory, at, &value) != READ_OK)
		return false;
	state->held = value & 1;
	return true;
}

bool lock_state_of(struct session *s, enum lock_kind kind, uint64_t address,
		   struct lock_state *state)
{
	*state = (struct lock_state){ 0 };
	switch (kind) {
	case LOCK_SPIN:
	case LOCK_READ_WRITE:
		return spin_state(s, address, state);
	case LOCK_MUTEX:
		return mutex_state(s, address, state);
	case LOCK_RWSEM:
		return rwsem_state(s, address, state);
	case LOCK_RT_MUTEX:
	case LOCK_SLEEPING_SPIN:
		return rt_mutex_state(s, address, state);
	case LOCK_SLEEPING_READ_WRITE:
		return rwbase_state(s, kind, address, state);
	case LOCK_SEMAPHORE:
		return semaphore_state(s, address, state);
	case LOCK_COMPLETION:
		return completion_state(s, address, state);
	case LOCK_SEQ:
		return seq_state(s, address, state);
	case LOCK_PERCPU_RWSEM:
	case LOCK_SRCU:
		break;
	}
	return false;
}

/* --- Waiters. --- */

static const struct {
	enum lock_kind kind;
	const char *lock, *list;           /* the struct and its list's head */
	const char *waiter, *link;         /* the struct of an entry and its link */
} lists[] = {
	{ LOCK_MUTEX, "mutex", "wait_list|first_waiter", "mutex_waiter", "list" },
	{ LOCK_RWSEM, "rw_semaphore", "wait_list|first_waiter", "rwsem_waiter", "list" },
	{ LOCK_SEMAPHORE, "semaphore", "wait_list|first_waiter", "semaphore_waiter", "list" },
	{ LOCK_COMPLETION, "completion", "wait.task_list", "swait_queue", "task_list" },
};

struct line {
	struct session *s;
	const char *waiter;
	uint64_t *tasks;
	size_t count, max;
};

static bool add_waiter(void *ctx, uint64_t object)
{
	struct line *line = ctx;
	uint64_t task;

	if (!kread(line->s, object, line->waiter, "task", &task)) {
		session_problem(line->s, "waiters of a lock: the %s at %016" PRIx64 " is not in the dump; "
				"who comes behind it is not known", line->waiter, object);
		return false;
	}
	if (!task_by_address(line->s, task))
		return false;
	line->tasks[line->count++] = task;
	return line->count < line->max;
}

/* Who has the rt_mutex of what readers have waits for them to leave: the first in line. */
static void add_waiting_writer(struct line *line, uint64_t base)
{
	struct lock_state state = { 0 };

	if (rt_mutex_state(line->s, base, &state) && state.owner)
		line->tasks[line->count++] = state.owner;
}

/* By priority, the first in line first; who came first of those of one priority. */
static size_t rt_mutex_waiters(struct line *line, uint64_t base)
{
	struct tree_walk *walk = xmalloc(sizeof(*walk));
	struct tree_entry entry;
	uint64_t root, node;

	line->waiter = "rt_mutex_waiter";
	if (koffset(line->s, "rt_mutex", "rtmutex.waiters|waiters", &root) &&
	    koffset(line->s, "rt_mutex_waiter", "tree.entry|tree_entry", &node)) {
		if (tree_walk_init(walk, line->s, TREE_RB, base + root)) {
			while (tree_walk_step(walk, &entry)) {
				if (!add_waiter(line, entry.address - node))
					break;
			}
		}
		if (walk->trouble.count)
			session_problem(line->s, "waiters of a lock: %s", walk->trouble.text);
		tree_walk_fini(walk);
	}
	free(walk);
	return line->count;
}

size_t lock_waiters(struct session *s, enum lock_kind kind, uint64_t address, uint64_t *tasks,
		    size_t max)
{
	struct line line = { .s = s, .tasks = tasks, .max = max };
	uint64_t offset;

	if (max && rt_mutex_offset(s, kind, &offset)) {
		struct lock_state state;
		if ((kind == LOCK_RWSEM || kind == LOCK_SLEEPING_READ_WRITE) &&
		    lock_state_of(s, kind, address, &state) && state.shared)
			add_waiting_writer(&line, address + offset);
		return line.count < max ? rt_mutex_waiters(&line, address + offset) : line.count;
	}
	for (size_t i = 0; i < array_size(lists) && max; i++) {
		uint64_t head, link;
		if (lists[i].kind != kind || !koffset(s, lists[i].lock, lists[i].list, &head) ||
		    !koffset(s, lists[i].waiter, lists[i].link, &link))
			continue;
		line.waiter = lists[i].waiter;
		uint64_t at = address + head, unused;
		/* In 7.x there is no head: the lock leads to the first waiter, they form a ring. */
		if (koffset(s, lists[i].lock, "first_waiter", &unused)) {
			if (memory_u64(s->memory, at, &at) != READ_OK || !at ||
			    !add_waiter(&line, at))
				continue;
			at += link;
		}
		klist_each(s, at, lists[i].waiter, lists[i].link, "waiters of a lock",
			   add_waiter, &line);
	}
	return line.count;
}
