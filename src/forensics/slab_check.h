/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is the slab allocator's own data in order? Every slab of every cache is looked at: the lists that
 * lead to it, its freelist, its counters, and with slub_debug the bytes around and in its objects,
 * which have known values.
 *
 * In: the session. Out: damages, each with the first wrong byte, what is there, and what should be.
 * A CPU that was inside the allocator when the machine died leaves counters and lists half updated:
 * what such a CPU had in hand is marked (@busy_cpu) and no damage.
 */
#pragma once

#include "kernel/slab.h"
#include "kernel/tasks.h"

enum slab_damage_kind {
	DAMAGE_FREELIST_OUTSIDE,    /* a freelist pointer into no object of any slab */
	DAMAGE_FREELIST_MISALIGNED, /* into the slab, but not at an object's start */
	DAMAGE_FREELIST_FOREIGN,    /* to an object of another slab */
	DAMAGE_FREELIST_LOOP,       /* back into the list */
	DAMAGE_DOUBLE_FREE,         /* the same, and the slab's counter says that it was freed */
	DAMAGE_INUSE_COUNT,         /* objects in use: counter and freelist differ */
	DAMAGE_OBJECT_COUNT,        /* objects in the slab: counter and sizes differ */
	DAMAGE_RED_ZONE_LEFT,
	DAMAGE_RED_ZONE_RIGHT,
	DAMAGE_KMALLOC_RED_ZONE,    /* behind what was asked for, inside the object */
	DAMAGE_POISON,              /* written to after it was freed */
	DAMAGE_OBJECT_PADDING,
	DAMAGE_SLAB_PADDING,
	DAMAGE_STATE,               /* red zones of a free object that is on no freelist, or so */
	DAMAGE_TRACK,               /* freed by someone, allocated by no one */
	DAMAGE_WRONG_CACHE,         /* the slab says that it belongs to another cache than its list */
	DAMAGE_PARTIAL_LIST,        /* a node's list of partial slabs is broken */
	DAMAGE_PARTIAL_COUNT,
	DAMAGE_CPU_SLAB,            /* what a CPU allocates from is no slab of the cache */
	DAMAGE_LOST_SLAB,           /* free objects, but on no list */
	DAMAGE_KIND_COUNT,
};

enum { DAMAGE_BYTES = 64 };

struct slab_damage {
	enum slab_damage_kind kind;
	const struct slab_cache *cache;
	struct slab slab;     /* page is 0 when the damage is in no slab */
	uint64_t object;      /* whose; 0 none */
	uint64_t address;     /* of the first wrong byte */
	uint64_t length;      /* from the first to the last wrong byte */
	uint8_t found[DAMAGE_BYTES];
	uint8_t found_count;
	bool is_fill;         /* each byte should be @expected; else nothing is said but @text */
	uint8_t expected;
	bool by_list;         /* @freed: the object is on a freelist */
	bool freed;
	int busy_cpu;         /* no damage: this CPU was changing it when the machine died; -1 */
	char text[200];       /* one sentence without a stop */
};

struct slab_check {
	struct slab_damage *damages; /* by cache, slab and address */
	size_t count;
	size_t left_out;             /* further ones, of kinds of which there are thousands */
	uint64_t slabs, objects;     /* looked at */
	uint64_t bytes;              /* of known value, compared */
	uint64_t caches, debug_caches;
	uint64_t holes;              /* slabs that are not in the dump */
	const char *not_checked;     /* a kind of check that this kernel's layout makes impossible */
	bool stopped;
};

/*
 * Checks @caches, or all when @count is 0. @check is filled; free with slab_check_deinit(). False
 * when this allocator cannot be checked (SLAB, or no caches are known).
 */
bool slab_check(struct session *s, const struct slab_cache *const *caches, size_t count,
		struct slab_check *check);
void slab_check_deinit(struct slab_check *check);
/*
 * The same for what a task had in hand that was stopped inside the allocator: the slabs of its
 * registers and stack, and what the CPUs allocate from of the caches there. No lists are followed,
 * and no pass over all memory is made: costs milliseconds. False: it was not inside.
 */
bool slab_check_at_hand(struct session *s, const struct task *task, struct slab_check *check);

/* Is this a function of the allocator that changes slabs? */
bool slab_check_is_allocator(const char *function);
const char *slab_damage_name(enum slab_damage_kind kind); /* "red-zone-right" ... */
