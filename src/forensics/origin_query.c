// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What in a frame is meant by a question for an origin: a register, what an argument was on entry,
 * whatever holds a number, or what was read from a cell.
 */
#include "forensics/origin_query.h"

#include <string.h>

#include "forensics/origin_name.h"

static bool node_is(const struct frame_flow *f, flow_id id, uint64_t value)
{
	struct flow_value v;

	return f->usable && id && flow_eval(f->facts, id, false, &v) && v.bits == 64 &&
	       v.value == value;
}

static flow_id node_of_argument(struct args_run *run, size_t frame,
				const struct origin_query *query, struct origin *o)
{
	const struct frame_flow *f = &run->frames[frame];
	const struct arch *arch = run->session->arch;
	struct member parameter;

	for (unsigned i = 0; i < arch->arg_reg_count; i++) {
		int reg = arch->arg_regs[i];
		if (!origin_parameter(run, f, reg, &parameter) || !parameter.name ||
		    !*parameter.name)
			continue;
		flow_id id = flow_entry(f->flow, (unsigned)reg);
		if (query->asked == ORIGIN_OF_ARGUMENT ? strcmp(parameter.name, query->name) != 0
						       : !node_is(f, id, query->value))
			continue;
		o->subject = arena_printf(&o->arena, "argument %s", parameter.name);
		return id;
	}
	return FLOW_NONE;
}

static flow_id node_of_value(struct args_run *run, size_t frame,
			     const struct origin_query *query, struct origin *o)
{
	const struct frame_flow *f = &run->frames[frame];
	const struct regs *regs = &run->stack->frames[frame].regs;
	const struct flow_slot *slots;
	size_t count;

	for (unsigned i = 0; i < run->session->arch->reg_count && i < 16; i++) {
		flow_id id = flow_register(f->flow, i);
		if ((!regs_known(regs, i) || regs->value[i] != query->value) &&
		    !node_is(f, id, query->value))
			continue;
		o->subject = run->session->arch->reg_names[i];
		return id;
	}
	flow_id id = node_of_argument(run, frame, query, o);
	slots = flow_slots(f->flow, &count);
	for (size_t i = 0; i < count && !id; i++) {
		if (slots[i].size != 8 || !node_is(f, slots[i].value, query->value))
			continue;
		o->subject = "a stack slot";
		id = slots[i].value;
	}
	return id;
}

static flow_id node_of_cell(struct args_run *run, size_t frame, uint64_t cell, struct origin *o)
{
	const struct frame_flow *f = &run->frames[frame];

	for (unsigned i = 0; i < run->session->arch->reg_count && i < 16; i++) {
		flow_id id = flow_register(f->flow, i);
		const struct flow_node *n = flow_node(f->flow, id);
		struct flow_value v;
		if (n->kind == FLOW_ZERO_EXTEND || n->kind == FLOW_SIGN_EXTEND)
			n = flow_node(f->flow, n->a);
		if (!f->usable || n->kind != FLOW_LOAD ||
		    !flow_eval(f->facts, n->a, true, &v) || v.bits < 64 || v.value != cell)
			continue;
		o->subject = run->session->arch->reg_names[i];
		return id;
	}
	return FLOW_NONE;
}

flow_id origin_node(struct args_run *run, size_t frame, const struct origin_query *query,
		    struct origin *o)
{
	switch (query->asked) {
	case ORIGIN_OF_ARGUMENT:
		return node_of_argument(run, frame, query, o);
	case ORIGIN_OF_VALUE:
		return node_of_value(run, frame, query, o);
	case ORIGIN_OF_CELL:
		return node_of_cell(run, frame, query->value, o);
	default:
		o->subject = run->session->arch->reg_names[query->reg];
		return flow_register(run->frames[frame].flow, query->reg);
	}
}
