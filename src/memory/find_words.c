// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: almost no block of memory has a hit, so the question that must be fast is
 * "is there one in these 512 bytes?": a loop without branches that compilers turn into vector
 * instructions, run against a few hulls, each around a group of neighbouring ranges. Blocks that
 * have one are gone through word by word, each word being looked up among the sorted ranges.
 *
 * A word w is in [start, start + size) when w - start < size in unsigned arithmetic.
 */
#include "memory/find_words.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/bytes.h"

enum { BLOCK_BYTES = 512, HULLS_MAX = 4 };

struct numbered_range {
	struct word_range range;
	size_t number; /* in the query */
};

/* Values from start to start + span; the span and not a size, as all of 2^64 must fit. */
struct hull {
	uint64_t start, span;
};

typedef bool (*block_fn)(const uint8_t *p, uint64_t keep, const struct hull *hull);

struct word_finder {
	struct numbered_range *sorted; /* by start */
	size_t count;
	uint64_t reach; /* size of the largest range */
	struct hull hull[HULLS_MAX]; /* in order of start */
	unsigned hulls;
	uint64_t keep;  /* the bits that count */
	unsigned width;
	block_fn block;
};

/* Is a word of the block in the hull? */
#define DEFINE_BLOCK(name, type, load, attribute)                                            \
	attribute static bool name(const uint8_t *p, uint64_t keep, const struct hull *hull) \
	{                                                                                    \
		const type start = (type)hull->start, span = (type)hull->span;               \
		const type k = (type)keep;                                                   \
		type any = 0;                                                                \
		for (size_t i = 0; i < BLOCK_BYTES; i += sizeof(type))                       \
			any |= (type)((load(p + i) & k) - start) <= span;                    \
		return any != 0;                                                             \
	}

DEFINE_BLOCK(block_8, uint64_t, load_u64, )
DEFINE_BLOCK(block_4, uint32_t, load_u32, )
DEFINE_BLOCK(block_2, uint16_t, load_u16, )
#ifdef __x86_64__
/* Plain x86-64 has no comparison of 64-bit words in vectors: five times slower. */
DEFINE_BLOCK(block_8_avx2, uint64_t, load_u64, __attribute__((target("avx2"))))
#endif

static block_fn block_of(unsigned width)
{
	if (width != 8)
		return width == 4 ? block_4 : block_2;
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return block_8_avx2;
#endif
	return block_8;
}

static int compare_ranges(const void *va, const void *vb)
{
	const struct numbered_range *a = va, *b = vb;

	if (a->range.start != b->range.start)
		return a->range.start < b->range.start ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/*
 * A hull of its own for each range while there are some left; then the two that are nearest to
 * each other become one.
 */
static void make_hulls(struct word_finder *finder)
{
	struct hull all[HULLS_MAX + 1];
	unsigned n = 0;

	for (size_t i = 0; i < finder->count; i++) {
		const struct word_range *range = &finder->sorted[i].range;
		unsigned nearest = 0;
		uint64_t gap = UINT64_MAX;
		all[n++] = (struct hull){ range->start, range->size - 1 };
		if (n <= HULLS_MAX)
			continue;
		for (unsigned k = 0; k + 1 < n; k++) {
			uint64_t last = all[k].start + all[k].span, next = all[k + 1].start;
			uint64_t between = next > last ? next - last : 0;
			if (between < gap) {
				gap = between;
				nearest = k;
			}
		}
		struct hull *a = &all[nearest], *b = a + 1;
		a->span = max_u64(a->span, b->start - a->start + b->span);
		n--;
		memmove(b, b + 1, (n - nearest - 1) * sizeof(*b));
	}
	memcpy(finder->hull, all, n * sizeof(*all));
	finder->hulls = n;
}

struct word_finder *word_finder_create(const struct word_query *query)
{
	struct word_finder *finder = xcalloc(1, sizeof(*finder));

	finder->width = query->width == 4 || query->width == 2 ? query->width : 8;
	finder->keep = ~query->ignore;
	finder->block = block_of(finder->width);
	finder->sorted = xcalloc(query->count, sizeof(*finder->sorted));
	for (size_t i = 0; i < query->count; i++) {
		if (!query->ranges[i].size)
			continue;
		finder->sorted[finder->count++] = (struct numbered_range){ query->ranges[i], i };
		finder->reach = max_u64(finder->reach, query->ranges[i].size);
	}
	qsort(finder->sorted, finder->count, sizeof(*finder->sorted), compare_ranges);
	make_hulls(finder);
	return finder;
}

void word_finder_destroy(struct word_finder *finder)
{
	if (!finder)
		return;
	free(finder->sorted);
	free(finder);
}

/* The lowest number of the ranges that hold @value; false: none. */
static bool find_range(const struct word_finder *finder, uint64_t value, size_t *number)
{
	size_t low = 0, high = finder->count;
	bool found = false;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (finder->sorted[mid].range.start <= value)
			low = mid + 1;
		else
			high = mid;
	}
	while (low-- && value - finder->sorted[low].range.start < finder->reach) {
		const struct numbered_range *r = &finder->sorted[low];
		if (value - r->range.start < r->range.size && (!found || r->number < *number)) {
			*number = r->number;
			found = true;
		}
	}
	return found;
}

static uint64_t load_word(const uint8_t *p, unsigned width)
{
	return width == 8 ? load_u64(p) : width == 4 ? load_u32(p) : load_u16(p);
}

static void find_in_block(const struct word_finder *finder, unsigned worker, uint64_t start,
			  const uint8_t *bytes, size_t size, word_fn fn, void *ctx)
{
	for (size_t i = 0; i < size; i += finder->width) {
		struct word_hit hit = { .value = load_word(bytes + i, finder->width) };
		if (!find_range(finder, hit.value & finder->keep, &hit.range))
			continue;
		hit.at.v = start + i;
		fn(ctx, worker, &hit);
	}
}

void word_finder_page(const struct word_finder *finder, unsigned worker, uint64_t pfn,
		      const uint8_t *bytes, uint16_t from, uint16_t to, word_fn fn, void *ctx)
{
	uint64_t start = pfn << PAGE_SHIFT;
	size_t at = (from + finder->width - 1U) / finder->width * finder->width;
	size_t end = to / finder->width * finder->width;

	while (at < end) {
		size_t size = min_u64(end - at, BLOCK_BYTES);
		bool any = size < BLOCK_BYTES;
		for (unsigned i = 0; i < finder->hulls && !any; i++)
			any = finder->block(bytes + at, finder->keep, &finder->hull[i]);
		if (any)
			find_in_block(finder, worker, start + at, bytes + at, size, fn, ctx);
		at += size;
	}
}

/* --- All memory. --- */

struct find {
	const struct word_finder *finder;
	word_fn fn;
	void *ctx;
};

static void find_in_page(void *ctx, unsigned worker, uint64_t pfn, const uint8_t *bytes,
			 uint16_t from, uint16_t to)
{
	const struct find *find = ctx;

	word_finder_page(find->finder, worker, pfn, bytes, from, to, find->fn, find->ctx);
}

bool memory_find_words(struct memory *mem, const atomic_bool *stop, const struct word_query *query,
		       word_fn fn, void *ctx, uint64_t *holes)
{
	struct word_finder *finder = word_finder_create(query);
	struct find find = { finder, fn, ctx };

	bool done = memory_scan(mem, stop, find_in_page, &find, holes);
	word_finder_destroy(finder);
	return done;
}
