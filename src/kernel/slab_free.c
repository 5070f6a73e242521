// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which objects of a slab are free.
 *
 * SLUB chains free objects: kmem_cache.offset bytes into each is the address of the next one. Heads
 * of such lists are slab.freelist, and for the slab that a CPU allocates from kmem_cache_cpu.
 * freelist besides. With CONFIG_SLAB_FREELIST_HARDENED the pointer p kept at address a is stored as
 *
 *	p ^ kmem_cache.random ^ swab(a)		since 5.7 (and stable kernels of that time)
 *	p ^ kmem_cache.random ^ a		4.14 to 5.6
 *
 * (freelist_ptr_encode(), mm/slub.c). Which of them it is shows in what comes out: NULL or an
 * object of the same slab. Objects in sheaves (6.18) are on no such list; see slab_cpus.c.
 *
 * SLAB keeps an array of object numbers in slab.freelist, of 1 or 2 bytes each: those from
 * slab.active on are free. Objects in a CPU's array_cache count as active there; see slab_cpus.c.
 *
 * A list that leads nowhere leaves in doubt what was not on it so far: OBJECT_UNKNOWN.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/slab_state.h"

struct decoder {
	struct session *s;
	const struct slab_layout *layout;
	const struct slab *slab;
	const struct slab_cache *cache;
	uint8_t *states;
};

static bool index_of(const struct slab *slab, uint64_t object, unsigned *index)
{
	uint64_t at = object - slab->first - slab->cache->red_left;

	if (object < slab->first || at % slab->cache->size ||
	    at / slab->cache->size >= slab->count)
		return false;
	*index = (unsigned)(at / slab->cache->size);
	return true;
}

/* The object behind @object on its list; false when what is there cannot be that. */
static bool next_free(const struct decoder *d, uint64_t object, uint64_t *next)
{
	uint64_t at = object + d->cache->free_offset;
	uint64_t stored;
	unsigned index;

	if (memory_u64(d->s->memory, at, &stored) != READ_OK)
		return false;
	uint64_t keys[] = {
		d->cache->random ^ __builtin_bswap64(at),
		d->cache->random ^ at,
	};
	if (!d->cache->hardened)
		keys[0] = keys[1] = 0;
	for (size_t i = 0; i < array_size(keys); i++) {
		*next = stored ^ keys[i];
		if (!*next || index_of(d->slab, *next, &index))
			return true;
	}
	return false;
}

/* False when the list leads nowhere, or meets an object that is on a list already. */
static bool walk(struct decoder *d, uint64_t head, enum object_state state)
{
	unsigned index;

	while (head) {
		if (!index_of(d->slab, head, &index) || d->states[index] != OBJECT_ALLOCATED)
			return false;
		d->states[index] = (uint8_t)state;
		if (!next_free(d, head, &head))
			return false;
	}
	return true;
}

static bool decode_slub(struct decoder *d)
{
	const struct slab *slab = d->slab;
	bool whole = walk(d, slab->freelist, OBJECT_FREE);

	whole &= walk(d, slab->cpu_freelist, OBJECT_FREE_CPU);
	/* A CPU holds it, but which one is not known: nor what is on its list. */
	return whole && !(slab->frozen && slab->place == SLAB_PLACE_UNKNOWN);
}

/* freelist_idx_t is a byte where that is enough for a page of the smallest objects, mm/slab.c. */
static bool decode_slab(struct decoder *d)
{
	const struct slab *slab = d->slab;
	unsigned width = d->layout->index_size;
	uint8_t bytes[2];

	if (!width)
		width = slab->count > 256 ? 2 : 1;
	for (unsigned i = slab->inuse; i < slab->count; i++) {
		unsigned index;
		if (memory_read(d->s->memory, slab->freelist + (uint64_t)i * width, bytes,
				width) != READ_OK)
			return false;
		index = width == 1 ? bytes[0] : bytes[0] | (unsigned)bytes[1] << 8;
		if (index >= slab->count || d->states[index] != OBJECT_ALLOCATED)
			return false;
		d->states[index] = OBJECT_FREE;
	}
	return slab->inuse <= slab->count;
}

static void mark_sheaf_objects(const struct slab_state *state, struct decoder *d)
{
	uint64_t ignored;

	if (!map_get(&state->sheaf_caches, d->cache->address, &ignored))
		return;
	for (unsigned i = 0; i < d->slab->count; i++) {
		uint64_t object = d->slab->first + (uint64_t)i * d->cache->size +
				  d->cache->red_left;
		if (map_get(&state->sheaf_objects, object, &ignored) &&
		    (d->states[i] == OBJECT_ALLOCATED || d->states[i] == OBJECT_UNKNOWN))
			d->states[i] = OBJECT_FREE_CPU;
	}
}

const uint8_t *slab_states(struct slab_state *state, struct slab_record *record)
{
	uint8_t *known = atomic_load_explicit(&record->states, memory_order_acquire);
	struct decoder d = {
		.s = state->session,
		.layout = &state->layout,
		.slab = &record->slab,
		.cache = record->slab.cache,
	};
	unsigned count = record->slab.count;
	bool whole;

	if (known || !count)
		return known;
	d.states = xmalloc(count);
	memset(d.states, OBJECT_ALLOCATED, count);
	if (state->allocator == ALLOCATOR_SLUB)
		whole = decode_slub(&d);
	else
		whole = decode_slab(&d);
	for (unsigned i = 0; !whole && i < count; i++) {
		if (d.states[i] == OBJECT_ALLOCATED)
			d.states[i] = OBJECT_UNKNOWN;
	}
	mark_sheaf_objects(state, &d);
	/* Another thread may have been faster: then its answer, which is the same, stays. */
	if (atomic_compare_exchange_strong(&record->states, &known, d.states))
		return d.states;
	free(d.states);
	return known;
}

bool slab_free_link(struct session *s, const struct slab_object *object, uint64_t *next)
{
	const struct decoder d = { .s = s, .slab = &object->slab, .cache = object->slab.cache };

	return slab_allocator(s) == ALLOCATOR_SLUB && d.cache && object->slab.page &&
	       next_free(&d, object->address, next);
}
