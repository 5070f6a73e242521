// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A list is entries with a range and an expression each, and entries that set the base of the next
 * ranges. Each takes a byte at least, so that the walk ends with the section. The first entry that
 * covers the address is taken: entries that overlap are said to hold all of them at once.
 */
#include "unwind/loclist.h"

#include <dwarf.h>

#include "base/leb128.h"

enum { GNU_VIEW_PAIR = 9 }; /* DW_LLE_GNU_view_pair, of gcc -gvariable-location-views=incompat5 */

struct entry {
	uint64_t start, end;
	bool is_range, is_default;
};

static uint64_t indexed(const struct loclist *list, struct bytes *b)
{
	uint64_t address, index = bytes_uleb(b);

	if (!list->indexed || !list->indexed(list->ctx, index, &address)) {
		b->bad = true;
		return 0;
	}
	return address;
}

/* Reads up to the expression. False: the end of the list. */
static bool take_entry(const struct loclist *list, struct bytes *b, uint64_t *base, struct entry *e)
{
	*e = (struct entry){ .is_range = true };
	switch (bytes_u8(b)) {
	case DW_LLE_end_of_list:
		return false;
	case DW_LLE_base_addressx:
		*base = indexed(list, b);
		e->is_range = false;
		break;
	case DW_LLE_startx_endx:
		e->start = indexed(list, b);
		e->end = indexed(list, b);
		break;
	case DW_LLE_startx_length:
		e->start = indexed(list, b);
		e->end = e->start + bytes_uleb(b);
		break;
	case DW_LLE_offset_pair:
		e->start = *base + bytes_uleb(b);
		e->end = *base + bytes_uleb(b);
		break;
	case DW_LLE_default_location:
		e->is_default = true;
		break;
	case DW_LLE_base_address:
		*base = bytes_u64(b);
		e->is_range = false;
		break;
	case DW_LLE_start_end:
		e->start = bytes_u64(b);
		e->end = bytes_u64(b);
		break;
	case DW_LLE_start_length:
		e->start = bytes_u64(b);
		e->end = e->start + bytes_uleb(b);
		break;
	case GNU_VIEW_PAIR:
		(void)bytes_uleb(b);
		(void)bytes_uleb(b);
		e->is_range = false;
		break;
	default:
		b->bad = true;
		return false;
	}
	return !b->bad;
}

/* The same in .debug_loc: pairs of addresses, 0 0 at the end, -1 before a new base. */
static bool take_old_entry(struct bytes *b, uint64_t *base, struct entry *e)
{
	uint64_t start = bytes_u64(b), end = bytes_u64(b);

	*e = (struct entry){ 0 };
	if (b->bad || (!start && !end))
		return false;
	if (start == UINT64_MAX) {
		*base = end;
		return true;
	}
	*e = (struct entry){ .start = *base + start, .end = *base + end, .is_range = true };
	return true;
}

bool loclist_find(const struct loclist *list, uint64_t offset, uint64_t pc, const uint8_t **expr,
		  size_t *size, bool *bad)
{
	struct bytes b = bytes_of(list->data, list->size);
	const uint8_t *fallback = NULL;
	size_t fallback_size = 0;
	uint64_t base = list->base;
	bool is_new = list->version >= 5, ignored;
	struct entry e;

	if (!bad)
		bad = &ignored;
	if (offset > list->size)
		b.bad = true;
	else
		b.pos = (size_t)offset;
	while (!b.bad &&
	       (is_new ? take_entry(list, &b, &base, &e) : take_old_entry(&b, &base, &e))) {
		if (!e.is_range)
			continue;
		uint64_t n = is_new ? bytes_uleb(&b) : bytes_u16(&b);
		const uint8_t *at = n <= bytes_left(&b) ? bytes_take(&b, (size_t)n) : NULL;
		if (!at) {
			b.bad = true;
		} else if (e.is_default) {
			fallback = at;
			fallback_size = (size_t)n;
		} else if (pc >= e.start && pc < e.end) {
			*expr = at;
			*size = (size_t)n;
			*bad = false;
			return true;
		}
	}
	*bad = b.bad;
	*expr = fallback;
	*size = fallback_size;
	return fallback && !b.bad;
}
