// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Many stacks at once. Following one reads memory, symbols, types and unwind tables, all of which
 * may be asked from many threads once they are set up. The first stack is followed alone: it sets
 * up what all others need.
 */
#include "kernel/task_stacks.h"

#include <stdio.h>

#include "base/parallel.h"

enum { STACKS_A_CHUNK = 8 };

struct work {
	struct session *session;
	const struct task *const *of;
	size_t count;
	task_stack_fn fn; /* NULL: keep them in stacks */
	void *ctx;
	struct stack *stacks;
};

static void follow(struct work *work, size_t i)
{
	struct stack stack = { 0 };

	task_stack(work->session, work->of[i], &stack);
	if (!work->fn) {
		work->stacks[i] = stack;
		return;
	}
	work->fn(work->ctx, i, &stack);
	stack_deinit(&stack);
}

static void follow_chunk(void *ctx, unsigned worker unused_arg, size_t chunk)
{
	struct work *work = ctx;
	size_t first = 1 + chunk * STACKS_A_CHUNK;

	for (size_t i = first; i < work->count && i < first + STACKS_A_CHUNK; i++)
		follow(work, i);
}

static bool follow_all(struct work *work)
{
	if (!work->count)
		return true;
	follow(work, 0);
	return parallel_for((work->count - 1 + STACKS_A_CHUNK - 1) / STACKS_A_CHUNK,
			    work->session->stop, follow_chunk, work);
}

bool task_stacks_each(struct session *s, const struct task *const *of, size_t count,
		      task_stack_fn fn, void *ctx)
{
	struct work work = { .session = s, .of = of, .count = count, .fn = fn, .ctx = ctx };

	return follow_all(&work);
}

bool task_stacks(struct session *s, const struct task *const *of, size_t count,
		 struct stack *stacks)
{
	struct work work = { .session = s, .of = of, .count = count, .stacks = stacks };

	for (size_t i = 0; i < count; i++) {
		stacks[i] = (struct stack){ .end = STACK_END_INCOMPLETE };
		snprintf(stacks[i].reason, sizeof(stacks[i].reason), "interrupted");
	}
	return follow_all(&work);
}
