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
#include <string.h>

#include "base/bytes.h"
#include "base/strbuf.h"
#include "forensics/origin_name.h"
#include "forensics/origin_query.h"
#include "forensics/origin_say.h"
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

static const char *member_text(struct tracer *t, size_t frame, flow_id id)
{
	auto_strbuf member = { 0 };

	if (!origin_member(&t->run, &t->run.frames[frame], id, &member))
		return NULL;
	return arena_strdup(&t->origin->arena, member.data);
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
	step->member = member_text(t, frame, id);
	step->text = cell_text(t, step);
	/* What led to the cell. */
	int64_t slot;
	if (flow_node(t->run.frames[frame].flow, base)->kind != FLOW_CONSTANT &&
	    !flow_is_stack(t->run.frames[frame].flow, base, &slot))
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
	struct symbol symbol;
	if (!cfg_find(f->cfg, n.at, &insn) || f->cfg->insns[insn].insn.kind != INSN_CALL)
		step->text = arena_printf(&t->origin->arena, "made at %s by %s",
					  place_text(t, n.at), insn_text(t, n.at));
	else if (f->cfg->insns[insn].target &&
		 symbols_by_address(t->run.session->symbols, f->cfg->insns[insn].target, &symbol))
		step->text = arena_printf(&t->origin->arena, "destroyed by %s(), called at %s",
					  symbol.name, place_text(t, n.at));
	else
		step->text = arena_printf(&t->origin->arena, "destroyed by the call at %s",
					  place_text(t, n.at));
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
	struct flow *flow;
	flow_id root;
	struct way {
		uint64_t from;
		flow_id value;
		bool nested; /* joins with others before it gets to the root */
		bool dropped, doubtful;
	} way[WAYS_MAX];
	unsigned count;
	flow_id merge[WAYS_MAX]; /* looked into */
	unsigned merge_count;
	bool nested, more;
};

static bool note_way(void *ctx, uint64_t from, flow_id value);

/* What joins on the way is taken apart too: what comes round a loop unchanged tells nothing. */
static bool note_merge(struct ways *w, flow_id merge)
{
	bool nested = w->nested;

	for (unsigned i = 0; i < w->merge_count; i++) {
		if (w->merge[i] == merge)
			return true;
	}
	if (w->merge_count == WAYS_MAX)
		return false;
	w->merge[w->merge_count++] = merge;
	w->nested = true;
	flow_merged(w->flow, merge, note_way, w);
	w->nested = nested;
	return true;
}

static bool note_way(void *ctx, uint64_t from, flow_id value)
{
	struct ways *w = ctx;

	if (value == w->root)
		return true;
	if (flow_node(w->flow, value)->kind == FLOW_MERGE && note_merge(w, value))
		return true;
	for (unsigned i = 0; i < w->count; i++) {
		if (w->way[i].value == value)
			return true;
	}
	if (w->count == WAYS_MAX) {
		w->more = true;
		return false;
	}
	w->way[w->count++] = (struct way){ .from = from, .value = value,
						 .nested = w->nested };
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

/* Can these ways have brought @value? How many cannot; unless none could: then that is wrong. */
static unsigned judge_ways(struct ways *w, size_t frame, bool once, uint64_t value)
{
	struct frame_flow *f = &w->t->run.frames[frame];
	unsigned dropped = 0;

	for (unsigned i = 0; i < w->count; i++) {
		struct way *way = &w->way[i];
		struct flow_value v;
		if (!(once && !way->nested) && !flow_node_is_once(f->flow, way->value))
			continue;
		if (flow_eval(f->facts, way->value, false, &v) && v.bits == 64)
			way->dropped = v.value != value;
		else if (way_refused(w->t, frame, way->from, way->value, value))
			way->dropped = true;
		else if (flow_eval(f->facts, way->value, true, &v) && v.bits == 64)
			way->doubtful = v.value != value;
		dropped += way->dropped;
	}
	for (unsigned i = 0; i < w->count && dropped == w->count; i++)
		w->way[i].dropped = false;
	return dropped == w->count ? 0 : dropped;
}

static void trace_way(struct tracer *t, size_t frame, const struct way *way, bool once,
		      unsigned depth)
{
	struct frame_flow *f = &t->run.frames[frame];
	bool earlier = t->earlier, already = earlier && t->earlier_frame == frame;
	size_t index = t->origin->count, earlier_frame = t->earlier_frame;

	/* A caller's loop takes the place of its callee's, which was called with one value. */
	if ((!once || way->nested) && !flow_node_is_once(f->flow, way->value)) {
		t->earlier = true;
		t->earlier_frame = frame;
	}
	trace(t, frame, way->value, depth);
	if (index < t->origin->count) {
		t->origin->steps[index].doubtful = way->doubtful;
		t->origin->steps[index].earlier =
			t->earlier && t->earlier_frame == frame && !already;
	}
	t->earlier = earlier;
	t->earlier_frame = earlier_frame;
}

/* Several ways: those whose value cannot be the one that it is are left out. */
static void trace_ways(struct tracer *t, size_t frame, flow_id id, unsigned depth)
{
	struct frame_flow *f = &t->run.frames[frame];
	struct ways w = { .t = t, .flow = f->flow, .root = id };
	struct origin_step *step;
	unsigned dropped = 0;

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
	flow_merged(f->flow, id, note_way, &w);
	if (step->known && !step->memory)
		dropped = judge_ways(&w, frame, once, step->value);
	unsigned left = w.count - dropped;
	step->place = place_text(t, flow_node(f->flow, id)->at);
	step->ways = w.more ? WAYS_MAX + 1 : left;
	if (left == 1 && !w.more && dropped)
		step->text = arena_printf(&t->origin->arena,
					  "came by the only one of %u paths to %s that can have "
					  "brought it", w.count, step->place);
	else if (left == 1 && !w.more)
		step->text = arena_printf(&t->origin->arena, "came round a loop to %s",
					  step->place);
	else
		step->text = arena_printf(&t->origin->arena, "came by one of %u%s paths to %s%s",
					  left, w.more ? " or more" : "", step->place,
					  dropped ? " that can have brought it" : "");
	for (unsigned i = 0; i < w.count; i++) {
		if (!w.way[i].dropped)
			trace_way(t, frame, &w.way[i], once, depth + 1);
	}
}

static void trace_computed(struct tracer *t, size_t frame, flow_id id, unsigned depth)
{
	const struct frame_flow *f = &t->run.frames[frame];
	const struct flow_node n = *flow_node(f->flow, id);
	struct origin_step *step = add(t, frame, id, depth, ORIGIN_COMPUTED);

	if (!step)
		return;
	int64_t slot;
	if (flow_is_stack(f->flow, id, &slot)) {
		step->text = "an address of this frame's stack";
		return;
	}
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

/* --- */

/* An argument that is not known here is what the caller is known to have had. */
static void take_from_callers(struct origin *o)
{
	for (size_t i = o->count; i-- > 1;) {
		const struct origin_step *child = &o->steps[i];
		struct origin_step *step = &o->steps[i - 1];
		if ((step->kind != ORIGIN_ARGUMENT && step->kind != ORIGIN_REGISTER) ||
		    step->known || !child->known || child->depth != step->depth + 1 ||
		    child->earlier)
			continue;
		step->known = true;
		step->memory = child->memory;
		step->value = child->value;
	}
}

/*
 * An exception where no function is: by a call that went astray. No instruction has run there, so
 * that the registers are still those of the call. True: they are known in its frame now.
 */
static bool registers_of_stray_call(struct tracer *t, size_t frame)
{
	const struct frame *at = &t->run.stack->frames[frame];
	const struct arch *arch = t->run.session->arch;
	struct frame_flow *caller = &t->run.frames[frame + 1];
	struct regs regs = at->regs;

	if (at->is_call || t->run.frames[frame].cfg || frame + 1 >= t->run.count ||
	    !caller->flow || !caller->usable || !args_linked(&t->run, frame))
		return false;
	regs.known &= ~(UINT64_C(1) << arch->sp | UINT64_C(1) << arch->pc);
	flow_know_frame(caller->facts, &regs, 0);
	caller->usable = flow_solve(caller->facts);
	return caller->usable && args_call_target(&t->run, caller) == at->pc;
}

void origin_ask(struct session *s, const struct task *task, struct stack *stack, size_t frame,
		const struct origin_query *query, struct origin *origin)
{
	struct tracer t = { .run = { .session = s,
				     .task = task,
				     .stack = stack,
				     .arena = &origin->arena },
			    .origin = origin,
			    .task = task };
	flow_id id = FLOW_NONE;

	*origin = (struct origin){ 0 };
	if (!args_run_open(&t.run))
		origin->why = "no symbols are known";
	else if (frame >= t.run.count)
		origin->why = "the stack is too deep to go into all of it";
	else if (registers_of_stray_call(&t, frame))
		frame++;
	else if (!t.run.frames[frame].flow)
		origin->why = t.run.frames[frame].why;
	if (!origin->why)
		id = origin_node(&t.run, frame, query, origin);
	if (!origin->why && !origin->subject)
		origin->why = "no register, argument or stack slot of the frame holds it";
	if (!origin->why) {
		trace(&t, frame, id, 0);
		take_from_callers(origin);
		origin_say(&t.run, frame, origin->subject, origin);
	}
	args_run_close(&t.run);
}

void origin_find(struct session *s, const struct task *task, struct stack *stack, size_t frame,
		 unsigned reg, struct origin *origin)
{
	struct origin_query query = { .asked = ORIGIN_OF_REGISTER, .reg = reg };

	origin_ask(s, task, stack, frame, &query, origin);
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
