// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The mapped kernel image, and finding the page tables of a dump that has no VMCOREINFO.
 *
 * Three roads to the page tables, in this order:
 *  - control registers of a hypervisor's CPU notes. CR3 may be of a user process, which is as good
 *    for kernel addresses; or the user half of a pair of tables (page-table isolation: bit 12 set,
 *    and hardly any of the kernel mapped). The root that maps most of the image is taken.
 *  - VMCOREINFO in the kernel's own memory: a page that starts with its text (vmcoreinfo_data).
 *  - kallsyms found in physical pages: the kernel image is contiguous in physical memory, so that
 *    the page tables (init_top_pgt, before 4.13 init_level4_pgt) are at a known distance.
 * A memory image can hold other kernels: guests, the one before kexec. What the last two find is
 * believed only if its page tables lead back to where it was found.
 */
#include "symbols/image.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "symbols/kallsyms.h"

enum {
	IMAGE_ALIGN = 2 << 20,       /* CONFIG_PHYSICAL_ALIGN's usual and the largest useful value */
	IMAGE_SIZE_MIN = 4 << 20,    /* any kernel's; entry code alone is far less */
	EXTENTS_MAX = 4096,
	BANNER_SIZE = 14,
	TRIES_MAX = 16,              /* CPUs whose tables are looked at: any is right */
};

static const char banner_start[BANNER_SIZE + 1] = "Linux version ";

/* --- The mapped image. --- */

static void add_page(struct extents *extents, const struct arch *arch, uint64_t vaddr,
		     uint64_t size, const struct walk *walk)
{
	struct extent *last = extents->count ? &extents->data[extents->count - 1] : NULL;
	char flags[128];

	arch->pte_flags(walk->flags, flags, sizeof(flags));
	bool writable = strstr(flags, "RW"), executable = !strstr(flags, "NX");
	if (last && last->vaddr + last->size == vaddr && last->writable == writable &&
	    last->executable == executable && last->paddr + last->size == walk->paddr.v)
		last->size += size;
	else if (extents->count < EXTENTS_MAX)
		vec_push(extents, (struct extent){ vaddr, size, walk->paddr.v, writable,
						   executable });
}

void image_extents(struct memory *mem, struct extents *extents)
{
	const struct arch *arch = memory_arch(mem);
	uint64_t base = arch->image_base, done = 0;
	struct walk walk;

	while (done < arch->image_size_max) {
		memory_walk(mem, base + done, &walk);
		uint64_t page = walk.page_size < PAGE_SIZE ? PAGE_SIZE : walk.page_size;
		uint64_t left = page - ((base + done) & (page - 1));
		left = min_u64(left, arch->image_size_max - done);
		if (walk.status == READ_OK)
			add_page(extents, arch, base + done, left, &walk);
		else if (walk.status != READ_UNMAPPED)
			left = PAGE_SIZE;
		done += left;
	}
}

/* Without page tables memory_walk() answers by the linear mapping; here only tables count. */
static uint64_t mapped_size(struct memory *mem, struct extent *first)
{
	struct extents extents = { 0 };
	uint64_t size = 0;

	image_extents(mem, &extents);
	if (extents.count)
		*first = extents.data[0];
	for (size_t i = 0; i < extents.count; i++)
		size += extents.data[i].size;
	free(extents.data);
	return size;
}

/* Makes @root the memory's and tells how much of the kernel image it maps. */
static uint64_t try_root(struct memory *mem, const struct page_root *root)
{
	struct kernel_layout layout = *memory_layout(mem);
	struct extent first = { 0 };
	uint64_t size;

	layout.root = *root;
	layout.has_root = true;
	layout.has_phys_base = false;
	memory_set_layout(mem, &layout);
	size = mapped_size(mem, &first);
	if (size < IMAGE_SIZE_MIN)
		return 0;
	layout.phys_base = (int64_t)(first.paddr - (first.vaddr - memory_arch(mem)->image_base));
	layout.has_phys_base = true;
	memory_set_layout(mem, &layout);
	return size;
}

/* --- By control registers. --- */

static bool layout_by_registers(struct memory *mem)
{
	const struct dump_info *info = dump_info(memory_dump(mem));
	const struct arch *arch = memory_arch(mem);
	struct kernel_layout before = *memory_layout(mem), best = before;
	uint64_t best_size = 0;
	struct arch_control control;
	unsigned tries = 0;

	for (size_t i = 0; i < info->note_count && tries < TRIES_MAX; i++) {
		if (!arch->note_control(&info->notes[i], &control) || !control.cr3)
			continue;
		tries++;
		for (unsigned half = 0; half < 2; half++) {
			struct page_root root = { .levels = control.cr4 >> 12 & 1 ? 5 : 4 };
			/* The low 12 bits are a PCID. */
			root.table.v = control.cr3 & ~UINT64_C(0xfff) & ((UINT64_C(1) << 52) - 1);
			if (half && !(root.table.v & PAGE_SIZE))
				break;
			if (half)
				root.table.v &= ~(uint64_t)PAGE_SIZE;
			uint64_t size = try_root(mem, &root);
			if (size > best_size) {
				best_size = size;
				best = *memory_layout(mem);
			}
		}
	}
	memory_set_layout(mem, best_size ? &best : &before);
	return best_size;
}

/* --- By VMCOREINFO text in memory. --- */

enum { VMCOREINFO_MAX = PAGE_SIZE };

/* The number after "\nKEY=" in @text. */
static bool text_number(const char *text, const char *key, int base, uint64_t *value)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == '=') {
			*value = base == 16 ? strtoull(line + len + 1, NULL, 16) :
					      (uint64_t)strtoll(line + len + 1, NULL, 10);
			return true;
		}
		if (!*line)
			break;
	}
	return false;
}

static bool layout_of_text(struct memory *mem, const char *text)
{
	static const char *const roots[] = { "SYMBOL(swapper_pg_dir)", "SYMBOL(init_top_pgt)",
					     "SYMBOL(init_level4_pgt)" };
	uint64_t base = memory_arch(mem)->image_base, pgd = 0, number;
	struct kernel_layout before = *memory_layout(mem), layout;
	struct page_root root = { .levels = 4 };
	uint64_t phys_base;

	if (!text_number(text, "NUMBER(phys_base)", 10, &phys_base))
		return false;
	for (size_t i = 0; i < array_size(roots) && !pgd; i++)
		(void)text_number(text, roots[i], 16, &pgd);
	if (pgd < base)
		return false;
	if (text_number(text, "NUMBER(pgtable_l5_enabled)", 10, &number) && number == 1)
		root.levels = 5;
	if (text_number(text, "NUMBER(sme_mask)", 10, &number) && number)
		root.phys_mask = ~number;
	root.table.v = pgd - base + phys_base;
	if (!try_root(mem, &root) || memory_layout(mem)->phys_base != (int64_t)phys_base) {
		memory_set_layout(mem, &before);
		return false;
	}
	layout = *memory_layout(mem);
	if (text_number(text, "KERNELOFFSET", 16, &layout.image_offset))
		layout.has_image_offset = true;
	memory_set_layout(mem, &layout);
	return true;
}

static bool layout_by_vmcoreinfo_page(struct memory *mem, const uint8_t *page)
{
	char text[VMCOREINFO_MAX + 1];

	if (memcmp(page, "OSRELEASE=", 10) != 0)
		return false;
	memcpy(text, page, VMCOREINFO_MAX);
	text[VMCOREINFO_MAX] = '\0';
	return layout_of_text(mem, text);
}

/* --- By kallsyms in physical pages. --- */

/* The window around a token_index found in physical memory. */
enum { REACH_BACK = 12 << 20, REACH_ON = 6 << 20 };

static void read_phys_window(const struct dump *dump, uint64_t start, uint8_t *buf, uint64_t size)
{
	uint8_t buffer[PAGE_SIZE];
	struct dump_page page;

	for (uint64_t done = 0; done < size; done += PAGE_SIZE) {
		if (dump_read_page(dump, (start + done) >> PAGE_SHIFT, buffer, &page) == READ_OK &&
		    page.from == 0 && page.to == PAGE_SIZE)
			memcpy(buf + done, page.data, PAGE_SIZE);
		else
			memset(buf + done, 0, PAGE_SIZE);
	}
}

static bool is_banner(struct memory *mem, uint64_t paddr)
{
	char text[BANNER_SIZE];

	return memory_read_phys(mem, (struct paddr){ paddr }, text, sizeof(text)) == READ_OK &&
	       memcmp(text, banner_start, BANNER_SIZE) == 0;
}

static uint64_t address_by_name(const struct kallsyms *k, const char *name)
{
	uint32_t i;

	kallsyms_find_names(k, &name, 1, &i);
	return i == UINT32_MAX ? 0 : kallsyms_address(k, i);
}

static uint64_t page_tables_of(const struct kallsyms *k)
{
	static const char *const names[] = { "init_top_pgt", "init_level4_pgt", "swapper_pg_dir" };
	uint64_t address = 0;

	for (size_t i = 0; i < array_size(names) && !address; i++)
		address = address_by_name(k, names[i]);
	return address;
}

/*
 * Kernel virtual to physical, for the image: a difference. Place-relative tables were decoded as
 * if physical addresses were virtual ones, so that it is 0. Otherwise it is a multiple of 2 MiB
 * that brings @index (physical, of token_index) into the image and linux_banner to its text.
 */
static bool image_shift(struct memory *mem, const struct kallsyms *k, uint64_t index,
			uint64_t *shift)
{
	uint64_t banner = address_by_name(k, "linux_banner");
	uint64_t low = kallsyms_address(k, 0), high = kallsyms_address(k, k->count - 1);

	*shift = 0;
	if (!banner)
		return false;
	if (k->encoding == KALLSYMS_PLACE)
		return is_banner(mem, banner);
	if (low < memory_arch(mem)->image_base) /* per-CPU offsets are below */
		low = memory_arch(mem)->image_base;
	if (high < low || high - low > memory_arch(mem)->image_size_max)
		return false;
	uint64_t at = (low & ~(uint64_t)(IMAGE_ALIGN - 1)) + (index & (IMAGE_ALIGN - 1));
	for (; at < high; at += IMAGE_ALIGN) {
		*shift = index - at;
		if (is_banner(mem, banner + *shift))
			return true;
	}
	return false;
}

static bool layout_of_kallsyms(struct memory *mem, const struct kallsyms *k, uint64_t index)
{
	struct kernel_layout before = *memory_layout(mem);
	uint64_t shift, pgd = page_tables_of(k), banner = address_by_name(k, "linux_banner");

	if (!pgd || !image_shift(mem, k, index, &shift))
		return false;
	for (unsigned levels = 4; levels <= 5; levels++) {
		struct page_root root = { .table = { pgd + shift }, .levels = levels };
		struct walk walk;

		if (!try_root(mem, &root))
			continue;
		/* Does it lead back? */
		uint64_t vaddr = banner + shift - (uint64_t)memory_layout(mem)->phys_base +
				 memory_arch(mem)->image_base;
		memory_walk(mem, vaddr, &walk);
		if (walk.status == READ_OK && walk.levels && walk.paddr.v == banner + shift)
			return true;
	}
	memory_set_layout(mem, &before);
	return false;
}

/* Is there a token_index at physical address @index, and kallsyms around it? */
static bool layout_by_token_index(struct memory *mem, uint64_t index)
{
	const struct dump *dump = memory_dump(mem);
	uint64_t page = index & ~(uint64_t)(PAGE_SIZE - 1);
	uint8_t near[3 * PAGE_SIZE];
	struct kallsyms_places places;
	struct kallsyms k = { 0 };
	bool ok = false;

	/* The strings are about a thousand bytes: most accidents end here. */
	if (page < PAGE_SIZE)
		return false;
	read_phys_window(dump, page - PAGE_SIZE, near, sizeof(near));
	places.token_index = index - page + PAGE_SIZE;
	if (!kallsyms_check_tokens(near, sizeof(near), places.token_index, &places.token_table))
		return false;
	uint64_t start = page > REACH_BACK ? page - REACH_BACK : 0;
	size_t size = page - start + REACH_ON;
	uint8_t *window = xmalloc(size);
	read_phys_window(dump, start, window, size);
	places.token_table = index - start - (places.token_index - places.token_table);
	places.token_index = index - start;
	if (kallsyms_find_tables(window, size, NULL, NULL, &places) &&
	    kallsyms_parse(&k, window, size, start, &places)) {
		ok = layout_of_kallsyms(mem, &k, index);
		kallsyms_deinit(&k);
	}
	free(window);
	return ok;
}

/* @tail: the last bytes of the page before, since a token_index may start there. */
static bool layout_by_page(struct memory *mem, uint64_t pfn, const uint8_t *page, uint32_t tail)
{
	uint64_t start = pfn << PAGE_SHIFT;

	if (layout_by_vmcoreinfo_page(mem, page))
		return true;
	if (kallsyms_maybe_token_index((uint64_t)load_u32(page) << 32 | tail) &&
	    layout_by_token_index(mem, start - 4))
		return true;
	for (unsigned at = 0; at + 8 <= PAGE_SIZE; at += 4) {
		if (kallsyms_maybe_token_index(load_u64(page + at)) &&
		    layout_by_token_index(mem, start + at))
			return true;
	}
	return false;
}

static bool layout_by_search(struct memory *mem)
{
	const struct dump *dump = memory_dump(mem);
	uint64_t end = dump_info(dump)->max_pfn;
	uint8_t buffer[PAGE_SIZE];
	struct dump_page page;
	uint32_t tail = 0;

	for (uint64_t pfn = 0; pfn < end; pfn++) {
		if (dump_has_page(dump, pfn) != READ_OK ||
		    dump_read_page(dump, pfn, buffer, &page) != READ_OK ||
		    page.from != 0 || page.to != PAGE_SIZE) {
			tail = UINT32_MAX;
			continue;
		}
		if (layout_by_page(mem, pfn, page.data, tail))
			return true;
		tail = load_u32(page.data + PAGE_SIZE - 4);
	}
	return false;
}

bool image_find_layout(struct memory *mem)
{
	return layout_by_registers(mem) || layout_by_search(mem);
}

/* --- What symbols tell. --- */

/* The kernel's own tables: those of a process may lack what was mapped later. */
static void prefer_kernel_root(struct memory *mem, const struct symbol_source *source,
			       uint64_t banner)
{
	static const char *const names[] = { "init_top_pgt", "init_level4_pgt", "swapper_pg_dir" };
	struct kernel_layout before = *memory_layout(mem), layout = before;
	uint64_t pgd = 0, base = memory_arch(mem)->image_base;
	struct walk old, new;

	for (size_t i = 0; i < array_size(names) && !pgd; i++)
		pgd = source_address_of(source, names[i]);
	if (pgd < base || !layout.has_phys_base)
		return;
	memory_walk(mem, banner, &old);
	layout.root.table.v = pgd - base + (uint64_t)layout.phys_base;
	layout.has_root = true;
	memory_set_layout(mem, &layout);
	memory_walk(mem, banner, &new);
	if (new.status != READ_OK || !new.levels ||
	    (old.status == READ_OK && old.paddr.v != new.paddr.v))
		memory_set_layout(mem, &before);
}

void image_complete_layout(struct memory *mem, const struct symbol_source *source)
{
	const char *const names[] = { "linux_banner", "_text", "sme_me_mask" };
	uint64_t base = memory_arch(mem)->image_base;
	uint64_t address[array_size(names)], mask;
	uint32_t found[array_size(names)];
	struct kernel_layout layout;

	source->ops->find_names(source, names, array_size(names), found);
	for (size_t i = 0; i < array_size(names); i++)
		address[i] = found[i] == UINT32_MAX ? 0 : source->ops->address(source, found[i]);
	if (address[0])
		prefer_kernel_root(mem, source, address[0]);
	layout = *memory_layout(mem);
	if (!layout.root.phys_mask && address[2] && memory_u64(mem, address[2], &mask) == READ_OK &&
	    mask)
		layout.root.phys_mask = ~mask;
	/* The image is linked at CONFIG_PHYSICAL_START, which is 16 MiB unless somebody meddled. */
	enum { PHYSICAL_START = 16 << 20 };
	if (!layout.has_image_offset && address[1] >= base + PHYSICAL_START) {
		layout.image_offset = address[1] - base - PHYSICAL_START;
		layout.has_image_offset = true;
	}
	memory_set_layout(mem, &layout);
}
