// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One step up the stack out of entry code that no table covers.
 *
 * The assembly that exceptions and interrupts enter the kernel by has ORC entries, but (since 4.3)
 * no CFI: a CPU that an NMI stopped there, on a kernel without ORC, would be left to the scan, and
 * the scan finds return addresses only, never the function that was interrupted. But the CPU itself
 * has pushed five words that are hard to mistake (Intel SDM vol. 3A, 6.14.2): rip, cs, rflags, rsp,
 * ss, right below the interrupted rsp, aligned to 16 bytes. So these are looked for, close above
 * the stack pointer, and only for code between __entry_text_start and __entry_text_end.
 */
#include "base/bytes.h"
#include "unwind/walk.h"

enum {
	IRET_OFFSET = 16 * 8, /* offsetof(struct pt_regs, ip) */
	IRET_SIZE = 5 * 8,
	WORDS_MAX = 32,       /* struct pt_regs (21), and a few that entry code pushes below it */
	CS_KERNEL = 0x10, CS_USER = 0x33, SS_USER = 0x2b, /* asm/segment.h */
};

static bool in_entry_text(const struct walk_state *walk)
{
	const struct unwind_env *env = walk->env;
	uint64_t start = env->symbol(env->ctx, "__entry_text_start");
	uint64_t end = env->symbol(env->ctx, "__entry_text_end");

	return start && walk->now.pc >= start && walk->now.pc < end;
}

static bool is_frame(const struct walk_state *walk, uint64_t at)
{
	uint8_t raw[IRET_SIZE];

	if (walk->env->read(walk->env->ctx, at, raw, sizeof(raw)) != READ_OK)
		return false;
	uint64_t rip = load_u64(raw), cs = load_u64(raw + 8), rsp = load_u64(raw + 24);
	if (cs == CS_KERNEL) {
		/* Interrupt stacks are switched to later: the CPU pushes where rsp was. */
		return env_is_code(walk->env, rip) && (rsp & ~UINT64_C(15)) == at + IRET_SIZE;
	}
	return cs == CS_USER && load_u64(raw + 32) == SS_USER &&
	       !walk->env->arch->is_kernel_address(rip) &&
	       !walk->env->arch->is_kernel_address(rsp);
}

enum step iret_step(struct walk_state *walk, struct frame *next)
{
	uint64_t at = walk->now.sp;

	if (walk->now.is_call || !in_entry_text(walk) || at % 8)
		return walk_fail(walk, "0x%llx is not in entry code",
				 (unsigned long long)walk->now.pc);
	for (unsigned i = 0; i < WORDS_MAX; i++, at += 8) {
		if (!is_frame(walk, at))
			continue;
		enum step step = walk_pt_regs(walk, at - IRET_OFFSET, true, next);
		if (step != STEP_FAILED)
			return step;
	}
	return walk_fail(walk, "no exception frame is near 0x%llx",
			 (unsigned long long)walk->now.sp);
}
