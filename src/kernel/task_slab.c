// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The last road to tasks: all pages of the slab cache that task structures are allocated from. The
 * array of struct page (vmemmap) tells for each page frame which cache it belongs to: 64 bytes to
 * look at for each 4096 of memory. Free objects look much like tasks that have died: only those
 * that task_plausible() accepts are taken.
 *
 * The member that names the cache was page.slab_cache, and is slab.slab_cache since 5.17.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "kernel/pages.h"
#include "kernel/task_set.h"

enum {
	PAGES_AT_ONCE = 64,
	OBJECTS_MAX = 512,
	/* Struct pages of this much memory share a page table: where one lacks, all may. */
	SKIP_PAGES = (2 << 20) / 64,
};

struct slab_scan {
	struct task_set *set;
	const char *slab_type;       /* "slab" or "page" */
	uint64_t vmemmap, page_size; /* of struct page */
	uint64_t cache_offset, cache;
	uint64_t object_size, left_pad, slab_objects;
	uint64_t page_offset;
};

static bool prepare(struct task_set *set, struct slab_scan *scan)
{
	struct session *s = set->session;
	const struct kernel_layout *layout = memory_layout(s->memory);
	uint64_t order_objects;

	*scan = (struct slab_scan){ .set = set, .slab_type = "slab" };
	if (!koffset(s, "slab", "slab_cache", &scan->cache_offset)) {
		scan->slab_type = "page";
		if (!koffset(s, "page", "slab_cache", &scan->cache_offset))
			return false;
	}
	const struct page_array *array = page_array(s);
	scan->page_size = array->page_size;
	scan->vmemmap = array->vmemmap;
	if (!array->valid || !range_fits(scan->cache_offset, 8, scan->page_size) ||
	    !layout->has_page_offset)
		return false;
	scan->page_offset = layout->page_offset;
	if (!kglobal(s, "task_struct_cachep", 8, &scan->cache) || !scan->cache ||
	    !kread(s, scan->cache, "kmem_cache", "size", &scan->object_size))
		return false;
	kread(s, scan->cache, "kmem_cache", "red_left_pad", &scan->left_pad);
	/* The lower 16 bits are the number of objects (OO_SHIFT, mm/slub.c). */
	if (kread(s, scan->cache, "kmem_cache", "oo.x", &order_objects))
		scan->slab_objects = order_objects & 0xffff;
	return scan->object_size >= 512 && scan->object_size <= (1 << 20);
}

/* The objects of the slab whose first page frame is @pfn. */
static void scan_slab(const struct slab_scan *scan, uint64_t pfn)
{
	struct session *s = scan->set->session;
	uint64_t page = scan->vmemmap + pfn * scan->page_size;
	uint64_t start = scan->page_offset + (pfn << PAGE_SHIFT) + scan->left_pad;
	uint64_t objects = 0;

	if (!kread(s, page, scan->slab_type, "objects", &objects) || !objects)
		objects = scan->slab_objects;
	for (uint64_t i = 0; i < objects && i < OBJECTS_MAX; i++)
		task_add_checked(scan->set, start + i * scan->object_size, ROAD_SLAB);
}

void tasks_by_slab(struct task_set *set, size_t missing)
{
	struct session *s = set->session;
	struct slab_scan scan;
	size_t enough = set->found.count + missing;
	uint64_t end = dump_info(s->dump)->max_pfn;

	if (!prepare(set, &scan))
		return;
	size_t size = PAGES_AT_ONCE * scan.page_size;
	uint8_t *pages = xmalloc(size);
	for (uint64_t pfn = 0; pfn < end && set->found.count < enough;) {
		switch (memory_read(s->memory, scan.vmemmap + pfn * scan.page_size, pages, size)) {
		case READ_OK:
			for (uint64_t i = 0; i < PAGES_AT_ONCE && pfn + i < end; i++) {
				if (load_u64(pages + i * scan.page_size + scan.cache_offset) ==
				    scan.cache)
					scan_slab(&scan, pfn + i);
			}
			pfn += PAGES_AT_ONCE;
			break;
		case READ_UNMAPPED:
			pfn = (pfn / SKIP_PAGES + 1) * SKIP_PAGES;
			break;
		default:
			pfn += PAGES_AT_ONCE;
			break;
		}
	}
	free(pages);
}
