// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who waits for themselves in the end: the graph of tasks and owners is walked once, depth first; a
 * task that is met again on the path that led to it closes a ring. Victims are counted from every
 * owner backwards, over all who wait for it.
 */
#include "forensics/wait_cycles.h"

#include <stdlib.h>
#include <string.h>

enum { CYCLES_MAX = 64 };

struct walk_state {
	const struct wait_graph *graph;
	size_t *stack;       /* the path that is being followed */
	uint32_t *owner;     /* of each node on the path: the next owner to follow */
	uint8_t *color;      /* 0 not seen, 1 on the path, 2 done */
	size_t depth;
};

static bool is_waiting_on(const struct wait_graph *g, size_t node)
{
	return g->nodes[node].resource != SIZE_MAX;
}

static bool link_sure(const struct wait_graph *g, size_t from, size_t to)
{
	const struct wait_node *node = &g->nodes[from];
	const struct resource *r = &g->resources[node->resource];

	for (unsigned i = 0; i < r->owner_count; i++) {
		if (r->owners[i].node == to)
			return r->owners[i].sure && (node->wait.confirmed || !node->wait.memory);
	}
	return false;
}

static void add_cycle(struct wait_graph *g, const size_t *nodes, size_t count)
{
	struct wait_cycle cycle = { .count = count, .sure = true };

	if (g->cycle_count == CYCLES_MAX)
		return;
	for (size_t i = 0; i < count; i++) {
		/* Two cycles that share a node are told once. */
		if (g->nodes[nodes[i]].cycle)
			return;
		cycle.sure &= link_sure(g, nodes[i], nodes[(i + 1) % count]);
	}
	size_t *copy = arena_zalloc(&g->arena, count * sizeof(*copy));
	memcpy(copy, nodes, count * sizeof(*copy));
	cycle.nodes = copy;
	if (g->cycle_count == g->cycle_capacity) {
		g->cycle_capacity = g->cycle_capacity ? g->cycle_capacity * 2 : 8;
		g->cycles = xrealloc(g->cycles, g->cycle_capacity * sizeof(*g->cycles));
	}
	g->cycles[g->cycle_count++] = cycle;
	for (size_t i = 0; i < count; i++)
		g->nodes[nodes[i]].cycle = (unsigned)g->cycle_count;
}

/* Depth first, without recursion: chains may be as long as there are tasks. */
static void follow(struct walk_state *w, struct wait_graph *g, size_t start)
{
	w->stack[0] = start;
	w->owner[0] = 0;
	w->depth = 1;
	w->color[start] = 1;
	while (w->depth) {
		size_t node = w->stack[w->depth - 1];
		const struct resource *r = is_waiting_on(g, node)
						   ? &g->resources[g->nodes[node].resource] : NULL;
		uint32_t i = w->owner[w->depth - 1]++;
		if (!r || i >= r->owner_count) {
			w->color[node] = 2;
			w->depth--;
			continue;
		}
		size_t next = r->owners[i].node;
		if (w->color[next] == 1) {
			size_t from = w->depth;
			while (w->stack[from - 1] != next)
				from--;
			add_cycle(g, &w->stack[from - 1], w->depth - (from - 1));
		} else if (!w->color[next]) {
			w->stack[w->depth] = next;
			w->owner[w->depth++] = 0;
			w->color[next] = 1;
		}
	}
}

void wait_cycles_find(struct wait_graph *g)
{
	struct walk_state w = {
		.graph = g,
		.stack = xcalloc(g->node_count + 1, sizeof(*w.stack)),
		.owner = xcalloc(g->node_count + 1, sizeof(*w.owner)),
		.color = xcalloc(g->node_count + 1, 1),
	};

	for (size_t i = 0; i < g->node_count; i++) {
		if (!w.color[i])
			follow(&w, g, i);
	}
	free(w.stack);
	free(w.owner);
	free(w.color);
}

void wait_victims_count(struct wait_graph *g)
{
	size_t *todo = xcalloc(g->node_count + 1, sizeof(*todo));
	uint32_t *seen = xcalloc(g->node_count + 1, sizeof(*seen));
	/* Waiters of each resource, in one array. */
	size_t *first = xcalloc(g->resource_count + 2, sizeof(*first));
	size_t *list = xcalloc(g->node_count + 1, sizeof(*list));

	for (size_t i = 0; i < g->node_count; i++) {
		if (is_waiting_on(g, i))
			first[g->nodes[i].resource + 2]++;
	}
	for (size_t r = 2; r < g->resource_count + 2; r++)
		first[r] += first[r - 1];
	for (size_t i = 0; i < g->node_count; i++) {
		if (is_waiting_on(g, i))
			list[first[g->nodes[i].resource + 1]++] = i;
	}
	for (size_t root = 0; root < g->node_count; root++) {
		size_t count = 0;
		if (!g->nodes[root].owned)
			continue;
		todo[count++] = root;
		seen[root] = (uint32_t)root + 1;
		for (size_t at = 0; at < count; at++) {
			for (size_t r = 0; g->nodes[todo[at]].owned && r < g->resource_count; r++) {
				const struct resource *res = &g->resources[r];
				bool owns = false;
				for (unsigned o = 0; o < res->owner_count; o++)
					owns |= res->owners[o].node == todo[at];
				for (size_t k = first[r]; owns && k < first[r + 1]; k++) {
					if (seen[list[k]] == root + 1)
						continue;
					seen[list[k]] = (uint32_t)root + 1;
					todo[count++] = list[k];
				}
			}
		}
		g->nodes[root].victims = (unsigned)(count - 1);
	}
	free(todo);
	free(seen);
	free(first);
	free(list);
}
