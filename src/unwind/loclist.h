/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Location lists (DWARF 5, 2.6.2 and 7.7.3; DWARF 2 to 4: 2.6.2): pure parsing. Internal. */
#pragma once

#include "base/compiler.h"

struct loclist {
	const uint8_t *data; /* .debug_loclists (5) or .debug_loc */
	size_t size;
	unsigned version; /* of the unit */
	uint64_t base;    /* the unit's base address */
	/* Entry @index of the unit's .debug_addr; NULL: there is none. */
	bool (*indexed)(void *ctx, uint64_t index, uint64_t *address);
	void *ctx;
};

/*
 * The expression of the list at @offset that holds at @pc. False when none does, or the list is
 * damaged (@bad, may be NULL, tells them apart).
 */
bool loclist_find(const struct loclist *list, uint64_t offset, uint64_t pc, const uint8_t **expr,
		  size_t *size, bool *bad);
