// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Kernel stacks: of every task, and those of each CPU (interrupts, exceptions, entry). A stack that
 * lies in the vmalloc area has guard pages beside it, which an overflow runs into; what lies beside
 * other stacks is just anything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forensics/what.h"
#include "kernel/cpu_state.h"

static int compare_stacks(const void *va, const void *vb)
{
	const struct stack_range *a = va, *b = vb;

	return a->low < b->low ? -1 : a->low > b->low;
}

static void add_task_stacks(struct session *s, struct whatis_state *state)
{
	uint64_t size = cpu_thread_size(s);
	size_t count;
	const struct task *all = tasks(s, &count);

	for (size_t i = 0; i < count; i++) {
		if (all[i].stack && all[i].stack + size > all[i].stack)
			vec_push(&state->stacks,
				 (struct stack_range){ .low = all[i].stack,
						       .high = all[i].stack + size,
						       .task = &all[i],
						       .cpu = -1 });
	}
}

static void add_cpu_stacks(struct session *s, struct whatis_state *state)
{
	struct stack_limits own[CPU_STACKS_MAX];
	size_t count;
	const struct cpu *all = cpus(s, &count);

	for (size_t i = 0; i < count; i++) {
		unsigned n = cpu_own_stacks(s, &all[i], own);
		for (unsigned j = 0; j < n; j++)
			vec_push(&state->stacks, (struct stack_range){ .low = own[j].low,
								       .high = own[j].high,
								       .name = own[j].name,
								       .cpu = (int)all[i].id });
	}
}

void what_stack_prepare(struct session *s, struct whatis_state *state)
{
	pthread_mutex_lock(&state->lock);
	if (!state->stacks.known) {
		add_task_stacks(s, state);
		add_cpu_stacks(s, state);
		if (state->stacks.count)
			qsort(state->stacks.data, state->stacks.count, sizeof(*state->stacks.data),
			      compare_stacks);
		state->stacks.known = true;
	}
	pthread_mutex_unlock(&state->lock);
}

/* The last stack that begins at or below @address; NULL: none. */
static const struct stack_range *stack_below(const struct what_ask *ask, uint64_t address)
{
	const struct stack_range *all;
	size_t low = 0, high;

	what_stack_prepare(ask->s, ask->state);
	all = ask->state->stacks.data;
	high = ask->state->stacks.count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (all[mid].low <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &all[low - 1] : NULL;
}

static void name_owner(const struct stack_range *range, char *buf, size_t size)
{
	char name[48];

	if (!range->task) {
		snprintf(buf, size, "the %s stack of CPU %d", range->name, range->cpu);
		return;
	}
	what_task_name(range->task, name, sizeof(name));
	snprintf(buf, size, "the kernel stack of %s", name);
}

static void set_stack(const struct what_ask *ask, enum what_kind kind,
		      const struct stack_range *range)
{
	what_set(ask, kind, range->low, range->high - range->low);
	ask->what->cpu = range->cpu;
	if (range->task) {
		ask->what->object = range->task->address;
		ask->what->pid = range->task->pid;
	}
}

bool what_stack(const struct what_ask *ask)
{
	const struct stack_range *range;
	char owner[80];

	if (!ask->s->arch->is_kernel_address(ask->address))
		return false;
	range = stack_below(ask, ask->address);
	if (!range || ask->address >= range->high)
		return false;
	set_stack(ask, WHAT_STACK, range);
	if (ask->brief && range->task) {
		what_textf(ask, "stack of %.*s", (int)sizeof(range->task->comm), range->task->comm);
	} else if (ask->brief) {
		what_textf(ask, "%s stack of CPU %d", range->name, range->cpu);
	} else {
		name_owner(range, owner, sizeof(owner));
		what_textf(ask, "%s", owner);
		what_stack_slot(ask, range);
	}
	return true;
}

bool what_stack_beside(const struct what_ask *ask)
{
	const struct stack_range *range = NULL, *below, *above;
	char owner[80];

	if (!ask->what->unmapped || !ask->s->arch->is_kernel_address(ask->address))
		return false;
	below = stack_below(ask, ask->address);
	above = stack_below(ask, ask->address + PAGE_SIZE);
	if (above && above->low > ask->address)
		range = above;
	else if (below && ask->address - below->high < PAGE_SIZE)
		range = below;
	/* A page between two: the one that the asker cares about. */
	if (below && below != range && ask->address - below->high < PAGE_SIZE && ask->task &&
	    below->task == ask->task)
		range = below;
	if (!range)
		return false;
	set_stack(ask, WHAT_STACK_BESIDE, range);
	name_owner(range, owner, sizeof(owner));
	what_textf(ask, "the page %s %s", ask->address < range->low ? "below" : "above", owner);
	return true;
}
