// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * blocked, locks, deadlock: three views of the wait-for graph (forensics/wait_graph.h): a row for
 * each task that waits, a row for each thing that is waited for, a list for each ring of tasks that
 * wait for each other.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/show.h"
#include "commands/table.h"
#include "commands/task_text.h"
#include "forensics/other_end.h"
#include "forensics/wait_graph.h"
#include "forensics/wait_lines.h"

enum { OPT_GRAPH, OPT_ALL };

static const struct option blocked_options[] = {
	[OPT_GRAPH] = { "g", false },
	[OPT_ALL] = { "a", false },
};

static const char *task_words(const struct wait_node *node, struct arena *arena)
{
	if (node->task->road == ROAD_IDLE)
		return arena_printf(arena, "idle task of CPU %d", node->task->cpu);
	return arena_printf(arena, "%s (pid %s)", task_comm(arena, node->task),
			    task_pid_text(arena, node->task));
}

static const struct resource *resource_of(const struct wait_graph *g, const struct wait_node *n)
{
	return n->resource == SIZE_MAX ? NULL : &g->resources[n->resource];
}

static const char *owner_words(const struct wait_graph *g, const struct owner *o,
			       struct arena *arena)
{
	return arena_printf(arena, "%s%s", owner_doubt_word(o), task_words(&g->nodes[o->node], arena));
}

/* Held by nobody that could give it back; NULL: not so. */
static const char *gone_words(const struct resource *r, struct arena *arena)
{
	if (r && r->left_behind && !r->owner_younger)
		return arena_printf(arena, "left behind by %.*s (pid %d) or one that has exited",
				    (int)sizeof(r->left_behind->comm), r->left_behind->comm,
				    r->left_behind->pid);
	return r && (r->owner_younger || (r->state_known && r->state.owner_gone)) ? "a task that has exited" : NULL;
}

static const char *wait_words(const struct wait_graph *g, const struct wait_node *n)
{
	const struct resource *r = resource_of(g, n);

	if (r)
		return r->name;
	return n->wait.kind == WAIT_LOCK ? lock_kind_name(n->wait.lock_kind)
					 : wait_kind_name(n->wait.kind);
}

/* "12.3 s", for the eye; the number goes to JSON. */
static struct cell time_cell(uint64_t ns, struct arena *arena)
{
	if (!ns)
		return cell_none();
	const char *text = arena_printf(arena, "%" PRIu64 ".%" PRIu64 " s", ns / 1000000000,
					ns % 1000000000 / 100000000);
	return cell_shown(cell_udec(ns), text);
}

/* --- blocked --- */

/* The nodes to show, longest wait first. */
static size_t choose(const struct wait_graph *g, bool all, const struct options *o,
		     size_t *chosen, struct session *s, struct error **error)
{
	size_t count = 0;

	for (size_t i = 0; i < g->node_count && !*error; i++) {
		const struct wait_node *n = &g->nodes[i];
		bool wanted = !o->word_count;
		for (int w = 0; w < o->word_count && !*error; w++) {
			const struct task *task;
			*error = parse_task(s, o->words[w], &task);
			wanted |= !*error && task->address == n->task->address;
		}
		bool shown = all ? n->wait.kind != WAIT_NOTHING : wait_node_blocked(n);
		/* Most futexes are condition variables: threads rest there. */
		if (!all && n->wait.kind == WAIT_FUTEX)
			shown = n->resource != SIZE_MAX && g->resources[n->resource].owner_count;
		/* Idle kernel threads sleep in odd places; uninterruptible ones do not rest. */
		if (!all && n->wait.kind == WAIT_OTHER && task_state_letter(n->task) == 'D')
			shown = true;
		if (wanted && (shown || o->word_count))
			chosen[count++] = i;
	}
	return count;
}

static int compare_waits(const void *a, const void *b, void *ctx)
{
	const struct wait_graph *g = *(const struct wait_graph *const *)ctx;
	size_t i = *(const size_t *)a, k = *(const size_t *)b;
	const struct wait_node *x = &g->nodes[i], *y = &g->nodes[k];

	if (x->waited_ns != y->waited_ns)
		return x->waited_ns > y->waited_ns ? -1 : 1;
	return i < k ? -1 : i > k;
}

/* "read by cat (pid 12), tee (pid 13)" */
static const char *other_end_words(const struct other_end *end, struct arena *arena)
{
	static const struct {
		const char *does, *nobody;
	} roles[] = {
		[END_READS] = { "read by", "nobody has it open to read" },
		[END_WRITES] = { "written by", "nobody has it open to write" },
		[END_PEER] = { "with", "nobody has the other end open" },
		[END_ANSWERS] = { "answered by", "nobody serves it" },
	};
	auto_strbuf text = { 0 };

	if (!end->count)
		return end->holes ? NULL : roles[end->role].nobody;
	for (size_t i = 0; i < end->count && i < OTHER_END_TASKS; i++)
		strbuf_addf(&text, "%s%s (pid %s)", i ? ", " : "", task_comm(arena, end->tasks[i]),
			    task_pid_text(arena, end->tasks[i]));
	return arena_printf(arena, "%s %s%s", roles[end->role].does, strbuf_text(&text),
			    end->count > OTHER_END_TASKS ? " ..." : "");
}

static struct cell other_end_cell(const struct other_end *end, struct arena *arena)
{
	struct cell *cells = arena_zalloc(arena, OTHER_END_TASKS * sizeof(*cells));
	struct cell_list *list = arena_zalloc(arena, sizeof(*list));

	if (!end->known)
		return cell_none();
	list->cells = cells;
	for (size_t i = 0; i < end->count && i < OTHER_END_TASKS; i++)
		cells[list->count++] = pid_cell(end->tasks[i]);
	return cell_of_list(list);
}

static void blocked_row(const struct wait_graph *g, size_t i, const struct other_end *end,
			struct doc *doc)
{
	const struct wait_node *n = &g->nodes[i];
	const struct resource *r = resource_of(g, n);
	const struct owner *o = r && r->owner_count ? &r->owners[0] : NULL;
	const char *gone = o ? NULL : gone_words(r, &doc->arena);
	const char *other = end->known ? other_end_words(end, &doc->arena) : NULL;
	char state[2] = { task_state_letter(n->task), '\0' };

	other = other ? other : "";
	doc_row(doc, pid_cell(n->task), cpu_cell(n->task), cell_str(state),
		time_cell(n->waited_ns, &doc->arena),
		cell_str(arena_printf(&doc->arena, "%.*s", (int)sizeof(n->task->comm), n->task->comm)),
		cell_str(wait_kind_name(n->wait.kind)),
		r && r->object ? cell_address(r->object) : cell_none(),
		n->place ? cell_udec(n->place) : cell_shown(cell_none(), ""),
		cell_str(wait_words(g, n)), cell_str(n->wait.function),
		cell_bool(n->wait.confirmed),
		o ? pid_cell(g->nodes[o->node].task) : cell_none(),
		o ? cell_str(owner_how_name(o->how)) : cell_none(),
		o ? cell_bool(o->sure) : cell_none(),
		o ? cell_str(owner_words(g, o, &doc->arena))
		  : gone ? cell_str(gone) : cell_shown(cell_none(), other),
		other_end_cell(end, &doc->arena),
		n->cycle ? cell_udec(n->cycle) : cell_none());
}

static void blocked_table(struct session *s, const struct wait_graph *g, const size_t *chosen,
			  size_t count, struct doc *doc)
{
	static const struct column columns[] = {
		{ .key = "pid", .title = "PID", .right = true },
		{ .key = "cpu", .title = "CPU", .right = true },
		{ .key = "state", .title = "ST" },
		{ .key = "waited_ns", .title = "WAITED", .right = true },
		{ .key = "comm", .title = "COMM", .style = STYLE_STRONG },
		{ .key = "kind" },
		{ .key = "object" },
		{ .key = "place", .title = "LINE", .right = true },
		{ .key = "waits_for", .title = "WAITS FOR" },
		{ .key = "function", .title = "IN" },
		{ .key = "confirmed" },
		{ .key = "owner_pid" },
		{ .key = "owner_how" },
		{ .key = "owner_sure" },
		{ .key = "owner", .title = "WHICH HAS" },
		{ .key = "other_end" },
		{ .key = "cycle" },
	};
	const struct wait **waits = xcalloc(count + 1, sizeof(*waits));
	struct other_end *ends = xcalloc(count + 1, sizeof(*ends));

	for (size_t i = 0; i < count; i++)
		waits[i] = &g->nodes[chosen[i]].wait;
	other_ends_find(s, waits, count, ends);
	doc_table(doc, "blocked", columns, array_size(columns));
	for (size_t i = 0; i < count; i++)
		blocked_row(g, chosen[i], &ends[i], doc);
	doc_end(doc);
	free(waits);
	free(ends);
}

/* --- blocked -g: trees of victims under their roots. --- */

enum { TREE_DEPTH_MAX = 12, TREE_ALIKE_SHOWN = 3 };

struct tree {
	const struct wait_graph *graph;
	struct doc *doc;
	bool *shown;
};

static void tree_waiters(struct tree *t, size_t owner, unsigned depth);

static void tree_resource(struct tree *t, size_t index, const struct owner *owner, unsigned depth)
{
	const struct wait_graph *g = t->graph;
	const struct resource *r = &g->resources[index];
	size_t shown = 0, more = 0;

	doc_textf(t->doc, STYLE_PLAIN, "%*s%s %s%s %s", (int)depth * 4, "",
		  r->kind == WAIT_JOURNAL ? "on which" : "which", owner_doubt_word(owner),
		  r->kind == WAIT_JOURNAL ? "depends" : "has", r->name);
	for (size_t i = 0; i < g->node_count; i++) {
		const struct wait_node *n = &g->nodes[i];
		if (n->resource != index || t->shown[i])
			continue;
		/* Those that others wait for in turn are worth a line each; of the rest a few are. */
		if (!n->owned && shown >= TREE_ALIKE_SHOWN) {
			t->shown[i] = true;
			more++;
			continue;
		}
		shown++;
		t->shown[i] = true;
		auto_strbuf time = { 0 };
		if (n->waited_ns)
			strbuf_addf(&time, ", for %" PRIu64 " s", n->waited_ns / 1000000000);
		doc_textf(t->doc, STYLE_PLAIN, "%*s%s waits%s, in %s%s", (int)depth * 4 + 2, "",
			  task_words(n, &t->doc->arena), strbuf_text(&time),
			  n->wait.function ? n->wait.function : "?",
			  n->cycle ? " (part of a ring)" : "");
		if (n->owned && depth < TREE_DEPTH_MAX)
			tree_waiters(t, i, depth + 1);
	}
	if (more)
		doc_textf(t->doc, STYLE_FAINT, "%*sand %zu more", (int)depth * 4 + 2, "", more);
}

static void tree_waiters(struct tree *t, size_t owner, unsigned depth)
{
	for (size_t r = 0; r < t->graph->resource_count; r++) {
		const struct resource *what = &t->graph->resources[r];
		for (unsigned o = 0; o < what->owner_count; o++) {
			if (what->owners[o].node == owner)
				tree_resource(t, r, &what->owners[o], depth);
		}
	}
}

/* False: there is nobody to show. */
static bool blocked_graph(const struct wait_graph *g, struct doc *doc)
{
	static const struct column columns[] = {
		{ .key = "pid" },     { .key = "comm" },  { .key = "victims" },
		{ .key = "cycle" },   { .key = "waits_for" },
	};
	struct tree t = { .graph = g, .doc = doc, .shown = xcalloc(g->node_count + 1, 1) };

	doc_table(doc, "roots", columns, array_size(columns));
	doc_bare(doc);
	bool any = false;
	for (;; any = true) {
		size_t best = SIZE_MAX;
		for (size_t i = 0; i < g->node_count; i++) {
			const struct wait_node *n = &g->nodes[i];
			/* A root waits for nobody; of a ring the first member stands for it. */
			bool root = n->victims && !t.shown[i] &&
				    (n->cycle || n->resource == SIZE_MAX ||
				     !g->resources[n->resource].owner_count);
			if (root && (best == SIZE_MAX || n->victims > g->nodes[best].victims))
				best = i;
		}
		if (best == SIZE_MAX)
			break;
		const struct wait_node *n = &g->nodes[best];
		t.shown[best] = true;
		doc_row(doc, pid_cell(n->task), cell_str(n->task->comm), cell_udec(n->victims),
			n->cycle ? cell_udec(n->cycle) : cell_none(), cell_str(wait_words(g, n)));
		doc_row_hide(doc);
		doc_textf(doc, STYLE_STRONG, "%s holds up %u task%s%s%s%s",
			  task_words(n, &doc->arena), n->victims, n->victims == 1 ? "" : "s",
			  n->cycle ? " (in a ring with them)" : "",
			  n->wait.kind == WAIT_NOTHING ? "; it runs or can run"
			  : n->wait.kind == WAIT_OTHER && n->wait.function
				  ? "; it sleeps itself, in "
				  : "; it waits itself for: ",
			  n->wait.kind == WAIT_NOTHING ? ""
			  : n->wait.kind == WAIT_OTHER && n->wait.function
				  ? n->wait.function
				  : wait_words(g, n));
		tree_waiters(&t, best, 1);
	}
	doc_end(doc);
	free(t.shown);
	return any;
}

/* Who is not known to wait may wait. */
static void remark_unknown_states(const struct wait_graph *g, struct command_args *args)
{
	size_t unknown = 0;

	for (size_t i = 0; i < g->node_count && !args->session->text; i++)
		unknown += !g->nodes[i].task->has_state && !wait_node_blocked(&g->nodes[i]);
	if (unknown)
		doc_remark(args->doc, REMARK_HOLE, "of %zu task%s it is not known whether they wait: "
			   "their state is not in the dump", unknown, unknown == 1 ? "" : "s");
}

static struct error *run_blocked(struct command_args *args)
{
	struct options o;
	struct error *error = options_parse(args, blocked_options, array_size(blocked_options), &o);

	if (error)
		return error;
	const struct wait_graph *g = wait_graph(args->session);
	remark_unknown_states(g, args);
	if (o.set[OPT_GRAPH]) {
		if (!blocked_graph(g, args->doc))
			doc_remark(args->doc, REMARK_NOTE, "nobody is known to hold up others");
		return NULL;
	}
	size_t *chosen = xcalloc(g->node_count + 1, sizeof(*chosen));
	size_t count = choose(g, o.set[OPT_ALL], &o, chosen, args->session, &error);
	if (!error) {
		qsort_r(chosen, count, sizeof(*chosen), compare_waits, &g);
		blocked_table(args->session, g, chosen, count, args->doc);
		if (!count)
			doc_remark(args->doc, REMARK_NOTE, "no such task is blocked%s",
				   o.set[OPT_ALL] ? "" : "; those that rest are in `blocked -a`");
	}
	free(chosen);
	return error;
}

/* --- locks --- */

enum { IN_LINE_MAX = 256, IN_LINE_SHOWN = 4 };

/* The pids of those in line; in text the names of the first few. */
static struct cell line_cell(const struct wait_graph *g, size_t resource, struct arena *arena)
{
	size_t nodes[IN_LINE_MAX], count = wait_line_of(g, resource, nodes, IN_LINE_MAX);
	struct cell *cells = arena_zalloc(arena, (count + 1) * sizeof(*cells));
	struct cell_list *list = arena_zalloc(arena, sizeof(*list));
	auto_strbuf text = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct task *task = g->nodes[nodes[i]].task;
		cells[i] = pid_cell(task);
		if (i < IN_LINE_SHOWN)
			strbuf_addf(&text, "%s%.*s", i ? ", " : "", (int)sizeof(task->comm),
				    task->comm);
	}
	if (count > IN_LINE_SHOWN)
		strbuf_add(&text, " ...");
	*list = (struct cell_list){ .cells = cells, .count = count };
	return cell_shown(cell_of_list(list), arena_strdup(arena, strbuf_text(&text)));
}

static void locks_row(const struct wait_graph *g, size_t resource, struct doc *doc)
{
	const struct resource *r = &g->resources[resource];
	auto_strbuf owners = { 0 };

	for (unsigned i = 0; i < r->owner_count; i++)
		strbuf_addf(&owners, "%s%s (%s)", i ? "; " : "",
			    owner_words(g, &r->owners[i], &doc->arena), r->owners[i].why);
	const char *held = !r->state_known ? NULL
			   : !r->state.held   ? "free"
			   : r->state.shared  ? "read"
					      : "held";
	const char *gone = gone_words(r, &doc->arena);
	doc_row(doc, r->object ? cell_address(r->object) : cell_none(),
		cell_str(r->kind == WAIT_LOCK ? lock_kind_name(r->lock_kind)
					      : wait_kind_name(r->kind)),
		cell_str(held), cell_udec(r->waiter_count), line_cell(g, resource, &doc->arena),
		r->state_known && r->state.readers ? cell_udec(r->state.readers) : cell_none(),
		cell_str(r->name),
		r->owner_count ? pid_cell(g->nodes[r->owners[0].node].task) : cell_none(),
		r->owner_count ? cell_str(owner_how_name(r->owners[0].how)) : cell_none(),
		cell_str(owners.len ? strbuf_text(&owners)
			 : gone     ? gone
				    : "nobody is known"));
}

/* Of those who wait for it, and not just idle threads. */
static bool anybody_blocked(const struct wait_graph *g, size_t resource)
{
	for (size_t i = 0; i < g->node_count; i++) {
		if (g->nodes[i].resource == resource && wait_node_blocked(&g->nodes[i]))
			return true;
	}
	return false;
}

static struct error *run_locks(struct command_args *args)
{
	static const struct column columns[] = {
		{ .key = "object" },
		{ .key = "kind" },
		{ .key = "state", .title = "STATE" },
		{ .key = "waiters", .title = "WAITERS", .right = true },
		{ .key = "line", .title = "IN LINE" },
		{ .key = "readers" },
		{ .key = "name", .title = "WHAT", .style = STYLE_STRONG },
		{ .key = "owner_pid" },
		{ .key = "owner_how" },
		{ .key = "owners", .title = "WHO HAS IT" },
	};
	struct options o;
	struct error *error = options_parse(args, NULL, 0, &o);

	if (error)
		return error;
	if (o.word_count)
		return error_new(ERROR_USAGE, "locks takes no arguments");
	const struct wait_graph *g = wait_graph(args->session);
	remark_unknown_states(g, args);
	doc_table(args->doc, "locks", columns, array_size(columns));
	size_t shown = 0;
	for (size_t i = 0; i < g->resource_count; i++) {
		if ((g->resources[i].kind == WAIT_FUTEX && !g->resources[i].owner_count) ||
		    wait_rests(g->resources[i].kind) ||
		    (g->resources[i].kind == WAIT_QUEUE && !anybody_blocked(g, i)))
			continue;
		locks_row(g, i, args->doc);
		shown++;
	}
	doc_end(args->doc);
	if (!shown)
		doc_remark(args->doc, REMARK_NOTE, "nobody is known to wait for a lock");
	return NULL;
}

/* --- deadlock --- */

static void show_cycle(const struct wait_graph *g, const struct wait_cycle *c, size_t number,
		       struct doc *doc)
{
	static const struct column columns[] = {
		{ .key = "pid" },
		{ .key = "comm" },
		{ .key = "waits_for" },
		{ .key = "object" },
		{ .key = "function" },
		{ .key = "owner_pid" },
		{ .key = "owner_how" },
	};

	doc_record(doc, NULL, NULL);
	doc_heading(doc, "RING %zu: %zu task%s, %s", number, c->count, c->count == 1 ? "" : "s",
		    c->sure ? "certain" : "likely");
	doc_field(doc, "sure", NULL, cell_bool(c->sure));
	doc_table(doc, "members", columns, array_size(columns));
	doc_bare(doc);
	for (size_t i = 0; i < c->count; i++) {
		const struct wait_node *n = &g->nodes[c->nodes[i]];
		const struct wait_node *next = &g->nodes[c->nodes[(i + 1) % c->count]];
		const struct resource *r = resource_of(g, n);
		const struct owner *owner = NULL;
		for (unsigned k = 0; r && k < r->owner_count; k++) {
			if (r->owners[k].node == c->nodes[(i + 1) % c->count])
				owner = &r->owners[k];
		}
		doc_row(doc, pid_cell(n->task), cell_str(n->task->comm),
			cell_str(wait_words(g, n)), cell_address(n->wait.object),
			cell_str(n->wait.function),
			pid_cell(next->task),
			cell_str(owner ? owner_how_name(owner->how) : NULL));
		doc_row_hide(doc);
		doc_textf(doc, STYLE_PLAIN, "  %s waits in %s for", task_words(n, &doc->arena),
			  n->wait.function ? n->wait.function : "?");
		doc_textf(doc, STYLE_STRONG, "      %s,", wait_words(g, n));
		doc_textf(doc, STYLE_PLAIN, "      which %s has: %s",
			  next == n ? "it itself" : task_words(next, &doc->arena),
			  owner ? owner->why : "?");
	}
	doc_end(doc);
	doc_end(doc);
}

static struct error *run_deadlock(struct command_args *args)
{
	struct options o;
	struct error *error = options_parse(args, NULL, 0, &o);

	if (error)
		return error;
	const struct wait_graph *g = wait_graph(args->session);
	remark_unknown_states(g, args);
	doc_array(args->doc, "rings", NULL);
	for (size_t i = 0; i < g->cycle_count; i++)
		show_cycle(g, &g->cycles[i], i + 1, args->doc);
	doc_end(args->doc);
	if (!g->cycle_count)
		doc_remark(args->doc, REMARK_NOTE, "no tasks are known to wait for each other in a "
			   "ring");
	return NULL;
}

const struct command command_blocked = {
	.name = "blocked",
	.usage = "[-a] [-g] [PID|TASK ...]",
	.summary = "tasks that wait, for what, and who has it",
	.help = "The longest wait comes first. What a task waits for follows from the functions on its\n"
		"stack and their arguments; who has it from the lock itself, or, for locks that keep no\n"
		"owner, from the code of those who took it (then \"likely\"; \"perhaps\": a trace that may be\n"
		"stale). LINE: the task's place among those that wait for the same, where its list or the\n"
		"lock's queue tells it.\n"
		"  -g        as trees: who holds up whom, the one that holds up most first\n"
		"  -a        also tasks that only wait for events (poll, sleep, pipes ...); of pipes and Unix\n"
		"            sockets WHICH HAS says who has the other end\n"
		"Examples: blocked | blocked -g | blocked 1234",
	.run = run_blocked,
};

const struct command command_locks = {
	.name = "locks",
	.usage = "",
	.summary = "locks and other things that somebody waits for, and who has them",
	.help = "STATE is what the lock's own memory says: held, read (by readers), free. IN LINE: who waits,\n"
		"the first in line first, by the lock's list of waiters; of spinning locks by their queue.\n"
		"Examples: locks",
	.run = run_locks,
};

const struct command command_deadlock = {
	.name = "deadlock",
	.usage = "",
	.summary = "tasks that wait for each other in a ring",
	.help = "\"certain\": every lock in the ring names its owner itself, or the owner's code leaves no\n"
		"doubt.\n"
		"Examples: deadlock",
	.run = run_deadlock,
};
