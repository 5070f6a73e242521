/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who waits for whom: every task that waits for something, what that is (a resource), and the tasks
 * that have it or must do something before it comes. Chains end in roots, or in themselves: then
 * it is a deadlock.
 *
 * In: a session. Out: nodes (tasks), resources, cycles. Owners are told by the lock's own word
 * where it keeps one, else by the code of those who took it; each says how it is known.
 */
#pragma once

#include "forensics/waits.h"

enum owner_how {
	OWNER_WORD,   /* the lock itself says so */
	OWNER_CODE,   /* its code took it and has not given it back, or is still to complete it */
	OWNER_WORKER, /* it runs the work */
	OWNER_ITSELF, /* the thread is what is waited for */
	OWNER_HINT,   /* a trace that may be stale: the last reader, a user-space word */
};

const char *owner_how_name(enum owner_how how);

struct owner {
	size_t node;
	enum owner_how how;
	bool sure;       /* as sure as the lock's word, or its code on every way */
	size_t frame;    /* OWNER_CODE: of the function that took it */
	const char *why; /* "load() took it with _raw_spin_lock_bh" */
};

/* "", "likely ", "perhaps ": before the words that say it has something; @owner may be NULL. */
const char *owner_doubt_word(const struct owner *owner);

enum { OWNERS_MAX = 16 };

struct resource {
	enum wait_kind kind;
	enum lock_kind lock_kind;
	uint64_t object;
	bool state_known;
	struct lock_state state;
	const char *name;   /* "mutex ffff... (a_lock, data of module x)" */
	/*
	 * Who has the task_struct that the owner word leads to, where nothing on its stack can have
	 * taken the lock: it left that code without giving it back, or another did that exited and
	 * had this task_struct before. No owner then. NULL: not so.
	 */
	const struct task *left_behind;
	bool owner_younger; /* that one began when others waited already: it never had the lock */
	struct owner owners[OWNERS_MAX];
	unsigned owner_count;
	unsigned waiter_count;
};

struct wait_node {
	const struct task *task;
	struct wait wait;
	size_t resource;    /* that it waits for; SIZE_MAX: none, or not known which */
	unsigned place;     /* in the line of those that wait for it, from 1; 0 not known */
	bool spins_at_lock; /* on its CPU, and not behind others: at the lock's own word */
	uint64_t waited_ns; /* how long it has not run, or its call was not answered; 0 not known */
	unsigned victims;   /* tasks that wait for it, directly or through others */
	unsigned owned;     /* resources that others wait for and it has */
	unsigned cycle;     /* number of its cycle, from 1; 0: in none */
};

struct wait_cycle {
	const size_t *nodes; /* each waits for what the next one has; the last for the first's */
	size_t count;
	bool sure;           /* every link is */
};

struct wait_graph {
	struct wait_node *nodes; /* one a task, in the order of tasks() */
	size_t node_count;
	struct resource *resources;
	size_t resource_count, resource_capacity;
	struct wait_cycle *cycles;
	size_t cycle_count, cycle_capacity;
	struct arena arena;
};

/* Of the session; made on first use and owned by it. */
const struct wait_graph *wait_graph(struct session *s);
/* Does the node wait for something that another thread must do (not just for an event)? */
bool wait_node_blocked(const struct wait_node *node);
/*
 * The chain that @node waits in, @node first: each waits for what the next one has (of several
 * owners the surest). The last one waits for nobody that is known, or closes a cycle. How many were
 * put into @path.
 */
size_t wait_graph_chain(const struct wait_graph *graph, size_t node, size_t *path, size_t max);
size_t wait_graph_node_of(const struct wait_graph *graph, const struct task *task);
