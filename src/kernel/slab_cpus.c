// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Free objects that CPUs keep for themselves.
 *
 * SLUB: struct kmem_cache_cpu has the slab that a CPU allocates from (`slab`, before 5.17 `page`),
 * that slab's objects on the CPU's own freelist, and a chain of further slabs (`partial`, chained
 * by slab.next). Since 6.18 CPUs have sheaves besides, and in 7.2 instead: arrays of free
 * objects of any slabs, slub_percpu_sheaves.{main, spare, rcu_free}; full ones wait in each
 * node's barn.
 * Objects in rcu_free are free for who had them, but a grace period has not passed yet.
 *
 * SLAB: struct array_cache, an array alike: of each CPU, shared by a node, and `alien` ones.
 */
#include <stdlib.h>

#include "kernel/cpus.h"
#include "kernel/slab_state.h"

enum {
	PARTIAL_MAX = 1 << 16, /* slabs in a CPU's chain */
	SHEAF_MAX = 1 << 12,   /* objects in a sheaf or array_cache */
	NODES_MAX = 1 << 10,
};

struct cpu_reader {
	struct slab_state *state;
	struct session *s;
	unsigned nodes;
	bool partial, sheaves, per_node, barn;
	uint64_t node_offset, node_stride, barn_offset;
	uint64_t sheaf_entries, array_entries;
};

static bool add_slab(struct slab_state *state, uint64_t page, uint64_t freelist, int cpu,
		     enum slab_place place)
{
	uint64_t known;

	if (map_get(&state->cpu_slab_by_page, page, &known))
		return false;
	map_set(&state->cpu_slab_by_page, page, state->cpu_slabs.count);
	vec_push(&state->cpu_slabs, (struct cpu_slab){ page, freelist, cpu, place });
	return true;
}

static void read_cpu_slab(struct cpu_reader *r, const struct slab_cache *cache, uint64_t at,
			  int cpu)
{
	struct session *s = r->s;
	uint64_t slab, freelist;

	if (!kread(s, at, "kmem_cache_cpu", "slab|page", &slab) ||
	    !kread(s, at, "kmem_cache_cpu", "freelist", &freelist)) {
		session_problem(s, "the CPUs' slabs of %s are not in the dump: some of its free "
				"objects look allocated", cache->name);
		return;
	}
	if (slab)
		add_slab(r->state, slab, freelist, cpu, SLAB_PLACE_CPU);
	if (!r->partial || !r->state->layout.has_next ||
	    !kread(s, at, "kmem_cache_cpu", "partial", &slab))
		return;
	for (unsigned i = 0; slab && i < PARTIAL_MAX; i++) {
		/* One that is known already: the chain is damaged. */
		if (!add_slab(r->state, slab, 0, cpu, SLAB_PLACE_CPU_PARTIAL) ||
		    memory_u64(s->memory, slab + r->state->layout.next.offset, &slab) != READ_OK)
			break;
	}
}

/* @count object pointers at @at. */
static void add_objects(struct cpu_reader *r, const struct slab_cache *cache, uint64_t at,
			uint64_t count, int cpu)
{
	uint64_t object, known = 0;

	if (!count || count > SHEAF_MAX)
		return;
	map_get(&r->state->sheaf_caches, cache->address, &known);
	for (uint64_t i = 0; i < count; i++) {
		if (memory_u64(r->s->memory, at + i * sizeof(object), &object) == READ_OK && object)
			known += map_set(&r->state->sheaf_objects, object, (uint64_t)(cpu + 1));
	}
	map_set(&r->state->sheaf_caches, cache->address, known);
}

static void read_sheaf(struct cpu_reader *r, const struct slab_cache *cache, uint64_t sheaf,
		       int cpu)
{
	uint64_t count;

	if (sheaf && kread(r->s, sheaf, "slab_sheaf", "size", &count))
		add_objects(r, cache, sheaf + r->sheaf_entries, count, cpu);
}

static void read_sheaves(struct cpu_reader *r, const struct slab_cache *cache, uint64_t at,
			 int cpu)
{
	static const char *const members[] = { "main", "spare", "rcu_free" };
	uint64_t sheaf;

	for (size_t i = 0; i < array_size(members); i++) {
		if (kread(r->s, at, "slub_percpu_sheaves", members[i], &sheaf))
			read_sheaf(r, cache, sheaf, cpu);
	}
}

struct barn_walk {
	struct cpu_reader *reader;
	const struct slab_cache *cache;
};

static bool add_full_sheaf(void *ctx, uint64_t sheaf)
{
	struct barn_walk *walk = ctx;

	read_sheaf(walk->reader, walk->cache, sheaf, -1);
	return true;
}

static void read_array(struct cpu_reader *r, const struct slab_cache *cache, uint64_t array,
		       int cpu)
{
	uint64_t count;

	if (array && kread(r->s, array, "array_cache", "avail", &count))
		add_objects(r, cache, array + r->array_entries, count, cpu);
}

static void read_aliens(struct cpu_reader *r, const struct slab_cache *cache, uint64_t aliens)
{
	uint64_t alien, offset;

	if (!koffset(r->s, "alien_cache", "ac", &offset))
		return;
	for (unsigned i = 0; aliens && i < r->nodes; i++) {
		if (memory_u64(r->s->memory, aliens + i * sizeof(alien), &alien) == READ_OK &&
		    alien)
			read_array(r, cache, alien + offset, -1);
	}
}

static void read_node(struct cpu_reader *r, const struct slab_cache *cache, unsigned number)
{
	struct session *s = r->s;
	uint64_t at = cache->address + r->node_offset + number * r->node_stride;
	uint64_t node, value;

	if (r->per_node) {
		if (!kread(s, at, "kmem_cache_per_node_ptrs", "barn", &value))
			value = 0;
	} else {
		if (memory_u64(s->memory, at, &node) != READ_OK || !node)
			return;
		if (!kread(s, node, "kmem_cache_node", "barn", &value))
			value = 0;
	}
	if (value) {
		struct barn_walk walk = { r, cache };
		klist_each(s, value + r->barn_offset, "slab_sheaf", "barn_list",
			   "a barn of sheaves", add_full_sheaf, &walk);
	}
	if (r->state->allocator != ALLOCATOR_SLAB)
		return;
	if (kread(s, node, "kmem_cache_node", "shared", &value))
		read_array(r, cache, value, -1);
	if (kread(s, node, "kmem_cache_node", "alien", &value))
		read_aliens(r, cache, value);
}

static void read_cache(struct cpu_reader *r, const struct slab_cache *cache)
{
	struct session *s = r->s;
	uint64_t slabs = 0, sheaves = 0, arrays = 0;
	size_t count;
	const struct cpu *all = cpus(s, &count);

	kread(s, cache->address, "kmem_cache", "cpu_slab", &slabs);
	if (r->sheaves)
		kread(s, cache->address, "kmem_cache", "cpu_sheaves", &sheaves);
	kread(s, cache->address, "kmem_cache", "cpu_cache", &arrays);
	for (size_t i = 0; i < count; i++) {
		uint64_t base = all[i].percpu_offset;
		if (slabs)
			read_cpu_slab(r, cache, slabs + base, (int)all[i].id);
		if (sheaves)
			read_sheaves(r, cache, sheaves + base, (int)all[i].id);
		if (arrays)
			read_array(r, cache, arrays + base, (int)all[i].id);
	}
	bool nodes = r->barn || r->state->allocator == ALLOCATOR_SLAB;
	for (unsigned i = 0; nodes && i < r->nodes; i++)
		read_node(r, cache, i);
}

static void prepare(struct cpu_reader *r, struct slab_state *state)
{
	struct session *s = state->session;
	uint64_t nodes;

	*r = (struct cpu_reader){ .state = state, .s = s };
	/* A kernel without NUMA has no such variable. */
	r->nodes = kglobal(s, "nr_node_ids", 4, &nodes) && nodes && nodes <= NODES_MAX
			   ? (unsigned)nodes : 1;
	r->partial = koffset(s, "kmem_cache_cpu", "partial", &(uint64_t){ 0 });
	r->sheaves = koffset(s, "slub_percpu_sheaves", "main", &(uint64_t){ 0 }) &&
		     koffset(s, "slab_sheaf", "objects", &r->sheaf_entries);
	koffset(s, "array_cache", "entry", &r->array_entries);
	r->per_node = koffset(s, "kmem_cache", "per_node", &r->node_offset);
	r->node_stride = sizeof(uint64_t);
	if (r->per_node)
		r->node_stride = types_sizeof(s->types, "kmem_cache_per_node_ptrs");
	else if (!koffset(s, "kmem_cache", "node", &r->node_offset))
		r->nodes = 0;
	r->barn = r->sheaves && koffset(s, "node_barn", "sheaves_full", &r->barn_offset);
}

void slab_read_cpus(struct slab_state *state)
{
	struct cpu_reader reader;

	if (state->has_cpus)
		return;
	state->has_cpus = true;
	if (!slab_find_layout(state))
		return;
	prepare(&reader, state);
	vec_for_each (cache, &state->caches)
		read_cache(&reader, cache);
}
