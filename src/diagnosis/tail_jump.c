// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The top of the stack is the return address of a direct call: whoever went astray had pushed
 * nothing, so that it was the function called, or one that it jumped on to. If it has one indirect
 * jump that leaves it and that leads where the CPU is, it was that. No register has changed since.
 */
#include "diagnosis/tail_jump.h"

#include "base/strbuf.h"
#include "kernel/code_env.h"

/* Is it a stub that calls what a register or a table says? Then the call is as good as indirect. */
static bool is_stub(const char *name)
{
	static const char *const stubs[] = { "__x86_indirect_*", "__SCT__*", "__x86_return_*",
					     "srso_*", "retbleed_*", "ftrace_*" };

	for (size_t i = 0; i < array_size(stubs); i++) {
		if (glob_match(stubs[i], name))
			return true;
	}
	return false;
}

/*
 * Is the call that frame @i stands behind one of a fixed function? Then it was not this call that
 * went astray but what it called: by a return address that was overwritten, or by jumping on.
 */
bool direct_callee(const struct facts *facts, size_t i, struct symbol *callee)
{
	enum { CALL_LENGTH = 5 }; /* call rel32, Intel SDM vol. 2 */
	const struct frame *frame = &facts->stack.frames[i];
	uint8_t bytes[CALL_LENGTH];
	struct insn insn;

	return memory_read(facts->session->memory, frame->pc - CALL_LENGTH, bytes,
			   CALL_LENGTH) == READ_OK &&
	       code_decode(bytes, CALL_LENGTH, frame->pc - CALL_LENGTH, &insn) &&
	       insn.kind == INSN_CALL && !insn.indirect && insn.length == CALL_LENGTH &&
	       symbols_by_address(facts->session->symbols, insn.target, callee) &&
	       callee->address == insn.target && !is_stub(callee->name);
}

/* --- Where the pointer came from. --- */

enum { LOADS_MAX = 4 }; /* one behind another: a->b->c->function */

struct way {
	const struct facts *facts;
	const struct cfg *cfg;
	uint32_t first, jump; /* of the jump's block; the jump itself */
};

static bool operand_address(const struct way *w, uint32_t at, unsigned depth, uint64_t *address);

static bool is_load(const struct insn *insn, int reg)
{
	return insn->does == INSN_DOES_MOVE && insn->memory.present && insn->memory.size == 8 &&
	       !insn->memory.write && insn->operand[0].kind == OPERAND_REGISTER &&
	       insn->operand[0].reg == reg;
}

static bool changes(const struct way *w, uint32_t at, int reg)
{
	return (w->cfg->insns[at].insn.writes | w->cfg->insns[at].destroys) >> reg & 1;
}

/* What the register was before instruction @at: loaded in the block, or as it still is. */
static bool value_before(const struct way *w, uint32_t at, int reg, unsigned depth, uint64_t *value)
{
	const struct regs *regs = w->facts->fault.regs;
	uint64_t address;

	for (uint32_t i = at; i-- > w->first;) {
		if (!changes(w, i, reg))
			continue;
		return depth < LOADS_MAX && is_load(&w->cfg->insns[i].insn, reg) &&
		       operand_address(w, i, depth + 1, &address) &&
		       memory_u64(w->facts->session->memory, address, value) == READ_OK;
	}
	for (uint32_t i = at; i < w->jump; i++) {
		if (changes(w, i, reg))
			return false;
	}
	if (!regs_known(regs, (unsigned)reg))
		return false;
	*value = regs->value[reg];
	return true;
}

static bool operand_address(const struct way *w, uint32_t at, unsigned depth, uint64_t *address)
{
	const struct insn_memory *m = &w->cfg->insns[at].insn.memory;
	struct regs regs = *w->facts->fault.regs;
	const int needed[] = { m->base, m->index };

	for (size_t i = 0; i < array_size(needed) && !m->absolute; i++) {
		if (needed[i] >= 0 && needed[i] < X86_RIP &&
		    !value_before(w, at, needed[i], depth, &regs.value[needed[i]]))
			return false;
	}
	return code_memory_address(m, &regs, address);
}

/* The cell that the jump's register was loaded from, in the jump's own block; 0: not known. */
static uint64_t loaded_from(const struct facts *facts, const struct cfg *cfg, uint32_t at)
{
	const struct way w = { .facts = facts, .cfg = cfg, .jump = at,
			       .first = cfg->blocks[cfg_block_of(cfg, at)].first };
	int reg = cfg->insns[at].through;
	uint64_t cell = 0, now;
	bool found = false;

	if (cfg->insns[at].insn.memory.present) {
		found = operand_address(&w, at, 0, &cell);
	} else if (reg >= 0) {
		uint32_t i = at;
		while (i > w.first && !changes(&w, i - 1, reg))
			i--;
		found = i > w.first && is_load(&cfg->insns[i - 1].insn, reg) &&
			operand_address(&w, i - 1, 0, &cell);
	}
	return found && memory_u64(facts->session->memory, cell, &now) == READ_OK &&
			       now == facts->fault.pc
		       ? cell : 0;
}

bool tail_jump_find(const struct facts *facts, size_t caller, struct tail_jump *jump)
{
	const struct regs *regs = facts->fault.regs;
	const char *why;
	bool found = false;

	*jump = (struct tail_jump){ 0 };
	if (facts->session->text || !regs_known(regs, X86_RSP) ||
	    facts->stack.frames[caller].retaddr_at != regs->value[X86_RSP] ||
	    !direct_callee(facts, caller, &jump->function))
		return false;
	const struct cfg *cfg = code_cfg(facts->session, jump->function.address, &why);
	for (uint32_t i = 0; cfg && i < cfg->insn_count; i++) {
		const struct cfg_insn *insn = &cfg->insns[i];
		/* On to a function that may have jumped itself. */
		if (insn->role == CFG_TAIL || insn->role == CFG_LOST)
			return false;
		if (insn->role != CFG_TAIL_INDIRECT)
			continue;
		bool here = insn->through < 0 ||
			    (regs_known(regs, (unsigned)insn->through) &&
			     regs->value[insn->through] == facts->fault.pc);
		if (found || !here)
			return false;
		found = true;
		jump->at = insn->at;
		jump->cell = loaded_from(facts, cfg, i);
	}
	return found;
}
