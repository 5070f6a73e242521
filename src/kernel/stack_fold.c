// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Folding: each thread notes a stack's return addresses as it is followed, in an array of the
 * task's own place; then one pass finds equal ones by hash. Whole frames are kept for the first of
 * a group only: its stack is followed once more, which costs less than keeping thousands.
 */
#include "kernel/stack_fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "kernel/task_stacks.h"

/* What is kept of each task's stack until it is folded. */
struct trace {
	uint64_t *pcs;
	size_t depth;
	enum stack_end end;
	bool guess; /* its frames are guesses: never the same as one that is sure */
	bool seen;
};

struct bucket {
	size_t first; /* index of its first task */
	size_t count;
	size_t next;  /* bucket of the same hash; SIZE_MAX: none */
	size_t fill;  /* place of its next task in all_tasks */
};

struct buckets {
	vec_fields(struct bucket);
};

static void note_trace(void *ctx, size_t i, const struct stack *stack)
{
	struct trace *trace = (struct trace *)ctx + i;

	trace->pcs = xcalloc(stack->count + 1, sizeof(*trace->pcs));
	trace->depth = stack->count;
	trace->end = stack->end;
	trace->seen = true;
	for (size_t k = 0; k < stack->count; k++) {
		trace->pcs[k] = stack->frames[k].pc;
		trace->guess |= stack->frames[k].how == FRAME_SCAN;
	}
}

/* FNV-1a over words: few thousand keys, all from one kernel. */
static uint64_t hash_of(const struct trace *trace)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	hash = (hash ^ (trace->end * 2u + trace->guess)) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < trace->depth; i++)
		hash = (hash ^ trace->pcs[i]) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 29;
}

static bool same(const struct trace *a, const struct trace *b)
{
	return a->depth == b->depth && a->end == b->end && a->guess == b->guess &&
	       memcmp(a->pcs, b->pcs, a->depth * sizeof(*a->pcs)) == 0;
}

/* The bucket of trace @i, new or old. */
static size_t find_bucket(struct buckets *buckets, struct map *by_hash, const struct trace *traces,
			  size_t i)
{
	uint64_t hash = hash_of(&traces[i]), found = SIZE_MAX;

	if (map_get(by_hash, hash, &found)) {
		for (size_t at = (size_t)found; at != SIZE_MAX; at = buckets->data[at].next) {
			if (same(&traces[buckets->data[at].first], &traces[i]))
				return at;
		}
	}
	vec_push(buckets, (struct bucket){ .first = i, .next = (size_t)found });
	map_set(by_hash, hash, buckets->count - 1);
	return buckets->count - 1;
}

static int compare_groups(const void *va, const void *vb)
{
	const struct stack_group *a = va, *b = vb;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	const struct task *x = a->tasks[0], *y = b->tasks[0];
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* The frames of a group, from its first task. */
static void keep_frames(struct session *s, struct stack_fold *fold, struct stack_group *group)
{
	struct stack stack = { 0 };

	task_stack(s, group->tasks[0], &stack);
	struct frame *frames = arena_alloc(&fold->arena, (stack.count + 1) * sizeof(*frames));
	if (stack.count)
		memcpy(frames, stack.frames, stack.count * sizeof(*frames));
	group->frames = frames;
	group->depth = stack.count;
	group->end = stack.end;
	group->reason = arena_strdup(&fold->arena, stack.reason);
	stack_deinit(&stack);
}

static void make_groups(struct session *s, struct stack_fold *fold, struct buckets *buckets,
			const struct task *const *of, const struct trace *traces,
			const size_t *bucket_of, size_t count)
{
	const struct task **all = arena_alloc(&fold->arena, (count + 1) * sizeof(*all));
	size_t place = 0;

	fold->groups = arena_zalloc(&fold->arena, (buckets->count + 1) * sizeof(*fold->groups));
	fold->count = buckets->count;
	for (size_t i = 0; i < buckets->count; i++) {
		struct bucket *bucket = &buckets->data[i];
		bucket->fill = place;
		fold->groups[i] = (struct stack_group){ .tasks = &all[place],
							.count = bucket->count };
		place += bucket->count;
	}
	for (size_t i = 0; i < count; i++) {
		if (!traces[i].seen)
			continue;
		all[buckets->data[bucket_of[i]].fill++] = of[i];
		fold->incomplete +=
			traces[i].end == STACK_END_INCOMPLETE && !task_stack_freed(of[i]);
	}
	fold->tasks = place;
	for (size_t i = 0; i < fold->count; i++)
		keep_frames(s, fold, &fold->groups[i]);
	qsort(fold->groups, fold->count, sizeof(*fold->groups), compare_groups);
}

void stack_fold_create(struct session *s, const struct task *const *of, size_t count,
		       struct stack_fold *fold)
{
	struct trace *traces = xcalloc(count + 1, sizeof(*traces));
	auto_free size_t *bucket_of = xcalloc(count + 1, sizeof(*bucket_of));
	struct buckets buckets = { 0 };
	struct map by_hash = { 0 };

	*fold = (struct stack_fold){ 0 };
	fold->stopped = !task_stacks_each(s, of, count, note_trace, traces);
	for (size_t i = 0; i < count; i++) {
		if (!traces[i].seen)
			continue;
		bucket_of[i] = find_bucket(&buckets, &by_hash, traces, i);
		buckets.data[bucket_of[i]].count++;
	}
	make_groups(s, fold, &buckets, of, traces, bucket_of, count);
	for (size_t i = 0; i < count; i++)
		free(traces[i].pcs);
	free(traces);
	map_deinit(&by_hash);
	vec_deinit(&buckets);
}

void stack_fold_deinit(struct stack_fold *fold)
{
	arena_deinit(&fold->arena);
	*fold = (struct stack_fold){ 0 };
}

/* "vfs_read" is vfs_read.isra.0, too. */
static bool function_matches(const char *pattern, const char *name)
{
	const char *dot = strchr(name, '.');

	if (glob_match(pattern, name))
		return true;
	if (!dot)
		return false;
	auto_free char *plain = xstrndup(name, (size_t)(dot - name));
	return glob_match(pattern, plain);
}

bool stack_group_has(struct session *s, const struct stack_group *group, const char *function,
		     const char *module)
{
	for (size_t i = 0; i < group->depth; i++) {
		const struct frame *frame = &group->frames[i];
		struct symbol symbol;

		if (!s->symbols ||
		    !symbols_by_address(s->symbols, frame->pc - frame->is_call, &symbol))
			continue;
		const char *owner = symbol.module ? symbol.module->name : "vmlinux";
		if ((!function || function_matches(function, symbol.name)) &&
		    (!module || glob_match(module, owner)))
			return true;
	}
	return false;
}
