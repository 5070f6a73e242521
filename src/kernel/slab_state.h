/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the slab files share: the caches, slabs and free objects of a session. Private to kernel/. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/vec.h"
#include "kernel/slab.h"

enum {
	OBJECTS_MAX = 32767,  /* slab.objects has 15 bits */
	SLAB_ORDER_MAX = 10,  /* the largest block that the page allocator gives by default */
	STRUCT_PAGE_MAX = 256,
	OO_SHIFT = 16,        /* mm/slub.c: order above, number of objects below */
};

/* How a struct page says that it is (the head of) a slab; see slab_pages.c. */
struct slab_mark {
	enum { MARK_NONE, MARK_FLAG, MARK_TYPE, MARK_TYPE_BIT } kind;
	uint64_t offset; /* of page.flags or page.page_type */
	uint32_t value;  /* the bit's mask, or the type */
};

/* Where things are in struct slab (struct page before 5.17). */
struct slab_layout {
	const char *type;
	struct slab_mark mark;
	uint64_t page_size; /* sizeof(struct page) */
	struct member cache, freelist, inuse, objects, frozen, next;
	struct member s_mem, active; /* SLAB */
	struct member rcu_func;
	uint64_t rcu_free_slab; /* what rcu_func is in a slab that is dying; 0 unknown */
	bool has_frozen, has_next, has_s_mem;
	unsigned index_size; /* SLAB: sizeof(freelist_idx_t); 0 unknown */
};

/* A slab, and the states of its objects as soon as somebody asked for them. */
struct slab_record {
	struct slab slab;
	_Atomic(uint8_t *) states; /* enum object_state of each, slab.count of them */
};

struct cpu_slab {
	uint64_t page, freelist;
	int cpu;
	enum slab_place place;
};

struct kfence_pool {
	uint64_t start, metadata;
	uint64_t count; /* objects */
};

struct slab_state {
	struct session *session;
	enum slab_allocator allocator;
	struct {
		vec_fields(struct slab_cache);
	} caches;
	struct map by_address; /* kmem_cache -> index into caches */
	bool has_aliases;

	bool has_cpus;         /* the next three are filled */
	struct {
		vec_fields(struct cpu_slab);
	} cpu_slabs;
	struct map cpu_slab_by_page; /* -> index */
	struct map sheaf_objects;    /* address of a free object -> CPU + 1, 0: no CPU's */
	struct map sheaf_caches;     /* caches that have such -> how many */

	bool has_layout, layout_usable;
	struct slab_layout layout;
	bool has_kfence;
	struct kfence_pool kfence;

	/* Slabs that were looked at one by one, without the pass over all pages. */
	pthread_mutex_t lock;        /* of the next two */
	struct map lone_by_page;     /* head page -> index */
	struct {
		vec_fields(struct slab_record *);
	} lone;

	bool has_index;
	struct slab_record *records; /* sorted by start */
	size_t record_count;
	size_t *by_cache;            /* indices into records, in groups; see cache_first */
	size_t *cache_first;         /* of each cache in by_cache; one more than caches */
};

struct slab_state *slab_state(struct session *s);

/* slab_caches.c */
void slab_read_caches(struct slab_state *state);
/* Adds the kmem_cache at @address unless it is known, damaged or not in the dump; says so when
 * @told. */
struct cache_reader;
void slab_add_cache(struct cache_reader *reader, uint64_t address, bool told);
/* slab_alias.c: fills in slab_cache.aliases. */
void slab_read_aliases(struct slab_state *state);
/* slab_cpus.c */
void slab_read_cpus(struct slab_state *state);
/* slab_pages.c: false when no slab can be found. */
bool slab_find_layout(struct slab_state *state);
void slab_build_index(struct slab_state *state);
/* The addresses of caches that slabs name, each once. */
void slab_caches_of_pages(struct slab_state *state, struct map *caches);
struct slab_record *slab_record_at(struct slab_state *state, uint64_t address);
/* slab_free.c: the states of its objects; NULL for a slab without any. */
const uint8_t *slab_states(struct slab_state *state, struct slab_record *record);
/* slab_kfence.c */
const struct kfence_pool *slab_kfence(struct slab_state *state);
bool slab_kfence_object(struct slab_state *state, uint64_t address, struct slab_object *object);
