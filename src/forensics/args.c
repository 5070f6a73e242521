// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Arguments of the frames of a stack, in two sweeps over value flow (code/flow.h):
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
#include "forensics/args.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forensics/args_frame.h"
#include "forensics/callers.h"
#include "forensics/prototype.h"
#include "kernel/anchors.h"
#include "unwind/variables.h"

enum { FRAMES_MAX = 200, PARAMETERS_MAX = 32, REG_SIZE = 8 };

/* --- Down: what a caller passed. --- */

static bool is_linked(const struct stack *stack, size_t callee)
{
	const struct frame *caller = &stack->frames[callee + 1];

	return caller->is_call && caller->retaddr_at && !caller->has_regs &&
	       caller->how != FRAME_SCAN && stack->frames[callee].how != FRAME_SCAN;
}

/* Where the caller's call went; @sure: as the code alone tells. 0: not known. */
static uint64_t call_target(struct session *s, struct frame_flow *caller, bool *sure)
{
	const struct cfg_insn *call = &caller->cfg->insns[caller->insn];
	const struct insn_memory *m = &call->insn.memory;
	struct flow_value v;
	uint64_t target = call->target;

	*sure = true;
	if (target) {
		static_call_target(s, target, &target);
		return target;
	}
	*sure = false;
	if (call->through >= 0) {
		flow_id pointer = flow_register(caller->flow, (unsigned)call->through);
		*sure = flow_eval(caller->facts, pointer, false, &v);
		return *sure || flow_eval(caller->facts, pointer, true, &v) ? v.value : 0;
	}
	if (!m->present || m->per_cpu || !m->read ||
	    !flow_eval(caller->facts, flow_address(caller->flow, m), true, &v) || v.bits < 64 ||
	    memory_read(s->memory, v.value, &target, sizeof(target)) != READ_OK)
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

/* The argument registers at one point, by place in the calling convention. */
struct passed {
	struct flow_value value[ARGS_REGS_MAX];
	bool known[ARGS_REGS_MAX];
};

/* The argument registers at the jumps of @cfg to @to, by those on entry. All must agree. */
static bool at_jumps(struct args_run *run, const struct cfg *cfg, uint64_t to,
		     const struct passed *entry, struct passed *out)
{
	const struct arch *arch = run->session->arch;
	bool first = true;

	for (uint32_t i = 0; i < cfg->insn_count; i++) {
		const struct cfg_insn *jump = &cfg->insns[i];
		const char *why;
		struct flow *flow;
		if (jump->target != to || (jump->role != CFG_TAIL && jump->role != CFG_BRANCH))
			continue;
		if (!flow_create(code_env(run->session), cfg, jump->at, NULL, &flow, &why))
			return false;
		struct flow_facts *facts = flow_facts_create(code_env(run->session), flow);
		flow_facts_set_stable(facts, args_stable, run);
		for (unsigned n = 0; n < arch->arg_reg_count; n++) {
			if (entry->known[n])
				flow_know(facts, flow_entry(flow, arch->arg_regs[n]),
					  &entry->value[n]);
		}
		bool ok = flow_solve(facts);
		for (unsigned n = 0; n < arch->arg_reg_count; n++) {
			flow_id id = flow_register(flow, arch->arg_regs[n]);
			struct flow_value v;
			bool has = ok && flow_eval(facts, id, false, &v);
			if (first)
				out->known[n] = has, out->value[n] = v;
			else if (!has || v.bits != out->value[n].bits ||
				 v.value != out->value[n].value)
				out->known[n] = false;
		}
		first = false;
		flow_facts_destroy(facts);
		flow_destroy(flow);
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

/* Where else @cfg's function jumps on to, when that is one place only; 0: several, or none. */
static uint64_t only_tail_call(const struct cfg *cfg)
{
	uint64_t only = 0;

	for (uint32_t i = 0; i < cfg->insn_count; i++) {
		if (cfg->insns[i].role == CFG_TAIL_INDIRECT)
			return 0;
		if (cfg->insns[i].role != CFG_TAIL)
			continue;
		if (only && only != cfg->insns[i].target)
			return 0;
		only = cfg->insns[i].target;
	}
	return only;
}

/*
 * The function at @target was called, and jumped on to @callee's, perhaps by way of others: what
 * was in the argument registers then, by what it was called with.
 */
static bool through_tail_call(struct args_run *run, uint64_t target, uint64_t callee,
			      const struct passed *entry, struct passed *out)
{
	enum { WAY_MAX = 4 };
	struct passed at = *entry;

	for (unsigned i = 0; i < WAY_MAX; i++) {
		const char *why;
		const struct cfg *cfg = code_cfg(run->session, target, &why);
		uint64_t next;
		if (!cfg || cfg->entry != target || cfg->incomplete)
			return false;
		next = callee;
		if (!cfg_has_tail_call(cfg, callee)) {
			next = system_call(run, &at);
			if (!next || !cfg_has_tail_call(cfg, next))
				next = only_tail_call(cfg);
		}
		if (!next || !at_jumps(run, cfg, next, &at, out))
			return false;
		if (next == callee)
			return true;
		at = *out;
		target = next;
	}
	return false;
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

/* In which place of the calling convention @reg is; arg_reg_count: in none. */
static unsigned place_of(const struct arch *arch, int reg)
{
	for (unsigned n = 0; n < arch->arg_reg_count; n++) {
		if (arch->arg_regs[n] == reg)
			return n;
	}
	return arch->arg_reg_count;
}

/* What the callee is known to have been called with was in the caller's registers at the call. */
static void pass_up(struct args_run *run, size_t i)
{
	struct frame_flow *callee = &run->frames[i], *caller = &run->frames[i + 1];
	const struct arch *arch = run->session->arch;
	bool sure;

	if (!callee->usable || !caller->usable || !is_linked(run->stack, i) ||
	    call_target(run->session, caller, &sure) != callee->cfg->entry)
		return;
	for (unsigned n = 0; n < arch->arg_reg_count; n++) {
		unsigned reg = arch->arg_regs[n];
		struct flow_value v;
		if (!flow_eval(callee->facts, flow_entry(callee->flow, reg), false, &v))
			continue;
		v.source = FLOW_FROM_CALLEE;
		v.reg = (int)reg;
		learn(caller, flow_register(caller->flow, reg), reg, &v, &callee->conflict);
	}
	settle(caller);
}

/* What the kernel must have passed is kept elsewhere too: its function, and the first argument. */
static void take_anchors(struct args_run *run, const struct anchor *anchors, size_t count,
			 struct passed *given, const char **how)
{
	const struct arch *arch = run->session->arch;

	for (size_t k = 0; k < count; k++) {
		unsigned n = place_of(arch, (int)anchors[k].reg);
		if (n == arch->arg_reg_count || given->known[n])
			continue;
		given->known[n] = true;
		how[n] = anchors[k].why;
		given->value[n] = (struct flow_value){ .value = anchors[k].value, .bits = 64,
						.source = FLOW_FROM_OUTSIDE, .reg = -1 };
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
	bool sure;

	if (!callee->usable || !caller->usable || !is_linked(run->stack, i))
		return;
	uint64_t target = call_target(run->session, caller, &sure);
	uint64_t anchored = anchored_call(run->session, run->task, run->stack, i + 1, anchors,
					  &anchor_count);
	target = anchored ? anchored : target;
	bool direct = target == callee->cfg->entry;
	for (unsigned n = 0; n < arch->arg_reg_count; n++) {
		flow_id id = flow_register(caller->flow, arch->arg_regs[n]);
		struct flow_value *v = &given.value[n];
		given.known[n] = flow_eval(caller->facts, id, false, v);
		if (given.known[n])
			how[n] = how_passed(&run->out->arena, run->session, caller,
					    arch->arg_regs[n], v);
		else if (direct)
			callee->guessed[n] = flow_eval(caller->facts, id, true, &callee->guess[n]);
	}
	if (anchored)
		take_anchors(run, anchors, anchor_count, &given, how);
	if (direct) {
		take_over(run, i, &given, how);
	} else if (target &&
		   through_tail_call(run, target, callee->cfg->entry, &given, &jumped)) {
		for (unsigned n = 0; n < arch->arg_reg_count; n++)
			how[n] = arena_printf(&run->out->arena,
					      "%s passed it, through a tail call",
					      caller->cfg->name);
		take_over(run, i, &jumped, how);
	}
}

/* --- Parameters. --- */

/* The registers that the parameters of a prototype are passed in: System V ABI, 3.2.3. */
static void place_parameters(struct session *s, struct type prototype, struct frame_args *out,
			     struct arena *arena)
{
	struct arg args[PARAMETERS_MAX];
	struct member member;
	unsigned next = 0, count = 0;

	while (count < PARAMETERS_MAX && type_member_at(prototype, count, &member)) {
		struct arg *a = &args[count++];
		uint64_t size = type_size(member.type);
		enum type_kind kind = type_kind(type_strip(member.type));
		bool aggregate = kind == TYPE_STRUCT || kind == TYPE_UNION;
		unsigned words = size > REG_SIZE ? 2 : 1;
		*a = (struct arg){ .name = arena_strdup(arena, member.name ? member.name : ""),
				   .type = member.type,
				   .reg = -1,
				   .size = size };
		if (kind == TYPE_VOID || kind == TYPE_NONE) { /* "...": nothing more is known */
			count--;
			break;
		}
		if (kind == TYPE_FLOAT || !size || size > 2 * REG_SIZE ||
		    next + words > s->arch->arg_reg_count)
			continue;
		/* Of two registers only the first part is shown by a number. */
		if (words == 1)
			a->reg = s->arch->arg_regs[next];
		if (aggregate && words == 1 && size < REG_SIZE && (size & (size - 1)))
			a->reg = -1;
		next += words;
	}
	out->args = arena_zalloc(arena, (count + 1) * sizeof(*out->args));
	memcpy(out->args, args, count * sizeof(*args));
	out->count = count;
	out->prototype = true;
}

static void find_parameters(struct args_run *run, size_t i, struct frame_args *out)
{
	const struct frame_flow *f = &run->frames[i];
	bool changed = false;
	struct type prototype;

	out->why = f->why;
	out->function = f->cfg ? arena_strdup(&run->out->arena, f->cfg->name) : NULL;
	if (!f->cfg)
		return;
	if (!prototype_of(run->session, f->cfg->entry, &prototype, &changed)) {
		out->why = "no prototype is known";
		return;
	}
	if (changed || strstr(f->cfg->name, ".part.")) {
		out->why = "the compiler changed its parameters";
		return;
	}
	place_parameters(run->session, prototype, out, &run->out->arena);
}

/* --- Values. --- */

static uint64_t cut(uint64_t value, uint64_t size)
{
	return size >= REG_SIZE ? value : value & ((UINT64_C(1) << size * 8) - 1);
}

static const char *how_known(struct args_run *run, const struct frame_flow *f, unsigned n,
			     const struct flow_value *v)
{
	struct arena *arena = &run->out->arena;
	const char *const *regs = run->session->arch->reg_names;

	switch (v->source) {
	case FLOW_FROM_REGISTER:
		if (v->reg == run->session->arch->arg_regs[n] && !f->is_call)
			return arena_printf(arena, "still in %s", regs[v->reg]);
		return arena_printf(arena, "kept in %s", regs[v->reg]);
	case FLOW_FROM_SLOT:
		return arena_printf(arena, "kept on the stack at %" PRIx64,
				    f->entry_sp + (uint64_t)v->offset);
	case FLOW_FROM_CALLEE:
		return "passed on to the next function, which tells";
	case FLOW_FROM_CONDITION:
		return "a branch on the only path tells";
	default:
		return f->passed_how[n] ? f->passed_how[n] : "the code tells";
	}
}

static void find_value(struct args_run *run, struct frame_flow *f, struct arg *a)
{
	const struct arch *arch = run->session->arch;
	unsigned n = place_of(arch, a->reg);
	struct flow_value v;

	a->how = f->why;
	if (!f->usable)
		return;
	a->how = "it is not passed in one register";
	if (n == arch->arg_reg_count || !a->size || a->size > REG_SIZE)
		return;
	flow_id entry = flow_entry(f->flow, (unsigned)a->reg);
	if (f->conflict >> a->reg & 1) {
		a->how = "caller and callee tell different values";
		return;
	}
	if (flow_eval(f->facts, entry, false, &v) && v.bits >= a->size * 8) {
		/* Nothing has happened to the register since the entry. */
		bool exact = !f->is_call && v.source == FLOW_FROM_REGISTER && v.reg == a->reg;
		a->origin = exact ? ARG_EXACT : ARG_DERIVED;
		a->value = cut(v.value, a->size);
		a->how = how_known(run, f, n, &v);
	} else if (f->guessed[n] && f->guess[n].bits >= a->size * 8) {
		a->origin = ARG_CANDIDATE;
		a->value = cut(f->guess[n].value, a->size);
		a->how = "the caller read it from memory, which is read again";
	} else {
		a->how = "what was in it is lost";
	}
}

/* --- What the debug file says. --- */

static bool variable_number(const struct variable *v, uint64_t *value)
{
	if (v->state != VARIABLE_KNOWN || v->guess || !v->bytes || !v->size ||
	    v->size > REG_SIZE || v->kind == VARIABLE_AGGREGATE)
		return false;
	*value = 0;
	memcpy(value, v->bytes, (size_t)v->size);
	return true;
}

/* The debug file tells what a parameter is now; the code what it was on entry. */
static void compare_with(struct args_run *run, const struct variable *v, struct arg *a)
{
	uint64_t value;

	if (!variable_number(v, &value))
		return;
	if (a->origin == ARG_UNKNOWN || a->origin == ARG_CANDIDATE) {
		a->origin = v->derived ? ARG_CANDIDATE : ARG_EXACT;
		a->value = value;
		a->size = v->size;
		a->how = arena_printf(&run->out->arena, "the debug file: %s",
				      v->where ? v->where : "in memory");
	} else if (value == a->value) {
		if (!v->derived)
			a->origin = ARG_EXACT;
	} else {
		a->changed = true;
		a->now = value;
	}
}

static bool is_parameter_of(const struct variable *v)
{
	return v->parameter && !v->inlined;
}

/* No prototype in BTF, or the compiler changed it: the debug file's parameters are what there is. */
static void parameters_of(struct args_run *run, struct variables *all,
			  struct frame_args *out)
{
	struct arena *arena = &run->out->arena;

	out->args = arena_zalloc(arena, (all->count + 1) * sizeof(*out->args));
	vec_for_each(v, all) {
		struct arg *a = &out->args[out->count];
		if (!is_parameter_of(v))
			continue;
		*a = (struct arg){ .name = arena_strdup(arena, v->name ? v->name : ""),
				   .reg = -1,
				   .size = v->size,
				   .how = v->why };
		types_find(run->session->types, v->type, &a->type);
		compare_with(run, v, a);
		out->count++;
	}
	if (out->count)
		out->why = NULL;
}

static void ask_debug_file(struct args_run *run, size_t i, struct frame_args *out)
{
	struct variables all;

	if (run->stack->frames[i].how == FRAME_SCAN)
		return;
	frame_variables(run->session->unwinder, run->stack, i, &all);
	if (!out->prototype)
		parameters_of(run, &all, out);
	vec_for_each(v, &all) {
		for (unsigned n = 0; n < out->count && out->prototype; n++) {
			if (is_parameter_of(v) && v->name &&
			    strcmp(v->name, out->args[n].name) == 0)
				compare_with(run, v, &out->args[n]);
		}
	}
	variables_deinit(&all);
}

/* --- The whole. --- */

void stack_args_find(struct session *s, const struct task *task, struct stack *stack,
		     struct stack_args *out)
{
	size_t count = stack->count < FRAMES_MAX ? stack->count : FRAMES_MAX;
	struct args_run run = { .session = s, .task = task, .stack = stack, .out = out };

	*out = (struct stack_args){ .count = stack->count };
	out->frames = arena_zalloc(&out->arena, (stack->count + 1) * sizeof(*out->frames));
	for (size_t i = count; i < stack->count; i++)
		out->frames[i].why = "the stack is too deep to go into all of it";
	if (!s->unwinder || !code_env(s)) {
		for (size_t i = 0; i < count; i++)
			out->frames[i].why = "no symbols are known";
		return;
	}
	code_cfg_trim(s);
	args_find_stable(&run);
	unwind_registers(s->unwinder, stack, NULL);
	run.frames = xcalloc(count + 1, sizeof(*run.frames));
	for (size_t i = 0; i < count; i++) {
		frame_flow_open(&run, i);
		know_anchors(&run, i);
		if (i)
			pass_up(&run, i - 1);
		if (i + 1 < count && is_linked(stack, i))
			frame_flow_give_back(&run, i);
	}
	for (size_t i = count; i-- > 1;)
		pass_down(&run, i - 1);
	/* What came down may be more than what went up. */
	for (size_t i = 0; i + 1 < count; i++)
		pass_up(&run, i);
	for (size_t i = count; i-- > 1;)
		pass_down(&run, i - 1);
	for (size_t i = 0; i < count; i++) {
		struct frame_args *f = &out->frames[i];
		find_parameters(&run, i, f);
		for (unsigned n = 0; n < f->count; n++)
			find_value(&run, &run.frames[i], &f->args[n]);
		ask_debug_file(&run, i, f);
		if (!f->count && !f->why && !f->prototype)
			f->why = "no prototype is known";
	}
	for (size_t i = 0; i < count; i++)
		frame_flow_close(&run.frames[i]);
	free(run.frames);
}

void stack_args_deinit(struct stack_args *args)
{
	arena_deinit(&args->arena);
}

const char *arg_origin_name(enum arg_origin origin)
{
	static const char *const names[] = { "unknown", "exact", "derived", "candidate" };

	return names[origin];
}
