// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who holds up a grace period. RCU has several sorts of them: the usual one waits for CPUs, and for
 * readers that were preempted; those of tasks (for tracing and BPF) for single tasks, until they
 * have gone to sleep or have left what they read.
 *
 * Sources, in linux/: kernel/rcu/tree.h (struct rcu_node), kernel/rcu/tasks.h,
 * include/linux/sched.h (rcu_tasks_holdout, trc_holdout_list).
 */
#include "forensics/wait_search.h"

#include <string.h>

#include "base/strbuf.h"
#include "kernel/cpus.h"

enum { RCU_LEVELS_MAX = 4, RCU_NODES_MAX = 4096, RCU_NODE_CPUS = 64, FRAMES = 6 };

static void blocked_reader(struct wait_search *x, struct resource *r, uint64_t list_entry)
{
	uint64_t task = kcontainer(x->s, list_entry, "task_struct", "rcu_node_entry");

	wait_add_owner(x, r, task, OWNER_WORD, true,
		       "a reader that was preempted holds up the grace period");
}

/* Of the usual grace periods, and of those in a hurry. */
static const struct masks {
	const char *cpus, *tasks;
} usual = { "qsmask", "gp_tasks" }, expedited = { "expmask", "exp_tasks" };

static void rcu_node_holdouts(struct wait_search *x, struct resource *r, uint64_t node,
			      const struct masks *masks)
{
	uint64_t mask, low, tasks;

	if (kread(x->s, node, "rcu_node", masks->tasks, &tasks) && tasks)
		blocked_reader(x, r, tasks);
	if (!kread(x->s, node, "rcu_node", masks->cpus, &mask) ||
	    !kread(x->s, node, "rcu_node", "grplo", &low))
		return;
	for (unsigned bit = 0; bit < RCU_NODE_CPUS; bit++) {
		const struct cpu *cpu = cpu_by_id(x->s, (unsigned)low + bit);
		if (mask >> bit & 1 && cpu && cpu->current_task)
			wait_add_owner(x, r, cpu->current_task, OWNER_WORD, true,
				       "its CPU has not yet let the grace period pass");
	}
}

/* Leaves are the last nodes of the array; inner ones have bits of nodes, not of CPUs. */
static void holdouts_of_cpus(struct wait_search *x, struct resource *r, uint64_t state,
			     const struct masks *masks)
{
	uint64_t offset, size;
	struct type type;

	if (!state || !koffset(x->s, "rcu_state", "node", &offset) ||
	    !types_find(x->s->types, "struct rcu_node", &type))
		return;
	size = type_size(type);
	for (unsigned i = 0; size && i < RCU_NODES_MAX; i++) {
		uint64_t node = state + offset + i * size, level, low, high;
		if (!kread(x->s, node, "rcu_node", "level", &level) ||
		    !kread(x->s, node, "rcu_node", "grplo", &low) ||
		    !kread(x->s, node, "rcu_node", "grphi", &high) || high < low ||
		    level >= RCU_LEVELS_MAX)
			break;
		if (high - low < RCU_NODE_CPUS)
			rcu_node_holdouts(x, r, node, masks);
		/* The last leaf has the last CPU. */
		uint64_t last;
		if (high - low < RCU_NODE_CPUS && kglobal(x->s, "nr_cpu_ids", 4, &last) &&
		    high + 1 >= last)
			break;
	}
}

/* --- Those of tasks. --- */

static const struct flavour {
	const char *state;     /* the variable */
	const char *function;  /* of who waits: a part of its name */
} flavours[] = {
	{ "rcu_tasks_trace", "tasks_trace" },
	{ "rcu_tasks_rude", "tasks_rude" },
	{ "rcu_tasks", "rcu_tasks" },
	{ "rcu_state", "" },
};

static bool on_list(struct session *s, const struct task *task, const char *link)
{
	uint64_t offset, next;

	return koffset(s, "task_struct", link, &offset) &&
	       memory_u64(s->memory, task->address + offset, &next) == READ_OK && next &&
	       next != task->address + offset;
}

static void holdouts_of_tasks(struct wait_search *x, struct resource *r, bool trace)
{
	for (size_t i = 0; i < x->graph->node_count && !session_stopped(x->s); i++) {
		const struct task *task = x->graph->nodes[i].task;
		uint64_t holdout = 0;
		if (trace ? on_list(x->s, task, "trc_holdout_list")
			  : kread(x->s, task->address, "task_struct", "rcu_tasks_holdout", &holdout) &&
				    holdout)
			wait_add_owner(x, r, task->address, OWNER_WORD, true,
				       "the grace period waits for that task");
	}
}

/* A member of rcu_state stands for the grace periods in a hurry, to tell them from the usual ones. */
static uint64_t expedited_part(struct session *s)
{
	uint64_t state = symbols_address(s->symbols, "rcu_state"), offset;

	return state && koffset(s, "rcu_state", "expedited_sequence", &offset) ? state + offset : 0;
}

/* The functions around the wait tell; one serves all that are of tasks, and is told which. */
uint64_t wait_rcu_flavour(struct session *s, const struct task *task, struct stack *stack,
			  const struct wait *wait)
{
	const char *names[FRAMES] = { NULL };
	struct symbol symbol;
	uint64_t state;
	bool memory;
	size_t n = 0;

	for (size_t i = wait->frame; i < stack->count && n < FRAMES; i++) {
		const struct frame *f = &stack->frames[i];
		if (f->how == FRAME_SCAN ||
		    !symbols_by_address(s->symbols, f->is_call ? f->pc - 1 : f->pc, &symbol))
			continue;
		if (starts_with(symbol.name, "synchronize_rcu_tasks_generic") &&
		    frame_argument(s, task, stack, i, 0, &state, &memory))
			return state;
		if (strstr(symbol.name, "expedited"))
			return expedited_part(s);
		names[n++] = symbol.name;
	}
	for (size_t f = 0; f < array_size(flavours); f++) {
		for (size_t i = 0; i < n; i++) {
			if (strstr(names[i], flavours[f].function))
				return symbols_address(s->symbols, flavours[f].state);
		}
	}
	return 0;
}

void wait_owners_of_rcu(struct wait_search *x, size_t index)
{
	struct resource *r = &x->graph->resources[index];
	struct symbols *symbols = x->s->symbols;

	uint64_t state = symbols_address(symbols, "rcu_state");
	if (state && r->object == state)
		holdouts_of_cpus(x, r, state, &usual);
	else if (state && r->object == expedited_part(x->s))
		holdouts_of_cpus(x, r, state, &expedited);
	else if (r->object == symbols_address(symbols, "rcu_tasks"))
		holdouts_of_tasks(x, r, false);
	else if (r->object == symbols_address(symbols, "rcu_tasks_trace"))
		holdouts_of_tasks(x, r, true);
}
