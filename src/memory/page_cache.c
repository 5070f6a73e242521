// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A set-associative cache of page frames: SETS sets of WAYS pages, each set with a lock of its own,
 * so that threads that read different pages seldom meet. The oldest page of a set goes first.
 * Stored pages stay in the file map and only their place is remembered; decompressed ones lie in
 * the slot's buffer. Buffers are touched only when used: a short run stays small.
 */
#include "memory/page_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { SETS = 512, WAYS = 4 };

#define NO_PFN UINT64_MAX

struct slot {
	uint64_t pfn;
	struct dump_page page;
};

struct set {
	pthread_mutex_t lock;
	unsigned next; /* the way to be replaced next */
	struct slot slot[WAYS];
};

struct page_cache {
	const struct dump *dump;
	uint8_t *buffers; /* SETS * WAYS pages */
	struct set set[SETS];
};

struct page_cache *page_cache_create(const struct dump *dump)
{
	struct page_cache *cache = xmalloc(sizeof(*cache));

	cache->dump = dump;
	cache->buffers = xmalloc((size_t)SETS * WAYS * PAGE_SIZE);
	for (size_t i = 0; i < SETS; i++)
		pthread_mutex_init(&cache->set[i].lock, NULL);
	page_cache_forget(cache);
	return cache;
}

void page_cache_forget(struct page_cache *cache)
{
	for (size_t i = 0; i < SETS; i++) {
		cache->set[i].next = 0;
		for (size_t w = 0; w < WAYS; w++)
			cache->set[i].slot[w].pfn = NO_PFN;
	}
}

void page_cache_destroy(struct page_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < SETS; i++)
		pthread_mutex_destroy(&cache->set[i].lock);
	free(cache->buffers);
	free(cache);
}

static enum read_status load(struct page_cache *cache, size_t index, uint64_t pfn,
			     const struct slot **found)
{
	struct set *set = &cache->set[index];

	for (size_t w = 0; w < WAYS; w++) {
		if (set->slot[w].pfn == pfn) {
			*found = &set->slot[w];
			return READ_OK;
		}
	}
	unsigned way = set->next;
	struct slot *slot = &set->slot[way];
	slot->pfn = NO_PFN;
	enum read_status status = dump_read_page(
		cache->dump, pfn, cache->buffers + (index * WAYS + way) * PAGE_SIZE, &slot->page);
	if (status != READ_OK)
		return status;
	slot->pfn = pfn;
	set->next = (way + 1) % WAYS;
	*found = slot;
	return READ_OK;
}

enum read_status page_cache_read(struct page_cache *cache, uint64_t pfn, unsigned offset, void *buf,
				 size_t size)
{
	size_t index = (size_t)(pfn ^ pfn >> 9) % SETS;
	struct set *set = &cache->set[index];
	const struct slot *slot;

	pthread_mutex_lock(&set->lock);
	enum read_status status = load(cache, index, pfn, &slot);
	if (status == READ_OK) {
		if (offset < slot->page.from || offset + size > slot->page.to)
			status = READ_UNMAPPED;
		else
			memcpy(buf, slot->page.data + offset, size);
	}
	pthread_mutex_unlock(&set->lock);
	return status;
}
