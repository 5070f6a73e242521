// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * kmem -i, -V, -o, -h: how much memory is used for what, by the kernel's counters and by looking at
 * every page; all counters; per-CPU areas; pools of huge pages.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "commands/kmem.h"
#include "kernel/cpus.h"
#include "kernel/pages.h"
#include "kernel/vmalloc.h"
#include "kernel/vmstat.h"

enum {
	CHUNK_PAGES = 1 << 15,
	KIND_VMALLOC = PAGE_KIND_COUNT, /* pages in use that a vmalloc area has */
	KIND_SHARED,                    /* no kind: pages counted again, with several users */
	KINDS,
	HSTATES_MAX = 8,
};

static const struct column line_columns[] = {
	{ .key = "name", .title = "", .style = STYLE_STRONG },
	{ .key = "pages", .title = "PAGES", .right = true },
	{ .key = "bytes", .title = "TOTAL", .right = true },
	{ .key = "percent", .title = "OF ALL", .right = true },
};

static const struct column kind_columns[] = {
	{ .key = "kind", .title = "EVERY PAGE, BY ITS OWNER", .style = STYLE_STRONG },
	{ .key = "pages", .title = "PAGES", .right = true },
	{ .key = "bytes", .title = "TOTAL", .right = true },
	{ .key = "percent", .title = "OF ALL", .right = true },
};

static const struct column shared_columns[] = {
	{ .key = "name", .title = "SHARED", .style = STYLE_STRONG },
	{ .key = "pages", .title = "PAGES", .right = true },
	{ .key = "bytes", .title = "TOTAL", .right = true },
	{ .key = "percent", .title = "OF ALL", .right = true },
};

/* A row of name, pages, bytes and share. @shown: space for two texts. */
static void add_amount(struct doc *doc, const char *name, bool known, uint64_t bytes,
		       uint64_t total)
{
	char size[32], share[16] = "";
	double part = total ? 100.0 * (double)bytes / (double)total : 0;

	if (bytes >= UINT64_C(10) << 30)
		snprintf(size, sizeof(size), "%.1f GiB", (double)bytes / (1 << 30));
	else if (bytes >= 10 << 20)
		snprintf(size, sizeof(size), "%.1f MiB", (double)bytes / (1 << 20));
	else
		snprintf(size, sizeof(size), "%" PRIu64 " KiB", bytes >> 10);
	snprintf(share, sizeof(share), "%.1f %%", part);
	doc_row(doc, cell_str(name), known ? cell_udec(bytes >> PAGE_SHIFT) : cell_none(),
		known ? cell_shown(cell_udec(bytes), size) : cell_none(),
		known && total ? cell_shown(cell_float(part), share) : cell_none());
}

/* --- Every page. --- */

struct page_count {
	struct session *session;
	uint64_t end;
	uint64_t (*kinds)[KINDS]; /* by worker */
};

struct chunk {
	struct session *session;
	uint64_t *kinds;
};

static bool count_page(void *ctx, const struct page_info *info)
{
	struct chunk *chunk = ctx;
	uint64_t vaddr;
	unsigned kind = info->kind;

	if (kind == PAGE_KIND_UNKNOWN && vmalloc_area_of_pfn(chunk->session, info->pfn, &vaddr))
		kind = KIND_VMALLOC;
	chunk->kinds[kind]++;
	chunk->kinds[KIND_SHARED] += info->refcount > 1 && kind != PAGE_KIND_BUDDY;
	return true;
}

static void count_chunk(void *ctx, unsigned worker, size_t i)
{
	struct page_count *count = ctx;
	struct chunk chunk = { count->session, count->kinds[worker] };
	uint64_t from = (uint64_t)i * CHUNK_PAGES;

	chunk.kinds[PAGE_KIND_ABSENT] +=
		pages_range(count->session, from, from + CHUNK_PAGES, count_page, &chunk);
}

static void count_pages(struct session *s, uint64_t sum[KINDS])
{
	unsigned workers = parallel_workers();
	struct page_count count = { .session = s, .end = page_array(s)->max_pfn };
	uint64_t ignored;

	count.kinds = xcalloc(workers, sizeof(*count.kinds));
	/* What the threads share is made here, before there are any. */
	(void)vmalloc_area_of_pfn(s, 0, &ignored);
	parallel_for((size_t)((count.end + CHUNK_PAGES - 1) / CHUNK_PAGES), s->stop, count_chunk,
		     &count);
	for (unsigned i = 0; i < workers; i++) {
		for (unsigned kind = 0; kind < KINDS; kind++)
			sum[kind] += count.kinds[i][kind];
	}
	free(count.kinds);
}

static void add_kinds(struct command_args *args, bool shared)
{
	uint64_t sum[KINDS] = { 0 }, all = 0;

	if (!page_array(args->session)->valid)
		return;
	count_pages(args->session, sum);
	add_missing_pages(args->doc, sum[PAGE_KIND_ABSENT]);
	sum[PAGE_KIND_ABSENT] = 0;
	for (unsigned kind = 0; kind < KIND_SHARED; kind++)
		all += sum[kind];
	doc_table(args->doc, "kinds", kind_columns, array_size(kind_columns));
	for (unsigned kind = 0; kind < KIND_SHARED; kind++) {
		const char *name = kind == KIND_VMALLOC ? "vmalloc" : page_kind_name(kind);
		if (kind == PAGE_KIND_UNKNOWN)
			name = "in use, by whom nothing says";
		if (sum[kind])
			add_amount(args->doc, name, true, sum[kind] << PAGE_SHIFT,
				   all << PAGE_SHIFT);
	}
	doc_end(args->doc);
	if (!shared)
		return;
	doc_table(args->doc, "shared", shared_columns, array_size(shared_columns));
	add_amount(args->doc, "with more than one reference", true, sum[KIND_SHARED] << PAGE_SHIFT,
		   all << PAGE_SHIFT);
	doc_end(args->doc);
}

struct error *kmem_info(struct command_args *args, const struct options *options)
{
	bool shared = options->value[KMEM_INFO];

	struct meminfo_line lines[MEMINFO_LINES_MAX];
	size_t count = meminfo(args->session, lines);
	bool any = false;

	if (shared && strcmp(options->value[KMEM_INFO], "shared") != 0)
		return error_new(ERROR_USAGE, "-i=%s: only -i=shared", options->value[KMEM_INFO]);
	for (size_t i = 0; i < count; i++)
		any |= lines[i].known;
	if (!any)
		return error_new(ERROR_MISSING, "the counters of memory cannot be found in this "
				 "dump");
	doc_table(args->doc, "meminfo", line_columns, array_size(line_columns));
	for (size_t i = 0; i < count; i++)
		add_amount(args->doc, lines[i].name, lines[i].known, lines[i].bytes,
			   lines[0].known ? lines[0].bytes : 0);
	doc_end(args->doc);
	add_kinds(args, shared);
	return NULL;
}

/* --- -V. --- */

static const struct column counter_columns[] = {
	{ .key = "name", .title = "" },
	{ .key = "value", .title = "", .right = true },
};

static void add_counter(void *ctx, const char *name, uint64_t value)
{
	doc_row(ctx, cell_str(name), cell_udec(value));
}

struct error *kmem_counters(struct command_args *args, const struct options *options unused_arg)
{
	struct doc *doc = args->doc;
	bool any = false;

	doc_array(doc, "counters", NULL);
	for (enum vm_counter_set set = 0; set < VM_COUNTER_SETS; set++) {
		doc_record(doc, NULL, NULL);
		doc_heading(doc, "%s", vm_counter_set_name(set));
		doc_field(doc, "set", NULL, cell_str(vm_counter_set_name(set)));
		doc_table(doc, "values", counter_columns, array_size(counter_columns));
		doc_bare(doc);
		any |= vm_counters_each(args->session, set, add_counter, doc);
		doc_end(doc);
		doc_end(doc);
	}
	doc_end(doc);
	return any ? NULL : error_new(ERROR_MISSING, "the counters of memory cannot be found in "
				      "this dump");
}

/* --- -o. --- */

static const struct column cpu_columns[] = {
	{ .key = "cpu", .title = "CPU", .right = true },
	{ .key = "offset", .title = "PER-CPU OFFSET" },
};

struct error *kmem_cpu_offsets(struct command_args *args, const struct options *options unused_arg)
{
	size_t count;
	const struct cpu *all = cpus(args->session, &count);

	if (!count)
		return error_new(ERROR_MISSING, "the per-CPU areas cannot be found in this dump");
	doc_table(args->doc, "cpu_offsets", cpu_columns, array_size(cpu_columns));
	for (size_t i = 0; i < count; i++)
		doc_row(args->doc, cell_udec(all[i].id), cell_address(all[i].percpu_offset));
	doc_end(args->doc);
	return NULL;
}

/* --- -h. --- */

static const struct column pool_columns[] = {
	{ .key = "address", .title = "HSTATE" },
	{ .key = "size", .title = "SIZE", .right = true },
	{ .key = "free", .title = "FREE", .right = true },
	{ .key = "total", .title = "TOTAL", .right = true },
	{ .key = "reserved", .title = "RESERVED", .right = true },
	{ .key = "surplus", .title = "SURPLUS", .right = true },
	{ .key = "name", .title = "NAME", .style = STYLE_STRONG },
};

static struct cell pool_number(struct session *s, uint64_t hstate, const char *member)
{
	uint64_t value;

	return kread(s, hstate, "hstate", member, &value) ? cell_udec(value) : cell_none();
}

struct error *kmem_huge_pages(struct command_args *args, const struct options *options unused_arg)
{
	struct session *s = args->session;
	uint64_t table = s->symbols ? symbols_address(s->symbols, "hstates") : 0;
	uint64_t count, order, size = types_sizeof(s->types, "hstate");
	char name[40], text[24];

	if (!table || !size || !kglobal(s, "hugetlb_max_hstate", 4, &count))
		return error_new(ERROR_MISSING, "the pools of huge pages cannot be found: this "
				 "kernel has none, or they are not in the dump");
	doc_table(args->doc, "huge_pages", pool_columns, array_size(pool_columns));
	for (uint64_t i = 0; i < count && i < HSTATES_MAX; i++) {
		uint64_t at = table + i * size;
		bool known = kread(s, at, "hstate", "order", &order) && order < 30;
		uint64_t bytes = known ? (uint64_t)PAGE_SIZE << order : 0;
		snprintf(text, sizeof(text), "%" PRIu64 " MiB", bytes >> 20);
		bool named = kread_string(s, at, "hstate", "name", name, sizeof(name));
		doc_row(args->doc, cell_address(at),
			known ? cell_shown(cell_udec(bytes), text) : cell_none(),
			pool_number(s, at, "free_huge_pages"), pool_number(s, at, "nr_huge_pages"),
			pool_number(s, at, "resv_huge_pages"),
			pool_number(s, at, "surplus_huge_pages"), cell_str(named ? name : NULL));
	}
	doc_end(args->doc);
	return NULL;
}
