/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What registers and stack slots hold at an address of a function, as symbolic values: "r13 is what
 * rdi was on entry", "rax is what was loaded from that + 0xd0 at ffffffff81234567".
 *
 * In: a control-flow graph and an address in it. All paths from the entry that reach the address
 * are followed; where they disagree about a place, its value is FLOW_MERGE, which equals itself
 * only.
 * Values are nodes of a graph, equal exactly when their numbers are: two registers with the same
 * number hold the same, whatever it is.
 *
 * Then, with struct flow_facts, both ways: from what is known (registers of the dump, slots of the
 * stack) to what went into it, and from there to anything else computed from the same.
 *
 * Assumed, as the compiler does: functions preserve the registers that the calling convention says;
 * slots that a function never gave the address of are written by it alone.
 */
#pragma once

#include "code/cfg.h"

typedef uint32_t flow_id;

enum flow_kind {
	FLOW_UNKNOWN,  /* node 0 only */
	FLOW_CONSTANT, /* value */
	FLOW_ENTRY,    /* register reg on entry of the function */
	FLOW_LOAD,     /* size bytes read at address a by the instruction at `at`, zero-extended */
	FLOW_PER_CPU,  /* the same, a being an offset from the CPU's area */
	FLOW_CALL,     /* result of the call at `at` */
	FLOW_LOST,     /* what the instruction at `at` left in reg, by ways not followed here */
	FLOW_MERGE,    /* what the paths that join at `at` had in reg, or (reg -1) in slot `value` */
	FLOW_CHOICE,   /* a or b, by a conditional move at `at` */
	FLOW_ADD,      /* a + b; a constant is b */
	FLOW_SUB,
	FLOW_AND,
	FLOW_OR,
	FLOW_XOR,
	FLOW_MUL,
	FLOW_SHL,
	FLOW_SHR,
	FLOW_SAR,
	FLOW_NOT,
	FLOW_NEG,
	FLOW_ZERO_EXTEND, /* the low size bytes of a */
	FLOW_SIGN_EXTEND,
	FLOW_KINDS,
};

enum { FLOW_NONE = 0, FLOW_NODES_MAX = 1 << 18 };

struct flow_node {
	enum flow_kind kind;
	uint8_t size;
	int8_t reg;
	bool stack;     /* may be an address in this function's frame */
	uint8_t depth;  /* of the tree below */
	flow_id a, b;
	uint64_t value;
	uint64_t at;    /* address of an instruction or block */
};

/* A stack slot; offset is from the stack pointer on entry, which points to the return address. */
struct flow_slot {
	int64_t offset;
	uint8_t size;
	bool saved;  /* of the prologue: the value of a register that the function gives back */
	bool pushed;
	flow_id value;
};

struct flow;
struct flow_facts;

/*
 * Follows @cfg (borrowed) up to before the instruction at @at. With @facts (may be NULL; made for
 * an earlier flow of the same address), branches that they rule out are not followed. False, and
 * *@why (static), when the address cannot be reached or the work is too much.
 */
bool flow_create(const struct code_env *env, const struct cfg *cfg, uint64_t at,
		 const struct flow_facts *facts, struct flow **flow, const char **why);
void flow_destroy(struct flow *flow);

/* Before the instruction at the address. FLOW_NONE: not known. */
flow_id flow_register(const struct flow *flow, unsigned reg);
const struct flow_slot *flow_slots(const struct flow *flow, size_t *count);
/* Of the slot of exactly this place and size. */
flow_id flow_slot(const struct flow *flow, int64_t offset, unsigned size);
const struct flow_node *flow_node(const struct flow *flow, flow_id id);
size_t flow_node_count(const struct flow *flow);
/* The node of register @reg on entry, of a constant; made when not there yet. */
flow_id flow_entry(struct flow *flow, unsigned reg);
flow_id flow_constant(struct flow *flow, uint64_t value);
/* The address that a memory operand of the instruction at the address names. */
flow_id flow_address(struct flow *flow, const struct insn_memory *memory);
/* The stack pointer as a distance from its value on entry; false: not known. */
bool flow_stack_depth(const struct flow *flow, int64_t *offset);
/* When the node is entry stack pointer + constant. */
bool flow_is_stack(const struct flow *flow, flow_id id, int64_t *offset);
/* What the paths into a FLOW_MERGE bring: calls back for each, with where it comes from. */
void flow_merged(struct flow *flow, flow_id merge,
		 bool (*fn)(void *ctx, uint64_t from, flow_id value), void *ctx);
/* Is the instruction at @at passed at most once in a call of the function (not in a loop)? */
bool flow_is_once(const struct flow *flow, uint64_t at);
/* Is the node the same whenever the code computes it in one call of the function? */
bool flow_node_is_once(const struct flow *flow, flow_id id);

/*
 * A condition that every path to the address has passed, last first: "a RELATION b" held, of the
 * low @size bytes.
 */
struct flow_condition {
	uint64_t at; /* of the branch */
	enum insn_condition condition;
	bool test;   /* of a & b against 0; else of a against b */
	flow_id a, b;
	uint8_t size;
};
const struct flow_condition *flow_conditions(const struct flow *flow, size_t *count);
/* Does it hold of these two values? */
bool flow_condition_holds(const struct flow_condition *condition, uint64_t a, uint64_t b);

/* The value in words: "load64((rdi@entry + 0xd0))". */
void flow_format(const struct flow *flow, flow_id id, const struct arch *arch, char *buf,
		 size_t size);

/* --- Solving. --- */

/* Where a fact is from. */
enum flow_source {
	FLOW_FROM_NOTHING,
	FLOW_FROM_REGISTER,  /* of the frame, at the address */
	FLOW_FROM_SLOT,      /* memory of the frame's stack */
	FLOW_FROM_ENTRY,     /* known otherwise to have been in a register on entry */
	FLOW_FROM_CALLEE,    /* known to have been passed on in this register to what was called */
	FLOW_FROM_CONSTANT,  /* of the code */
	FLOW_FROM_CONDITION, /* a branch on the only path */
	FLOW_FROM_OUTSIDE,   /* whoever uses this */
};

struct flow_value {
	uint64_t value;
	uint8_t bits;   /* so many low bits are known */
	enum flow_source source;
	int reg;        /* with FROM_REGISTER, FROM_ENTRY: which; else -1 */
	int64_t offset; /* with FROM_SLOT: which */
	bool memory;    /* memory was read again that may have changed since the code read it */
};

struct flow_facts *flow_facts_create(const struct code_env *env, struct flow *flow);
void flow_facts_destroy(struct flow_facts *facts);
/*
 * Memory of which @stable says that nobody has changed it since (read-only data, what a system call
 * came with) may be read again like anything else that is known. Before flow_know().
 */
typedef bool (*flow_stable_fn)(void *ctx, uint64_t address, unsigned size);
void flow_facts_set_stable(struct flow_facts *facts, flow_stable_fn stable, void *ctx);
/* Node @id has this value. What follows for other nodes is worked out by flow_solve(). */
void flow_know(struct flow_facts *facts, flow_id id, const struct flow_value *value);
/*
 * The frame's: registers as they were at the address, by @regs (those known), and stack slots, read
 * from memory, when the stack pointer is among them or @entry_sp is not 0.
 */
void flow_know_frame(struct flow_facts *facts, const struct regs *regs, uint64_t entry_sp);
/* Works out what follows. False: the facts contradict each other; nothing may be concluded then. */
bool flow_solve(struct flow_facts *facts) must_check;
/*
 * The value of a node, as far as it follows. With @memory, cells that the code has read are read
 * again, and value->memory is set; else such values are not known. False: not known.
 */
bool flow_eval(struct flow_facts *facts, flow_id id, bool memory, struct flow_value *value);
