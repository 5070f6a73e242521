// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Arguments of the frames of a stack: parameters by their prototype, in the registers of the
 * calling convention; values by value flow over the stack (args_sweep.c), and by the debug file
 * where there is one: that tells what a parameter is now, value flow what it was on entry.
 */
#include "forensics/args.h"

#include <inttypes.h>
#include <string.h>

#include "forensics/args_frame.h"
#include "forensics/prototype.h"
#include "kernel/anchors.h"
#include "unwind/variables.h"

enum { PARAMETERS_MAX = 32, REG_SIZE = 8 };

/* --- Parameters. --- */

/* The registers that the parameters of a prototype are passed in: System V ABI, 3.2.3. */
static void place_parameters(struct session *s, struct type prototype, struct frame_args *out,
			     struct arena *arena)
{
	struct arg args[PARAMETERS_MAX];
	struct member member;
	unsigned next = 0, count = 0, on_stack = 0;

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
		if (kind == TYPE_FLOAT || !size)
			continue;
		if (size > 2 * REG_SIZE || next + words > s->arch->arg_reg_count) {
			a->stack_offset = REG_SIZE * (1 + on_stack);
			on_stack += (unsigned)((size + REG_SIZE - 1) / REG_SIZE);
			continue;
		}
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

/*
 * A static function's namesake in another file may have got its name in BTF. Of what a kernel
 * thread runs the prototype is known: int (*)(void *).
 */
static bool is_namesakes(const struct args_run *run, const struct cfg *cfg, struct type prototype)
{
	struct member parameter;
	uint64_t function, data;

	return type_member_at(prototype, 1, &parameter) && run->task &&
	       kthread_of(run->session, run->task, &function, &data) && function == cfg->entry;
}

static void find_parameters(struct args_run *run, size_t i, struct frame_args *out)
{
	const struct frame_flow *f = &run->frames[i];
	bool changed = false;
	struct type prototype;

	out->why = f->why;
	out->function = f->cfg ? arena_strdup(run->arena, f->cfg->name) : NULL;
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
	if (is_namesakes(run, f->cfg, prototype)) {
		out->why = "its prototype is that of a namesake";
		return;
	}
	place_parameters(run->session, prototype, out, run->arena);
}

/* --- Values. --- */

static uint64_t cut(uint64_t value, uint64_t size)
{
	return size >= REG_SIZE ? value : value & ((UINT64_C(1) << size * 8) - 1);
}

static const char *how_known(struct args_run *run, const struct frame_flow *f, unsigned n,
			     const struct flow_value *v)
{
	struct arena *arena = run->arena;
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

/* What the caller put into the slot, if nobody can have written there since. */
static void find_on_stack(struct args_run *run, size_t i, struct arg *a)
{
	const struct frame_flow *f = &run->frames[i];
	struct frame_flow *caller = &run->frames[i + 1];
	struct flow_value v;
	int64_t depth;

	if (!args_linked(run, i) || !caller->usable ||
	    args_call_target(run, caller) != f->cfg->entry ||
	    !flow_stack_depth(caller->flow, &depth))
		return;
	flow_id id = flow_slot(caller->flow, depth + (int64_t)a->stack_offset - REG_SIZE, REG_SIZE);
	if (!id || !flow_eval(caller->facts, id, false, &v) || v.bits < a->size * 8)
		return;
	a->origin = ARG_DERIVED;
	a->value = cut(v.value, a->size);
	a->how = arena_printf(run->arena, "%s passed it on the stack", caller->cfg->name);
}

static void find_value(struct args_run *run, size_t i, struct arg *a)
{
	struct frame_flow *f = &run->frames[i];
	const struct arch *arch = run->session->arch;
	unsigned n = args_place_of(arch, a->reg);
	struct flow_value v;

	a->how = f->why;
	if (!f->usable)
		return;
	a->how = "it is not passed in one register";
	if (a->stack_offset && a->size <= REG_SIZE)
		find_on_stack(run, i, a);
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
static void compare_with(struct args_run *run, size_t i, const struct variable *v,
			 struct arg *a)
{
	const struct frame_flow *f = &run->frames[i];
	bool passed = a->stack_offset && f->entry_sp &&
		      v->address == f->entry_sp + a->stack_offset;
	uint64_t value;

	if (!variable_number(v, &value))
		return;
	if (a->origin == ARG_UNKNOWN || a->origin == ARG_CANDIDATE) {
		/* Memory other than where it was passed may be what the function made of it. */
		a->origin = v->derived || (v->has_address && !passed) ? ARG_CANDIDATE : ARG_EXACT;
		a->value = value;
		a->size = v->size;
		a->how = arena_printf(run->arena, "the debug file: %s",
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
static void parameters_of(struct args_run *run, size_t i, struct variables *all,
			  struct frame_args *out)
{
	struct arena *arena = run->arena;

	out->args = arena_zalloc(arena, (all->count + 1) * sizeof(*out->args));
	vec_for_each(v, all) {
		struct arg *a = &out->args[out->count];
		if (!is_parameter_of(v))
			continue;
		*a = (struct arg){ .name = arena_strdup(arena, v->name ? v->name : ""),
				   .reg = -1,
				   .size = v->size,
				   .how = v->why ? arena_strdup(arena, v->why) : NULL };
		types_find(run->session->types, v->type, &a->type);
		compare_with(run, i, v, a);
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
		parameters_of(run, i, &all, out);
	vec_for_each(v, &all) {
		for (unsigned n = 0; n < out->count && out->prototype; n++) {
			if (is_parameter_of(v) && v->name &&
			    strcmp(v->name, out->args[n].name) == 0)
				compare_with(run, i, v, &out->args[n]);
		}
	}
	variables_deinit(&all);
}

/* --- The whole. --- */

void stack_args_find(struct session *s, const struct task *task, struct stack *stack,
		     struct stack_args *out)
{
	struct args_run run = { .session = s, .task = task, .stack = stack };

	*out = (struct stack_args){ .count = stack->count };
	run.arena = &out->arena;
	out->frames = arena_zalloc(&out->arena, (stack->count + 1) * sizeof(*out->frames));
	bool open = args_run_open(&run);
	for (size_t i = run.count; i < stack->count; i++)
		out->frames[i].why = open ? "the stack is too deep to go into all of it"
					  : "no symbols are known";
	for (size_t i = 0; i < run.count; i++) {
		struct frame_args *f = &out->frames[i];
		find_parameters(&run, i, f);
		for (unsigned n = 0; n < f->count; n++)
			find_value(&run, i, &f->args[n]);
		ask_debug_file(&run, i, f);
		if (!f->count && !f->why && !f->prototype)
			f->why = "no prototype is known";
	}
	args_run_close(&run);
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
