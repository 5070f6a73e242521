/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the kernel image is: its mapping by the page tables, and, for dumps that do not say, the
 * page tables themselves. Private to the station.
 */
#pragma once

#include "memory/memory.h"
#include "symbols/source.h"

/* A run of pages of the kernel image, mapped with the same rights. */
struct extent {
	uint64_t vaddr, size;
	uint64_t paddr; /* of its first page */
	bool writable, executable;
};

struct extents {
	struct extent *data;
	size_t count, capacity;
};

/* The mapped parts of the kernel image, in order of addresses; the caller frees ->data. */
void image_extents(struct memory *mem, struct extents *extents);

/*
 * For a memory without page tables: finds them by the CPUs' control registers, else by looking
 * through all pages for VMCOREINFO and for kallsyms, and sets the memory's layout.
 */
bool image_find_layout(struct memory *mem);
/* Fills what is missing in the memory's layout, once symbols are known. */
void image_complete_layout(struct memory *mem, const struct symbol_source *source);
