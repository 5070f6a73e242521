// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * kallsyms out of the dump. Since 6.0 VMCOREINFO says where most of its tables are (kernel commit
 * 5fd8fea935a1); before, the read-only data of the kernel image is searched for them.
 *
 * The tables stand together in .rodata. The piece of memory that holds them all is a window, in
 * which kallsyms.c decodes; pages are put into it when they are first looked at, which for a few
 * names is a small part. They bypass the page cache: nobody else reads them. Holes are zeros.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "symbols/image.h"
#include "symbols/kallsyms.h"
#include "symbols/source.h"

_Static_assert((int)SYMBOL_NAME_MAX >= (int)KALLSYMS_NAME_MAX, "names fit");

enum {
	/* The tables of 16 million symbols would be larger, of any kernel seen are below 10 MB. */
	WINDOW_MAX = 192 << 20,
};

struct kallsyms_source {
	struct symbol_source base;
	struct kallsyms k;
	uint8_t *window;
	/* Of a window that is filled as needed. */
	struct memory *mem;
	uint64_t vaddr, size; /* whole pages */
	uint8_t *loaded, *missing; /* one for each page */
};

static const struct kallsyms *kallsyms_of(const struct symbol_source *source)
{
	return &((const struct kallsyms_source *)(const void *)source)->k;
}

static uint64_t op_address(const struct symbol_source *source, uint32_t i)
{
	return kallsyms_address(kallsyms_of(source), i);
}

static bool op_name(const struct symbol_source *source, uint32_t i, char *buf, char *type)
{
	return kallsyms_name(kallsyms_of(source), i, buf, type);
}

static uint32_t op_at(const struct symbol_source *source, uint64_t address)
{
	return kallsyms_at(kallsyms_of(source), address);
}

static void op_find_names(const struct symbol_source *source, const char *const *names, size_t n,
			  uint32_t *found)
{
	kallsyms_find_names(kallsyms_of(source), names, n, found);
}

static void op_each(const struct symbol_source *source, source_fn fn, void *ctx)
{
	kallsyms_each(kallsyms_of(source), fn, ctx);
}

static void op_destroy(struct symbol_source *source)
{
	struct kallsyms_source *ks = (struct kallsyms_source *)(void *)source;

	kallsyms_deinit(&ks->k);
	free(ks->window);
	free(ks->loaded);
	free(ks->missing);
	free(ks);
}

static const struct symbol_source_ops kallsyms_ops = {
	.address = op_address,
	.name = op_name,
	.at = op_at,
	.find_names = op_find_names,
	.each = op_each,
	.destroy = op_destroy,
};

/* --- A window that is filled page by page. --- */

static bool read_page(struct kallsyms_source *ks, size_t page)
{
	uint8_t *to = ks->window + page * PAGE_SIZE;
	struct dump_page got;
	struct paddr paddr;

	if (memory_vtop(ks->mem, ks->vaddr + page * PAGE_SIZE, &paddr) != READ_OK ||
	    dump_read_page(memory_dump(ks->mem), paddr.v >> PAGE_SHIFT, to, &got) != READ_OK ||
	    got.from || got.to != PAGE_SIZE)
		return false;
	if (got.data != to)
		memcpy(to, got.data, PAGE_SIZE);
	return true;
}

static void load_page(struct kallsyms_source *ks, size_t page)
{
	ks->loaded[page] = 1;
	if (ks->missing[page])
		return;
	if (!read_page(ks, page)) {
		memset(ks->window + page * PAGE_SIZE, 0, PAGE_SIZE);
		ks->missing[page] = 1;
	}
}

static void load(void *ctx, size_t offset, size_t size)
{
	struct kallsyms_source *ks = ctx;

	if (!size)
		return;
	for (size_t page = offset / PAGE_SIZE; page <= (offset + size - 1) / PAGE_SIZE; page++) {
		if (!ks->loaded[page])
			load_page(ks, page);
	}
}

/* A window on whole pages, of which none is there yet. */
static struct kallsyms_source *create(struct memory *mem, uint64_t vaddr, uint64_t size)
{
	struct kallsyms_source *ks = xcalloc(1, sizeof(*ks));

	ks->base.ops = &kallsyms_ops;
	ks->mem = mem;
	ks->vaddr = vaddr;
	ks->size = size;
	ks->window = xcalloc(1, size);
	ks->loaded = xcalloc(1, size / PAGE_SIZE + 1);
	ks->missing = xcalloc(1, size / PAGE_SIZE + 1);
	ks->k.load = load;
	ks->k.load_ctx = ks;
	ks->k.missing = ks->missing;
	return ks;
}

/* Takes over @ks: it becomes a source, or is destroyed. */
static struct symbol_source *parse(struct kallsyms_source *ks, const struct kallsyms_places *places)
{
	if (!kallsyms_parse(&ks->k, ks->window, ks->size, ks->vaddr, places)) {
		op_destroy(&ks->base);
		return NULL;
	}
	ks->base.count = ks->k.count;
	ks->base.indexed = ks->k.seqs;
	snprintf(ks->base.text, sizeof(ks->base.text), "kallsyms in the dump");
	return &ks->base;
}

/* Notes the pages that the dump does not have; returns how many bytes that is. */
static uint64_t find_missing(struct kallsyms_source *ks)
{
	uint64_t missing = 0;
	struct paddr paddr;

	for (uint64_t page = 0; page < ks->size / PAGE_SIZE; page++) {
		if (memory_vtop(ks->mem, ks->vaddr + page * PAGE_SIZE, &paddr) == READ_OK &&
		    dump_has_page(memory_dump(ks->mem), paddr.v >> PAGE_SHIFT) == READ_OK)
			continue;
		ks->missing[page] = 1;
		missing += PAGE_SIZE;
	}
	return missing;
}

/* --- By VMCOREINFO. --- */

struct span {
	uint64_t start, end;
};

static void span_add(struct span *span, uint64_t start, uint64_t size)
{
	span->start = min_u64(span->start, start);
	span->end = max_u64(span->end, start + size);
}

struct addresses {
	uint64_t names, num_syms, token_table, token_index, offsets, base, absolute;
};

static bool addresses_of(const struct dump *dump, struct addresses *a)
{
	*a = (struct addresses){ 0 };
	if (!dump_vmcoreinfo_hex(dump, "SYMBOL(kallsyms_names)", &a->names) ||
	    !dump_vmcoreinfo_hex(dump, "SYMBOL(kallsyms_num_syms)", &a->num_syms) ||
	    !dump_vmcoreinfo_hex(dump, "SYMBOL(kallsyms_token_table)", &a->token_table) ||
	    !dump_vmcoreinfo_hex(dump, "SYMBOL(kallsyms_token_index)", &a->token_index))
		return false;
	if (dump_vmcoreinfo_hex(dump, "SYMBOL(kallsyms_offsets)", &a->offsets)) {
		/* Without it offsets are place-relative (7.0). */
		(void)dump_vmcoreinfo_hex(dump, "SYMBOL(kallsyms_relative_base)", &a->base);
		return true;
	}
	return dump_vmcoreinfo_hex(dump, "SYMBOL(kallsyms_addresses)", &a->absolute);
}

/* All that the tables can take, with the index by name that stands behind offsets since 6.4. */
static struct span span_of(const struct addresses *a, uint64_t count)
{
	struct span span = { a->names, a->names };

	span_add(&span, a->token_table, 1);
	span_add(&span, a->token_index, KALLSYMS_TOKENS * 2);
	if (a->names > a->token_table) /* an order that no kernel has yet: names are long */
		span_add(&span, a->names, count * 24);
	if (a->absolute)
		span_add(&span, a->absolute, count * 8);
	if (a->absolute > a->token_table)
		span_add(&span, a->absolute, count * 11 + 8);
	if (a->base)
		span_add(&span, a->base, 8);
	if (a->offsets)
		span_add(&span, a->offsets, count * 4);
	if (a->offsets > a->token_table)
		span_add(&span, a->offsets, count * 4 + 16 + count * 3 + 8);
	span.start &= ~(uint64_t)(PAGE_SIZE - 1);
	span.end = (span.end + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
	return span;
}

static size_t place_of(uint64_t address, const struct span *span)
{
	return address ? (size_t)(address - span->start) : KALLSYMS_NOWHERE;
}

struct symbol_source *source_vmcoreinfo(struct memory *mem, bool *missing_from_dump)
{
	struct addresses a;
	uint32_t count;

	*missing_from_dump = false;
	if (!addresses_of(memory_dump(mem), &a))
		return NULL;
	/* An unsigned long before 4.20, little-endian: its lower half is enough. */
	if (memory_u32(mem, a.num_syms, &count) != READ_OK) {
		*missing_from_dump = true;
		return NULL;
	}
	if (!count || count > KALLSYMS_COUNT_MAX)
		return NULL;
	struct span span = span_of(&a, count);
	if (span.end < span.start || span.end - span.start > WINDOW_MAX)
		return NULL;
	struct kallsyms_places places = {
		.count = count,
		.names = place_of(a.names, &span),
		.token_table = place_of(a.token_table, &span),
		.token_index = place_of(a.token_index, &span),
		.addresses = place_of(a.absolute, &span),
		.offsets = place_of(a.offsets, &span),
		.base = place_of(a.base, &span),
	};
	struct kallsyms_source *ks = create(mem, span.start, span.end - span.start);
	uint64_t missing = find_missing(ks);
	struct symbol_source *source = parse(ks, &places);
	*missing_from_dump = !source && missing;
	if (source && missing)
		snprintf(source->text, sizeof(source->text),
			 "kallsyms in the dump (%llu KiB of its tables are missing)",
			 (unsigned long long)missing >> 10);
	return source;
}

/* --- By structure. --- */

/* A token_index that starts at @at of the window, and kallsyms around it? */
static bool kallsyms_around(struct kallsyms_source *ks, size_t at, struct kallsyms_places *places)
{
	enum { NEAR = 8 << 10 }; /* token_table, about a kilobyte, is before it */
	size_t start = at > NEAR ? at - NEAR : 0;

	if (!range_fits(at, KALLSYMS_TOKENS * 2, ks->size))
		return false;
	load(ks, start, at + KALLSYMS_TOKENS * 2 - start);
	*places = (struct kallsyms_places){ .token_index = at };
	return kallsyms_check_tokens(ks->window, ks->size, at, &places->token_table) &&
	       kallsyms_find_tables(ks->window, ks->size, load, ks, places);
}

/* @tail: the last word of the page before. */
static bool scan_page(struct kallsyms_source *ks, size_t start, const uint8_t *page, uint32_t tail,
		      struct kallsyms_places *places)
{
	if (start && kallsyms_maybe_token_index((uint64_t)load_u32(page) << 32 | tail) &&
	    kallsyms_around(ks, start - 4, places))
		return true;
	for (unsigned at = 0; at + 8 <= PAGE_SIZE; at += 4) {
		if (kallsyms_maybe_token_index(load_u64(page + at)) &&
		    kallsyms_around(ks, start + at, places))
			return true;
	}
	return false;
}

/* Looks at the pages where they are; only what turns out to be kallsyms goes into the window. */
static struct symbol_source *scan_extent(struct memory *mem, const struct extent *extent)
{
	uint64_t size = min_u64(extent->size, WINDOW_MAX) & ~(uint64_t)(PAGE_SIZE - 1);
	struct kallsyms_source *ks = create(mem, extent->vaddr, size);
	const struct dump *dump = memory_dump(mem);
	struct kallsyms_places places;
	uint8_t buffer[PAGE_SIZE];
	struct dump_page page;
	uint32_t tail = UINT32_MAX;

	for (uint64_t at = 0; at < size; at += PAGE_SIZE) {
		uint64_t pfn = (extent->paddr + at) >> PAGE_SHIFT;
		if (dump_read_page(dump, pfn, buffer, &page) != READ_OK || page.from ||
		    page.to != PAGE_SIZE) {
			tail = UINT32_MAX;
			continue;
		}
		if (scan_page(ks, at, page.data, tail, &places))
			return parse(ks, &places);
		tail = load_u32(page.data + PAGE_SIZE - 4);
	}
	op_destroy(&ks->base);
	return NULL;
}

struct symbol_source *source_scan(struct memory *mem)
{
	struct extents extents = { 0 };
	struct symbol_source *source = NULL;

	image_extents(mem, &extents);
	/* Read-only data first; kernels without strict rights have everything in one extent. */
	for (unsigned pass = 0; pass < 2 && !source; pass++) {
		for (size_t i = 0; i < extents.count && !source; i++) {
			const struct extent *e = &extents.data[i];
			bool rodata = !e->writable && !e->executable;
			if (rodata == (pass == 0))
				source = scan_extent(mem, e);
		}
	}
	free(extents.data);
	return source;
}

uint64_t source_address_of(const struct symbol_source *source, const char *name)
{
	uint32_t i;

	source->ops->find_names(source, &name, 1, &i);
	return i == UINT32_MAX ? 0 : source->ops->address(source, i);
}
