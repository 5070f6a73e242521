// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One step up the stack by the kernel's ORC tables.
 *
 * An entry says from which register to compute the caller's stack pointer (the CFA), what is there
 * (a return address, saved registers, the part of them that the CPU pushes) and where the caller's
 * frame pointer was saved, if it was. Semantics: arch/x86/kernel/unwind_orc.c, Documentation/arch/
 * x86/orc-unwinder.rst. Other registers are not restored by ORC; they are unknown in a caller's
 * frame until one is found that was interrupted.
 *
 * Switches of stacks are ordinary entries: the old stack pointer was saved on the new stack
 * (SP_INDIRECT), or is in the saved registers of an exception. Since 5.12 the offset of an
 * SP_INDIRECT entry is added after the load (87ccc826bf1c); before, entries with an offset were
 * those of saved registers only, and it was added before.
 */
#include "unwind/walk.h"

enum { IRET_OFFSET = 16 * 8 }; /* offsetof(struct pt_regs, ip) */

static const char *const base_names[] = {
	[ORC_BASE_SP] = "rsp", [ORC_BASE_SP_INDIRECT] = "rsp", [ORC_BASE_BP] = "rbp",
	[ORC_BASE_BP_INDIRECT] = "rbp", [ORC_BASE_DX] = "rdx", [ORC_BASE_DI] = "rdi",
	[ORC_BASE_R10] = "r10", [ORC_BASE_R13] = "r13", [ORC_BASE_AX] = "rax",
};

static unsigned base_register(uint8_t base)
{
	switch (base) {
	case ORC_BASE_SP:
	case ORC_BASE_SP_INDIRECT:
		return X86_RSP;
	case ORC_BASE_BP:
	case ORC_BASE_BP_INDIRECT:
		return X86_RBP;
	case ORC_BASE_DX:
		return X86_RDX;
	case ORC_BASE_DI:
		return X86_RDI;
	case ORC_BASE_R10:
		return X86_R10;
	case ORC_BASE_R13:
		return X86_R13;
	case ORC_BASE_AX:
		return X86_RAX;
	default:
		return X86_REG_COUNT;
	}
}

/* The value of a register in this frame, or what entry code had left of the one before. */
static bool register_value(const struct walk_state *walk, unsigned reg, uint64_t *value)
{
	const struct regs *regs = &walk->now.regs;

	if (!regs_known(regs, reg))
		regs = &walk->entry_regs;
	if (!regs_known(regs, reg))
		return false;
	*value = regs->value[reg];
	return true;
}

static enum step find_cfa(struct walk_state *walk, const struct orc_entry *entry, uint64_t *cfa)
{
	bool indirect = entry->sp_base == ORC_BASE_SP_INDIRECT ||
			entry->sp_base == ORC_BASE_BP_INDIRECT;
	bool add_after = entry->sp_base == ORC_BASE_SP_INDIRECT && entry->type == ORC_TYPE_CALL;
	unsigned reg = base_register(entry->sp_base);
	uint64_t offset = (uint64_t)(int64_t)entry->sp_offset;
	uint64_t base;

	if (reg == X86_REG_COUNT)
		return walk_fail(walk, "the ORC entry for 0x%llx makes no sense",
				 (unsigned long long)walk->now.pc);
	if (!register_value(walk, reg, &base))
		return walk_fail(walk, "the stack pointer at 0x%llx depends on %s, which is lost",
				 (unsigned long long)walk->now.pc, base_names[entry->sp_base]);
	switch (reg) {
	case X86_RSP:
	case X86_RBP:
		break;
	default: /* the register is the caller's stack pointer: realigned stacks, entry code */
		offset = 0;
	}
	if (!indirect) {
		*cfa = base + offset;
		return STEP_CALLER;
	}
	uint64_t at = add_after ? base : base + offset;
	enum read_status status = env_u64(walk->env, at, cfa);
	if (status != READ_OK)
		return walk_fail_read(walk, "the saved stack pointer", at, status);
	if (add_after)
		*cfa += offset;
	return STEP_CALLER;
}

/* The frame pointer of the caller; unknown when it cannot be read. */
static void find_fp(struct walk_state *walk, const struct orc_entry *entry, uint64_t cfa,
		    struct frame *next)
{
	uint64_t base, fp;

	switch (entry->bp_base) {
	case ORC_BASE_UNDEFINED: /* not touched by this function */
		if (!regs_known(&next->regs, X86_RBP) && register_value(walk, X86_RBP, &fp))
			regs_set(&next->regs, X86_RBP, fp);
		return;
	case ORC_BASE_PREV_SP:
		base = cfa;
		break;
	case ORC_BASE_BP:
		if (!register_value(walk, X86_RBP, &base))
			return;
		break;
	default:
		return;
	}
	base += (uint64_t)(int64_t)entry->bp_offset;
	if (env_u64(walk->env, base, &fp) == READ_OK)
		regs_set(&next->regs, X86_RBP, fp);
}

static enum step call_step(struct walk_state *walk, const struct orc_entry *entry, uint64_t cfa,
			   struct frame *next)
{
	uint64_t at = cfa - 8, pc;

	if (walk_read_return(walk, at, &pc) != STEP_CALLER)
		return STEP_FAILED;
	walk_call_frame(walk, next, FRAME_ORC, pc, at);
	next->is_call = !entry->signal;
	return STEP_CALLER;
}

enum step orc_step(struct walk_state *walk, struct frame *next)
{
	struct unwinder *u = walk->unwinder;
	uint64_t pc = walk->now.pc - walk->now.is_call, cfa;
	struct orc_entry entry;
	const char *why = "";
	enum step step;

	if (!u->has_orc)
		return walk_fail(walk, "the kernel has no ORC tables");
	if (!orc_find(&u->orc, walk->env, pc, &entry, &why))
		return walk_fail(walk, "no unwind information for 0x%llx: %s",
				 (unsigned long long)walk->now.pc, why);
	/* They are marked as the end of a stack, but somebody called them. */
	if (entry.type == ORC_TYPE_END && walk_is_retpoline(walk, pc))
		return walk_fail(walk, "retpolines have no unwind information");
	if (entry.type == ORC_TYPE_END)
		return walk_user_regs_on_top(walk) ? STEP_END_USER : STEP_END_KTHREAD;
	if (entry.type == ORC_TYPE_UNDEFINED || entry.type == ORC_TYPE_UNKNOWN)
		return walk_fail(walk, "the kernel has no unwind information for 0x%llx",
				 (unsigned long long)walk->now.pc);
	step = find_cfa(walk, &entry, &cfa);
	if (step != STEP_CALLER)
		return step;
	if (entry.type == ORC_TYPE_CALL) {
		step = call_step(walk, &entry, cfa, next);
	} else if (entry.type == ORC_TYPE_REGS) {
		step = walk_pt_regs(walk, cfa, false, next);
	} else {
		step = walk_pt_regs(walk, cfa - IRET_OFFSET, true, next);
	}
	if (step != STEP_CALLER)
		return step;
	if (entry.type == ORC_TYPE_CALL)
		walk->now.cfa = cfa;
	else
		next->is_call = !entry.signal;
	find_fp(walk, &entry, cfa, next);
	return STEP_CALLER;
}
