// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * KFENCE's objects: a few allocations go to a pool of their own, in which every other page is
 * unmapped to catch overruns (mm/kfence/core.c, Documentation/dev-tools/kfence.rst).
 *
 *	__kfence_pool	 page 0, 1: guards | 2: object 0 | 3: guard | 4: object 1 | 5: guard ...
 *
 * Each object has a struct kfence_metadata: an array before 6.7, since then a pointer to one. How
 * many there are is a constant of the kernel that its types do not tell; but each entry's `addr`
 * points into its own object page from boot on, so that entries can be told from what is behind
 * the array. `state` says whether the object is allocated.
 */
#include "kernel/slab_state.h"

enum {
	KFENCE_OBJECTS_MAX = 1 << 16, /* KFENCE_NUM_OBJECTS, lib/Kconfig.kfence: below that */
	/*
	 * enum kfence_object_state, mm/kfence/kfence.h. Since 6.13, and in stable kernels, 2 is
	 * KFENCE_OBJECT_RCU_FREEING and 3 what 2 was.
	 */
	KFENCE_UNUSED = 0,
	KFENCE_ALLOCATED = 1,
	KFENCE_FREED = 2,
};

static const char type[] = "kfence_metadata";

static uint64_t object_page(const struct kfence_pool *pool, uint64_t i)
{
	return pool->start + (i + 1) * 2 * PAGE_SIZE;
}

static bool is_entry(struct session *s, const struct kfence_pool *pool, uint64_t size, uint64_t i)
{
	uint64_t address;

	return kread(s, pool->metadata + i * size, type, "addr", &address) &&
	       (address & ~(uint64_t)(PAGE_SIZE - 1)) == object_page(pool, i);
}

/* How many entries there are: the first that is none, by halves, as all before it are. */
static uint64_t count_entries(struct session *s, const struct kfence_pool *pool, uint64_t size)
{
	uint64_t low = 0, high = 1;

	if (!is_entry(s, pool, size, 0))
		return 0;
	while (high < KFENCE_OBJECTS_MAX && is_entry(s, pool, size, high)) {
		low = high;
		high *= 2;
	}
	while (low + 1 < high) {
		uint64_t middle = low + (high - low) / 2;
		if (is_entry(s, pool, size, middle))
			low = middle;
		else
			high = middle;
	}
	return low + 1;
}

const struct kfence_pool *slab_kfence(struct slab_state *state)
{
	struct session *s = state->session;
	struct kfence_pool *pool = &state->kfence;
	uint64_t size = types_sizeof(s->types, type);
	uint64_t array, pointer;

	if (state->has_kfence)
		return pool;
	state->has_kfence = true;
	if (!size || !kglobal(s, "__kfence_pool", 8, &pool->start) || !pool->start)
		return pool;
	array = symbols_address(s->symbols, "kfence_metadata");
	if (array && memory_u64(s->memory, array, &pointer) == READ_OK) {
		pool->metadata = array;
		pool->count = count_entries(s, pool, size);
		if (!pool->count) {
			pool->metadata = pointer;
			pool->count = count_entries(s, pool, size);
		}
	}
	if (!pool->count)
		session_problem(s, "KFENCE's records of its objects are not in the dump");
	return pool;
}

bool slab_kfence_object(struct slab_state *state, uint64_t address, struct slab_object *object)
{
	struct session *s = state->session;
	const struct kfence_pool *pool = slab_kfence(state);
	uint64_t start, size, cache, kind;
	int64_t freed;

	if (!pool->count || address < pool->start)
		return false;
	uint64_t page = (address - pool->start) / PAGE_SIZE;
	/* Guard pages, of which nothing is mapped, are no part of an object. */
	if (page < 2 || page % 2 || page / 2 > pool->count)
		return false;
	uint64_t at = pool->metadata + (page / 2 - 1) * types_sizeof(s->types, type);
	if (!kread(s, at, type, "addr", &start) || !kread(s, at, type, "size", &size) ||
	    !kread(s, at, type, "cache", &cache) || !kread(s, at, type, "state", &kind))
		return false;
	const struct slab_cache *known = slab_cache_by_address(s, cache);
	*object = (struct slab_object){
		.slab = { .cache = known, .start = pool->start + page * PAGE_SIZE,
			  .first = start, .size = PAGE_SIZE, .objects = 1, .count = 1,
			  .cpu = -1, .node = -1 },
		.address = start,
		.cpu = -1,
		.offset = address - start,
		.kfence = true,
		.kfence_size = (unsigned)min_u64(size, PAGE_SIZE),
		.kfence_record = at,
		.in_redzone = address < start,
		.in_metadata = address >= start && address - start >= size,
	};
	if (!types_enumerator(s->types, "KFENCE_OBJECT_FREED", &freed))
		freed = KFENCE_FREED;
	object->state = kind == KFENCE_ALLOCATED ? OBJECT_ALLOCATED
		      : kind == KFENCE_UNUSED || kind == (uint64_t)freed ? OBJECT_FREE
									 : OBJECT_UNKNOWN;
	return known != NULL;
}
