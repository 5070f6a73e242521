/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hash maps with open addressing: from 64-bit numbers or from strings to a pointer-sized value.
 * Zero-initialise. Keys of a string map are borrowed: they must outlive the map (arena, string
 * table of a mapped file).
 */
#pragma once

#include "base/compiler.h"

struct map_slot {
	uint64_t key; /* the number, or the hash of the string */
	const char *name;
	uint64_t value;
	bool used;
};

struct map {
	struct map_slot *slots;
	size_t count;
	size_t capacity; /* a power of two, or 0 */
};

/* Sets @key to @value; false when it was there already (the value is then replaced). */
bool map_set(struct map *map, uint64_t key, uint64_t value);
bool map_get(const struct map *map, uint64_t key, uint64_t *value);
/* The same with string keys; a map is used with one kind of key only. */
bool map_set_name(struct map *map, const char *name, uint64_t value);
bool map_get_name(const struct map *map, const char *name, uint64_t *value);
/* Makes room for @count keys at once. */
void map_reserve(struct map *map, size_t count);
void map_deinit(struct map *map);
