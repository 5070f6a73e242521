// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The operands come from decoding, their addresses from the registers that the exception saved.
 * Names come from value flow (code/flow.h, flow_type.h): what a register holds, said by parameters
 * and members. The conditions are those that every path to the instruction has passed, in the
 * order of passing; of a BUG_ON() the last one is its own, which it stands behind.
 */
#include "forensics/fault.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "forensics/flow_type.h"
#include "forensics/origin_name.h"
#include "kernel/code_env.h"

enum { CONDITION_TEXT_MAX = 120 };

struct look {
	struct session *s;
	struct fault_view *view;
	const struct regs *regs;
	const struct insn *insn;
	const struct cfg *cfg;
	struct flow *flow;
	struct flow_facts *facts;
	struct flow_typing typing;
};

/* --- Values. --- */

static const char *spelled(struct look *l, struct type type)
{
	char text[160];

	type_spell(type, text, sizeof(text));
	return arena_strdup(&l->view->arena, text);
}

/* What the node is called and what it was. */
static struct fault_value value_of(struct look *l, flow_id id, unsigned size)
{
	struct fault_value out = { 0 };
	struct typed_value named;
	struct flow_value v;

	if (!l->flow || id == FLOW_NONE)
		return out;
	if (flow_typed(&l->typing, id, &named)) {
		out.text = named.unsure ? NULL : named.text;
		out.type = spelled(l, named.type);
	}
	if (flow_eval(l->facts, id, true, &v) && v.bits >= size * 8) {
		out.known = true;
		out.again = v.memory;
		out.value = size >= 8 ? v.value : v.value & ((UINT64_C(1) << size * 8) - 1);
	}
	const struct flow_node *node = flow_node(l->flow, id);
	if (node->kind == FLOW_LOAD && flow_eval(l->facts, node->a, true, &v) && v.bits == 64)
		out.cell = v.value;
	return out;
}

/* --- Operands. --- */

static const char *memory_text(struct look *l, const struct insn_memory *m)
{
	const char *const *names = l->s->arch->reg_names;
	auto_strbuf text = { 0 };

	if (m->per_cpu)
		strbuf_add(&text, "%gs:");
	if (m->displacement < 0 && !m->absolute)
		strbuf_addf(&text, "-0x%" PRIx64, -(uint64_t)m->displacement);
	else if (m->displacement || m->absolute)
		strbuf_addf(&text, "0x%" PRIx64, (uint64_t)m->displacement);
	if (m->base >= 0 || m->index >= 0)
		strbuf_add(&text, "(");
	if (m->base >= 0)
		strbuf_addf(&text, "%%%s", names[m->base]);
	if (m->index >= 0)
		strbuf_addf(&text, ",%%%s,%u", names[m->index], m->scale);
	if (m->base >= 0 || m->index >= 0)
		strbuf_add(&text, ")");
	return arena_strdup(&l->view->arena, strbuf_text(&text));
}

/* Which member of what the operand is; the address follows from a typed pointer. */
static void name_place(struct look *l, const struct insn_memory *m, struct fault_operand *o)
{
	struct typed_place place;

	if (!l->flow || !flow_typed_place(&l->typing, flow_address(l->flow, m), &place))
		return;
	/* Several ways lead here, with different pointers of one type. */
	if (place.unsure && m->base < 0)
		return;
	if (place.unsure)
		place.pointer = arena_printf(&l->view->arena, "((%s *)$%s)",
					     spelled(l, place.object),
					     l->s->arch->reg_names[m->base]);
	o->object = spelled(l, place.object);
	o->offset = place.offset;
	o->place = *place.path
			   ? arena_printf(&l->view->arena, "%s->%s", place.pointer, place.path)
			   : arena_printf(&l->view->arena, "*%s", place.pointer);
}

static void add_memory(struct look *l, const struct insn_memory *m)
{
	struct fault_view *view = l->view;

	if (!m->present || view->operand_count == FAULT_OPERANDS_MAX)
		return;
	struct fault_operand *o = &view->operand[view->operand_count++];
	*o = (struct fault_operand){ .memory = true, .read = m->read, .written = m->write,
				     .size = m->size, .base = m->base,
				     .text = memory_text(l, m) };
	o->has_address = code_memory_address(m, l->regs, &o->address);
	if (m->base >= 0 && l->flow)
		o->pointer = value_of(l, flow_register(l->flow, (unsigned)m->base), 8);
	if (m->base >= 0 && regs_known(l->regs, (unsigned)m->base)) {
		o->pointer.known = true;
		o->pointer.again = false;
		o->pointer.value = l->regs->value[m->base];
	}
	name_place(l, m, o);
}

/* What a division divides by, when that is a register. */
static void add_divisor(struct look *l)
{
	const struct insn_operand *from = &l->insn->operand[0];
	struct fault_view *view = l->view;

	if (l->insn->kind != INSN_DIVIDE || !l->insn->operand_count ||
	    from->kind != OPERAND_REGISTER || from->high ||
	    view->operand_count == FAULT_OPERANDS_MAX)
		return;
	struct fault_operand *o = &view->operand[view->operand_count++];
	*o = (struct fault_operand){ .read = true, .size = from->size, .base = -1 };
	o->text = arena_printf(&view->arena, "%%%s", l->s->arch->reg_names[from->reg]);
	if (l->flow)
		o->value = value_of(l, flow_register(l->flow, (unsigned)from->reg), from->size);
	if (!regs_known(l->regs, (unsigned)from->reg))
		return;
	o->value.known = true;
	o->value.again = false;
	o->value.value = l->regs->value[from->reg];
	if (from->size < 8)
		o->value.value &= (UINT64_C(1) << from->size * 8) - 1;
}

/* --- Conditions. --- */

/* As C writes them, for a comparison and for a test of bits. */
static const struct {
	const char *compare, *test;
	bool is_signed;
} relations[] = {
	[COND_BELOW] = { "<", NULL, false },
	[COND_NOT_BELOW] = { ">=", NULL, false },
	[COND_EQUAL] = { "==", "== 0", false },
	[COND_NOT_EQUAL] = { "!=", "!= 0", false },
	[COND_NOT_ABOVE] = { "<=", NULL, false },
	[COND_ABOVE] = { ">", NULL, false },
	[COND_NEGATIVE] = { NULL, "< 0", true },
	[COND_NOT_NEGATIVE] = { NULL, ">= 0", true },
	[COND_LESS] = { "<", "< 0", true },
	[COND_NOT_LESS] = { ">=", ">= 0", true },
	[COND_NOT_GREATER] = { "<=", "<= 0", true },
	[COND_GREATER] = { ">", "> 0", true },
};

static const char *side_text(struct look *l, flow_id id, const struct fault_value *v)
{
	const struct flow_node *node = flow_node(l->flow, id);
	struct args_run run = { .session = l->s };
	struct frame_flow f = { .cfg = l->cfg, .flow = l->flow };
	auto_strbuf text = { 0 };
	struct type type;

	if (node && node->kind == FLOW_CONSTANT)
		return arena_printf(&l->view->arena, v->value < 10 ? "%" PRIu64 : "0x%" PRIx64,
				    v->value);
	if (v->text)
		return v->text;
	origin_name(&run, &f, id, &text, &type);
	/* A formula that fills the screen says less than nothing. */
	return text.len > CONDITION_TEXT_MAX ? "a value"
					     : arena_strdup(&l->view->arena, strbuf_text(&text));
}

static void add_condition(struct look *l, const struct flow_condition *from)
{
	struct fault_view *view = l->view;

	if (from->condition >= array_size(relations) ||
	    view->condition_count == FAULT_CONDITIONS_MAX)
		return;
	const char *relation = from->test ? relations[from->condition].test
					  : relations[from->condition].compare;
	if (!relation)
		return;
	struct fault_condition *c = &view->condition[view->condition_count++];
	*c = (struct fault_condition){ .at = from->at, .relation = relation, .size = from->size,
				       .is_signed = relations[from->condition].is_signed };
	c->left = value_of(l, from->a, from->size);
	c->right = value_of(l, from->b, from->size);
	const char *left = side_text(l, from->a, &c->left);
	const char *right = side_text(l, from->b, &c->right);
	const char *note = !from->test && !relations[from->condition].is_signed &&
					   from->condition != COND_EQUAL &&
					   from->condition != COND_NOT_EQUAL
				   ? " (unsigned)"
				   : "";
	if (from->test && from->a == from->b) {
		c->right = (struct fault_value){ 0 };
		c->alone = true;
	}
	if (c->alone)
		c->text = arena_printf(&view->arena, "%s %s", left, relation);
	else if (from->test)
		c->text = arena_printf(&view->arena, "(%s & %s) %s", left, right, relation);
	else
		c->text = arena_printf(&view->arena, "%s %s %s%s", left, relation, right, note);
}

static void add_conditions(struct look *l)
{
	size_t count;
	const struct flow_condition *all = flow_conditions(l->flow, &count);

	for (size_t i = 0; i < count; i++)
		add_condition(l, &all[i]);
}

/* --- Where a call went. --- */

static void add_target(struct look *l, const struct cfg_insn *call)
{
	const struct insn *insn = &call->insn;
	struct fault_view *view = l->view;
	struct flow_value address;
	flow_id cell = FLOW_NONE;

	if (call->target || (insn->kind != INSN_CALL && insn->kind != INSN_JUMP))
		return;
	if (call->through >= 0) {
		flow_id id = flow_register(l->flow, (unsigned)call->through);
		const struct flow_node *node = flow_node(l->flow, id);
		view->target = value_of(l, id, 8);
		view->has_target = true;
		if (node && node->kind == FLOW_LOAD)
			cell = node->a;
		view->target_cell = arena_printf(&view->arena, "%%%s",
						 l->s->arch->reg_names[call->through]);
	} else if (insn->memory.present && !insn->memory.per_cpu) {
		struct fault_operand o = { 0 };
		cell = flow_address(l->flow, &insn->memory);
		name_place(l, &insn->memory, &o);
		view->target.text = o.place;
		view->target_cell = memory_text(l, &insn->memory);
		view->has_target = true;
	}
	if (cell != FLOW_NONE && flow_eval(l->facts, cell, true, &address) && address.bits == 64) {
		view->has_target_address = true;
		view->target_address = address.value;
		if (memory_u64(l->s->memory, address.value, &view->target.value) == READ_OK) {
			view->target.known = true;
			view->target.again = true;
		}
	}
}

/* --- Together. --- */

static void follow(struct look *l, const struct stack *stack, size_t i)
{
	const struct frame *frame = &stack->frames[i];
	struct fault_view *view = l->view;
	const struct cfg *cfg = NULL;
	struct regs regs = frame->regs;
	uint32_t at;

	view->why = "there are no symbols";
	if (code_env(l->s))
		cfg = code_cfg(l->s, frame->pc - frame->is_call, &view->why);
	if (!cfg)
		return;
	l->cfg = cfg;
	view->why = "no instruction begins there";
	if (frame->is_call ? !cfg_find_end(cfg, frame->pc, &at) : !cfg_find(cfg, frame->pc, &at))
		return;
	if (frame->is_call) {
		regs.known &= l->s->arch->preserved;
		regs_set(&regs, l->s->arch->sp, frame->sp);
	}
	if (!flow_create(code_env(l->s), cfg, cfg->insns[at].at, NULL, &l->flow, &view->why))
		return;
	l->facts = flow_facts_create(code_env(l->s), l->flow);
	flow_know_frame(l->facts, &regs, 0);
	view->why = "what is known of it contradicts itself";
	if (flow_solve(l->facts))
		view->why = NULL;
	flow_typing_init(&l->typing, l->s, l->flow, cfg, cfg->entry, &view->arena);
	add_conditions(l);
	add_target(l, &cfg->insns[at]);
}

void fault_view(struct session *s, const struct stack *stack, size_t i, struct fault_view *view)
{
	const struct frame *frame = &stack->frames[i];
	uint8_t bytes[CODE_INSN_MAX];
	struct insn insn;
	struct look l = { .s = s, .view = view, .regs = &frame->regs, .insn = &insn };

	*view = (struct fault_view){ 0 };
	follow(&l, stack, i);
	size_t got = memory_read_some(s->memory, frame->pc, bytes, sizeof(bytes));
	if (!frame->is_call && code_decode(bytes, got, frame->pc, &insn)) {
		add_memory(&l, &insn.memory);
		add_memory(&l, &insn.memory2);
		add_divisor(&l);
	}
	flow_facts_destroy(l.facts);
	flow_destroy(l.flow);
}

void fault_view_deinit(struct fault_view *view)
{
	arena_deinit(&view->arena);
}
