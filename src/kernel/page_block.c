// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Migrate types: page frames are grouped in pageblocks (2 MiB on x86), and a bitmap of a few bits
 * for each block, which hangs on its memory section, says which kind of pages is wanted in it.
 *
 * The bits of a block: three of the migrate type, one that compaction uses, and since 6.17 one that
 * says "isolated" whatever the type (mm/page_alloc.c, include/linux/pageblock-flags.h). Until 5.8
 * the blocks were counted from the upper end of each word, in pairs with reversed bits; the
 * function that reads them lost a parameter when that changed.
 */
#include "kernel/page_layout.h"

#include <string.h>

enum {
	SECTION_PAGES = 1 << (27 - PAGE_SHIFT), /* arch/x86/include/asm/sparsemem.h */
	MIGRATE_MASK = 7,
};

int page_block_type(struct session *s, const struct page_layout *layout, uint64_t pfn)
{
	uint64_t section = page_section(s, layout, pfn), bitmap, word;

	if (!section || !layout->block_bits)
		return -1;
	if (layout->usage.known) {
		if (!field_read(s, section, &layout->usage, &bitmap) || !bitmap)
			return -1;
		bitmap += layout->pageblock_flags.offset;
	} else if (!field_read(s, section, &layout->pageblock_flags, &bitmap) || !bitmap) {
		return -1;
	}
	uint64_t bit = ((pfn & (SECTION_PAGES - 1)) >> layout->block_order) * layout->block_bits;
	if (memory_u64(s->memory, bitmap + bit / 64 * 8, &word) != READ_OK)
		return -1;
	bit %= 64;
	if (layout->isolate_bit >= 0 && word >> (bit + (unsigned)layout->isolate_bit) & 1)
		return layout->isolate_type;
	if (layout->block_reversed)
		return (int)(word >> (64 - 3 - bit) & MIGRATE_MASK);
	return (int)(word >> bit & MIGRATE_MASK);
}

const char *page_migrate_name(struct session *s, int migrate_type)
{
	/* In the words of /proc/pagetypeinfo (migratetype_names, mm/page_alloc.c). */
	static const struct {
		const char *enumerator, *name;
	} names[] = {
		{ "MIGRATE_UNMOVABLE", "Unmovable" }, { "MIGRATE_MOVABLE", "Movable" },
		{ "MIGRATE_RECLAIMABLE", "Reclaimable" }, { "MIGRATE_HIGHATOMIC", "HighAtomic" },
		{ "MIGRATE_CMA", "CMA" }, { "MIGRATE_ISOLATE", "Isolate" },
	};
	int64_t value;

	for (size_t i = 0; migrate_type >= 0 && i < array_size(names); i++) {
		if (types_enumerator(s->types, names[i].enumerator, &value) &&
		    value == migrate_type)
			return names[i].name;
	}
	return NULL;
}
