// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The array of struct page: of which page frame is the one at an address?
 */
#include <stdio.h>

#include "forensics/what.h"
#include "kernel/pages.h"

bool what_page_struct(const struct what_ask *ask)
{
	const struct page_array *array = page_array(ask->s);
	struct page_info info;

	if (!array->valid || !array->page_size || ask->address < array->vmemmap)
		return false;
	uint64_t pfn = (ask->address - array->vmemmap) / array->page_size;
	if (pfn >= array->max_pfn)
		return false;
	what_set(ask, WHAT_PAGE_STRUCT, array->vmemmap + pfn * array->page_size, array->page_size);
	ask->what->object = ask->what->start;
	if (ask->brief)
		what_textf(ask, "struct page of pfn 0x%lx", (unsigned long)pfn);
	else if (page_info(ask->s, pfn, &info))
		what_textf(ask, "struct page of page frame 0x%lx (%s)", (unsigned long)pfn,
			   page_kind_name(info.kind));
	else
		what_textf(ask, "struct page of page frame 0x%lx", (unsigned long)pfn);
	return true;
}
