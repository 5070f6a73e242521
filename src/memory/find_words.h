/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words of all memory whose values lie in given ranges: pointers into an object, values, masks. */
#pragma once

#include "memory/scan.h"

/* The values [start, start + size); they do not go beyond the largest number. Size 0: none. */
struct word_range {
	uint64_t start, size;
};

struct word_query {
	const struct word_range *ranges; /* borrowed by word_finder_create() only while it runs */
	size_t count;
	uint64_t ignore; /* bits of the words that do not count; those of the ranges must be 0 */
	unsigned width;  /* of a word in bytes: 8, 4 or 2; words lie at multiples of it */
};

struct word_hit {
	struct paddr at;
	uint64_t value; /* all of it, ignored bits too */
	size_t range;   /* its number in the query; the lowest one, where ranges overlap */
};

typedef void (*word_fn)(void *ctx, unsigned worker, const struct word_hit *hit);

struct word_finder;
struct word_finder *word_finder_create(const struct word_query *query);
void word_finder_destroy(struct word_finder *finder);
/*
 * Calls @fn for each such word of a page, in order of address. Only the bytes [@from, @to) of the
 * page are there. Thread-safe; @worker is handed on.
 */
void word_finder_page(const struct word_finder *finder, unsigned worker, uint64_t pfn,
		      const uint8_t *bytes, uint16_t from, uint16_t to, word_fn fn, void *ctx);

/*
 * The same over all memory in the dump, on all cores, see memory_scan(). @fn is called from several
 * threads at once, page after page in no order.
 */
bool memory_find_words(struct memory *mem, const atomic_bool *stop, const struct word_query *query,
		       word_fn fn, void *ctx, uint64_t *holes);
