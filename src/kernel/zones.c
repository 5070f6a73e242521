// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Nodes, zones and their free pages (include/linux/mmzone.h).
 *
 * node_data[] points to a struct pglist_data for each node (kernels without NUMA have the one
 * contig_page_data), which holds its zones. A zone keeps free pages twice: blocks of 2^order pages
 * in free_area[order].free_list[migrate type], and for each CPU a few single ones (since 5.13 also
 * small blocks) in per_cpu_pages.lists[], which look like pages in use but have no reference.
 * lists[] is indexed by order * MIGRATE_PCPTYPES + migrate type up to order 3; behind those stand
 * one or two lists of huge pages.
 */
#include "kernel/zones.h"

#include <string.h>

#include "base/vec.h"
#include "kernel/cpus.h"
#include "kernel/page_layout.h"

enum {
	NODES_MAX = 1024,          /* NODES_SHIFT is at most 10 on x86-64 */
	ZONES_PER_NODE_MAX = 8,
	PCP_PAGES_MAX = 1 << 20,   /* on one list */
	PCP_LISTS_MAX = 64,
	PCP_ORDERS = 4,            /* PAGE_ALLOC_COSTLY_ORDER + 1 */
	HUGE_ORDER = 9,
};

struct zone_list {
	struct zone_info *data;
	size_t count, capacity;
};

static void destroy_zones(void *data)
{
	struct zone_list *list = data;

	vec_deinit(list);
	free(list);
}

/* The watermarks, under the name that they had: watermark[] until 4.19. */
static void read_watermarks(struct session *s, struct zone_info *zone)
{
	uint64_t offset;

	if (!koffset(s, "zone", "_watermark|watermark", &offset))
		return;
	zone->has_watermarks = true;
	for (unsigned i = 0; i < array_size(zone->watermark); i++)
		zone->has_watermarks &= memory_u64(s->memory, zone->address + offset + i * 8ul,
						   &zone->watermark[i]) == READ_OK;
}

static void add_zone(struct session *s, struct zone_list *list, uint64_t pgdat, int node,
		     unsigned index, uint64_t address)
{
	struct zone_info zone = {
		.address = address, .pgdat = pgdat, .node = node, .index = index
	};

	if (!kread(s, address, "zone", "zone_start_pfn", &zone.start_pfn) ||
	    !kread(s, address, "zone", "spanned_pages", &zone.spanned)) {
		session_problem(s, "zone %u of node %d is not in the dump", index, node);
		return;
	}
	kread(s, address, "zone", "present_pages", &zone.present);
	kread(s, address, "zone", "managed_pages.counter|managed_pages", &zone.managed);
	kread_string(s, address, "zone", "name", zone.name, sizeof(zone.name));
	read_watermarks(s, &zone);
	vec_push(list, zone);
}

static void add_node(struct session *s, struct zone_list *list, uint64_t pgdat, int node)
{
	uint64_t offset, count = 0, size = types_sizeof(s->types, "zone");

	if (!size || !koffset(s, "pglist_data", "node_zones", &offset))
		return;
	if (!kread(s, pgdat, "pglist_data", "nr_zones", &count) || !count ||
	    count > ZONES_PER_NODE_MAX) {
		session_problem(s, "the zones of node %d cannot be read", node);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		add_zone(s, list, pgdat, node, i, pgdat + offset + i * size);
}

static void read_zones(struct session *s, struct zone_list *list)
{
	uint64_t nodes = 1, pgdat;
	uint64_t table = s->symbols ? symbols_address(s->symbols, "node_data") : 0;

	if (!table) {
		pgdat = s->symbols ? symbols_address(s->symbols, "contig_page_data") : 0;
		if (pgdat)
			add_node(s, list, pgdat, 0);
		return;
	}
	if (!kglobal(s, "nr_node_ids", 4, &nodes) || !nodes || nodes > NODES_MAX)
		nodes = 1;
	for (unsigned i = 0; i < nodes; i++) {
		if (memory_u64(s->memory, table + i * 8ul, &pgdat) == READ_OK && pgdat)
			add_node(s, list, pgdat, (int)i);
	}
}

const struct zone_info *zones(struct session *s, size_t *count)
{
	struct zone_list *list = s->slot[SLOT_ZONES].data;

	if (!list) {
		list = xcalloc(1, sizeof(*list));
		s->slot[SLOT_ZONES].data = list;
		s->slot[SLOT_ZONES].destroy = destroy_zones;
		read_zones(s, list);
	}
	*count = list->count;
	return list->data;
}

const struct zone_info *zone_of_pfn(struct session *s, uint64_t pfn)
{
	size_t count;
	const struct zone_info *all = zones(s, &count), *found = NULL;

	for (size_t i = 0; i < count; i++) {
		if (pfn - all[i].start_pfn >= all[i].spanned)
			continue;
		if (found)
			return NULL; /* nodes may overlap */
		found = &all[i];
	}
	return found;
}

/* --- Free blocks. --- */

unsigned zone_orders(struct session *s)
{
	struct member area;
	uint64_t orders = types_member(s->types, "zone", "free_area", &area)
				  ? type_array_length(type_strip(area.type)) : 0;

	return orders <= ZONE_ORDERS_MAX ? (unsigned)orders : ZONE_ORDERS_MAX;
}

unsigned zone_migrate_types(struct session *s)
{
	struct member lists;
	uint64_t types = types_member(s->types, "free_area", "free_list", &lists)
				 ? type_array_length(type_strip(lists.type)) : 0;

	return types <= ZONE_TYPES_MAX ? (unsigned)types : ZONE_TYPES_MAX;
}

static uint64_t free_area(struct session *s, const struct zone_info *zone, unsigned order)
{
	uint64_t offset, size = types_sizeof(s->types, "free_area");

	return size && order < zone_orders(s) && koffset(s, "zone", "free_area", &offset)
		       ? zone->address + offset + order * size : 0;
}

bool zone_free_count(struct session *s, const struct zone_info *zone, unsigned order,
		     uint64_t *blocks)
{
	uint64_t area = free_area(s, zone, order);

	*blocks = 0;
	return area && kread(s, area, "free_area", "nr_free", blocks);
}

struct block_walk {
	struct session *session;
	const struct zone_info *zone;
	zone_block_fn fn;
	void *ctx;
};

static bool free_block(void *ctx, uint64_t page)
{
	struct block_walk *walk = ctx;
	uint64_t pfn;

	if (!pfn_of_page(walk->session, page, &pfn)) {
		session_problem(walk->session, "a list of free pages of zone %s is damaged: it "
				"leads to %016lx, which is no struct page", walk->zone->name,
				(unsigned long)page);
		return false;
	}
	return walk->fn(walk->ctx, pfn);
}

void zone_free_list(struct session *s, const struct zone_info *zone, unsigned order,
		    unsigned migrate_type, zone_block_fn fn, void *ctx)
{
	struct block_walk walk = { s, zone, fn, ctx };
	uint64_t area = free_area(s, zone, order), lists;

	if (area && migrate_type < zone_migrate_types(s) &&
	    koffset(s, "free_area", "free_list", &lists))
		klist_each(s, area + lists + migrate_type * 16ul, "page", "buddy_list|lru",
			   "a list of free pages", free_block, &walk);
}

/* --- Free pages on CPUs' lists. --- */

struct pcp_walk {
	struct session *session;
	struct page_layout *layout;
	uint64_t lists, lru, per_order;
	unsigned list_count;
};

static void gather_list(const struct pcp_walk *walk, uint64_t head, unsigned order)
{
	struct session *s = walk->session;
	uint64_t at, pfn;

	if (memory_u64(s->memory, head, &at) != READ_OK)
		return;
	for (unsigned i = 0; at != head && i < PCP_PAGES_MAX; i++) {
		if (!pfn_of_page(s, at - walk->lru, &pfn)) {
			session_problem(s, "a CPU's list of free pages is damaged: it leads to "
					"%016lx", (unsigned long)at);
			return;
		}
		/* Been here: the list does not lead back to its head. */
		if (!map_set(&walk->layout->pcp, pfn, order + 1))
			return;
		for (uint64_t n = 1; n < UINT64_C(1) << order; n++)
			map_set(&walk->layout->pcp, pfn + n, 1);
		if (memory_u64(s->memory, at, &at) != READ_OK)
			return;
	}
}

static void gather_cpu(const struct pcp_walk *walk, uint64_t pages)
{
	for (unsigned i = 0; i < walk->list_count; i++) {
		uint64_t order = i / walk->per_order;
		gather_list(walk, pages + walk->lists + i * 16ul,
			    order < PCP_ORDERS ? (unsigned)order : HUGE_ORDER);
	}
}

/* Where in a zone the lists hang: struct per_cpu_pages itself since 5.14. */
static bool pcp_members(struct session *s, const char **member, uint64_t *inner)
{
	uint64_t ignored;

	*inner = 0;
	*member = "per_cpu_pageset";
	if (koffset(s, "zone", "per_cpu_pageset", &ignored))
		return true;
	*member = "pageset";
	return koffset(s, "zone", "pageset", &ignored) &&
	       koffset(s, "per_cpu_pageset", "pcp", inner);
}

void page_gather_pcp(struct session *s, struct page_layout *layout)
{
	struct pcp_walk walk = { .session = s, .layout = layout };
	struct member lists;
	const char *member;
	uint64_t inner, sets;
	int64_t types;
	size_t zone_count, cpu_count;

	if (!types_member(s->types, "per_cpu_pages", "lists", &lists) ||
	    !koffset(s, "page", "lru", &walk.lru) || !pcp_members(s, &member, &inner) ||
	    !types_enumerator(s->types, "MIGRATE_PCPTYPES", &types) || types < 1)
		return;
	walk.lists = lists.offset;
	walk.per_order = (uint64_t)types;
	walk.list_count = (unsigned)min_u64(type_array_length(type_strip(lists.type)),
					    PCP_LISTS_MAX);
	const struct cpu *cpu = cpus(s, &cpu_count);
	const struct zone_info *zone = zones(s, &zone_count);
	for (size_t i = 0; i < zone_count; i++) {
		if (!zone[i].managed || !kread(s, zone[i].address, "zone", member, &sets))
			continue;
		for (size_t n = 0; n < cpu_count; n++)
			gather_cpu(&walk, sets + inner + cpu[n].percpu_offset);
	}
	layout->pcp_gathered = true;
}
