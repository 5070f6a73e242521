// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A machine that was crashed or dumped by hand was often stuck: tasks that have waited long and
 * uninterruptibly tell. The one that has waited longest is followed to whoever holds it up. It is
 * the verdict only where nobody asked for the crash; else it stands beside it, as the likely reason
 * for asking.
 */
#include <inttypes.h>
#include <string.h>

#include "diagnosis/waiting.h"
#include "forensics/wait_graph.h"

enum { STUCK_SECONDS = 10, NS_PER_S = 1000 * 1000 * 1000, RANK_STUCK = RANK_FALLBACK + 10 };

/* Uninterruptible tasks are looked for first: where there is none, the graph need not be made. */
static bool any_uninterruptible(struct session *s)
{
	size_t count;
	const struct task *all = tasks(s, &count);

	for (size_t i = 0; i < count; i++) {
		if (task_state_letter(&all[i]) == 'D')
			return true;
	}
	return false;
}

/* One that is part of a ring, or waits for somebody, tells more than one that just waits. */
static unsigned worth_of(const struct wait_graph *graph, size_t node)
{
	const struct wait_node *n = &graph->nodes[node];

	if (n->cycle)
		return 2;
	return n->resource != SIZE_MAX && graph->resources[n->resource].owner_count;
}

static size_t longest_wait(const struct wait_graph *graph)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < graph->node_count; i++) {
		const struct wait_node *n = &graph->nodes[i];
		if (task_state_letter(n->task) != 'D' || !wait_node_blocked(n) ||
		    n->waited_ns < (uint64_t)STUCK_SECONDS * NS_PER_S)
			continue;
		if (found == SIZE_MAX || worth_of(graph, i) > worth_of(graph, found) ||
		    (worth_of(graph, i) == worth_of(graph, found) &&
		     n->waited_ns > graph->nodes[found].waited_ns))
			found = i;
	}
	return found;
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	struct session *s = facts->session;

	/* A fault or a policy that found the stuck task has its own detector. */
	bool by_hand = !facts->panic_message || strstr(facts->panic_message, "sysrq") ||
		       strstr(facts->panic_message, "NMI");
	if (!s->symbols || !s->unwinder || facts->fault.trap != TRAP_NONE || !by_hand ||
	    !any_uninterruptible(s))
		return NULL;
	const struct wait_graph *graph = wait_graph(s);
	size_t node = longest_wait(graph);
	if (node == SIZE_MAX)
		return NULL;
	struct finding *f = finding_add(out, "stuck-task", "Stuck task", RANK_STUCK,
					CONFIDENCE_POSSIBLE, "%s",
					"a task had waited long when the machine was dumped");
	enum confidence before = f->confidence;
	f->apart = true;
	if (!waiting_blame(facts, graph->nodes[node].task, out, f))
		return NULL;
	f->what = finding_text(out, "%s, for %" PRIu64 " s when the machine was dumped", f->what,
			       graph->nodes[node].waited_ns / NS_PER_S);
	/* That it waits is certain; that it would have gone on for ever is not, but in a ring. */
	if (!graph->nodes[node].cycle)
		f->confidence = before;
	return NULL;
}

const struct detector detector_stuck = {
	.name = "stuck",
	.looks_for = "tasks that wait for each other, or for long, in a machine dumped by hand",
	.run = run,
};
