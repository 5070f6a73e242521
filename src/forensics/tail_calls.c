// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A return address tells which call was made. Where that went to another function than the one
 * that the stack shows next, the function called jumped on, perhaps through others. Each of these
 * is followed by value flow: of its jumps to other functions (those through a register by the
 * arguments that it was called with) exactly one may lead to where the stack goes on, or the way
 * ends there.
 *
 * That a call went straight to the next frame's function is told by its target alone, without
 * value flow, and is by far the most common case.
 */
#include "forensics/tail_calls.h"

#include <stdlib.h>
#include <string.h>

#include "forensics/args_frame.h"
#include "forensics/callers.h"

struct way {
	struct args_run *run;
	uint64_t to;         /* the function of the frame */
	struct passed entry; /* what the function at hand was called with */
};

/* One of several jumps: @next is 0 as long as none was found, @open when it cannot be told. */
struct choice {
	uint64_t next;
	bool open;
	struct passed with;
};

static void choose(struct choice *c, uint64_t target, const struct passed *with)
{
	if (c->next && c->next != target)
		c->open = true;
	/* Of several jumps to the same function what they pass is not compared. */
	c->with = c->next ? (struct passed){ 0 } : *with;
	c->next = target;
}

static void try_jump(struct way *way, const struct cfg *cfg, const struct cfg_insn *jump,
		     struct choice *c)
{
	struct passed with;
	uint64_t pointer, target = jump->target;
	bool indirect = jump->role == CFG_TAIL_INDIRECT;

	if (!indirect && !cfg_jump_leaves(cfg, jump))
		return;
	if (!indirect && target != way->to && !args_may_reach(way->run, target, way->to))
		return;
	if (!args_at_jump(way->run, cfg, jump, &way->entry, &with, &pointer)) {
		c->open = true;
		return;
	}
	if (indirect) {
		target = pointer;
		c->open |= !target;
		if (!target || (target != way->to && !args_may_reach(way->run, target, way->to)))
			return;
	}
	choose(c, target, &with);
}

/* Where the function at @at jumped on to; 0: not known. */
static uint64_t jumped_to(struct way *way, uint64_t at)
{
	struct choice c = { 0 };
	const char *why;
	const struct cfg *cfg = code_cfg(way->run->session, at, &why);

	if (!cfg || cfg->entry != at || cfg->incomplete)
		return 0;
	for (uint32_t i = 0; i < cfg->insn_count && !c.open; i++)
		try_jump(way, cfg, &cfg->insns[i], &c);
	if (c.open)
		return 0;
	way->entry = c.with;
	return c.next;
}

static void follow(struct way *way, uint64_t at, struct tail_calls *gone)
{
	while (at && at != way->to && gone->count < TAIL_CALLS_MAX) {
		gone->function[gone->count++] = at;
		at = jumped_to(way, at);
	}
	gone->complete = at == way->to;
}

/* A call that leads to the next frame's function as it is written there. */
static bool calls_straight(struct session *s, const struct stack *stack, size_t callee)
{
	const struct frame *frames = stack->frames;
	uint64_t pc = frames[callee].pc - frames[callee].is_call;
	const char *why;
	const struct cfg *to = code_cfg(s, pc, &why);
	const struct cfg *from = code_cfg(s, frames[callee + 1].pc - 1, &why);
	uint32_t call;

	if (!to || !from || !cfg_find_end(from, frames[callee + 1].pc, &call))
		return true; /* nothing can be told: as if it did */
	uint64_t target = from->insns[call].target;
	static_call_target(s, target, &target);
	return target == to->entry;
}

static enum tail_answer find(struct args_run *run, size_t callee, struct tail_calls *gone)
{
	const struct arch *arch = run->session->arch;
	struct frame_flow *frame = &run->frames[callee], *caller = frame + 1;
	struct flow_value v;

	if (callee + 1 >= run->count || !args_linked(run, callee) || !frame->cfg ||
	    !caller->usable)
		return TAIL_UNKNOWN;
	uint64_t target = args_call_target(run, caller);
	if (!target)
		return TAIL_UNKNOWN;
	struct way way = { .run = run, .to = frame->cfg->entry };
	for (unsigned n = 0; n < arch->arg_reg_count; n++) {
		way.entry.known[n] = flow_eval(caller->facts,
					       flow_register(caller->flow, arch->arg_regs[n]), true,
					       &v);
		way.entry.value[n] = v;
	}
	follow(&way, target, gone);
	return gone->count ? TAIL_SOME : TAIL_NONE;
}

enum tail_answer tail_calls_find(struct session *s, const struct task *task,
				 const struct stack *stack, size_t callee,
				 struct tail_calls *gone)
{
	struct arena arena = { 0 };
	struct stack copy = *stack;
	struct args_run run = { .session = s, .task = task, .stack = &copy, .arena = &arena };
	enum tail_answer answer = TAIL_NONE;

	*gone = (struct tail_calls){ 0 };
	if (callee + 1 >= stack->count || !stack->frames[callee + 1].is_call || !code_env(s) ||
	    calls_straight(s, stack, callee))
		return TAIL_NONE;
	/* The registers of frames are filled in on the way. */
	copy.frames = xmalloc(stack->count * sizeof(*stack->frames));
	memcpy(copy.frames, stack->frames, stack->count * sizeof(*stack->frames));
	copy.capacity = stack->count;
	if (args_run_open(&run)) {
		answer = find(&run, callee, gone);
		args_run_close(&run);
	}
	free(copy.frames);
	arena_deinit(&arena);
	return answer;
}
