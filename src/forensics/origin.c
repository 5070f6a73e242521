// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Origins: the node of value flow that a register holds is the explanation already; this follows it
 * down, looks at the memory cells that it names, and goes on in the caller where it came in from
 * there.
 *
 * Each step is about one node in one frame. The values shown are those of the time when the code
 * ran, as far as they follow; of a cell also what it holds now.
 */
#include "forensics/origin.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/strbuf.h"
#include "forensics/origin_name.h"
#include "forensics/whatis.h"

enum { STEPS_MAX = 60, DEPTH_MAX = 24, WAYS_MAX = 8, FOLLOWED_MAX = 16 };

struct tracer {
	struct args_run run;
	struct origin *origin;
	const struct task *task;
	/* What is followed is of an earlier time round a loop: the values known are of the last. */
	size_t earlier_frame;
	bool earlier;
	unsigned followed; /* ways whose branches were looked at, each as much work as a frame */
};

static void trace(struct tracer *t, size_t frame, flow_id id, unsigned depth);

static void name_address(void *ctx, uint64_t address, char *buf, size_t size)
{
	struct session *s = ctx;
	struct symbol symbol;

	*buf = '\0';
	if (symbols_by_address(s->symbols, address, &symbol))
		symbols_format(s->symbols, address, buf, size);
}

static const char *insn_text(struct tracer *t, uint64_t at)
{
	struct session *s = t->run.session;
	uint8_t bytes[CODE_INSN_MAX];
	char text[256];
	size_t got = memory_read_some(s->memory, at, bytes, sizeof(bytes));

	code_format(bytes, got, at, name_address, s, text, sizeof(text));
	return arena_strdup(&t->origin->arena, text);
}

static const char *place_text(struct tracer *t, uint64_t at)
{
	struct session *s = t->run.session;
	char text[320];

	symbols_format(s->symbols, at, text, sizeof(text));
	return arena_strdup(&t->origin->arena, text);
}

static const char *name_text(struct tracer *t, size_t frame, flow_id id)
{
	auto_strbuf name = { 0 };
	struct type type;

	origin_name(&t->run, &t->run.frames[frame], id, &name, &type);
	return arena_strdup(&t->origin->arena, strbuf_text(&name));
}

static void push(struct origin *o, const struct origin_step *step)
{
	if (o->count == o->capacity) {
		o->capacity = o->capacity ? o->capacity * 2 : 16;
		o->steps = xreallocarray(o->steps, o->capacity, sizeof(*o->steps));
	}
	o->steps[o->count++] = *step;
}

/* Do the values known of the frame belong to this node? */
static bool is_of_now(const struct tracer *t, size_t frame, flow_id id)
{
	const struct frame_flow *f = &t->run.frames[frame];

	return f->usable && (!t->earlier || frame != t->earlier_frame ||
			     flow_node_is_once(f->flow, id));
}

/* A step with what is known of its value; NULL: there are too many. */
static struct origin_step *add(struct tracer *t, size_t frame, flow_id id, unsigned depth,
			       enum origin_kind kind)
{
	struct frame_flow *f = &t->run.frames[frame];
	struct origin_step step = { .kind = kind, .depth = depth, .frame = frame };
	struct flow_value v;

	if (t->origin->count >= STEPS_MAX)
		return NULL;
	step.at = flow_node(f->flow, id)->at;
	if (is_of_now(t, frame, id) &&
	    (flow_eval(f->facts, id, false, &v) || flow_eval(f->facts, id, true, &v)) &&
	    v.bits == 64) {
		step.known = true;
		step.memory = v.memory;
		step.value = v.value;
	}
	step.node = id;
	step.name = name_text(t, frame, id);
	push(t->origin, &step);
	return &t->origin->steps[t->origin->count - 1];
}

static void end_here(struct tracer *t, size_t frame, unsigned depth, const char *why)
{
	if (t->origin->count < STEPS_MAX)
		push(t->origin, &(struct origin_step){ .kind = ORIGIN_END,
							  .depth = depth,
							  .frame = frame,
							  .text = why });
}

/* --- Kinds of nodes. --- */

static void look_at_cell(struct tracer *t, struct origin_step *step, flow_id address)
{
	struct frame_flow *f = &t->run.frames[step->frame];
	struct session *s = t->run.session;
	struct flow_value v;
	struct what what;
	uint8_t bytes[8] = { 0 };

	if (!is_of_now(t, step->frame, step->node) || !is_of_now(t, step->frame, address) ||
	    !flow_eval(f->facts, address, true, &v) || v.bits < 64)
		return;
	step->cell = v.value;
	whatis(s, t->task, v.value, &what);
	if (what.kind != WHAT_UNKNOWN)
		step->what = arena_strdup(&t->origin->arena, what.text);
	if (step->size <= sizeof(bytes) &&
	    memory_read(s->memory, v.value, bytes, step->size) == READ_OK) {
		step->cell_read = true;
		step->cell_now = load_u64(bytes);
	}
}

static const char *cell_text(struct tracer *t, const struct origin_step *step)
{
	struct arena *arena = &t->origin->arena;
	const char *now = "";

	if (step->cell && !step->cell_read)
		now = ", which is not in the dump";
	else if (step->cell && step->known && !step->memory)
		now = step->cell_now == step->value
			      ? ", which still holds it"
			      : arena_printf(arena, ", which holds 0x%" PRIx64 " now",
					     step->cell_now);
	else if (step->cell)
		now = arena_printf(arena, ", which holds 0x%" PRIx64 " now", step->cell_now);
	return step->cell ? arena_printf(arena, "read from %s, at %016" PRIx64 "%s", step->name,
					 step->cell, now)
			  : arena_printf(arena, "read from %s", step->name);
}

static void trace_cell(struct tracer *t, size_t frame, flow_id id, unsigned depth)
{
	const struct flow_node n = *flow_node(t->run.frames[frame].flow, id);
	struct origin_step *step = add(t, frame, id, depth, ORIGIN_CELL);

	if (!step)
		return;
	step->size = n.size;
	const struct flow_node *a = flow_node(t->run.frames[frame].flow, n.a);
	flow_id base = n.a;
	if (a->kind == FLOW_ADD &&
	    flow_node(t->run.frames[frame].flow, a->b)->kind == FLOW_CONSTANT) {
		base = a->a;
		step->offset = flow_node(t->run.frames[frame].flow, a->b)->value;
	}
	look_at_cell(t, step, n.a);
	step->text = cell_text(t, step);
	/* What led to the cell. */
	if (flow_node(t->run.frames[frame].flow, base)->kind != FLOW_CONSTANT)
		trace(t, frame, base, depth + 1);
}

static void trace_result(struct tracer *t, size_t frame, flow_id id, unsigned depth)
{
	struct origin_step *step = add(t, frame, id, depth, ORIGIN_RESULT);

	if (step)
		step->text = arena_printf(&t->origin->arena, "result of %s, called at %s",
					  step->name, place_text(t, step->at));
}

static void trace_lost(struct tracer *t, size_t frame, flow_id id, unsigned depth)
{
	const struct frame_flow *f = &t->run.frames[frame];
	const struct flow_node n = *flow_node(f->flow, id);
	struct origin_step *step = add(t, frame, id, depth, ORIGIN_LOST);
	uint32_t insn;

	if (!step)
		return;
	bool call = cfg_find(f->cfg, n.at, &insn) && f->cfg->insns[insn].insn.kind == INSN_CALL;
	step->text = arena_printf(&t->origin->arena,
				  call ? "destroyed by the call at %s: %s" : "made at %s by %s",
				  place_text(t, n.at), insn_text(t, n.at));
}

/* On into the caller, which had the value in the same register when it made its call. */
static void trace_caller(struct tracer *t, size_t frame, int reg, unsigned depth)
{
	const struct frame_flow *f = &t->run.frames[frame];
	bool preserved = t->run.session->arch->preserved >> reg & 1;
	struct frame_flow *caller;

	if (frame + 1 >= t->run.count || !args_linked(&t->run, frame)) {
		end_here(t, frame, depth, "who called this function is not certain");
		return;
	}
	caller = &t->run.frames[frame + 1];
	if (!caller->flow) {
		end_here(t, frame + 1, depth, caller->why ? caller->why : "not followed further");
		return;
	}
	if (!preserved && args_call_target(&t->run, caller) != f->cfg->entry) {
		end_here(t, frame + 1, depth,
			 "the caller called another function, which went on to this one");
		return;
	}
	trace(t, frame + 1, flow_register(caller->flow, (unsigned)reg), depth);
}

static void trace_entry(struct tracer *t, size_t frame, flow_id id, unsigned depth)
{
	const struct frame_flow *f = &t->run.frames[frame];
	const struct flow_node n = *flow_node(f->flow, id);
	const char *reg = t->run.session->arch->reg_names[n.reg];
	struct member parameter;
	unsigned place = origin_parameter(&t->run, f, n.reg, &parameter);
	struct origin_step *step =
		add(t, frame, id, depth, place ? ORIGIN_ARGUMENT : ORIGIN_REGISTER);

	if (!step)
		return;
	step->at = f->cfg->entry;
	if (n.reg == X86_RSP) {
		step->text = "an address of this frame's stack";
		return;
	}
	if (place)
		step->text = arena_printf(&t->origin->arena, "%s, argument %u of %s", step->name,
					  place, f->cfg->name);
	else
		step->text = arena_printf(&t->origin->arena, "%s on entry of %s", reg,
					  f->cfg->name);
	trace_caller(t, frame, n.reg, depth + 1);
}

struct ways {
	struct tracer *t;
	size_t frame;
	struct {
		uint64_t from;
		flow_id value;
	} way[WAYS_MAX];
	unsigned count;
	bool more;
};

static bool note_way(void *ctx, uint64_t from, flow_id value)
{
	struct ways *w = ctx;

	for (unsigned i = 0; i < w->count; i++) {
		if (w->way[i].value == value)
			return true;
	}
	if (w->count == WAYS_MAX) {
		w->more = true;
		return false;
	}
	w->way[w->count].from = from;
	w->way[w->count++].value = value;
	return true;
}

/* Did a branch on the way ask about the same thing, and go where it does not go with @value? */
static bool way_refused(struct tracer *t, size_t frame, uint64_t from, flow_id id, uint64_t value)
{
	const struct frame_flow *f = &t->run.frames[frame];
	const struct flow_node n = *flow_node(f->flow, id);
	bool refused = false;
	struct flow *there;
	const char *why;
	size_t count;

	if ((n.kind != FLOW_CALL && n.kind != FLOW_LOAD) || !flow_is_once(f->flow, n.at) ||
	    t->followed++ >= FOLLOWED_MAX ||
	    !flow_create(code_env(t->run.session), f->cfg, from, NULL, &there, &why))
		return false;
	const struct flow_condition *all = flow_conditions(there, &count);
	for (size_t i = 0; i < count && !refused; i++) {
		const struct flow_node *a = flow_node(there, all[i].a);
		const struct flow_node *b = flow_node(there, all[i].b);
		bool itself = all[i].a == all[i].b;
		if (a->kind != n.kind || a->at != n.at || a->reg != n.reg || a->size != n.size ||
		    (!itself && b->kind != FLOW_CONSTANT))
			continue;
		refused = !flow_condition_holds(&all[i], value, itself ? value : b->value);
	}
	flow_destroy(there);
	return refused;
}

/* Several ways: those whose value cannot be the one that it is are left out. */
static void trace_ways(struct tracer *t, size_t frame, flow_id id, unsigned depth)
{
	struct frame_flow *f = &t->run.frames[frame];
	struct origin_step *step;
	struct ways w = { .t = t, .frame = frame };
	unsigned left_out = 0;

	for (size_t i = 0; i < t->origin->count; i++) {
		const struct origin_step *seen = &t->origin->steps[i];
		if (seen->kind == ORIGIN_WAYS && seen->frame == frame && seen->node == id) {
			end_here(t, frame, depth, "the same again: a loop");
			return;
		}
	}
	step = add(t, frame, id, depth, ORIGIN_WAYS);
	if (!step)
		return;
	bool once = flow_is_once(f->flow, flow_node(f->flow, id)->at);
	bool known = step->known && !step->memory && once;
	uint64_t value = step->value;
	size_t index = t->origin->count - 1;
	flow_merged(f->flow, id, note_way, &w);
	for (unsigned i = 0; i < w.count && known; i++) {
		struct flow_value v;
		bool has = flow_eval(f->facts, w.way[i].value, false, &v) && v.bits == 64;
		if (has ? v.value != value
			: way_refused(t, frame, w.way[i].from, w.way[i].value, value)) {
			w.way[i].value = FLOW_NONE;
			left_out++;
		}
	}
	const char *place = place_text(t, flow_node(f->flow, id)->at);
	if (left_out && w.count - left_out == 1 && !w.more)
		t->origin->steps[index].text =
			arena_printf(&t->origin->arena,
				     "by the only one of %u ways to %s that can have led to it",
				     w.count, place);
	else
		t->origin->steps[index].text = arena_printf(
			&t->origin->arena, "by one of %u%s ways to %s%s", w.count - left_out,
			w.more ? " or more" : "", place,
			left_out ? " that can have led to it" : "");
	bool earlier = t->earlier;
	for (unsigned i = 0; i < w.count; i++) {
		if (!w.way[i].value || w.way[i].value == id)
			continue;
		if (!earlier && !once && !flow_node_is_once(f->flow, w.way[i].value)) {
			t->earlier = true;
			t->earlier_frame = frame;
		}
		trace(t, frame, w.way[i].value, depth + 1);
		t->earlier = earlier;
	}
}

static void trace_computed(struct tracer *t, size_t frame, flow_id id, unsigned depth)
{
	const struct frame_flow *f = &t->run.frames[frame];
	const struct flow_node n = *flow_node(f->flow, id);
	struct origin_step *step = add(t, frame, id, depth, ORIGIN_COMPUTED);

	if (!step)
		return;
	step->text = arena_printf(&t->origin->arena, "computed as %s", step->name);
	if (n.a && flow_node(f->flow, n.a)->kind != FLOW_CONSTANT)
		trace(t, frame, n.a, depth + 1);
	if (n.b && n.b != n.a && flow_node(f->flow, n.b)->kind != FLOW_CONSTANT)
		trace(t, frame, n.b, depth + 1);
}

static void trace(struct tracer *t, size_t frame, flow_id id, unsigned depth)
{
	const struct flow_node *n = flow_node(t->run.frames[frame].flow, id);
	struct origin_step *step;

	if (depth > DEPTH_MAX || t->origin->count >= STEPS_MAX)
		return;
	switch (n->kind) {
	case FLOW_UNKNOWN:
		end_here(t, frame, depth, "not known");
		break;
	case FLOW_CONSTANT:
		step = add(t, frame, id, depth, ORIGIN_CONSTANT);
		if (step)
			step->text = "a constant in the code";
		break;
	case FLOW_ENTRY:
		trace_entry(t, frame, id, depth);
		break;
	case FLOW_LOAD:
		trace_cell(t, frame, id, depth);
		break;
	case FLOW_PER_CPU:
		step = add(t, frame, id, depth, ORIGIN_PER_CPU);
		if (step)
			step->text = arena_printf(&t->origin->arena, "read from %s", step->name);
		break;
	case FLOW_CALL:
		trace_result(t, frame, id, depth);
		break;
	case FLOW_LOST:
		trace_lost(t, frame, id, depth);
		break;
	case FLOW_MERGE:
		trace_ways(t, frame, id, depth);
		break;
	case FLOW_ZERO_EXTEND:
	case FLOW_SIGN_EXTEND:
		trace(t, frame, n->a, depth);
		break;
	default:
		trace_computed(t, frame, id, depth);
	}
}

/* --- One sentence. --- */

/* Step @at, or what the callers passed on to it, when only that is known. */
static const struct origin_step *passed_by(const struct origin *o, size_t at)
{
	while (!o->steps[at].known && o->steps[at].kind == ORIGIN_ARGUMENT && at + 1 < o->count &&
	       o->steps[at + 1].depth > o->steps[at].depth)
		at++;
	return &o->steps[at];
}

/*
 * Of the ways to step @at the one that gives the value that there was; 0: none, or several. The
 * others, unless it is the @only one, may give it, too, where their values are not known.
 */
static size_t way_that_fits(const struct origin *o, size_t at, bool *only)
{
	const struct origin_step *ways = &o->steps[at];
	size_t found = 0, count = 0;

	for (size_t i = at + 1; i < o->count && o->steps[i].depth > ways->depth; i++) {
		const struct origin_step *way = &o->steps[i];
		if (way->depth != ways->depth + 1)
			continue;
		count++;
		const struct origin_step *passed = passed_by(o, i);
		if (!ways->known || !passed->known || passed->value != ways->value)
			continue;
		if (found)
			return 0;
		found = i;
	}
	*only = count == 1;
	return found;
}

/* The argument that all below step @at was made of; NULL: none, or several. */
static const struct origin_step *only_argument(const struct origin *o, size_t at)
{
	const struct origin_step *from = &o->steps[at], *found = NULL;

	for (size_t i = at + 1; i < o->count && o->steps[i].depth > from->depth; i++) {
		const struct origin_step *step = &o->steps[i];
		if (step->kind != ORIGIN_ARGUMENT || step->frame != from->frame)
			continue;
		if (found && found->node != step->node)
			return NULL;
		found = step;
	}
	return found;
}

/* The way down the tree as long as there is one way only, or one that fits. */
static void make_sentence(struct tracer *t, size_t frame, unsigned reg)
{
	const struct origin *o = t->origin;
	const char *name = t->run.session->arch->reg_names[reg];
	const struct origin_step *argument;
	auto_strbuf text = { 0 };
	const char *before = " was ";
	size_t i = 0, way;
	bool only;

	strbuf_addf(&text, "%s", name);
	if (o->count && o->steps[0].known)
		strbuf_addf(&text, " = 0x%" PRIx64, o->steps[0].value);
	strbuf_addf(&text, " in %s", t->run.frames[frame].cfg->name);
	while (i < o->count) {
		const struct origin_step *step = &o->steps[i];
		strbuf_addf(&text, "%s%s", before, step->text);
		if (step->what && step->kind == ORIGIN_CELL)
			strbuf_addf(&text, " (%s)", step->what);
		before = "; ";
		if (step->kind == ORIGIN_COMPUTED) {
			argument = only_argument(o, i);
			if (argument && argument->known)
				strbuf_addf(&text, "; from %s, 0x%" PRIx64, argument->text,
					    argument->value);
			break;
		}
		way = step->kind == ORIGIN_WAYS ? way_that_fits(o, i, &only) : 0;
		if (step->kind == ORIGIN_WAYS && !way)
			break;
		if (way && !only)
			before = "; one of them gives this value: ";
		i = way ? way : i + 1;
		if (!way && (i >= o->count || o->steps[i].depth <= step->depth))
			break;
	}
	t->origin->sentence = arena_strdup(&t->origin->arena, strbuf_text(&text));
}

void origin_find(struct session *s, const struct task *task, struct stack *stack, size_t frame,
		 unsigned reg, struct origin *origin)
{
	struct tracer t = { .run = { .session = s,
				     .task = task,
				     .stack = stack,
				     .arena = &origin->arena },
			    .origin = origin,
			    .task = task };

	*origin = (struct origin){ 0 };
	if (!args_run_open(&t.run))
		origin->why = "no symbols are known";
	else if (frame >= t.run.count)
		origin->why = "the stack is too deep to go into all of it";
	else if (!t.run.frames[frame].flow)
		origin->why = t.run.frames[frame].why;
	if (!origin->why) {
		trace(&t, frame, flow_register(t.run.frames[frame].flow, reg), 0);
		make_sentence(&t, frame, reg);
	}
	args_run_close(&t.run);
}

void origin_deinit(struct origin *origin)
{
	free(origin->steps);
	arena_deinit(&origin->arena);
}

const char *origin_kind_name(enum origin_kind kind)
{
	static const char *const names[] = {
		[ORIGIN_CONSTANT] = "constant", [ORIGIN_CELL] = "cell",
		[ORIGIN_PER_CPU] = "per-cpu",   [ORIGIN_ARGUMENT] = "argument",
		[ORIGIN_REGISTER] = "register", [ORIGIN_RESULT] = "result",
		[ORIGIN_COMPUTED] = "computed", [ORIGIN_WAYS] = "ways",
		[ORIGIN_LOST] = "lost",         [ORIGIN_END] = "end",
	};

	return names[kind];
}
