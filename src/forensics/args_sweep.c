// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the frames of a stack tell each other, in two sweeps over value flow (code/flow.h):
 *
 *   up    each frame's registers and stack slots tell what its function was entered with, and with
 *         that the registers that it will give back: so more is known of its caller;
 *   down  each caller's registers at its call are what its callee was entered with.
 *
 * What both tell must agree; where it does not, neither is believed. A callee that was reached by a
 * jump of the function that was called (a tail call) is followed through that one.
 *
 * What needs memory that may have changed since is a candidate only, and nothing follows from it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "forensics/args_frame.h"
#include "forensics/callers.h"
#include "kernel/anchors.h"

enum { FRAMES_MAX = 200, JUMPS_MAX = 16, WAY_MAX = 4, WAY_BUDGET = 40 };

/* --- Calls. --- */

bool args_linked(const struct args_run *run, size_t callee)
{
	const struct stack *stack = run->stack;
	const struct frame *caller = &stack->frames[callee + 1];

	return callee + 1 < run->count && caller->is_call && caller->retaddr_at &&
	       !caller->has_regs && caller->how != FRAME_SCAN &&
	       stack->frames[callee].how != FRAME_SCAN;
}

uint64_t args_call_target(struct args_run *run, struct frame_flow *caller)
{
	const struct cfg_insn *call = &caller->cfg->insns[caller->insn];
	const struct insn_memory *m = &call->insn.memory;
	struct flow_value v;
	uint64_t target = call->target;

	if (target) {
		static_call_target(run->session, target, &target);
		return target;
	}
	if (call->through >= 0) {
		flow_id pointer = flow_register(caller->flow, (unsigned)call->through);
		return flow_eval(caller->facts, pointer, true, &v) ? v.value : 0;
	}
	if (!m->present || m->per_cpu || !m->read ||
	    !flow_eval(caller->facts, flow_address(caller->flow, m), true, &v) || v.bits < 64 ||
	    memory_read(run->session->memory, v.value, &target, sizeof(target)) != READ_OK)
		return 0;
	return target;
}

/* How a value at a call came to be known, in words. */
static const char *how_passed(struct arena *arena, const struct session *s,
			      const struct frame_flow *caller, unsigned reg,
			      const struct flow_value *v)
{
	const char *name = caller->cfg->name;
	const char *const *regs = s->arch->reg_names;

	switch (v->source) {
	case FLOW_FROM_REGISTER:
		return arena_printf(arena, "%s passed it, from %s", name, regs[v->reg]);
	case FLOW_FROM_SLOT:
		return arena_printf(arena, "%s passed it, from its stack at %" PRIx64, name,
				    caller->entry_sp + (uint64_t)v->offset);
	case FLOW_FROM_ENTRY:
		return arena_printf(arena, "%s passed on what it got in %s", name,
				    v->reg >= 0 ? regs[v->reg] : "a register");
	case FLOW_FROM_CALLEE:
		return arena_printf(arena, "%s passed it on to the next function, too", name);
	case FLOW_FROM_CONSTANT:
		return arena_printf(arena, "%s passed this constant", name);
	default:
		return arena_printf(arena, "%s passed it in %s", name, regs[reg]);
	}
}

/* Keeps of @all what @one says, too. */
static void agree(struct passed *all, const struct passed *one, unsigned count)
{
	for (unsigned n = 0; n < count; n++) {
		if (!one->known[n] || one->value[n].bits != all->value[n].bits ||
		    one->value[n].value != all->value[n].value)
			all->known[n] = false;
	}
}

bool args_at_jump(struct args_run *run, const struct cfg *cfg, const struct cfg_insn *jump,
		  const struct passed *entry, struct passed *out, uint64_t *pointer)
{
	const struct arch *arch = run->session->arch;
	struct flow_value v;
	struct flow *flow;
	const char *why;

	*out = (struct passed){ 0 };
	*pointer = 0;
	if (!flow_create(code_env(run->session), cfg, jump->at, NULL, &flow, &why))
		return false;
	struct flow_facts *facts = flow_facts_create(code_env(run->session), flow);
	flow_facts_set_stable(facts, args_stable, run);
	for (unsigned n = 0; n < arch->arg_reg_count; n++) {
		if (entry->known[n])
			flow_know(facts, flow_entry(flow, arch->arg_regs[n]), &entry->value[n]);
	}
	bool ok = flow_solve(facts);
	for (unsigned n = 0; ok && n < arch->arg_reg_count; n++)
		out->known[n] = flow_eval(facts, flow_register(flow, arch->arg_regs[n]), false,
					  &out->value[n]);
	if (ok && jump->through >= 0 &&
	    flow_eval(facts, flow_register(flow, (unsigned)jump->through), true, &v) &&
	    v.bits == 64)
		*pointer = v.value;
	flow_facts_destroy(facts);
	flow_destroy(flow);
	return true;
}

/* The argument registers at the jumps of @cfg to @to, by those on entry. All must agree. */
static bool at_jumps(struct args_run *run, const struct cfg *cfg, uint64_t to,
		     const struct passed *entry, struct passed *out)
{
	bool first = true;

	for (uint32_t i = 0; i < cfg->insn_count; i++) {
		const struct cfg_insn *jump = &cfg->insns[i];
		struct passed one;
		uint64_t pointer;
		if (jump->target != to || (jump->role != CFG_TAIL && jump->role != CFG_BRANCH))
			continue;
		if (!args_at_jump(run, cfg, jump, entry, &one, &pointer))
			return false;
		if (first)
			*out = one;
		else
			agree(out, &one, run->session->arch->arg_reg_count);
		first = false;
	}
	return !first;
}

/*
 * x64_sys_call(regs, nr) jumps to the function of the system call; the table has it, too. Where the
 * number is lost on the way, the registers have it that user space came with.
 */
static uint64_t system_call(struct args_run *run, const struct passed *entry)
{
	enum { NUMBERS_MAX = 1024, PT_REGS_ORIG_RAX = 120 }; /* arch/x86/entry/calling.h */
	struct memory *mem = run->session->memory;
	uint64_t table = symbols_address(run->session->symbols, "sys_call_table");
	uint64_t function, nr = entry->value[1].value;
	bool known = entry->known[1] && entry->value[1].bits >= 32;

	if (!known && entry->known[0] && run->user_regs &&
	    entry->value[0].value == run->user_regs)
		known = memory_read(mem, run->user_regs + PT_REGS_ORIG_RAX, &nr, sizeof(nr)) ==
			READ_OK;
	if (!table || !known || (uint32_t)nr >= NUMBERS_MAX ||
	    memory_read(mem, table + (uint32_t)nr * UINT64_C(8), &function, sizeof(function)) !=
		    READ_OK)
		return 0;
	return function;
}

/* Functions that one jumps on to as its last act. */
struct jumps {
	uint64_t to[JUMPS_MAX];
	unsigned count;
	bool open; /* there are more, or through pointers */
};

static void find_jumps(const struct cfg *cfg, struct jumps *out)
{
	*out = (struct jumps){ .open = cfg->incomplete };
	for (uint32_t i = 0; i < cfg->insn_count; i++) {
		const struct cfg_insn *insn = &cfg->insns[i];
		bool leaves = cfg_jump_leaves(cfg, insn);
		out->open |= insn->role == CFG_TAIL_INDIRECT;
		for (unsigned n = 0; n < out->count && leaves; n++)
			leaves = out->to[n] != insn->target;
		if (!leaves)
			continue;
		if (out->count == JUMPS_MAX) {
			out->open = true;
			return;
		}
		out->to[out->count++] = insn->target;
	}
}

/* Can the function at @from get to that at @to by tail calls alone? When in doubt it can. */
static bool reaches(struct args_run *run, uint64_t from, uint64_t to, unsigned depth,
		    unsigned *budget)
{
	const char *why;
	const struct cfg *cfg;
	struct jumps jumps;

	if (from == to)
		return true;
	if (!depth || !*budget)
		return false;
	--*budget;
	cfg = code_cfg(run->session, from, &why);
	if (!cfg || cfg->entry != from)
		return false;
	find_jumps(cfg, &jumps);
	for (unsigned i = 0; i < jumps.count; i++) {
		if (reaches(run, jumps.to[i], to, depth - 1, budget))
			return true;
	}
	return false;
}

bool args_may_reach(struct args_run *run, uint64_t from, uint64_t to)
{
	unsigned budget = WAY_BUDGET;
	struct jumps jumps;
	const char *why;
	const struct cfg *cfg = code_cfg(run->session, from, &why);

	if (!cfg || cfg->entry != from)
		return true;
	find_jumps(cfg, &jumps);
	return jumps.open || reaches(run, from, to, WAY_MAX, &budget) || !budget;
}

bool args_comes_straight(struct args_run *run, const struct cfg *cfg)
{
	unsigned budget = WAY_BUDGET;
	struct jumps jumps;

	find_jumps(cfg, &jumps);
	for (unsigned i = 0; i < jumps.count; i++) {
		if (reaches(run, jumps.to[i], cfg->entry, WAY_MAX - 1, &budget))
			return false;
	}
	return true;
}

/*
 * The function at @target was called, and jumped on to @callee's, perhaps by way of others: what
 * was in the argument registers then, by what it was called with. Of several ways all must agree.
 */
static bool through_tail_call(struct args_run *run, uint64_t target, uint64_t callee,
			      const struct passed *entry, unsigned depth, unsigned *budget,
			      struct passed *out)
{
	const char *why;
	const struct cfg *cfg = code_cfg(run->session, target, &why);
	struct jumps jumps;
	bool any = false;

	if (!cfg || cfg->entry != target || cfg->incomplete || !depth || !*budget)
		return false;
	--*budget;
	uint64_t only = system_call(run, entry);
	if (only && strcmp(cfg->name, "x64_sys_call") == 0 && cfg_has_tail_call(cfg, only))
		jumps = (struct jumps){ .to = { only }, .count = 1 };
	else
		find_jumps(cfg, &jumps);
	for (unsigned i = 0; i < jumps.count && !jumps.open; i++) {
		struct passed at, way;
		unsigned enough = WAY_BUDGET;
		if (!reaches(run, jumps.to[i], callee, depth - 1, &enough))
			continue;
		if (!at_jumps(run, cfg, jumps.to[i], entry, &at))
			return false;
		if (jumps.to[i] == callee)
			way = at;
		else if (!through_tail_call(run, jumps.to[i], callee, &at, depth - 1, budget, &way))
			return false;
		if (any)
			agree(out, &way, run->session->arch->arg_reg_count);
		else
			*out = way;
		any = true;
	}
	return any;
}

/*
 * What was in register @reg when @f's function was entered or made its call (@id), as its caller or
 * callee tells. False: it does not fit to what is known, or nothing new.
 */
static bool learn(struct frame_flow *f, flow_id id, unsigned reg, const struct flow_value *v,
		  uint64_t *conflict)
{
	struct flow_value own;
	unsigned bits = flow_eval(f->facts, id, false, &own) ? own.bits : 0;
	unsigned both = bits < v->bits ? bits : v->bits;
	uint64_t mask = both >= 64 ? UINT64_MAX : (UINT64_C(1) << both) - 1;

	if ((own.value ^ v->value) & mask)
		*conflict |= UINT64_C(1) << reg;
	if (bits >= v->bits || (own.value ^ v->value) & mask)
		return false;
	flow_know(f->facts, id, v);
	return true;
}

static void settle(struct frame_flow *f)
{
	if (flow_solve(f->facts))
		return;
	f->usable = false;
	f->why = "what is known of it contradicts itself";
}

/* Takes over into the callee what the caller is known to have passed. */
static void take_over(struct args_run *run, size_t i, const struct passed *passed,
		      const char *const *how)
{
	struct frame_flow *callee = &run->frames[i];
	const struct arch *arch = run->session->arch;

	for (unsigned n = 0; n < arch->arg_reg_count; n++) {
		unsigned reg = arch->arg_regs[n];
		struct flow_value v = passed->value[n];
		if (!passed->known[n])
			continue;
		v.source = FLOW_FROM_ENTRY;
		v.reg = (int)reg;
		if (learn(callee, flow_entry(callee->flow, reg), reg, &v, &callee->conflict))
			callee->passed_how[n] = how[n];
	}
	settle(callee);
}

unsigned args_place_of(const struct arch *arch, int reg)
{
	for (unsigned n = 0; n < arch->arg_reg_count; n++) {
		if (arch->arg_regs[n] == reg)
			return n;
	}
	return arch->arg_reg_count;
}

/* What @callee was entered with, as far as it tells. */
static void entered_with(const struct arch *arch, struct frame_flow *callee, struct passed *out)
{
	for (unsigned n = 0; n < arch->arg_reg_count; n++) {
		flow_id entry = flow_entry(callee->flow, arch->arg_regs[n]);
		out->known[n] = flow_eval(callee->facts, entry, false, &out->value[n]);
		out->value[n].source = FLOW_FROM_CALLEE;
		out->value[n].reg = (int)arch->arg_regs[n];
	}
}

/*
 * A call through a pointer that nothing in the caller tells: supposing that it called the callee,
 * with what that was entered with, does the pointer follow, and does it lead there?
 */
static bool call_confirmed(struct args_run *run, const struct frame_flow *caller,
			   const struct frame_flow *callee, const struct passed *passed)
{
	const struct arch *arch = run->session->arch;
	struct frame_flow supposed = *caller;

	supposed.facts = flow_facts_create(code_env(run->session), caller->flow);
	flow_facts_set_stable(supposed.facts, args_stable, run);
	for (unsigned n = 0; n < arch->arg_reg_count; n++) {
		if (passed->known[n])
			flow_know(supposed.facts, flow_register(caller->flow, arch->arg_regs[n]),
				  &passed->value[n]);
	}
	bool confirmed = flow_solve(supposed.facts) &&
			 args_call_target(run, &supposed) == callee->cfg->entry;
	flow_facts_destroy(supposed.facts);
	return confirmed;
}

/* What the callee is known to have been called with was in the caller's registers at the call. */
static void pass_up(struct args_run *run, size_t i)
{
	struct frame_flow *callee = &run->frames[i], *caller = &run->frames[i + 1];
	const struct arch *arch = run->session->arch;
	struct passed passed = { 0 };

	if (!callee->usable || !caller->usable || !args_linked(run, i) ||
	    !args_comes_straight(run, callee->cfg))
		return;
	uint64_t target = args_call_target(run, caller);
	if (target && target != callee->cfg->entry)
		return;
	entered_with(arch, callee, &passed);
	if (!target && !call_confirmed(run, caller, callee, &passed))
		return;
	for (unsigned n = 0; n < arch->arg_reg_count; n++) {
		unsigned reg = arch->arg_regs[n];
		if (passed.known[n])
			learn(caller, flow_register(caller->flow, reg), reg, &passed.value[n],
			      &callee->conflict);
	}
	settle(caller);
}

/* What the kernel must have passed is kept elsewhere too: its function, and the first argument. */
static void take_anchors(struct args_run *run, const struct anchor *anchors, size_t count,
			 struct passed *given, const char **how)
{
	const struct arch *arch = run->session->arch;

	for (size_t k = 0; k < count; k++) {
		unsigned n = args_place_of(arch, (int)anchors[k].reg);
		if (n == arch->arg_reg_count || given->known[n])
			continue;
		given->known[n] = true;
		how[n] = anchors[k].why;
		given->value[n] = (struct flow_value){ .value = anchors[k].value,
						       .bits = 64,
						       .source = FLOW_FROM_OUTSIDE,
						       .reg = -1 };
	}
}

/* A function that the kernel itself called: what its caller's code does not tell. */
static void know_anchors(struct args_run *run, size_t i)
{
	struct frame_flow *f = &run->frames[i];
	struct passed given = { 0 };
	const char *how[ARGS_REGS_MAX] = { 0 };
	struct anchor anchors[ANCHORS_MAX];

	if (!f->usable)
		return;
	size_t count = anchors_of(run->session, run->task, run->stack, i, anchors);
	take_anchors(run, anchors, count, &given, how);
	if (count)
		take_over(run, i, &given, how);
}

static void pass_down(struct args_run *run, size_t i)
{
	struct anchor anchors[ANCHORS_MAX];
	size_t anchor_count;
	struct frame_flow *callee = &run->frames[i], *caller = &run->frames[i + 1];
	const struct arch *arch = run->session->arch;
	struct passed given = { 0 }, jumped = { 0 };
	const char *how[ARGS_REGS_MAX] = { 0 };

	if (!callee->usable || !caller->usable || !args_linked(run, i))
		return;
	uint64_t target = args_call_target(run, caller);
	uint64_t anchored = anchored_call(run->session, run->task, run->stack, i + 1, anchors,
					  &anchor_count);
	target = anchored ? anchored : target;
	bool direct = target == callee->cfg->entry && args_comes_straight(run, callee->cfg);
	unsigned budget = WAY_BUDGET;
	for (unsigned n = 0; n < arch->arg_reg_count; n++) {
		flow_id id = flow_register(caller->flow, arch->arg_regs[n]);
		struct flow_value *v = &given.value[n];
		given.known[n] = flow_eval(caller->facts, id, false, v);
		if (given.known[n])
			how[n] = how_passed(run->arena, run->session, caller,
					    arch->arg_regs[n], v);
		else if (direct)
			callee->guessed[n] = flow_eval(caller->facts, id, true, &callee->guess[n]);
	}
	if (anchored)
		take_anchors(run, anchors, anchor_count, &given, how);
	if (direct) {
		take_over(run, i, &given, how);
	} else if (target && target != callee->cfg->entry &&
		   through_tail_call(run, target, callee->cfg->entry, &given, WAY_MAX, &budget,
				     &jumped)) {
		for (unsigned n = 0; n < arch->arg_reg_count; n++)
			how[n] = arena_printf(run->arena,
					      "%s passed it, through a tail call",
					      caller->cfg->name);
		take_over(run, i, &jumped, how);
	}
}

/* --- The whole. --- */

bool args_run_open(struct args_run *run)
{
	struct session *s = run->session;
	struct stack *stack = run->stack;

	if (!s->unwinder || !code_env(s))
		return false;
	run->count = stack->count < FRAMES_MAX ? stack->count : FRAMES_MAX;
	run->frames = xcalloc(run->count + 1, sizeof(*run->frames));
	code_cfg_trim(s);
	args_find_stable(run);
	unwind_registers(s->unwinder, stack, NULL);
	for (size_t i = 0; i < run->count; i++) {
		frame_flow_open(run, i);
		know_anchors(run, i);
		if (i)
			pass_up(run, i - 1);
		if (args_linked(run, i))
			frame_flow_give_back(run, i);
	}
	for (size_t i = run->count; i-- > 1;)
		pass_down(run, i - 1);
	/* What came down may be more than what went up, and tell where a call went. */
	for (size_t i = 0; i + 1 < run->count; i++)
		args_know_target(run, i);
	for (size_t i = 0; i + 1 < run->count; i++)
		pass_up(run, i);
	for (size_t i = run->count; i-- > 1;)
		pass_down(run, i - 1);
	return true;
}

void args_run_close(struct args_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		frame_flow_close(&run->frames[i]);
	free(run->frames);
	run->frames = NULL;
	run->count = 0;
}
