// SPDX-License-Identifier: LGPL-2.1-or-later
/* kmem ADDRESS, -p, -g: whose memory an address is, rows of the page array, page flags. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "base/strbuf.h"
#include "commands/kmem.h"
#include "commands/kmem_slab.h"
#include "forensics/whatis.h"
#include "kernel/mappings.h"
#include "kernel/pages.h"
#include "kernel/slab.h"
#include "kernel/vmalloc.h"
#include "kernel/zones.h"

enum { FLAGS_TEXT = 512, PATH_TEXT = 1024, MEMBERS_MAX = 16, ROWS_MAX = 1 << 22, FLAG_BITS = 64,
       PART_PAGES = 1 << 15 };

/* --- What an address names. --- */

struct target {
	uint64_t address; /* as given */
	uint64_t vaddr;   /* kernel address to look up; 0: none */
	bool has_pfn;
	uint64_t pfn;
};

static bool is_physical(struct session *s, uint64_t address)
{
	uint64_t end = max_u64(page_array(s)->max_pfn, dump_info(s->dump)->max_pfn);

	return address >> PAGE_SHIFT < end;
}

/*
 * A kernel address, the address of (or into) a struct page, a physical address, "pfn:NUMBER"; with
 * @physical no doubt is left.
 */
static struct error *find_target(struct session *s, const char *word, bool physical,
				 struct target *target)
{
	const struct page_array *array = page_array(s);
	struct error *err = NULL;
	struct paddr paddr;
	uint64_t pfn;

	*target = (struct target){ 0 };
	if (starts_with(word, "pfn:")) {
		if (!parse_hex(word + strlen("pfn:"), &pfn) || pfn > UINT64_MAX >> PAGE_SHIFT)
			return error_new(ERROR_USAGE, "%s: no number of a page frame", word);
		target->address = pfn << PAGE_SHIFT;
		physical = true;
	} else {
		err = parse_address(s, word, &target->address);
	}
	if (err)
		return err;
	uint64_t address = target->address;
	uint64_t page = array->valid && address >= array->vmemmap
				? address - (address - array->vmemmap) % array->page_size : 0;
	if (physical && !is_physical(s, address))
		return error_new(ERROR_NOT_FOUND, "%s: this machine's memory ends before it", word);
	if (!physical && page && pfn_of_page(s, page, &target->pfn)) {
		target->has_pfn = true;
		target->vaddr = direct_map_of(s, (struct paddr){ target->pfn << PAGE_SHIFT });
	} else if (!physical && s->arch->is_kernel_address(address)) {
		target->vaddr = address;
		target->has_pfn = direct_map_to_phys(s, address, &paddr) ||
				  memory_vtop(s->memory, address, &paddr) == READ_OK;
		target->pfn = target->has_pfn ? paddr.v >> PAGE_SHIFT : 0;
	} else if (is_physical(s, address)) {
		target->has_pfn = true;
		target->pfn = address >> PAGE_SHIFT;
		target->vaddr = direct_map_of(s, (struct paddr){ address });
	} else {
		return error_new(ERROR_NOT_FOUND, "%" PRIx64 " is no address of the kernel, no "
				 "physical address and no struct page", address);
	}
	return NULL;
}

/* --- kmem ADDRESS. --- */

static void add_slab(struct command_args *args, uint64_t address)
{
	struct doc *doc = args->doc;
	struct slab_object object;

	if (!address || !slab_object_at(args->session, address, &object) || !object.slab.cache)
		return;
	doc_record(doc, "slab", NULL);
	doc_field_styled(doc, "cache", "CACHE", STYLE_STRONG, cell_str(object.slab.cache->name));
	doc_field(doc, "cache_address", "KMEM_CACHE", cell_address(object.slab.cache->address));
	doc_field(doc, "slab", "SLAB", object.slab.page ? cell_address(object.slab.page)
							: cell_none());
	doc_field(doc, "object", "OBJECT", cell_address(object.address));
	doc_field(doc, "size", "SIZE", cell_udec(object.slab.cache->object_size));
	doc_field(doc, "offset", "OFFSET", cell_dec((int64_t)object.offset));
	doc_field(doc, "state", "STATE", cell_str(slab_state_name(object.state)));
	doc_end(doc);
}

static void add_vmalloc(struct command_args *args, const struct target *target)
{
	struct session *s = args->session;
	struct doc *doc = args->doc;
	uint64_t vaddr = 0;
	char text[256];

	const struct vmalloc_area *area = vmalloc_area_at(s, target->vaddr);
	if (!area && target->has_pfn)
		area = vmalloc_area_of_pfn(s, target->pfn, &vaddr);
	if (!area)
		return;
	doc_record(doc, "vmalloc", NULL);
	doc_field(doc, "vmap_area", "VMAP_AREA", cell_address(area->vmap_area));
	doc_field(doc, "vm_struct", "VM_STRUCT", area->vm ? cell_address(area->vm) : cell_none());
	doc_field(doc, "start", "START", cell_address(area->start));
	doc_field(doc, "end", "END", cell_address(area->start + area->size));
	if (vaddr)
		doc_field(doc, "mapped_at", "MAPPED AT", cell_address(vaddr));
	text[0] = '\0';
	if (area->caller && s->symbols)
		symbols_format(s->symbols, area->caller, text, sizeof(text));
	doc_field(doc, "caller", "CALLER", area->incomplete ? cell_none() : cell_str(text));
	vmalloc_area_text(s, area, text, sizeof(text));
	doc_field(doc, "what", "WHAT", area->incomplete ? cell_none() : cell_str(text));
	doc_end(doc);
}

/* The path of the file whose page it is, and where in it. */
static void add_file(struct command_args *args, const struct page_info *info)
{
	uint64_t inode;
	char path[PATH_TEXT];

	if (!kread(args->session, info->owner, "address_space", "host", &inode) || !inode)
		return;
	bool known = inode_path(args->session, inode, path, sizeof(path));
	doc_field(args->doc, "inode", "INODE", cell_address(inode));
	doc_field(args->doc, "file", "FILE", known ? cell_str(path) : cell_none());
	doc_field(args->doc, "file_offset", "OFFSET", cell_hex(info->index << PAGE_SHIFT));
}

void add_page_record(struct command_args *args, uint64_t pfn)
{
	struct session *s = args->session;
	struct doc *doc = args->doc;
	struct page_info info;
	char flags[FLAGS_TEXT], shown[FLAGS_TEXT + 24];

	if (!page_info(s, pfn, &info))
		return;
	bool counted = info.kind != PAGE_KIND_BUDDY && info.kind != PAGE_KIND_PCP;
	doc_record(doc, "page", NULL);
	doc_field(doc, "page", "PAGE", cell_address(info.page));
	doc_field(doc, "physical", "PHYSICAL", cell_address(pfn << PAGE_SHIFT));
	doc_field_styled(doc, "kind", "KIND", STYLE_STRONG, cell_str(page_kind_name(info.kind)));
	doc_field(doc, "order", info.order ? "ORDER" : NULL, cell_udec(info.order));
	doc_field(doc, "head", info.head != info.page ? "HEAD" : NULL, cell_address(info.head));
	doc_field(doc, "mapping", info.mapping ? "MAPPING" : NULL, cell_address(info.mapping));
	doc_field(doc, "index", info.mapping ? "INDEX" : NULL, cell_hex(info.index));
	doc_field(doc, "refcount", counted ? "REFCOUNT" : NULL, cell_dec(info.refcount));
	doc_field(doc, "mapcount", info.mapcount ? "MAPCOUNT" : NULL, cell_dec(info.mapcount));
	page_flags_text(s, info.flags, flags, sizeof(flags));
	snprintf(shown, sizeof(shown), "0x%" PRIx64 " %s", info.flags, flags);
	doc_field(doc, "flags", "FLAGS", cell_shown(cell_hex(info.flags), shown));
	doc_field(doc, "flag_names", NULL, cell_str(flags));
	doc_field(doc, "node", "NODE", info.node >= 0 ? cell_dec(info.node) : cell_none());
	doc_field(doc, "zone", "ZONE", info.zone >= 0 ? cell_dec(info.zone) : cell_none());
	doc_field(doc, "migrate_type", "MIGRATE TYPE",
		  cell_str(page_migrate_name(s, info.migrate_type)));
	if (info.kind == PAGE_KIND_FILE)
		add_file(args, &info);
	doc_end(doc);
}

static struct error *add_address(struct command_args *args, const char *word, bool physical)
{
	struct session *s = args->session;
	struct target target;
	struct what what;

	struct error *err = find_target(s, word, physical, &target);
	if (err)
		return err;
	doc_record(args->doc, NULL, NULL);
	doc_field(args->doc, "address", "ADDRESS", cell_address(target.address));
	if (target.vaddr && target.vaddr != target.address)
		doc_field(args->doc, "virtual", "VIRTUAL", cell_address(target.vaddr));
	whatis(s, NULL, target.vaddr ? target.vaddr : target.address, &what);
	doc_field_styled(args->doc, "what", "WHAT", STYLE_STRONG,
			 cell_str(what.text[0] ? what.text : NULL));
	add_slab(args, target.vaddr);
	add_vmalloc(args, &target);
	if (target.has_pfn)
		add_page_record(args, target.pfn);
	doc_end(args->doc);
	return NULL;
}

struct error *kmem_addresses(struct command_args *args, const struct options *options)
{
	struct error *err = NULL;

	doc_array(args->doc, "addresses", NULL);
	for (int i = 0; i < options->word_count; i++) {
		err = add_address(args, options->words[i], options->set[KMEM_PHYSICAL]);
		if (err && options->word_count == 1)
			break;
		if (err)
			doc_remark(args->doc, REMARK_ERROR, "%s", err->message);
		error_free(err);
		err = NULL;
	}
	doc_end(args->doc);
	return err;
}

/* --- -p, -m. --- */

void add_missing_pages(struct doc *doc, uint64_t count)
{
	if (count)
		doc_remark(doc, REMARK_HOLE, "what %" PRIu64 " page frames are used for is not in the "
			   "dump", count);
}

static const struct column row_columns[] = {
	{ .key = "page", .title = "PAGE" },
	{ .key = "physical", .title = "PHYSICAL", .right = true },
	{ .key = "mapping", .title = "MAPPING", .right = true },
	{ .key = "index", .title = "INDEX", .right = true },
	{ .key = "count", .title = "CNT", .right = true },
	{ .key = "kind", .title = "KIND", .style = STYLE_STRONG },
	{ .key = "flags", .title = "FLAGS", .right = true },
	{ .key = "flag_names", .title = "" },
};

struct rows {
	struct command_args *args;
	const char *members[MEMBERS_MAX];
	struct column columns[2 + MEMBERS_MAX];
	unsigned member_count;
	uint64_t count;
	uint64_t flags; /* of the row before, by name */
	char flag_names[FLAGS_TEXT];
};

/* Counts are read in decimal. */
static bool is_count(const char *member)
{
	return starts_with(member, "_refcount") || starts_with(member, "_mapcount") ||
	       starts_with(member, "_count");
}

static bool add_members(struct rows *rows, const struct page_info *info)
{
	struct cell cells[2 + MEMBERS_MAX] = { cell_address(info->page) };
	struct cell values[MEMBERS_MAX];
	char shown[MEMBERS_MAX][24];
	uint64_t value;

	for (unsigned i = 0; i < rows->member_count; i++) {
		struct cell *cell = &cells[1 + i];
		values[i] = cell_none();
		if (!kread(rows->args->session, info->page, "page", rows->members[i], &value)) {
			*cell = cell_none();
			continue;
		}
		*cell = is_count(rows->members[i]) ? cell_dec((int32_t)value) : cell_hex(value);
		snprintf(shown[i], sizeof(shown[i]), "%" PRIx64, value);
		values[i] = cell_hex(value);
		if (cell->kind == CELL_HEX)
			cell->shown = shown[i];
	}
	cells[1 + rows->member_count] =
		cell_of_list(&(struct cell_list){ values, rows->member_count });
	doc_row_array(rows->args->doc, cells);
	return ++rows->count < ROWS_MAX && !session_stopped(rows->args->session);
}

static bool add_row(void *ctx, const struct page_info *info)
{
	struct rows *rows = ctx;

	if (rows->member_count)
		return add_members(rows, info);
	/* One page after the other has the same flags. */
	if (info->flags != rows->flags || !rows->count)
		page_flags_text(rows->args->session, info->flags, rows->flag_names,
				sizeof(rows->flag_names));
	rows->flags = info->flags;
	doc_row(rows->args->doc, cell_address(info->page), cell_hex(info->pfn << PAGE_SHIFT),
		cell_hex(info->mapping), cell_hex(info->index), cell_dec(info->refcount),
		cell_str(page_kind_name(info->kind)), cell_hex(info->flags),
		cell_str(rows->flag_names));
	return ++rows->count < ROWS_MAX && !session_stopped(rows->args->session);
}

static struct error *add_member(struct rows *rows, const char *name)
{
	if (rows->member_count == MEMBERS_MAX)
		return error_new(ERROR_USAGE, "more than %d members", MEMBERS_MAX);
	rows->members[rows->member_count++] = name;
	return NULL;
}

/* A member that is a number or pointer, or those of the struct that it is. */
static struct error *add_path(struct rows *rows, const char *path)
{
	struct session *s = rows->args->session;
	struct error *err = NULL;
	struct member member, part;

	if (!types_member(s->types, "page", path, &member))
		return error_new(ERROR_NOT_FOUND, "struct page has no member %s", path);
	enum type_kind kind = type_kind(type_strip(member.type));
	if (kind == TYPE_ARRAY)
		return error_new(ERROR_USAGE, "%s is an array: name one of its elements", path);
	bool is_struct = kind == TYPE_STRUCT || kind == TYPE_UNION;
	/* atomic_t and the like are numbers to whoever reads them. */
	if (!is_struct || !type_member_at(type_strip(member.type), 1, &part))
		return add_member(rows, path);
	for (unsigned i = 0; !err && type_member_at(type_strip(member.type), i, &part); i++) {
		size_t size = strlen(path) + strlen(part.name) + 2;
		char *full = arena_alloc(&s->arena, size);
		snprintf(full, size, "%s.%s", path, part.name);
		if (part.name[0])
			err = add_path(rows, full);
	}
	return err;
}

/* The members of "flags,lru.next", as literals that live as long as the types (see types_member). */
static struct error *split_members(struct command_args *args, const char *text, struct rows *rows)
{
	struct error *err = NULL;

	while (text && *text && !err) {
		size_t length = strcspn(text, ",");
		err = add_path(rows, arena_strndup(&args->session->arena, text, length));
		text += length + (text[length] == ',');
	}
	rows->columns[0] = (struct column){ .key = "page", .title = "PAGE" };
	for (unsigned i = 0; i < rows->member_count; i++)
		rows->columns[1 + i] = (struct column){ .key = rows->members[i],
							.title = rows->members[i], .right = true };
	rows->columns[1 + rows->member_count] = (struct column){ .key = "values" };
	return err;
}

/*
 * All pages, described by all cores some thousands at a time, and then put into the table in order.
 */
struct described {
	struct session *session;
	uint64_t from;
	struct {
		struct page_info *pages;
		size_t count;
		uint64_t missing;
	} *parts;
};

static bool describe_page(void *ctx, const struct page_info *info)
{
	struct page_info **next = ctx;

	*(*next)++ = *info;
	return true;
}

static void describe_part(void *ctx, unused_arg unsigned worker, size_t i)
{
	struct described *d = ctx;
	struct page_info *next = d->parts[i].pages;
	uint64_t from = d->from + i * PART_PAGES;

	d->parts[i].missing =
		pages_range(d->session, from, from + PART_PAGES, describe_page, &next);
	d->parts[i].count = (size_t)(next - d->parts[i].pages);
}

static bool add_part(struct rows *rows, const struct page_info *pages, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!add_row(rows, &pages[i]))
			return false;
	}
	return true;
}

static void add_all_rows(struct command_args *args, struct rows *rows)
{
	struct session *s = args->session;
	struct described d = { .session = s };
	size_t parts = parallel_workers();
	uint64_t missing = 0;
	bool more = true;

	d.parts = xcalloc(parts, sizeof(*d.parts));
	for (size_t i = 0; i < parts; i++)
		d.parts[i].pages = xmalloc(PART_PAGES * sizeof(*d.parts[i].pages));
	for (; more && d.from < page_array(s)->max_pfn && !session_stopped(s);
	     d.from += parts * PART_PAGES) {
		parallel_for(parts, s->stop, describe_part, &d);
		for (size_t i = 0; i < parts && more; i++) {
			more = add_part(rows, d.parts[i].pages, d.parts[i].count);
			missing += d.parts[i].missing;
		}
	}
	add_missing_pages(args->doc, missing);
	for (size_t i = 0; i < parts; i++)
		free(d.parts[i].pages);
	free(d.parts);
}

static struct error *add_rows(struct command_args *args, const struct options *options,
			      struct rows *rows)
{
	struct page_info info;
	struct target target;

	if (!options->word_count) {
		add_all_rows(args, rows);
		if (rows->count == ROWS_MAX)
			doc_remark(args->doc, REMARK_NOTE, "these are the first %d pages",
				   ROWS_MAX);
	}
	for (int i = 0; i < options->word_count; i++) {
		struct error *err = find_target(args->session, options->words[i],
						options->set[KMEM_PHYSICAL], &target);
		if (err)
			return err;
		if (target.has_pfn && page_info(args->session, target.pfn, &info))
			add_row(rows, &info);
		else
			doc_remark(args->doc, REMARK_HOLE, "%s: no struct page, or not in the dump",
				   options->words[i]);
	}
	return NULL;
}

struct error *kmem_pages(struct command_args *args, const struct options *options)
{
	struct rows *rows = arena_zalloc(&args->doc->arena, sizeof(*rows));

	rows->args = args;
	if (!page_array(args->session)->valid)
		return error_new(ERROR_MISSING, "the array of struct page cannot be found");
	struct error *err = split_members(args, options->value[KMEM_MEMBERS], rows);
	if (err)
		return err;
	if (rows->member_count)
		doc_table(args->doc, "page_members", rows->columns, 2 + rows->member_count);
	else
		doc_table(args->doc, "pages", row_columns, array_size(row_columns));
	err = add_rows(args, options, rows);
	doc_end(args->doc);
	return err;
}

/* --- -f ADDRESS. --- */

static const struct column free_columns[] = {
	{ .key = "address", .title = "ADDRESS" },
	{ .key = "physical", .title = "PHYSICAL", .right = true },
	{ .key = "free", .title = "FREE" },
	{ .key = "where", .title = "WHERE", .style = STYLE_STRONG },
	{ .key = "node", .title = "NODE", .right = true },
	{ .key = "order", .title = "ORDER", .right = true },
	{ .key = "migrate_type", .title = "TYPE" },
	{ .key = "block", .title = "BLOCK", .right = true },
	{ .key = "page", .title = "PAGE" },
	{ .key = "zone" },
};

static const char *zone_name(struct session *s, const struct page_info *info)
{
	size_t count;
	const struct zone_info *all = zones(s, &count);

	for (size_t i = 0; i < count; i++) {
		if (all[i].node == info->node && (int)all[i].index == info->zone)
			return all[i].name;
	}
	return NULL;
}

static void add_free_block(struct command_args *args, const struct target *target,
			   const struct page_info *info)
{
	struct session *s = args->session;
	bool buddy = info->kind == PAGE_KIND_BUDDY, free = buddy || info->kind == PAGE_KIND_PCP;
	const char *zone = zone_name(s, info);
	char where[64];

	if (free)
		snprintf(where, sizeof(where), "zone %s%s", zone ? zone : "?",
			 buddy ? "" : ", on a CPU's list");
	else
		snprintf(where, sizeof(where), "%s", page_kind_name(info->kind));
	doc_row(args->doc, cell_address(target->address), cell_hex(info->pfn << PAGE_SHIFT),
		cell_bool(free), cell_str(where), cell_dec(info->node),
		free ? cell_udec(info->order) : cell_shown(cell_none(), ""),
		free ? cell_str(page_migrate_name(s, info->migrate_type))
		     : cell_shown(cell_none(), ""),
		free ? cell_hex(info->head_pfn << PAGE_SHIFT) : cell_shown(cell_none(), ""),
		free ? cell_address(info->head) : cell_shown(cell_none(), ""), cell_str(zone));
}

struct error *kmem_free_blocks(struct command_args *args, const struct options *options)
{
	struct error *err = NULL;
	struct target target;
	struct page_info info;

	doc_table(args->doc, "free_blocks", free_columns, array_size(free_columns));
	for (int i = 0; i < options->word_count && !err; i++) {
		err = find_target(args->session, options->words[i], options->set[KMEM_PHYSICAL],
				  &target);
		if (err)
			break;
		if (target.has_pfn && page_info(args->session, target.pfn, &info))
			add_free_block(args, &target, &info);
		else
			doc_remark(args->doc, REMARK_HOLE, "%s: no struct page, or not in the dump",
				   options->words[i]);
	}
	doc_end(args->doc);
	return err;
}

/* --- -g. --- */

static const struct column flag_columns[] = {
	{ .key = "name", .title = "FLAG", .style = STYLE_STRONG },
	{ .key = "bit", .title = "BIT", .right = true },
	{ .key = "mask", .title = "VALUE", .right = true },
};

static void add_flags(struct command_args *args, uint64_t flags)
{
	char name[64];

	doc_table(args->doc, "flags", flag_columns, array_size(flag_columns));
	for (unsigned bit = 0; bit < FLAG_BITS; bit++) {
		if (!(flags >> bit & 1))
			continue;
		page_flags_text(args->session, UINT64_C(1) << bit, name, sizeof(name));
		if (name[0])
			doc_row(args->doc, cell_str(name), cell_udec(bit),
				cell_hex(UINT64_C(1) << bit));
	}
	doc_end(args->doc);
}

struct error *kmem_flags(struct command_args *args, const struct options *options)
{
	uint64_t flags = UINT64_MAX;

	if (!page_array(args->session)->valid)
		return error_new(ERROR_MISSING, "the page flags are not known without the kernel's "
				 "types");
	if (options->word_count && !parse_hex(options->words[0], &flags))
		return error_new(ERROR_USAGE, "%s: flags are a hexadecimal number",
				 options->words[0]);
	add_flags(args, flags);
	return NULL;
}
