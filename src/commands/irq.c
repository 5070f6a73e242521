// SPDX-License-Identifier: LGPL-2.1-or-later
/* irq: interrupt lines with their handlers, affinity and counts; softirqs; the IDT. */
#include "kernel/irqs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/show.h"
#include "commands/table.h"
#include "kernel/cpus.h"

enum { OPT_IDT, OPT_USED, OPT_SOFTIRQS, OPT_AFFINITY, OPT_STATS, OPT_CPUS };

static const struct option irq_option_table[] = {
	[OPT_IDT] = { "d", false },      [OPT_USED] = { "u", false },
	[OPT_SOFTIRQS] = { "b", false }, [OPT_AFFINITY] = { "a", false },
	[OPT_STATS] = { "s", false },    [OPT_CPUS] = { "c", true },
};

static const struct column irq_columns[] = {
	{ .key = "irq", .title = "IRQ", .right = true },
	{ .key = "desc", .title = "IRQ_DESC" },
	{ .key = "action", .title = "IRQACTION" },
	{ .key = "name", .title = "NAME", .style = STYLE_STRONG },
	{ .key = "handler", .title = "HANDLER" },
	{ .key = "chip", .title = "CHIP" },
	{ .key = "flow", .title = "FLOW" },
	{ .key = "disabled" },
	{ .key = "count" },
	{ .key = "thread_function" },
};

static const struct column affinity_columns[] = {
	{ .key = "irq", .title = "IRQ", .right = true },
	{ .key = "name", .title = "NAME", .style = STYLE_STRONG },
	{ .key = "affinity", .title = "AFFINITY" },
};

struct irq_run {
	struct command_args *args;
	struct options options;
	bool cpus[CPU_LIST_MAX];    /* with -c */
	size_t shown, incomplete;
	const struct irq_line *line;
	size_t handlers;
	struct strbuf names;        /* of the line's handlers */
	const struct column *columns; /* of -s */
	size_t column_count;
};

static void symbol_text(struct session *s, uint64_t address, char *buf, size_t size)
{
	address_name(s, address, buf, size);
	if (!buf[0])
		snprintf(buf, size, "%" PRIx64, address);
}

static struct cell text_or_none(const char *text)
{
	return text[0] ? cell_str(text) : cell_none();
}

/* Of a number of the line's: which of them were not read is not kept. */
static struct cell read_cell(const struct irq_line *line, struct cell cell)
{
	return line->incomplete ? cell_none() : cell;
}

/* The handler that every line has whose work is a thread's: all of them with PREEMPT_RT. */
static const char primary_handler[] = "irq_default_primary_handler";

static void handler_words(const char *handler, const char *threaded, char *buf, size_t size)
{
	if (!*threaded)
		snprintf(buf, size, "%s", handler);
	else if (strcmp(handler, primary_handler) == 0)
		snprintf(buf, size, "%s, in a thread", threaded);
	else
		snprintf(buf, size, "%s, then %s in a thread", handler, threaded);
}

static void add_handler(void *ctx, const struct irq_handler *h)
{
	struct irq_run *run = ctx;
	const struct irq_line *line = run->line;
	char handler[256], threaded[256] = "", shown[600];
	bool first = !run->handlers++;

	symbol_text(run->args->session, h->handler, handler, sizeof(handler));
	if (h->thread_function)
		symbol_text(run->args->session, h->thread_function, threaded, sizeof(threaded));
	handler_words(handler, threaded, shown, sizeof(shown));
	doc_row(run->args->doc, first ? cell_dec(line->irq) : cell_shown(cell_dec(line->irq), ""),
		first ? cell_address(line->desc) : cell_shown(cell_address(line->desc), ""),
		cell_address(h->action), text_or_none(h->name),
		cell_shown(cell_str(handler), shown),
		text_or_none(line->chip), text_or_none(line->flow),
		read_cell(line, cell_bool(line->depth != 0)),
		read_cell(line, cell_udec(line->total)), text_or_none(threaded));
}

static bool is_wanted(const struct irq_run *run, const struct irq_line *line)
{
	bool named = !run->options.word_count;

	for (int i = 0; i < run->options.word_count && !named; i++)
		number_list(run->options.words[i], line->irq, &named);
	if (!named)
		return false;
	return line->action || line->incomplete || !run->options.set[OPT_USED];
}

static bool add_line(void *ctx, const struct irq_line *line)
{
	struct irq_run *run = ctx;

	if (!is_wanted(run, line))
		return true;
	run->shown++;
	run->line = line;
	run->handlers = 0;
	if (!irq_handlers_each(run->args->session, line, add_handler, run) || line->incomplete)
		run->incomplete++;
	if (!run->handlers)
		doc_row(run->args->doc, cell_dec(line->irq), cell_address(line->desc),
			line->action || line->incomplete ? cell_none()
							 : cell_shown(cell_none(), "(unused)"),
			cell_shown(cell_none(), ""), cell_shown(cell_none(), ""),
			text_or_none(line->chip), text_or_none(line->flow),
			read_cell(line, cell_bool(line->depth != 0)),
			read_cell(line, cell_udec(line->total)), cell_none());
	return true;
}

static void add_name(void *ctx, const struct irq_handler *h)
{
	struct irq_run *run = ctx;

	strbuf_addf(&run->names, "%s%s", run->names.len ? ", " : "", h->name[0] ? h->name : "?");
}

/* False: they, or something of the line, were not read. */
static bool collect_names(struct irq_run *run, const struct irq_line *line)
{
	strbuf_clear(&run->names);
	return irq_handlers_each(run->args->session, line, add_name, run) && !line->incomplete;
}

static bool add_affinity(void *ctx, const struct irq_line *line)
{
	struct irq_run *run = ctx;
	struct cpu_mask mask;
	auto_strbuf text = { 0 };

	if ((!line->action && !line->incomplete) || !is_wanted(run, line))
		return true;
	run->shown++;
	bool whole = collect_names(run, line);
	irq_affinity(run->args->session, line, &mask);
	cpu_mask_text(&mask, &text);
	doc_row(run->args->doc, cell_dec(line->irq), text_or_none(strbuf_text(&run->names)),
		mask.known ? cell_str(strbuf_text(&text)) : cell_none());
	run->incomplete += !whole || !mask.known;
	return true;
}

/* --- -s: a column for each CPU, as /proc/interrupts has. --- */

static bool add_stats(void *ctx, const struct irq_line *line)
{
	struct irq_run *run = ctx;
	struct session *s = run->args->session;
	struct cell *cells;
	size_t count, n = 0;
	const struct cpu *all = cpus(s, &count);

	if ((!line->action && !line->incomplete) || !is_wanted(run, line))
		return true;
	run->shown++;
	bool whole = collect_names(run, line);
	cells = arena_zalloc(&run->args->doc->arena, run->column_count * sizeof(*cells));
	cells[n++] = cell_dec(line->irq);
	for (size_t i = 0; i < count; i++) {
		uint64_t value;
		if (!run->cpus[all[i].id])
			continue;
		bool known = irq_count(s, line, all[i].id, &value);
		whole &= known;
		cells[n++] = known ? cell_udec(value) : cell_none();
	}
	cells[n++] = text_or_none(line->chip);
	cells[n++] = read_cell(line, cell_udec(line->hwirq));
	cells[n++] = text_or_none(line->flow);
	cells[n++] = text_or_none(strbuf_text(&run->names));
	doc_row_array(run->args->doc, cells);
	run->incomplete += !whole;
	return true;
}

static struct error *wanted_cpus(struct irq_run *run)
{
	size_t count;
	const struct cpu *all = cpus(run->args->session, &count);

	if (run->options.set[OPT_CPUS])
		return parse_cpu_list(run->options.value[OPT_CPUS], run->cpus);
	for (size_t i = 0; i < count; i++)
		run->cpus[all[i].id] = all[i].online;
	return NULL;
}

static struct error *stats_columns(struct irq_run *run)
{
	struct arena *arena = &run->args->doc->arena;
	size_t count, n = 0;
	const struct cpu *all = cpus(run->args->session, &count);

	struct error *err = wanted_cpus(run);
	if (err)
		return err;
	struct column *columns = arena_zalloc(arena, (count + 5) * sizeof(*columns));
	columns[n++] = (struct column){ .key = "irq", .title = "IRQ", .right = true };
	for (size_t i = 0; i < count; i++) {
		if (!run->cpus[all[i].id])
			continue;
		columns[n++] = (struct column){
			.key = arena_printf(arena, "cpu%u", all[i].id),
			.title = arena_printf(arena, "CPU%u", all[i].id), .right = true,
		};
	}
	if (n == 1)
		return error_new(ERROR_NOT_FOUND, "there are no such CPUs: %s",
				 run->options.set[OPT_CPUS] ? run->options.value[OPT_CPUS] : "none");
	columns[n++] = (struct column){ .key = "chip", .title = "CHIP" };
	columns[n++] = (struct column){ .key = "hwirq", .title = "HWIRQ", .right = true };
	columns[n++] = (struct column){ .key = "flow", .title = "FLOW" };
	columns[n++] = (struct column){ .key = "name", .title = "NAME", .style = STYLE_STRONG };
	run->columns = columns;
	run->column_count = n;
	return NULL;
}

/* --- -b and -d --- */

static const struct column softirq_columns[] = {
	{ .key = "number", .title = "NR", .right = true },
	{ .key = "name", .title = "SOFTIRQ", .style = STYLE_STRONG },
	{ .key = "vector", .title = "SOFTIRQ_VEC" },
	{ .key = "action", .title = "ACTION" },
	{ .key = "symbol", .title = "" },
	{ .key = "count", .title = "COUNT", .right = true },
};

static struct error *show_softirqs(struct irq_run *run)
{
	struct session *s = run->args->session;
	struct doc *doc = run->args->doc;
	struct softirq vec;
	size_t count, unknown = 0;
	const struct cpu *all = cpus(s, &count);
	unsigned n;

	doc_table(doc, "softirqs", softirq_columns, array_size(softirq_columns));
	for (n = 0; softirq(s, n, &vec); n++) {
		uint64_t total = 0, one;
		bool counted = count != 0;
		char name[256] = "";
		for (size_t i = 0; i < count; i++) {
			counted &= softirq_count(s, n, all[i].id, &one);
			total += one;
		}
		if (vec.action)
			symbol_text(s, vec.action, name, sizeof(name));
		unknown += !vec.known || !counted || !vec.name[0];
		doc_row(doc, cell_udec(n), text_or_none(vec.name), cell_address(vec.vector),
			vec.known ? cell_address(vec.action) : cell_none(), cell_str(name),
			counted ? cell_udec(total) : cell_none());
	}
	doc_end(doc);
	if (!n)
		doc_remark(doc, REMARK_HOLE, "the softirqs (softirq_vec) are not in the dump");
	if (unknown)
		doc_remark(doc, REMARK_HOLE, "%zu softirqs are only partly in the dump", unknown);
	return NULL;
}

static const struct column idt_columns[] = {
	{ .key = "vector", .title = "NR", .right = true },
	{ .key = "address", .title = "ADDRESS" },
	{ .key = "symbol", .title = "SYMBOL", .style = STYLE_STRONG },
};

static struct error *show_idt(struct irq_run *run)
{
	struct doc *doc = run->args->doc;
	size_t missing = 0;
	char name[256];

	doc_table(doc, "idt", idt_columns, array_size(idt_columns));
	for (unsigned i = 0; i < IDT_ENTRIES; i++) {
		uint64_t address;
		bool known = idt_entry(run->args->session, i, &address);
		missing += !known;
		if (known)
			symbol_text(run->args->session, address, name, sizeof(name));
		doc_row(doc, cell_udec(i), known ? cell_address(address) : cell_none(),
			known ? cell_str(address ? name : "(unused)") : cell_none());
	}
	doc_end(doc);
	if (missing)
		doc_remark(doc, REMARK_HOLE, "%zu entries of the interrupt descriptor table "
			   "(idt_table) are not in the dump", missing);
	return NULL;
}

/* --- The command --- */

static struct error *check_words(const struct irq_run *run)
{
	bool has;

	for (int i = 0; i < run->options.word_count; i++) {
		if (!number_list(run->options.words[i], UINT64_MAX, &has))
			return error_new(ERROR_USAGE, "no number of an interrupt line: %s",
					 run->options.words[i]);
	}
	return NULL;
}

static struct error *show_lines(struct irq_run *run)
{
	struct doc *doc = run->args->doc;
	struct walk_trouble trouble = { .count = 0 };
	bool stats = run->options.set[OPT_STATS], affinity = run->options.set[OPT_AFFINITY];
	struct error *err = stats ? stats_columns(run) : NULL;

	if (err)
		return err;
	if (stats)
		doc_table(doc, "stats", run->columns, run->column_count);
	else if (affinity)
		doc_table(doc, "affinity", affinity_columns, array_size(affinity_columns));
	else
		doc_table(doc, "irqs", irq_columns, array_size(irq_columns));
	irqs_each(run->args->session, &trouble,
		  stats ? add_stats : affinity ? add_affinity : add_line, run);
	doc_end(doc);
	strbuf_deinit(&run->names);
	show_trouble(doc, &trouble, "interrupt lines");
	if (run->incomplete)
		doc_remark(doc, REMARK_HOLE, "what is known of %zu interrupt lines is not wholly in "
			   "the dump", run->incomplete);
	if (run->options.word_count && !run->shown && !trouble.count)
		return error_new(ERROR_NOT_FOUND, "no such interrupt line is in use: %s",
				 run->options.words[0]);
	return NULL;
}

static struct error *run_irq(struct command_args *args)
{
	struct irq_run *run = arena_zalloc(&args->doc->arena, sizeof(*run));

	run->args = args;
	struct error *err = options_parse(args, irq_option_table, array_size(irq_option_table),
					  &run->options);
	if (!err && run->options.set[OPT_CPUS] && !run->options.set[OPT_STATS])
		err = error_new(ERROR_USAGE, "-c goes with -s");
	if (err)
		return err;
	if (run->options.set[OPT_IDT])
		return show_idt(run);
	if (run->options.set[OPT_SOFTIRQS])
		return show_softirqs(run);
	err = check_words(run);
	return err ? err : show_lines(run);
}

const struct command command_irq = {
	.name = "irq",
	.usage = "[-u] [-a] [-s [-c CPUS]] [IRQ ...] | -b | -d",
	.summary = "interrupt lines, softirqs, the interrupt descriptor table",
	.help = "Every interrupt line: its irq_desc, who handles it, the chip it comes from and how it is\n"
		"handled. Numbers may be lists: 4,24-26.\n"
		"  -u       only lines that somebody handles\n"
		"  -a       to which CPUs they may be delivered\n"
		"  -s       how often they came on each CPU; -c CPUS  on these (0,2-3 or a)\n"
		"  -b       softirqs, and how often each ran\n"
		"  -d       the interrupt descriptor table\n"
		"Examples: irq | irq -u | irq -s -c 0 | irq -b | irq -d",
	.run = run_irq,
};
