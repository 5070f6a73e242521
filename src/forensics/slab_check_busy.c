// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which CPUs were inside the slab allocator when the machine died, and what they had in hand there.
 *
 * Lists and counters are changed in several steps. A CPU that was stopped between two of them has
 * the addresses of the slab, its cache or its node in registers or in its stack's frames: words
 * found there excuse what is half done with these. Nothing else is excused, since a machine often
 * dies inside the allocator because of the damage that is looked for.
 */
#include <string.h>

#include "base/strbuf.h"
#include "forensics/slab_check_state.h"
#include "kernel/cpus.h"
#include "kernel/tasks.h"

enum {
	FRAME_BYTES_MAX = 4096,
	TASKS_MAX = 64, /* of those that were ready to run but not running */
};

/*
 * Functions of mm/slub.c and mm/slab_common.c that change slabs, by the start of their names. Those
 * that lay out new slabs are inlined into others here and there.
 */
static const struct {
	const char *prefix;
	bool builds_slab;
} allocator_functions[] = {
	{ "kmem_cache_", false },   { "__kmem_cache_", false }, { "kmalloc", false },
	{ "__kmalloc", false },     { "kfree", false },         { "__kfree", false },
	{ "slab_free", false },     { "__slab_free", false },   { "slab_alloc", false },
	{ "__slab_alloc", true },   { "___slab_alloc", true }, { "deactivate_slab", false },
	{ "put_cpu_partial", false }, { "unfreeze_partials", false },
	{ "__unfreeze_partials", false }, { "__put_partials", false }, { "flush_cpu_slab", false },
	{ "get_partial", false },   { "get_any_partial", false }, { "alloc_single_from", false },
	{ "free_to_partial_list", false }, { "free_debug_processing", false },
	{ "alloc_debug_processing", false }, { "discard_slab", false }, { "free_slab", false },
	{ "__free_slab", false },   { "rcu_free_slab", false }, { "refill_", false },
	{ "__refill_", false },     { "sheaf_", false },        { "__pcs_", false },
	{ "barn_", false },         { "new_slab", true },       { "allocate_slab", true },
	{ "shuffle_freelist", true }, { "setup_object", true }, { "init_object", true },
};

/* Which of them it is; -1: none. */
static int function_number(const char *name)
{
	for (size_t i = 0; i < array_size(allocator_functions); i++) {
		if (starts_with(name, allocator_functions[i].prefix))
			return (int)i;
	}
	return -1;
}

bool slab_check_is_allocator(const char *function)
{
	return function_number(function) >= 0;
}

static int function_of(struct session *s, const struct frame *frame)
{
	struct symbol symbol;

	if (!s->symbols || !symbols_by_address(s->symbols, frame->pc - frame->is_call, &symbol))
		return -1;
	return function_number(symbol.name);
}

static void add_words(struct session *s, struct busy_cpu *busy, uint64_t from, uint64_t to)
{
	uint64_t words[FRAME_BYTES_MAX / 8];

	if (to <= from || !from)
		return;
	uint64_t size = to - from < sizeof(words) ? to - from : sizeof(words);
	size_t count = memory_read_some(s->memory, from & ~UINT64_C(7), words, size) / 8;
	for (size_t i = 0; i < count; i++)
		vec_push(&busy->words, words[i]);
}

void busy_find_task(struct session *s, const struct task *task, int cpu, struct busy_cpus *all)
{
	struct busy_cpu busy = { .cpu = cpu };
	struct stack stack;
	size_t outermost = 0;
	bool inside = false;

	task_stack(s, task, &stack);
	for (size_t i = 0; i < stack.count; i++) {
		int function = function_of(s, &stack.frames[i]);
		if (function < 0)
			continue;
		inside = true;
		outermost = i;
		busy.builds_slab |= allocator_functions[function].builds_slab;
	}
	/* The caller's frame too: what it keeps in registers may be saved there. */
	for (size_t i = 0; inside && i < stack.count && i <= outermost + 1; i++) {
		const struct frame *frame = &stack.frames[i];
		uint64_t end = frame->cfa > frame->sp ? frame->cfa : frame->sp + 512;
		add_words(s, &busy, frame->sp, end);
		if (!i || frame->has_regs) {
			for (unsigned r = 0; r < ARCH_REGS_MAX; r++) {
				if (regs_known(&frame->regs, r))
					vec_push(&busy.words, frame->regs.value[r]);
			}
		}
	}
	stack_deinit(&stack);
	if (inside)
		vec_push(all, busy);
	else
		vec_deinit(&busy.words);
}

void busy_find(struct session *s, struct busy_cpus *busy)
{
	size_t count, waiting = 0;
	const struct task *all = tasks(s, &count);

	for (size_t i = 0; i < count; i++) {
		const struct task *task = &all[i];
		/* One that a CPU was taken away from may have been inside as well. */
		bool ready = !task->state && !task->exit_state && !task->incomplete && task->pid;
		if (task->on_cpu || (ready && waiting++ < TASKS_MAX))
			busy_find_task(s, task, task->cpu, busy);
	}
}

void busy_deinit(struct busy_cpus *busy)
{
	vec_for_each(b, busy)
		vec_deinit(&b->words);
	vec_deinit(busy);
}

int busy_with(const struct busy_cpus *busy, uint64_t start, uint64_t size)
{
	for (size_t i = 0; i < busy->count; i++) {
		const struct busy_cpu *b = &busy->data[i];
		for (size_t j = 0; j < b->words.count; j++) {
			if (b->words.data[j] - start < size)
				return b->cpu;
		}
	}
	return -1;
}

int busy_building(const struct busy_cpus *busy, const struct slab *slab)
{
	/* allocate_slab() of mm/slub.c: as since 5.17, and before. */
	bool fresh = !slab->inuse || (slab->frozen && slab->inuse == slab->objects);

	if (!fresh || slab->place == SLAB_PLACE_CPU || slab->place == SLAB_PLACE_CPU_PARTIAL)
		return -1;
	for (size_t i = 0; i < busy->count; i++) {
		const struct busy_cpu *b = &busy->data[i];
		for (size_t j = 0; b->builds_slab && j < b->words.count; j++) {
			uint64_t word = b->words.data[j];
			if (word == slab->page || word - slab->start < slab->size)
				return b->cpu;
		}
	}
	return -1;
}
