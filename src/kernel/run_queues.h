/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The run queue of each CPU: who runs, and who waits for the CPU in which class. */
#pragma once

#include "kernel/session.h"
#include "kernel/walk.h"

struct run_queue {
	unsigned cpu;
	uint64_t address;  /* struct rq */
	uint64_t current;  /* task_struct that runs; 0 unknown */
	bool has_clock;
	uint64_t clock;    /* ns, at its last update: a tick, or a change */
	bool has_counts;
	uint64_t running;  /* tasks that can run, the current one included */
	uint64_t fair, realtime, deadline; /* of these, as each class counts them */
	uint64_t cfs, rt, dl; /* struct cfs_rq, rt_rq, dl_rq; 0 unknown */
};

/* False when that CPU has none that can be read. */
bool run_queue(struct session *s, unsigned cpu, struct run_queue *rq);

enum run_class { RUN_DEADLINE, RUN_REALTIME, RUN_FAIR };

/* A task that is queued, or a group of tasks that is: its members follow, one deeper. */
struct run_entry {
	enum run_class class;
	unsigned depth;
	uint64_t task;      /* 0: a group, or a server */
	uint64_t group;     /* the struct task_group; of a task, that it is in; 0: none, unknown */
	uint64_t queue;     /* of a group: its cfs_rq or rt_rq */
	int prio;           /* of the real-time class: of its list */
	bool has_prio;
	uint64_t vruntime;  /* fair class */
	bool has_vruntime;
	uint64_t deadline;  /* virtual (fair class since 6.6), or ns (deadline class) */
	bool has_deadline;
	bool current;       /* it is the one that runs: in no tree while it does */
	bool delayed;       /* sleeps already, and is only kept until its lag is gone (since 6.12) */
	bool throttled;     /* its group has used up its time: it does not run, nor do its members */
	bool server;        /* a deadline in whose name fair tasks run (since 6.8) */
};

typedef bool (*run_entry_fn)(void *ctx, const struct run_entry *entry);
/* All that is queued, in the order in which classes and trees have it, until @fn returns false. */
void run_queue_each(struct session *s, const struct run_queue *rq, run_entry_fn fn, void *ctx,
		    struct walk_trouble *trouble);
/* "/user.slice/x", "/autogroup-12", "/" of a struct task_group; false when it cannot be told. */
bool task_group_path(struct session *s, uint64_t group, char *buf, size_t size);
