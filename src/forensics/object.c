// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where an object begins and ends: as whatis() has it, and in the direct map, where nobody knows
 * the object, the page or the block of pages that was allocated together.
 */
#include "forensics/refs.h"
#include "kernel/vmalloc.h"

/* Nobody's object is larger: an area of the address map. */
#define OBJECT_MAX (UINT64_C(64) << 20)
/*
 * No variable either: kallsyms says where the next symbol is, which is no size where names are left
 * out, as those of string constants and tables.
 */
#define VARIABLE_MAX (UINT64_C(1) << 20)

static enum bounds block_around(struct session *s, uint64_t address, struct ref_target *object)
{
	uint64_t page = address & ~(uint64_t)(PAGE_SIZE - 1);
	enum { ORDER_MAX = 18 };
	struct page_info info;
	uint64_t vaddr;
	struct paddr paddr;

	if (!direct_map_to_phys(s, address, &paddr))
		return BOUNDS_UNKNOWN;
	*object = (struct ref_target){ page, PAGE_SIZE };
	if (!page_info(s, paddr.v >> PAGE_SHIFT, &info))
		return BOUNDS_PAGE;
	switch (info.kind) {
	case PAGE_KIND_FILE:
	case PAGE_KIND_ANON:
	case PAGE_KIND_SWAP_CACHE:
	case PAGE_KIND_KSM:
	case PAGE_KIND_HUGETLB:
	case PAGE_KIND_BUDDY:
	case PAGE_KIND_PCP:
	case PAGE_KIND_KERNEL:
	case PAGE_KIND_RESERVED:
		return BOUNDS_SHARED;
	default:
		break;
	}
	/* What is one thing in the vmalloc area can be neighbours here, too. */
	if (vmalloc_area_of_pfn(s, info.pfn, &vaddr))
		return BOUNDS_SHARED;
	uint64_t before = info.pfn - info.head_pfn;
	if (!info.order || info.order > ORDER_MAX || before >= UINT64_C(1) << info.order)
		return BOUNDS_PAGE;
	object->start = page - (before << PAGE_SHIFT);
	object->size = (uint64_t)PAGE_SIZE << info.order;
	return BOUNDS_OBJECT;
}

enum bounds object_around(struct session *s, uint64_t address, struct ref_target *object,
			  struct what *what)
{
	whatis(s, NULL, address, what);
	bool variable = what->kind == WHAT_DATA || what->kind == WHAT_RODATA;
	if (variable && what->size > VARIABLE_MAX)
		return BOUNDS_UNKNOWN;
	if (what->kind != WHAT_AREA && what->kind != WHAT_UNKNOWN && what->kind != WHAT_PAGE &&
	    what->size && what->size <= OBJECT_MAX && address - what->start < what->size) {
		*object = (struct ref_target){ what->start, what->size };
		return BOUNDS_OBJECT;
	}
	return block_around(s, address, object);
}
