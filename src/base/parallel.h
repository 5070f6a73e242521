/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work on all cores: a range of numbered chunks, handed out one by one. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Threads that parallel_for() would use: cores that this process may run on, at most 64.
 * INQUEST_THREADS in the environment overrides that (for benchmarks and tests). */
unsigned parallel_workers(void);

/*
 * Calls @fn(ctx, worker, i) for each i in [0, count), in any order, from parallel_workers()
 * threads; @worker is in [0, parallel_workers()), for buffers per thread. Returns when all is done.
 * When @stop is not NULL and becomes true, chunks not begun are left out and false is returned.
 * Falls back on fewer threads when they cannot be had.
 */
typedef void (*parallel_fn)(void *ctx, unsigned worker, size_t i);
bool parallel_for(size_t count, const atomic_bool *stop, parallel_fn fn, void *ctx);
