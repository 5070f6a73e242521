// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Stack overflow. With guard pages (CONFIG_VMAP_STACK) the push that leaves the stack makes a
 * double fault; the stack pointer at that moment lies at or below the stack's low end. A cycle of
 * functions that fills the stack is recursion and is named, with its depth; without one the largest
 * frames are. Where there are no guard pages, the mark at the stack's low end tells (kernel/fork.c,
 * set_task_stack_end_magic()): whoever overwrites it has been further down.
 */
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/diagnosis.h"
#include "diagnosis/gone.h"
#include "forensics/whatis.h"

enum { CYCLE_REPEATS_MIN = 8, CYCLE_STARTS_WITHIN = 16,
       STACK_ROOM_MIN = 512, /* as off_the_stack() takes for full */
       LARGE_FRAME = 512, LARGE_SHOWN = 4, WORD = 8, STACK_MAX = 64 << 10 };

/* include/uapi/linux/magic.h */
#define STACK_END_MAGIC UINT64_C(0x57ac6e9d)

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
	const char *size = bytes ? finding_text(out, " of %lu bytes on the stack",
						(unsigned long)bytes) : "";
	f->why = finding_text(out, "endless recursion: %s%s, %zu turns%s", strbuf_text(&names),
			      cycle->length == 1 ? " calls itself" : "", cycle->turns, size);
	finding_evidence(out, f, "bt", "frames #%zu to #%zu repeat the same %zu function%s",
			 cycle->first, cycle->first + cycle->length * cycle->turns - 1,
			 cycle->length, cycle->length == 1 ? "" : "s");
	f->blame = facts_blame(facts, cycle->first);
}

/* --- Large frames. --- */

struct large_frame {
	size_t frame;
	uint64_t bytes;
};

static uint64_t frame_bytes(const struct facts *facts, size_t i)
{
	const struct frame *frames = facts->stack.frames;
	uint64_t bytes;

	/* Frames of another stack are no distance away. */
	if (i + 1 >= facts->stack.count || frames[i].stack != frames[i + 1].stack)
		return 0;
	bytes = frames[i + 1].sp - frames[i].sp;
	return bytes < 64 << 10 ? bytes : 0;
}

/* The largest first; returns how many of them are large. */
static size_t large_frames(const struct facts *facts, size_t from, struct large_frame *large,
			   uint64_t *total)
{
	size_t count = 0;

	*total = 0;
	for (size_t i = from; i < facts->stack.count; i++) {
		struct large_frame f = { i, frame_bytes(facts, i) };
		*total += f.bytes;
		if (f.bytes < LARGE_FRAME)
			continue;
		for (size_t k = 0; k < count; k++) {
			if (f.bytes > large[k].bytes) {
				struct large_frame swapped = large[k];
				large[k] = f;
				f = swapped;
			}
		}
		if (count < LARGE_SHOWN)
			large[count++] = f;
	}
	return count;
}

static const char *frame_name(const struct facts *facts, size_t i)
{
	struct symbol symbol;

	return facts_frame_symbol(facts, i, &symbol)
		       ? arena_strndup(facts->arena, symbol.name, strcspn(symbol.name, "."))
		       : "unknown code";
}

static void describe_frames(const struct facts *facts, size_t from, struct findings *out,
			    struct finding *f)
{
	struct large_frame large[LARGE_SHOWN];
	auto_strbuf names = { 0 };
	uint64_t total;
	size_t count = large_frames(facts, from, large, &total);

	if (!count) {
		f->why = "there is no recursion and no large frame: what is seen of the stack does not fill it";
		return;
	}
	for (size_t i = 0; i < count; i++)
		strbuf_addf(&names, "%s%s (%lu bytes)", i ? ", " : "",
			    frame_name(facts, large[i].frame), (unsigned long)large[i].bytes);
	f->why = finding_text(out, "large frames fill it: %s. Together they have %lu bytes; no function "
			      "repeats", strbuf_text(&names), (unsigned long)total);
	finding_evidence(out, f, "bt -f", "the largest frame is #%zu, %s: %lu bytes", large[0].frame,
			 facts_frame_text(facts, large[0].frame), (unsigned long)large[0].bytes);
	struct blame blame = facts_blame(facts, large[0].frame);
	if (!blame.known || blame.frame != large[0].frame)
		return;
	blame.because = finding_text(out, "of all frames its own is the largest, %lu bytes",
				     (unsigned long)large[0].bytes);
	f->blame = blame;
	f->next = "make the large local variables of these functions smaller, or allocate them; "
		  "scripts/checkstack.pl and -Wframe-larger-than list such functions";
}

/* --- The mark. --- */

/* Is it at the low end of the task's stack? @at: where it should be. */
static bool mark_is_gone(const struct facts *facts, uint64_t *at, uint64_t *found)
{
	struct session *s = facts->session;
	uint64_t offset;

	if (!facts->task || !facts->task->stack || !s->types)
		return false;
	*at = facts->task->stack;
	/* Before 4.9 struct thread_info lies there, and the mark behind it. */
	if (!koffset(s, "task_struct", "thread_info", &offset))
		*at += types_sizeof(s->types, "struct thread_info");
	return memory_u64(s->memory, *at, found) == READ_OK && *found != STACK_END_MAGIC;
}

static bool report_mark(const struct facts *facts, struct findings *out)
{
	uint64_t at, found;

	if (!mark_is_gone(facts, &at, &found))
		return false;
	struct finding *f = finding_add(
		out, "stack-overflow", "Kernel stack overflow", RANK_SPECIAL, CONFIDENCE_LIKELY,
		"The mark at the low end of the kernel stack of the task that died is overwritten: the "
		"stack overflowed, or somebody wrote there, %s", facts_where(facts));
	f->why = "what lies below the stack was overwritten too; what followed may have nothing to do "
		 "with the code that stopped";
	f->against = "a stray write to the stack's end looks the same";
	f->blame = facts_blame(facts, facts->fault.trap != TRAP_NONE ? facts->fault.frame : 0);
	finding_evidence_shows(out, f, finding_text(out, "rd 0x%lx", (unsigned long)at),
			       finding_text(out, "%016lx", (unsigned long)found),
			       "where 0x57ac6e9d should be is 0x%lx", (unsigned long)found);
	return true;
}

static bool off_the_stack(const struct facts *facts, uint64_t sp)
{
	/* The faulting push lies just below the lowest address, inside the guard page. */
	return facts->task && facts->task->stack && sp < facts->task->stack + 512 &&
	       sp + 2 * PAGE_SIZE > facts->task->stack;
}

/* The stack of a CPU (interrupts, exceptions) that rsp has left at its low end; NULL for none. */
static const char *below_other(const struct facts *facts)
{
	uint64_t sp = facts->fault.regs->value[X86_RSP];
	struct what what;

	whatis(facts->session, facts->task, sp, &what);
	if (what.kind != WHAT_STACK_BESIDE || sp >= what.start || what.pid)
		return NULL;
	return arena_strdup(facts->arena, what.text);
}

/*
 * The access hit the page beside a stack, but the stack pointer is well inside of its own: nothing
 * overflowed, a pointer or index ran over the end.
 */
static bool beside_stack(const struct facts *facts, struct findings *out)
{
	const struct fault_site *fault = &facts->fault;
	struct what at, sp;
	struct gone gone;

	if (fault->trap != TRAP_PAGE_FAULT || !fault->has_address || fault->pc_is_wild ||
	    !facts->task || !facts->task->stack)
		return false;
	whatis(facts->session, facts->task, fault->address, &at);
	whatis(facts->session, facts->task, fault->regs->value[X86_RSP], &sp);
	if (at.kind != WHAT_STACK_BESIDE || sp.kind != WHAT_STACK ||
	    fault->regs->value[X86_RSP] - sp.start < STACK_ROOM_MIN ||
	    gone_find(facts, fault->address, false, &gone))
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

/*
 * What is on a stack lies above the stack pointer; a push or call accesses the word below it. An
 * access farther below was not made to the stack in use: it is not full, whatever it ran into.
 */
static bool accessed_below(const struct fault_site *fault, uint64_t *address)
{
	const struct insn_memory *m = &fault->insn.memory;
	const struct regs *regs = fault->regs;

	if (!regs || !fault->has_insn || !m->present || m->absolute || m->per_cpu || m->base < 0 ||
	    m->base == X86_RSP || !regs_known(regs, (unsigned)m->base) ||
	    !regs_known(regs, X86_RSP) ||
	    (m->index >= 0 && !regs_known(regs, (unsigned)m->index)))
		return false;
	*address = regs->value[m->base] + (uint64_t)m->displacement;
	if (m->index >= 0)
		*address += regs->value[m->index] * m->scale;
	return *address + WORD < regs->value[X86_RSP] &&
	       *address + STACK_MAX > regs->value[X86_RSP];
}

/* The kernel itself says that the page below a stack was hit; it does not look by what. */
static bool guard_hit_from_above(const struct facts *facts, const struct log_record *said,
				 struct findings *out)
{
	const struct fault_site *fault = &facts->fault;
	uint64_t address;

	if (!said || fault->trap == TRAP_NONE || !accessed_below(fault, &address))
		return false;
	struct finding *f = finding_add(
		out, "stack-bounds", "Access beyond a kernel stack", RANK_SPECIAL, CONFIDENCE_LIKELY,
		"%s accessed 0x%lx, in the page below its stack, %s",
		facts_frame_text(facts, fault->frame), (unsigned long)address, facts_where(facts));
	f->why = "a pointer or index into the stack ran over its lower end; the stack itself is not "
		 "full: what is on it lies above rsp";
	f->blame = facts_blame(facts, fault->frame);
	finding_evidence(out, f, "bt", "rsp = 0x%lx, %lu bytes above what was accessed",
			 (unsigned long)fault->regs->value[X86_RSP],
			 (unsigned long)(fault->regs->value[X86_RSP] - address));
	finding_evidence(out, f, "log", "%s", said->text);
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

	if (beside_stack(facts, out) || guard_hit_from_above(facts, said, out))
		return NULL;
	if (!said)
		said = facts_log_find_last(facts, "kernel stack overflow");
	bool doubled = fault->trap == TRAP_DOUBLE_FAULT || fault->trap == TRAP_PAGE_FAULT;
	bool off = doubled && fault->regs && off_the_stack(facts, fault->regs->value[X86_RSP]);
	const char *other = doubled && fault->regs && !off ? below_other(facts) : NULL;
	if (!said && !off && !other) {
		if (!report_mark(facts, out) && fault->trap == TRAP_DOUBLE_FAULT)
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
			    (off || other) && said ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY,
			    other ? "The interrupt or exception stack of a CPU overflowed in %s, %s"
				  : "The kernel stack overflowed in %s, %s", facts_frame_text(facts, frame),
			    facts_where(facts));
	f->blame = facts_blame(facts, frame);
	if (off)
		finding_evidence(out, f, "bt", "rsp = 0x%lx; the task's stack begins at 0x%lx",
				 (unsigned long)fault->regs->value[X86_RSP],
				 (unsigned long)facts->task->stack);
	if (other)
		finding_evidence(out, f, "bt", "rsp = 0x%lx, in %s",
				 (unsigned long)fault->regs->value[X86_RSP], other);
	if (said)
		finding_evidence(out, f, "log", "%s", said->text);
	if (find_cycle(facts, frame, &cycle)) {
		describe_cycle(facts, &cycle, out, f);
		f->confidence = said ? CONFIDENCE_CERTAIN : f->confidence;
	} else {
		describe_frames(facts, frame, out, f);
	}
	return NULL;
}

const struct detector detector_stack = {
	.name = "stack",
	.looks_for = "kernel stack overflow, endless recursion, double faults",
	.run = run,
};
