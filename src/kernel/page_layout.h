/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How struct page looks in the kernel that died, found out once: where members lie, what a page
 * type's number is, which flag is which bit. Private to the files that implement kernel/pages.h.
 */
#pragma once

#include "base/map.h"
#include "kernel/field.h"
#include "kernel/pages.h"
#include "kernel/zones.h"

enum { STRUCT_PAGE_MAX = 256 };

/* The page types that struct page.page_type (or a flag) tells. */
enum page_type {
	PAGE_TYPE_BUDDY,
	PAGE_TYPE_OFFLINE,
	PAGE_TYPE_TABLE,
	PAGE_TYPE_GUARD,
	PAGE_TYPE_HUGETLB,
	PAGE_TYPE_SLAB,
	PAGE_TYPE_LARGE_KMALLOC,
	PAGE_TYPE_ZSMALLOC,
	PAGE_TYPE_UNACCEPTED,
	PAGE_TYPE_COUNT,
};

/* Bit numbers of page->flags; -1: this kernel has no such flag. */
enum page_flag {
	PAGE_FLAG_HEAD,
	PAGE_FLAG_SLAB,
	PAGE_FLAG_RESERVED,
	PAGE_FLAG_LRU,
	PAGE_FLAG_SWAPBACKED,
	PAGE_FLAG_SWAPCACHE,
	PAGE_FLAG_COUNT,
};

enum { PAGE_FLAG_NAMES = 40 };

struct page_layout {
	struct page_array array;
	struct field flags, compound_head, mapping, index, private, mapcount, refcount, page_type;
	struct field slab_cache;
	/* From the head page on: where the order of a compound page is, and under which mask. */
	struct field order;
	uint64_t order_mask;
	/* Up to 6.8 hugetlb pages name their destructor in the first tail page. */
	struct field dtor;
	uint64_t dtor_hugetlb;
	bool hugetlb_by_flag; /* 6.6 to 6.8: a flag of the first tail page */
	unsigned hugetlb_bit;
	/* Types: a number in the top byte (6.12), or a bit that is cleared where the type applies. */
	bool type_in_top_byte;
	uint32_t type_base;
	uint32_t type[PAGE_TYPE_COUNT]; /* 0: no such type */
	int8_t flag[PAGE_FLAG_COUNT];
	unsigned flag_count;
	const char *flag_name[PAGE_FLAG_NAMES];
	bool mapping_movable; /* bit 1 alone means movable (up to 6.16) */
	/* Node and zone in the upper bits of page->flags. */
	unsigned node_shift, zone_shift, zone_width;
	bool has_node_bits;
	/* Sections, which have the pageblocks' migrate types. */
	uint64_t mem_section, section_size;
	bool section_roots;
	struct field pageblock_flags, usage;
	unsigned block_bits, block_order;
	bool block_reversed;
	int isolate_bit, isolate_type;
	unsigned max_order;
	uint64_t image_start, image_end; /* page frames of the kernel image */
	uint64_t image_vaddr;
	struct map pcp; /* page frame -> 1 + order of free pages on CPUs' lists */
	bool pcp_gathered;
};

/* NULL when the array cannot be found. Made on first use. */
const struct page_layout *page_layout(struct session *s);
/* Has a page of these words the type? @value is page_type. */
bool page_type_is(const struct page_layout *layout, uint32_t value, enum page_type type);

static inline bool page_flag_set(const struct page_layout *layout, uint64_t flags,
				 enum page_flag flag)
{
	return layout->flag[flag] >= 0 && flags >> layout->flag[flag] & 1;
}

/* Finds the array (page_find.c); false when it cannot be told where it is. */
bool page_array_find(struct session *s, struct page_array *array);
/* The struct mem_section of @pfn; 0: none (page_find.c). */
uint64_t page_section(struct session *s, const struct page_layout *layout, uint64_t pfn);
/* Where mem_section is and of what kind (page_find.c). */
void page_sections_find(struct session *s, struct page_layout *layout);
/* Migrate type of @pfn's pageblock; -1 (page_block.c). */
int page_block_type(struct session *s, const struct page_layout *layout, uint64_t pfn);
/* Fills @pcp with the free pages on CPUs' lists (zones.c). */
void page_gather_pcp(struct session *s, struct page_layout *layout);
