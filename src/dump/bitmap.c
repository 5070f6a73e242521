// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: page descriptors of a kdump-compressed file are stored for the dumped
 * pages only, in order; the place of a page's descriptor is the number of set bits before its own
 * in the bitmap. Bits are counted once, when the dump is opened, at a few GB/s of bitmap; what is
 * left at a lookup is at most 512 bytes of counting.
 */
#include "dump/bitmap.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/bytes.h"

static uint64_t count_words_plain(const uint8_t *words, size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += (uint64_t)__builtin_popcountll(load_u64(words + 8 * i));
	return total;
}

#ifdef __x86_64__
/* The same, compiled for the instruction that every x86-64 since 2008 has. */
__attribute__((target("popcnt"))) static uint64_t count_words_popcnt(const uint8_t *words,
								     size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += (uint64_t)__builtin_popcountll(load_u64(words + 8 * i));
	return total;
}
#endif

/* The last, partial word of a stretch: its low @n bits, n < 64, without reading past them. */
static uint64_t low_bits(const uint8_t *p, unsigned n)
{
	uint64_t word = 0;

	if (!n)
		return 0;
	memcpy(&word, p, (n + 7) / 8);
	return word & ((UINT64_C(1) << n) - 1);
}

static uint64_t count_bits(const struct bitmap *bitmap, const uint8_t *p, uint64_t n)
{
	uint64_t rest = low_bits(p + n / 64 * 8, n % 64);

	return bitmap->count_words(p, n / 64) + (uint64_t)__builtin_popcountll(rest);
}

void bitmap_init(struct bitmap *bitmap, const uint8_t *bits, uint64_t start, uint64_t end)
{
	uint64_t first = start / BITMAP_STEP, sum = 0;

	*bitmap = (struct bitmap){ .bits = bits, .start = start, .end = end };
	bitmap->count_words = count_words_plain;
#ifdef __x86_64__
	if (__builtin_cpu_supports("popcnt"))
		bitmap->count_words = count_words_popcnt;
#endif
	if (start >= end)
		return;
	bitmap->rank = xmalloc(((end - 1) / BITMAP_STEP - first + 1) * sizeof(*bitmap->rank));
	for (uint64_t step = first; step * BITMAP_STEP < end; step++) {
		bitmap->rank[step - first] = sum;
		sum += count_bits(bitmap, bits + step * (BITMAP_STEP / 8),
				  min_u64(end - step * BITMAP_STEP, BITMAP_STEP));
	}
	bitmap->skipped = count_bits(bitmap, bits + first * (BITMAP_STEP / 8), start % BITMAP_STEP);
	bitmap->total = sum - bitmap->skipped;
}

void bitmap_deinit(struct bitmap *bitmap)
{
	free(bitmap->rank);
	bitmap->rank = NULL;
}

uint64_t bitmap_rank(const struct bitmap *bitmap, uint64_t bit)
{
	uint64_t step = bit / BITMAP_STEP;

	return bitmap->rank[step - bitmap->start / BITMAP_STEP] +
	       count_bits(bitmap, bitmap->bits + step * (BITMAP_STEP / 8), bit % BITMAP_STEP) -
	       bitmap->skipped;
}

uint64_t bitmap_next(const struct bitmap *bitmap, uint64_t bit)
{
	bit = max_u64(bit, bitmap->start);
	while (bit < bitmap->end) {
		if (bit % 64 == 0 && bitmap->end - bit >= 64) {
			uint64_t word = load_u64(bitmap->bits + bit / 8);
			if (word)
				return bit + (unsigned)__builtin_ctzll(word);
			bit += 64;
		} else if (bitmap_test(bitmap, bit)) {
			return bit;
		} else {
			bit++;
		}
	}
	return bitmap->end;
}
