// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * report: the diagnosis, the answer first. From top to bottom: what was dumped, what happened and
 * how sure that is, the evidence with the command that shows each piece, the registers at the
 * fault, the stack with arguments, the machine, the log's alarming lines, and what the dump lacks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/bt.h"
#include "commands/source.h"
#include "commands/sys.h"
#include "commands/table.h"
#include "diagnosis/diagnosis.h"

/* --- What was dumped. --- */

static void head_died(const struct facts *facts, struct doc *doc)
{
	auto_strbuf text = { 0 };
	const struct task *task = facts->task;
	size_t count;

	if (facts->system.realtime)
		sys_date_text(facts->system.realtime, &text);
	if (task)
		strbuf_addf(&text, "%s", text.len ? "; " : "");
	if (task && task_is_named(task))
		strbuf_addf(&text, "%.*s, pid %d, ", (int)sizeof(task->comm), task->comm,
			    task->pid);
	if (task)
		strbuf_addf(&text, "task %016" PRIx64 "%s", task->address,
			    task->on_cpu ? ", running" : "");
	if (task && facts->cpu >= 0)
		strbuf_addf(&text, ", CPU %d", facts->cpu);
	tasks(facts->session, &count);
	/* Without types only the running ones are known: their number would mislead. */
	if (count && (!task || task_is_named(task)))
		strbuf_addf(&text, "%s%zu tasks", text.len ? "; " : "", count);
	if (text.len)
		doc_field(doc, NULL, "died", cell_str(text.data));
}

static void head(const struct facts *facts, struct doc *doc)
{
	struct session *s = facts->session;
	const struct system_info *info = &facts->system;
	auto_strbuf text = { 0 };

	doc_record(doc, NULL, NULL);
	doc_plain(doc);
	doc_prose(doc);
	sys_dump_text(s, &text);
	doc_field_styled(doc, NULL, "dump", STYLE_PLAIN, cell_str(strbuf_text(&text)));
	strbuf_clear(&text);
	sys_machine_text(info, &text);
	doc_field(doc, NULL, "machine", cell_str(strbuf_text(&text)));
	head_died(facts, doc);
	doc_end(doc);
}

/* --- The machine, and what its dump was read with: for later. --- */

static void context(const struct facts *facts, struct doc *doc)
{
	struct session *s = facts->session;
	const struct system_info *info = &facts->system;
	auto_strbuf text = { 0 }, files = { 0 };

	doc_record(doc, NULL, NULL);
	doc_plain(doc);
	if (info->hardware[0])
		doc_field(doc, NULL, "hardware", cell_str(info->hardware));
	if (info->has_taint && info->taint) {
		auto_strbuf letters = { 0 }, words = { 0 };
		sys_taint_text(info->taint, &letters, &words);
		doc_field(doc, NULL, "tainted", cell_str(strbuf_text(&words)));
	}
	strbuf_addf(&text, "symbols: %s; types: %s; stacks: %s",
		    s->symbols ? symbols_source(s->symbols) : "none", types_source(s->types),
		    s->unwinder ? unwinder_source(s->unwinder) : "none");
	/* The files that the stack below needs: they are opened by asking. */
	for (size_t i = 0; i < facts->stack.count; i++)
		(void)debuginfo_of(s->debuginfo, facts->stack.frames[i].pc);
	source_files_text(s, &files);
	if (files.len && strcmp(files.data, "none") != 0)
		strbuf_addf(&text, "; lines: %s", files.data);
	doc_field(doc, NULL, "source", cell_str(strbuf_text(&text)));
	doc_end(doc);
}

/* --- The verdict. --- */

static const char *blame_text(const struct blame *blame, struct doc *doc)
{
	if (!blame->known)
		return NULL;
	if (!blame->module)
		return arena_printf(&doc->arena, "%s() of the kernel itself", blame->function);
	return arena_printf(&doc->arena, "%s() of module %s%s%s%s", blame->function, blame->module,
			    blame->out_of_tree ? ", out of tree" : "",
			    blame->proprietary ? ", proprietary" : "",
			    blame->unsigned_module ? ", unsigned" : "");
}

enum { LINE_WIDTH = 100, EVIDENCE_INDENT = 4, COMMAND_GAP = 2 };

/* How many bytes of @text make a line of @width, broken at a blank where there is one. */
static size_t line_length(const char *text, size_t width)
{
	size_t length = strlen(text);

	if (length <= width)
		return length;
	for (size_t n = width; n > width / 2; n--) {
		if (text[n] == ' ')
			return n;
	}
	return width;
}

/* A claim, with the command that shows it at the right of its last line. */
static void evidence_text(unsigned number, const struct evidence *e, struct doc *doc)
{
	const char *rest = e->text, *command = e->command ? e->command : "";
	size_t room = LINE_WIDTH - EVIDENCE_INDENT;
	size_t aside = *command ? strlen(command) + COMMAND_GAP : 0;
	char head[16];

	snprintf(head, sizeof(head), "%2u", number);
	for (bool first = true; *rest || first; first = false) {
		/* The last line, when it fits beside the command. */
		bool whole = strlen(rest) + aside <= room;
		size_t n = whole ? strlen(rest) : line_length(rest, room);
		int fill = whole && *command ? (int)(room - n - strlen(command)) : 0;
		doc_textf(doc, STYLE_PLAIN, "%-*s%.*s%*s%s", EVIDENCE_INDENT, first ? head : "",
			  (int)n, rest, fill, "", whole ? command : "");
		rest += n;
		while (*rest == ' ')
			rest++;
		if (!*rest && !whole && *command)
			doc_textf(doc, STYLE_PLAIN, "%*s", LINE_WIDTH, command);
	}
}

static void evidence(const struct finding *f, struct doc *doc)
{
	static const struct column columns[] = {
		{ .key = "claim" },
		{ .key = "command" },
		{ .key = "shows" },
	};

	doc_table(doc, "evidence", columns, array_size(columns));
	doc_bare(doc);
	if (f->evidence_count)
		doc_heading(doc, "EVIDENCE");
	for (unsigned i = 0; i < f->evidence_count; i++) {
		const struct evidence *e = &f->evidence[i];
		doc_row(doc, cell_str(e->text), cell_str(e->command), cell_str(e->shows));
		doc_row_hide(doc);
		evidence_text(i + 1, e, doc);
	}
	doc_end(doc);
}

/* A finding as data; the verdict's text is laid out by verdict() instead. */
static void finding_fields(const struct finding *f, struct doc *doc)
{
	doc_field(doc, "kind", NULL, cell_str(f->kind));
	doc_field(doc, "title", NULL, cell_str(f->title));
	doc_field(doc, "what", NULL, cell_str(f->what));
	doc_field(doc, "why", NULL, cell_str(f->why));
	doc_field(doc, "confidence", NULL, cell_str(confidence_name(f->confidence)));
	doc_field(doc, "against", NULL, cell_str(f->against));
	doc_field(doc, "next", NULL, cell_str(f->next));
	doc_field(doc, "function", NULL, cell_str(f->blame.known ? f->blame.function : NULL));
	doc_field(doc, "module", NULL, cell_str(f->blame.known ? f->blame.module : NULL));
	doc_field(doc, "origin_confidence", NULL, cell_str(f->origin_confidence));
	doc_field(doc, "because", NULL, cell_str(f->blame.known ? f->blame.because : NULL));
	doc_field(doc, "object", NULL, f->object ? cell_address(f->object) : cell_none());
	doc_field(doc, "out_of_tree", NULL,
		  f->blame.known ? cell_bool(f->blame.out_of_tree) : cell_none());
}

static void verdict(const struct finding *f, struct doc *doc)
{
	const char *who = blame_text(&f->blame, doc);

	doc_record(doc, NULL, NULL);
	doc_plain(doc);
	doc_prose(doc);
	doc_fieldf(doc, NULL, "WHAT", "%s: %s", f->title, f->what);
	doc_last_style(doc, STYLE_BAD);
	if (f->why)
		doc_field(doc, NULL, "WHY", cell_str(f->why));
	if (who && (f->blame.because || f->blame.skipped))
		doc_fieldf(doc, NULL, "WHO", "%s, likely%s%s%s%s%s", who,
			   f->blame.because ? ": " : "", f->blame.because ? f->blame.because : "",
			   f->blame.skipped ? " (" : "", f->blame.skipped ? f->blame.skipped : "",
			   f->blame.skipped ? " only tripped over it)" : "");
	else if (who)
		doc_field(doc, NULL, "WHO", cell_str(who));
	/* Said only where it is another. */
	const char *sure = confidence_name(f->confidence), *origin = f->origin_confidence;
	if (origin && strcmp(origin, sure) == 0)
		origin = NULL;
	doc_fieldf(doc, NULL, "SURE", "%s%s%s%s%s", sure,
		   origin ? "; where it came from: " : "", origin ? origin : "",
		   f->against ? "; open: " : "", f->against ? f->against : "");
	if (f->next)
		doc_field(doc, NULL, "NEXT", cell_str(f->next));
	doc_end(doc);
	doc_record(doc, "verdict", NULL);
	finding_fields(f, doc);
	evidence(f, doc);
	doc_end(doc);
}

static void other_findings(const struct diagnosis *d, struct doc *doc)
{
	doc_array(doc, "findings", NULL);
	doc_hidden(doc);
	for (size_t i = 0; i < d->finding_count; i++) {
		doc_record(doc, NULL, NULL);
		finding_fields(&d->findings[i], doc);
		evidence(&d->findings[i], doc);
		doc_end(doc);
	}
	doc_end(doc);
}

/* --- The fault. --- */

static void fault_section(const struct facts *facts, struct doc *doc)
{
	const struct fault_site *fault = &facts->fault;
	struct symbol sym;

	if (fault->trap == TRAP_NONE)
		return;
	auto_strbuf place = { 0 };
	struct source_line at;
	bool line = !fault->pc_is_wild &&
		    debuginfo_line(facts->session->debuginfo, fault->pc, &at);
	if (line)
		source_place(facts->session, fault->pc, &place);
	doc_record(doc, "fault", NULL);
	doc_heading(doc, "FAULT: %s at %s%s%s", trap_name(fault->trap),
		    facts_frame_text(facts, fault->frame), line ? ", " : "", strbuf_text(&place));
	doc_field(doc, "trap", NULL, cell_str(trap_name(fault->trap)));
	doc_field(doc, "pc", NULL, cell_hex(fault->pc));
	bool known = facts_frame_symbol(facts, fault->frame, &sym);
	doc_field(doc, "function", NULL, cell_str(known ? sym.name : NULL));
	doc_field(doc, "module", NULL, cell_str(known && sym.module ? sym.module->name : NULL));
	doc_field(doc, "file", NULL, cell_str(line ? at.file : NULL));
	doc_field(doc, "line", NULL, line ? cell_udec(at.line) : cell_none());
	doc_field(doc, "instruction", NULL, cell_str(fault->has_insn ? fault->insn_text : NULL));
	doc_field(doc, "address", NULL,
		  fault->has_address ? cell_hex(fault->address) : cell_none());
	doc_field(doc, "access", NULL, fault->access_known
		  ? cell_str(fault->execute ? "execute" : fault->write ? "write" : "read")
		  : cell_none());
	if (fault->has_insn && !fault->pc_is_wild)
		doc_textf(doc, STYLE_STRONG, "    %016" PRIx64 ":  %s", fault->pc,
			  fault->insn_text);
	bt_registers(facts->session, doc, "regs", fault->regs, 2);
	doc_end(doc);
}

/* Without a task there is no stack, but the notes may still say where the CPUs were. */
static void notes_section(const struct facts *facts, struct doc *doc)
{
	const struct dump_info *info = dump_info(facts->session->dump);
	char name[256];

	doc_array(doc, "cpu_notes", NULL);
	for (size_t i = 0; i < info->note_count; i++) {
		struct regs regs = { 0 };
		if (!facts->session->arch->note_regs(&info->notes[i], &regs))
			continue;
		uint64_t pc = regs.value[facts->session->arch->pc];
		address_name(facts->session, pc, name, sizeof(name));
		doc_record(doc, NULL, NULL);
		doc_heading(doc, "NOTE %zu of the dump's header: a CPU at %s", i,
			    *name ? name : "an address without a name");
		bt_registers(facts->session, doc, "regs", &regs, 2);
		doc_end(doc);
	}
	doc_end(doc);
}

/* --- The log. --- */

static void log_line(const struct anomaly *a, struct doc *doc)
{
	char time[32], more[32] = "";
	const struct log_record *r = a->record;

	snprintf(time, sizeof(time), "%5" PRIu64 ".%06" PRIu64, r->time_ns / 1000000000,
		 r->time_ns % 1000000000 / 1000);
	if (a->repeats)
		snprintf(more, sizeof(more), "(and %zu more)", a->repeats);
	doc_row(doc, cell_shown(cell_udec(r->time_ns), time), cell_str(a->kind),
		cell_udec(a->repeats + 1), cell_shown(cell_str(r->text), r->text), cell_str(more));
	if (a->weight == ANOMALY_FATAL)
		doc_row_style(doc, STYLE_BAD);
}

enum { LOG_FIRST = 4, LOG_LAST = 6 };

static void log_section(const struct facts *facts, struct doc *doc)
{
	static const struct column columns[] = {
		{ .key = "time_ns", .title = "", .right = true, .style = STYLE_FAINT },
		{ .key = "kind" },
		{ .key = "count" },
		{ .key = "text", .title = "" },
		{ .title = "", .style = STYLE_FAINT },
	};
	size_t n = facts->anomaly_count;

	doc_table(doc, "log", columns, array_size(columns));
	doc_bare(doc);
	if (facts->log_count)
		doc_heading(doc, "LOG: %zu records, %zu alarming", facts->log_count, n);
	for (size_t i = 0; i < n; i++) {
		if (n > LOG_FIRST + LOG_LAST + 1 && i == LOG_FIRST) {
			size_t left_out = n - LOG_FIRST - LOG_LAST;
			doc_textf(doc, STYLE_FAINT, "    ... %zu more alarming lines: log", left_out);
			i += left_out;
		}
		log_line(&facts->anomalies[i], doc);
	}
	doc_end(doc);
}

/* --- What the dump lacks. --- */

static void missing_section(struct session *s, const struct diagnosis *d, struct doc *doc)
{
	session_debug_problems(s);
	doc_lines(doc, "missing", NULL);
	if (s->problems.count || d->failed_count)
		doc_heading(doc, "MISSING");
	for (size_t i = 0; i < s->problems.count; i++)
		doc_line(doc, s->problems.data[i]);
	for (size_t i = 0; i < d->failed_count; i++)
		doc_linef(doc, "the detector \"%s\" failed, what it looks for may have been overlooked: %s",
			  d->failed[i].name, d->failed[i].why);
	doc_end(doc);
}

static struct error *run_report(struct command_args *args)
{
	struct doc *doc = args->doc;
	struct diagnosis *d = diagnose(args->session);
	const struct facts *facts = &d->facts;

	head(facts, doc);
	doc_record(doc, "system", NULL);
	doc_hidden(doc);
	sys_record(args->session, doc);
	doc_end(doc);
	verdict(&d->findings[0], doc);
	other_findings(d, doc);
	fault_section(facts, doc);
	if (facts->task)
		bt_thread(args->session, doc, "stack", facts->task,
			  &(struct bt_options){ .no_registers = true, .arguments = true,
						.brief = true });
	else
		notes_section(facts, doc);
	context(facts, doc);
	log_section(facts, doc);
	missing_section(args->session, d, doc);
	diagnosis_destroy(d);
	return NULL;
}

const struct command command_report = {
	.name = "report",
	.usage = "",
	.summary = "the diagnosis: why this kernel died, with evidence",
	.help = "What `inquest VMCORE` shows without a command.\n"
		"WHAT and WHY say what happened and where the bad value came from, WHO whose code it\n"
		"was, SURE how certain that is and what is open. Each piece of evidence names the\n"
		"command that shows it. The stack has a line a frame, with arguments as far as they\n"
		"are known and fit: \"args\" shows all of them, and how each is known.\n"
		"Examples: report",
	.tells_problems = true,
	.run = run_report,
};
