// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A loop is a jump back over the place in question, from where the place can be reached again; of
 * several the shortest is the innermost. Parts that the compiler moved elsewhere are not seen as
 * one: then there is no loop, rather than a wrong one.
 *
 * A counter is a register that one instruction of the loop changes, by a constant, and nothing else
 * there does; what it is compared with is its limit. Its value is the frame's; a function that was
 * called from there and does not touch the register has it still.
 */
#include "forensics/busy_loop.h"

#include <inttypes.h>
#include <stdio.h>

#include "kernel/code_env.h"

enum { TURNS_MAX = 1 << 30 };

struct place {
	struct session *s;
	const struct stack *stack;
	size_t frame;
	const struct cfg *cfg;
};

static bool cfg_at(struct session *s, const struct frame *frame, const struct cfg **cfg,
		   uint32_t *insn)
{
	const char *why;

	*cfg = code_cfg(s, frame->pc - frame->is_call, &why);
	return *cfg && !(*cfg)->incomplete &&
	       (frame->is_call ? cfg_find_end(*cfg, frame->pc, insn)
			       : cfg_find(*cfg, frame->pc, insn));
}

/* Can block @to be reached from @from? @seen: one for each block, zeroed. */
static bool reaches(const struct cfg *cfg, uint32_t from, uint32_t to, bool *seen, uint32_t *work)
{
	size_t count = 0;

	work[count++] = from;
	seen[from] = true;
	while (count) {
		uint32_t at = work[--count];
		if (at == to)
			return true;
		const struct cfg_block *block = &cfg->blocks[at];
		for (uint32_t i = 0; i < block->out_count; i++) {
			uint32_t next = cfg->edges[block->first_out + i].to;
			if (!seen[next]) {
				seen[next] = true;
				work[count++] = next;
			}
		}
	}
	return false;
}

static bool connected(const struct cfg *cfg, uint32_t from, uint32_t to)
{
	auto_free bool *seen = xcalloc(cfg->block_count, sizeof(*seen));
	auto_free uint32_t *work = xcalloc(cfg->block_count, sizeof(*work));

	return reaches(cfg, from, to, seen, work);
}

static const struct cfg_insn *first_of(const struct cfg *cfg, uint32_t block)
{
	return &cfg->insns[cfg->blocks[block].first];
}

static const struct cfg_insn *last_of(const struct cfg *cfg, uint32_t block)
{
	return &cfg->insns[cfg->blocks[block].first + cfg->blocks[block].count - 1];
}

/* The shortest jump back over @insn; the block that it leads to is the loop's head. */
static bool find_bounds(const struct cfg *cfg, uint32_t insn, struct busy_loop *loop,
			uint32_t *head)
{
	uint64_t at = cfg->insns[insn].at;
	uint32_t here = cfg_block_of(cfg, insn);
	bool found = false;

	for (uint32_t i = 0; i < cfg->edge_count; i++) {
		const struct cfg_edge *edge = &cfg->edges[i];
		uint64_t first = first_of(cfg, edge->to)->at, last = last_of(cfg, edge->from)->at;
		if (edge->kind == CFG_EDGE_FIXUP || first > at || last < at ||
		    (found && last - first >= loop->last - loop->first))
			continue;
		if (!connected(cfg, edge->to, here) || !connected(cfg, here, edge->from))
			continue;
		loop->first = first;
		loop->last = last;
		*head = edge->to;
		found = true;
	}
	return found;
}

static bool inside(const struct busy_loop *loop, uint64_t at)
{
	return at >= loop->first && at <= loop->last;
}

/* May @insn change register @reg? */
static bool changes(const struct arch *arch, const struct cfg_insn *insn, unsigned reg)
{
	bool call = insn->role == CFG_CALL;

	return insn->insn.writes >> reg & 1 || insn->destroys >> reg & 1 ||
	       (call && !(arch->preserved >> reg & 1));
}

/* By how much does @insn change its own register? 0: it does something else. */
static int64_t step_of(const struct insn *insn, int *reg)
{
	const struct insn_operand *to = &insn->operand[0], *by = &insn->operand[1];

	*reg = to->reg;
	if (to->kind != OPERAND_REGISTER || to->size < 4)
		return 0;
	if (insn->does == INSN_DOES_INC || insn->does == INSN_DOES_DEC)
		return insn->does == INSN_DOES_INC ? 1 : -1;
	if (insn->does == INSN_DOES_ADDRESS && insn->address.base == to->reg &&
	    insn->address.index < 0)
		return insn->address.displacement;
	if (insn->operand_count != 2 || by->kind != OPERAND_IMMEDIATE ||
	    by->value == INT64_MIN)
		return 0;
	if (insn->does == INSN_DOES_ADD)
		return by->value;
	return insn->does == INSN_DOES_SUB ? -by->value : 0;
}

static bool only_writer(const struct place *p, const struct busy_loop *loop, uint32_t writer,
			unsigned reg)
{
	for (uint32_t i = 0; i < p->cfg->insn_count; i++) {
		if (i != writer && inside(loop, p->cfg->insns[i].at) &&
		    changes(p->s->arch, &p->cfg->insns[i], reg))
			return false;
	}
	return true;
}

/* Does no instruction of the frame's function touch @reg before it returns? */
static bool untouched(struct session *s, const struct frame *frame, unsigned reg)
{
	const struct cfg *cfg;
	uint32_t insn;

	if (!(s->arch->preserved >> reg & 1) || !cfg_at(s, frame, &cfg, &insn))
		return false;
	/* At its entry it has had no time to. */
	if (!frame->is_call && frame->pc == cfg->entry)
		return true;
	for (uint32_t i = 0; i < cfg->insn_count; i++) {
		if (changes(s->arch, &cfg->insns[i], reg))
			return false;
	}
	return true;
}

static bool frame_value(const struct place *p, unsigned reg, uint64_t *value)
{
	for (size_t i = p->frame;; i--) {
		const struct frame *frame = &p->stack->frames[i];
		if (regs_known(&frame->regs, reg)) {
			*value = frame->regs.value[reg];
			return true;
		}
		if (!i || !frame->is_call || !untouched(p->s, &p->stack->frames[i - 1], reg))
			return false;
	}
}

/* "cmp $0x2000,%rbx", or against a register that the loop leaves alone. */
static void find_limit(const struct place *p, struct busy_loop *loop)
{
	for (uint32_t i = 0; i + 1 < p->cfg->insn_count; i++) {
		const struct cfg_insn *insn = &p->cfg->insns[i];
		if (!inside(loop, insn->at) || insn->insn.does != INSN_DOES_COMPARE ||
		    p->cfg->insns[i + 1].role != CFG_BRANCH)
			continue;
		const struct insn_operand *a = &insn->insn.operand[0], *b = &insn->insn.operand[1];
		bool swapped = b->kind == OPERAND_REGISTER && b->reg == loop->counter;
		const struct insn_operand *other = swapped ? a : b;
		if (!swapped && (a->kind != OPERAND_REGISTER || a->reg != loop->counter))
			continue;
		if (other->kind == OPERAND_IMMEDIATE) {
			loop->limit = (uint64_t)other->value;
			loop->limit_known = true;
		} else if (other->kind == OPERAND_REGISTER &&
			   only_writer(p, loop, UINT32_MAX, (unsigned)other->reg)) {
			loop->limit_known = frame_value(p, (unsigned)other->reg, &loop->limit);
		}
		return;
	}
}

/* "xor %ebx,%ebx", "mov $5,%ebx": a constant in @reg. */
static bool sets_constant(const struct insn *insn, int reg, uint64_t *value)
{
	const struct insn_operand *to = &insn->operand[0], *from = &insn->operand[1];

	if (insn->operand_count != 2 || to->kind != OPERAND_REGISTER || to->reg != reg)
		return false;
	*value = 0;
	if (insn->does == INSN_DOES_XOR)
		return from->kind == OPERAND_REGISTER && from->reg == reg;
	*value = (uint64_t)from->value;
	return insn->does == INSN_DOES_MOVE && from->kind == OPERAND_IMMEDIATE;
}

/* What the counter had before: set in the only block that leads into the loop from outside. */
static void find_start(const struct place *p, uint32_t head, struct busy_loop *loop)
{
	const struct cfg *cfg = p->cfg;
	uint32_t from = UINT32_MAX;

	for (uint32_t i = 0; i < cfg->blocks[head].in_count; i++) {
		uint32_t block = cfg->edges[cfg->in[cfg->blocks[head].first_in + i]].from;
		if (inside(loop, last_of(cfg, block)->at))
			continue;
		if (from != UINT32_MAX)
			return;
		from = block;
	}
	for (uint32_t n = from == UINT32_MAX ? 0 : cfg->blocks[from].count; n--;) {
		const struct cfg_insn *insn = &cfg->insns[cfg->blocks[from].first + n];
		if (!changes(p->s->arch, insn, (unsigned)loop->counter))
			continue;
		loop->start_known = sets_constant(&insn->insn, loop->counter, &loop->start);
		return;
	}
}

static void find_counter(const struct place *p, uint32_t head, struct busy_loop *loop)
{
	for (uint32_t i = 0; i < p->cfg->insn_count; i++) {
		const struct cfg_insn *insn = &p->cfg->insns[i];
		int reg;
		int64_t step = inside(loop, insn->at) ? step_of(&insn->insn, &reg) : 0;
		if (!step || !only_writer(p, loop, i, (unsigned)reg))
			continue;
		struct busy_loop with = *loop;
		with.counter = reg;
		with.step = step;
		find_limit(p, &with);
		with.value_known = frame_value(p, (unsigned)reg, &with.value);
		find_start(p, head, &with);
		/* Of several, the one that ends the loop. */
		if (loop->counter < 0 || (with.limit_known && !loop->limit_known))
			*loop = with;
	}
}

/* "mov 0x8(%rbx),%rbx": the loop follows a list. */
static void find_link(const struct place *p, struct busy_loop *loop)
{
	for (uint32_t i = 0; i < p->cfg->insn_count; i++) {
		const struct insn *insn = &p->cfg->insns[i].insn;
		const struct insn_operand *to = &insn->operand[0];
		if (!inside(loop, p->cfg->insns[i].at) || insn->does != INSN_DOES_MOVE ||
		    to->kind != OPERAND_REGISTER || to->size != 8 || !insn->memory.present ||
		    insn->memory.base != to->reg || insn->memory.index >= 0 ||
		    !only_writer(p, loop, i, (unsigned)to->reg))
			continue;
		loop->link = to->reg;
		loop->link_offset = insn->memory.displacement;
		return;
	}
}

bool busy_loop_find(struct session *s, const struct stack *stack, size_t frame,
		    struct busy_loop *loop)
{
	struct place p = { .s = s, .stack = stack, .frame = frame };
	uint32_t insn, head = 0;

	*loop = (struct busy_loop){ .counter = -1, .link = -1 };
	if (frame >= stack->count || !cfg_at(s, &stack->frames[frame], &p.cfg, &insn) ||
	    !find_bounds(p.cfg, insn, loop, &head))
		return false;
	find_counter(&p, head, loop);
	find_link(&p, loop);
	return true;
}

/* Which turn of how many; false: it cannot be told. */
static bool turns(const struct busy_loop *loop, uint64_t *done, uint64_t *all)
{
	uint64_t step = loop->step < 0 ? -(uint64_t)loop->step : (uint64_t)loop->step;
	uint64_t from = loop->start, now = loop->value, to = loop->limit;

	if (!loop->start_known || !loop->value_known || !loop->limit_known)
		return false;
	if (loop->step < 0) {
		from = loop->limit;
		to = loop->start;
		now = to - (loop->value - from);
	}
	*done = (now - from) / step;
	*all = (to - from) / step;
	return from <= now && now <= to && *all <= TURNS_MAX;
}

void busy_loop_words(struct session *s, const struct busy_loop *loop, char *buf, size_t size)
{
	const char *const *names = s->arch->reg_names;
	uint64_t done, all, step = loop->step < 0 ? -(uint64_t)loop->step : (uint64_t)loop->step;
	int used = 0;

	buf[0] = '\0';
	if (loop->link >= 0) {
		snprintf(buf, size, "it follows the pointers at %s0x%" PRIx64 " of what %s points to",
			 loop->link_offset < 0 ? "-" : "+",
			 loop->link_offset < 0 ? -(uint64_t)loop->link_offset
					       : (uint64_t)loop->link_offset,
			 names[loop->link]);
		return;
	}
	if (loop->counter < 0 || !loop->value_known)
		return;
	used = snprintf(buf, size, "%s = 0x%" PRIx64 ", 0x%" PRIx64 " %s in each turn",
			names[loop->counter], loop->value, step, loop->step < 0 ? "less" : "more");
	if (loop->limit_known && used > 0 && (size_t)used < size)
		used += snprintf(buf + used, size - (size_t)used, ", compared with 0x%" PRIx64,
				 loop->limit);
	if (turns(loop, &done, &all) && used > 0 && (size_t)used < size)
		snprintf(buf + used, size - (size_t)used, ": turn %" PRIu64 " of %" PRIu64, done, all);
}
