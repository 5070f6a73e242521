/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a running kernel changes its own code, by the tables that it does so from: alternatives,
 * ftrace, jump labels, static calls, retpolines, return thunks, lock prefixes, paravirt, constants
 * filled in at boot.
 *
 * In: ranges of code. Out: the places in them. The tables are read from the debug file (most are in
 * memory that is freed after boot); a module's stay in its memory, where they are relocated.
 */
#pragma once

#include "kernel/session.h"

struct text_range {
	uint64_t start, end;
};

struct text_patch {
	uint64_t start;
	uint32_t size;
	const char *by; /* "alternatives", "ftrace" ... */
};

struct text_patches {
	struct text_patch *data; /* by start */
	size_t count, capacity;
};

/*
 * The places in @ranges (sorted, not overlapping), all in the kernel or all in one module. NULL, or
 * why they cannot be told: then nothing can be said of differences.
 */
const char *text_patches_find(struct session *s, const struct text_range *ranges, size_t count,
			      struct text_patches *patches);
void text_patches_deinit(struct text_patches *patches);
/* The patch that touches [@start, @end); NULL for none. */
const struct text_patch *text_patch_at(const struct text_patches *patches, uint64_t start,
				       uint64_t end);
