// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Page frames: the array of struct page, and memory of the direct map by what its page is used for.
 *
 * A page frame that is part of something with another address (the kernel image, an area of
 * vmalloc) is asked about there. An anonymous page leads over its anon_vma to the mappings that it
 * may be in (mm/rmap.c): a page of the mapping at index - vm_pgoff.
 */
#include <stdio.h>
#include <string.h>

#include "forensics/what.h"
#include "kernel/mappings.h"
#include "kernel/pages.h"
#include "kernel/vmalloc.h"

bool what_page_struct(const struct what_ask *ask)
{
	const struct page_array *array = page_array(ask->s);
	struct page_info info;

	if (!array->valid || !array->page_size || ask->address < array->vmemmap)
		return false;
	uint64_t pfn = (ask->address - array->vmemmap) / array->page_size;
	if (pfn >= array->max_pfn)
		return false;
	what_set(ask, WHAT_PAGE_STRUCT, array->vmemmap + pfn * array->page_size, array->page_size);
	ask->what->object = ask->what->start;
	if (ask->brief) {
		what_textf(ask, "struct page of pfn 0x%lx", (unsigned long)pfn);
		return true;
	}
	struct type type;
	ask->what->type = "page";
	uint64_t offset = ask->address - ask->what->start;
	if (offset && types_find(ask->s->types, "struct page", &type))
		type_path_at(type, offset, ask->what->member, sizeof(ask->what->member));
	bool known = page_info(ask->s, pfn, &info);
	what_textf(ask, "struct page of page frame 0x%lx%s%s%s%s%s", (unsigned long)pfn,
		   *ask->what->member ? ", member " : "", ask->what->member, known ? " (" : "",
		   known ? page_kind_name(info.kind) : "", known ? ")" : "");
	return true;
}

/* --- Owners --- */

/* The same memory under its other address. */
static bool by_alias(const struct what_ask *ask, const struct page_info *info)
{
	const struct kernel_layout *layout = memory_layout(ask->s->memory);
	uint64_t other, offset = ask->address & (PAGE_SIZE - 1);
	struct what what;

	if (info->kind == PAGE_KIND_KERNEL && layout->has_phys_base)
		other = (info->pfn << PAGE_SHIFT) - (uint64_t)layout->phys_base +
			ask->s->arch->image_base;
	else if (info->kind != PAGE_KIND_UNKNOWN ||
		 !vmalloc_area_of_pfn(ask->s, info->pfn, &other))
		return false;
	what_ask_again(ask, other + offset, &what);
	if (!*what.text)
		return false;
	what_textf(ask, "the direct map's view of 0x%lx: %.250s", (unsigned long)(other + offset),
		   what.text);
	return true;
}

static void file_page(const struct what_ask *ask, const struct page_info *info)
{
	char path[200];
	uint64_t inode = 0, offset = info->index * PAGE_SIZE + (ask->address & (PAGE_SIZE - 1));

	kread(ask->s, info->owner, "address_space", "host", &inode);
	if (inode && inode_path(ask->s, inode, path, sizeof(path)) && *path)
		what_textf(ask, "page cache of %s, offset 0x%lx in the file", path,
			   (unsigned long)offset);
	else
		what_textf(ask, "page cache of the inode at 0x%lx, offset 0x%lx in the file",
			   (unsigned long)inode, (unsigned long)offset);
}

static void free_block(const struct what_ask *ask, const struct page_info *info)
{
	const char *migrate = page_migrate_name(ask->s, info->migrate_type);

	ask->what->freed = true;
	if (info->kind == PAGE_KIND_PCP)
		what_textf(ask, "free memory, on a CPU's list of free pages");
	else
		what_textf(ask, "free memory: in a free block of order %u%s%s%s", info->order,
			   migrate && *migrate ? " (" : "", migrate ? migrate : "",
			   migrate && *migrate ? ")" : "");
}

/* The page frame of a page global directory remembers whose it is (pgd_set_mm()). */
static bool top_page_table(const struct what_ask *ask, const struct page_info *info)
{
	uint64_t mm, pgd, page = ask->address & ~(uint64_t)(PAGE_SIZE - 1);
	size_t count;
	const struct task *all;

	if (!kread(ask->s, info->page, "ptdesc", "pt_mm", &mm) &&
	    !kread(ask->s, info->page, "page", "pt_mm", &mm))
		return false;
	if (!mm || !kread(ask->s, mm, "mm_struct", "pgd", &pgd) || pgd - page >= PAGE_SIZE)
		return false;
	all = tasks(ask->s, &count);
	for (size_t i = 0; i < count; i++) {
		char name[48];
		if (all[i].mm != mm)
			continue;
		what_task_name(&all[i], name, sizeof(name));
		ask->what->pid = all[i].pid;
		what_textf(ask, "the top page table (pgd) of %s", name);
		return true;
	}
	return false;
}

static void in_block(const struct what_ask *ask, const struct page_info *info, const char *what,
		     const char *in_use)
{
	uint64_t start = ask->address - (ask->address & (PAGE_SIZE - 1)) -
			 (info->pfn - info->head_pfn) * PAGE_SIZE;
	uint64_t size = info->order < 20 ? (uint64_t)PAGE_SIZE << info->order : PAGE_SIZE;

	what_set(ask, WHAT_PAGE, start, size);
	what_textf(ask, "%s of %lu bytes at 0x%lx, +0x%lx%s", what, (unsigned long)size,
		   (unsigned long)start, (unsigned long)(ask->address - start), in_use);
}

static void describe(const struct what_ask *ask, const struct page_info *info)
{
	switch (info->kind) {
	case PAGE_KIND_BUDDY:
	case PAGE_KIND_PCP:
		free_block(ask, info);
		break;
	case PAGE_KIND_FILE:
		file_page(ask, info);
		break;
	case PAGE_KIND_ANON:
		if (!what_anonymous(ask, info))
			what_textf(ask, "an anonymous page of user space");
		break;
	case PAGE_KIND_PAGE_TABLE:
		if (!top_page_table(ask, info))
			what_textf(ask, "a page table");
		break;
	case PAGE_KIND_LARGE_KMALLOC:
		in_block(ask, info, "large kmalloc()", "");
		break;
	case PAGE_KIND_UNKNOWN:
		/* Before 6.11 the top level of page tables has no type. */
		if (!top_page_table(ask, info))
			in_block(ask, info, "a block", ", in use; by whom is not known");
		break;
	default:
		what_textf(ask, "a page frame: %s", page_kind_name(info->kind));
	}
}

static void label(const struct what_ask *ask, const struct page_info *info)
{
	if (info->kind == PAGE_KIND_UNKNOWN)
		what_textf(ask, "page 0x%lx", (unsigned long)info->pfn);
	else
		what_textf(ask, "%s", page_kind_name(info->kind));
}

bool what_page(const struct what_ask *ask)
{
	struct page_info info;
	struct paddr paddr;

	if (!direct_map_to_phys(ask->s, ask->address, &paddr) ||
	    paddr.v >> PAGE_SHIFT >= page_array(ask->s)->max_pfn ||
	    !page_info(ask->s, paddr.v >> PAGE_SHIFT, &info) || info.kind == PAGE_KIND_ABSENT)
		return false;
	what_set(ask, WHAT_PAGE, ask->address & ~(uint64_t)(PAGE_SIZE - 1), PAGE_SIZE);
	ask->what->object = info.page;
	if (ask->brief) {
		label(ask, &info);
		return true;
	}
	if (by_alias(ask, &info))
		return true;
	describe(ask, &info);
	if (info.kind == PAGE_KIND_RESERVED)
		what_physical(ask, paddr.v);
	what_detailf(ask, "page frame 0x%lx, struct page 0x%lx", (unsigned long)info.pfn,
		     (unsigned long)info.page);
	return true;
}
