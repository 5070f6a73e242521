// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * .debug_aranges (DWARF 5, 6.1.2): sets, one for a compile unit, of (address, length) pairs. They
 * are read straight through for each question: 6,000 pairs of a vmlinux take 30 us, while libdw
 * would read the header of each of its 2,000 units before the first answer.
 *
 *	unit_length 4 (or 0xffffffff and 8), version 2, debug_info_offset 4 (8), address_size 1,
 *	segment_selector_size 1, padding to twice the address size, pairs, a pair of zeros
 */
#include "symbols/aranges.h"

#include "base/bytes.h"

typedef bool (*pair_fn)(void *ctx, uint64_t unit, uint64_t start, uint64_t length);

enum { ADDRESS_SIZE = 8, ARANGES_VERSION = 2 };

/* The pairs of one set; false when @fn wants no more. */
static bool each_pair(struct bytes *set, uint64_t unit, pair_fn fn, void *ctx)
{
	while (bytes_left(set) >= 2 * ADDRESS_SIZE) {
		uint64_t start = bytes_u64(set), length = bytes_u64(set);
		/* Zeros end a set; those of sections that the linker dropped stand amidst. */
		if (length && !fn(ctx, unit, start, length))
			return false;
	}
	return true;
}

static void each_set(const uint8_t *data, size_t size, pair_fn fn, void *ctx)
{
	struct bytes all = bytes_of(data, size);

	while (bytes_left(&all) > 4) {
		uint64_t length = bytes_u32(&all);
		size_t header = all.pos - 4;
		bool wide = length == UINT32_MAX;
		if (wide)
			length = bytes_u64(&all);
		if (all.bad || length > bytes_left(&all))
			return;
		size_t pos = all.pos;
		struct bytes set = bytes_of(data, pos + (size_t)length);
		bytes_seek(&set, pos);
		bytes_seek(&all, pos + (size_t)length);
		uint16_t version = bytes_u16(&set);
		uint64_t unit = wide ? bytes_u64(&set) : bytes_u32(&set);
		uint8_t address_size = bytes_u8(&set), segment_size = bytes_u8(&set);
		if (set.bad || version != ARANGES_VERSION || address_size != ADDRESS_SIZE ||
		    segment_size)
			continue;
		size_t used = set.pos - header, pair = 2 * ADDRESS_SIZE;
		bytes_take(&set, (pair - used % pair) % pair);
		if (!set.bad && !each_pair(&set, unit, fn, ctx))
			return;
	}
}

struct search {
	uint64_t address, unit;
	bool found;
};

static bool match(void *ctx, uint64_t unit, uint64_t start, uint64_t length)
{
	struct search *search = ctx;

	/* An address of 0 is a section that the linker dropped. */
	if (!start || search->address < start || search->address - start >= length)
		return true;
	search->unit = unit;
	search->found = true;
	return false;
}

bool aranges_find(const uint8_t *data, size_t size, uint64_t address, uint64_t *unit)
{
	struct search search = { .address = address };

	each_set(data, size, match, &search);
	*unit = search.unit;
	return search.found;
}

static bool sum(void *ctx, uint64_t unit unused_arg, uint64_t start, uint64_t length)
{
	uint64_t *covered = ctx;

	if (start)
		*covered += length;
	return true;
}

uint64_t aranges_covered(const uint8_t *data, size_t size)
{
	uint64_t covered = 0;

	each_set(data, size, sum, &covered);
	return covered;
}
