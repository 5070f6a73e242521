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
#include "commands/report.h"
#include "commands/source.h"
#include "commands/sys.h"
#include "commands/table.h"
#include "diagnosis/diagnosis.h"
#include "forensics/text_origin.h"
#include "kernel/text.h"

/* --- What was dumped. --- */

/* Returns how many lines it takes. */
static size_t head(const struct facts *facts, struct doc *doc)
{
	auto_strbuf dump = { 0 }, host = { 0 };

	doc_record(doc, NULL, NULL);
	doc_plain(doc);
	doc_prose(doc);
	doc_labels(doc, REPORT_LABELS);
	sys_dump_text(facts->session, REPORT_ROOM, &dump);
	doc_field(doc, NULL, facts->session->text ? "text" : "dump", cell_str(strbuf_text(&dump)));
	sys_machine_text(&facts->system, REPORT_ROOM, &host);
	doc_field(doc, NULL, "host", cell_str(strbuf_text(&host)));
	doc_end(doc);
	return report_lines(strbuf_text(&dump), REPORT_ROOM) +
	       report_lines(strbuf_text(&host), REPORT_ROOM);
}

/* --- The machine, and what its dump was read with: for later. --- */

static void machine_section(const struct facts *facts, struct doc *doc)
{
	struct session *s = facts->session;
	const struct system_info *info = &facts->system;
	auto_strbuf files = { 0 };
	size_t count;

	doc_record(doc, NULL, NULL);
	doc_section(doc, "MACHINE", "sys", "%s", *info->hardware ? info->hardware : "hardware not known");
	doc_plain(doc);
	doc_prose(doc);
	tasks(s, &count);
	/* Without types only the running ones are known: their number would mislead. */
	if (count && (!facts->task || task_is_named(facts->task)))
		doc_fieldf(doc, NULL, "tasks", "%zu", count);
	if (info->has_load)
		doc_fieldf(doc, NULL, "load", "%.2f, %.2f, %.2f", info->load[0], info->load[1],
			   info->load[2]);
	if (info->has_taint && info->taint) {
		auto_strbuf letters = { 0 }, words = { 0 };
		sys_taint_text(info->taint, &letters, &words);
		doc_field(doc, NULL, "tainted", cell_str(strbuf_text(&words)));
	}
	doc_field(doc, NULL, "symbols", cell_str(s->symbols ? symbols_source(s->symbols) : "none"));
	doc_field(doc, NULL, "types", cell_str(types_source(s->types)));
	doc_field(doc, NULL, "stacks", cell_str(s->unwinder ? unwinder_source(s->unwinder) : "none"));
	/* The files that the stack needs: they are opened by asking. */
	for (size_t i = 0; i < facts->stack.count; i++)
		(void)debuginfo_of(s->debuginfo, facts->stack.frames[i].pc);
	source_files_text(s, &files);
	if (files.len && strcmp(files.data, "none") != 0)
		doc_field(doc, NULL, "lines", cell_str(files.data));
	doc_end(doc);
}

/* --- The fault. --- */

enum { CODE_BEFORE = 8, CODE_BEHIND = 4 };

/* A jump's target, as a distance from where its function begins. */
static void name_target(void *ctx, uint64_t address, char *buf, size_t size)
{
	const struct text *text = ctx;
	uint64_t offset = address - (text->pc - text->death->pc.offset);

	buf[0] = '\0';
	if (offset < text->death->pc.size)
		snprintf(buf, size, "+0x%" PRIx64, offset);
}

/* The bytes of code that a text shows, taken apart: what is known of the function. */
static bool code_of_text(const struct facts *facts, struct doc *doc)
{
	const struct oops_report *death = facts->session->text ? facts->session->text->death : NULL;
	uint64_t entry = death ? facts->session->text->pc - death->pc.offset : 0;
	struct code_window w;
	char text[192];

	if (!death || !text_window(facts->session, &w))
		return false;
	for (size_t i = w.at > CODE_BEFORE ? w.at - CODE_BEFORE : 0;
	     i < w.count && i <= w.at + CODE_BEHIND; i++) {
		uint64_t pc = w.address + w.start[i];
		if (!code_format(w.bytes + w.start[i], w.size - w.start[i], pc, name_target,
				 facts->session->text, text, sizeof(text)))
			break;
		text_hide_made_up(facts->session, text);
		if (pc < entry)
			continue;
		doc_textf(doc, i == w.at ? STYLE_STRONG : STYLE_FAINT, " %s +0x%-4" PRIx64 " %s",
			  i == w.at ? ">>" : "  ", pc - entry, text);
		doc_last_in(doc, DOC_IN_TEXT);
	}
	return true;
}

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
	doc_section(doc, "FAULT", fault->pc_is_wild ? NULL : "fault", "%s at %s%s%s", trap_name(fault->trap),
		    facts_frame_text(facts, fault->frame), line ? ", " : "", strbuf_text(&place));
	doc_field(doc, "trap", NULL, cell_str(trap_name(fault->trap)));
	bool made_up = text_is_made_up(facts->session, fault->pc);
	doc_field(doc, "pc", NULL, made_up ? cell_none() : cell_hex(fault->pc));
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
	bool shown = !fault->pc_is_wild && code_of_text(facts, doc);
	if (shown) {
		/* the instruction is among them */
	} else if (fault->has_insn && !fault->pc_is_wild && made_up) {
		doc_textf(doc, STYLE_STRONG, "    %s", fault->insn_text);
	} else if (fault->has_insn && !fault->pc_is_wild) {
		doc_textf(doc, STYLE_STRONG, "    %016" PRIx64 ":  %s", fault->pc,
			  fault->insn_text);
		/* A page shows the code around it. */
		doc_last_in(doc, DOC_IN_TEXT);
	}
	report_code(facts, doc);
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
		doc_section(doc, "CPU", NULL, "as note %zu of the dump's header has it, at %s", i,
			    *name ? name : "an address without a name");
		bt_registers(facts->session, doc, "regs", &regs, 2);
		doc_end(doc);
	}
	doc_end(doc);
}

/* --- What the dump lacks. --- */

static void missing_section(struct session *s, const struct diagnosis *d, struct doc *doc)
{
	static const struct column columns[] = { { .key = "name" }, { .key = "why" } };

	session_debug_problems(s);
	doc_lines(doc, "missing", NULL);
	doc_prose(doc);
	if (s->problems.count || d->failed_count)
		doc_section(doc, "MISSING", NULL, "what could not be looked at");
	for (size_t i = 0; i < s->problems.count; i++)
		doc_line(doc, s->problems.data[i]);
	for (size_t i = 0; i < d->failed_count; i++)
		doc_linef(doc, "the detector \"%s\" failed, what it looks for may have been overlooked: %s",
			  d->failed[i].name, d->failed[i].why);
	doc_end(doc);
	doc_table(doc, "failed_detectors", columns, array_size(columns));
	doc_hidden(doc);
	for (size_t i = 0; i < d->failed_count; i++)
		doc_row(doc, cell_str(d->failed[i].name), cell_str(d->failed[i].why));
	doc_end(doc);
}

/* The stack that the verdict is about, and where that is another's, the one that panicked. */
static void stack_section(const struct diagnosis *d, struct doc *doc)
{
	const struct facts *facts = &d->facts;
	const struct finding *f = &d->findings[0];
	bool other = f->task && f->task != facts->task;
	struct bt_options options = {
		.no_registers = true, .arguments = true, .brief = true, .label = "STACK",
		.guilty = f->blame.known ? f->blame.function : NULL,
	};

	if (other) {
		options.about = "the verdict is about it";
		options.command = f->task->pid > 0
			? arena_printf(&doc->arena, "bt -A %d", f->task->pid)
			: arena_printf(&doc->arena, "bt -A %016" PRIx64, f->task->address);
		bt_thread(facts->session, doc, "verdict_stack", f->task, &options);
		options.about = "it panicked";
		options.guilty = NULL;
	}
	options.command = "bt -A";
	options.first = facts->fault.trap != TRAP_NONE ? facts->fault.frame : 0;
	if (facts->task)
		bt_thread(facts->session, doc, "stack", facts->task, &options);
	else
		notes_section(facts, doc);
}

static struct error *run_report(struct command_args *args)
{
	struct doc *doc = args->doc;
	struct diagnosis *d = diagnose(args->session);
	const struct facts *facts = &d->facts;

	/* An empty line stands between them. */
	report_answer(d, head(facts, doc) + 1, doc);
	report_findings(d, doc);
	fault_section(facts, doc);
	stack_section(d, doc);
	report_memory(d, doc);
	report_waits(facts, doc);
	report_timeline(facts, doc);
	report_log_tail(facts, doc);
	machine_section(facts, doc);
	doc_record(doc, "system", NULL);
	doc_hidden(doc);
	sys_record(args->session, doc);
	doc_end(doc);
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
		"are known and fit: \"args\" shows all of them, and how each is known. KNOWN names known\n"
		"issues that fit, NEXT what to do, SIGN what is the same for the same death elsewhere;\n"
		"TIMELINE has the log's alarming lines, MISSING what could not be looked at.\n"
		"With -o report.html it is a page with the code, the memory at stake and each frame's\n"
		"variables.\n"
		"Examples: report",
	.tells_problems = true,
	.run = run_report,
};
