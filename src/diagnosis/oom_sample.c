// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Objects of one kind look alike: each holds, at the same place, a pointer to the table of its
 * methods, its type, or the list that it hangs on. So the objects of a general cache (kmalloc-1k),
 * or pages that nobody owns, tell whose they are when most of a sample of them hold a pointer to
 * the same symbol at the same offset. Where the allocator keeps who allocated (slub_debug=U), that
 * is taken instead.
 *
 * The sample is spread: what is allocated first is of boot, not of the leak.
 */
#include <string.h>

#include "base/vec.h"
#include "diagnosis/oom.h"
#include "kernel/pages.h"
#include "kernel/slab.h"
#include "kernel/vmalloc.h"

enum {
	SAMPLES = 96,
	SAMPLES_MIN = 16,
	SAMPLE_BYTES = 256,     /* of each object are looked at */
	PROBES = 256,           /* places where pages are looked for */
	PROBE_PAGES = 64,
	SLABS_STEP = 1 << 10,   /* pages between two slabs that are looked at */
	AGREE_PERCENT = 75,
};

/* One offset and symbol that an object pointed to. */
struct vote {
	uint64_t symbol;
	uint64_t value, object;
	unsigned offset, count;
};

struct votes {
	const struct facts *facts;
	unsigned looked_at;
	vec_fields(struct vote);
};

static void vote(struct votes *votes, unsigned offset, uint64_t symbol, uint64_t value,
		 uint64_t object)
{
	vec_for_each(v, votes) {
		if (v->offset == offset && v->symbol == symbol) {
			v->count++;
			return;
		}
	}
	struct vote first = { .symbol = symbol, .value = value, .object = object,
			      .offset = offset, .count = 1 };
	vec_push(votes, first);
}

static void look_at(struct votes *votes, uint64_t object, size_t size)
{
	struct session *s = votes->facts->session;
	uint64_t words[SAMPLE_BYTES / 8];
	struct symbol sym;

	size = size < sizeof(words) ? size & ~(size_t)7 : sizeof(words);
	if (memory_read(s->memory, object, words, size) != READ_OK)
		return;
	votes->looked_at++;
	for (unsigned i = 0; i < size / 8; i++) {
		/* Kernel image and modules are at the top of the address space. */
		if (words[i] >> 31 == UINT64_MAX >> 31 &&
		    symbols_by_address(s->symbols, words[i], &sym))
			vote(votes, i * 8, sym.address, words[i], object);
	}
}

static void look_at_track(struct votes *votes, const struct slab_object *object)
{
	struct slab_track track;
	struct symbol sym;

	if (!slab_track(votes->facts->session, object, false, &track) || !track.caller)
		return;
	votes->looked_at++;
	if (symbols_by_address(votes->facts->session->symbols, track.caller - 1, &sym))
		vote(votes, 0, sym.address, track.caller, object->address);
}

/* --- Objects of a cache. --- */

struct slab_sample {
	struct votes *votes;
	const struct slab_cache *cache;
	unsigned of_slab; /* objects of this slab so far */
	bool found;
};

static bool sample_object(void *ctx, const struct slab_object *object)
{
	struct slab_sample *sample = ctx;

	if (object->state != OBJECT_ALLOCATED)
		return true;
	if (sample->cache->store_user)
		look_at_track(sample->votes, object);
	else
		look_at(sample->votes, object->address, sample->cache->object_size);
	return ++sample->of_slab < 4;
}

static bool sample_page(void *ctx, const struct page_info *info)
{
	struct slab_sample *sample = ctx;
	struct session *s = sample->votes->facts->session;
	struct slab_object object;

	if (info->kind != PAGE_KIND_SLAB || info->owner != sample->cache->address)
		return true;
	sample->of_slab = 0;
	uint64_t at = direct_map_of(s, (struct paddr){ info->head_pfn << PAGE_SHIFT });
	if (at && slab_object_at(s, at + sample->cache->red_left, &object))
		slab_objects(s, &object.slab, sample_object, sample);
	sample->found = true;
	return false;
}

/* --- Pages that nobody counts. --- */

static bool sample_uncounted(void *ctx, const struct page_info *info)
{
	struct slab_sample *sample = ctx;
	struct session *s = sample->votes->facts->session;
	uint64_t vaddr;

	if (info->kind != PAGE_KIND_UNKNOWN || info->refcount <= 0 ||
	    vmalloc_area_of_pfn(s, info->pfn, &vaddr))
		return true;
	uint64_t at = direct_map_of(s, (struct paddr){ info->pfn << PAGE_SHIFT });
	if (at)
		look_at(sample->votes, at, PAGE_SIZE);
	sample->found = true;
	return false;
}

static bool elect(struct votes *votes, struct oom_sample *result)
{
	const struct vote *best = NULL;

	vec_for_each(v, votes) {
		if (!best || v->count > best->count)
			best = v;
	}
	if (!best || votes->looked_at < SAMPLES_MIN ||
	    best->count * 100 < votes->looked_at * AGREE_PERCENT)
		return false;
	result->looked_at = votes->looked_at;
	result->agree = best->count;
	result->offset = best->offset;
	result->value = best->value;
	result->example = best->object;
	return symbols_by_address(votes->facts->session->symbols, best->value, &result->symbol);
}

bool oom_sample_objects(const struct facts *facts, uint64_t cache, struct oom_sample *result)
{
	struct session *s = facts->session;
	struct votes votes = { .facts = facts };
	struct slab_sample sample = {
		.votes = &votes,
		.cache = cache ? slab_cache_by_address(s, cache) : NULL,
	};
	const struct page_array *pages = page_array(s);

	*result = (struct oom_sample){ 0 };
	if (!pages->valid || (cache && !sample.cache))
		return false;
	uint64_t step = pages->max_pfn / PROBES + 1;
	for (uint64_t pfn = 0; pfn < pages->max_pfn && votes.looked_at < SAMPLES; pfn += step)
		pages_range(s, pfn, pfn + min_u64(step, PROBE_PAGES),
			    cache ? sample_page : sample_uncounted, &sample);
	bool agreed = elect(&votes, result);
	result->by_track = sample.cache && sample.cache->store_user;
	vec_deinit(&votes);
	return agreed;
}
