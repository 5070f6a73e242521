// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Numbers for the nodes of value flow. What is known of a node says something of what it was made
 * of (down: x + 8 = v, so x = v - 8) and of what is made of it (up: flow_eval()). Of a value only
 * its low bits may be known: what was cut off on the way is lost.
 *
 * The facts of one frame are redundant: a register and a slot may hold the same node. If they
 * differ, something that we assumed does not hold (a frame that is not one, a slot that somebody
 * wrote over), and nothing may be concluded.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "code/flow_state.h"

enum { EVAL_BUDGET = 4096, ROUNDS = 4 };

struct flow_facts {
	const struct code_env *env;
	struct flow *flow;
	struct flow_value *values; /* by node; bits 0: not known */
	size_t capacity;
	struct {
		vec_fields(flow_id);
	} known;
	bool contradiction;
	unsigned budget;
	flow_stable_fn stable;
	void *stable_ctx;
};

struct flow_facts *flow_facts_create(const struct code_env *env, struct flow *flow)
{
	struct flow_facts *facts = xcalloc(1, sizeof(*facts));

	facts->env = env;
	facts->flow = flow;
	return facts;
}

void flow_facts_destroy(struct flow_facts *facts)
{
	if (!facts)
		return;
	free(facts->values);
	vec_deinit(&facts->known);
	free(facts);
}

void flow_facts_set_stable(struct flow_facts *facts, flow_stable_fn stable, void *ctx)
{
	facts->stable = stable;
	facts->stable_ctx = ctx;
}

const struct flow *flow_facts_flow(const struct flow_facts *facts)
{
	return facts->flow;
}

/* Nodes may have been added to the flow since. */
static struct flow_value *value_of(struct flow_facts *facts, flow_id id)
{
	size_t count = facts->flow->nodes.count;

	if (facts->capacity < count) {
		facts->values = xreallocarray(facts->values, count, sizeof(*facts->values));
		memset(facts->values + facts->capacity, 0,
		       (count - facts->capacity) * sizeof(*facts->values));
		facts->capacity = count;
	}
	return &facts->values[id];
}

/* --- Up. --- */

static bool eval(struct flow_facts *facts, flow_id id, bool memory, struct flow_value *out);

static struct flow_value computed(uint64_t value, unsigned bits, const struct flow_value *from)
{
	struct flow_value v = *from;

	v.value = value & flow_mask(bits);
	v.bits = (uint8_t)bits;
	return v;
}

static bool eval_binary(struct flow_facts *facts, const struct flow_node *n, bool memory,
			struct flow_value *out)
{
	struct flow_value a, b;
	unsigned bits;

	if (!eval(facts, n->a, memory, &a) || !eval(facts, n->b, memory, &b))
		return false;
	bits = a.bits < b.bits ? a.bits : b.bits;
	if (n->kind == FLOW_SHL || n->kind == FLOW_SHR || n->kind == FLOW_SAR) {
		unsigned shift = (unsigned)(b.value & 63);
		if (b.bits < 6)
			return false;
		bits = a.bits;
		if (n->kind == FLOW_SHL)
			bits = bits + shift > 64 ? 64 : bits + shift;
		else if (bits < 64)
			bits = bits > shift ? bits - shift : 0;
	}
	if (!bits)
		return false;
	/* Who decides what it is: the part that is not a constant. */
	*out = computed(flow_compute(n->kind, a.value, b.value, 0), bits,
			a.source == FLOW_FROM_CONSTANT ? &b : &a);
	out->memory = a.memory || b.memory;
	return true;
}

static bool eval_load(struct flow_facts *facts, const struct flow_node *n, bool memory,
		      struct flow_value *out)
{
	struct flow_value address;
	uint8_t bytes[8] = { 0 };

	if ((!memory && !facts->stable) || n->size > sizeof(bytes) ||
	    !eval(facts, n->a, memory, &address) || address.bits < 64)
		return false;
	bool stable = facts->stable && facts->stable(facts->stable_ctx, address.value, n->size);
	if ((!memory && !stable) ||
	    facts->env->read(facts->env->ctx, address.value, bytes, n->size) != READ_OK)
		return false;
	*out = computed(load_u64(bytes), 64, &address);
	out->memory |= !stable;
	return true;
}

static bool eval_extend(struct flow_facts *facts, const struct flow_node *n, bool memory,
			struct flow_value *out)
{
	struct flow_value a;
	unsigned width = n->size * 8u;

	if (!eval(facts, n->a, memory, &a))
		return false;
	if (a.bits >= width)
		*out = computed(flow_compute(n->kind, a.value, 0, n->size), 64, &a);
	else
		*out = a;
	return true;
}

static bool eval_choice(struct flow_facts *facts, const struct flow_node *n, bool memory,
			struct flow_value *out)
{
	struct flow_value b;

	if (!eval(facts, n->a, memory, out) || !eval(facts, n->b, memory, &b) ||
	    out->bits != b.bits || out->value != b.value)
		return false;
	out->memory |= b.memory;
	return true;
}

static bool eval_kind(struct flow_facts *facts, const struct flow_node *n, bool memory,
		      struct flow_value *out)
{
	struct flow_value a;

	switch (n->kind) {
	case FLOW_CONSTANT:
		*out = (struct flow_value){ .value = n->value,
					    .bits = 64,
					    .source = FLOW_FROM_CONSTANT,
					    .reg = -1 };
		return true;
	case FLOW_ADD:
	case FLOW_SUB:
	case FLOW_AND:
	case FLOW_OR:
	case FLOW_XOR:
	case FLOW_MUL:
	case FLOW_SHL:
	case FLOW_SHR:
	case FLOW_SAR:
		return eval_binary(facts, n, memory, out);
	case FLOW_NOT:
	case FLOW_NEG:
		if (!eval(facts, n->a, memory, &a))
			return false;
		*out = computed(flow_compute(n->kind, a.value, 0, 0), a.bits, &a);
		return true;
	case FLOW_ZERO_EXTEND:
	case FLOW_SIGN_EXTEND:
		return eval_extend(facts, n, memory, out);
	case FLOW_LOAD:
		return eval_load(facts, n, memory, out);
	case FLOW_CHOICE:
		return eval_choice(facts, n, memory, out);
	default:
		return false;
	}
}

static bool eval(struct flow_facts *facts, flow_id id, bool memory, struct flow_value *out)
{
	const struct flow_node n = *flow_node(facts->flow, id);
	struct flow_value known, made;

	if (!id || !facts->budget)
		return false;
	facts->budget--;
	known = *value_of(facts, id);
	*out = known;
	if (known.bits == 64)
		return true;
	if (eval_kind(facts, &n, memory, &made) && made.bits > known.bits)
		*out = made;
	return out->bits;
}

bool flow_eval(struct flow_facts *facts, flow_id id, bool memory, struct flow_value *value)
{
	*value = (struct flow_value){ .reg = -1 };
	if (facts->contradiction || id >= facts->flow->nodes.count)
		return false;
	facts->budget = EVAL_BUDGET;
	return eval(facts, id, memory, value);
}

/* --- Down. --- */

static void know(struct flow_facts *facts, flow_id id, const struct flow_value *value);

static void know_part(struct flow_facts *facts, flow_id id, uint64_t value, unsigned bits,
		      const struct flow_value *from)
{
	struct flow_value v = computed(value, bits, from);

	if (bits)
		know(facts, id, &v);
}

/* a OP b = v, where one of the two is known. */
static void know_operands(struct flow_facts *facts, const struct flow_node *n,
			  const struct flow_value *v)
{
	struct flow_value a, b;
	bool know_a, know_b;
	unsigned bits;

	facts->budget = EVAL_BUDGET;
	know_a = eval(facts, n->a, false, &a);
	know_b = eval(facts, n->b, false, &b);
	bits = v->bits;
	if (know_b && b.bits < bits)
		bits = b.bits;
	if (know_b) {
		uint64_t x = n->kind == FLOW_ADD   ? v->value - b.value
			     : n->kind == FLOW_SUB ? v->value + b.value
						   : v->value ^ b.value;
		know_part(facts, n->a, x, bits, v);
		return;
	}
	if (!know_a)
		return;
	bits = v->bits < a.bits ? v->bits : a.bits;
	uint64_t y = n->kind == FLOW_ADD   ? v->value - a.value
		     : n->kind == FLOW_SUB ? a.value - v->value
					   : v->value ^ a.value;
	know_part(facts, n->b, y, bits, v);
}

static void know_extended(struct flow_facts *facts, const struct flow_node *n,
			  const struct flow_value *v)
{
	unsigned width = n->size * 8u;

	if (v->bits == 64 && flow_compute(n->kind, v->value, 0, n->size) != v->value)
		facts->contradiction = true;
	know_part(facts, n->a, v->value, v->bits < width ? v->bits : width, v);
}

static void know_shifted(struct flow_facts *facts, const struct flow_node *n,
			 const struct flow_value *v)
{
	const struct flow_node *by = flow_node(facts->flow, n->b);

	if (by->kind != FLOW_CONSTANT || by->value >= v->bits)
		return;
	if (v->value & flow_mask((unsigned)by->value))
		facts->contradiction = true;
	know_part(facts, n->a, v->value >> by->value, v->bits - (unsigned)by->value, v);
}

static void descend(struct flow_facts *facts, flow_id id, const struct flow_value *v)
{
	const struct flow_node n = *flow_node(facts->flow, id);

	switch (n.kind) {
	case FLOW_CONSTANT:
		if ((n.value ^ v->value) & flow_mask(v->bits))
			facts->contradiction = true;
		break;
	case FLOW_ADD:
	case FLOW_SUB:
	case FLOW_XOR:
		know_operands(facts, &n, v);
		break;
	case FLOW_NOT:
	case FLOW_NEG:
		know_part(facts, n.a, flow_compute(n.kind, v->value, 0, 0), v->bits, v);
		break;
	case FLOW_ZERO_EXTEND:
	case FLOW_SIGN_EXTEND:
		know_extended(facts, &n, v);
		break;
	case FLOW_SHL:
		know_shifted(facts, &n, v);
		break;
	case FLOW_LOAD:
	case FLOW_PER_CPU:
		if (v->bits == 64 && n.size < 8 && v->value >> (n.size * 8))
			facts->contradiction = true;
		break;
	default:
		break;
	}
}

static void know(struct flow_facts *facts, flow_id id, const struct flow_value *value)
{
	struct flow_value *old = value_of(facts, id), v = *value;

	if (!id || !v.bits)
		return;
	v.value &= flow_mask(v.bits);
	if (old->bits) {
		unsigned both = old->bits < v.bits ? old->bits : v.bits;
		if ((old->value ^ v.value) & flow_mask(both))
			facts->contradiction = true;
		if (old->bits >= v.bits)
			return;
	}
	*old = v;
	vec_push(&facts->known, id);
	descend(facts, id, &v);
}

void flow_know(struct flow_facts *facts, flow_id id, const struct flow_value *value)
{
	if (id < facts->flow->nodes.count)
		know(facts, id, value);
}

void flow_know_frame(struct flow_facts *facts, const struct regs *regs, uint64_t entry_sp)
{
	struct flow *flow = facts->flow;
	const struct insn *insn = &flow->cfg->insns[flow->target_insn].insn;
	/* In the middle of a repeated instruction some registers have moved on already. */
	uint64_t moved = insn->repeats ? insn->writes : 0;
	struct flow_value sp;

	for (unsigned reg = 0; reg < FLOW_REGS; reg++) {
		struct flow_value v = { .value = regs->value[reg],
					.bits = 64,
					.source = FLOW_FROM_REGISTER,
					.reg = (int)reg };
		if (regs_known(regs, reg) && !(moved >> reg & 1))
			know(facts, flow_register(flow, reg), &v);
	}
	if (entry_sp) {
		struct flow_value v = { .value = entry_sp,
					.bits = 64,
					.source = FLOW_FROM_ENTRY,
					.reg = X86_RSP };
		know(facts, flow_entry(flow, X86_RSP), &v);
	}
	if (!flow_eval(facts, flow_entry(flow, X86_RSP), false, &sp) || sp.bits < 64)
		return;
	/*
	 * What has been called may have written to slots that it got the address of. Otherwise the
	 * instruction has not been run, or only in part.
	 */
	for (uint32_t i = 0; i < flow->state.slot_count; i++) {
		const struct flow_slot *slot = &flow->state.slots[i];
		const struct flow_slot *after = flow_state_slot(&flow->stack, slot->offset);
		uint64_t at = sp.value + (uint64_t)slot->offset;
		if ((!after || after->size != slot->size || after->value != slot->value) &&
		    !(facts->stable && facts->stable(facts->stable_ctx, at, slot->size)))
			continue;
		struct flow_value v = { .bits = (uint8_t)(slot->size * 8),
					.source = FLOW_FROM_SLOT,
					.reg = -1,
					.offset = slot->offset };
		uint8_t bytes[8] = { 0 };
		if (slot->size > sizeof(bytes) ||
		    facts->env->read(facts->env->ctx, at, bytes, slot->size) != READ_OK)
			continue;
		v.value = load_u64(bytes);
		know(facts, slot->value, &v);
	}
}

/* --- Conditions. --- */

static bool is_once(const struct flow *flow, flow_id id, unsigned *budget)
{
	const struct flow_node *n = flow_node(flow, id);

	if (!id || !*budget)
		return false;
	--*budget;
	if (n->at && !flow_is_once(flow, n->at))
		return false;
	return (!n->a || is_once(flow, n->a, budget)) && (!n->b || is_once(flow, n->b, budget));
}

bool flow_node_is_once(const struct flow *flow, flow_id id)
{
	unsigned budget = 64;

	return is_once(flow, id, &budget);
}

static bool is_once_both(const struct flow *flow, flow_id a, flow_id b)
{
	unsigned budget = 64;

	return is_once(flow, a, &budget) && is_once(flow, b, &budget);
}

static void know_conditions(struct flow_facts *facts)
{
	const struct flow *flow = facts->flow;

	for (size_t i = 0; i < flow->conditions.count; i++) {
		const struct flow_condition *c = &flow->conditions.data[i];
		struct flow_value v = { .bits = (uint8_t)(c->size * 8),
					.source = FLOW_FROM_CONDITION,
					.reg = -1 };
		if (c->condition != COND_EQUAL || !is_once_both(flow, c->a, c->b))
			continue;
		if (c->test && c->a == c->b)
			know(facts, c->a, &v);
		v.value = flow_node(flow, c->b)->value;
		if (!c->test && flow_node(flow, c->b)->kind == FLOW_CONSTANT)
			know(facts, c->a, &v);
	}
}

bool flow_solve(struct flow_facts *facts)
{
	know_conditions(facts);
	/* What became known last may tell the other half of what was known before. */
	for (unsigned round = 0; round < ROUNDS && !facts->contradiction; round++) {
		size_t before = facts->known.count;
		for (size_t i = 0; i < before && !facts->contradiction; i++) {
			flow_id id = facts->known.data[i];
			struct flow_value v = *value_of(facts, id);
			descend(facts, id, &v);
		}
		if (facts->known.count == before)
			break;
	}
	return !facts->contradiction;
}

static int64_t extended(uint64_t value, unsigned size)
{
	return (int64_t)flow_compute(FLOW_SIGN_EXTEND, value, 0, size);
}

/* The flags after a - b, or a & b, hold the condition? */
static bool holds(enum insn_condition condition, bool test, uint64_t a, uint64_t b, unsigned size)
{
	uint64_t mask = flow_mask(size * 8);
	int64_t x, y;

	/* A test is a comparison of its result with 0: it clears carry and overflow. */
	if (test) {
		a &= b;
		b = 0;
	}
	a &= mask;
	b &= mask;
	x = extended(a, size);
	y = extended(b, size);
	switch (condition & ~1u) {
	case COND_BELOW:
		return (a < b) ^ (condition & 1);
	case COND_EQUAL:
		return (a == b) ^ (condition & 1);
	case COND_NOT_ABOVE:
		return (a <= b) ^ (condition & 1);
	case COND_NEGATIVE:
		return (extended(a - b, size) < 0) ^ (condition & 1);
	case COND_LESS:
		return (x < y) ^ (condition & 1);
	default:
		return (x <= y) ^ (condition & 1);
	}
}

bool flow_condition_holds(const struct flow_condition *c, uint64_t a, uint64_t b)
{
	return holds(c->condition, c->test, a, b, c->size);
}

bool flow_facts_allow(const struct flow_facts *const_facts, const struct flow *flow,
		      const struct flow_flags *flags, enum insn_condition condition)
{
	/* Only its budget changes. */
	struct flow_facts *facts = (struct flow_facts *)(uintptr_t)const_facts;
	struct flow_value a, b;

	if (!flags->known || facts->contradiction || !is_once_both(flow, flags->a, flags->b) ||
	    !flow_eval(facts, flags->a, false, &a) || !flow_eval(facts, flags->b, false, &b) ||
	    a.bits < flags->size * 8 || b.bits < flags->size * 8)
		return true;
	return holds(condition, flags->test, a.value, b.value, flags->size);
}
