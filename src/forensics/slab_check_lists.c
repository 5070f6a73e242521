// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The lists that slabs are on: of each node those with free objects (kmem_cache_node.partial, as
 * many as nr_partial says), and what each CPU allocates from (kmem_cache_cpu, until 6.19).
 *
 * A list is followed forward; where that ends at a bad pointer, backward as well, so that all slabs
 * on it are known all the same and only the bad pointer is reported.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "forensics/slab_check_state.h"
#include "kernel/cpus.h"

enum { NODES_MAX = 1 << 10, LIST_MAX = 1 << 24 };

struct list_walk {
	struct checker *checker;
	struct check_worker *worker;
	const struct slab_cache *cache;
	uint64_t node, head; /* kmem_cache_node; its list's head */
	bool locked;         /* somebody was changing it */
	uint64_t length;
	bool broken;
};

static const struct slab *slab_of(const struct checker *checker, uint64_t page)
{
	uint64_t index;

	return map_get(&checker->by_page, page, &index) ? &checker->slabs.data[index] : NULL;
}

static void busy_mark(struct list_walk *w, struct slab_damage *damage)
{
	const struct busy_cpus *busy = &w->checker->busy;
	int cpu = busy_with(busy, w->node, 256);

	if (cpu < 0)
		cpu = busy_with(busy, w->cache->address, 256);
	if (cpu < 0 && w->locked && busy->count)
		cpu = busy->data[0].cpu;
	damage->busy_cpu = cpu;
}

/* A broken pointer at @at, in the list's entry of @slab (NULL: in its head). */
static void bad_link(struct list_walk *w, const struct slab *slab, uint64_t at, const char *which,
		     uint64_t value)
{
	struct slab_damage *damage =
		damage_add(w->worker, DAMAGE_PARTIAL_LIST, w->cache, slab);

	if (!damage)
		return;
	damage->address = at;
	damage_read(w->checker, damage, sizeof(uint64_t));
	busy_mark(w, damage);
	snprintf(damage->text, sizeof(damage->text),
		 "the node's list of partial slabs: %s is %016lx, which is no entry of it", which,
		 (unsigned long)value);
}

/* A page on a list of this cache that says that it belongs elsewhere. */
static void wrong_cache(struct checker *checker, struct check_worker *worker,
			const struct slab_cache *cache, uint64_t page, const char *list)
{
	const struct slab *slab = slab_of(checker, page);
	uint64_t at = page + checker->layout.cache, owner = 0;

	if (!map_set(&checker->strange, page, cache->address))
		return;
	bool read = memory_u64(checker->session->memory, at, &owner) == READ_OK;
	struct slab_damage *damage = damage_add(worker, DAMAGE_WRONG_CACHE, cache, slab);
	if (!damage)
		return;
	damage->slab.page = page;
	damage->address = at;
	damage_read(checker, damage, sizeof(uint64_t));
	const struct slab_cache *other = slab_cache_by_address(checker->session, owner);
	if (!read)
		snprintf(damage->text, sizeof(damage->text), "%s has %016lx, which is no struct page",
			 list, (unsigned long)page);
	else if (owner == cache->address)
		snprintf(damage->text, sizeof(damage->text),
			 "%s has a page that is no slab any more", list);
	else
		snprintf(damage->text, sizeof(damage->text),
			 "%s has a slab that says it belongs to %016lx%s%s", list,
			 (unsigned long)owner, other ? ", which is " : ", which is no cache",
			 other ? other->name : "");
}

static void visit(struct list_walk *w, uint64_t entry)
{
	uint64_t page = entry - w->checker->layout.list;
	const struct slab *slab = slab_of(w->checker, page);

	w->length++;
	map_set(&w->checker->on_list, page, w->cache->address);
	if (!slab || slab->cache != w->cache)
		wrong_cache(w->checker, w->worker, w->cache, page, "the node's list of partial slabs");
}

static bool is_listed(struct list_walk *w, uint64_t entry)
{
	uint64_t cache;

	return map_get(&w->checker->on_list, entry - w->checker->layout.list, &cache) &&
	       cache == w->cache->address;
}

/*
 * Is @entry one of the list's, when @from leads there by the pointer at @forth (0 next, 8 prev)?
 * Its pointer back says so; where that one is broken, that it is a slab of the cache.
 */
static bool leads_to_entry(struct list_walk *w, uint64_t from, uint64_t entry, unsigned forth,
			   bool *back_is_wrong)
{
	const struct slab *slab = slab_of(w->checker, entry - w->checker->layout.list);
	uint64_t back = 0;

	*back_is_wrong = false;
	if (memory_u64(w->checker->session->memory, entry + 8 - forth, &back) != READ_OK)
		return false;
	if (back == from)
		return true;
	*back_is_wrong = true;
	return slab && slab->cache == w->cache;
}

/* From the head by the pointer at @forth; returns false at a bad one. */
static bool follow(struct list_walk *w, unsigned forth, bool report_back)
{
	const char *name = forth ? "prev" : "next", *back_name = forth ? "next" : "prev";
	uint64_t entry, from = w->head, limit = w->checker->slabs.count + 16;
	bool back_is_wrong;

	for (uint64_t i = 0; i < limit && i < LIST_MAX; i++) {
		const struct slab *slab = slab_of(w->checker, from - w->checker->layout.list);
		if (memory_u64(w->checker->session->memory, from + forth, &entry) != READ_OK)
			return false;
		if (entry == w->head)
			return true;
		if (is_listed(w, entry) || !leads_to_entry(w, from, entry, forth, &back_is_wrong)) {
			if (report_back)
				bad_link(w, slab, from + forth, name, entry);
			return false;
		}
		if (back_is_wrong && report_back) {
			uint64_t back = 0;
			memory_u64(w->checker->session->memory, entry + 8 - forth, &back);
			bad_link(w, slab_of(w->checker, entry - w->checker->layout.list),
				 entry + 8 - forth, back_name, back);
		}
		visit(w, entry);
		from = entry;
	}
	return false;
}

static void check_partial_count(struct list_walk *w)
{
	uint64_t count, offset;

	if (w->broken || !koffset(w->checker->session, "kmem_cache_node", "nr_partial", &offset) ||
	    !kread(w->checker->session, w->node, "kmem_cache_node", "nr_partial", &count) ||
	    count == w->length)
		return;
	struct slab_damage *damage =
		damage_add(w->worker, DAMAGE_PARTIAL_COUNT, w->cache, NULL);
	if (!damage)
		return;
	damage->address = w->node + offset;
	damage_read(w->checker, damage, sizeof(uint64_t));
	busy_mark(w, damage);
	snprintf(damage->text, sizeof(damage->text),
		 "the node counts %lu partial slabs, and has %lu on its list", (unsigned long)count,
		 (unsigned long)w->length);
}

static void check_node(struct checker *checker, struct check_worker *worker,
		       const struct slab_cache *cache, uint64_t node)
{
	struct session *s = checker->session;
	struct list_walk w = { .checker = checker, .worker = worker, .cache = cache, .node = node };
	uint64_t offset, lock, first;

	if (!koffset(s, "kmem_cache_node", "partial", &offset))
		return;
	w.head = node + offset;
	if (memory_u64(s->memory, w.head, &first) != READ_OK) {
		map_set(&checker->broken_lists, cache->address, node);
		worker->holes++;
		return;
	}
	/* The lock of a normal kernel, and that of one with PREEMPT_RT. */
	w.locked = kread(s, node, "kmem_cache_node",
			 "list_lock.rlock.raw_lock.val.counter|list_lock.lock.owner|"
			 "list_lock.raw_lock.val.counter", &lock) && lock;
	w.broken = !follow(&w, 0, true);
	if (w.broken) {
		map_set(&checker->broken_lists, cache->address, node);
		follow(&w, 8, false);
	}
	check_partial_count(&w);
}

/* --- What CPUs allocate from. --- */

/* Slabs of this cache may be on lists that are not in the dump: none of them is lost. */
static void cannot_follow(struct checker *checker, const struct slab_cache *cache)
{
	map_set(&checker->broken_lists, cache->address, 1);
}

/* kmem_cache_cpu.partial, a chain by slab.next: the slabs that the CPU takes next. */
static void check_cpu_chain(struct checker *checker, struct check_worker *worker,
			    const struct slab_cache *cache, uint64_t page, const char *list)
{
	struct session *s = checker->session;
	uint64_t next;

	if (!koffset(s, checker->layout.slab, "next", &next))
		return;
	for (size_t i = 0; page && i < checker->slabs.count; i++) {
		const struct slab *slab = slab_of(checker, page);
		if (!slab || slab->cache != cache) {
			cannot_follow(checker, cache);
			wrong_cache(checker, worker, cache, page, list);
			return;
		}
		if (memory_u64(s->memory, page + next, &page) != READ_OK) {
			cannot_follow(checker, cache);
			return;
		}
	}
}

static void check_cpu_slab(struct checker *checker, struct check_worker *worker,
			   const struct slab_cache *cache, uint64_t at, unsigned cpu)
{
	struct session *s = checker->session;
	uint64_t page, freelist, partial, offset;
	char list[64];

	if (!kread(s, at, "kmem_cache_cpu", "slab|page", &page) ||
	    !kread(s, at, "kmem_cache_cpu", "freelist", &freelist)) {
		cannot_follow(checker, cache);
		return;
	}
	snprintf(list, sizeof(list), "the list of slabs of CPU %u", cpu);
	if (kread(s, at, "kmem_cache_cpu", "partial", &partial))
		check_cpu_chain(checker, worker, cache, partial, list);
	const struct slab *slab = slab_of(checker, page);
	if (page && (!slab || slab->cache != cache)) {
		snprintf(list, sizeof(list), "CPU %u, which allocates from it,", cpu);
		wrong_cache(checker, worker, cache, page, list);
		return;
	}
	if (page || !freelist || !koffset(s, "kmem_cache_cpu", "freelist", &offset))
		return;
	struct slab_damage *damage = damage_add(worker, DAMAGE_CPU_SLAB, cache, NULL);
	if (!damage)
		return;
	damage->address = at + offset;
	damage_read(checker, damage, sizeof(uint64_t));
	damage->busy_cpu = busy_with(&checker->busy, cache->address, 256);
	snprintf(damage->text, sizeof(damage->text),
		 "CPU %u has a freelist, but no slab that it would be of", cpu);
}

static void check_nodes(struct checker *checker, struct check_worker *worker,
			const struct slab_cache *cache)
{
	struct session *s = checker->session;
	uint64_t nodes, offset, stride, node;

	if (!checker->lists_known || !slab_node_pointers(s, &offset, &stride)) {
		cannot_follow(checker, cache);
		return;
	}
	/* A kernel without NUMA has no such variable. */
	if (!kglobal(s, "nr_node_ids", 4, &nodes) || !nodes || nodes > NODES_MAX)
		nodes = 1;
	for (uint64_t i = 0; i < nodes; i++) {
		if (memory_u64(s->memory, cache->address + offset + i * stride, &node) != READ_OK)
			cannot_follow(checker, cache);
		else if (node)
			check_node(checker, worker, cache, node);
	}
}

void check_lists(struct checker *checker, struct check_worker *worker,
		 const struct slab_cache *cache)
{
	uint64_t cpu_slabs = 0;
	size_t count;
	const struct cpu *all = cpus(checker->session, &count);

	check_nodes(checker, worker, cache);
	kread(checker->session, cache->address, "kmem_cache", "cpu_slab", &cpu_slabs);
	for (size_t i = 0; cpu_slabs && i < count; i++)
		check_cpu_slab(checker, worker, cache, cpu_slabs + all[i].percpu_offset, all[i].id);
}
