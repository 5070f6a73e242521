// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where the array of struct page is.
 *
 * With CONFIG_SPARSEMEM_VMEMMAP, which every x86-64 distribution has, all struct pages are one
 * virtual array, of which only the parts for existing memory are mapped. Its start moves with KASLR
 * and is the variable vmemmap_base. Memory is also described in sections of 128 MiB: struct
 * mem_section holds the address of the array as if it began at page frame 0, less flags in its low
 * bits (include/linux/mmzone.h), so that each section names the array once more. Both are asked; a
 * start at which the page of the kernel's own code does not look like one is not believed.
 *
 * mem_section is an array of pointers to pages full of struct mem_section. Since 4.15 it is
 * allocated, and the symbol names a pointer to it.
 */
#include "kernel/page_layout.h"

enum {
	SECTION_BITS = 27,          /* SECTION_SIZE_BITS, arch/x86/include/asm/sparsemem.h */
	SECTION_PAGES = 1 << (SECTION_BITS - PAGE_SHIFT),
	SECTION_PRESENT = 1,        /* SECTION_MARKED_PRESENT */
	SECTION_HAS_MEM_MAP = 2,
	SECTION_ONLINE = 4,         /* since 4.13 */
	SECTION_EARLY = 8,          /* since 5.3 */
	SECTION_DEVICE = 16,        /* SECTION_TAINT_ZONE_DEVICE, since 5.12 */
	SECTION_FLAGS = 0xfff,      /* more than any kernel uses; the array is page-aligned */
	SECTIONS_MAX = 1 << 19,     /* 64 TiB */
	PFN_MAX_BITS = 52 - PAGE_SHIFT,
};

void page_sections_find(struct session *s, struct page_layout *layout)
{
	uint64_t first, value;
	uint64_t symbol = s->symbols ? symbols_address(s->symbols, "mem_section") : 0;

	layout->section_size = types_sizeof(s->types, "mem_section");
	layout->mem_section = 0;
	if (!symbol || !layout->section_size || layout->section_size > PAGE_SIZE ||
	    memory_u64(s->memory, symbol, &first) != READ_OK || !first)
		return;
	/* What the first word points to is a root, or a section already: flags tell it. */
	if (memory_u64(s->memory, first, &value) != READ_OK)
		return;
	bool is_section = (value & (SECTION_PRESENT | SECTION_HAS_MEM_MAP)) ==
			  (SECTION_PRESENT | SECTION_HAS_MEM_MAP);
	layout->mem_section = is_section ? symbol : first;
}

/* The mem_section of @pfn in *@at; 0: none. False: a hole. */
static bool find_section(struct session *s, const struct page_layout *layout, uint64_t pfn,
			 uint64_t *at)
{
	uint64_t number = pfn >> (SECTION_BITS - PAGE_SHIFT), root;

	*at = 0;
	if (!layout->mem_section || !layout->section_size || number >= SECTIONS_MAX)
		return true;
	uint64_t per_root = PAGE_SIZE / layout->section_size;
	if (memory_u64(s->memory, layout->mem_section + number / per_root * 8, &root) != READ_OK)
		return false;
	*at = root ? root + number % per_root * layout->section_size : 0;
	return true;
}

uint64_t page_section(struct session *s, const struct page_layout *layout, uint64_t pfn)
{
	uint64_t at;

	return find_section(s, layout, pfn, &at) ? at : 0;
}

void page_sections_each(struct session *s, page_section_fn fn, void *ctx)
{
	const struct page_layout *layout = page_layout(s);
	struct page_section section;
	size_t lost = 0;

	for (uint64_t pfn = 0; layout && pfn < layout->array.max_pfn; pfn += SECTION_PAGES) {
		section = (struct page_section){
			.number = pfn / SECTION_PAGES, .start_pfn = pfn,
		};
		if (!find_section(s, layout, pfn, &section.address) ||
		    (section.address && !kread(s, section.address, "mem_section",
					       "section_mem_map", &section.mem_map))) {
			lost++;
			continue;
		}
		section.present = section.mem_map & SECTION_PRESENT;
		section.has_map = section.mem_map & SECTION_HAS_MEM_MAP;
		section.online = section.mem_map & SECTION_ONLINE;
		section.early = section.mem_map & SECTION_EARLY;
		section.device = section.mem_map & SECTION_DEVICE;
		if (section.present && !fn(ctx, &section))
			return;
	}
	if (lost)
		session_problem(s, "of %zu sections of memory it is not known whether they are "
				"there: their mem_section is not in the dump", lost);
}

/* The array as the first section that has one names it. */
static bool by_section(struct session *s, uint64_t max_pfn, uint64_t *vmemmap)
{
	struct page_layout layout = { 0 };
	uint64_t map;

	page_sections_find(s, &layout);
	for (uint64_t pfn = 0; pfn < max_pfn; pfn += SECTION_PAGES) {
		uint64_t section = page_section(s, &layout, pfn);
		if (!section || !kread(s, section, "mem_section", "section_mem_map", &map) ||
		    (map & (SECTION_PRESENT | SECTION_HAS_MEM_MAP)) !=
			    (SECTION_PRESENT | SECTION_HAS_MEM_MAP))
			continue;
		*vmemmap = map & ~(uint64_t)SECTION_FLAGS;
		return true;
	}
	return false;
}

/*
 * The struct page of the kernel's first code: a real one is reserved, so has a reference and is
 * mapped nowhere. True too where that page of the array is not in the dump: nothing contradicts.
 */
static bool believable(struct session *s, uint64_t vmemmap, uint64_t page_size)
{
	uint64_t text = s->symbols ? symbols_address(s->symbols, "_text") : 0, count;
	struct paddr paddr;

	if (!vmemmap || !s->arch->is_kernel_address(vmemmap) || vmemmap & (PAGE_SIZE - 1))
		return false;
	if (!text || memory_vtop(s->memory, text, &paddr) != READ_OK)
		return true;
	switch (kread_status(s, vmemmap + (paddr.v >> PAGE_SHIFT) * page_size, "page",
			     "_refcount.counter|_count.counter", &count)) {
	case KREAD_OK:
		return count >= 1 && count <= UINT16_MAX;
	case KREAD_NO_MEMBER:
		return true;
	default:
		return false;
	}
}

static uint64_t last_pfn(struct session *s)
{
	uint64_t pfn = dump_info(s->dump)->max_pfn, told;

	/* The dump may have been cut off, or lack the last pages; the kernel knows. */
	if (kglobal(s, "max_pfn", 8, &told) && told > pfn && told >> PFN_MAX_BITS == 0)
		pfn = told;
	return pfn;
}

bool page_array_find(struct session *s, struct page_array *array)
{
	uint64_t vmemmap;

	*array = (struct page_array){ .page_size = types_sizeof(s->types, "page") };
	if (!array->page_size || array->page_size > STRUCT_PAGE_MAX)
		return false;
	array->max_pfn = last_pfn(s);
	array->valid = true;
	if (kglobal(s, "vmemmap_base", 8, &vmemmap) &&
	    believable(s, vmemmap, array->page_size)) {
		array->vmemmap = vmemmap;
		return true;
	}
	if ((by_section(s, array->max_pfn, &vmemmap) ||
	     dump_vmcoreinfo_hex(s->dump, "SYMBOL(vmemmap)", &vmemmap)) &&
	    believable(s, vmemmap, array->page_size)) {
		array->vmemmap = vmemmap;
		return true;
	}
	/* __VMEMMAP_BASE_L5 and _L4, arch/x86/include/asm/pgtable_64_types.h: without KASLR. */
	array->vmemmap = memory_layout(s->memory)->root.levels == 5 ? UINT64_C(0xffd4000000000000)
								     : UINT64_C(0xffffea0000000000);
	array->valid = believable(s, array->vmemmap, array->page_size);
	return array->valid;
}
