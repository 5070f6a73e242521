/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wait queues: who waits in a wait_queue_head or in a simple one (swait_queue_head). */
#pragma once

#include "kernel/session.h"
#include "kernel/walk.h"

enum wait_queue_kind {
	WAIT_QUEUE_ANY,    /* by what its entries look like */
	WAIT_QUEUE_USUAL,  /* struct wait_queue_head */
	WAIT_QUEUE_SIMPLE, /* struct swait_queue_head */
};

struct wait_queue_waiter {
	uint64_t entry;    /* struct wait_queue_entry or swait_queue */
	uint64_t task;     /* task_struct; 0: it stands for no task, or for which is unknown */
	uint64_t function; /* called to wake it up; 0: unknown, or the queue is simple */
	bool simple;
	bool exclusive;    /* woken up alone, not with all others */
};

/*
 * Each waiter of the queue at @head in order, until @fn returns false. Returns what kind of queue
 * it is, WAIT_QUEUE_ANY where it is empty (or nothing like a wait queue, then @trouble says so).
 */
typedef bool (*wait_queue_fn)(void *ctx, const struct wait_queue_waiter *waiter);
enum wait_queue_kind wait_queue_each(struct session *s, uint64_t head, enum wait_queue_kind kind,
				     wait_queue_fn fn, void *ctx, struct walk_trouble *trouble);
