// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What memory was used for, by the kernel's own counters: each page that the page allocator
 * manages is in one of them, or nobody counts it. The latter are pages that drivers took with
 * alloc_pages(): what remains when all that is counted is taken from the total.
 *
 * Stacks of tasks are counted twice where they are vmalloc()ed (CONFIG_VMAP_STACK), shared memory
 * is part of the page cache.
 */
#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/oom.h"
#include "kernel/vmstat.h"
#include "kernel/zones.h"

const char *use_kind_words(const struct memory_use *use, enum use_kind kind)
{
	static const char *const words[] = {
		[USE_FREE] = "free",
		[USE_ANON] = "processes' own memory",
		[USE_FILE] = "page cache of files",
		[USE_SHMEM] = "tmpfs and shared memory",
		[USE_SLAB_FIXED] = "slab caches that cannot be reclaimed",
		[USE_SLAB_CACHE] = "slab caches of file systems (reclaimable)",
		[USE_VMALLOC] = "vmalloc()",
		[USE_STACKS] = "kernel stacks",
		[USE_TABLES] = "page tables",
		[USE_PERCPU] = "per-CPU memory",
		[USE_HUGE] = "reserved for huge pages",
		[USE_UNCOUNTED] = "pages that no counter has",
	};

	if (kind == USE_UNCOUNTED && use->from_report)
		return "pages that the report does not count (vmalloc, drivers)";
	return words[kind];
}

const char *bytes_words(struct arena *arena, uint64_t bytes)
{
	if (bytes >= UINT64_C(10) << 30)
		return arena_printf(arena, "%.1f GiB", (double)bytes / (1 << 30));
	if (bytes >= 1 << 20)
		return arena_printf(arena, "%.1f MiB", (double)bytes / (1 << 20));
	return arena_printf(arena, "%" PRIu64 " KiB", bytes >> 10);
}

unsigned percent_of(uint64_t part, uint64_t total)
{
	return total ? (unsigned)((double)part * 100 / (double)total + 0.5) : 0;
}

static const struct meminfo_line *line_of(const struct meminfo_line *lines, size_t count,
					  const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(lines[i].name, name) == 0)
			return &lines[i];
	}
	return NULL;
}

/* A line of /proc/meminfo; 0 where it is not known. */
static uint64_t value_of(const struct meminfo_line *lines, size_t count, const char *name)
{
	const struct meminfo_line *line = line_of(lines, count, name);

	return line && line->known ? line->bytes : 0;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

void use_from_memory(const struct facts *facts, struct memory_use *use)
{
	static const struct {
		enum use_kind kind;
		const char *line;
	} plain[] = {
		{ USE_FREE, "MemFree" },           { USE_ANON, "AnonPages" },
		{ USE_SHMEM, "Shmem" },            { USE_SLAB_FIXED, "SUnreclaim" },
		{ USE_SLAB_CACHE, "SReclaimable" }, { USE_STACKS, "KernelStack" },
		{ USE_TABLES, "PageTables" },      { USE_PERCPU, "Percpu" },
		{ USE_HUGE, "Hugetlb" },           { USE_VMALLOC, "VmallocUsed" },
	};
	struct meminfo_line lines[MEMINFO_LINES_MAX];
	struct session *s = facts->session;
	uint64_t counted = 0;

	*use = (struct memory_use){ .command = "kmem -i" };
	if (!s->memory || !s->types || !s->symbols)
		return;
	size_t count = meminfo(s, lines);
	use->total = value_of(lines, count, "MemTotal");
	const struct meminfo_line *free_line = line_of(lines, count, "MemFree");
	if (!use->total || !free_line || !free_line->known)
		return;
	for (size_t i = 0; i < array_size(plain); i++)
		use->bytes[plain[i].kind] = value_of(lines, count, plain[i].line);
	use->bytes[USE_FILE] = less(value_of(lines, count, "Cached") +
				    value_of(lines, count, "Buffers"), use->bytes[USE_SHMEM]);
	use->bytes[USE_VMALLOC] = less(use->bytes[USE_VMALLOC], use->bytes[USE_STACKS]);
	for (enum use_kind kind = 0; kind < USE_UNCOUNTED; kind++)
		counted += use->bytes[kind];
	use->bytes[USE_UNCOUNTED] = less(use->total, counted);
	use->known = true;
}

/* --- Free blocks. --- */

/* Free bytes of @zone, and how many blocks of at least @order it has. */
static bool zone_blocks(struct session *s, const struct zone_info *zone, unsigned order,
			uint64_t *bytes, uint64_t *blocks)
{
	uint64_t n;

	*bytes = *blocks = 0;
	for (unsigned i = 0; i < zone_orders(s); i++) {
		if (!zone_free_count(s, zone, i, &n))
			return false;
		*bytes += n << i << PAGE_SHIFT;
		if (i >= order)
			*blocks += n;
	}
	return true;
}

const char *free_blocks_words(const struct facts *facts, unsigned order)
{
	struct session *s = facts->session;
	auto_strbuf text = { 0 };
	uint64_t bytes, blocks;
	size_t count;

	if (!s->memory || !s->types || !s->symbols)
		return NULL;
	const struct zone_info *all = zones(s, &count);
	for (size_t i = 0; i < count; i++) {
		if (!all[i].managed || !zone_blocks(s, &all[i], order, &bytes, &blocks))
			continue;
		strbuf_addf(&text, "%szone %s of node %d has %s free, %s", text.len ? "; " : "",
			    all[i].name, all[i].node, bytes_words(facts->arena, bytes),
			    blocks ? "" : "but ");
		if (blocks)
			strbuf_addf(&text, "%" PRIu64 " blocks of order %u or more", blocks, order);
		else
			strbuf_addf(&text, "no block of order %u or more", order);
	}
	return text.len ? arena_strdup(facts->arena, text.data) : NULL;
}
