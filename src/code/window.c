// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Decoding x86 backwards: from a wrong byte the decoder soon falls into step with the right
 * boundaries. Chains from every byte that hit the instruction at pc are made; a boundary is
 * believed when all of them have it that began some bytes before it.
 */
#include "code/window.h"

#include <string.h>

enum {
	WINDOW_BYTES_MAX = 256,
	CHAINS_MIN = 2,
	RUN_UP = 12, /* bytes after which a chain should be in step: 6 in 1000 are not, of kernel code */
};

static bool decode(const struct code_window *w, size_t offset, struct insn *insn)
{
	return offset < w->size &&
	       code_decode(w->bytes + offset, w->size - offset, w->address + offset, insn) &&
	       insn->length;
}

bool code_window_insn(const struct code_window *w, size_t i, struct insn *insn)
{
	return i < w->count && decode(w, w->start[i], insn);
}

/* Adds instructions from @from on to the end; those that are cut off are none. */
static void add_from(struct code_window *w, size_t from)
{
	struct insn insn;

	for (size_t at = from; w->count < WINDOW_INSNS_MAX && decode(w, at, &insn);
	     at += insn.length)
		w->start[w->count++] = (uint16_t)at;
}

/* Which offsets a chain of instructions begins at. */
struct chain {
	bool hits; /* it comes to where it should */
	uint64_t begins[WINDOW_BYTES_MAX / 64];
};

static bool begins_at(const struct chain *chain, size_t at)
{
	return chain->begins[at / 64] >> at % 64 & 1;
}

/* Decodes from @from on: does it come to @to? */
static void follow(const struct code_window *w, size_t from, size_t to, struct chain *chain)
{
	struct insn insn;
	size_t at;

	*chain = (struct chain){ 0 };
	for (at = from; at < to && decode(w, at, &insn); at += insn.length)
		chain->begins[at / 64] |= UINT64_C(1) << at % 64;
	chain->hits = at == to;
}

/* The first boundary that all chains have which had some bytes to fall into step. */
static size_t agreed(const struct code_window *w, size_t to)
{
	struct chain chains[WINDOW_BYTES_MAX];

	if (to > WINDOW_BYTES_MAX)
		return to;
	for (size_t from = 0; from < to; from++)
		follow(w, from, to, &chains[from]);
	for (size_t at = RUN_UP; at < to; at++) {
		size_t have = 0, lack = 0;
		for (size_t from = 0; from + RUN_UP <= at; from++) {
			have += chains[from].hits && begins_at(&chains[from], at);
			lack += chains[from].hits && !begins_at(&chains[from], at);
		}
		if (have >= CHAINS_MIN && !lack)
			return at;
	}
	return to;
}

bool code_window(const uint8_t *bytes, size_t size, size_t pc_index, uint64_t pc, uint64_t offset,
		 struct code_window *w)
{
	struct insn insn;
	size_t from;

	*w = (struct code_window){ .bytes = bytes, .size = size, .pc = pc,
				   .address = pc - pc_index };
	if (pc_index >= size || size > UINT16_MAX || !decode(w, pc_index, &insn))
		return false;
	from = agreed(w, pc_index);
	if (offset <= pc_index) {
		struct chain chain = { 0 };
		if (pc_index < WINDOW_BYTES_MAX)
			follow(w, pc_index - offset, pc_index, &chain);
		w->from_entry = chain.hits;
		if (w->from_entry || pc_index - offset > from)
			from = pc_index - offset;
	}
	add_from(w, from);
	for (w->at = 0; w->at < w->count && w->start[w->at] != pc_index; w->at++)
		;
	if (w->at < w->count)
		return true;
	/* The entry is not where it is said to be: only what is behind pc is known. */
	w->count = w->at = 0;
	w->from_entry = false;
	add_from(w, pc_index);
	return w->count > 0;
}

/* --- Origins. --- */

static bool ends_line(const struct insn *insn)
{
	return insn->kind == INSN_RETURN || insn->kind == INSN_TRAP || insn->leaves ||
	       (insn->kind == INSN_JUMP && insn->condition == COND_ALWAYS);
}

static bool written_between(const struct code_window *w, size_t from, size_t to, unsigned reg)
{
	struct insn insn;

	for (size_t i = from; i < to; i++) {
		if (!code_window_insn(w, i, &insn) || insn.kind == INSN_CALL || ends_line(&insn) ||
		    insn.writes >> reg & 1)
			return true;
	}
	return false;
}

/*
 * The jump at @i leads to instruction @to, from where @reg stays as it is. Had it been taken, @reg
 * would be a copy of another register that still holds what it did: do the registers deny that?
 */
static bool is_denied(const struct code_window *w, size_t i, size_t to, unsigned reg,
		      const struct regs *regs)
{
	for (size_t k = i; k-- > 0;) {
		struct insn insn;
		const struct insn_operand *from = &insn.operand[1];
		if (!code_window_insn(w, k, &insn) || insn.kind == INSN_CALL || ends_line(&insn))
			return false;
		if (!(insn.writes >> reg & 1))
			continue;
		return insn.does == INSN_DOES_MOVE && insn.operand[0].size == 8 &&
		       from->kind == OPERAND_REGISTER && from->reg >= 0 && !from->high &&
		       regs_known(regs, (unsigned)from->reg) && regs_known(regs, reg) &&
		       regs->value[from->reg] != regs->value[reg] &&
		       !written_between(w, k + 1, i, (unsigned)from->reg) &&
		       !written_between(w, to, w->at, (unsigned)from->reg) &&
		       !written_between(w, to, w->at, reg);
	}
	return false;
}

static size_t number_at(const struct code_window *w, uint64_t at)
{
	size_t i = 0;

	while (i < w->count && w->start[i] != at)
		i++;
	return i;
}

/* May a jump in the window have led to an instruction in (@first, @last]? */
static bool is_jumped_into(const struct code_window *w, size_t first, size_t last, unsigned reg,
			   const struct regs *regs)
{
	for (size_t i = 0; i < w->count; i++) {
		struct insn insn;
		if (!code_window_insn(w, i, &insn) || insn.kind != INSN_JUMP || !insn.target)
			continue;
		uint64_t at = insn.target - w->address;
		if (at > w->start[first] && at <= w->start[last] &&
		    !is_denied(w, i, number_at(w, at), reg, regs))
			return true;
	}
	return false;
}

/* Is the register the same before instruction @i as at pc? */
static bool same_since(const struct code_window *w, size_t i, int reg)
{
	struct insn insn;

	for (; reg >= 0 && i < w->at; i++) {
		if (!code_window_insn(w, i, &insn) || insn.writes >> reg & 1 ||
		    insn.kind == INSN_CALL)
			return false;
	}
	return true;
}

static void find_cell(const struct code_window *w, size_t i, const struct insn_memory *cell,
		      const struct regs *regs, struct window_origin *o)
{
	o->cell = *cell;
	o->has_cell_address = !cell->per_cpu && same_since(w, i, cell->base) &&
			      same_since(w, i, cell->index) &&
			      code_memory_address(cell, regs, &o->cell_address);
}

/*
 * What instruction @i does to the register. True: the value went on into another one, or was only
 * added to, and is to be followed further.
 */
static bool step_back(const struct code_window *w, size_t i, const struct insn *insn, unsigned *reg,
		      const struct regs *regs, struct window_origin *o)
{
	const struct insn_operand *to = &insn->operand[0], *from = &insn->operand[1];
	bool whole = to->kind == OPERAND_REGISTER && to->reg == (int)*reg && to->size >= 4;

	o->at = w->address + w->start[i];
	if (insn->kind == INSN_CALL) {
		o->kind = *reg == X86_RAX ? WINDOW_RESULT : WINDOW_LOST;
		return false;
	}
	if (!whole || insn->repeats)
		return false;
	if (insn->does == INSN_DOES_XOR && from->kind == OPERAND_REGISTER && from->reg == to->reg) {
		o->kind = WINDOW_CONSTANT;
		return false;
	}
	if ((insn->does == INSN_DOES_MOVE || insn->does == INSN_DOES_ZERO_EXTEND ||
	     insn->does == INSN_DOES_SIGN_EXTEND) && from->kind == OPERAND_MEMORY) {
		o->kind = WINDOW_LOADED;
		o->size = (uint8_t)from->size;
		find_cell(w, i, &insn->memory, regs, o);
		return false;
	}
	if (insn->does == INSN_DOES_MOVE && from->kind == OPERAND_IMMEDIATE) {
		o->kind = WINDOW_CONSTANT;
		o->value = (uint64_t)from->value;
		return false;
	}
	if ((insn->does == INSN_DOES_MOVE || insn->does == INSN_DOES_ZERO_EXTEND ||
	     insn->does == INSN_DOES_SIGN_EXTEND) && from->kind == OPERAND_REGISTER &&
	    !from->high && from->reg >= 0) {
		*reg = (unsigned)from->reg;
		return true;
	}
	if ((insn->does == INSN_DOES_ADD || insn->does == INSN_DOES_SUB) &&
	    from->kind == OPERAND_IMMEDIATE && insn->operand_count == 2) {
		o->added += insn->does == INSN_DOES_ADD ? from->value : -from->value;
		return true;
	}
	if (insn->does == INSN_DOES_ADDRESS && insn->address.base >= 0 && insn->address.index < 0) {
		o->added += insn->address.displacement;
		*reg = (unsigned)insn->address.base;
		return true;
	}
	return false;
}

void code_window_origin(const struct code_window *w, size_t i, unsigned reg,
			const struct regs *regs, struct window_origin *o)
{
	size_t from = i;
	unsigned asked = reg;

	*o = (struct window_origin){ .kind = WINDOW_LOST, .cell = { .base = -1, .index = -1 } };
	while (i-- > 0) {
		struct insn insn;
		if (!code_window_insn(w, i, &insn) || ends_line(&insn)) {
			o->kind = WINDOW_LOST;
			return;
		}
		/* What a call destroys: all that the convention does not preserve. */
		bool destroyed = insn.kind == INSN_CALL && reg != X86_RBX && reg != X86_RBP &&
				 reg != X86_RSP && reg < X86_R12;
		if (!destroyed && !(insn.writes >> reg & 1))
			continue;
		if (!step_back(w, i, &insn, &reg, regs, o)) {
			o->jumped_over = o->kind != WINDOW_LOST &&
					 is_jumped_into(w, i, from, asked, regs);
			return;
		}
	}
	o->kind = w->from_entry ? WINDOW_ENTRY : WINDOW_UNCHANGED;
	o->reg = reg;
	o->jumped_over = false;
}

bool code_window_condition(const struct code_window *w, size_t *jump, size_t *compare, bool *taken)
{
	struct insn insn;
	bool falls = true;

	/* Right before it, when nothing but compares' doings lies between. */
	for (size_t i = w->at; i-- > 0;) {
		if (!code_window_insn(w, i, &insn))
			return false;
		falls = falls && !ends_line(&insn) && insn.kind != INSN_CALL;
		bool leads = insn.kind == INSN_JUMP && insn.condition != COND_ALWAYS &&
			     insn.condition != COND_OTHER && insn.target == w->pc;
		bool passed = falls && i + 1 == w->at && insn.kind == INSN_JUMP &&
			      insn.condition != COND_ALWAYS && insn.condition != COND_OTHER;
		if (!leads && !passed)
			continue;
		*jump = i;
		*taken = leads;
		while (i-- > 0) {
			if (!code_window_insn(w, i, &insn))
				return false;
			if (!insn.writes_flags)
				continue;
			*compare = i;
			return insn.does == INSN_DOES_COMPARE || insn.does == INSN_DOES_TEST;
		}
		return false;
	}
	return false;
}
