// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Linear probing, load factor at most 3/4, never shrinks, no deletion (nothing here needs it).
 * Names are hashed with XXH3: its speed matters when 130,000 symbols are indexed.
 */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/alloc.h"

static uint64_t mix(uint64_t key)
{
	key ^= key >> 33;
	key *= UINT64_C(0xff51afd7ed558ccd);
	key ^= key >> 33;
	return key;
}

static bool same(const struct map_slot *slot, uint64_t key, const char *name)
{
	return slot->key == key && (!name || strcmp(slot->name, name) == 0);
}

/* The slot of the key, or the free one where it belongs. */
static struct map_slot *find_slot(const struct map *map, uint64_t key, const char *name)
{
	size_t mask = map->capacity - 1;

	for (size_t i = mix(key) & mask;; i = (i + 1) & mask) {
		struct map_slot *slot = &map->slots[i];
		if (!slot->used || same(slot, key, name))
			return slot;
	}
}

void map_reserve(struct map *map, size_t count)
{
	size_t capacity = map->capacity ? map->capacity : 16;

	while (capacity / 4 * 3 < count)
		capacity *= 2;
	if (capacity == map->capacity)
		return;
	struct map bigger = { .slots = xcalloc(capacity, sizeof(*bigger.slots)),
			      .count = map->count,
			      .capacity = capacity };
	for (size_t i = 0; i < map->capacity; i++) {
		if (map->slots[i].used)
			*find_slot(&bigger, map->slots[i].key, map->slots[i].name) = map->slots[i];
	}
	free(map->slots);
	*map = bigger;
}

static bool set(struct map *map, uint64_t key, const char *name, uint64_t value)
{
	map_reserve(map, map->count + 1);
	struct map_slot *slot = find_slot(map, key, name);
	bool fresh = !slot->used;

	if (fresh) {
		*slot = (struct map_slot){ .key = key, .name = name, .used = true };
		map->count++;
	}
	slot->value = value;
	return fresh;
}

static bool get(const struct map *map, uint64_t key, const char *name, uint64_t *value)
{
	if (!map->capacity)
		return false;
	const struct map_slot *slot = find_slot(map, key, name);
	if (!slot->used)
		return false;
	*value = slot->value;
	return true;
}

bool map_set(struct map *map, uint64_t key, uint64_t value)
{
	return set(map, key, NULL, value);
}

bool map_get(const struct map *map, uint64_t key, uint64_t *value)
{
	return get(map, key, NULL, value);
}

bool map_set_name(struct map *map, const char *name, uint64_t value)
{
	return set(map, XXH3_64bits(name, strlen(name)), name, value);
}

bool map_get_name(const struct map *map, const char *name, uint64_t *value)
{
	return get(map, XXH3_64bits(name, strlen(name)), name, value);
}

void map_deinit(struct map *map)
{
	free(map->slots);
	*map = (struct map){ 0 };
}
