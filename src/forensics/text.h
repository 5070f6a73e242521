/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All code of the kernel and its modules, function by function, on all cores.
 *
 * In: the symbols. Out: the bytes of chunks of code as they are in the dump (with what the running
 * kernel patched), cut at symbols. Code that was freed after boot is not looked at.
 */
#pragma once

#include "kernel/session.h"

/* A piece of code that is handled at once: whole functions, some kilobytes. */
struct text_chunk {
	const uint8_t *bytes; /* [start, start + size), valid during the call */
	uint64_t start;
	size_t size;
	const uint64_t *functions; /* where functions begin, in order; the first is at @start */
	size_t function_count;
	const struct module *module; /* NULL: the kernel */
};

struct text_scan {
	size_t functions;
	uint64_t bytes; /* looked at */
	uint64_t holes; /* bytes that are not in the dump */
};

/*
 * Calls @fn for each chunk, from several threads (@worker < parallel_workers()), in no order.
 * False: the user stopped it. @result may be NULL.
 */
typedef void (*text_fn)(void *ctx, unsigned worker, const struct text_chunk *chunk);
bool text_scan(struct session *s, text_fn fn, void *ctx, struct text_scan *result);

/* The end of the i-th function of a chunk. */
static inline uint64_t text_function_end(const struct text_chunk *chunk, size_t i)
{
	return i + 1 < chunk->function_count ? chunk->functions[i + 1] : chunk->start + chunk->size;
}
