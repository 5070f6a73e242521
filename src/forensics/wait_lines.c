// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The lock's queue tells CPUs, the graph who runs on them. Before the queue stands the one that the
 * pending bit is of, who takes no node; before him, at a rwlock, the one who has the lock of its
 * queue. Both are found by what is left: where that is not one, nobody's place is told.
 *
 * Sources, in linux/: kernel/locking/{qspinlock,qspinlock_paravirt,qrwlock}.[ch].
 */
#include "forensics/wait_lines.h"

#include <stdlib.h>

#include "kernel/spin_queue.h"

static struct wait_node *on_cpu(struct wait_graph *g, size_t resource, unsigned cpu)
{
	for (size_t i = 0; i < g->node_count; i++) {
		struct wait_node *n = &g->nodes[i];
		if (n->resource == resource && n->task->on_cpu && n->task->cpu == (int)cpu)
			return n;
	}
	return NULL;
}

static bool in_queue(const struct spin_queue *q, const struct wait_node *n)
{
	for (size_t i = 0; i < q->count; i++) {
		if (q->cpus[i] == (unsigned)n->task->cpu)
			return true;
	}
	return false;
}

/* Those that are in no queue: at the rwlock itself, and those that may be the pending one. */
struct rest {
	struct wait_node *at_lock, *other;
	unsigned at_lock_count, other_count;
};

static void find_rest(struct wait_graph *g, size_t resource, const struct spin_queue *q,
		      struct rest *rest)
{
	*rest = (struct rest){ 0 };
	for (size_t i = 0; i < g->node_count; i++) {
		struct wait_node *n = &g->nodes[i];
		if (n->resource != resource || !n->task->on_cpu || in_queue(q, n))
			continue;
		if (n->spins_at_lock) {
			rest->at_lock = n;
			rest->at_lock_count++;
		} else {
			rest->other = n;
			rest->other_count++;
		}
	}
}

static void find_line(struct session *s, struct wait_graph *g, size_t resource)
{
	const struct resource *r = &g->resources[resource];
	bool read_write = r->lock_kind == LOCK_READ_WRITE;
	struct spin_queue *q = xcalloc(1, sizeof(*q));
	uint64_t offset = 0;
	struct rest rest;
	unsigned place = 0;
	bool known = (!read_write || koffset(s, "qrwlock", "wait_lock", &offset)) &&
		     spin_queue_read(s, r->object + offset, q);

	/* Nobody stands behind the first one of a rwlock. */
	known |= read_write && q->held;
	if (known) {
		find_rest(g, resource, q, &rest);
		/* With a hypervisor's help the queue's first one sets the pending bit itself. */
		known = rest.other_count == q->pending || (!rest.other_count && q->count);
		known &= !read_write || (rest.at_lock_count == 1 && q->held);
	}
	if (known && read_write)
		rest.at_lock->place = ++place;
	if (known && rest.other)
		rest.other->place = ++place;
	for (size_t i = 0; known && i < q->count; i++) {
		struct wait_node *n = on_cpu(g, resource, q->cpus[i]);
		place++;
		if (n)
			n->place = place;
	}
	free(q);
}

void wait_lines_find(struct session *s, struct wait_graph *graph)
{
	for (size_t i = 0; i < graph->resource_count; i++) {
		const struct resource *r = &graph->resources[i];
		if (r->kind == WAIT_LOCK && r->object &&
		    (r->lock_kind == LOCK_SPIN || r->lock_kind == LOCK_READ_WRITE))
			find_line(s, graph, i);
	}
}

size_t wait_line_of(const struct wait_graph *graph, size_t resource, size_t *nodes, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < graph->node_count && max; i++) {
		const struct wait_node *n = &graph->nodes[i];
		if (n->resource != resource || !n->place)
			continue;
		size_t at = count < max ? count++ : max;
		/* Sorted in, the last ones fall off the end. */
		if (at == max && graph->nodes[nodes[max - 1]].place <= n->place)
			continue;
		at = at == max ? max - 1 : at;
		for (; at && graph->nodes[nodes[at - 1]].place > n->place; at--)
			nodes[at] = nodes[at - 1];
		nodes[at] = i;
	}
	return count;
}
