/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking at all memory in the dump, on all cores, at the speed of decompression.
 */
#pragma once

#include <stdatomic.h>

#include "memory/memory.h"

/*
 * Calls @fn(ctx, worker, pfn, bytes, from, to) for every page frame whose data is in the dump, each
 * once, from several threads at once, in no order. @bytes are valid during the call; only
 * [from, to) of them exist. Pages that cannot be read are counted in @holes (may be NULL). False
 * when stopped.
 */
typedef void (*scan_fn)(void *ctx, unsigned worker, uint64_t pfn, const uint8_t *bytes,
			uint16_t from, uint16_t to);
bool memory_scan(struct memory *mem, const atomic_bool *stop, scan_fn fn, void *ctx,
		 uint64_t *holes);
