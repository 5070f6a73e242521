// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Value flow over a function: blocks are gone through in reverse postorder, again and again until
 * nothing changes. A block's first state is made of the last states of the blocks before it: where
 * they agree about a place it is that value, else a FLOW_MERGE of that block and place.
 *
 * Only blocks from which the address can be reached take part: others were not passed.
 *
 * Why a node means one value though loops run its instruction many times: it stands for the last
 * time. For an older value to be in a place under the same node it would have to come around to the
 * instruction again; on that way there is a block which can also be reached from the entry without
 * the instruction, and there the two ways disagree, so that the place becomes a FLOW_MERGE.
 */
#include <stdlib.h>
#include <string.h>

#include "code/flow_state.h"

enum { VISITS_MAX = 40, STICKY_AFTER = 6, WORK_MAX = 400000 };

/* --- Order. --- */

static const struct cfg_insn *last_of(const struct flow *flow, uint32_t block)
{
	const struct cfg_block *b = &flow->cfg->blocks[block];

	return &flow->cfg->insns[b->first + b->count - 1];
}

/*
 * Blocks from which the target's can be reached, or a jump through a register, which may go there
 * as well: see has_lost_jump().
 */
static void mark_relevant(struct flow *flow)
{
	const struct cfg *cfg = flow->cfg;
	uint32_t *work = xcalloc(cfg->block_count, sizeof(*work)), count = 0;

	for (uint32_t i = 0; i < cfg->block_count; i++) {
		if (i != flow->target_block && last_of(flow, i)->role != CFG_TAIL_INDIRECT)
			continue;
		flow->blocks[i].relevant = true;
		work[count++] = i;
	}
	while (count) {
		const struct cfg_block *block = &cfg->blocks[work[--count]];
		for (uint32_t i = 0; i < block->in_count; i++) {
			uint32_t edge = cfg->in[block->first_in + i], from = cfg->edges[edge].from;
			if (flow->dead[edge] || flow->blocks[from].relevant)
				continue;
			flow->blocks[from].relevant = true;
			work[count++] = from;
		}
	}
	free(work);
}

static bool is_live(const struct flow *flow, uint32_t edge)
{
	const struct cfg_edge *e = &flow->cfg->edges[edge];

	return !flow->dead[edge] && flow->blocks[e->from].relevant && flow->blocks[e->to].relevant;
}

/* Reverse postorder from the entry over relevant blocks; false: the target is not reached. */
static bool make_order(struct flow *flow)
{
	const struct cfg *cfg = flow->cfg;
	struct visit {
		uint32_t block, next;
	} *stack = xcalloc((size_t)cfg->block_count + 1, sizeof(*stack));
	bool *seen = xcalloc(cfg->block_count, sizeof(*seen));
	uint32_t depth = 0, left = cfg->block_count;
	bool reached;

	if (flow->blocks[0].relevant) {
		stack[depth++] = (struct visit){ 0, 0 };
		seen[0] = true;
	}
	while (depth) {
		struct visit *v = &stack[depth - 1];
		const struct cfg_block *block = &cfg->blocks[v->block];
		if (v->next == block->out_count) {
			flow->order[--left] = v->block;
			depth--;
			continue;
		}
		uint32_t edge = block->first_out + v->next++, to = cfg->edges[edge].to;
		if (is_live(flow, edge) && !seen[to]) {
			seen[to] = true;
			stack[depth++] = (struct visit){ to, 0 };
		}
	}
	flow->order_count = cfg->block_count - left;
	memmove(flow->order, flow->order + left, flow->order_count * sizeof(*flow->order));
	for (uint32_t i = 0; i < flow->order_count; i++)
		flow->blocks[flow->order[i]].order = i;
	reached = seen[flow->target_block];
	for (uint32_t i = 0; i < cfg->block_count; i++)
		flow->blocks[i].relevant &= seen[i];
	free(stack);
	free(seen);
	return reached;
}

/* A block is in a cycle when a set of blocks that reach each other holds it: Tarjan's way. */
struct component {
	uint32_t *index, *low, *stack;
	bool *on_stack;
	uint32_t count, depth;
};

struct descent {
	uint32_t block, next;
};

static void close_component(struct flow *flow, struct component *c, uint32_t root)
{
	bool many = c->stack[c->depth - 1] != root;
	uint32_t block;

	do {
		block = c->stack[--c->depth];
		c->on_stack[block] = false;
		flow->blocks[block].in_cycle |= many;
	} while (block != root);
}

static void find_cycles_from(struct flow *flow, struct component *c, struct descent *stack)
{
	const struct cfg *cfg = flow->cfg;
	uint32_t depth = 1;

	stack[0] = (struct descent){ 0, 0 };
	while (depth) {
		struct descent *v = &stack[depth - 1];
		uint32_t block = v->block;
		if (!v->next) {
			c->index[block] = c->low[block] = ++c->count;
			c->stack[c->depth++] = block;
			c->on_stack[block] = true;
		}
		if (v->next == cfg->blocks[block].out_count) {
			if (c->low[block] == c->index[block])
				close_component(flow, c, block);
			if (--depth && c->low[block] < c->low[stack[depth - 1].block])
				c->low[stack[depth - 1].block] = c->low[block];
			continue;
		}
		uint32_t edge = cfg->blocks[block].first_out + v->next++;
		uint32_t to = cfg->edges[edge].to;
		if (to == block)
			flow->blocks[block].in_cycle = true;
		if (!c->index[to])
			stack[depth++] = (struct descent){ to, 0 };
		else if (c->on_stack[to] && c->index[to] < c->low[block])
			c->low[block] = c->index[to];
	}
}

static void find_cycles(struct flow *flow)
{
	size_t n = (size_t)flow->cfg->block_count + 1;
	struct component c = { .index = xcalloc(n, sizeof(uint32_t)),
			       .low = xcalloc(n, sizeof(uint32_t)),
			       .stack = xcalloc(n, sizeof(uint32_t)),
			       .on_stack = xcalloc(n, sizeof(bool)) };
	struct descent *stack = xcalloc(n, sizeof(*stack));

	find_cycles_from(flow, &c, stack);
	free(c.index);
	free(c.low);
	free(c.stack);
	free(c.on_stack);
	free(stack);
}

/* --- Joining states. --- */

/* Two ways disagree about a place that holds values; what they bring may be a stack address. */
static flow_id merge(struct flow *flow, uint64_t block_at, int reg, int64_t offset, bool stack)
{
	return flow_opaque(flow, FLOW_MERGE, block_at, reg, (uint64_t)offset, stack);
}

static void join_slots(struct flow *flow, struct flow_state *into, const struct flow_state *from,
		       uint64_t at)
{
	uint32_t kept = 0, j = 0;

	for (uint32_t i = 0; i < into->slot_count; i++) {
		struct flow_slot s = into->slots[i];
		while (j < from->slot_count && from->slots[j].offset < s.offset)
			j++;
		if (j == from->slot_count || from->slots[j].offset != s.offset ||
		    from->slots[j].size != s.size)
			continue;
		const struct flow_slot *o = &from->slots[j];
		if (o->value != s.value) {
			s.value = merge(flow, at, -1, s.offset,
					flow->nodes.data[s.value].stack ||
						flow->nodes.data[o->value].stack);
			s.saved = false;
		}
		s.pushed &= o->pushed;
		s.saved &= o->saved;
		if (s.value)
			into->slots[kept++] = s;
	}
	into->slot_count = kept;
}

static void join(struct flow *flow, struct flow_block *block, struct flow_state *into,
		 const struct flow_state *from, uint64_t at)
{
	for (unsigned reg = 0; reg < FLOW_REGS; reg++) {
		flow_id a = into->regs[reg], b = from->regs[reg];
		if (a == b)
			continue;
		block->merged |= (uint16_t)(1u << reg);
		into->regs[reg] =
			merge(flow, at, (int)reg, 0,
			      flow->nodes.data[a].stack || flow->nodes.data[b].stack);
	}
	if (from->escaped < into->escaped)
		into->escaped = from->escaped;
	if (!from->flags.known || from->flags.a != into->flags.a ||
	    from->flags.b != into->flags.b || from->flags.test != into->flags.test ||
	    from->flags.size != into->flags.size)
		into->flags.known = false;
	join_slots(flow, into, from, at);
}

static void enter(struct flow *flow, struct flow_state *state)
{
	state->reached = true;
	state->escaped = FLOW_NOT_ESCAPED;
	for (unsigned reg = 0; reg < FLOW_REGS; reg++)
		state->regs[reg] = flow_entry(flow, reg);
}

/* The state that an edge brings. */
static void edge_state(struct flow *flow, const struct cfg_edge *edge, struct flow_state *state)
{
	const struct flow_block *from = &flow->blocks[edge->from];

	flow_state_copy(state, &from->out);
	if (edge->kind != CFG_EDGE_FIXUP)
		return;
	flow_state_copy(state, &from->in);
	flow_step_fault(flow, state, &flow->cfg->insns[flow->cfg->blocks[edge->from].first]);
}

static void make_in(struct flow *flow, uint32_t index, struct flow_state *in)
{
	const struct cfg_block *block = &flow->cfg->blocks[index];
	struct flow_block *b = &flow->blocks[index];
	uint64_t at = flow->cfg->insns[block->first].at;
	struct flow_state edge = { 0 };

	in->reached = false;
	if (!index)
		enter(flow, in);
	for (uint32_t i = 0; i < block->in_count; i++) {
		uint32_t number = flow->cfg->in[block->first_in + i];
		if (!is_live(flow, number) ||
		    !flow->blocks[flow->cfg->edges[number].from].out.reached)
			continue;
		edge_state(flow, &flow->cfg->edges[number], &edge);
		if (in->reached)
			join(flow, b, in, &edge, at);
		else
			flow_state_copy(in, &edge);
	}
	/* So that the work ends: what was merged again and again stays so. */
	for (unsigned reg = 0; reg < FLOW_REGS && b->visits > STICKY_AFTER; reg++) {
		if (b->merged >> reg & 1)
			in->regs[reg] = merge(flow, at, (int)reg, 0,
					      flow->nodes.data[in->regs[reg]].stack);
	}
	flow_state_deinit(&edge);
}

static bool run(struct flow *flow)
{
	struct flow_state in = { 0 };
	size_t work = 0;
	bool changed = true, ok = true;

	while (changed && ok) {
		changed = false;
		for (uint32_t i = 0; i < flow->order_count && ok; i++) {
			uint32_t index = flow->order[i];
			struct flow_block *b = &flow->blocks[index];
			const struct cfg_block *block = &flow->cfg->blocks[index];
			in.slot_count = 0;
			make_in(flow, index, &in);
			if (!in.reached || (b->visits && flow_state_same(&in, &b->in)))
				continue;
			flow_state_copy(&b->in, &in);
			for (uint32_t n = 0; n < block->count; n++)
				flow_step(flow, &in, &flow->cfg->insns[block->first + n]);
			flow_state_copy(&b->out, &in);
			changed = true;
			work += block->count;
			ok = ++b->visits < VISITS_MAX && work < WORK_MAX && !flow->exhausted;
		}
	}
	flow_state_deinit(&in);
	return ok;
}

/* --- Conditions on the only way. --- */

static uint32_t common_dominator(const struct flow *flow, uint32_t a, uint32_t b)
{
	while (a != b) {
		while (flow->blocks[a].order > flow->blocks[b].order)
			a = flow->blocks[a].dominator;
		while (flow->blocks[b].order > flow->blocks[a].order)
			b = flow->blocks[b].dominator;
	}
	return a;
}

/* Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm. */
static void find_dominators(struct flow *flow)
{
	bool changed = true;

	for (uint32_t i = 0; i < flow->order_count; i++)
		flow->blocks[flow->order[i]].dominator = UINT32_MAX;
	flow->blocks[0].dominator = 0;
	while (changed) {
		changed = false;
		for (uint32_t i = 1; i < flow->order_count; i++) {
			uint32_t index = flow->order[i], best = UINT32_MAX;
			const struct cfg_block *block = &flow->cfg->blocks[index];
			for (uint32_t n = 0; n < block->in_count; n++) {
				uint32_t edge = flow->cfg->in[block->first_in + n];
				uint32_t from = flow->cfg->edges[edge].from;
				if (!is_live(flow, edge) ||
				    flow->blocks[from].dominator == UINT32_MAX)
					continue;
				best = best == UINT32_MAX ? from
							  : common_dominator(flow, best, from);
			}
			if (best != UINT32_MAX && best != flow->blocks[index].dominator) {
				flow->blocks[index].dominator = best;
				changed = true;
			}
		}
	}
}

/* The only edge by which a block is reached; false: there are several. */
static bool only_edge(const struct flow *flow, uint32_t index, const struct cfg_edge **edge)
{
	const struct cfg_block *block = &flow->cfg->blocks[index];
	unsigned count = !index;

	for (uint32_t i = 0; i < block->in_count; i++) {
		uint32_t number = flow->cfg->in[block->first_in + i];
		if (!is_live(flow, number))
			continue;
		*edge = &flow->cfg->edges[number];
		count++;
	}
	return count == 1 && index;
}

static void note_condition(struct flow *flow, const struct cfg_edge *edge)
{
	const struct cfg_insn *branch = last_of(flow, edge->from);
	const struct flow_flags *flags = &flow->blocks[edge->from].out.flags;
	enum insn_condition condition = branch->insn.condition;

	if (branch->role != CFG_BRANCH || condition >= COND_OTHER || !flags->known)
		return;
	if (edge->kind == CFG_EDGE_NEXT)
		condition ^= 1;
	vec_push(&flow->conditions, (struct flow_condition){ .at = branch->at,
							     .condition = condition,
							     .test = flags->test,
							     .a = flags->a,
							     .b = flags->b,
							     .size = flags->size });
}

static void find_conditions(struct flow *flow)
{
	uint32_t index = flow->target_block;

	find_dominators(flow);
	for (uint32_t i = 0; i < flow->order_count; i++) {
		const struct cfg_edge *edge = NULL;
		if (only_edge(flow, index, &edge))
			note_condition(flow, edge);
		if (!index || flow->blocks[index].dominator == index)
			break;
		index = flow->blocks[index].dominator;
	}
}

/* --- The whole. --- */

/* Edges of branches that the facts rule out. Two ways to one block are one edge each. */
static void rule_out(struct flow *flow, const struct flow_facts *facts, const struct flow *old)
{
	for (uint32_t i = 0; i < flow->cfg->edge_count; i++) {
		const struct cfg_edge *edge = &flow->cfg->edges[i];
		const struct cfg_insn *last = last_of(flow, edge->from);
		enum insn_condition condition = last->insn.condition;
		flow->dead[i] = old->dead[i];
		if (last->role != CFG_BRANCH || condition >= COND_OTHER ||
		    edge->kind > CFG_EDGE_TAKEN || !old->blocks[edge->from].out.reached)
			continue;
		if (edge->kind == CFG_EDGE_NEXT)
			condition ^= 1;
		if (!flow_facts_allow(facts, old, &old->blocks[edge->from].out.flags, condition))
			flow->dead[i] = true;
	}
}

/* A jump through a register before the frame is given up goes somewhere in the function. */
static bool has_lost_jump(struct flow *flow)
{
	for (uint32_t i = 0; i < flow->order_count; i++) {
		int64_t offset;
		if (last_of(flow, flow->order[i])->role == CFG_TAIL_INDIRECT &&
		    (!flow_is_stack(flow, flow->blocks[flow->order[i]].out.regs[X86_RSP],
				    &offset) ||
		     offset != 0))
			return true;
	}
	return false;
}

static bool follow(struct flow *flow, const char **why)
{
	const struct cfg_block *block = &flow->cfg->blocks[flow->target_block];
	const struct cfg_insn *insn = &flow->cfg->insns[flow->target_insn];

	mark_relevant(flow);
	*why = "the code does not lead there";
	if (!make_order(flow))
		return false;
	find_cycles(flow);
	*why = "the function is too much to follow";
	if (!run(flow))
		return false;
	*why = "a jump goes somewhere that is not known";
	if (!flow->blocks[flow->target_block].in.reached || has_lost_jump(flow))
		return false;
	find_conditions(flow);
	flow_state_copy(&flow->state, &flow->blocks[flow->target_block].in);
	for (uint32_t i = block->first; i < flow->target_insn; i++)
		flow_step(flow, &flow->state, &flow->cfg->insns[i]);
	flow_state_copy(&flow->stack, &flow->state);
	if (insn->insn.kind == INSN_CALL || insn->insn.memory.write)
		flow_step(flow, &flow->stack, insn);
	*why = NULL;
	return true;
}

bool flow_create(const struct code_env *env, const struct cfg *cfg, uint64_t at,
		 const struct flow_facts *facts, struct flow **out, const char **why)
{
	struct flow *flow = xcalloc(1, sizeof(*flow));
	bool ok = false;

	*flow = (struct flow){ .env = env, .cfg = cfg, .at = at };
	*why = cfg->incomplete;
	if (!cfg->incomplete) {
		*why = "no instruction begins there";
		ok = cfg_find(cfg, at, &flow->target_insn);
	}
	if (ok) {
		flow->target_block = cfg_block_of(cfg, flow->target_insn);
		flow->blocks = xcalloc(cfg->block_count, sizeof(*flow->blocks));
		flow->order = xcalloc(cfg->block_count, sizeof(*flow->order));
		flow->dead = xcalloc((size_t)cfg->edge_count + 1, sizeof(*flow->dead));
		flow_nodes_init(flow);
		if (facts)
			rule_out(flow, facts, flow_facts_flow(facts));
		ok = follow(flow, why);
	}
	if (!ok) {
		flow_destroy(flow);
		flow = NULL;
	}
	*out = flow;
	return ok;
}

void flow_destroy(struct flow *flow)
{
	if (!flow)
		return;
	for (uint32_t i = 0; flow->blocks && i < flow->cfg->block_count; i++) {
		flow_state_deinit(&flow->blocks[i].in);
		flow_state_deinit(&flow->blocks[i].out);
	}
	flow_state_deinit(&flow->state);
	flow_state_deinit(&flow->stack);
	vec_deinit(&flow->nodes);
	vec_deinit(&flow->conditions);
	free(flow->hash);
	free(flow->blocks);
	free(flow->order);
	free(flow->dead);
	free(flow);
}

/* --- Questions. --- */

flow_id flow_register(const struct flow *flow, unsigned reg)
{
	return reg < FLOW_REGS ? flow->state.regs[reg] : FLOW_NONE;
}

const struct flow_slot *flow_slots(const struct flow *flow, size_t *count)
{
	*count = flow->state.slot_count;
	return flow->state.slots;
}

flow_id flow_slot(const struct flow *flow, int64_t offset, unsigned size)
{
	const struct flow_slot *slot = flow_state_slot(&flow->state, offset);

	return slot && slot->size == size ? slot->value : FLOW_NONE;
}

flow_id flow_address(struct flow *flow, const struct insn_memory *memory)
{
	return flow_operand_address(flow, &flow->state, memory);
}

bool flow_stack_depth(const struct flow *flow, int64_t *offset)
{
	return flow_is_stack(flow, flow->state.regs[X86_RSP], offset);
}

static bool block_starting(const struct flow *flow, uint64_t at, uint32_t *block)
{
	uint32_t insn;

	if (!cfg_find(flow->cfg, at, &insn))
		return false;
	*block = cfg_block_of(flow->cfg, insn);
	return flow->cfg->blocks[*block].first == insn;
}

void flow_merged(struct flow *flow, flow_id merge_id,
		 bool (*fn)(void *ctx, uint64_t from, flow_id value), void *ctx)
{
	const struct flow_node n = *flow_node(flow, merge_id);
	struct flow_state state = { 0 };
	uint32_t index;

	if (n.kind != FLOW_MERGE || !block_starting(flow, n.at, &index))
		return;
	const struct cfg_block *block = &flow->cfg->blocks[index];
	bool more = true;
	for (uint32_t i = 0; i < block->in_count && more; i++) {
		uint32_t number = flow->cfg->in[block->first_in + i];
		const struct cfg_edge *edge = &flow->cfg->edges[number];
		const struct cfg_block *from = &flow->cfg->blocks[edge->from];
		if (!is_live(flow, number) || !flow->blocks[edge->from].out.reached)
			continue;
		edge_state(flow, edge, &state);
		const struct flow_slot *slot = flow_state_slot(&state, (int64_t)n.value);
		flow_id value = n.reg >= 0 ? state.regs[n.reg] : slot ? slot->value : FLOW_NONE;
		more = fn(ctx, flow->cfg->insns[from->first + from->count - 1].at, value);
	}
	flow_state_deinit(&state);
}

bool flow_is_once(const struct flow *flow, uint64_t at)
{
	uint32_t insn;

	return cfg_find(flow->cfg, at, &insn) &&
	       !flow->blocks[cfg_block_of(flow->cfg, insn)].in_cycle;
}

const struct flow_condition *flow_conditions(const struct flow *flow, size_t *count)
{
	*count = flow->conditions.count;
	return flow->conditions.data;
}
