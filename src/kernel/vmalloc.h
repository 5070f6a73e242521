/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The areas of vmalloc(), vmap(), ioremap(), module memory and vmapped stacks: struct vmap_area and
 * vm_struct, on the list vmap_area_list (up to 6.8) or in the trees of vmap_nodes[] (since 6.9).
 */
#pragma once

#include "kernel/session.h"

struct vmalloc_area {
	uint64_t start, size;  /* [start, start + size): with the guard page, as vmallocinfo shows */
	uint64_t vmap_area;    /* address of the struct vmap_area */
	uint64_t vm;           /* vm_struct; 0: vm_map_ram(), or freed and not yet unmapped */
	uint64_t caller;       /* text address; 0 none */
	uint64_t flags;        /* VM_IOREMAP ... */
	uint64_t phys;         /* ioremap */
	uint64_t pages;        /* address of its struct page * array; 0 none */
	unsigned page_count;
	unsigned page_order;   /* pages come in such blocks; 0: single ones */
	bool incomplete;       /* its vm_struct is not in the dump: nothing from caller on is known */
};

/* include/linux/vmalloc.h */
enum {
	VMALLOC_IOREMAP = 0x1,
	VMALLOC_ALLOC = 0x2,
	VMALLOC_MAP = 0x4,
	VMALLOC_USERMAP = 0x8,
	VMALLOC_DMA_COHERENT = 0x10,
	VMALLOC_UNINITIALIZED = 0x20, /* being set up */
	VMALLOC_NO_GUARD = 0x40,
	VMALLOC_SPARSE = 0x1000,
};

/* All, sorted by address. Owned by the session. */
const struct vmalloc_area *vmalloc_areas(struct session *s, size_t *count);
const struct vmalloc_area *vmalloc_area_at(struct session *s, uint64_t address);
/* Freed areas that wait to be unmapped: in use by nobody, @vm is 0. Sorted; owned by the session. */
const struct vmalloc_area *vmalloc_unpurged(struct session *s, size_t *count);
/* "pages=4 vmalloc", "phys=0x... ioremap": what /proc/vmallocinfo says behind the caller, but for
 * the nodes. "unpurged vm_area" is up to the caller of vmalloc_unpurged(). */
void vmalloc_area_text(struct session *s, const struct vmalloc_area *area, char *buf, size_t size);
/*
 * The area that owns page frame @pfn, by the areas' page arrays (so not ioremap and vmap() without
 * one), and where in the area it is mapped. The first call reads all arrays.
 */
const struct vmalloc_area *vmalloc_area_of_pfn(struct session *s, uint64_t pfn, uint64_t *vaddr);
/* The page frames of @area in order; false from @fn stops. */
typedef bool (*vmalloc_pfn_fn)(void *ctx, uint64_t pfn);
void vmalloc_pages(struct session *s, const struct vmalloc_area *area, vmalloc_pfn_fn fn,
		   void *ctx);
