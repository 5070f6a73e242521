// SPDX-License-Identifier: LGPL-2.1-or-later
/* Exceptions that are not about an address: BUG(), bad instructions, division by zero. */
#include <string.h>

#include "diagnosis/checks.h"
#include "diagnosis/complaints.h"
#include "kernel/bugs.h"

enum { FUNCTION_MAX = 1 << 16 };

static void add_insn(const struct facts *facts, struct findings *out, struct finding *f)
{
	const struct fault_site *fault = &facts->fault;

	f->blame = facts_blame(facts, fault->frame);
	if (fault->has_insn)
		finding_evidence(out, f, finding_text(out, "dis -lr 0x%lx 8", (unsigned long)fault->pc),
				 "%s: %s", facts_frame_text(facts, fault->frame), fault->insn_text);
}

/* FILE:LINE of the last "kernel BUG at FILE:LINE!"; @len its length. */
static const char *place_in_log(const struct facts *facts, int *len)
{
	static const char marker[] = "kernel BUG at ";
	const struct log_record *r = facts_log_find_last(facts, marker);

	if (!r)
		return NULL;
	const char *place = strstr(r->text, marker) + strlen(marker);
	*len = (int)strcspn(place, "!");
	return place;
}

/* Since 6.9 a WARN() with a report of its own says what the BUG() is about: right before it. */
static const struct log_record *fortify_words(const struct facts *facts)
{
	const struct log_record *r = facts_log_find_last(facts, ": detected buffer overflow: ");

	return r && r < facts->log + facts_log_until_panic(facts) ? r : NULL;
}

/* Takes over what the check said, or what its place in the source means. */
static void add_complaint(const struct facts *facts, const char *marker,
			  const struct bug_site *site, struct findings *out, struct finding *f)
{
	const struct complaint *means;
	const struct log_record *said = complaint_before(facts, marker, &means);
	struct symbol sym;

	if (!means && site && *site->file &&
	    facts_frame_symbol(facts, facts->fault.frame, &sym))
		means = complaint_of_place(site->file, sym.name, site->warning);
	if (means) {
		if (means->unsure)
			f->confidence = CONFIDENCE_LIKELY;
		f->against = means->unsure;
		f->kind = means->kind;
		f->title = means->title;
		f->why = means->why;
	}
	if (!said && strcmp(f->kind, "buffer-overflow") == 0)
		said = fortify_words(facts);
	if (said)
		finding_evidence(out, f, "log", "%s", said->text);
	check_explain(facts, said, out, f);
}

/* WARN() traps too; it kills only where the kernel was told to panic then. */
static void warning(const struct facts *facts, const struct bug_site *site, struct findings *out)
{
	struct finding *f = finding_add(
		out, "warning", "Kernel warning", RANK_FAULT, CONFIDENCE_CERTAIN,
		"%s hit WARN() at %s:%u, %s", facts_frame_text(facts, facts->fault.frame),
		*site->file ? site->file : "an unknown place", site->line, facts_where(facts));
	f->why = "the code checks there for a state that should not be, and found it";
	add_complaint(facts, "WARNING: ", site, out, f);
	if (facts->panic_message && strstr(facts->panic_message, "panic_on_warn"))
		f->why = finding_text(out, "%s; kernel.panic_on_warn makes that deadly", f->why);
	add_insn(facts, out, f);
}

static void bug(const struct facts *facts, struct findings *out)
{
	const char *where = facts_frame_text(facts, facts->fault.frame);
	struct bug_site site;
	bool known = bug_at(facts->session, facts->fault.pc, &site);
	const char *place = NULL;
	int len = 0;

	if (known && site.warning) {
		warning(facts, &site, out);
		return;
	}
	if (known && *site.file) {
		place = finding_text(out, "%s:%u", site.file, site.line);
		len = (int)strlen(place);
	} else {
		place = place_in_log(facts, &len);
	}
	struct finding *f =
		place ? finding_add(out, "bug", "Kernel BUG", RANK_FAULT, CONFIDENCE_CERTAIN,
				    "%s hit BUG() at %.*s, %s", where, len, place,
				    facts_where(facts))
		      : finding_add(out, "bug", "Kernel BUG", RANK_FAULT, CONFIDENCE_LIKELY,
				    "%s ran into a ud2 instruction, which is how BUG() stops a "
				    "kernel, %s", where, facts_where(facts));
	f->why = "the code checks there for a state that must not be, and found it";
	if (known && !facts->session->text)
		finding_evidence(out, f, "bt", "the kernel's bug table has an entry for this "
				 "instruction");
	add_complaint(facts, "kernel BUG at ", known ? &site : NULL, out, f);
	const struct log_record *said = facts_log_find_last(facts, "kernel BUG at ");
	if (said)
		finding_evidence(out, f, "log", "%s", said->text);
	add_insn(facts, out, f);
}

/*
 * Did the CPU come to an instruction's start at all? The code is decoded from the function's start;
 * what is in the middle of an instruction was jumped to by mistake.
 */
static void check_boundary(const struct facts *facts, struct findings *out, struct finding *f)
{
	uint64_t pc = facts->fault.pc;
	uint8_t bytes[CODE_INSN_MAX];
	struct symbol symbol;
	struct insn insn;

	if (facts->fault.pc_is_wild || !facts_frame_symbol(facts, facts->fault.frame, &symbol) ||
	    pc - symbol.address > FUNCTION_MAX)
		return;
	for (uint64_t at = symbol.address; at < pc; at += insn.length) {
		size_t n = memory_read_some(facts->session->memory, at, bytes, sizeof(bytes));
		if (!n || !code_decode(bytes, n, at, &insn))
			return;
		if (at + insn.length <= pc)
			continue;
		f->title = "Jump into the middle of an instruction";
		f->confidence = CONFIDENCE_LIKELY;
		f->why = finding_text(out, "the CPU was in the middle of the instruction at 0x%lx, at its "
				      "byte %lu: a return address or function pointer is a few bytes off, or "
				      "was overwritten", (unsigned long)at, (unsigned long)(pc - at));
		finding_evidence(out, f, finding_text(out, "dis 0x%lx 2", (unsigned long)at),
				 "the instruction begins at 0x%lx", (unsigned long)at);
		return;
	}
}

static void other(const struct facts *facts, struct findings *out)
{
	static const struct {
		enum trap trap;
		const char *kind, *title, *why;
	} traps[] = {
		{ TRAP_INVALID_OPCODE, "invalid-opcode", "Invalid instruction",
		  "the bytes there are no instruction that this CPU knows: code was overwritten, "
		  "or is meant for another CPU" },
		{ TRAP_DIVIDE, "divide-error", "Division by zero",
		  "the divisor was 0, or the quotient did not fit" },
		{ TRAP_BREAKPOINT, "breakpoint", "Stray breakpoint",
		  "an int3 instruction that no debugger had set" },
		{ TRAP_ALIGNMENT, "alignment", "Alignment check", NULL },
		{ TRAP_MACHINE_CHECK, "machine-check", "Machine check",
		  "the hardware reported an error that cannot be corrected" },
	};

	for (size_t i = 0; i < array_size(traps); i++) {
		if (traps[i].trap != facts->fault.trap)
			continue;
		const char *name = trap_name(facts->fault.trap);
		struct finding *f = finding_add(out, traps[i].kind, traps[i].title, RANK_FAULT,
						CONFIDENCE_CERTAIN, "%s stopped with %s %s, %s",
						facts_frame_text(facts, facts->fault.frame),
						strchr("aeio", name[0]) ? "an" : "a", name,
						facts_where(facts));
		f->why = traps[i].why;
		/* What the hardware reports is no fault of the code that ran then. */
		if (traps[i].trap != TRAP_MACHINE_CHECK)
			add_insn(facts, out, f);
		if (traps[i].trap == TRAP_INVALID_OPCODE)
			check_boundary(facts, out, f);
	}
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	const struct fault_site *fault = &facts->fault;

	if (fault->trap == TRAP_INVALID_OPCODE && fault->has_insn &&
	    fault->insn.kind == INSN_TRAP)
		bug(facts, out);
	else
		other(facts, out);
	return NULL;
}

const struct detector detector_trap = {
	.name = "trap",
	.looks_for = "BUG(), invalid instructions, divide errors, machine checks",
	.run = run,
};
