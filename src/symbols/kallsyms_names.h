/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that decode names share; private to them. */
#pragma once

#include "symbols/kallsyms.h"

/* To be called before bytes of the window are read. */
static inline void kallsyms_need(const struct kallsyms *k, const uint8_t *p, size_t size)
{
	if (k->load)
		k->load(k->load_ctx, (size_t)(p - k->window), size);
}

/* Are these bytes in the dump? */
static inline bool kallsyms_there(const struct kallsyms *k, const uint8_t *p, size_t size)
{
	size_t first = (size_t)(p - k->window), last = first + size - 1;

	kallsyms_need(k, p, size);
	for (size_t page = first / 4096; k->missing && page <= last / 4096; page++) {
		if (k->missing[page])
			return false;
	}
	return true;
}

/*
 * The length of the entry at offset @at of the names, and in @data where its tokens start. 0 when
 * there is none: the end, a hole, nonsense.
 */
static inline uint32_t kallsyms_entry(const struct kallsyms *k, uint32_t at, uint32_t *data)
{
	if (at >= k->names_size)
		return 0;
	uint32_t len = k->names[at++];
	if (len & 0x80) {
		if (at >= k->names_size)
			return 0;
		len = (len & 0x7f) | (uint32_t)k->names[at++] << 7;
	}
	*data = at;
	return len <= k->names_size - at ? len : 0;
}

/* kallsyms_find_names() without an index; @found is set to UINT32_MAX by the caller. */
void kallsyms_pass_names(const struct kallsyms *k, const char *const *names, size_t n,
			 uint32_t *found);
