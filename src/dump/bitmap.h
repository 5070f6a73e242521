/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many bits are set in front of a bit, in constant time. */
#pragma once

#include "base/compiler.h"

/*
 * A stretch [start, end) of a bitmap (bit i is bit i % 8 of byte i / 8) with a count of the set
 * bits for every BITMAP_STEP of it: 1/64 of the bitmap's size.
 */
enum { BITMAP_STEP = 4096 };

struct bitmap {
	const uint8_t *bits; /* of bit 0; bytes up to the one of end - 1 are there */
	uint64_t start, end;
	uint64_t *rank;   /* set bits in [start rounded down to a step, start of the step) */
	uint64_t skipped; /* set bits in [start rounded down, start) */
	uint64_t total;   /* set bits in [start, end) */
	uint64_t (*count_words)(const uint8_t *words, size_t count);
};

void bitmap_init(struct bitmap *bitmap, const uint8_t *bits, uint64_t start, uint64_t end);
void bitmap_deinit(struct bitmap *bitmap);
/* Set bits in [start, bit); @bit is in [start, end). */
uint64_t bitmap_rank(const struct bitmap *bitmap, uint64_t bit);
/* The first set bit at or behind @bit, or end. */
uint64_t bitmap_next(const struct bitmap *bitmap, uint64_t bit);

static inline bool bitmap_test(const struct bitmap *bitmap, uint64_t bit)
{
	return bitmap->bits[bit / 8] >> (bit % 8) & 1;
}
