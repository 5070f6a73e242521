// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The slab check for a task that died inside the allocator: most often it tripped over damage that
 * somebody else did. What it had in hand is in its registers and on its stack: addresses of caches,
 * of slabs (struct slab) and of objects; besides, it may have taken from its CPU's freelist.
 */
#include <stdlib.h>

#include "forensics/slab_check_state.h"
#include "kernel/cpus.h"
#include "kernel/pages.h"

enum {
	SLABS_MAX = 24, /* looking up single slabs is for a few */
	SAMPLES = 8,    /* caches by which the coding of freelists is found out */
	CPUS_MAX = 64,
};

static void add_slab_at(struct checker *checker, uint64_t address)
{
	struct slab_object object;
	uint64_t known;

	if (checker->slabs.count >= SLABS_MAX ||
	    !slab_object_at(checker->session, address, &object) || object.kfence ||
	    map_get(&checker->by_page, object.slab.page, &known))
		return;
	check_add_slab(checker, &object.slab);
}

static void add_slab_of_page(struct checker *checker, uint64_t page)
{
	uint64_t pfn;

	if (page && pfn_of_page(checker->session, page, &pfn))
		add_slab_at(checker, direct_map_of(checker->session,
						  (struct paddr){ pfn << PAGE_SHIFT }));
}

/* What the CPUs allocate from. */
static void add_cpu_slabs(struct checker *checker, const struct slab_cache *cache)
{
	struct session *s = checker->session;
	uint64_t cpu_slabs, page;
	size_t count;
	const struct cpu *all = cpus(s, &count);

	if (!kread(s, cache->address, "kmem_cache", "cpu_slab", &cpu_slabs) || !cpu_slabs)
		return;
	for (size_t i = 0; i < count && i < CPUS_MAX; i++) {
		if (kread(s, cpu_slabs + all[i].percpu_offset, "kmem_cache_cpu", "slab|page", &page))
			add_slab_of_page(checker, page);
	}
}

bool slab_check_at_hand(struct session *s, const struct task *task, struct slab_check *check)
{
	struct checker checker = { .session = s };
	size_t count;

	*check = (struct slab_check){ 0 };
	if (slab_allocator(s) != ALLOCATOR_SLUB)
		return false;
	busy_find_task(s, task, task->cpu, &checker.busy);
	if (!checker.busy.count)
		return false;
	const struct busy_cpu *busy = &checker.busy.data[0];
	for (size_t i = 0; i < busy->words.count; i++) {
		const struct slab_cache *cache = slab_cache_by_address(s, busy->words.data[i]);
		if (cache)
			add_cpu_slabs(&checker, cache);
	}
	for (size_t i = 0; i < busy->words.count; i++)
		add_slab_of_page(&checker, busy->words.data[i]);
	size_t in_hand = checker.slabs.count;
	const struct slab_cache *all = slab_caches(s, &count);
	for (size_t i = 0; i < count && i < SAMPLES; i++)
		add_cpu_slabs(&checker, &all[i]);
	check_find_layout(&checker);
	checker.lists_known = false;
	checker.worker_count = 1;
	checker.workers = xcalloc(1, sizeof(*checker.workers));
	check->slabs = in_hand;
	for (size_t i = 0; i < in_hand; i++)
		check_slab(&checker, &checker.workers[0], &checker.slabs.data[i]);
	check_collect(&checker, check);
	check_deinit(&checker);
	return true;
}
