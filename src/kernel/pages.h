/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The array of struct page: page frame <-> struct page, and what a page frame is used for.
 *
 * In: a pfn or the address of a struct page. Out: its flags, its compound head, its kind, and the
 * words of struct page that tell its owner. The array is looked at through large cached reads, so
 * that a loop over all of memory costs one read per 64 pages. After page_array() was called, all
 * of this may be used from several threads.
 */
#pragma once

#include "kernel/session.h"

/* Where the array is. @valid is false when it cannot be told; then nothing else here works. */
struct page_array {
	bool valid;
	uint64_t vmemmap;   /* address of the struct page of pfn 0 */
	uint64_t page_size; /* sizeof(struct page) */
	uint64_t max_pfn;   /* one past the last page frame that can exist */
};
const struct page_array *page_array(struct session *s);
/* Address of the struct page of @pfn; 0: none. And back; false when @page is in no array. */
uint64_t page_of_pfn(struct session *s, uint64_t pfn);
bool pfn_of_page(struct session *s, uint64_t page, uint64_t *pfn);
/* Physical <-> direct map. 0 / false when the direct map's place is unknown. */
uint64_t direct_map_of(struct session *s, struct paddr paddr);
bool direct_map_to_phys(struct session *s, uint64_t vaddr, struct paddr *paddr);

enum page_kind {
	PAGE_KIND_UNKNOWN,   /* in use, nobody says by whom (alloc_pages() of a driver, say) */
	PAGE_KIND_ABSENT,    /* no struct page, or it is not in the dump */
	PAGE_KIND_RESERVED,  /* PG_reserved: firmware, kernel image, memory holes */
	PAGE_KIND_KERNEL,    /* inside the kernel image */
	PAGE_KIND_SLAB,
	PAGE_KIND_LARGE_KMALLOC, /* kmalloc beyond the largest cache */
	PAGE_KIND_BUDDY,     /* free, in the buddy lists: @order, @migrate_type */
	PAGE_KIND_PCP,       /* free, on a CPU's list (where that can be told) */
	PAGE_KIND_FILE,      /* page cache: @owner is the address_space, @index in pages */
	PAGE_KIND_SWAP_CACHE,
	PAGE_KIND_ANON,      /* @owner is the anon_vma, @index the page offset in it */
	PAGE_KIND_KSM,
	PAGE_KIND_MOVABLE,   /* non-LRU movable (zsmalloc, balloon) */
	PAGE_KIND_PAGE_TABLE,
	PAGE_KIND_HUGETLB,
	PAGE_KIND_OFFLINE,
	PAGE_KIND_GUARD,     /* debug_pagealloc */
	PAGE_KIND_COUNT,
};

struct page_info {
	uint64_t pfn, page;       /* the page asked for */
	uint64_t head_pfn, head;  /* of the compound page that it belongs to; itself when to none */
	unsigned order;           /* of the compound or buddy block; 0 */
	enum page_kind kind;
	uint64_t flags;           /* raw, of the head */
	uint64_t mapping;         /* raw page->mapping of the head, 0 when it has none */
	uint64_t owner;           /* address_space, anon_vma, kmem_cache (slab) ...; 0 none */
	uint64_t index;           /* page->index of the page asked for (head's + distance) */
	int32_t refcount, mapcount; /* of the head */
	int node, zone;           /* -1 unknown */
	int migrate_type;         /* of its pageblock; -1 unknown */
};

/* Everything about @pfn; false when there is no struct page for it (@info->kind is ABSENT). */
bool page_info(struct session *s, uint64_t pfn, struct page_info *info);
/* Of a kernel virtual address in the direct map, vmalloc area or image. */
bool page_info_at(struct session *s, uint64_t vaddr, struct page_info *info);
const char *page_kind_name(enum page_kind kind); /* "slab", "page cache", "free (buddy)" ... */
/* "uptodate,lru,active": names of @flags by enum pageflags of the kernel's types. */
void page_flags_text(struct session *s, uint64_t flags, char *buf, size_t size);
const char *page_migrate_name(struct session *s, int migrate_type);

/* A section of 128 MiB (struct mem_section) that has pages. */
struct page_section {
	uint64_t number, address, start_pfn;
	uint64_t mem_map; /* as the kernel keeps it, flags in its low bits */
	bool present, has_map, online, early, device; /* device: it has memory of one */
};
typedef bool (*page_section_fn)(void *ctx, const struct page_section *section);
void page_sections_each(struct session *s, page_section_fn fn, void *ctx);

/* All page frames in order; stops when @fn returns false. ABSENT ones are skipped. */
typedef bool (*page_fn)(void *ctx, const struct page_info *info);
void pages_each(struct session *s, page_fn fn, void *ctx);
/*
 * The same of page frames [@from, @to); several threads may do so after page_array() was called.
 * Returns of how many of them the struct page should be there and is not in the dump.
 */
uint64_t pages_range(struct session *s, uint64_t from, uint64_t to, page_fn fn, void *ctx);
