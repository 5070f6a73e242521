// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The questions about slabs that others ask; each part of the answers has a file of its own, see
 * slab_state.h. A slab's memory is cut into strides of kmem_cache.size bytes, the first of them at
 * slab.first; in a stride lie
 *
 *	left red zone	object (object_size)	... inuse	free pointer, tracks, padding
 *
 * and the user's address is that of the object.
 */
#include "kernel/slab.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/slab_state.h"

static void destroy_state(void *data)
{
	struct slab_state *state = data;

	for (size_t i = 0; i < state->record_count; i++)
		free(atomic_load(&state->records[i].states));
	free(state->records);
	vec_for_each (lone, &state->lone) {
		free(atomic_load(&(*lone)->states));
		free(*lone);
	}
	vec_deinit(&state->lone);
	map_deinit(&state->lone_by_page);
	pthread_mutex_destroy(&state->lock);
	free(state->by_cache);
	free(state->cache_first);
	vec_deinit(&state->caches);
	vec_deinit(&state->cpu_slabs);
	map_deinit(&state->by_address);
	map_deinit(&state->cpu_slab_by_page);
	map_deinit(&state->sheaf_objects);
	map_deinit(&state->sheaf_caches);
	free(state);
}

struct slab_state *slab_state(struct session *s)
{
	struct slab_state *state = s->slot[SLOT_SLABS].data;

	if (state)
		return state;
	state = xcalloc(1, sizeof(*state));
	state->session = s;
	pthread_mutex_init(&state->lock, NULL);
	s->slot[SLOT_SLABS].data = state;
	s->slot[SLOT_SLABS].destroy = destroy_state;
	slab_read_caches(state);
	slab_read_aliases(state);
	return state;
}

enum slab_allocator slab_allocator(struct session *s)
{
	return slab_state(s)->allocator;
}

const struct slab_cache *slab_caches(struct session *s, size_t *count)
{
	struct slab_state *state = slab_state(s);

	*count = state->caches.count;
	return state->caches.data;
}

const struct slab_cache *slab_cache_by_address(struct session *s, uint64_t kmem_cache)
{
	struct slab_state *state = slab_state(s);
	uint64_t index;

	return map_get(&state->by_address, kmem_cache, &index) ? &state->caches.data[index] : NULL;
}

/* Is @name one of the comma-separated @names? */
static bool is_listed(const char *names, const char *name)
{
	size_t length = strlen(name);

	while (*names) {
		size_t n = strcspn(names, ",");
		if (n == length && strncmp(names, name, n) == 0)
			return true;
		names += n + (names[n] == ',');
	}
	return false;
}

const struct slab_cache *slab_cache_by_name(struct session *s, const char *name)
{
	struct slab_state *state = slab_state(s);

	vec_for_each (cache, &state->caches) {
		if (strcmp(cache->name, name) == 0)
			return cache;
	}
	vec_for_each (cache, &state->caches) {
		if (is_listed(cache->aliases, name))
			return cache;
	}
	return NULL;
}

void slab_prepare(struct session *s)
{
	slab_build_index(slab_state(s));
}

/* @record's object number @i. */
static void fill_object(const struct slab_state *state, const struct slab_record *record,
			const uint8_t *states, unsigned i, struct slab_object *object)
{
	const struct slab_cache *cache = record->slab.cache;
	uint64_t holder;

	*object = (struct slab_object){
		.slab = record->slab,
		.address = record->slab.first + (uint64_t)i * cache->size + cache->red_left,
		.index = i,
		.state = states ? (enum object_state)states[i] : OBJECT_UNKNOWN,
		.cpu = -1,
	};
	if (object->state != OBJECT_FREE_CPU)
		return;
	if (map_get(&state->sheaf_objects, object->address, &holder))
		object->cpu = (int)holder - 1;
	else
		object->cpu = record->slab.cpu;
}

bool slab_object_at(struct session *s, uint64_t address, struct slab_object *object)
{
	struct slab_state *state = slab_state(s);

	if (!state->caches.count)
		return false;
	if (slab_kfence_object(state, address, object))
		return true;
	struct slab_record *record = slab_record_at(state, address);
	if (!record)
		return false;
	const struct slab *slab = &record->slab;
	uint64_t at = address - slab->first;
	if (address < slab->first || at / slab->cache->size >= slab->count) {
		*object = (struct slab_object){ .slab = *slab, .state = OBJECT_PADDING, .cpu = -1 };
		return true;
	}
	unsigned index = (unsigned)(at / slab->cache->size);
	fill_object(state, record, slab_states(state, record), index, object);
	object->offset = address - object->address;
	object->in_redzone = address < object->address;
	object->in_metadata = !object->in_redzone && object->offset >= slab->cache->object_size;
	return true;
}

void slab_each(struct session *s, const struct slab_cache *cache, slab_fn fn, void *ctx)
{
	struct slab_state *state = slab_state(s);

	slab_build_index(state);
	if (!cache) {
		for (size_t i = 0; i < state->record_count && !session_stopped(s); i++) {
			if (!fn(ctx, &state->records[i].slab))
				return;
		}
		return;
	}
	size_t number = (size_t)(cache - state->caches.data);
	for (size_t i = state->cache_first[number]; i < state->cache_first[number + 1]; i++) {
		if (session_stopped(s) || !fn(ctx, &state->records[state->by_cache[i]].slab))
			return;
	}
}

void slab_objects(struct session *s, const struct slab *slab, slab_object_fn fn, void *ctx)
{
	struct slab_state *state = slab_state(s);
	struct slab_record *record = slab_record_at(state, slab->start);
	struct slab_object object;

	if (!record)
		return;
	const uint8_t *states = slab_states(state, record);
	for (unsigned i = 0; i < record->slab.count; i++) {
		fill_object(state, record, states, i, &object);
		if (!fn(ctx, &object))
			return;
	}
}

struct sum {
	struct slab_state *state;
	struct slab_totals *totals;
};

static bool add_slab(void *ctx, const struct slab *slab)
{
	struct sum *sum = ctx;
	struct slab_totals *t = sum->totals;
	struct slab_record *record = slab_record_at(sum->state, slab->start);
	unsigned inuse = slab->inuse < slab->count ? slab->inuse : slab->count;
	unsigned allocated = inuse;

	t->place[slab->place]++;
	if (slab->place == SLAB_PLACE_DYING)
		return true;
	t->slabs++;
	t->bytes += slab->size;
	t->objects += slab->count;
	/* Those on the CPU's own list count as in use; sum->state knows which they are. */
	if (slab->cpu_freelist && record) {
		const uint8_t *states = slab_states(sum->state, record);
		for (unsigned i = 0; states && i < slab->count; i++)
			allocated -= states[i] == OBJECT_FREE_CPU && allocated;
	}
	t->allocated += allocated;
	t->active += slab->place == SLAB_PLACE_NODE_PARTIAL ? inuse : slab->count;
	return true;
}

void slab_totals(struct session *s, const struct slab_cache *cache, struct slab_totals *totals)
{
	struct sum sum = { slab_state(s), totals };
	uint64_t kept;

	*totals = (struct slab_totals){ 0 };
	slab_each(s, cache, add_slab, &sum);
	/* What lies in sheaves or a CPU's array counts as in use in its slab. */
	if (cache && map_get(&sum.state->sheaf_caches, cache->address, &kept))
		totals->allocated -= min_u64(kept, totals->allocated);
}
