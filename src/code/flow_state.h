/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of value flow share. Internal to code/. */
#pragma once

#include "base/vec.h"
#include "code/flow.h"

enum { FLOW_REGS = 16, FLOW_SLOTS_MAX = 512, FLOW_DEPTH_MAX = 24 };

/* No slot has been given away: higher than any. */
#define FLOW_NOT_ESCAPED INT64_MAX

/* What the flags were made of. */
struct flow_flags {
	bool known;
	bool test; /* a & b, else a - b */
	uint8_t size;
	flow_id a, b;
};

/* All places at one point of the code. */
struct flow_state {
	bool reached;
	flow_id regs[FLOW_REGS];
	struct flow_flags flags;
	int64_t escaped; /* slots from here up may be written by others */
	struct flow_slot *slots; /* by offset, not overlapping */
	uint32_t slot_count, slot_capacity;
};

struct flow_block {
	struct flow_state in, out;
	uint32_t order;   /* in reverse postorder */
	uint16_t visits;
	bool relevant;    /* the address can be reached from here */
	bool in_cycle;
	uint32_t dominator;
	uint16_t merged;  /* registers that were merged once stay so: the work must end */
};

struct flow {
	const struct code_env *env;
	const struct cfg *cfg;
	uint64_t at;
	uint32_t target_insn, target_block;
	struct {
		vec_fields(struct flow_node);
	} nodes;
	uint32_t *hash; /* node numbers by content, 0 where free */
	uint32_t hash_size;
	struct flow_block *blocks;
	uint32_t *order; /* blocks in reverse postorder */
	uint32_t order_count;
	bool *dead;      /* edges that facts rule out */
	struct flow_state state; /* before the instruction at the address */
	struct flow_state stack; /* after it: what slots memory still tells of, if it is a call */
	struct {
		vec_fields(struct flow_condition);
	} conditions;
	bool exhausted;
};

/* --- Nodes: flow_node.c. Same content, same number. --- */

void flow_nodes_init(struct flow *flow);
flow_id flow_make(struct flow *flow, const struct flow_node *node);
flow_id flow_binary(struct flow *flow, enum flow_kind kind, flow_id a, flow_id b);
flow_id flow_unary(struct flow *flow, enum flow_kind kind, flow_id a);
flow_id flow_extend(struct flow *flow, enum flow_kind kind, flow_id a, unsigned size);
flow_id flow_load(struct flow *flow, enum flow_kind kind, flow_id address, unsigned size,
		  uint64_t at);
/* CALL, LOST, MERGE */
flow_id flow_opaque(struct flow *flow, enum flow_kind kind, uint64_t at, int reg, uint64_t value,
		    bool stack);
uint64_t flow_mask(unsigned bits);
/* The value of an operation on values of which @bits low bits are known. */
uint64_t flow_compute(enum flow_kind kind, uint64_t a, uint64_t b, unsigned size);

/* --- States: flow_state.c --- */

void flow_state_copy(struct flow_state *to, const struct flow_state *from);
bool flow_state_same(const struct flow_state *a, const struct flow_state *b);
void flow_state_deinit(struct flow_state *state);
const struct flow_slot *flow_state_slot(const struct flow_state *state, int64_t offset);
/* Slots that overlap [@low, @high) are no longer known. */
void flow_state_kill(struct flow_state *state, int64_t low, int64_t high, bool saved_too);
void flow_state_store(struct flow_state *state, const struct flow_slot *slot);

/* --- Instructions: flow_step.c --- */

void flow_step(struct flow *flow, struct flow_state *state, const struct cfg_insn *insn);
/* What registers an exception in the middle of the instruction leaves. */
void flow_step_fault(struct flow *flow, struct flow_state *state, const struct cfg_insn *insn);
flow_id flow_operand_address(struct flow *flow, const struct flow_state *state,
			     const struct insn_memory *m);

/* --- Facts: flow_solve.c --- */

const struct flow *flow_facts_flow(const struct flow_facts *facts);

/* Can the branch's condition be (@taken) or not be true, by the facts? Unknown: true. */
bool flow_facts_allow(const struct flow_facts *facts, const struct flow *flow,
		      const struct flow_flags *flags, enum insn_condition condition);
