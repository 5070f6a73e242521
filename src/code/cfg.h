/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control flow of one function: its instructions, blocks of them, and the edges between.
 *
 * In: an address in it, and symbols' bounds. The parts that the compiler moved away (".cold") are
 * found by the jumps to and from them. Out: blocks, entry first. What cannot be followed (holes in
 * the dump, jumps whose table is not readable) makes the graph incomplete, which it says: who
 * reasons over all paths must not trust it then.
 */
#pragma once

#include "code/code.h"
#include "code/env.h"

enum cfg_role {
	CFG_PLAIN,
	CFG_CALL,          /* comes back: target, or through a register or memory when 0 */
	CFG_CALL_NEUTRAL,  /* a call that changes no register: a tracer's at the entry and its like */
	CFG_CALL_LAST,     /* never comes back */
	CFG_JUMP,          /* within the function, also by a table */
	CFG_BRANCH,        /* the same under a condition */
	CFG_RETURN,        /* also through a return thunk */
	CFG_TAIL,          /* a jump to another function */
	CFG_TAIL_INDIRECT, /* the same through a register or memory */
	CFG_STOP,          /* a trap that is not passed, iret */
	CFG_LOST,          /* where it goes on is not known: the graph is incomplete */
};

struct cfg_insn {
	uint64_t at;
	uint64_t target;  /* of direct calls and jumps; thunks are seen through: then 0 */
	struct insn insn;
	enum cfg_role role;
	int through;      /* register of an indirect call or jump, also by a thunk; -1 none */
	bool traps_on;    /* a trap that the kernel passes: WARN() */
	bool fixup;       /* has an entry in the exception table */
	/* Bit n: a call to this destroys register n though calls preserve it by rule. */
	uint64_t destroys;
};

enum cfg_edge_kind {
	CFG_EDGE_NEXT,  /* goes on behind, or a branch not taken */
	CFG_EDGE_TAKEN, /* jump, branch taken */
	CFG_EDGE_TABLE,
	CFG_EDGE_FIXUP, /* an exception at the block's only instruction */
};

struct cfg_edge {
	uint32_t from, to; /* blocks */
	enum cfg_edge_kind kind;
};

struct cfg_block {
	uint32_t first, count;         /* instructions */
	uint32_t first_out, out_count; /* edges that leave it: cfg->edges[] */
	uint32_t first_in, in_count;   /* cfg->edges[cfg->in[]] */
};

struct cfg_range {
	uint64_t start, end;
};

enum { CFG_RANGES_MAX = 4, CFG_SIZE_MAX = 1 << 18, CFG_NAME_MAX = 128 };

struct cfg {
	uint64_t entry;
	char name[CFG_NAME_MAX]; /* of the function, without ".cold" */
	struct cfg_range ranges[CFG_RANGES_MAX];
	unsigned range_count;
	struct cfg_insn *insns; /* of a block one after another */
	uint32_t insn_count;
	struct cfg_block *blocks; /* [0] is the entry */
	uint32_t block_count;
	struct cfg_edge *edges; /* by block that they leave */
	uint32_t edge_count;
	uint32_t *in; /* edges by block that they reach */
	uint32_t *sorted; /* instructions by address */
	const char *incomplete; /* why (static); NULL: it is complete */
};

/*
 * The function around @pc. False when there is none, or it is too long, or its code is not in the
 * dump; *@why then says so (static). Free with cfg_destroy().
 */
bool cfg_create(const struct code_env *env, uint64_t pc, struct cfg **cfg, const char **why);
void cfg_destroy(struct cfg *cfg);
/* The instruction that begins at @at; false when none does, or it cannot be reached. */
bool cfg_find(const struct cfg *cfg, uint64_t at, uint32_t *insn);
/* The one that ends at @end: the call before a return address. */
bool cfg_find_end(const struct cfg *cfg, uint64_t end, uint32_t *insn);
/* The block that holds an instruction. */
uint32_t cfg_block_of(const struct cfg *cfg, uint32_t insn);
/* Is that a jump, or a branch, to another function that is told by the code? */
bool cfg_jump_leaves(const struct cfg *cfg, const struct cfg_insn *jump);
/* Does the function jump on to @target as its last act, directly? */
bool cfg_has_tail_call(const struct cfg *cfg, uint64_t target);
