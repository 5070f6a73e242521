// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A wait queue (include/linux/wait.h) is a list of entries with a function that wakes up whoever
 * stands behind it; `private` is mostly the task. Its names were wait_queue_t and task_list before
 * 4.13. A simple one (include/linux/swait.h, swait_queue since 4.6) is a list of tasks. Both heads
 * are a lock and a list; which it is, the entries tell: one has a pointer to code, the other one to
 * a task in its place.
 */
#include "kernel/wait_queues.h"

#include <inttypes.h>
#include <string.h>

#include "kernel/lists.h"
#include "kernel/tasks.h"

enum { WQ_FLAG_EXCLUSIVE = 1 }; /* include/linux/wait.h */

struct layout {
	uint64_t head, link; /* offsets: the list in the head, the link in an entry */
	bool known;
};

/* "wait_queue_entry" or its old name. */
static const char *entry_type(struct session *s)
{
	return types_sizeof(s->types, "wait_queue_entry") ? "wait_queue_entry" : "__wait_queue";
}

static struct layout usual_layout(struct session *s)
{
	struct layout l = { 0 };

	l.known = (koffset(s, "wait_queue_head", "head", &l.head) ||
		   koffset(s, "__wait_queue_head", "task_list", &l.head)) &&
		  koffset(s, entry_type(s), "entry|task_list", &l.link);
	return l;
}

static struct layout simple_layout(struct session *s)
{
	struct layout l = { 0 };

	l.known = koffset(s, "swait_queue_head", "task_list", &l.head) &&
		  koffset(s, "swait_queue", "task_list", &l.link);
	return l;
}

/* Whom an entry stands for, by the function that wakes it up. */
static uint64_t task_of(struct session *s, uint64_t private, uint64_t function)
{
	struct symbol symbol;
	uint64_t task;

	if (s->symbols && symbols_by_address(s->symbols, function, &symbol) &&
	    strcmp(symbol.name, "pollwake") == 0)
		return kread(s, private, "poll_wqueues", "polling_task", &task) ? task : 0;
	return private && task_by_address(s, private) ? private : 0;
}

static bool read_usual(struct session *s, uint64_t entry, struct wait_queue_waiter *waiter)
{
	uint64_t private, flags;

	*waiter = (struct wait_queue_waiter){ .entry = entry };
	if (!kread(s, entry, entry_type(s), "func", &waiter->function) ||
	    !kread(s, entry, entry_type(s), "private", &private) ||
	    !kread(s, entry, entry_type(s), "flags", &flags))
		return false;
	waiter->exclusive = flags & WQ_FLAG_EXCLUSIVE;
	waiter->task = task_of(s, private, waiter->function);
	return s->symbols && symbols_is_text(s->symbols, waiter->function);
}

static bool read_simple(struct session *s, uint64_t entry, struct wait_queue_waiter *waiter)
{
	*waiter = (struct wait_queue_waiter){ .entry = entry, .simple = true };
	return kread(s, entry, "swait_queue", "task", &waiter->task) &&
	       task_by_address(s, waiter->task);
}

enum list_look { LIST_NOT_READ, LIST_EMPTY, LIST_OTHER, LIST_ENTRY };

/* What the first entry of a list looks like, if it is one of such a queue. */
static enum list_look look_at(struct session *s, uint64_t queue, const struct layout *layout,
			      bool (*read)(struct session *s, uint64_t entry,
					   struct wait_queue_waiter *waiter))
{
	struct wait_queue_waiter waiter;
	uint64_t first;

	if (!layout->known)
		return LIST_OTHER;
	if (memory_u64(s->memory, queue + layout->head, &first) != READ_OK)
		return LIST_NOT_READ;
	if (first == queue + layout->head)
		return LIST_EMPTY;
	return read(s, first - layout->link, &waiter) ? LIST_ENTRY : LIST_OTHER;
}

/*
 * By what the first entries look like. Both kinds have the list at the same place, but for kernels
 * with PREEMPT_RT, whose spinlocks are bigger than raw ones.
 */
static enum wait_queue_kind kind_of(struct session *s, uint64_t head, const struct layout *usual,
				    const struct layout *simple, struct walk_trouble *trouble)
{
	enum list_look as_usual = look_at(s, head, usual, read_usual);
	enum list_look as_simple = look_at(s, head, simple, read_simple);

	if (as_usual == LIST_ENTRY)
		return WAIT_QUEUE_USUAL;
	if (as_simple == LIST_ENTRY)
		return WAIT_QUEUE_SIMPLE;
	if (as_usual == LIST_EMPTY || as_simple == LIST_EMPTY)
		return WAIT_QUEUE_ANY;
	if (as_usual == LIST_NOT_READ || as_simple == LIST_NOT_READ)
		walk_trouble_add(trouble, "the queue at %016" PRIx64 " is not in the dump", head);
	else
		walk_trouble_add(trouble, "what is at %016" PRIx64 " does not look like a wait queue", head);
	return WAIT_QUEUE_ANY;
}

enum wait_queue_kind wait_queue_each(struct session *s, uint64_t head, enum wait_queue_kind kind,
				     wait_queue_fn fn, void *ctx, struct walk_trouble *trouble)
{
	struct layout usual = usual_layout(s), simple = simple_layout(s);
	struct list_walk walk;
	uint64_t link;
	size_t count;
	bool more = true;

	if (!usual.known && !simple.known) {
		walk_trouble_add(trouble, "struct wait_queue_head is not known");
		return WAIT_QUEUE_ANY;
	}
	tasks(s, &count); /* so that pointers to tasks are known */
	if (kind == WAIT_QUEUE_ANY)
		kind = kind_of(s, head, &usual, &simple, trouble);
	if (kind == WAIT_QUEUE_ANY)
		return kind;
	bool is_usual = kind == WAIT_QUEUE_USUAL;
	const struct layout *l = is_usual ? &usual : &simple;
	list_walk_from_head(&walk, s, LIST_DOUBLE, head + l->head);
	while (more && list_walk_step(&walk, &link)) {
		struct wait_queue_waiter waiter;
		bool sane = is_usual ? read_usual(s, link - l->link, &waiter)
				     : read_simple(s, link - l->link, &waiter);
		if (!sane)
			walk_trouble_add(trouble, "the entry at %016" PRIx64 " is none of a wait "
					 "queue", link - l->link);
		more = fn(ctx, &waiter) && !session_stopped(s);
	}
	if (walk.trouble.count)
		walk_trouble_add(trouble, "%s", walk.trouble.text);
	list_walk_fini(&walk);
	return kind;
}
