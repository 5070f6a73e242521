// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where a call through a pointer went that is lost since, by exclusion: the values that the pointer
 * can have had are counted up through joining paths, conditional moves and the arguments that the
 * callers pass. Where all of them are known and only one leads to the function that the stack shows
 * next, the pointer had that one.
 *
 * NULL is none of them: nothing is called through it. A function that jumps on to others in ways
 * not known may lead anywhere.
 */
#include "forensics/args_frame.h"

enum { VALUES_MAX = 8, NODES_MAX = 32, CALLERS_MAX = 8 };

struct values {
	struct args_run *run;
	uint64_t value[VALUES_MAX];
	unsigned count;
	unsigned budget; /* nodes yet to be looked at */
	bool open;       /* it can have had others, too */
};

struct place {
	struct values *values;
	size_t frame;
	flow_id seen[NODES_MAX]; /* of this frame */
	unsigned seen_count;
};

static void count_up(struct place *p, flow_id id);

static void add(struct values *v, uint64_t value)
{
	for (unsigned i = 0; i < v->count; i++) {
		if (v->value[i] == value)
			return;
	}
	if (!value)
		return;
	if (v->count == VALUES_MAX)
		v->open = true;
	else
		v->value[v->count++] = value;
}

static bool add_path(void *ctx, uint64_t from unused_arg, flow_id id)
{
	struct place *p = ctx;

	count_up(p, id);
	return !p->values->open;
}

/* What the caller passes in this register, if it called the function of this frame. */
static void add_passed(struct place *p, unsigned reg)
{
	struct values *v = p->values;
	struct args_run *run = v->run;
	struct place above = { .values = v, .frame = p->frame + 1 };

	v->open = true;
	if (args_place_of(run->session->arch, (int)reg) == run->session->arch->arg_reg_count ||
	    !args_linked(run, p->frame))
		return;
	struct frame_flow *callee = &run->frames[p->frame], *caller = &run->frames[above.frame];
	if (!caller->usable || args_call_target(run, caller) != callee->cfg->entry ||
	    !args_comes_straight(run, callee->cfg))
		return;
	v->open = false;
	count_up(&above, flow_register(caller->flow, reg));
}

static bool is_new(struct place *p, flow_id id)
{
	for (unsigned i = 0; i < p->seen_count; i++) {
		if (p->seen[i] == id)
			return false;
	}
	if (p->seen_count == NODES_MAX || !p->values->budget) {
		p->values->open = true;
		return false;
	}
	p->values->budget--;
	p->seen[p->seen_count++] = id;
	return true;
}

/* All values that node @id can have. */
static void count_up(struct place *p, flow_id id)
{
	struct frame_flow *f = &p->values->run->frames[p->frame];
	struct flow_value known;

	if (!id)
		p->values->open = true;
	if (p->values->open || !is_new(p, id))
		return;
	const struct flow_node n = *flow_node(f->flow, id);
	if (flow_eval(f->facts, id, false, &known) && known.bits == 64) {
		add(p->values, known.value);
		return;
	}
	switch (n.kind) {
	case FLOW_CHOICE:
		count_up(p, n.a);
		count_up(p, n.b);
		return;
	case FLOW_MERGE:
		flow_merged(f->flow, id, add_path, p);
		return;
	case FLOW_ENTRY:
		add_passed(p, (unsigned)n.reg);
		return;
	default:
		p->values->open = true;
	}
}

void args_know_target(struct args_run *run, size_t i)
{
	struct frame_flow *callee = &run->frames[i], *caller = &run->frames[i + 1];
	struct values values = { .run = run, .budget = NODES_MAX };
	struct place place = { .values = &values, .frame = i + 1 };
	struct flow_value v = { .bits = 64, .source = FLOW_FROM_CALLEE, .reg = -1 };

	if (!callee->usable || !caller->usable || !args_linked(run, i))
		return;
	const struct cfg_insn *call = &caller->cfg->insns[caller->insn];
	v.value = callee->cfg->entry;
	if (call->target || call->through < 0 || args_call_target(run, caller) ||
	    !args_comes_straight(run, callee->cfg))
		return;
	flow_id pointer = flow_register(caller->flow, (unsigned)call->through);
	count_up(&place, pointer);
	bool among = false;
	for (unsigned n = 0; n < values.count && !values.open; n++) {
		if (values.value[n] == v.value)
			among = true;
		else if (args_may_reach(run, values.value[n], v.value))
			return;
	}
	if (values.open || !among)
		return;
	unsigned place_on_entry = run->session->arch->arg_reg_count;
	if (flow_node(caller->flow, pointer)->kind == FLOW_ENTRY)
		place_on_entry = args_place_of(run->session->arch,
					       flow_node(caller->flow, pointer)->reg);
	if (place_on_entry < run->session->arch->arg_reg_count)
		caller->passed_how[place_on_entry] = "it was called, and led to the next function";
	v.source = FLOW_FROM_OUTSIDE;
	flow_know(caller->facts, pointer, &v);
	if (flow_solve(caller->facts))
		return;
	caller->usable = false;
	caller->why = "what is known of it contradicts itself";
}
