// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The page's picture of who waits for whom: an arrow for each task that waits and who has what it
 * waits for; tasks that wait for the same thing, and that nobody waits for, share one. Only where
 * the diagnosis asked for the graph, and there is more than one arrow in it.
 */
#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/report.h"
#include "commands/task_text.h"
#include "forensics/wait_graph.h"

enum { ARROWS_MAX = 24, NAME_LENGTH = 30 };

static const char *node_label(const struct wait_node *n, struct arena *arena)
{
	if (n->task->road == ROAD_IDLE)
		return arena_printf(arena, "idle, CPU %d", n->task->cpu);
	return arena_printf(arena, "%s (%s)", task_comm(arena, n->task),
			    task_pid_text(arena, n->task));
}

/* The lock's kind and its name or address, short enough for a picture. */
static const char *short_name(const struct resource *r, struct arena *arena)
{
	const char *kind = r->kind == WAIT_LOCK ? lock_kind_name(r->lock_kind)
						: wait_kind_name(r->kind);
	const char *in = strchr(r->name, '(');
	int length = in ? (int)strcspn(in + 1, " ),") : 0;

	if (length > NAME_LENGTH)
		length = NAME_LENGTH;
	/* "(a_lock (data of module x))" has a name; "(object of ...)" none. */
	if (in && !starts_with(in + 1, "object of") && !starts_with(in + 1, "task_struct"))
		return arena_printf(arena, "%s %.*s", kind, length, in + 1);
	return kind;
}

static size_t add_arrows(const struct wait_graph *g, size_t index, size_t room, struct doc *doc)
{
	const struct resource *r = &g->resources[index];
	const struct owner *o = &r->owners[0];
	const char *name = short_name(r, &doc->arena), *to = node_label(&g->nodes[o->node],
									 &doc->arena);
	size_t count = 0, alike = 0;
	const char *first = NULL;

	for (size_t i = 0; i < g->node_count && count < room; i++) {
		const struct wait_node *n = &g->nodes[i];
		if (n->resource != index)
			continue;
		if (!n->owned) {
			first = first ? first : node_label(n, &doc->arena);
			alike++;
			continue;
		}
		bool ring = n->cycle && n->cycle == g->nodes[o->node].cycle;
		doc_row(doc, cell_str(node_label(n, &doc->arena)), cell_str(name), cell_str(to),
			cell_str(o->sure ? "" : "likely"));
		if (ring)
			doc_row_style(doc, STYLE_BAD);
		count++;
	}
	if (alike && count < room) {
		const char *label = alike == 1 ? first : arena_printf(&doc->arena, "%s and %zu more",
								      first, alike - 1);
		doc_row(doc, cell_str(label), cell_str(name), cell_str(to),
			cell_str(o->sure ? "" : "likely"));
		count++;
	}
	return count;
}

void report_waits(const struct facts *facts, struct doc *doc)
{
	static const struct column columns[] = {
		{ .key = "waiter", .title = "WHO WAITS" },
		{ .key = "what", .title = "FOR" },
		{ .key = "owner", .title = "WHICH HAS" },
		{ .key = "sure", .title = "" },
	};
	const struct wait_graph *g = facts->session->slot[SLOT_WAITS].data;
	size_t worth = 0, count = 0;

	if (!(doc->media & DOC_IN_HTML) || !g)
		return;
	for (size_t r = 0; r < g->resource_count; r++)
		worth += g->resources[r].owner_count ? g->resources[r].waiter_count : 0;
	if (worth < 2)
		return;
	doc_table(doc, "waits", columns, array_size(columns));
	doc_only_in(doc, DOC_IN_HTML);
	doc_look(doc, LOOK_WAITS);
	doc_section(doc, "WAITS", "blocked -g", "who waits for whom");
	for (size_t r = 0; r < g->resource_count && count < ARROWS_MAX; r++) {
		if (g->resources[r].owner_count && g->resources[r].waiter_count)
			count += add_arrows(g, r, ARROWS_MAX - count, doc);
	}
	doc_end(doc);
}
