// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where an object begins and ends: as whatis() has it, and in the direct map, where nobody knows
 * the object, the page or the block of pages that was allocated together.
 */
#include "forensics/refs.h"

/* Nobody's object is larger: an area of the address map. */
#define OBJECT_MAX (UINT64_C(64) << 20)

static bool block_around(struct session *s, uint64_t address, struct ref_target *object)
{
	uint64_t page = address & ~(uint64_t)(PAGE_SIZE - 1);
	struct page_info info;
	struct paddr paddr;

	if (!direct_map_to_phys(s, address, &paddr))
		return false;
	*object = (struct ref_target){ page, PAGE_SIZE };
	if (page_info(s, paddr.v >> PAGE_SHIFT, &info) && info.order < 16 &&
	    info.kind != PAGE_KIND_BUDDY && info.pfn - info.head_pfn < UINT64_C(1) << info.order)
		*object = (struct ref_target){
			page - ((info.pfn - info.head_pfn) << PAGE_SHIFT),
			(uint64_t)PAGE_SIZE << info.order,
		};
	return true;
}

bool object_around(struct session *s, uint64_t address, struct ref_target *object,
		   struct what *what)
{
	whatis(s, NULL, address, what);
	if (what->kind != WHAT_AREA && what->kind != WHAT_UNKNOWN && what->size &&
	    what->size <= OBJECT_MAX && address - what->start < what->size) {
		*object = (struct ref_target){ what->start, what->size };
		return true;
	}
	return block_around(s, address, object);
}
