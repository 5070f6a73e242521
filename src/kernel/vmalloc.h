/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The areas of vmalloc(), vmap(), ioremap(), module memory and vmapped stacks: struct vmap_area and
 * vm_struct, on the list vmap_area_list (up to 6.8) or in the trees of vmap_nodes[] (since 6.9).
 */
#pragma once

#include "kernel/session.h"

struct vmalloc_area {
	uint64_t start, size;  /* [start, start + size): with the guard page, as vmallocinfo shows */
	uint64_t vm;           /* vm_struct; 0: vm_map_ram() */
	uint64_t caller;       /* text address; 0 none */
	uint64_t flags;        /* VM_IOREMAP ... */
	uint64_t phys;         /* ioremap */
	uint64_t pages;        /* address of its struct page * array; 0 none */
	unsigned page_count;
};

/* All, sorted by address. Owned by the session. */
const struct vmalloc_area *vmalloc_areas(struct session *s, size_t *count);
const struct vmalloc_area *vmalloc_area_at(struct session *s, uint64_t address);
/* "vmalloc user", "ioremap phys=0x..." as /proc/vmallocinfo words it. */
void vmalloc_area_text(struct session *s, const struct vmalloc_area *area, char *buf, size_t size);
