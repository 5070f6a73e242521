// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The caches: each struct kmem_cache is on the list slab_caches (mm/slab_common.c). SLUB's has
 * `oo`, the usual order and number of objects of its slabs in one word; SLAB's has `num` and
 * `gfporder`.
 *
 * What the flags are called is in an enum since 6.9 (enum _slab_flag_bits, include/linux/slab.h);
 * before, they were macros, whose values are below and did not change from 3.x to 6.8.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/field.h"
#include "kernel/slab_state.h"

enum {
	NAME_SIZE = 256,
	OBJECT_SIZE_MAX = 32 << 20, /* KMALLOC_MAX_SIZE of any kernel, and more */
};

/* include/linux/slab.h of 6.8. */
static const struct {
	const char *enumerator;
	uint64_t before;
	size_t offset; /* of a bool in struct slab_cache */
} flags[] = {
	{ "_SLAB_RED_ZONE", 0x400, offsetof(struct slab_cache, red_zone) },
	{ "_SLAB_POISON", 0x800, offsetof(struct slab_cache, poison) },
	{ "_SLAB_STORE_USER", 0x10000, offsetof(struct slab_cache, store_user) },
	/* kmalloc's caches. Since 5.18; before that bit had no meaning. */
	{ "_SLAB_KMALLOC", 0x1000, offsetof(struct slab_cache, keeps_size) },
	{ "_SLAB_TYPESAFE_BY_RCU", 0x80000, offsetof(struct slab_cache, rcu) },
};

/* Members of kmem_cache, and where their values go: 4 bytes (unsigned) or 8. */
static const struct {
	const char *names;
	size_t offset;
	bool wide;
} members[] = {
#define MEMBER(names, field, wide) { names, offsetof(struct slab_cache, field), wide }
	MEMBER("object_size|objsize", object_size, false),
	MEMBER("size|buffer_size", size, false),
	MEMBER("inuse", inuse, false),
	MEMBER("offset", free_offset, false),
	MEMBER("red_left_pad|obj_offset", red_left, false),
	MEMBER("align", align, false),
	MEMBER("useroffset", useroffset, false),
	MEMBER("usersize", usersize, false),
	MEMBER("flags", flags, true),
	MEMBER("random", random, true),
	MEMBER("ctor", ctor, true),
	MEMBER("memcg_params.root_cache", root, true),
	/* SLAB */
	MEMBER("num", objects_per_slab, false),
	MEMBER("gfporder", order, false),
#undef MEMBER
};

struct cache_reader {
	struct slab_state *state;
	struct field member[array_size(members)];
	struct field oo, min;
	uint64_t mask[array_size(flags)];
};

static void store(struct slab_cache *cache, size_t i, uint64_t value)
{
	uint8_t *at = (uint8_t *)cache + members[i].offset;
	unsigned narrow = value <= UINT32_MAX ? (unsigned)value : 0;

	if (members[i].wide)
		memcpy(at, &value, sizeof(value));
	else
		memcpy(at, &narrow, sizeof(narrow));
}

static void split_oo(uint64_t x, unsigned *order, unsigned *objects)
{
	*order = (unsigned)(x >> OO_SHIFT & 0xffff);
	*objects = (unsigned)(x & ((1 << OO_SHIFT) - 1));
	if (*order > SLAB_ORDER_MAX)
		*order = *objects = 0;
}

static bool is_sane(const struct slab_cache *cache)
{
	return cache->size && cache->size <= OBJECT_SIZE_MAX && cache->object_size <= cache->size &&
	       cache->red_left < cache->size && cache->free_offset < cache->size &&
	       cache->order <= SLAB_ORDER_MAX && cache->objects_per_slab <= OBJECTS_MAX;
}

void slab_add_cache(struct cache_reader *reader, uint64_t address, bool told)
{
	struct slab_state *state = reader->state;
	struct session *s = state->session;
	struct slab_cache cache = { .address = address, .aliases = "" };
	char name[NAME_SIZE];
	uint64_t value;
	bool read = true;

	for (size_t i = 0; i < array_size(members); i++) {
		if (!reader->member[i].known)
			continue;
		read &= field_read(s, address, &reader->member[i], &value);
		store(&cache, i, value);
	}
	if (reader->oo.known) {
		read &= field_read(s, address, &reader->oo, &value);
		split_oo(value, &cache.order, &cache.objects_per_slab);
	}
	if (reader->min.known) {
		read &= field_read(s, address, &reader->min, &value);
		split_oo(value, &cache.min_order, &cache.min_objects_per_slab);
	}
	if (!read) {
		if (told)
			session_problem(s, "the slab cache at %016lx is not in the dump",
					(unsigned long)address);
		return;
	}
	bool named = kread_string(s, address, "kmem_cache", "name", name, sizeof(name)) && name[0];
	cache.name = named ? arena_strdup(&s->arena, name) : "?";
	if (!is_sane(&cache)) {
		if (told)
			session_problem(s, "the slab cache at %016lx (%s) is damaged: sizes that "
					"cannot be", (unsigned long)address, cache.name);
		return;
	}
	for (size_t i = 0; i < array_size(flags); i++)
		*(bool *)((uint8_t *)&cache + flags[i].offset) = cache.flags & reader->mask[i];
	cache.keeps_size &= cache.store_user;
	cache.has_ctor = cache.ctor != 0;
	cache.hardened = types_member(s->types, "kmem_cache", "random", &(struct member){ 0 });
	if (!map_get(&state->by_address, address, &value)) {
		map_set(&state->by_address, address, state->caches.count);
		vec_push(&state->caches, cache);
	}
}

static bool add_listed(void *ctx, uint64_t address)
{
	slab_add_cache(ctx, address, true);
	return true;
}

static void prepare(struct cache_reader *reader, struct slab_state *state)
{
	struct session *s = state->session;
	int64_t bit;
	/* Asking for names that the kernel's types lack would load those of all modules. */
	bool has_names = types_sizeof(s->types, "enum _slab_flag_bits") != 0;

	*reader = (struct cache_reader){ .state = state };
	for (size_t i = 0; i < array_size(members); i++)
		reader->member[i] = field_find(s, "kmem_cache", members[i].names);
	reader->oo = field_find(s, "kmem_cache", "oo.x");
	reader->min = field_find(s, "kmem_cache", "min.x");
	for (size_t i = 0; i < array_size(flags); i++) {
		bool known = has_names && types_enumerator(s->types, flags[i].enumerator, &bit);
		reader->mask[i] = known && bit >= 0 && bit < 64 ? UINT64_C(1) << bit
								: flags[i].before;
	}
}

/* Did the walk from @head arrive at the last entry? */
static bool is_whole(const struct slab_state *state, uint64_t head)
{
	struct session *s = state->session;
	uint64_t last, offset;

	if (!state->caches.count || !koffset(s, "kmem_cache", "list", &offset) ||
	    memory_u64(s->memory, head + sizeof(last), &last) != READ_OK)
		return false;
	return state->caches.data[state->caches.count - 1].address + offset == last;
}

/* The list has a hole: every slab names its cache, too. Those without slabs stay lost. */
static void add_those_of_pages(struct cache_reader *reader)
{
	struct session *s = reader->state->session;
	size_t listed = reader->state->caches.count;
	struct map found = { 0 };

	slab_caches_of_pages(reader->state, &found);
	for (size_t i = 0; i < found.capacity; i++) {
		if (found.slots[i].used)
			slab_add_cache(reader, found.slots[i].key, false);
	}
	map_deinit(&found);
	if (reader->state->caches.count > listed)
		session_problem(s, "%zu slab caches were found by their slabs only: those without "
				"any are missing", reader->state->caches.count - listed);
}

void slab_read_caches(struct slab_state *state)
{
	struct session *s = state->session;
	struct cache_reader reader;
	uint64_t head = s->symbols ? symbols_address(s->symbols, "slab_caches") : 0;

	prepare(&reader, state);
	if (!reader.member[1].known) {
		session_problem(s, "slab caches: the types do not have struct kmem_cache");
		return;
	}
	if (!head) {
		session_problem(s, "slab caches: no symbol slab_caches");
		return;
	}
	state->allocator = reader.oo.known ? ALLOCATOR_SLUB : ALLOCATOR_SLAB;
	klist_each(s, head, "kmem_cache", "list", "the list of slab caches", add_listed, &reader);
	if (!is_whole(state, head))
		add_those_of_pages(&reader);
	if (!state->caches.count)
		state->allocator = ALLOCATOR_NONE;
}

bool slab_node_pointers(struct session *s, uint64_t *offset, uint64_t *stride)
{
	uint64_t in_element;

	*stride = sizeof(uint64_t);
	if (koffset(s, "kmem_cache", "node", offset))
		return true;
	*stride = types_sizeof(s->types, "kmem_cache_per_node_ptrs");
	if (!koffset(s, "kmem_cache", "per_node", offset) ||
	    !koffset(s, "kmem_cache_per_node_ptrs", "node", &in_element))
		return false;
	*offset += in_element;
	return *stride >= sizeof(uint64_t);
}
