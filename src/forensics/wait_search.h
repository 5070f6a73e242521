/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search for those who have what others wait for. Private to wait_owners.c, and wait_*.c. */
#pragma once

#include "base/map.h"
#include "forensics/other_end.h"
#include "forensics/wait_owners.h"

struct wait_search {
	struct session *s;
	struct wait_graph *graph;
	struct map nodes;      /* task address -> node */
	struct map wanted;     /* object address -> resource, of those to be found by code */
	struct owner_clocks clocks;
	unsigned words_checked; /* owner words held against the owner's code */
	unsigned kinds;        /* of locks, of those: bits 1 << kind */
	struct map functions;  /* entry of a function -> number of locking calls in it, plus 1 */
	struct map barren;     /* hash of a stack's addresses: nothing can be held there */
	uint64_t fuse_connection; /* that was looked for last */
	struct other_end fuse_end;
};

/* The task at @task has, or is to bring about, what @r is. It is left out where it is no task. */
void wait_add_owner(struct wait_search *x, struct resource *r, uint64_t task, enum owner_how how,
		    bool sure, const char *why);
/* Of the resource with that number: a grace period. */
void wait_owners_of_rcu(struct wait_search *x, size_t resource);
/* Of all pages that somebody has locked. */
void wait_owners_of_pages(struct wait_search *x);
/* Of one that is I/O of a disk: who does that, where it is a task. */
void wait_owners_of_disk(struct wait_search *x, size_t resource);
/* The struct worker of a worker of work queues; 0: @task is none. */
uint64_t worker_of_task(struct session *s, const struct task *task);
