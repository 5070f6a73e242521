// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: readers of formats ask for ranges of the logical file. In a plain file the
 * answer is a pointer. In a flattened one the range is looked up among the chunks; it is copied
 * only where it crosses from one chunk to the next. Holes between chunks are what `makedumpfile
 * -R` would leave as holes of a sparse file: zeroes for headers (view_copy), not there for data.
 */
#include "dump/view.h"

#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"

enum { SCAN_MIN = 1 << 18, HEADERS_SIZE = 1 << 17 };

/* What is not a map (a test's memory) refuses the advice or takes no harm. */
static void advise(const uint8_t *data, uint64_t len, int advice)
{
	enum { ALIGN = 4096 };
	uintptr_t start = (uintptr_t)data & ~(uintptr_t)(ALIGN - 1);

	(void)madvise((void *)start, (uintptr_t)data + len - start, advice);
}

struct error *view_init(struct file_view *view, const void *data, size_t size)
{
	*view = (struct file_view){ .data = data, .data_size = size, .size = size };
	/* Headers, notes and VMCOREINFO, and all of a small dump's index: one read, not ten. */
	view_will_need(view, 0, min_u64(size, HEADERS_SIZE));
	if (!flattened_probe(data, size))
		return NULL;
	/*
	 * The index touches the file every few KB: here reading ahead is right, and mapping the
	 * neighbours of a page with it.
	 */
	advise(data, size, MADV_NORMAL);
	struct error *err = flattened_index(view);
	advise(data, size, MADV_RANDOM);
	return err;
}

void view_deinit(struct file_view *view)
{
	extents_deinit(&view->chunks);
}

static const uint8_t *get_flattened(const struct file_view *view, uint64_t offset, size_t len,
				    uint8_t *scratch)
{
	size_t i = extents_find(&view->chunks, offset);
	size_t done = 0;

	if (i == view->chunks.count || !range_fits(offset, len, view->size))
		return NULL;
	const struct extent *e = &view->chunks.data[i];
	if (e->start <= offset && offset + len <= extent_end(e))
		return view->data + e->target + (offset - e->start);
	if (!scratch)
		return NULL;
	for (; done < len; i++) {
		if (i == view->chunks.count)
			return NULL;
		e = &view->chunks.data[i];
		uint64_t pos = offset + done;
		if (e->start > pos)
			return NULL;
		size_t n = (size_t)min_u64(len - done, extent_end(e) - pos);
		memcpy(scratch + done, view->data + e->target + (pos - e->start), n);
		done += n;
	}
	return scratch;
}

const uint8_t *view_get(const struct file_view *view, uint64_t offset, size_t len, void *scratch)
{
	if (view->flattened)
		return get_flattened(view, offset, len, scratch);
	return range_fits(offset, len, view->size) ? view->data + offset : NULL;
}

void view_copy(const struct file_view *view, uint64_t offset, void *buffer, size_t len)
{
	uint8_t *out = buffer;

	memset(out, 0, len);
	if (offset >= view->size)
		return;
	len = (size_t)min_u64(len, view->size - offset);
	if (!view->flattened) {
		if (len)
			memcpy(out, view->data + offset, len);
		return;
	}
	for (size_t i = extents_find(&view->chunks, offset); i < view->chunks.count; i++) {
		const struct extent *e = &view->chunks.data[i];
		uint64_t from = max_u64(e->start, offset);
		uint64_t to = min_u64(extent_end(e), offset + len);
		if (from >= to)
			break;
		memcpy(out + (from - offset), view->data + e->target + (from - e->start),
		       (size_t)(to - from));
	}
}

static void advise_range(const struct file_view *view, uint64_t offset, uint64_t len, int advice)
{
	if (!view->flattened && len && range_fits(offset, len, view->size))
		advise(view->data + offset, len, advice);
}

void view_will_need(const struct file_view *view, uint64_t offset, uint64_t len)
{
	if (!view->flattened) {
		advise_range(view, offset, len, MADV_WILLNEED);
		return;
	}
	if (!len || !range_fits(offset, len, view->size))
		return;
	/* Neighbours in the logical file are rarely far apart in the real one. */
	size_t i = extents_find(&view->chunks, offset);
	for (; i < view->chunks.count && view->chunks.data[i].start < offset + len; i++) {
		const struct extent *e = &view->chunks.data[i];
		uint64_t from = max_u64(e->start, offset);
		uint64_t to = min_u64(extent_end(e), offset + len);
		advise(view->data + e->target + (from - e->start), to - from, MADV_WILLNEED);
	}
}

void view_scan_begins(const struct file_view *view, uint64_t offset, uint64_t len)
{
	/* What is small is fetched whole; changing the map's advice only pays for more. */
	advise_range(view, offset, len, len <= SCAN_MIN ? MADV_WILLNEED : MADV_SEQUENTIAL);
}

void view_scan_ends(const struct file_view *view, uint64_t offset, uint64_t len)
{
	if (len > SCAN_MIN)
		advise_range(view, offset, len, MADV_RANDOM);
}
