// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A loop is a set of blocks of which each leads to each other; what is left of it without the
 * blocks that it is entered by holds the loops inside. A jump back over the place in question gives
 * its bounds: where the compiler moved the place elsewhere there is no loop, rather than a wrong
 * one. What belongs to the loop is told by its blocks, also by those outside these bounds.
 *
 * A counter is a register that one instruction of the loop changes, by a constant, once in each
 * turn, and nothing else there does; its limit is what it is compared with before a way out. Its
 * value is the frame's; a function that was called from there and does not touch the register has
 * it still.
 */
#include "forensics/busy_loop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernel/code_env.h"

enum { TURNS_MAX = 1 << 30 };

/* --- The loop. --- */

/* Sets of blocks: a bool for each. */
struct body {
	const struct cfg *cfg;
	bool *in;      /* blocks of the loop */
	bool *entered; /* those of them that are reached from outside it */
	bool *allowed, *ahead, *behind; /* for what follows */
	uint32_t *work;
};

static void body_init(struct body *body, const struct cfg *cfg)
{
	size_t n = cfg->block_count;
	bool *sets = xcalloc(n * 5, sizeof(*sets));

	*body = (struct body){ .cfg = cfg, .in = sets, .entered = sets + n, .allowed = sets + 2 * n,
			       .ahead = sets + 3 * n, .behind = sets + 4 * n,
			       .work = xcalloc(n, sizeof(*body->work)) };
}

static void body_deinit(struct body *body)
{
	free(body->in);
	free(body->work);
}

/* Which blocks are reached from @from in one step or more, or lead to it, by allowed ones alone. */
static void spread(struct body *body, uint32_t from, bool back, bool *reached)
{
	const struct cfg *cfg = body->cfg;
	size_t count = 0;
	uint32_t at = from;

	memset(reached, 0, cfg->block_count * sizeof(*reached));
	for (;; at = body->work[--count]) {
		const struct cfg_block *block = &cfg->blocks[at];
		uint32_t n = back ? block->in_count : block->out_count;
		for (uint32_t i = 0; i < n; i++) {
			uint32_t next = back ? cfg->edges[cfg->in[block->first_in + i]].from
					     : cfg->edges[block->first_out + i].to;
			if (body->allowed[next] && !reached[next]) {
				reached[next] = true;
				body->work[count++] = next;
			}
		}
		if (!count)
			return;
	}
}

/* The edges into @block from outside the loop; @from: the block that the last of them is from. */
static uint32_t edges_into(const struct body *body, uint32_t block, uint32_t *from)
{
	const struct cfg_block *to = &body->cfg->blocks[block];
	uint32_t count = block == 0;

	for (uint32_t i = 0; i < to->in_count; i++) {
		uint32_t before = body->cfg->edges[body->cfg->in[to->first_in + i]].from;
		if (body->in[before])
			continue;
		*from = before;
		count++;
	}
	return count;
}

/* The innermost loop around block @here. */
static bool find_body(struct body *body, uint32_t here)
{
	uint32_t blocks = body->cfg->block_count, from;
	bool found = false;

	memset(body->allowed, true, blocks * sizeof(*body->allowed));
	for (;;) {
		spread(body, here, false, body->ahead);
		if (!body->ahead[here])
			return found;
		spread(body, here, true, body->behind);
		found = true;
		for (uint32_t i = 0; i < blocks; i++)
			body->in[i] = body->ahead[i] && body->behind[i];
		for (uint32_t i = 0; i < blocks; i++) {
			body->entered[i] = body->in[i] && edges_into(body, i, &from);
			body->allowed[i] = body->in[i] && !body->entered[i];
		}
		if (body->entered[here])
			return true;
	}
}

/* The block by which the loop is entered; false: there are several. */
static bool only_entry(const struct body *body, uint32_t *entry)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < body->cfg->block_count; i++) {
		if (body->entered[i] && !count++)
			*entry = i;
	}
	return count == 1;
}

/* Does each turn go through @block, and once? */
static bool once_a_turn(struct body *body, uint32_t block)
{
	uint32_t entry = 0;

	if (!only_entry(body, &entry))
		return false;
	if (block == entry)
		return true;
	memcpy(body->allowed, body->in, body->cfg->block_count * sizeof(*body->allowed));
	body->allowed[block] = false;
	spread(body, entry, false, body->ahead);
	if (body->ahead[entry])
		return false;
	body->allowed[block] = true;
	body->allowed[entry] = false;
	spread(body, block, false, body->ahead);
	return !body->ahead[block];
}

/* The shortest jump back over @at, to or from where the loop is entered. */
static bool find_bounds(const struct body *body, uint64_t at, struct busy_loop *loop)
{
	const struct cfg *cfg = body->cfg;
	bool found = false;

	for (uint32_t i = 0; i < cfg->edge_count; i++) {
		const struct cfg_edge *edge = &cfg->edges[i];
		const struct cfg_block *from = &cfg->blocks[edge->from];
		uint64_t first = cfg->insns[cfg->blocks[edge->to].first].at;
		uint64_t last = cfg->insns[from->first + from->count - 1].at;
		if (edge->kind == CFG_EDGE_FIXUP || !body->in[edge->from] || !body->in[edge->to] ||
		    !(body->entered[edge->from] || body->entered[edge->to]) || first > at ||
		    last < at || (found && last - first >= loop->last - loop->first))
			continue;
		loop->first = first;
		loop->last = last;
		found = true;
	}
	return found;
}

/* --- What counts its turns, and what it follows. --- */

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

/* Does nothing in the loop but instruction @writer change @reg? */
static bool only_writer(const struct arch *arch, const struct body *body, uint32_t writer,
			unsigned reg)
{
	const struct cfg *cfg = body->cfg;

	for (uint32_t b = 0; b < cfg->block_count; b++) {
		const struct cfg_block *block = &cfg->blocks[b];
		uint32_t end = body->in[b] ? block->first + block->count : 0;
		for (uint32_t i = block->first; i < end; i++) {
			if (i != writer && changes(arch, &cfg->insns[i], reg))
				return false;
		}
	}
	return true;
}

/* A number of @size bytes as the register holds it after it was put there. */
static uint64_t cut_to(int64_t value, unsigned size)
{
	return size == 4 ? (uint32_t)value : (uint64_t)value;
}

/* Does the loop go on at @branch when the counter is what it is compared with, as "<=" does? */
static bool goes_on_at_limit(const struct body *body, uint32_t b, const struct insn *branch,
			     bool swapped, int64_t step)
{
	const struct cfg_block *block = &body->cfg->blocks[b];
	enum insn_condition on = branch->condition;
	bool up = swapped != (step > 0);

	for (uint32_t i = 0; i < block->out_count; i++) {
		const struct cfg_edge *edge = &body->cfg->edges[block->first_out + i];
		if (edge->kind == CFG_EDGE_TAKEN && !body->in[edge->to])
			on ^= 1;
	}
	return up ? on == COND_NOT_ABOVE || on == COND_NOT_GREATER
		  : on == COND_NOT_BELOW || on == COND_NOT_LESS;
}

/* "cmp $0x2000,%rbx", or against a register that the loop leaves alone: a way out follows. */
static bool limit_of(const struct arch *arch, const struct body *body, uint32_t b,
		     struct busy_loop *loop)
{
	const struct cfg *cfg = body->cfg;
	const struct cfg_block *block = &cfg->blocks[b];
	bool leaves = false;

	for (uint32_t i = 0; i < block->out_count; i++)
		leaves |= !body->in[cfg->edges[block->first_out + i].to];
	if (!leaves || block->count < 2)
		return false;
	const struct cfg_insn *branch = &cfg->insns[block->first + block->count - 1];
	const struct insn *insn = &branch[-1].insn;
	const struct insn_operand *a = &insn->operand[0], *other = &insn->operand[1];
	if (branch->role != CFG_BRANCH || insn->does != INSN_DOES_COMPARE || a->size < 4)
		return false;
	bool swapped = other->kind == OPERAND_REGISTER && other->reg == loop->counter;
	if (swapped) {
		other = a;
		a = &insn->operand[1];
	}
	if (a->kind != OPERAND_REGISTER || a->reg != loop->counter)
		return false;
	loop->at_limit = goes_on_at_limit(body, b, &branch->insn, swapped, loop->step);
	if (other->kind == OPERAND_IMMEDIATE) {
		loop->limit = cut_to(other->value, a->size);
		loop->limit_known = true;
	} else if (other->kind == OPERAND_REGISTER &&
		   only_writer(arch, body, UINT32_MAX, (unsigned)other->reg)) {
		loop->limit_reg = other->reg;
		loop->limit_size = a->size;
	}
	return loop->limit_known || loop->limit_reg >= 0;
}

/* "xor %ebx,%ebx", "mov $5,%ebx": a constant in @reg. */
static bool sets_constant(const struct insn *insn, int reg, uint64_t *value)
{
	const struct insn_operand *to = &insn->operand[0], *from = &insn->operand[1];

	if (insn->operand_count != 2 || to->kind != OPERAND_REGISTER || to->reg != reg ||
	    to->size < 4)
		return false;
	*value = 0;
	if (insn->does == INSN_DOES_XOR)
		return from->kind == OPERAND_REGISTER && from->reg == reg;
	*value = cut_to(from->value, to->size);
	return insn->does == INSN_DOES_MOVE && from->kind == OPERAND_IMMEDIATE;
}

/* What the counter had before: set in the only block that leads into the loop from outside. */
static void find_start(const struct arch *arch, const struct body *body, struct busy_loop *loop)
{
	const struct cfg *cfg = body->cfg;
	uint32_t entry = 0, from = 0;

	if (!only_entry(body, &entry) || entry == 0 || edges_into(body, entry, &from) != 1)
		return;
	for (uint32_t n = cfg->blocks[from].count; n--;) {
		const struct cfg_insn *insn = &cfg->insns[cfg->blocks[from].first + n];
		if (!changes(arch, insn, (unsigned)loop->counter))
			continue;
		loop->start_known = sets_constant(&insn->insn, loop->counter, &loop->start);
		return;
	}
}

/* The counter that instruction @i of block @b is, if any; of several, the one that ends the loop. */
static void look_at_insn(const struct arch *arch, struct body *body, uint32_t b, uint32_t i,
			 struct busy_loop *loop)
{
	struct busy_loop with = *loop;
	int reg;
	int64_t step = step_of(&body->cfg->insns[i].insn, &reg);
	bool ends = false;

	if (!step || !only_writer(arch, body, i, (unsigned)reg) || !once_a_turn(body, b))
		return;
	with.counter = reg;
	with.step = step;
	with.limit_known = with.start_known = false;
	with.limit_reg = -1;
	for (uint32_t n = 0; n < body->cfg->block_count && !ends; n++)
		ends = body->in[n] && limit_of(arch, body, n, &with);
	find_start(arch, body, &with);
	if (loop->counter < 0 || (ends && !loop->limit_known && loop->limit_reg < 0))
		*loop = with;
}

/* "mov 0x8(%rbx),%rbx": the loop follows a list. */
static bool is_link(const struct arch *arch, const struct body *body, uint32_t i)
{
	const struct insn *insn = &body->cfg->insns[i].insn;
	const struct insn_operand *to = &insn->operand[0];

	return insn->does == INSN_DOES_MOVE && to->kind == OPERAND_REGISTER && to->size == 8 &&
	       insn->memory.present && insn->memory.base == to->reg && insn->memory.index < 0 &&
	       only_writer(arch, body, i, (unsigned)to->reg);
}

bool busy_loop_of_code(const struct arch *arch, const struct cfg *cfg, uint32_t insn,
		       struct busy_loop *loop)
{
	struct body body;

	*loop = (struct busy_loop){ .counter = -1, .link = -1, .limit_reg = -1 };
	body_init(&body, cfg);
	bool found = find_body(&body, cfg_block_of(cfg, insn)) &&
		     find_bounds(&body, cfg->insns[insn].at, loop);
	for (uint32_t b = 0; b < cfg->block_count && found; b++) {
		const struct cfg_block *block = &cfg->blocks[b];
		uint32_t end = body.in[b] ? block->first + block->count : 0;
		for (uint32_t i = block->first; i < end; i++) {
			look_at_insn(arch, &body, b, i, loop);
			if (loop->link >= 0 || !is_link(arch, &body, i))
				continue;
			loop->link = cfg->insns[i].insn.operand[0].reg;
			loop->link_offset = cfg->insns[i].insn.memory.displacement;
		}
	}
	body_deinit(&body);
	return found;
}

/* --- Values: the frame's registers. --- */

static bool cfg_at(struct session *s, const struct frame *frame, const struct cfg **cfg,
		   uint32_t *insn)
{
	const char *why;

	*cfg = code_cfg(s, frame->pc - frame->is_call, &why);
	return *cfg && !(*cfg)->incomplete &&
	       (frame->is_call ? cfg_find_end(*cfg, frame->pc, insn)
			       : cfg_find(*cfg, frame->pc, insn));
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

static bool frame_value(struct session *s, const struct stack *stack, size_t from, unsigned reg,
			uint64_t *value)
{
	for (size_t i = from;; i--) {
		const struct frame *frame = &stack->frames[i];
		if (regs_known(&frame->regs, reg)) {
			*value = frame->regs.value[reg];
			return true;
		}
		if (!i || !frame->is_call || !untouched(s, &stack->frames[i - 1], reg))
			return false;
	}
}

bool busy_loop_find(struct session *s, const struct stack *stack, size_t frame,
		    struct busy_loop *loop)
{
	const struct cfg *cfg;
	uint32_t insn;

	if (frame >= stack->count || !cfg_at(s, &stack->frames[frame], &cfg, &insn) ||
	    !busy_loop_of_code(s->arch, cfg, insn, loop))
		return false;
	if (loop->counter >= 0)
		loop->value_known = frame_value(s, stack, frame, (unsigned)loop->counter,
						&loop->value);
	if (loop->limit_reg >= 0) {
		loop->limit_known = frame_value(s, stack, frame, (unsigned)loop->limit_reg,
						&loop->limit);
		loop->limit = cut_to((int64_t)loop->limit, loop->limit_size);
	}
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
	*all = (to - from) / step + (loop->at_limit || (to - from) % step);
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
