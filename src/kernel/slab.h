/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Slab caches and their objects: SLUB, with per-CPU freelists or sheaves (6.18), and SLAB.
 *
 * In: the session. Out: caches, slabs, objects with their state. An object is named by the address
 * that its user sees (behind the left red zone). Slabs are found through the array of struct page,
 * so full ones too. All pointers live as long as the session.
 */
#pragma once

#include "kernel/session.h"

enum slab_allocator { ALLOCATOR_NONE, ALLOCATOR_SLUB, ALLOCATOR_SLAB };
enum slab_allocator slab_allocator(struct session *s);

struct slab_cache {
	uint64_t address;         /* of the kmem_cache */
	const char *name;         /* as /proc/slabinfo has it */
	const char *aliases;      /* names merged into it, comma-separated, as far as sysfs objects
				     in memory tell; "" */
	unsigned object_size;     /* what the user asked for */
	unsigned size;            /* stride of objects in a slab, padding and debug data included */
	unsigned inuse;           /* SLUB: where the metadata begins (freelist pointer or track) */
	unsigned free_offset;     /* SLUB: of the freelist pointer in a free object */
	unsigned red_left;        /* bytes before the object: left red zone */
	unsigned align;
	unsigned order, objects_per_slab;         /* of its slabs as a rule: 1 << order pages */
	unsigned min_order, min_objects_per_slab; /* SLUB: when memory was short */
	unsigned useroffset, usersize;
	uint64_t flags;           /* SLAB_... of the kernel that died */
	bool keeps_size;          /* of each object, what kmalloc() was asked for */
	bool red_zone, poison, store_user, hardened, has_ctor, rcu;  /* what flags and types say */
	uint64_t random;          /* hardened freelists: kmem_cache.random */
	uint64_t ctor;
	uint64_t root;            /* up to 5.8: the kmem_cache that this is a memory cgroup's
				     copy of; else 0 */
};

/* All caches in list order. NULL and 0 when there are none to be found (a problem is noted). */
const struct slab_cache *slab_caches(struct session *s, size_t *count);
const struct slab_cache *slab_cache_by_address(struct session *s, uint64_t kmem_cache);
/* By name or alias. */
const struct slab_cache *slab_cache_by_name(struct session *s, const char *name);

enum slab_place {
	SLAB_PLACE_UNKNOWN,
	SLAB_PLACE_CPU,         /* the one that @cpu allocates from */
	SLAB_PLACE_CPU_PARTIAL, /* on @cpu's partial list */
	SLAB_PLACE_NODE_PARTIAL,
	SLAB_PLACE_FULL,
	SLAB_PLACE_DYING,       /* SLAB_TYPESAFE_BY_RCU: given up, waits for a grace period */
	SLAB_PLACE_COUNT,
};

struct slab {
	const struct slab_cache *cache;
	uint64_t page;     /* struct slab / struct page */
	uint64_t start;    /* of its memory, in the direct map */
	uint64_t size;     /* bytes */
	uint64_t first;    /* start of the first object's stride: behind it the left red zone */
	unsigned objects;  /* as the slab itself counts */
	unsigned count;    /* objects that are laid out: @objects, unless that is damaged */
	unsigned inuse;    /* as the slab counts; for a CPU's slab the kernel keeps it at @objects */
	uint64_t freelist; /* SLUB: head of the slab's own list; 0: empty */
	uint64_t cpu_freelist; /* SLUB: of the CPU that allocates from it; 0: empty or no CPU's */
	bool frozen;
	enum slab_place place;
	int cpu, node;     /* -1: none, unknown */
};

enum object_state {
	OBJECT_UNKNOWN,    /* what would tell is not in the dump or is damaged */
	OBJECT_ALLOCATED,
	OBJECT_FREE,       /* on the slab's freelist */
	OBJECT_FREE_CPU,   /* on a CPU's freelist, or in a sheaf (free for users all the same) */
	OBJECT_PADDING,    /* no object: red zone before the first, or behind the last one */
};

struct slab_object {
	struct slab slab;
	uint64_t address;  /* what kmalloc() returned */
	unsigned index;
	enum object_state state;
	int cpu;           /* OBJECT_FREE_CPU: whose; else -1 */
	uint64_t offset;   /* of the address asked about from @address; may be "negative" in a left
			      red zone, then in_redzone */
	bool in_metadata;  /* the address asked about is behind object_size: red zone, track ... */
	bool in_redzone;   /* ... or before the object */
	bool kfence;       /* the object is in KFENCE's pool: slab.page is then 0 */
	unsigned kfence_size;   /* what was asked for */
	uint64_t kfence_record; /* its struct kfence_metadata */
};

/* The slab object that @address lies in; false when it is in none. Cheap: the freelists of a slab
 * are decoded once and kept. Thread-safe after slab_prepare(). */
bool slab_object_at(struct session *s, uint64_t address, struct slab_object *object);
/*
 * SLUB: the word where the object would have its freelist pointer, read as one. False when that
 * leads neither to an object of the same slab nor (@next 0) to the end of the list.
 */
bool slab_free_link(struct session *s, const struct slab_object *object, uint64_t *next);
/* Fills all that look-ups by slab_object_at() share (caches, CPU freelists, sheaves). */
void slab_prepare(struct session *s);

/*
 * Where a kmem_cache has its pointers to struct kmem_cache_node: .node[], or since 7.0
 * .per_node[].node. Bytes from its start to the first one, and from one to the next. False: this
 * kernel's are not known.
 */
bool slab_node_pointers(struct session *s, uint64_t *offset, uint64_t *stride);

/* Every slab of @cache (NULL: of all caches), by address; one pass over the page array for all.
 * @slab stays valid as long as the session. */
typedef bool (*slab_fn)(void *ctx, const struct slab *slab);
void slab_each(struct session *s, const struct slab_cache *cache, slab_fn fn, void *ctx);
/* Every object of @slab with its state, in order of address. */
typedef bool (*slab_object_fn)(void *ctx, const struct slab_object *object);
void slab_objects(struct session *s, const struct slab *slab, slab_object_fn fn, void *ctx);

struct slab_totals {
	uint64_t slabs, bytes, objects;
	uint64_t allocated; /* objects in use; those that CPUs keep on their lists are not */
	uint64_t active;    /* as /proc/slabinfo counts: SLUB takes all objects of slabs that are on
			       no node's partial list as active */
	uint64_t place[SLAB_PLACE_COUNT]; /* slabs, by where they are */
};
/* Slabs that are dying are in place[] only, as the kernel does not count them any more. */
void slab_totals(struct session *s, const struct slab_cache *cache, struct slab_totals *totals);

/* SLAB_STORE_USER: who allocated and who freed it last. */
enum { SLAB_TRACK_FRAMES = 64 };
struct slab_track {
	uint64_t caller;
	int cpu;
	int32_t pid;
	uint64_t when;       /* jiffies; 0 for KFENCE */
	uint64_t when_ns;    /* KFENCE: as the log counts; 0 for others */
	uint64_t frames[SLAB_TRACK_FRAMES];  /* from stackdepot, or struct track itself */
	unsigned frame_count;
};
bool slab_track(struct session *s, const struct slab_object *object, bool freed,
		struct slab_track *track);
/* What the user asked kmalloc() for (slub_debug=U, 6.1+), of KFENCE any size; 0: not kept. */
unsigned slab_orig_size(struct session *s, const struct slab_object *object);
