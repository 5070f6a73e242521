// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A guess, when nothing else finds the caller: the next word up the stack that is a return address
 * (of code, and after a call instruction). Stale ones of earlier calls look the same, so each
 * candidate is tried: a direct call of the very function at hand is best, else one from which the
 * tables find another frame, or the end.
 */
#include "base/bytes.h"
#include "unwind/walk.h"

enum {
	SPAN_MAX = 32768,        /* bytes looked at when the stack's limits are not known */
	SCANNED_MAX = 1 << 16,   /* words looked at in one walk; bounds hostile stacks */
	CHUNK_WORDS = 64,
	FRAME_MAX = 2048,        /* what one function may have on the stack */
	CANDIDATES_MAX = 64,
};

/* Do the tables lead on from @candidate, up the stack? */
static bool leads_on(const struct walk_state *walk, const struct frame *candidate)
{
	struct walk_state trial = *walk;
	struct frame next = { 0 };

	trial.now = *candidate;
	trial.entry_regs = (struct regs){ 0 };
	switch ((walk->unwinder->has_orc ? orc_step : cfi_step)(&trial, &next)) {
	case STEP_CALLER:
		return next.sp > candidate->sp &&
		       (next.has_regs || walk_after_call(walk, next.pc));
	case STEP_END_USER:
	case STEP_END_KTHREAD:
		return true;
	default:
		return false;
	}
}

struct scan {
	uint64_t function;   /* that the call must be of; 0 unknown */
	struct frame first;  /* the lowest return address */
	struct frame likely; /* the lowest from which the tables lead on; pc 0: none */
	unsigned candidates;
};

/* Looks at one word. True: @next is the frame wanted. */
static bool consider(struct walk_state *walk, struct scan *scan, uint64_t at, uint64_t word,
		     struct frame *next)
{
	if (!walk->env->arch->is_kernel_address(word) || !walk_is_return(walk, word) ||
	    !walk_after_call(walk, word))
		return false;
	*next = (struct frame){ 0 };
	walk_call_frame(walk, next, FRAME_SCAN, word, at);
	if (!scan->candidates++)
		scan->first = *next;
	if (scan->function && walk_called_from(walk, word, scan->function))
		return true;
	if (!scan->likely.pc && leads_on(walk, next))
		scan->likely = *next;
	return false;
}

/* Looks at the words from @at to @end until one is the frame wanted. */
static bool scan_range(struct walk_state *walk, struct scan *scan, uint64_t at, uint64_t end,
		       struct frame *next)
{
	while (at < end && scan->candidates < CANDIDATES_MAX) {
		uint8_t raw[CHUNK_WORDS * 8];
		/* Chunks end where pages may, so that a hole takes no more than it is. */
		uint64_t chunk_end = (at | (sizeof(raw) - 1)) + 1;
		size_t count = (size_t)(min_u64(chunk_end, end) - at) / 8;

		if (!count || chunk_end < at || walk->scanned + count > SCANNED_MAX)
			break;
		walk->scanned += (unsigned)count;
		if (walk->env->read(walk->env->ctx, at, raw, count * 8) != READ_OK)
			count = 0;
		for (size_t i = 0; i < count && scan->candidates < CANDIDATES_MAX; i++) {
			if (consider(walk, scan, at + i * 8, load_u64(raw + i * 8), next))
				return true;
		}
		at = chunk_end;
	}
	return false;
}

enum step scan_step(struct walk_state *walk, struct frame *next)
{
	uint64_t at = (walk->now.sp + 7) & ~UINT64_C(7);
	uint64_t end = walk->stack.high ? walk->stack.high : at + SPAN_MAX;
	struct scan scan = { 0 };
	struct symbol symbol;

	/* A stack pointer below its stack: overflowed into the guard page. */
	if (walk->stack.high && at < walk->stack.low)
		at = walk->stack.low;
	if (at >= end)
		return walk_fail(walk, "the stack ends here");
	if (walk->env->function(walk->env->ctx, walk->now.pc - walk->now.is_call, &symbol))
		scan.function = symbol.address;
	uint64_t near = at + min_u64(end - at, FRAME_MAX);
	if (scan_range(walk, &scan, at, near, next))
		return STEP_CALLER;
	/* Beyond one frame's size a call of this function is no more likely than others. */
	scan.function = 0;
	for (at = near; !scan.likely.pc && at < end; at += FRAME_MAX)
		(void)scan_range(walk, &scan, at, at + min_u64(end - at, FRAME_MAX), next);
	if (!scan.candidates)
		return walk_fail(walk, "no return address is left on the stack");
	*next = scan.likely.pc ? scan.likely : scan.first;
	return STEP_CALLER;
}
