// SPDX-License-Identifier: LGPL-2.1-or-later
/* Objects of slab caches, by the page that they are in. */
#include <ctype.h>
#include <stdio.h>

#include "forensics/what.h"
#include "kernel/pages.h"

enum {
	SLAB_OBJECT_MAX = 1 << 23,
	PAGE_TYPE_SHIFT = 24, /* include/linux/page-flags.h, enum pagetype, since 6.12 */
};
/* The flags say so up to 6.9, the type in the top byte from 6.12 on; what is between says nothing. */
static bool is_slab_page(struct session *s, uint64_t page)
{
	int64_t bit, type;
	uint64_t value;

	if (types_enumerator(s->types, "PGTY_slab", &type))
		return kread(s, page, "page", "page_type", &value) &&
		       (value & UINT32_MAX) >> PAGE_TYPE_SHIFT == (uint64_t)type;
	return types_enumerator(s->types, "PG_slab", &bit) && bit >= 0 && bit < 32 &&
	       kread(s, page, "page", "flags", &value) && value >> bit & 1;
}

/* The struct page of @pfn, or of the compound page that it belongs to; 0: none. */
static uint64_t head_page(struct session *s, uint64_t vmemmap, uint64_t page_size, uint64_t *pfn)
{
	uint64_t page = vmemmap + *pfn * page_size, head;

	if (!kread(s, page, "page", "compound_head", &head))
		return 0;
	if (!(head & 1))
		return page;
	head--;
	if (head < vmemmap || (head - vmemmap) % page_size)
		return 0;
	*pfn = (head - vmemmap) / page_size;
	return head;
}

static bool printable(const char *name)
{
	for (const char *c = name; *c; c++) {
		if (!isgraph((unsigned char)*c))
			return false;
	}
	return *name;
}

bool what_slab(const struct what_ask *ask)
{
	struct session *s = ask->s;
	const struct kernel_layout *layout = memory_layout(s->memory);
	uint64_t page_offset = layout->page_offset, address = ask->address;
	uint64_t memory_size = dump_info(s->dump)->max_pfn << PAGE_SHIFT;
	const struct page_array *array = page_array(s);
	uint64_t cache, size, left_pad = 0;
	uint64_t pfn = (address - page_offset) >> PAGE_SHIFT;
	char name[64];

	if (!layout->has_page_offset || address - page_offset >= memory_size || !array->valid)
		return false;
	uint64_t page = head_page(s, array->vmemmap, array->page_size, &pfn);
	if (!page || !is_slab_page(s, page))
		return false;
	if (!kread(s, page, "slab", "slab_cache", &cache) &&
	    !kread(s, page, "page", "slab_cache", &cache))
		return false;
	if (!kread_string(s, cache, "kmem_cache", "name", name, sizeof(name)) || !printable(name) ||
	    !kread(s, cache, "kmem_cache", "size", &size) || !size || size > SLAB_OBJECT_MAX)
		return false;
	kread(s, cache, "kmem_cache", "red_left_pad", &left_pad);
	uint64_t slab = page_offset + (pfn << PAGE_SHIFT);
	uint64_t object = slab + (address - slab) / size * size + left_pad;
	what_set(ask, WHAT_SLAB, object, size);
	ask->what->object = cache;
	if (ask->brief)
		what_textf(ask, "%s", name);
	else
		what_textf(ask, "an object of slab cache %s", name);
	return true;
}

