// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The nodes of value flow: hash-consed, and brought to one form where several mean the same, so
 * that equal values mostly are one node. Sums have their constant second and only one; a value
 * that is cut to 32 bits is one FLOW_ZERO_EXTEND outside.
 */
#include <stdlib.h>
#include <string.h>

#include "code/flow_state.h"

enum { HASH_FIRST = 1 << 12, LOOK_DEPTH = 4 };

uint64_t flow_mask(unsigned bits)
{
	return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

void flow_nodes_init(struct flow *flow)
{
	flow->hash_size = HASH_FIRST;
	flow->hash = xcalloc(flow->hash_size, sizeof(*flow->hash));
	vec_push(&flow->nodes, (struct flow_node){ .kind = FLOW_UNKNOWN, .reg = -1 });
}

static uint32_t hash_of(const struct flow_node *n)
{
	uint64_t h = (uint64_t)n->kind * 0x9e3779b97f4a7c15;

	h = (h ^ n->a) * 0xbf58476d1ce4e5b9;
	h = (h ^ n->b ^ h >> 29) * 0x94d049bb133111eb;
	h = (h ^ n->value ^ h >> 31) * 0x9e3779b97f4a7c15;
	h = (h ^ n->at ^ h >> 30) * 0xbf58476d1ce4e5b9;
	h = (h ^ n->size ^ (uint64_t)(uint8_t)n->reg << 8 ^ h >> 27) * 0x94d049bb133111eb;
	return (uint32_t)(h >> 32);
}

static void grow(struct flow *flow)
{
	free(flow->hash);
	flow->hash_size *= 4;
	flow->hash = xcalloc(flow->hash_size, sizeof(*flow->hash));
	for (uint32_t id = 1; id < flow->nodes.count; id++) {
		uint32_t h = hash_of(&flow->nodes.data[id]) & (flow->hash_size - 1);
		while (flow->hash[h])
			h = (h + 1) & (flow->hash_size - 1);
		flow->hash[h] = id;
	}
}

static bool same(const struct flow_node *x, const struct flow_node *y)
{
	return x->kind == y->kind && x->size == y->size && x->reg == y->reg && x->a == y->a &&
	       x->b == y->b && x->value == y->value && x->at == y->at && x->stack == y->stack;
}

flow_id flow_make(struct flow *flow, const struct flow_node *node)
{
	struct flow_node n = *node;
	const struct flow_node *a = &flow->nodes.data[n.a], *b = &flow->nodes.data[n.b];
	unsigned depth = n.a || n.b ? 1u + (a->depth > b->depth ? a->depth : b->depth) : 0;

	/* What is read from the stack is not an address of it for that. */
	n.stack = n.kind != FLOW_LOAD && n.kind != FLOW_PER_CPU &&
		  (n.stack || a->stack || b->stack);
	n.depth = (uint8_t)depth;
	if (depth > FLOW_DEPTH_MAX)
		return FLOW_NONE;
	if (flow->nodes.count * 2 > flow->hash_size)
		grow(flow);
	uint32_t mask = flow->hash_size - 1, h = hash_of(&n) & mask;
	for (; flow->hash[h]; h = (h + 1) & mask) {
		if (same(&flow->nodes.data[flow->hash[h]], &n))
			return flow->hash[h];
	}
	if (flow->nodes.count >= FLOW_NODES_MAX) {
		flow->exhausted = true;
		return FLOW_NONE;
	}
	flow->hash[h] = (uint32_t)flow->nodes.count;
	vec_push(&flow->nodes, n);
	return flow->hash[h];
}

flow_id flow_entry(struct flow *flow, unsigned reg)
{
	return flow_make(flow, &(struct flow_node){ .kind = FLOW_ENTRY,
						    .reg = (int8_t)reg,
						    .stack = reg == X86_RSP });
}

flow_id flow_constant(struct flow *flow, uint64_t value)
{
	return flow_make(flow, &(struct flow_node){ .kind = FLOW_CONSTANT,
						    .reg = -1,
						    .value = value });
}

flow_id flow_load(struct flow *flow, enum flow_kind kind, flow_id address, unsigned size,
		  uint64_t at)
{
	return flow_make(flow, &(struct flow_node){ .kind = kind,
						    .reg = -1,
						    .size = (uint8_t)size,
						    .a = address,
						    .at = at });
}

flow_id flow_opaque(struct flow *flow, enum flow_kind kind, uint64_t at, int reg, uint64_t value,
		    bool stack)
{
	return flow_make(flow, &(struct flow_node){ .kind = kind,
						    .reg = (int8_t)reg,
						    .value = value,
						    .at = at,
						    .stack = stack });
}

static uint64_t sign_extend(uint64_t value, unsigned size)
{
	unsigned unused = size < 8 ? 64 - size * 8 : 0;

	return (uint64_t)((int64_t)(value << unused) >> unused);
}

uint64_t flow_compute(enum flow_kind kind, uint64_t a, uint64_t b, unsigned size)
{
	switch (kind) {
	case FLOW_ADD:
		return a + b;
	case FLOW_SUB:
		return a - b;
	case FLOW_AND:
		return a & b;
	case FLOW_OR:
		return a | b;
	case FLOW_XOR:
		return a ^ b;
	case FLOW_MUL:
		return a * b;
	case FLOW_SHL:
		return a << (b & 63);
	case FLOW_SHR:
		return a >> (b & 63);
	case FLOW_SAR:
		return (uint64_t)((int64_t)a >> (b & 63));
	case FLOW_NOT:
		return ~a;
	case FLOW_NEG:
		return 0 - a;
	case FLOW_ZERO_EXTEND:
		return a & flow_mask(size * 8);
	case FLOW_SIGN_EXTEND:
		return sign_extend(a, size);
	default:
		return 0;
	}
}

static bool is_constant(const struct flow *flow, flow_id id, uint64_t *value)
{
	*value = flow->nodes.data[id].value;
	return flow->nodes.data[id].kind == FLOW_CONSTANT;
}

/* What an operation with a constant comes to when that is simpler; FLOW_NONE: it is not. */
static flow_id with_constant(struct flow *flow, enum flow_kind kind, flow_id a, uint64_t c)
{
	const struct flow_node n = flow->nodes.data[a];

	switch (kind) {
	case FLOW_SUB:
		return flow_binary(flow, FLOW_ADD, a, flow_constant(flow, 0 - c));
	case FLOW_ADD:
		if (n.kind == FLOW_ADD && flow->nodes.data[n.b].kind == FLOW_CONSTANT) {
			c += flow->nodes.data[n.b].value;
			return flow_binary(flow, FLOW_ADD, n.a, flow_constant(flow, c));
		}
		return c ? FLOW_NONE : a;
	case FLOW_AND:
		if (!c)
			return flow_constant(flow, 0);
		if (c == UINT64_MAX)
			return a;
		for (unsigned size = 1; size < 8; size *= 2) {
			if (c == flow_mask(size * 8))
				return flow_extend(flow, FLOW_ZERO_EXTEND, a, size);
		}
		return FLOW_NONE;
	case FLOW_MUL:
		if (c && !(c & (c - 1)))
			return flow_binary(flow, FLOW_SHL, a,
					   flow_constant(flow, (uint64_t)__builtin_ctzll(c)));
		return c ? FLOW_NONE : flow_constant(flow, 0);
	case FLOW_OR:
	case FLOW_XOR:
	case FLOW_SHL:
	case FLOW_SHR:
	case FLOW_SAR:
		return c ? FLOW_NONE : a;
	default:
		return FLOW_NONE;
	}
}

static bool commutes(enum flow_kind kind)
{
	return kind == FLOW_ADD || kind == FLOW_AND || kind == FLOW_OR || kind == FLOW_XOR ||
	       kind == FLOW_MUL;
}

flow_id flow_binary(struct flow *flow, enum flow_kind kind, flow_id a, flow_id b)
{
	uint64_t x, y;

	if (a == b && a && (kind == FLOW_XOR || kind == FLOW_SUB))
		return flow_constant(flow, 0);
	if (a == b && (kind == FLOW_AND || kind == FLOW_OR))
		return a;
	if (commutes(kind) && (is_constant(flow, a, &x) || (a > b && !is_constant(flow, b, &y)))) {
		flow_id swap = a;
		a = b;
		b = swap;
	}
	if (is_constant(flow, b, &y)) {
		if (is_constant(flow, a, &x))
			return flow_constant(flow, flow_compute(kind, x, y, 0));
		if (!a)
			return kind == FLOW_AND && !y ? flow_constant(flow, 0) : FLOW_NONE;
		flow_id simple = with_constant(flow, kind, a, y);
		if (simple)
			return simple;
	}
	if (!a || !b)
		return FLOW_NONE;
	return flow_make(flow, &(struct flow_node){ .kind = kind, .reg = -1, .a = a, .b = b });
}

flow_id flow_unary(struct flow *flow, enum flow_kind kind, flow_id a)
{
	uint64_t x;

	if (!a)
		return FLOW_NONE;
	if (is_constant(flow, a, &x))
		return flow_constant(flow, flow_compute(kind, x, 0, 0));
	if (flow->nodes.data[a].kind == kind)
		return flow->nodes.data[a].a;
	return flow_make(flow, &(struct flow_node){ .kind = kind, .reg = -1, .a = a });
}

/* Is the value smaller than 2^(8 * size) anyhow? */
static bool fits(const struct flow *flow, flow_id id, unsigned size, unsigned depth)
{
	const struct flow_node *n = &flow->nodes.data[id];

	switch (n->kind) {
	case FLOW_LOAD:
	case FLOW_PER_CPU:
	case FLOW_ZERO_EXTEND:
		return n->size <= size;
	case FLOW_CONSTANT:
		return n->value <= flow_mask(size * 8);
	case FLOW_SHR:
		return depth && fits(flow, n->a, size, depth - 1);
	case FLOW_CHOICE:
		return depth && fits(flow, n->a, size, depth - 1) &&
		       fits(flow, n->b, size, depth - 1);
	default:
		return false;
	}
}

/* The low @size bytes of what comes in are all that counts: cuts further in are needless. */
static flow_id without_cuts(struct flow *flow, flow_id id, unsigned size, unsigned depth)
{
	const struct flow_node n = flow->nodes.data[id];

	if (!depth)
		return id;
	switch (n.kind) {
	case FLOW_ZERO_EXTEND:
	case FLOW_SIGN_EXTEND:
		return n.size >= size ? without_cuts(flow, n.a, size, depth - 1) : id;
	case FLOW_ADD:
	case FLOW_SUB:
	case FLOW_XOR:
	case FLOW_OR: {
		flow_id a = without_cuts(flow, n.a, size, depth - 1);
		flow_id b = without_cuts(flow, n.b, size, depth - 1);
		return a == n.a && b == n.b ? id : flow_binary(flow, n.kind, a, b);
	}
	default:
		return id;
	}
}

flow_id flow_extend(struct flow *flow, enum flow_kind kind, flow_id a, unsigned size)
{
	uint64_t x;

	if (!a || size >= 8)
		return a;
	a = without_cuts(flow, a, size, LOOK_DEPTH);
	if (!a)
		return FLOW_NONE;
	if (is_constant(flow, a, &x))
		return flow_constant(flow, flow_compute(kind, x, 0, size));
	if (kind == FLOW_ZERO_EXTEND && fits(flow, a, size, LOOK_DEPTH))
		return a;
	return flow_make(flow, &(struct flow_node){ .kind = kind,
						    .reg = -1,
						    .size = (uint8_t)size,
						    .a = a });
}

const struct flow_node *flow_node(const struct flow *flow, flow_id id)
{
	return &flow->nodes.data[id < flow->nodes.count ? id : FLOW_NONE];
}

size_t flow_node_count(const struct flow *flow)
{
	return flow->nodes.count;
}

bool flow_is_stack(const struct flow *flow, flow_id id, int64_t *offset)
{
	const struct flow_node *n = flow_node(flow, id);

	*offset = 0;
	if (n->kind == FLOW_ADD && flow_node(flow, n->b)->kind == FLOW_CONSTANT) {
		*offset = (int64_t)flow_node(flow, n->b)->value;
		n = flow_node(flow, n->a);
	}
	return n->kind == FLOW_ENTRY && n->reg == X86_RSP;
}
