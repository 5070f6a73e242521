// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Stack overflow. With guard pages (CONFIG_VMAP_STACK) the push that leaves the stack makes a
 * double fault; the stack pointer at that moment lies at or below the stack's low end. A cycle of
 * functions that fills the stack is recursion and is named, with its depth.
 */
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/diagnosis.h"
#include "forensics/whatis.h"

enum { CYCLE_REPEATS_MIN = 8, CYCLE_STARTS_WITHIN = 16,
       STACK_ROOM_MIN = 512 /* as off_the_stack() takes for full */ };

/* The cycle need not begin at the fault: the last turn may have been in some helper. */
static bool find_cycle(const struct facts *facts, size_t from, struct stack_cycle *cycle)
{
	for (size_t first = from; first < from + CYCLE_STARTS_WITHIN; first++) {
		if (stack_find_cycle(&facts->stack, first, CYCLE_REPEATS_MIN, cycle))
			return true;
	}
	return false;
}

static void describe_cycle(const struct facts *facts, const struct stack_cycle *cycle,
			   struct findings *out, struct finding *f)
{
	auto_strbuf names = { 0 };
	struct symbol sym;
	const struct frame *frames = facts->stack.frames;
	uint64_t bytes = frames[cycle->first + cycle->length].sp - frames[cycle->first].sp;

	for (size_t i = 0; i < cycle->length; i++) {
		if (facts_frame_symbol(facts, cycle->first + i, &sym))
			strbuf_addf(&names, "%s%s", i ? " <- " : "", sym.name);
	}
	f->why = finding_text(out, "endless recursion: %s%s, %zu turns of %lu bytes on the stack",
			      strbuf_text(&names),
			      cycle->length == 1 ? " calls itself" : "", cycle->turns,
			      (unsigned long)bytes);
	finding_evidence(out, f, "bt", "frames #%zu to #%zu repeat the same %zu function%s",
			 cycle->first, cycle->first + cycle->length * cycle->turns - 1,
			 cycle->length, cycle->length == 1 ? "" : "s");
	f->blame = facts_blame(facts, cycle->first);
}

static bool off_the_stack(const struct facts *facts, uint64_t sp)
{
	/* The faulting push lies just below the lowest address, inside the guard page. */
	return facts->task && facts->task->stack && sp < facts->task->stack + 512 &&
	       sp + 2 * PAGE_SIZE > facts->task->stack;
}

/*
 * The access hit the page beside a stack, but the stack pointer is well inside of its own: nothing
 * overflowed, a pointer or index ran over the end.
 */
static bool beside_stack(const struct facts *facts, struct findings *out)
{
	const struct fault_site *fault = &facts->fault;
	struct what at, sp;

	if (fault->trap != TRAP_PAGE_FAULT || !fault->has_address || fault->pc_is_wild ||
	    !facts->task || !facts->task->stack)
		return false;
	whatis(facts->session, facts->task, fault->address, &at);
	whatis(facts->session, facts->task, fault->regs->value[X86_RSP], &sp);
	if (at.kind != WHAT_STACK_BESIDE || sp.kind != WHAT_STACK ||
	    fault->regs->value[X86_RSP] - sp.start < STACK_ROOM_MIN)
		return false;
	struct finding *f = finding_add(
		out, "stack-bounds", "Access beyond a kernel stack", RANK_SPECIAL,
		CONFIDENCE_CERTAIN, "%s %s 0x%lx, in %s, %s",
		facts_frame_text(facts, fault->frame),
		!fault->access_known ? "accessed" : fault->write ? "wrote to" : "read at",
		(unsigned long)fault->address, at.text, facts_where(facts));
	f->why = finding_text(out, "a pointer or index into the stack ran over its %s end; the stack "
			      "itself is not full",
			      fault->address < at.start ? "lower" : "upper");
	f->blame = facts_blame(facts, fault->frame);
	finding_evidence(out, f, "bt", "rsp = 0x%lx, which leaves %lu bytes of the stack at 0x%lx",
			 (unsigned long)fault->regs->value[X86_RSP],
			 (unsigned long)(fault->regs->value[X86_RSP] - sp.start),
			 (unsigned long)sp.start);
	if (fault->has_insn)
		finding_evidence(out, f, finding_text(out, "dis -lr 0x%lx 8",
						      (unsigned long)fault->pc),
				 "%s: %s", facts_frame_text(facts, fault->frame), fault->insn_text);
	return true;
}

/* A double fault that is no overflow: is the stack pointer at fault? */
static void double_fault(const struct facts *facts, struct findings *out)
{
	const struct fault_site *fault = &facts->fault;
	uint64_t rsp = fault->regs->value[X86_RSP];
	unsigned levels = memory_layout(facts->session->memory)->root.levels;
	struct what place;
	struct finding *f = finding_add(out, "double-fault", "Double fault", RANK_FAULT,
					CONFIDENCE_CERTAIN, "%s stopped with a double fault, %s",
					facts_frame_text(facts, fault->frame), facts_where(facts));

	f->blame = facts_blame(facts, fault->frame);
	f->why = "the CPU could not deliver an exception; most often the stack pointer was bad";
	whatis(facts->session, facts->task, rsp, &place);
	const char *bad = levels && !facts->session->arch->canonical(rsp, levels)
				  ? "which is no address at all (non-canonical)"
			  : place.user_half ? "an address of user space"
			  : place.unmapped  ? "where nothing is mapped"
						     : NULL;
	if (!bad)
		return;
	f->why = "the stack pointer was bad, so that the CPU could not deliver an exception";
	finding_evidence(out, f, "bt", "rsp = 0x%lx, %s%s%s", (unsigned long)rsp, bad,
			 place.user_half || !*place.text ? "" : ": ",
			 place.user_half ? "" : place.text);
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	const struct fault_site *fault = &facts->fault;
	const struct log_record *said = facts_log_find_last(facts, "stack guard page was hit");
	struct stack_cycle cycle;

	if (beside_stack(facts, out))
		return NULL;
	if (!said)
		said = facts_log_find_last(facts, "kernel stack overflow");
	bool doubled = fault->trap == TRAP_DOUBLE_FAULT || fault->trap == TRAP_PAGE_FAULT;
	bool off = doubled && fault->regs && off_the_stack(facts, fault->regs->value[X86_RSP]);
	if (!said && !off) {
		if (fault->trap == TRAP_DOUBLE_FAULT)
			double_fault(facts, out);
		return NULL;
	}
	size_t frame = fault->trap != TRAP_NONE ? fault->frame : 0;
	if (frame >= facts->stack.count) {
		finding_add(out, "stack-overflow", "Kernel stack overflow", RANK_SPECIAL,
			    CONFIDENCE_LIKELY, "A kernel stack overflowed %s", facts_where(facts));
		return NULL;
	}
	struct finding *f =
		finding_add(out, "stack-overflow", "Kernel stack overflow", RANK_SPECIAL,
			    off && said ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY,
			    "The kernel stack overflowed in %s, %s", facts_frame_text(facts, frame),
			    facts_where(facts));
	f->blame = facts_blame(facts, frame);
	if (off)
		finding_evidence(out, f, "bt", "rsp = 0x%lx; the task's stack begins at 0x%lx",
				 (unsigned long)fault->regs->value[X86_RSP],
				 (unsigned long)facts->task->stack);
	if (said)
		finding_evidence(out, f, "log", "%s", said->text);
	if (find_cycle(facts, frame, &cycle))
		describe_cycle(facts, &cycle, out, f);
	return NULL;
}

const struct detector detector_stack = {
	.name = "stack",
	.looks_for = "kernel stack overflow, endless recursion, double faults",
	.run = run,
};
