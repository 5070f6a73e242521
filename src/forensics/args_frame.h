/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Value flow of the frames of one stack, for args.c and origin.c. */
#pragma once

#include "code/flow.h"
#include "forensics/args.h"
#include "kernel/code_env.h"

enum { ARGS_REGS_MAX = 8 };

/* One frame: its function, followed up to where the frame is. */
struct frame_flow {
	const struct cfg *cfg; /* NULL: no function */
	uint32_t insn;         /* the call that it is in, or the instruction that it is at */
	uint64_t at;
	uint64_t entry_sp;     /* 0: not known */
	bool is_call;
	struct flow *flow;
	struct flow_facts *facts;
	bool usable;           /* the facts do not contradict each other */
	const char *why;       /* it is not */
	uint64_t conflict;     /* bits: caller and callee disagree about this register on entry */
	const char *passed_how[ARGS_REGS_MAX]; /* by place in the calling convention */
	bool guessed[ARGS_REGS_MAX];           /* what the caller read from memory to pass it */
	struct flow_value guess[ARGS_REGS_MAX];
};

/* The argument registers at one point, by place in the calling convention. */
struct passed {
	struct flow_value value[ARGS_REGS_MAX];
	bool known[ARGS_REGS_MAX];
};

struct args_run {
	struct session *session;
	const struct task *task;
	struct stack *stack;
	struct arena *arena; /* for words that stay */
	struct frame_flow *frames; /* of the first @count frames of the stack */
	size_t count;
	uint64_t user_regs; /* address of the struct pt_regs of user mode; 0 none */
	uint64_t current;   /* offset from a CPU's area of the pointer to its current task; 0 */
};

/*
 * Follows all frames of run->stack, lets them tell each other what they know. The run's session,
 * task, stack and arena are set before. False: there are no symbols, or no way to unwind.
 */
bool args_run_open(struct args_run *run);
void args_run_close(struct args_run *run);
/* Is frame @callee + 1 known to have called that of frame @callee? */
bool args_linked(const struct args_run *run, size_t callee);
/* Where the call of a caller's frame went; 0: not known. */
uint64_t args_call_target(struct args_run *run, struct frame_flow *caller);
/*
 * Did the call of @cfg's function come there straight, as far as can be told? It may also have gone
 * on to others by tail calls, and one of these back to it.
 */
bool args_comes_straight(struct args_run *run, const struct cfg *cfg);
/* Can a call of the function at @from end up in that at @to by tail calls? When in doubt it can. */
bool args_may_reach(struct args_run *run, uint64_t from, uint64_t to);
/*
 * What is in the argument registers when @cfg's function jumps on to another, by what was in them
 * on entry, and (through a register) where to: *@pointer, 0 when it is not known.
 */
bool args_at_jump(struct args_run *run, const struct cfg *cfg, const struct cfg_insn *jump,
		  const struct passed *entry, struct passed *out, uint64_t *pointer);
/*
 * Of all values that the pointer can have through which frame @callee + 1 made its call, only one
 * leads to the function of frame @callee: then that is what it was (args_target.c).
 */
void args_know_target(struct args_run *run, size_t callee);

/* In which place of the calling convention @reg is; arg_reg_count: in none. */
unsigned args_place_of(const struct arch *arch, int reg);

/* What of memory and of per-CPU variables is certain on this stack. */
void args_find_stable(struct args_run *run);
/* A flow_stable_fn; @ctx is the run. */
bool args_stable(void *ctx, uint64_t address, unsigned size);
void frame_flow_open(struct args_run *run, size_t index);
void frame_flow_close(struct frame_flow *f);
/* Registers that the frame's function was entered with and must preserve: the caller's. */
void frame_flow_give_back(struct args_run *run, size_t index);
