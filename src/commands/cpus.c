// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * cpus: a picture of each CPU (forensics/cpu_picture.h). JSON has a row for each; in text those
 * with the same story share one, and what differs from all others comes first.
 */
#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/show.h"
#include "commands/table.h"
#include "commands/task_text.h"
#include "forensics/cpu_picture.h"
#include "forensics/wait_lines.h"

enum { NS_PER_MS = 1000 * 1000, LAG_SHOWN_MS = 100, CPUS_LISTED = 16 };

static const char *task_words(const struct task *task, struct arena *arena)
{
	if (!task)
		return "not known";
	if (task->road == ROAD_IDLE)
		return "idle";
	return arena_printf(arena, "%s (pid %s)", task_comm(arena, task),
			    task_pid_text(arena, task));
}

static const char *list_cpus(const struct cpu_picture *group, size_t count, struct arena *arena)
{
	auto_strbuf text = { 0 };

	for (size_t i = 0; i < count && i < CPUS_LISTED; i++)
		strbuf_addf(&text, "%s%u", i ? ", " : "", group[i].cpu->id);
	if (count > CPUS_LISTED)
		strbuf_addf(&text, " and %zu more", count - CPUS_LISTED);
	return arena_strdup(arena, strbuf_text(&text));
}

static const char *interrupts_word(enum cpu_interrupts interrupts)
{
	return interrupts == INTERRUPTS_ON ? "on" : interrupts == INTERRUPTS_OFF ? "off" : NULL;
}

static const struct resource *resource_of(const struct wait_graph *g, const struct cpu_picture *p)
{
	return p->node && p->node->resource != SIZE_MAX ? &g->resources[p->node->resource] : NULL;
}

static const char *wait_words(const struct wait_graph *g, const struct cpu_picture *p)
{
	const struct resource *r = resource_of(g, p);

	if (!p->node || !wait_node_blocked(p->node))
		return NULL;
	if (r)
		return r->name;
	return p->node->wait.kind == WAIT_LOCK ? lock_kind_name(p->node->wait.lock_kind)
					       : wait_kind_name(p->node->wait.kind);
}

static struct cell layers_cell(const struct cpu_picture *p, struct arena *arena)
{
	struct cell *cells = arena_zalloc(arena, CPU_LAYERS_MAX * sizeof(*cells));
	struct cell_list *list = arena_zalloc(arena, sizeof(*list));

	for (unsigned i = 0; i < p->layer_count; i++)
		cells[i] = cell_str(arena_printf(arena, "%s: %s",
						 p->layers[i].stack ? p->layers[i].stack : "?",
						 p->layers[i].names));
	*list = (struct cell_list){ .cells = cells, .count = p->layer_count };
	return cell_of_list(list);
}

static void add_row(const struct wait_graph *g, const struct cpu_picture *p, struct doc *doc)
{
	const struct resource *r = resource_of(g, p);
	bool owned = r && r->owner_count;

	doc_row(doc, cell_udec(p->cpu->id), p->task ? pid_cell(p->task) : cell_none(),
		p->task ? cell_str(arena_printf(&doc->arena, "%.*s", (int)sizeof(p->task->comm),
						p->task->comm)) : cell_none(),
		p->task ? cell_address(p->task->address) : cell_none(),
		cell_udec(p->story), layers_cell(p, &doc->arena),
		cell_str(interrupts_word(p->interrupts)),
		p->has_preempt_count ? cell_hex(p->preempt_count) : cell_none(),
		p->has_preempt_count ? cell_str(p->context) : cell_none(),
		p->has_running ? cell_udec(p->running) : cell_none(),
		p->has_unscheduled ? cell_udec(p->unscheduled_s) : cell_none(),
		p->has_lag ? cell_udec(p->lag_ns) : cell_none(),
		cell_str(wait_words(g, p)), r && r->object ? cell_address(r->object) : cell_none(),
		owned ? pid_cell(g->nodes[r->owners[0].node].task) : cell_none(),
		p->node ? cell_udec(p->node->victims) : cell_none(),
		p->node && p->node->place ? cell_udec(p->node->place) : cell_none());
	doc_row_hide(doc);
}

/* The state of the first of a group, as far as it is worth a line. */
static void say_state(const struct cpu_picture *p, struct doc *doc)
{
	auto_strbuf text = { 0 };
	const char *interrupts = interrupts_word(p->interrupts);

	if (interrupts)
		strbuf_addf(&text, "interrupts %s", interrupts);
	if (*p->context)
		strbuf_addf(&text, "%sat the end %s", text.len ? "; " : "", p->context);
	if (p->has_running && p->running > 1)
		strbuf_addf(&text, "%s%" PRIu64 " tasks want to run", text.len ? "; " : "", p->running);
	if (p->watchdog_late)
		strbuf_addf(&text, "%sno other thread got it for about %" PRIu64 " s",
			    text.len ? "; " : "", p->unscheduled_s);
	if (p->has_lag && p->lag_ns >= (uint64_t)LAG_SHOWN_MS * NS_PER_MS)
		strbuf_addf(&text, "%sits clock stopped %" PRIu64 " ms before the newest one",
			    text.len ? "; " : "", p->lag_ns / NS_PER_MS);
	if (text.len)
		doc_textf(doc, STYLE_PLAIN, "    %s", strbuf_text(&text));
}

static void say_wait(const struct wait_graph *g, const struct cpu_picture *p, struct doc *doc)
{
	const struct resource *r = resource_of(g, p);
	const char *wait = wait_words(g, p);

	if (wait)
		doc_textf(doc, STYLE_STRONG, "    waits for %s%s%s", wait,
			  r && r->owner_count ? ", with " : "",
			  r && r->owner_count
				  ? task_words(g->nodes[r->owners[0].node].task, &doc->arena) : "");
	if (p->node && p->node->victims && p->task->road != ROAD_IDLE)
		doc_textf(doc, STYLE_STRONG, "    holds up %u task%s", p->node->victims,
			  p->node->victims == 1 ? "" : "s");
}

/* In which order those that wait for the same as the first of a group will get it. */
static void say_line(const struct wait_graph *g, const struct cpu_picture *p, struct doc *doc)
{
	size_t nodes[CPUS_LISTED + 1], count = 0;
	auto_strbuf text = { 0 };

	if (p->node && p->node->resource != SIZE_MAX)
		count = wait_line_of(g, p->node->resource, nodes, CPUS_LISTED + 1);
	if (count < 2)
		return;
	for (size_t i = 0; i < count && i < CPUS_LISTED; i++)
		strbuf_addf(&text, "%s%d", i ? ", " : "", g->nodes[nodes[i]].task->cpu);
	doc_textf(doc, STYLE_PLAIN, "    in line for it: CPUs %s%s", strbuf_text(&text),
		  count > CPUS_LISTED ? " ..." : "");
}

static void say_group(const struct wait_graph *g, const struct cpu_picture *group, size_t count,
		      struct doc *doc)
{
	const struct cpu_picture *first = &group[0];

	doc_textf(doc, STYLE_STRONG, "CPU%s %s: %s%s", count == 1 ? "" : "s",
		  list_cpus(group, count, &doc->arena), task_words(first->task, &doc->arena),
		  count > 1 && first->task && first->task->road != ROAD_IDLE ? " and others alike" : "");
	say_state(first, doc);
	for (unsigned i = 0; i < first->layer_count; i++)
		doc_textf(doc, STYLE_PLAIN, "    %-6s %s",
			  first->layers[i].stack ? first->layers[i].stack : "?",
			  first->layers[i].names);
	say_wait(g, first, doc);
	say_line(g, first, doc);
}

static struct error *run_cpus(struct command_args *args)
{
	static const struct column columns[] = {
		{ .key = "cpu" },       { .key = "pid" },         { .key = "comm" },
		{ .key = "task" },      { .key = "story" },       { .key = "layers" },
		{ .key = "interrupts" }, { .key = "preempt_count" }, { .key = "context" },
		{ .key = "running" },   { .key = "unscheduled_s" }, { .key = "lag_ns" },
		{ .key = "waits_for" }, { .key = "object" },      { .key = "owner_pid" },
		{ .key = "victims" },   { .key = "place" },
	};
	struct cpu_pictures pictures;
	struct options o;
	struct error *error = options_parse(args, NULL, 0, &o);

	if (error)
		return error;
	if (o.word_count)
		return error_new(ERROR_USAGE, "cpus takes no arguments");
	cpu_pictures_make(args->session, &pictures);
	const struct wait_graph *g = wait_graph(args->session);
	doc_table(args->doc, "cpus", columns, array_size(columns));
	doc_bare(args->doc);
	for (size_t i = 0; i < pictures.count; i++) {
		size_t count = 1;
		while (i + count < pictures.count &&
		       pictures.cpus[i + count].story == pictures.cpus[i].story)
			count++;
		if (!i || pictures.cpus[i - 1].story != pictures.cpus[i].story)
			say_group(g, &pictures.cpus[i], count, args->doc);
		add_row(g, &pictures.cpus[i], args->doc);
	}
	doc_end(args->doc);
	if (!pictures.count)
		doc_remark(args->doc, REMARK_NOTE, "no CPUs are known");
	cpu_pictures_deinit(&pictures);
	return NULL;
}

const struct command command_cpus = {
	.name = "cpus",
	.usage = "",
	.summary = "what each CPU was doing, on each of its stacks; the odd one out first",
	.help = "CPUs with the same story are told once, idle ones last. Of each stack (nmi, irq, task) the\n"
		"innermost functions; interrupts as they were where the last interrupt caught the CPU; what\n"
		"the preemption count said at the end, with what the crash added; what it spins for, and\n"
		"who has that.\n"
		"Examples: cpus",
	.run = run_cpus,
};
