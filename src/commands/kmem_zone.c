// SPDX-License-Identifier: LGPL-2.1-or-later
/* kmem -f, -F, -z, -n: free lists, zones, nodes and sections of memory. */
#include <inttypes.h>
#include <stdio.h>

#include "commands/kmem.h"
#include "kernel/memory_blocks.h"
#include "kernel/pages.h"
#include "kernel/vmstat.h"
#include "kernel/zones.h"

static const struct column area_columns[] = {
	{ .key = "order", .title = "ORDER", .right = true },
	{ .key = "migrate_type", .title = "TYPE", .style = STYLE_STRONG },
	{ .key = "block_size", .title = "BLOCK", .right = true },
	{ .key = "blocks", .title = "BLOCKS", .right = true },
	{ .key = "pages", .title = "PAGES", .right = true },
};

static const struct column block_columns[] = {
	{ .key = "page", .title = "PAGE" },
	{ .key = "phys", .title = "PHYSICAL" },
};

static const struct column zone_columns[] = {
	{ .key = "node", .title = "NODE", .right = true },
	{ .key = "zone", .title = "ZONE", .style = STYLE_STRONG },
	{ .key = "address", .title = "ADDRESS" },
	{ .key = "start_pfn", .title = "START_PFN", .right = true },
	{ .key = "spanned", .title = "SPANNED", .right = true },
	{ .key = "present", .title = "PRESENT", .right = true },
	{ .key = "managed", .title = "MANAGED", .right = true },
	{ .key = "free", .title = "FREE", .right = true },
	{ .key = "min", .title = "MIN", .right = true },
	{ .key = "low", .title = "LOW", .right = true },
	{ .key = "high", .title = "HIGH", .right = true },
};

static const struct column node_columns[] = {
	{ .key = "node", .title = "NODE", .right = true },
	{ .key = "pgdat", .title = "PGLIST_DATA" },
	{ .key = "start_pfn", .title = "START_PFN", .right = true },
	{ .key = "spanned", .title = "SPANNED", .right = true },
	{ .key = "present", .title = "PRESENT", .right = true },
};

static const struct column section_columns[] = {
	{ .key = "number", .title = "NR", .right = true },
	{ .key = "section", .title = "SECTION" },
	{ .key = "mem_map", .title = "CODED_MEM_MAP" },
	{ .key = "first_page", .title = "MEM_MAP" },
	{ .key = "start_pfn", .title = "PFN", .right = true },
	{ .key = "state", .title = "STATE" },
};

static const struct column counter_columns[] = {
	{ .key = "name", .title = "" },
	{ .key = "value", .title = "", .right = true },
};

static const struct column block_state_columns[] = {
	{ .key = "number", .title = "NR", .right = true },
	{ .key = "memory_block", .title = "MEMORY_BLOCK" },
	{ .key = "name", .title = "NAME", .style = STYLE_STRONG },
	{ .key = "start", .title = "START", .right = true },
	{ .key = "end", .title = "END", .right = true },
	{ .key = "node", .title = "NODE", .right = true },
	{ .key = "state", .title = "STATE" },
	{ .key = "start_section", .title = "START_SECTION_NR", .right = true },
};

static const char *size_text(uint64_t bytes, char *buf, size_t size)
{
	snprintf(buf, size, "%" PRIu64 "k", bytes >> 10);
	return buf;
}

/* --- -f, -F. --- */

struct list_count {
	struct command_args *args;
	uint64_t blocks;
	bool show; /* each block */
};

static bool count_block(void *ctx, uint64_t pfn)
{
	struct list_count *count = ctx;

	count->blocks++;
	if (count->show)
		doc_row(count->args->doc, cell_address(page_of_pfn(count->args->session, pfn)),
			cell_hex(pfn << PAGE_SHIFT));
	return !session_stopped(count->args->session);
}

/* The lists of one order; returns how many blocks are on them. */
static uint64_t add_order(struct command_args *args, const struct zone_info *zone, unsigned order,
			  bool show)
{
	struct session *s = args->session;
	uint64_t sum = 0;

	for (unsigned type = 0; type < zone_migrate_types(s); type++) {
		struct list_count count = { .args = args };
		char number[16], size[24];
		const char *name = page_migrate_name(s, (int)type);

		snprintf(number, sizeof(number), "type %u", type);
		zone_free_list(s, zone, order, type, count_block, &count);
		sum += count.blocks;
		if (!count.blocks)
			continue;
		uint64_t bytes = (uint64_t)PAGE_SIZE << order;
		doc_row(args->doc, cell_udec(order), cell_str(name ? name : number),
			cell_shown(cell_udec(bytes), size_text(bytes, size, sizeof(size))),
			cell_udec(count.blocks), cell_udec(count.blocks << order));
		if (!show)
			continue;
		doc_detail(args->doc);
		doc_table(args->doc, "list", block_columns, array_size(block_columns));
		count.show = true;
		zone_free_list(s, zone, order, type, count_block, &count);
		doc_end(args->doc);
		doc_end(args->doc);
	}
	return sum;
}

static void add_zone_lists(struct command_args *args, const struct zone_info *zone, bool show)
{
	struct doc *doc = args->doc;
	struct session *s = args->session;
	uint64_t pages = 0, told;

	doc_record(doc, NULL, NULL);
	doc_heading(doc, "NODE %d  ZONE %s", zone->node, zone->name);
	doc_field(doc, "node", NULL, cell_dec(zone->node));
	doc_field(doc, "zone", NULL, cell_str(zone->name));
	doc_field(doc, "address", NULL, cell_address(zone->address));
	doc_field(doc, "managed", NULL, cell_udec(zone->managed));
	doc_table(doc, "areas", area_columns, array_size(area_columns));
	for (unsigned order = 0; order < zone_orders(s); order++) {
		uint64_t blocks = add_order(args, zone, order, show);
		pages += blocks << order;
		if (!zone_free_count(s, zone, order, &told))
			doc_remark(doc, REMARK_HOLE, "zone %s: how many blocks of order %u it has "
				   "is not in the dump", zone->name, order);
		else if (told != blocks)
			doc_remark(doc, REMARK_NOTE, "zone %s counts %" PRIu64 " blocks of order %u, "
				   "but %" PRIu64 " are on its lists", zone->name, told, order,
				   blocks);
	}
	doc_end(doc);
	doc_field(doc, "free_pages", "FREE PAGES", cell_udec(pages));
	doc_end(doc);
}

static struct error *free_lists(struct command_args *args, bool show)
{
	struct session *s = args->session;
	size_t count;
	const struct zone_info *all = zones(s, &count);

	if (!count)
		return error_new(ERROR_MISSING, "the zones cannot be found in this dump");
	doc_array(args->doc, "free", NULL);
	for (size_t i = 0; i < count && !session_stopped(s); i++) {
		if (all[i].managed)
			add_zone_lists(args, &all[i], show);
	}
	doc_end(args->doc);
	return NULL;
}

struct error *kmem_free(struct command_args *args, const struct options *options)
{
	return options->word_count ? kmem_free_blocks(args, options) : free_lists(args, false);
}

struct error *kmem_free_pages(struct command_args *args, const struct options *options)
{
	return options->word_count ? kmem_free_blocks(args, options) : free_lists(args, true);
}

/* --- -z, -n. --- */

static bool zone_free_pages(struct session *s, const struct zone_info *zone, uint64_t *pages)
{
	uint64_t blocks;

	*pages = 0;
	for (unsigned order = 0; order < zone_orders(s); order++) {
		if (!zone_free_count(s, zone, order, &blocks))
			return false;
		*pages += blocks << order;
	}
	return true;
}

static void add_zones(struct command_args *args)
{
	struct session *s = args->session;
	size_t count;
	const struct zone_info *all = zones(s, &count), *zone;
	uint64_t free;

	doc_table(args->doc, "zones", zone_columns, array_size(zone_columns));
	for (zone = all; count && zone < all + count; zone++) {
		bool known = zone_free_pages(s, zone, &free);
		bool marks = zone->has_watermarks;
		doc_row(args->doc, cell_dec(zone->node), cell_str(zone->name),
			cell_address(zone->address), cell_hex(zone->start_pfn),
			cell_udec(zone->spanned), cell_udec(zone->present),
			cell_udec(zone->managed), known ? cell_udec(free) : cell_none(),
			marks ? cell_udec(zone->watermark[0]) : cell_none(),
			marks ? cell_udec(zone->watermark[1]) : cell_none(),
			marks ? cell_udec(zone->watermark[2]) : cell_none());
	}
	doc_end(args->doc);
}

static void add_counter(void *ctx, const char *name, uint64_t value)
{
	doc_row(ctx, cell_str(name), cell_udec(value));
}

/* What a zone counts, zones without pages left out. */
static void add_zone_counters(struct command_args *args, const struct zone_info *zone)
{
	struct doc *doc = args->doc;

	doc_record(doc, NULL, NULL);
	doc_heading(doc, "NODE %d  ZONE %s", zone->node, zone->name);
	doc_field(doc, "node", NULL, cell_dec(zone->node));
	doc_field(doc, "zone", NULL, cell_str(zone->name));
	doc_table(doc, "values", counter_columns, array_size(counter_columns));
	doc_bare(doc);
	if (!vm_zone_counters_each(args->session, zone->address, add_counter, doc))
		doc_remark(doc, REMARK_HOLE, "zone %s: its counters are not in the dump",
			   zone->name);
	doc_end(doc);
	doc_end(doc);
}

struct error *kmem_zones(struct command_args *args, const struct options *options unused_arg)
{
	size_t count;
	const struct zone_info *all = zones(args->session, &count);

	if (!count)
		return error_new(ERROR_MISSING, "the zones cannot be found in this dump");
	add_zones(args);
	doc_array(args->doc, "zone_counters", NULL);
	for (size_t i = 0; i < count; i++) {
		if (all[i].managed)
			add_zone_counters(args, &all[i]);
	}
	doc_end(args->doc);
	return NULL;
}

static struct cell number_of(struct session *s, uint64_t pgdat, const char *member, bool hex)
{
	uint64_t value;

	if (!kread(s, pgdat, "pglist_data", member, &value))
		return cell_none();
	return hex ? cell_hex(value) : cell_udec(value);
}

static bool add_section(void *ctx, const struct page_section *section)
{
	struct command_args *args = ctx;
	char state[64];

	snprintf(state, sizeof(state), "%s%s%s%s%s", section->present ? "P" : "",
		 section->has_map ? "M" : "", section->online ? "O" : "",
		 section->early ? "E" : "", section->device ? "D" : "");
	doc_row(args->doc, cell_udec(section->number), cell_address(section->address),
		cell_address(section->mem_map),
		cell_address(page_of_pfn(args->session, section->start_pfn)),
		cell_hex(section->start_pfn), cell_str(state));
	return !session_stopped(args->session);
}

/* Of a kernel that can plug memory, see kernel/memory_blocks.h. */
static bool add_memory_block(void *ctx, const struct memory_block *block)
{
	struct command_args *args = ctx;
	char name[32];

	snprintf(name, sizeof(name), "memory%" PRIu64, block->id);
	doc_row(args->doc, cell_udec(block->id), cell_address(block->address), cell_str(name),
		cell_hex(block->start.v), block->size ? cell_hex(block->start.v + block->size)
						      : cell_none(),
		block->node_known ? cell_dec(block->node) : cell_none(), cell_str(block->state),
		cell_udec(block->start_section));
	return !session_stopped(args->session);
}

static void add_memory_blocks(struct command_args *args)
{
	struct walk_trouble trouble = { 0 };

	if (!memory_blocks_known(args->session))
		return;
	doc_table(args->doc, "memory_blocks", block_state_columns,
		  array_size(block_state_columns));
	memory_blocks_each(args->session, add_memory_block, args, &trouble);
	doc_end(args->doc);
	if (trouble.count)
		doc_remark(args->doc, REMARK_HOLE, "memory blocks: %s", trouble.text);
}

struct error *kmem_nodes(struct command_args *args, const struct options *options)
{
	struct session *s = args->session;
	size_t count;
	const struct zone_info *all = zones(s, &count);

	if (!count)
		return kmem_zones(args, options);
	doc_table(args->doc, "nodes", node_columns, array_size(node_columns));
	for (size_t i = 0; i < count; i++) {
		if (i && all[i].pgdat == all[i - 1].pgdat)
			continue;
		doc_row(args->doc, cell_dec(all[i].node), cell_address(all[i].pgdat),
			number_of(s, all[i].pgdat, "node_start_pfn", true),
			number_of(s, all[i].pgdat, "node_spanned_pages", false),
			number_of(s, all[i].pgdat, "node_present_pages", false));
	}
	doc_end(args->doc);
	add_zones(args);
	doc_table(args->doc, "sections", section_columns, array_size(section_columns));
	page_sections_each(s, add_section, args);
	doc_end(args->doc);
	add_memory_blocks(args);
	return NULL;
}
