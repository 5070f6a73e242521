// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The CPU was sent where no kernel code is: through a function pointer or a return address that was
 * never set, cleared, overwritten, or that pointed to data all along. What lies at the target tells
 * which: the CPU refuses to execute data (NX) and, in kernel mode, user memory (SMEP).
 */
#include "base/strbuf.h"
#include "diagnosis/diagnosis.h"
#include "diagnosis/gone.h"
#include "diagnosis/tail_jump.h"
#include "forensics/poison.h"
#include "forensics/whatis.h"

enum { NULL_LIMIT = 0x10000 }; /* as in detect_address.c */

struct jump_words {
	const char *kind, *title, *why;
	const char *target;
	struct gone gone;
};

static const char *process_note(const struct what *place)
{
	return place->mapped	 ? ", which is mapped in the process"
	       : place->unmapped ? ", which is not mapped in the process either"
				 : "";
}

static void target_words(const struct facts *facts, struct findings *out, struct jump_words *w)
{
	unsigned long pc = (unsigned long)facts->fault.pc;
	struct what place;

	whatis(facts->session, facts->task, facts->fault.pc, &place);
	/* A text has no page tables, but the error code says whether the page was there. */
	if ((place.unmapped || facts->fault.page_absent) &&
	    gone_find(facts, facts->fault.pc, true, &w->gone)) {
		w->kind = w->gone.kind;
		w->title = w->gone.title;
		w->why = w->gone.why;
		w->target = w->gone.place;
	} else if (place.user_half) {
		w->kind = "user-exec";
		w->title = "Kernel jumped to user space";
		w->why = "a function pointer or a return address was overwritten with an address of "
			 "user space; in kernel mode the CPU does not execute there (SMEP)";
		w->target = finding_text(out, "0x%lx, an address of user space%s", pc,
					 process_note(&place));
	} else if ((place.permissions_known && !place.executable) ||
		   (facts->fault.page_forbids && facts->fault.execute)) {
		w->kind = "nx-exec";
		w->title = "Data executed as code";
		w->why = "a function pointer or a return address was overwritten, or it pointed to "
			 "data: the page is mapped, but not executable (NX)";
		w->target = finding_text(out, "0x%lx%s%s, which is not executable", pc,
					 *place.text ? ": " : "", place.text);
	} else {
		w->kind = "wild-call";
		w->title = "Call or jump to nowhere";
		w->why = place.unmapped
				 ? "nothing is mapped there: a function pointer or a return address was "
				   "overwritten, or the code there was unloaded or freed"
				 : "a function pointer or a return address was overwritten";
		w->target = finding_text(out, "0x%lx%s%s, where no code is", pc,
					 *place.text ? ", " : "", place.text);
	}
}

/* What the kernel itself said of it (arch/x86/mm/fault.c). */
static void add_log(const struct facts *facts, struct findings *out, struct finding *f)
{
	static const char *const lines[] = {
		"kernel tried to execute NX-protected page",
		"unable to execute userspace code (SMEP?)",
	};

	for (size_t i = 0; i < array_size(lines); i++) {
		const struct log_record *r = facts_log_find_last(facts, lines[i]);
		if (r)
			finding_evidence(out, f, "log", "%s", r->text);
	}
}

static struct blame blame_function(const struct facts *facts, const struct symbol *symbol,
				   size_t frame)
{
	struct frame one = { .pc = symbol->address };
	const struct stack stack = { .frames = &one, .count = 1 };
	struct blame blame = facts_blame_stack(facts, &stack, 0);

	if (!blame.known)
		return facts_blame(facts, frame);
	blame.frame = frame;
	return blame;
}

static void add_evidence(const struct facts *facts, struct findings *out, struct finding *f)
{
	const struct fault_site *fault = &facts->fault;
	struct walk walk;

	finding_evidence(out, f, "bt", "rip = 0x%lx: the CPU tried to execute there",
			 (unsigned long)fault->pc);
	if (fault->frame + 1 < facts->stack.count) {
		unsigned long back = (unsigned long)facts->stack.frames[fault->frame + 1].pc;
		finding_evidence(out, f, finding_text(out, "dis -lr 0x%lx 4", back),
				 "the call stands before %s",
				 facts_frame_text(facts, fault->frame + 1));
	}
	memory_walk(facts->session->memory, fault->pc, &walk);
	if (fault->pc >= NULL_LIMIT && walk.status == READ_OK)
		finding_evidence(out, f, finding_text(out, "vtop 0x%lx", (unsigned long)fault->pc),
				 "what is mapped there, and with which rights");
	add_log(facts, out, f);
}

/* " (the text ...)", " (POISON_FREE)": what such a number is; "". */
static const char *number_note(struct findings *out, uint64_t value)
{
	const struct poison *poison = poison_of(value);
	char text[96];

	if (number_as_text(value, text))
		return finding_text(out, " (the text \"%s\")", text);
	if (!poison)
		return "";
	poison_text(poison, value, text, sizeof(text));
	return finding_text(out, " (%s: %s)", text, poison->meaning);
}

/* arch/x86/include/asm/pgtable_64_types.h: the kernel and its modules are in the top 2 GB. */
#define KERNEL_IMAGE UINT64_C(0x1ffffffff)

static bool is_return_address(const struct facts *facts, uint64_t address)
{
	struct session *s = facts->session;
	uint8_t bytes[7];

	/* The code of a text is not there to look at; nor are addresses of functions. */
	if (s->text)
		return address >> 31 == KERNEL_IMAGE;
	/* Calls have 2 to 7 bytes; the operation code is not looked at more closely than that. */
	return s->symbols && symbols_is_text(s->symbols, address) &&
	       memory_read(s->memory, address - sizeof(bytes), bytes, sizeof(bytes)) == READ_OK &&
	       (bytes[2] == 0xe8 || bytes[0] == 0xff || bytes[1] == 0xff || bytes[3] == 0xff ||
		bytes[4] == 0xff || bytes[5] == 0xff);
}

/*
 * A call leaves its return address at the top of the stack. Without one there, and with the bad
 * address right below it, where a return has just taken it from, it was a return.
 */
static bool was_return(const struct facts *facts, uint64_t *slot)
{
	const struct regs *regs = facts->fault.regs;
	uint64_t top, taken;

	if (!regs_known(regs, X86_RSP))
		return false;
	*slot = regs->value[X86_RSP] - 8;
	return memory_u64(facts->session->memory, *slot + 8, &top) == READ_OK &&
	       memory_u64(facts->session->memory, *slot, &taken) == READ_OK &&
	       taken == facts->fault.pc && !is_return_address(facts, top);
}

static bool bad_return(const struct facts *facts, struct findings *out, const struct jump_words *w)
{
	size_t below = facts->fault.frame + 1;
	uint64_t slot;

	if (facts->fault.pc < NULL_LIMIT || w->gone.kind || !was_return(facts, &slot))
		return false;
	struct finding *f = finding_add(
		out, "wild-return", "Return address overwritten", RANK_SPECIAL, CONFIDENCE_LIKELY,
		"A function returned to %s%s, %s", w->target, number_note(out, facts->fault.pc),
		facts_where(facts));
	f->why = finding_text(out, "the return address at 0x%lx on the stack was overwritten: a local array "
			      "was written beyond its end, or somebody wrote to the stack",
			      (unsigned long)slot);
	f->against = "which function returned is not kept; it was called by what is next on the stack";
	if (below < facts->stack.count)
		f->blame = facts_blame(facts, below);
	add_evidence(facts, out, f);
	finding_evidence_shows(out, f, finding_text(out, "rd 0x%lx 8", (unsigned long)slot - 32),
			       finding_text(out, "%016lx", (unsigned long)facts->fault.pc),
			       "the return address came from 0x%lx", (unsigned long)slot);
	return true;
}

static void wild_pc(const struct facts *facts, struct findings *out)
{
	static const struct jump_words null_words = {
		"null-call", "Call through a NULL pointer",
		"a function pointer was not set (or was cleared) when it was called", "NULL", { 0 },
	};
	size_t caller = facts->fault.frame + 1;
	bool has_caller = caller < facts->stack.count;
	struct jump_words w = null_words;
	struct symbol callee;

	if (facts->fault.pc >= NULL_LIMIT)
		target_words(facts, out, &w);
	if (bad_return(facts, out, &w))
		return;
	struct tail_jump jump;
	if (has_caller && tail_jump_find(facts, caller, &jump)) {
		struct finding *f = finding_add(out, w.kind, w.title, RANK_SPECIAL,
						CONFIDENCE_CERTAIN, "%s, called by %s, jumped to %s, %s",
						jump.function.name, facts_frame_text(facts, caller),
						w.target, facts_where(facts));
		f->why = w.why;
		f->blame = blame_function(facts, &jump.function, caller);
		finding_evidence_shows(out, f, finding_text(out, "dis 0x%lx 1", (unsigned long)jump.at),
				       "jmp", "its last act is that jump");
		add_evidence(facts, out, f);
		if (w.gone.kind)
			gone_blame(facts, out, f, &w.gone);
		return;
	}
	if (has_caller && direct_callee(facts, caller, &callee)) {
		struct finding *f = finding_add(
			out, w.kind, w.title, RANK_SPECIAL, CONFIDENCE_LIKELY,
			"%s, called by %s, or something that it called, jumped or returned to %s, %s",
			callee.name, facts_frame_text(facts, caller), w.target,
			facts_where(facts));
		f->why = "a return address on the stack was overwritten, or a bad function pointer "
			 "was jumped to";
		f->blame = blame_function(facts, &callee, caller);
		f->against = "the function that went astray left nothing on the stack";
		add_evidence(facts, out, f);
		return;
	}
	struct finding *f = finding_add(
		out, w.kind, w.title, RANK_SPECIAL,
		has_caller ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY, "%s called %s, %s",
		has_caller ? facts_frame_text(facts, caller) : "Something", w.target,
		facts_where(facts));
	f->why = w.why;
	if (has_caller)
		f->blame = facts_blame(facts, caller);
	add_evidence(facts, out, f);
	if (w.gone.kind)
		gone_blame(facts, out, f, &w.gone);
}

static void bad_target(const struct facts *facts, struct findings *out)
{
	const struct fault_site *fault = &facts->fault;
	struct symbol sym;
	/* A retpoline goes through a return instruction to where a function pointer says. */
	bool retpoline = facts_frame_symbol(facts, fault->frame, &sym) &&
			 glob_match("__x86_indirect_*", sym.name);
	bool ret = fault->insn.kind == INSN_RETURN && !retpoline;
	struct finding *f = finding_add(
		out, "wild-call", ret ? "Return to nowhere" : "Call or jump to nowhere",
		RANK_SPECIAL, CONFIDENCE_CERTAIN,
		"%s was to %s 0x%lx, which is no address at all (non-canonical)%s, %s",
		facts_frame_text(facts, fault->frame), ret ? "return to" : "call or jump to",
		(unsigned long)fault->target, number_note(out, fault->target), facts_where(facts));

	f->why = ret ? "the return address on the stack was overwritten"
		     : "the function pointer was overwritten, freed, or never set";
	f->blame = facts_blame(facts, fault->frame);
	finding_evidence(out, f, finding_text(out, "dis -lr 0x%lx 8", (unsigned long)fault->pc),
			 "%s: %s", facts_frame_text(facts, fault->frame), fault->insn_text);
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	enum trap trap = facts->fault.trap;

	if (trap != TRAP_PAGE_FAULT && trap != TRAP_GENERAL_PROTECTION &&
	    trap != TRAP_STACK_SEGMENT)
		return NULL;
	if (facts->fault.pc_is_wild)
		wild_pc(facts, out);
	else if (facts->fault.has_target)
		bad_target(facts, out);
	return NULL;
}

const struct detector detector_jump = {
	.name = "jump",
	.looks_for = "a call or jump to NULL, to data, to user space or to nowhere",
	.run = run,
};
