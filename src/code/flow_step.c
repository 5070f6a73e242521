// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What one instruction does to the state of value flow.
 *
 * The forms of enum insn_does are followed exactly; of any other the registers that it writes
 * become FLOW_LOST, and the memory that it writes unknown. Stores go by what their address is:
 *
 *   entry sp + constant       that slot, exactly
 *   else, made of the stack   any slot but those of the prologue
 *   anything else             slots whose address was given away: those at or above the lowest
 *                             such address, but for those of the prologue
 *
 * A call, too, may write slots that were given away. An address is given away when it is stored, or
 * in a register that a callee may take arguments from.
 */
#include <string.h>

#include "code/flow_state.h"

enum { WORD = 8 };

static bool is_stack_value(const struct flow *flow, flow_id id)
{
	return flow->nodes.data[id].stack;
}

static void give_away(struct flow *flow, struct flow_state *state, flow_id id)
{
	int64_t offset;

	if (!is_stack_value(flow, id))
		return;
	if (!flow_is_stack(flow, id, &offset))
		offset = INT64_MIN;
	if (offset < state->escaped)
		state->escaped = offset;
}

static void kill_escaped(struct flow_state *state)
{
	if (state->escaped != FLOW_NOT_ESCAPED)
		flow_state_kill(state, state->escaped, INT64_MAX, false);
}

/*
 * The caller's value of a register that functions preserve: a program has no use for it but to give
 * it back, so that the slot where it is stored is the compiler's own.
 */
static bool is_given_back(const struct flow *flow, flow_id id)
{
	const struct flow_node *n = &flow->nodes.data[id];

	return n->kind == FLOW_ENTRY && n->reg != X86_RSP &&
	       flow->env->arch->preserved >> n->reg & 1;
}

/* @length 0: of unknown length. */
static void store(struct flow *flow, struct flow_state *state, flow_id address, uint64_t length,
		  const struct flow_slot *slot)
{
	int64_t offset;

	if (slot)
		give_away(flow, state, slot->value);
	if (!is_stack_value(flow, address)) {
		kill_escaped(state);
	} else if (!flow_is_stack(flow, address, &offset)) {
		flow_state_kill(state, INT64_MIN, INT64_MAX, false);
	} else if (!length || length > INT32_MAX || offset > INT32_MAX || offset < INT32_MIN) {
		flow_state_kill(state, offset, INT64_MAX, false);
	} else if (!slot) {
		flow_state_kill(state, offset, offset + (int64_t)length, true);
	} else {
		struct flow_slot s = *slot;
		s.offset = offset;
		s.size = (uint8_t)length;
		s.saved = length == WORD && is_given_back(flow, slot->value);
		flow_state_store(state, &s);
	}
}

flow_id flow_operand_address(struct flow *flow, const struct flow_state *state,
			     const struct insn_memory *m)
{
	flow_id address = flow_constant(flow, (uint64_t)m->displacement);

	if (m->base >= 0) {
		flow_id base = m->base < FLOW_REGS ? state->regs[m->base] : FLOW_NONE;
		address = flow_binary(flow, FLOW_ADD, base, address);
	}
	if (m->index >= 0) {
		flow_id index = m->index < FLOW_REGS ? state->regs[m->index] : FLOW_NONE;
		index = flow_binary(flow, FLOW_MUL, index, flow_constant(flow, m->scale));
		address = flow_binary(flow, FLOW_ADD, address, index);
	}
	if (m->wraps)
		address = flow_extend(flow, FLOW_ZERO_EXTEND, address, 4);
	return address;
}

/* An address that could not be written down may be one of the stack if a register in it is. */
static bool may_be_stack(const struct flow *flow, const struct flow_state *state,
			 const struct insn_memory *m)
{
	return (m->base >= 0 && m->base < FLOW_REGS &&
		is_stack_value(flow, state->regs[m->base])) ||
	       (m->index >= 0 && m->index < FLOW_REGS &&
		is_stack_value(flow, state->regs[m->index]));
}

static flow_id load(struct flow *flow, struct flow_state *state, const struct insn_memory *m,
		    uint64_t at)
{
	flow_id address = flow_operand_address(flow, state, m);
	int64_t offset;

	if (!address || m->size > WORD)
		return FLOW_NONE;
	if (m->per_cpu)
		return flow_load(flow, FLOW_PER_CPU, address, m->size, at);
	if (!flow_is_stack(flow, address, &offset))
		return is_stack_value(flow, address)
			       ? FLOW_NONE
			       : flow_load(flow, FLOW_LOAD, address, m->size, at);
	const struct flow_slot *slot = flow_state_slot(state, offset);
	if (slot && slot->size >= m->size)
		return flow_extend(flow, FLOW_ZERO_EXTEND, slot->value, m->size);
	return flow_load(flow, FLOW_LOAD, address, m->size, at);
}

static void set_reg(struct flow *flow, struct flow_state *state, unsigned reg, flow_id value,
		    uint64_t at)
{
	if (reg >= FLOW_REGS)
		return;
	if (!value)
		value = flow_opaque(flow, FLOW_LOST, at, (int)reg, 0,
				    is_stack_value(flow, state->regs[reg]));
	state->regs[reg] = value;
}

/* --- Operands. --- */

static flow_id read_operand(struct flow *flow, struct flow_state *state,
			    const struct cfg_insn *i, unsigned n)
{
	const struct insn_operand *op = &i->insn.operand[n];

	switch (op->kind) {
	case OPERAND_REGISTER:
		if (op->high)
			return flow_extend(flow, FLOW_ZERO_EXTEND,
					   flow_binary(flow, FLOW_SHR, state->regs[op->reg],
						       flow_constant(flow, 8)),
					   1);
		return flow_extend(flow, FLOW_ZERO_EXTEND, state->regs[op->reg], op->size);
	case OPERAND_IMMEDIATE:
		return flow_constant(flow, (uint64_t)op->value);
	case OPERAND_MEMORY:
		return load(flow, state, &i->insn.memory, i->at);
	default:
		return FLOW_NONE;
	}
}

static void write_operand(struct flow *flow, struct flow_state *state, const struct cfg_insn *i,
			  unsigned n, flow_id value)
{
	const struct insn_operand *op = &i->insn.operand[n];

	if (op->kind == OPERAND_REGISTER) {
		/* Four bytes clear the upper half; fewer leave the rest as it was. */
		if (op->size < 4)
			value = FLOW_NONE;
		set_reg(flow, state, (unsigned)op->reg,
			flow_extend(flow, FLOW_ZERO_EXTEND, value, op->size), i->at);
	} else if (op->kind == OPERAND_MEMORY) {
		const struct insn_memory *m = &i->insn.memory;
		flow_id address = flow_operand_address(flow, state, m);
		struct flow_slot slot = { .value = value };
		uint64_t size = m->size <= WORD ? m->size : 0;
		if (!address && may_be_stack(flow, state, m))
			flow_state_kill(state, INT64_MIN, INT64_MAX, false);
		else if (!m->per_cpu)
			store(flow, state, address, size, &slot);
		else
			give_away(flow, state, value);
	}
}

/* --- Groups of instructions. --- */

static void set_flags(struct flow_state *state, bool test, flow_id a, flow_id b, unsigned size)
{
	state->flags = (struct flow_flags){ .known = a && b,
					    .test = test,
					    .size = (uint8_t)size,
					    .a = a,
					    .b = b };
}

static const uint8_t kinds[] = {
	[INSN_DOES_ADD] = FLOW_ADD, [INSN_DOES_SUB] = FLOW_SUB, [INSN_DOES_AND] = FLOW_AND,
	[INSN_DOES_OR] = FLOW_OR,   [INSN_DOES_XOR] = FLOW_XOR, [INSN_DOES_SHL] = FLOW_SHL,
	[INSN_DOES_SHR] = FLOW_SHR, [INSN_DOES_SAR] = FLOW_SAR, [INSN_DOES_MUL] = FLOW_MUL,
	[INSN_DOES_NEG] = FLOW_NEG, [INSN_DOES_NOT] = FLOW_NOT, [INSN_DOES_INC] = FLOW_ADD,
	[INSN_DOES_DEC] = FLOW_SUB,
};

static bool is_shift(enum insn_does does)
{
	return does == INSN_DOES_SHL || does == INSN_DOES_SHR || does == INSN_DOES_SAR;
}

static void arithmetic(struct flow *flow, struct flow_state *state, const struct cfg_insn *i)
{
	const struct insn *insn = &i->insn;
	unsigned size = insn->operand[0].size, count = insn->operand_count;
	enum flow_kind kind = kinds[insn->does];
	bool three = count == 3;
	flow_id a = read_operand(flow, state, i, three ? 1 : 0), b = FLOW_NONE, result;

	if (insn->does == INSN_DOES_INC || insn->does == INSN_DOES_DEC)
		b = flow_constant(flow, 1);
	else if (count > 1)
		b = read_operand(flow, state, i, three ? 2 : 1);
	if (is_shift(insn->does)) {
		/* Counted modulo the width; a count that is not known may be too much for it. */
		if (count < 2)
			b = flow_constant(flow, 1);
		if (insn->operand[1].kind == OPERAND_REGISTER)
			b = flow_binary(flow, FLOW_AND, b,
					flow_constant(flow, size == 8 ? 63 : 31));
		if (insn->does == INSN_DOES_SAR && size < 8)
			a = flow_extend(flow, FLOW_SIGN_EXTEND, a, size);
	}
	/* xor of a register with itself is how 0 is made, whatever was in it. */
	if (insn->does == INSN_DOES_XOR && !three && insn->operand[1].kind == OPERAND_REGISTER &&
	    insn->operand[0].kind == OPERAND_REGISTER &&
	    insn->operand[0].reg == insn->operand[1].reg)
		result = flow_constant(flow, 0);
	else if (insn->does == INSN_DOES_NEG || insn->does == INSN_DOES_NOT)
		result = flow_unary(flow, kind, a);
	else
		result = flow_binary(flow, kind, a, b);
	write_operand(flow, state, i, 0, result);
	if (!insn->writes_flags)
		return;
	state->flags.known = false;
	result = flow_extend(flow, FLOW_ZERO_EXTEND, result, size);
	if (insn->does == INSN_DOES_SUB)
		set_flags(state, false, a, b, size);
	else if (insn->does == INSN_DOES_AND)
		set_flags(state, true, a, b, size);
	else if (insn->does == INSN_DOES_OR || insn->does == INSN_DOES_XOR)
		set_flags(state, true, result, result, size);
}

static void push(struct flow *flow, struct flow_state *state, const struct cfg_insn *i)
{
	const struct insn *insn = &i->insn;
	flow_id value = insn->operand_count ? read_operand(flow, state, i, 0) : FLOW_NONE;
	flow_id sp = flow_binary(flow, FLOW_ADD, state->regs[X86_RSP],
				 flow_constant(flow, (uint64_t)-WORD));
	struct flow_slot slot = { .pushed = true, .value = value };

	if (insn->operand_count && insn->operand[0].size != WORD &&
	    insn->operand[0].kind != OPERAND_IMMEDIATE)
		slot.value = FLOW_NONE;
	set_reg(flow, state, X86_RSP, sp, i->at);
	store(flow, state, state->regs[X86_RSP], WORD, &slot);
}

/* What lies below the stack pointer is anybody's. */
static void drop_below(struct flow *flow, struct flow_state *state)
{
	int64_t sp;

	if (flow_is_stack(flow, state->regs[X86_RSP], &sp))
		flow_state_kill(state, INT64_MIN, sp, true);
}

static flow_id pop_value(struct flow *flow, struct flow_state *state, uint64_t at)
{
	const struct insn_memory top = { .present = true,
					 .base = X86_RSP,
					 .index = -1,
					 .size = WORD };
	flow_id value = load(flow, state, &top, at);

	set_reg(flow, state, X86_RSP,
		flow_binary(flow, FLOW_ADD, state->regs[X86_RSP], flow_constant(flow, WORD)), at);
	drop_below(flow, state);
	return value;
}

static void pop(struct flow *flow, struct flow_state *state, const struct cfg_insn *i)
{
	flow_id value = pop_value(flow, state, i->at);

	if (i->insn.operand_count)
		write_operand(flow, state, i, 0, value);
	if (i->insn.writes_flags)
		state->flags.known = false;
}

static void exchange(struct flow *flow, struct flow_state *state, const struct cfg_insn *i)
{
	flow_id a = read_operand(flow, state, i, 0), b = read_operand(flow, state, i, 1);

	write_operand(flow, state, i, 0, b);
	write_operand(flow, state, i, 1, a);
}

static void select_move(struct flow *flow, struct flow_state *state, const struct cfg_insn *i)
{
	flow_id old = read_operand(flow, state, i, 0), new = read_operand(flow, state, i, 1);
	flow_id value = old;

	if (old != new)
		value = !old || !new
				? FLOW_NONE
				: flow_make(flow, &(struct flow_node){ .kind = FLOW_CHOICE,
								       .reg = -1,
								       .a = old,
								       .b = new,
								       .at = i->at });
	write_operand(flow, state, i, 0, value);
}

/* --- Whatever is not followed. --- */

static void lose_memory(struct flow *flow, struct flow_state *state, const struct insn_memory *m,
			const struct insn *insn)
{
	flow_id address;
	uint64_t length = m->size, count;

	if (!m->present || !m->write || m->per_cpu)
		return;
	address = flow_operand_address(flow, state, m);
	if (!address && may_be_stack(flow, state, m)) {
		flow_state_kill(state, INT64_MIN, INT64_MAX, false);
		return;
	}
	/* Of large areas the decoder's size is not what is written. */
	if (length > WORD * 2)
		length = 0;
	if (insn->kind == INSN_STRING && insn->repeats) {
		const struct flow_node *n = &flow->nodes.data[state->regs[X86_RCX]];
		count = n->value;
		length = n->kind == FLOW_CONSTANT && count < UINT32_MAX ? count * m->size : 0;
		if (n->kind == FLOW_CONSTANT && !count)
			return;
	}
	store(flow, state, address, length, NULL);
}

static void lose(struct flow *flow, struct flow_state *state, const struct cfg_insn *i,
		 uint64_t regs)
{
	bool stack = false;

	lose_memory(flow, state, &i->insn.memory, &i->insn);
	lose_memory(flow, state, &i->insn.memory2, &i->insn);
	/* Any register that it reads may have gone to memory: an address of the stack, too. */
	for (unsigned reg = 0; reg < FLOW_REGS; reg++) {
		if (!(i->insn.reads >> reg & 1))
			continue;
		stack |= is_stack_value(flow, state->regs[reg]);
		if ((i->insn.memory.write || i->insn.memory2.write) && reg != X86_RSP &&
		    (int)reg != i->insn.memory.base && (int)reg != i->insn.memory2.base)
			give_away(flow, state, state->regs[reg]);
	}
	for (unsigned reg = 0; reg < FLOW_REGS; reg++) {
		if (regs >> reg & 1)
			state->regs[reg] =
				flow_opaque(flow, FLOW_LOST, i->at, (int)reg, 0,
					    stack || is_stack_value(flow, state->regs[reg]));
	}
	if (i->insn.writes_flags)
		state->flags.known = false;
}

static void call(struct flow *flow, struct flow_state *state, const struct cfg_insn *i)
{
	const struct arch *arch = flow->env->arch;
	int64_t sp;

	if (i->role == CFG_CALL_NEUTRAL)
		return;
	drop_below(flow, state);
	for (unsigned reg = 0; reg < FLOW_REGS; reg++) {
		if (!(arch->preserved >> reg & 1))
			give_away(flow, state, state->regs[reg]);
	}
	kill_escaped(state);
	/* Arguments on the stack are the callee's. */
	if (flow_is_stack(flow, state->regs[X86_RSP], &sp)) {
		const struct flow_slot *slot;
		while ((slot = flow_state_slot(state, sp)) && slot->pushed && !slot->saved) {
			sp += slot->size;
			flow_state_kill(state, sp - WORD, sp, true);
		}
	}
	for (unsigned reg = 0; reg < FLOW_REGS; reg++) {
		if (arch->preserved >> reg & 1 && !(i->destroys >> reg & 1))
			continue;
		state->regs[reg] = flow_opaque(flow, reg == X86_RAX ? FLOW_CALL : FLOW_LOST, i->at,
					       (int)reg, 0, false);
	}
	state->flags.known = false;
}

void flow_step_fault(struct flow *flow, struct flow_state *state, const struct cfg_insn *i)
{
	lose(flow, state, i, i->insn.writes);
	/* The handler may set the registers that its entry names: mostly rax, rdx, rcx. */
	for (unsigned reg = 0; reg < FLOW_REGS; reg++) {
		if (!(flow->env->arch->preserved >> reg & 1))
			state->regs[reg] = flow_opaque(flow, FLOW_LOST, i->at, (int)reg, 0,
						       is_stack_value(flow, state->regs[reg]));
	}
	state->flags.known = false;
}

static void step(struct flow *flow, struct flow_state *state, const struct cfg_insn *i)
{
	flow_id a, b;

	switch (i->insn.does) {
	case INSN_DOES_MOVE:
	case INSN_DOES_ZERO_EXTEND:
		write_operand(flow, state, i, 0, read_operand(flow, state, i, 1));
		break;
	case INSN_DOES_SIGN_EXTEND:
		a = read_operand(flow, state, i, 1);
		write_operand(flow, state, i, 0,
			      flow_extend(flow, FLOW_SIGN_EXTEND, a, i->insn.operand[1].size));
		break;
	case INSN_DOES_ADDRESS:
		write_operand(flow, state, i, 0,
			      flow_operand_address(flow, state, &i->insn.address));
		break;
	case INSN_DOES_COMPARE:
	case INSN_DOES_TEST:
		a = read_operand(flow, state, i, 0);
		b = read_operand(flow, state, i, 1);
		set_flags(state, i->insn.does == INSN_DOES_TEST, a, b, i->insn.operand[0].size);
		break;
	case INSN_DOES_EXCHANGE:
		exchange(flow, state, i);
		break;
	case INSN_DOES_SELECT:
		select_move(flow, state, i);
		break;
	case INSN_DOES_SET:
		write_operand(flow, state, i, 0, FLOW_NONE);
		break;
	case INSN_DOES_PUSH:
		push(flow, state, i);
		break;
	case INSN_DOES_POP:
		pop(flow, state, i);
		break;
	case INSN_DOES_LEAVE:
		set_reg(flow, state, X86_RSP, state->regs[X86_RBP], i->at);
		drop_below(flow, state);
		set_reg(flow, state, X86_RBP, pop_value(flow, state, i->at), i->at);
		break;
	case INSN_DOES_OTHER:
		lose(flow, state, i, i->insn.writes);
		break;
	default:
		arithmetic(flow, state, i);
		break;
	}
}

void flow_step(struct flow *flow, struct flow_state *state, const struct cfg_insn *i)
{
	if (i->role == CFG_CALL || i->role == CFG_CALL_NEUTRAL || i->role == CFG_CALL_LAST)
		call(flow, state, i);
	else if (i->insn.kind != INSN_JUMP && i->insn.kind != INSN_TRAP)
		step(flow, state, i);
}
