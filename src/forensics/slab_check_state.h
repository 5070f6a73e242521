/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the slab check share. Private to them. */
#pragma once

#include <stdatomic.h>

#include "base/map.h"
#include "base/vec.h"
#include "forensics/slab_check.h"

enum {
	SLAB_BYTES_MAX = 1 << 22, /* no slab is larger: order 10 */
	DAMAGES_MAX = 1000,       /* of one kind by one thread; the others are counted */
	/* mm/slub.c and include/linux/poison.h */
	RED_INACTIVE = 0xbb,
	RED_ACTIVE = 0xcc,
	POISON_INUSE_BYTE = 0x5a,
	POISON_FREE_BYTE = 0x6b,
	POISON_END_BYTE = 0xa5,
};

/* A CPU that was inside the allocator, and every word that it had in registers and on its stack. */
struct busy_cpu {
	int cpu;
	bool builds_slab; /* in the code that lays out a new slab */
	struct {
		vec_fields(uint64_t);
	} words;
};

struct busy_cpus {
	vec_fields(struct busy_cpu);
};

/* Bytes of known value, by kind: compared at so many places, wrong at so many. */
struct tally {
	uint64_t places, bad;
};

struct check_worker {
	struct {
		vec_fields(struct slab_damage);
	} damages;
	size_t of_kind[DAMAGE_KIND_COUNT];
	struct tally tally[DAMAGE_KIND_COUNT];
	size_t left_out;
	uint64_t objects, bytes, holes;
	uint8_t *memory, *seen;
	size_t memory_size, seen_size;
};

/* Places in structures; a path that the kernel lacks is not has_... */
struct check_layout {
	const char *slab; /* name of struct slab, or what it was before */
	uint64_t list, cache, freelist, counters, page_size, track_size;
	bool has_list;
	bool swapped_keys; /* hardened freelists: see decode() */
	uint64_t kmalloc_flag; /* in kmem_cache.flags */
	bool has_kasan;
	struct member obj_exts;
	bool has_obj_exts;
};

struct checker {
	struct session *session;
	struct check_layout layout;
	struct {
		vec_fields(struct slab);
	} slabs;
	struct map by_page;     /* address of struct slab -> index into slabs */
	struct map on_list;     /* the same, of those on a node's partial list */
	struct map strange;     /* slabs that are known to be on the wrong cache's list */
	struct map broken_lists; /* address of caches with a partial list that cannot be followed */
	bool lists_known;
	struct busy_cpus busy;
	struct check_worker *workers;
	unsigned worker_count;
};

/* A damage to fill in; NULL when there are too many of its kind. @slab may be NULL. */
struct slab_damage *damage_add(struct check_worker *worker, enum slab_damage_kind kind,
			       const struct slab_cache *cache, const struct slab *slab);
/* Sets what is to be seen at its address, out of the dump. */
void damage_read(struct checker *checker, struct slab_damage *damage, uint64_t length);

/* slab_check.c. check_add_slab() fits slab_fn. */
bool check_add_slab(void *checker, const struct slab *slab);
void check_find_layout(struct checker *checker);
void check_collect(struct checker *checker, struct slab_check *check);
void check_deinit(struct checker *checker);
/* slab_check_slab.c: one slab; from any thread. */
void check_slab(struct checker *checker, struct check_worker *worker, const struct slab *slab);
/* slab_check_lists.c: the lists of slabs of one cache. */
void check_lists(struct checker *checker, struct check_worker *worker,
		 const struct slab_cache *cache);
/* slab_check_busy.c */
void busy_find(struct session *s, struct busy_cpus *busy);
/* Adds @task, if it was inside the allocator. */
void busy_find_task(struct session *s, const struct task *task, int cpu, struct busy_cpus *all);
void busy_deinit(struct busy_cpus *busy);
/* Which CPU had an address in [start, start + size) in hand; -1 none. */
int busy_with(const struct busy_cpus *busy, uint64_t start, uint64_t size);
/* The CPU that was laying out this slab; -1 none. */
int busy_building(const struct busy_cpus *busy, const struct slab *slab);
