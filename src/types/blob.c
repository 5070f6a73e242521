// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A lazily read region. The buffer is allocated in full, but the operating system gives it pages
 * only where we write, so that an untouched megabyte costs nothing. Pages of the dump are put
 * together right in the buffer, past the page cache: copying them, and the faults of the cache's
 * own memory, would cost as much as decompressing them. A few neighbours are fetched together,
 * more when the reader goes forward.
 *
 * Once a page is in place it never changes, so that readers need no lock: they look at the page's
 * state with acquire, who fills it stores the state with release.
 */
#include "types/blob.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/bytes.h"

#define BLOB_PAGE        ((size_t)PAGE_SIZE)
#define BLOB_AHEAD       4  /* pages fetched together */
#define BLOB_AHEAD_AGAIN 16 /* when the page before is there already */

enum { PAGE_ABSENT, PAGE_THERE, PAGE_HOLE };

void blob_init(struct blob *blob, struct memory *mem, uint64_t vaddr, const void *data, size_t size)
{
	*blob = (struct blob){ .mem = mem, .vaddr = vaddr, .size = size };
	pthread_mutex_init(&blob->lock, NULL);
	if (!mem) {
		blob->data = data;
		return;
	}
	blob->skew = (size_t)(vaddr % BLOB_PAGE);
	blob->page_count = (blob->skew + size + BLOB_PAGE - 1) / BLOB_PAGE;
	blob->memory = xmalloc((blob->page_count + 1) * BLOB_PAGE);
	blob->buffer = blob->memory + (BLOB_PAGE - (uintptr_t)blob->memory % BLOB_PAGE);
	blob->data = blob->buffer + blob->skew;
	blob->page = xcalloc(blob->page_count, sizeof(*blob->page));
}

void blob_deinit(struct blob *blob)
{
	pthread_mutex_destroy(&blob->lock);
	free(blob->memory);
	free(blob->page);
}

/* One page of the dump straight into @buffer; bytes [@start, @end) of it must be there. */
static bool read_frame(struct memory *mem, uint64_t vaddr, uint8_t *buffer, size_t start,
		       size_t end)
{
	struct dump_page page;
	struct paddr paddr;

	if (memory_vtop(mem, vaddr, &paddr) != READ_OK ||
	    dump_read_page(memory_dump(mem), paddr.v / BLOB_PAGE, buffer, &page) != READ_OK ||
	    page.from > start || page.to < end)
		return false;
	if (page.data != buffer)
		memcpy(buffer, page.data, BLOB_PAGE);
	return true;
}

/* Puts one page into the buffer; what of it lies outside the blob does not matter. */
static bool read_page(struct blob *blob, size_t index)
{
	uint64_t vaddr = blob->vaddr - blob->skew + index * BLOB_PAGE;
	uint8_t *buffer = blob->buffer + index * BLOB_PAGE;
	size_t start = index == 0 ? blob->skew : 0;
	size_t end = BLOB_PAGE;

	if (index == blob->page_count - 1)
		end = blob->skew + blob->size - index * BLOB_PAGE;
	if (read_frame(blob->mem, vaddr, buffer, start, end))
		return true;
	/* Memory may have it from a vmlinux. */
	return memory_read(blob->mem, vaddr + start, buffer + start, end - start) == READ_OK;
}

static void load_page(struct blob *blob, size_t page)
{
	pthread_mutex_lock(&blob->lock);
	if (atomic_load(&blob->page[page].state) == PAGE_ABSENT) {
		bool again = page && atomic_load(&blob->page[page - 1].state) == PAGE_THERE;
		size_t end = page + (again ? BLOB_AHEAD_AGAIN : BLOB_AHEAD);
		if (end > blob->page_count)
			end = blob->page_count;
#ifdef MADV_POPULATE_WRITE
		/* One call for what would be a page fault each; that it may fail does not matter.
		 */
		(void)madvise(blob->buffer + page * BLOB_PAGE, (end - page) * BLOB_PAGE,
			      MADV_POPULATE_WRITE);
#endif
		for (size_t i = page; i < end; i++) {
			if (atomic_load(&blob->page[i].state) != PAGE_ABSENT)
				break;
			atomic_store_explicit(&blob->page[i].state,
					      read_page(blob, i) ? PAGE_THERE : PAGE_HOLE,
					      memory_order_release);
		}
	}
	pthread_mutex_unlock(&blob->lock);
}

static bool page_there(struct blob *blob, size_t page)
{
	uint8_t state = atomic_load_explicit(&blob->page[page].state, memory_order_acquire);

	if (state == PAGE_ABSENT) {
		load_page(blob, page);
		state = atomic_load_explicit(&blob->page[page].state, memory_order_acquire);
	}
	return state == PAGE_THERE;
}

const uint8_t *blob_at(struct blob *blob, size_t offset, size_t size)
{
	if (!range_fits(offset, size, blob->size))
		return NULL;
	if (blob->mem && size) {
		size_t last = (blob->skew + offset + size - 1) / BLOB_PAGE;
		for (size_t page = (blob->skew + offset) / BLOB_PAGE; page <= last; page++) {
			if (!page_there(blob, page))
				return NULL;
		}
	}
	return blob->data + offset;
}

/* From @offset to the end of its page, or of the blob: what is there when the page is. */
static size_t rest_of_page(const struct blob *blob, size_t offset)
{
	size_t rest = blob->size - offset;
	size_t in_page = BLOB_PAGE - (blob->skew + offset) % BLOB_PAGE;

	return blob->mem && in_page < rest ? in_page : rest;
}

const char *blob_string(struct blob *blob, size_t offset, size_t end, size_t *length)
{
	size_t at = offset;

	if (end > blob->size || offset >= end)
		return NULL;
	if (end - offset > BLOB_STRING_MAX)
		end = offset + BLOB_STRING_MAX;
	while (at < end) {
		const uint8_t *p = blob_at(blob, at, 1);
		if (!p)
			return NULL;
		size_t n = rest_of_page(blob, at);
		if (n > end - at)
			n = end - at;
		const uint8_t *nul = memchr(p, 0, n);
		if (nul) {
			if (length)
				*length = (size_t)(nul - (blob->data + offset));
			return (const char *)blob->data + offset;
		}
		at += n;
	}
	return NULL;
}
