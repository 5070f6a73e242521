// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Swap entries. An entry has a number of a swap device, the type, and a page there, the offset. The
 * highest types are no devices but say something else (include/linux/swap.h): from MAX_SWAPFILES up
 * a lost page, three sorts of pages being moved, those of device memory, and at the very end a
 * marker. How many of them a kernel has depends on how it was built; functions that exist only then
 * tell.
 */
#include "kernel/swap_meaning.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool has_symbol(struct session *s, const char *name)
{
	return s->symbols && symbols_address(s->symbols, name);
}

/* What a type that is no device means; the order is that of include/linux/swap.h since 5.19. */
static enum swap_entry_kind special_kind(struct session *s, unsigned type, bool *writable)
{
	struct type marker;
	int64_t value;
	bool has_marker = types_find(s->types, "pte_marker", &marker);

	if (has_marker && type == SWAP_TYPES_MAX - 1)
		return SWAP_ENTRY_MARKER;
	/* Kernels of before are not told apart from those without device memory. */
	if (!types_enumerator(s->types, "PG_anon_exclusive", &value) ||
	    has_symbol(s, "make_device_exclusive"))
		return SWAP_ENTRY_UNKNOWN;
	unsigned lost = has_symbol(s, "memory_failure");
	unsigned moving = has_symbol(s, "migrate_pages") ? 3 : 0;
	unsigned device = has_symbol(s, "make_device_exclusive_range") ? 4 : 0;
	unsigned first = SWAP_TYPES_MAX - has_marker - device - moving - lost;
	if (type < first)
		return SWAP_ENTRY_UNKNOWN;
	if (type < first + lost)
		return SWAP_ENTRY_HWPOISON;
	if (type < first + lost + moving) {
		*writable = type == first + lost + 2;
		return SWAP_ENTRY_MIGRATION;
	}
	*writable = (type - first - lost - moving) % 2 == 0;
	return type < first + lost + moving + device ? SWAP_ENTRY_DEVICE : SWAP_ENTRY_UNKNOWN;
}

bool walk_is_away(const struct walk *walk, uint64_t *entry)
{
	unsigned type;
	uint64_t offset;

	if (walk->status != READ_UNMAPPED || !walk->levels)
		return false;
	const char *level = walk->step[walk->levels - 1].name;
	*entry = walk->step[walk->levels - 1].entry;
	/* Of a huge page that is being moved the level above the lowest has one. */
	return (strcmp(level, "PTE") == 0 || strcmp(level, "PMD") == 0) &&
	       swap_entry(*entry, &type, &offset);
}

void swap_entry_of(struct session *s, uint64_t pte, struct swap_entry *entry)
{
	/* SWP_PFN_BITS, include/linux/swapops.h: above the frame number may be other bits. */
	unsigned frame_bits = memory_layout(s->memory)->root.levels == 5 ? 40 : 34;
	struct swap_device device;

	*entry = (struct swap_entry){ .kind = SWAP_ENTRY_NONE };
	if (!swap_entry(pte, &entry->type, &entry->offset))
		return;
	if (swap_device(s, entry->type, &device) && device.used) {
		entry->kind = SWAP_ENTRY_PAGE;
		return;
	}
	entry->kind = special_kind(s, entry->type, &entry->writable);
	if (entry->kind != SWAP_ENTRY_MARKER && entry->kind != SWAP_ENTRY_UNKNOWN)
		entry->pfn = entry->offset & ((UINT64_C(1) << frame_bits) - 1);
}

void swap_entry_text(struct session *s, const struct swap_entry *entry, char *buf, size_t size)
{
	static const char *const words[] = {
		[SWAP_ENTRY_MIGRATION] = "being moved",
		[SWAP_ENTRY_DEVICE] = "in a device's memory",
		[SWAP_ENTRY_HWPOISON] = "lost by the hardware (poisoned)",
	};
	struct swap_device device;

	buf[0] = '\0';
	switch (entry->kind) {
	case SWAP_ENTRY_NONE:
		return;
	case SWAP_ENTRY_PAGE:
		if (!swap_device(s, entry->type, &device) || !device.path[0])
			snprintf(device.path, sizeof(device.path), "device %u", entry->type);
		snprintf(buf, size, "swapped out to %s, page %" PRIu64, device.path, entry->offset);
		return;
	case SWAP_ENTRY_MARKER:
		snprintf(buf, size, "a marker of the kernel, 0x%" PRIx64 ", no page", entry->offset);
		return;
	case SWAP_ENTRY_UNKNOWN:
		snprintf(buf, size, "not present: swap type %u, offset 0x%" PRIx64
			 ", which is no swap device", entry->type, entry->offset);
		return;
	default:
		snprintf(buf, size, "%s, page frame %" PRIx64, words[entry->kind], entry->pfn);
	}
}
