// SPDX-License-Identifier: LGPL-2.1-or-later
/* The vmalloc areas: vmallocinfo as the file in /proc has them, kmem -v as crash does. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/kmem.h"
#include "commands/table.h"
#include "kernel/pages.h"
#include "kernel/vmalloc.h"

enum { NODES_SHOWN_MAX = 64 };

static const struct column info_columns[] = {
	{ .title = "" },
	{ .key = "start" },
	{ .key = "end" },
	{ .key = "size", .title = "", .right = true },
	{ .key = "caller", .title = "", .style = STYLE_STRONG },
	{ .key = "what", .title = "" },
	{ .key = "nodes", .title = "" },
	{ .key = "pages" },
	{ .key = "phys" },
	{ .key = "flags" },
};

static const struct column area_columns[] = {
	{ .key = "vmap_area", .title = "VMAP_AREA" },
	{ .key = "vm_struct", .title = "VM_STRUCT" },
	{ .key = "start", .title = "START" },
	{ .key = "end", .title = "END" },
	{ .key = "size", .title = "SIZE", .right = true },
	{ .key = "caller", .title = "CALLER", .style = STYLE_STRONG },
	{ .key = "what", .title = "WHAT" },
	{ .key = "pages" },
	{ .key = "phys" },
	{ .key = "flags" },
};

struct node_counts {
	struct session *session;
	uint64_t pages[NODES_SHOWN_MAX];
};

static bool count_node(void *ctx, uint64_t pfn)
{
	struct node_counts *counts = ctx;
	struct page_info info;

	if (pfn != UINT64_MAX && page_info(counts->session, pfn, &info) && info.node >= 0 &&
	    info.node < NODES_SHOWN_MAX)
		counts->pages[info.node]++;
	return true;
}

/* "N0=4 N1=12": how many of its pages each node has. False when not all pages can be told. */
static bool nodes_text(struct session *s, const struct vmalloc_area *area, char *buf, size_t size)
{
	struct node_counts counts = { .session = s };
	uint64_t sum = 0;
	size_t n = 0;

	buf[0] = '\0';
	if (area->flags & VMALLOC_UNINITIALIZED)
		return true;
	vmalloc_pages(s, area, count_node, &counts);
	for (unsigned i = 0; i < NODES_SHOWN_MAX && n < size; i++) {
		sum += counts.pages[i];
		if (counts.pages[i])
			n += (size_t)snprintf(buf + n, size - n, "%sN%u=%" PRIu64, n ? " " : "", i,
					      counts.pages[i]);
	}
	return sum == area->page_count;
}

static void caller_text(struct session *s, const struct vmalloc_area *area, char *buf, size_t size)
{
	buf[0] = '\0';
	if (area->caller && s->symbols)
		symbols_format(s->symbols, area->caller, buf, size);
	else if (area->caller)
		snprintf(buf, size, "0x%" PRIx64, area->caller);
}

/* Of what stands in the vm_struct. */
static struct cell read_cell(const struct vmalloc_area *area, struct cell cell)
{
	return area->incomplete ? cell_none() : cell;
}

static void tell_incomplete(struct doc *doc, size_t count)
{
	if (count)
		doc_remark(doc, REMARK_HOLE, "the vm_struct of %zu area%s is not in the dump", count,
			   count == 1 ? "" : "s");
}

static void add_info(struct command_args *args, const struct vmalloc_area *area, const char *what)
{
	char range[48], caller[256], nodes[160] = "";

	snprintf(range, sizeof(range), "0x%016" PRIx64 "-0x%016" PRIx64, area->start,
		 area->start + area->size);
	caller_text(args->session, area, caller, sizeof(caller));
	bool known = nodes_text(args->session, area, nodes, sizeof(nodes));
	doc_row(args->doc, cell_str(range), cell_address(area->start),
		cell_address(area->start + area->size), cell_udec(area->size),
		read_cell(area, cell_str(caller)), read_cell(area, cell_str(what)),
		known ? read_cell(area, cell_str(nodes)) : cell_none(),
		read_cell(area, cell_udec(area->page_count)),
		area->phys ? cell_address(area->phys) : cell_none(),
		read_cell(area, cell_hex(area->flags)));
}

static struct error *run_vmallocinfo(struct command_args *args)
{
	struct session *s = args->session;
	const struct vmalloc_area *areas;
	struct options options;
	size_t count, incomplete = 0, i;
	char what[160];

	struct error *err = options_parse(args, NULL, 0, &options);
	if (err)
		return err;
	areas = vmalloc_areas(s, &count);
	doc_table(args->doc, "areas", info_columns, array_size(info_columns));
	doc_bare(args->doc);
	for (i = 0; i < count && !session_stopped(s); i++) {
		vmalloc_area_text(s, &areas[i], what, sizeof(what));
		add_info(args, &areas[i], what);
		incomplete += areas[i].incomplete;
	}
	areas = vmalloc_unpurged(s, &count);
	for (i = 0; i < count && !session_stopped(s); i++)
		add_info(args, &areas[i], "unpurged vm_area");
	doc_end(args->doc);
	tell_incomplete(args->doc, incomplete);
	return NULL;
}

const struct command command_vmallocinfo = {
	.name = "vmallocinfo",
	.usage = "",
	.summary = "the areas of vmalloc, as /proc/vmallocinfo has them",
	.help = "Each area's range and size in bytes, guard page included; who asked for it; how many\n"
		"pages it has, the physical address that it maps, what kind it is; how many of its\n"
		"pages are of each node. Freed areas that are still mapped stand at the end.\n"
		"Example: vmallocinfo",
	.run = run_vmallocinfo,
};

/* --- kmem -v. --- */

static void add_area(struct command_args *args, const struct vmalloc_area *area)
{
	char caller[256], what[160];

	caller_text(args->session, area, caller, sizeof(caller));
	vmalloc_area_text(args->session, area, what, sizeof(what));
	doc_row(args->doc, cell_address(area->vmap_area),
		area->vm ? cell_address(area->vm) : cell_none(), cell_address(area->start),
		cell_address(area->start + area->size), cell_udec(area->size),
		read_cell(area, cell_str(caller)), read_cell(area, cell_str(what)),
		read_cell(area, cell_udec(area->page_count)),
		area->phys ? cell_address(area->phys) : cell_none(),
		read_cell(area, cell_hex(area->flags)));
}

struct error *kmem_vmalloc(struct command_args *args, const struct options *options)
{
	struct session *s = args->session;
	struct error *err = NULL;
	size_t count, incomplete = 0;
	const struct vmalloc_area *areas = vmalloc_areas(s, &count);

	doc_table(args->doc, "vmalloc_areas", area_columns, array_size(area_columns));
	for (size_t i = 0; !options->word_count && i < count && !session_stopped(s); i++) {
		add_area(args, &areas[i]);
		incomplete += areas[i].incomplete;
	}
	for (int i = 0; i < options->word_count && !err; i++) {
		uint64_t address;
		err = parse_address(s, options->words[i], &address);
		const struct vmalloc_area *area = err ? NULL : vmalloc_area_at(s, address);
		uint64_t vaddr;
		/* A physical address: the area that has its page. */
		if (!err && !area && (options->set[KMEM_PHYSICAL] ||
				      !s->arch->is_kernel_address(address)))
			area = vmalloc_area_of_pfn(s, address >> PAGE_SHIFT, &vaddr);
		if (area)
			add_area(args, area);
		incomplete += area && area->incomplete;
		if (!area && !err)
			doc_remark(args->doc, REMARK_ERROR, "%" PRIx64 ": in no vmalloc area",
				   address);
	}
	doc_end(args->doc);
	tell_incomplete(args->doc, incomplete);
	return err;
}
