/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which range of one space (the logical file, physical memory) lies where in another (the real
 * file): a sorted array of ranges that do not overlap, searched by halving.
 */
#pragma once

#include "base/compiler.h"

struct extent {
	uint64_t start, size;
	uint64_t target; /* where byte `start` is in the other space */
};

static inline uint64_t extent_end(const struct extent *e)
{
	return e->start + e->size;
}

struct extents {
	struct extent *data;
	size_t count;
	size_t capacity;
};

/*
 * Sorts @list and resolves overlaps in place: where two ranges cover the same byte, the one that
 * was later in the list has it. Ranges whose end overflows must not be in it. O(n log n); the
 * result has at most twice as many entries.
 */
void extents_resolve(struct extents *list);
/* The index of the first extent that ends behind @pos: it holds @pos, or follows it. */
size_t extents_find(const struct extents *list, uint64_t pos);
void extents_deinit(struct extents *list);
