// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Changed pages, whole copies of the dump's in the order of their page frames: there are few, and
 * each read of a page asks. The dump's file is never written to.
 */
#include "dump/overlay.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "dump/format.h"

struct changed_page {
	uint64_t pfn;
	uint16_t from, to; /* the bytes that exist */
	uint8_t *bytes;
};

struct overlay {
	vec_fields(struct changed_page);
};

/* The place of @pfn, or where it would go. */
static size_t find(const struct overlay *overlay, uint64_t pfn)
{
	size_t low = 0, high = overlay->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (overlay->data[middle].pfn < pfn)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint8_t *page_of(const struct overlay *overlay, uint64_t pfn)
{
	size_t at = find(overlay, pfn);

	return at < overlay->count && overlay->data[at].pfn == pfn ? overlay->data[at].bytes : NULL;
}

const uint8_t *overlay_page(const struct overlay *overlay, uint64_t pfn)
{
	return page_of(overlay, pfn);
}

uint8_t *overlay_add(struct overlay **overlay, uint64_t pfn, uint16_t from, uint16_t to)
{
	if (!*overlay)
		*overlay = xcalloc(1, sizeof(**overlay));
	struct overlay *o = *overlay;
	size_t at = find(o, pfn);
	vec_reserve(o, o->count + 1);
	memmove(o->data + at + 1, o->data + at, (o->count - at) * sizeof(*o->data));
	o->data[at] = (struct changed_page){ pfn, from, to, xmalloc(PAGE_SIZE) };
	o->count++;
	return o->data[at].bytes;
}

void overlay_span(const struct overlay *overlay, uint64_t pfn, uint16_t *from, uint16_t *to)
{
	const struct changed_page *page = &overlay->data[find(overlay, pfn)];

	*from = page->from;
	*to = page->to;
}

void overlay_destroy(struct overlay *overlay)
{
	if (!overlay)
		return;
	vec_for_each(page, overlay)
		free(page->bytes);
	vec_deinit(overlay);
	free(overlay);
}

/* --- Writing, see dump.h. --- */

static enum read_status write_in_page(struct dump *dump, uint64_t pfn, unsigned offset,
				      const uint8_t *bytes, size_t size)
{
	uint8_t *page = dump->overlay ? page_of(dump->overlay, pfn) : NULL;
	uint16_t from, to;

	if (!page) {
		uint8_t buffer[PAGE_SIZE];
		struct dump_page original;
		enum read_status status = dump_read_page(dump, pfn, buffer, &original);
		if (status != READ_OK)
			return status;
		page = overlay_add(&dump->overlay, pfn, original.from, original.to);
		memcpy(page, original.data, PAGE_SIZE);
	}
	overlay_span(dump->overlay, pfn, &from, &to);
	if (offset < from || offset + size > to)
		return READ_UNMAPPED;
	memcpy(page + offset, bytes, size);
	return READ_OK;
}

enum read_status dump_overlay_write(struct dump *dump, struct paddr at, const void *bytes,
				    size_t size)
{
	unsigned offset = (unsigned)(at.v & (PAGE_SIZE - 1));

	if (size > PAGE_SIZE - offset)
		return READ_UNMAPPED;
	return write_in_page(dump, at.v >> PAGE_SHIFT, offset, bytes, size);
}

void dump_overlay_drop(struct dump *dump)
{
	overlay_destroy(dump->overlay);
	dump->overlay = NULL;
}
