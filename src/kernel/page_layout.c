// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What struct page looks like in this kernel; see page_layout.h.
 *
 * Page types (include/linux/page-flags.h) share a word with the count of mappings, for pages that
 * user space never maps:
 *	4.18       bits are cleared in a word of ones: buddy 0x80, balloon 0x100, kmemcg 0x200,
 *	           table 0x400; 5.1: offline 0x100, 5.2: guard 0x800
 *	5.11       kmemcg goes: table 0x200, guard 0x400; 6.9: hugetlb 0x800
 *	6.10       the same, as enumerators, and slab 0x1000, until then a flag
 *	6.11       buddy 0x40000000 and so on, other base
 *	6.12       a number in the top byte, enumerators PGTY_...
 * Macros are not in the types: what is not an enumerator is told by VMCOREINFO, or by this list.
 */
#include "kernel/page_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

enum {
	PAGE_TYPE_TOP_SHIFT = 24,
	PAGE_TYPE_BASE_OLD = 0xf0000000,
	FLAG_BITS_MAX = 64,
	BLOCK_BITS_USUAL = 4,
	HUGE_ORDER = 9, /* HUGETLB_PAGE_ORDER with pages of 2 MiB */
};

static const struct {
	const char *top, *bit;   /* enumerators: the number, the cleared bit */
	const char *vmcoreinfo;  /* the whole word of a page of this type */
	uint32_t usual;          /* the bit up to 6.9; 0: there was none, or it moved */
} type_names[PAGE_TYPE_COUNT] = {
	[PAGE_TYPE_BUDDY] = { "PGTY_buddy", "PG_buddy", "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", 0x80 },
	[PAGE_TYPE_OFFLINE] = { "PGTY_offline", "PG_offline",
				"NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", 0 },
	[PAGE_TYPE_TABLE] = { "PGTY_table", "PG_table", NULL, 0x200 },
	[PAGE_TYPE_GUARD] = { "PGTY_guard", "PG_guard", NULL, 0x400 },
	[PAGE_TYPE_HUGETLB] = { "PGTY_hugetlb", "PG_hugetlb",
				"NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)", 0 },
	[PAGE_TYPE_SLAB] = { "PGTY_slab", "PG_slab", "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)", 0 },
	[PAGE_TYPE_LARGE_KMALLOC] = { "PGTY_large_kmalloc", NULL, NULL, 0 },
	[PAGE_TYPE_ZSMALLOC] = { "PGTY_zsmalloc", "PG_zsmalloc", NULL, 0 },
	[PAGE_TYPE_UNACCEPTED] = { "PGTY_unaccepted", "PG_unaccepted", NULL, 0 },
};

static const char *const flag_names[PAGE_FLAG_COUNT] = {
	[PAGE_FLAG_HEAD] = "PG_head",
	[PAGE_FLAG_SLAB] = "PG_slab",
	[PAGE_FLAG_RESERVED] = "PG_reserved",
	[PAGE_FLAG_LRU] = "PG_lru",
	[PAGE_FLAG_SWAPBACKED] = "PG_swapbacked",
	[PAGE_FLAG_SWAPCACHE] = "PG_swapcache",
};

static void find_top_byte_types(struct session *s, struct page_layout *layout)
{
	int64_t value;

	layout->type_in_top_byte = true;
	for (unsigned i = 0; i < PAGE_TYPE_COUNT; i++) {
		if (types_enumerator(s->types, type_names[i].top, &value) && value > 0 &&
		    value <= UINT8_MAX)
			layout->type[i] = (uint32_t)value;
	}
}

/* VMCOREINFO has the whole word of such a page: ones less the type's bit. */
static uint32_t told_type(struct session *s, const char *key)
{
	int64_t value;

	if (!key || !dump_vmcoreinfo_number(s->dump, key, &value))
		return 0;
	uint32_t bit = ~(uint32_t)value;
	return bit & (bit - 1) ? 0 : bit;
}

/* Before page->memcg_data (5.11) PG_kmemcg stood before the page tables' type. */
static uint32_t usual_type(struct session *s, enum page_type type)
{
	int64_t ignored;
	bool kmemcg = !types_enumerator(s->types, "MEMCG_DATA_KMEM", &ignored);

	return kmemcg && (type == PAGE_TYPE_TABLE || type == PAGE_TYPE_GUARD)
		       ? type_names[type].usual * 2
		       : type_names[type].usual;
}

static void find_cleared_bit_types(struct session *s, struct page_layout *layout)
{
	int64_t value;
	bool enumerated = types_enumerator(s->types, "PAGE_TYPE_BASE", &value);

	layout->type_base = enumerated ? (uint32_t)value : PAGE_TYPE_BASE_OLD;
	for (unsigned i = 0; i < PAGE_TYPE_COUNT; i++) {
		uint32_t bit = 0;
		/* PG_slab was a flag, PG_hugetlb an alias of one: small numbers are no types. */
		if (type_names[i].bit && types_enumerator(s->types, type_names[i].bit, &value) &&
		    value >= 0x80 && value <= UINT32_MAX)
			bit = (uint32_t)value;
		if (!bit)
			bit = told_type(s, type_names[i].vmcoreinfo);
		if (!bit && !enumerated)
			bit = usual_type(s, i);
		layout->type[i] = bit;
	}
}

bool page_type_is(const struct page_layout *layout, uint32_t value, enum page_type type)
{
	uint32_t wanted = layout->type[type];

	if (!wanted)
		return false;
	if (layout->type_in_top_byte)
		return value >> PAGE_TYPE_TOP_SHIFT == wanted;
	return (value & (layout->type_base | wanted)) == layout->type_base;
}

/* "PG_swapcache" is an alias and comes later in the enum: the first name of a bit is its own. */
static void find_flags(struct session *s, struct page_layout *layout)
{
	struct type type;
	const char *name;
	int64_t value;
	bool type_slab = layout->type[PAGE_TYPE_SLAB] != 0;

	for (unsigned i = 0; i < PAGE_FLAG_COUNT; i++) {
		layout->flag[i] = -1;
		if (types_enumerator(s->types, flag_names[i], &value) && value >= 0 &&
		    value < FLAG_BITS_MAX && !(i == PAGE_FLAG_SLAB && type_slab))
			layout->flag[i] = (int8_t)value;
	}
	if (!types_find(s->types, "enum pageflags", &type))
		return;
	for (unsigned i = 0; type_enumerator_at(type, i, &name, &value); i++) {
		if (strcmp(name, "__NR_PAGEFLAGS") == 0) {
			layout->flag_count = value > 0 ? (unsigned)value : 0;
			continue;
		}
		if (value >= 0 && value < PAGE_FLAG_NAMES && !layout->flag_name[value] &&
		    starts_with(name, "PG_"))
			layout->flag_name[value] = name + strlen("PG_");
	}
	if (!layout->flag_count || layout->flag_count > PAGE_FLAG_NAMES)
		layout->flag_count = PAGE_FLAG_NAMES;
}

/* The order of a compound page, as its first tail page has it. */
static void find_order(struct session *s, struct page_layout *layout)
{
	int64_t value;
	uint64_t page_size = layout->array.page_size;

	layout->order_mask = UINT8_MAX;
	layout->order = field_find(s, "folio", "_folio_order");
	if (!layout->order.known) {
		layout->order = field_find(s, "page", "compound_order");
		layout->order.offset += page_size;
	}
	/* Since 6.6 in the low byte of the tail's flags (folio_order(), include/linux/mm.h). */
	if (!layout->order.known)
		layout->order = field_find(s, "folio", "_flags_1.f|_flags_1");
	layout->dtor = field_find(s, "folio", "_folio_dtor");
	if (!layout->dtor.known) {
		layout->dtor = field_find(s, "page", "compound_dtor");
		layout->dtor.offset += page_size;
	}
	if (layout->dtor.known && types_enumerator(s->types, "HUGETLB_PAGE_DTOR", &value))
		layout->dtor_hugetlb = (uint64_t)value;
	else
		layout->dtor.known = false;
	if (!layout->type[PAGE_TYPE_HUGETLB] && !layout->dtor.known &&
	    types_enumerator(s->types, "PG_hugetlb", &value) && value >= 0 &&
	    value < FLAG_BITS_MAX) {
		layout->hugetlb_by_flag = true;
		layout->hugetlb_bit = (unsigned)value;
	}
}

static void find_members(struct session *s, struct page_layout *layout)
{
	int64_t value;

	layout->flags = field_find(s, "page", "flags.f|flags");
	layout->compound_head = field_find(s, "page", "compound_info|compound_head");
	layout->mapping = field_find(s, "page", "mapping");
	layout->index = field_find(s, "page", "index|__folio_index");
	layout->private = field_find(s, "page", "private");
	layout->mapcount = field_find(s, "page", "_mapcount.counter");
	layout->refcount = field_find(s, "page", "_refcount.counter|_count.counter");
	layout->page_type = field_find(s, "page", "page_type|_mapcount.counter");
	layout->page_type.is_signed = false;
	layout->slab_cache = field_find(s, "slab", "slab_cache");
	if (!layout->slab_cache.known)
		layout->slab_cache = field_find(s, "page", "slab_cache");
	/* Since 6.17 movable pages are told by a flag and their type, and bit 1 is part of KSM's. */
	layout->mapping_movable = !types_enumerator(s->types, "PG_movable_ops", &value);
}

/* The bits are | node | zone | ... | flags | (include/linux/page-flags-layout.h). */
static void find_node_bits(struct session *s, struct page_layout *layout)
{
	struct member refs;
	int64_t zone_count;
	unsigned node_width = 0;

	if (!types_enumerator(s->types, "__MAX_NR_ZONES", &zone_count) || zone_count < 1 ||
	    zone_count > 8 ||
	    !types_member(s->types, "zonelist", "_zonerefs", &refs))
		return;
	/* One reference for each zone of each node that can be, and one that ends the list. */
	uint64_t count = type_array_length(type_strip(refs.type));
	uint64_t nodes = count ? (count - 1) / (uint64_t)zone_count : 0;
	if (!nodes || nodes & (nodes - 1) || nodes > 4096)
		return;
	while (UINT64_C(1) << node_width < nodes)
		node_width++;
	layout->zone_width = zone_count <= 1 ? 0 : zone_count <= 2 ? 1 : zone_count <= 4 ? 2 : 3;
	layout->node_shift = 64 - node_width;
	layout->zone_shift = layout->node_shift - layout->zone_width;
	layout->has_node_bits = true;
}

static void find_blocks(struct session *s, struct page_layout *layout)
{
	int64_t bits;
	struct type function;
	struct member area, parameter;

	if (types_member(s->types, "zone", "free_area", &area)) {
		uint64_t orders = type_array_length(type_strip(area.type));
		layout->max_order = orders && orders <= ZONE_ORDERS_MAX ? (unsigned)orders - 1 : 0;
	}
	layout->usage = field_find(s, "mem_section", "usage");
	layout->pageblock_flags = field_find(s, layout->usage.known ? "mem_section_usage" :
								      "mem_section",
					     "pageblock_flags");
	uint64_t offset;
	bool known = koffset(s, layout->usage.known ? "mem_section_usage" : "mem_section",
			     "pageblock_flags", &offset);
	layout->pageblock_flags.offset = offset;
	layout->block_bits = !known ? 0 : BLOCK_BITS_USUAL;
	layout->isolate_bit = layout->isolate_type = -1;
	if (known && types_enumerator(s->types, "__NR_PAGEBLOCK_BITS", &bits) && bits > 0 &&
	    bits <= 8) {
		layout->block_bits = bits > 4 ? 8 : 4;
		if (types_enumerator(s->types, "PB_migrate_isolate", &bits) && bits < 8)
			layout->isolate_bit = (int)bits;
		if (types_enumerator(s->types, "MIGRATE_ISOLATE", &bits))
			layout->isolate_type = (int)bits;
	}
	/* Blocks are huge pages where there are any, else the largest block of the buddy lists. */
	bool huge = types_sizeof(s->types, "hstate") != 0 || layout->max_order >= HUGE_ORDER;
	layout->block_order = huge ? HUGE_ORDER : layout->max_order;
	layout->block_reversed =
		types_function(s->types, "get_pfnblock_flags_mask", &function) &&
		type_member_at(function, 3, &parameter);
}

static void find_image(struct session *s, struct page_layout *layout)
{
	uint64_t start = s->symbols ? symbols_address(s->symbols, "_text") : 0;
	uint64_t end = s->symbols ? symbols_address(s->symbols, "_end") : 0;
	struct paddr paddr;

	if (!start || end <= start || end - start > s->arch->image_size_max ||
	    memory_vtop(s->memory, start, &paddr) != READ_OK)
		return;
	layout->image_vaddr = start;
	layout->image_start = paddr.v >> PAGE_SHIFT;
	layout->image_end = (paddr.v + (end - start) + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

static void destroy_layout(void *data)
{
	struct page_layout *layout = data;

	map_deinit(&layout->pcp);
	free(layout);
}

static struct page_layout *make_layout(struct session *s)
{
	struct page_layout *layout = xcalloc(1, sizeof(*layout));
	int64_t value;

	if (!page_array_find(s, &layout->array)) {
		session_problem(s, "the array of struct page cannot be found");
		return layout;
	}
	find_members(s, layout);
	if (types_enumerator(s->types, "PGTY_buddy", &value))
		find_top_byte_types(s, layout);
	else
		find_cleared_bit_types(s, layout);
	find_flags(s, layout);
	find_order(s, layout);
	find_node_bits(s, layout);
	page_sections_find(s, layout);
	find_blocks(s, layout);
	find_image(s, layout);
	return layout;
}

const struct page_layout *page_layout(struct session *s)
{
	struct page_layout *layout = s->slot[SLOT_PAGES].data;

	size_t ignored;

	if (!layout) {
		layout = make_layout(s);
		/* What looking at a page needs is there before several threads may look. */
		(void)zones(s, &ignored);
		s->slot[SLOT_PAGES].data = layout;
		s->slot[SLOT_PAGES].destroy = destroy_layout;
		if (layout->array.valid)
			page_gather_pcp(s, layout);
	}
	return layout->array.valid ? layout : NULL;
}

const struct page_array *page_array(struct session *s)
{
	(void)page_layout(s);
	return &((const struct page_layout *)s->slot[SLOT_PAGES].data)->array;
}

void page_flags_text(struct session *s, uint64_t flags, char *buf, size_t size)
{
	const struct page_layout *layout = page_layout(s);
	size_t length = 0;

	if (size)
		buf[0] = '\0';
	for (unsigned bit = 0; layout && bit < layout->flag_count; bit++) {
		if (!(flags >> bit & 1) || length >= size)
			continue;
		const char *name = layout->flag_name[bit];
		char number[16];
		snprintf(number, sizeof(number), "bit%u", bit);
		length += (size_t)snprintf(buf + length, size - length, "%s%s", length ? "," : "",
					   name ? name : number);
	}
}
