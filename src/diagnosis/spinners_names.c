// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who holds the lock, by names alone: a text has stacks but no memory, so neither the lock nor the
 * code that took it can be looked at. What is left is how people read such stacks: several CPUs
 * spin below one function, and one CPU is inside the same function and does not spin. It got
 * through. Likely, when it is the only one; that all of them mean the same lock is not seen.
 */
#include "diagnosis/spinners.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/chain.h"
#include "forensics/held_locks.h"
#include "kernel/cpus.h"

enum { CPUS_LOOKED_AT = 256, NMI_DEPTH = 16 };

struct look {
	unsigned cpu;
	const struct task *task;
	struct stack stack;
	size_t now;   /* the frame in which the CPU was */
	size_t taker; /* that wants the lock; SIZE_MAX: it does not spin */
};

static const char *name_at(const struct facts *facts, const struct stack *stack, size_t i)
{
	struct symbol sym;

	if (i >= stack->count || stack->frames[i].how == FRAME_SCAN ||
	    !facts_frame_symbol_of(facts, &stack->frames[i], &sym))
		return NULL;
	return chain_source_name(facts->arena, sym.name);
}

static bool spins(const char *name)
{
	const struct lock_function *function = name ? lock_function_of(name) : NULL;

	return function && function->act == LOCK_TAKE &&
	       (function->kind == LOCK_SPIN || function->kind == LOCK_READ_WRITE);
}

/* Below the NMI that asked every CPU where it was. */
static size_t where_now(const struct facts *facts, const struct stack *stack)
{
	static const char *const entries[] = { "nmi", "asm_exc_nmi", "end_repeat_nmi", "nmi_restore" };
	size_t now = 0;

	for (size_t i = 0; i < stack->count && i < NMI_DEPTH; i++) {
		const char *name = name_at(facts, stack, i);
		for (size_t k = 0; name && k < array_size(entries); k++) {
			if (strcmp(name, entries[k]) == 0)
				now = i + 1;
		}
	}
	return now;
}

static void look_at(const struct facts *facts, struct look *look)
{
	size_t i;

	look->now = where_now(facts, &look->stack);
	look->taker = SIZE_MAX;
	for (i = look->now; i < look->stack.count; i++) {
		const char *name = name_at(facts, &look->stack, i);
		if (name && !spins(name))
			break;
	}
	if (i > look->now && i < look->stack.count)
		look->taker = i;
}

static size_t look_around(const struct facts *facts, struct look *looks)
{
	size_t n, count = 0;
	const struct cpu *all = cpus(facts->session, &n);

	for (size_t i = 0; i < n && count < CPUS_LOOKED_AT; i++) {
		if (!all[i].current_task)
			continue;
		const struct task *task = task_by_address(facts->session, all[i].current_task);
		if (!task)
			continue;
		struct look *look = &looks[count];
		*look = (struct look){ .cpu = all[i].id, .task = task };
		task_stack(facts->session, task, &look->stack);
		look_at(facts, look);
		count++;
	}
	return count;
}

/* Is @name on the stack of a CPU that does not spin? */
static bool is_inside(const struct facts *facts, const struct look *look, const char *name)
{
	for (size_t i = look->now; look->taker == SIZE_MAX && i < look->stack.count; i++) {
		const char *at = name_at(facts, &look->stack, i);
		if (at && strcmp(at, name) == 0)
			return true;
	}
	return false;
}

/* The function below which most CPUs spin. */
static const char *find_taker(const struct facts *facts, const struct look *looks, size_t count,
			      size_t *waiters)
{
	const char *best = NULL;

	*waiters = 0;
	for (size_t i = 0; i < count; i++) {
		size_t same = 0;
		if (looks[i].taker == SIZE_MAX)
			continue;
		const char *name = name_at(facts, &looks[i].stack, looks[i].taker);
		for (size_t j = 0; j < count; j++)
			same += looks[j].taker != SIZE_MAX &&
				strcmp(name_at(facts, &looks[j].stack, looks[j].taker), name) == 0;
		if (same > *waiters) {
			*waiters = same;
			best = name;
		}
	}
	return best;
}

static void tell(const struct facts *facts, const struct look *holder, const char *taker,
		 size_t waiters, struct findings *out, struct finding *f)
{
	const char *now = facts_text_of_frame(facts, &holder->stack.frames[holder->now]);
	struct blame blame = facts_blame_stack(facts, &holder->stack, holder->now);

	f->why = finding_text(out, "%zu CPU%s for a lock in %s; CPU %u got through there and is in %s",
			      waiters, waiters == 1 ? " spins" : "s spin", taker, holder->cpu, now);
	f->against = "a text has no memory: that all of them mean the same lock is not seen";
	if (f->confidence > CONFIDENCE_LIKELY || waiters > 1)
		f->confidence = CONFIDENCE_LIKELY;
	else
		f->confidence = CONFIDENCE_POSSIBLE;
	blame.skipped = NULL;
	blame.frame = SIZE_MAX;
	if (blame.known)
		blame.because = "it runs while the others spin for the lock that its caller took";
	f->blame = blame;
	finding_evidence_shows(out, f, finding_text(out, "bt -A -c %u", holder->cpu), taker,
			       "CPU %u is in %s, called from %s, and does not spin", holder->cpu, now,
			       taker);
	finding_evidence(out, f, "bt -a", "%zu CPU%s in a lock function below %s", waiters,
			 waiters == 1 ? " is" : "s are", taker);
}

bool spinners_blame_by_names(const struct facts *facts, struct findings *out, struct finding *f)
{
	size_t n, waiters, holders = 0;
	const struct look *holder = NULL;

	cpus(facts->session, &n);
	struct look *looks = xcalloc(n + 1, sizeof(*looks));
	size_t count = look_around(facts, looks);
	const char *taker = find_taker(facts, looks, count, &waiters);
	for (size_t i = 0; taker && i < count; i++) {
		if (!is_inside(facts, &looks[i], taker))
			continue;
		holder = &looks[i];
		holders++;
	}
	/* With two inside it is a lock of something else, or none of both holds it. */
	if (holders == 1)
		tell(facts, holder, taker, waiters, out, f);
	for (size_t i = 0; i < count; i++)
		stack_deinit(&looks[i].stack);
	free(looks);
	return holders == 1;
}
