// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An address is asked of each owner of address space in turn, the most exact first: symbols, task
 * stacks, slab pages, then the areas of the address map (Documentation/arch/x86/x86_64/mm.rst). The
 * areas' starts are variables, since KASLR moves them; where one cannot be read, no claim is made.
 */
#include "forensics/place.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/pages.h"

enum {
	PTE_WRITABLE_BIT = 1, /* of x86 page-table entries of any level */
	PTE_NX_BIT = 63,
	STACK_USUAL = 16 << 10, /* THREAD_SIZE, arch/x86/include/asm/page_64_types.h */
	STACK_MAX = 1 << 18,
	SLAB_OBJECT_MAX = 1 << 23,
	PAGE_TYPE_SHIFT = 24, /* include/linux/page-flags.h, enum pagetype, since 6.12 */
};

/* VMALLOC_SIZE_TB_L4 and _L5, arch/x86/include/asm/pgtable_64_types.h */
#define VMALLOC_SIZE(levels) ((levels) == 5 ? UINT64_C(12800) << 40 : UINT64_C(32) << 40)
#define VMEMMAP_SIZE (UINT64_C(1) << 40)

static void add_permissions(const struct walk *walk, struct place *place)
{
	place->mapped = walk->status == READ_OK;
	place->unmapped = walk->status == READ_UNMAPPED;
	place->permissions_known = place->mapped && walk->levels;
	place->writable = place->executable = place->permissions_known;
	for (unsigned i = 0; i < walk->levels; i++) {
		place->writable &= walk->step[i].entry >> PTE_WRITABLE_BIT & 1;
		place->executable &= !(walk->step[i].entry >> PTE_NX_BIT & 1);
	}
}

static void set(struct place *place, enum place_kind kind, uint64_t start)
{
	place->kind = kind;
	place->start = start;
}

/* --- User space. --- */

static void user_place(struct session *s, const struct task *task, uint64_t address,
		       struct place *place)
{
	struct page_root root = memory_layout(s->memory)->root;
	struct walk walk;
	uint64_t pgd;

	place->kind = PLACE_USER;
	snprintf(place->text, sizeof(place->text), "an address of user space");
	if (!task || !task->mm || !kread(s, task->mm, "mm_struct", "pgd", &pgd) ||
	    memory_vtop(s->memory, pgd, &root.table) != READ_OK)
		return;
	memory_walk_user(s->memory, &root, address, &walk);
	add_permissions(&walk, place);
}

/* --- Stacks. --- */

static uint64_t stack_size(struct session *s)
{
	uint64_t size = types_sizeof(s->types, "thread_union");

	return size < PAGE_SIZE || size > STACK_MAX || size & (size - 1) ? STACK_USUAL : size;
}

static bool on_stack_of(const struct task *task, uint64_t size, uint64_t address,
			struct place *place)
{
	static const struct {
		enum place_kind kind;
		const char *words;
	} parts[] = {
		{ PLACE_STACK_BELOW, "the page below the kernel stack of" },
		{ PLACE_STACK, "the kernel stack of" },
		{ PLACE_STACK_ABOVE, "the page above the kernel stack of" },
	};

	if (!task->stack || address - (task->stack - PAGE_SIZE) >= size + 2 * (uint64_t)PAGE_SIZE)
		return false;
	unsigned part = address < task->stack ? 0 : address - task->stack < size ? 1 : 2;
	/* Only stacks in the vmalloc area have guard pages: else a neighbour is just anything. */
	if (part != 1 && !place->unmapped)
		return false;
	set(place, parts[part].kind, task->stack);
	place->pid = task->pid;
	if (task_is_named(task))
		snprintf(place->text, sizeof(place->text), "%s %.*s (pid %d)", parts[part].words,
			 (int)sizeof(task->comm), task->comm, task->pid);
	else
		snprintf(place->text, sizeof(place->text), "%s a task", parts[part].words);
	return true;
}

/* Stacks may be neighbours: on one beats beside one, and the task itself beats others. */
static bool stack_place(struct session *s, const struct task *task, uint64_t address,
			struct place *place)
{
	size_t count;
	uint64_t size = stack_size(s);
	const struct task *all = tasks(s, &count);
	struct place beside = *place;
	bool found = task && on_stack_of(task, size, address, place);

	if (found && place->kind == PLACE_STACK)
		return true;
	for (size_t i = 0; i < count; i++) {
		if (!on_stack_of(&all[i], size, address, &beside))
			continue;
		if (beside.kind == PLACE_STACK || !found)
			*place = beside;
		found = true;
		if (beside.kind == PLACE_STACK)
			break;
	}
	return found;
}

/* --- Variables and code. --- */

static bool symbol_place(struct session *s, uint64_t address, struct place *place)
{
	struct symbol sym;
	char in[80] = "";

	if (!s->symbols || !symbols_by_address(s->symbols, address, &sym))
		return false;
	bool constant = strchr("rR", sym.type) != NULL;
	bool text = symbols_is_text(s->symbols, address);
	set(place, text ? PLACE_TEXT : constant ? PLACE_RODATA : PLACE_DATA, sym.address);
	if (sym.module)
		snprintf(in, sizeof(in), " of module %s", sym.module->name);
	snprintf(place->text, sizeof(place->text), "%s %s%s%s", sym.name,
		 text ? "(code" : constant ? "(constant data" : "(data", in, ")");
	if (address != sym.address) {
		char name[128];
		snprintf(name, sizeof(name), "%s", place->text + strlen(sym.name));
		snprintf(place->text, sizeof(place->text), "%s+0x%lx%s", sym.name,
			 (unsigned long)(address - sym.address), name);
	}
	return true;
}

/* --- Slabs. --- */

/* The flags say so up to 6.9, the type in the top byte from 6.12 on; what is between says nothing. */
static bool is_slab_page(struct session *s, uint64_t page)
{
	int64_t bit, type;
	uint64_t value;

	if (types_enumerator(s->types, "PGTY_slab", &type))
		return kread(s, page, "page", "page_type", &value) &&
		       (value & UINT32_MAX) >> PAGE_TYPE_SHIFT == (uint64_t)type;
	return types_enumerator(s->types, "PG_slab", &bit) && bit >= 0 && bit < 32 &&
	       kread(s, page, "page", "flags", &value) && value >> bit & 1;
}

/* The struct page of @pfn, or of the compound page that it belongs to; 0: none. */
static uint64_t head_page(struct session *s, uint64_t vmemmap, uint64_t page_size, uint64_t *pfn)
{
	uint64_t page = vmemmap + *pfn * page_size, head;

	if (!kread(s, page, "page", "compound_head", &head))
		return 0;
	if (!(head & 1))
		return page;
	head--;
	if (head < vmemmap || (head - vmemmap) % page_size)
		return 0;
	*pfn = (head - vmemmap) / page_size;
	return head;
}

static bool printable(const char *name)
{
	for (const char *c = name; *c; c++) {
		if (!isgraph((unsigned char)*c))
			return false;
	}
	return *name;
}

static bool slab_place(struct session *s, uint64_t address, uint64_t page_offset,
		       struct place *place)
{
	const struct page_array *array = page_array(s);
	uint64_t cache, size, left_pad = 0;
	uint64_t pfn = (address - page_offset) >> PAGE_SHIFT;
	char name[64];

	if (!array->valid)
		return false;
	uint64_t page = head_page(s, array->vmemmap, array->page_size, &pfn);
	if (!page || !is_slab_page(s, page))
		return false;
	if (!kread(s, page, "slab", "slab_cache", &cache) &&
	    !kread(s, page, "page", "slab_cache", &cache))
		return false;
	if (!kread_string(s, cache, "kmem_cache", "name", name, sizeof(name)) || !printable(name) ||
	    !kread(s, cache, "kmem_cache", "size", &size) || !size || size > SLAB_OBJECT_MAX)
		return false;
	kread(s, cache, "kmem_cache", "red_left_pad", &left_pad);
	uint64_t slab = page_offset + (pfn << PAGE_SHIFT);
	uint64_t object = slab + (address - slab) / size * size + left_pad;
	set(place, PLACE_SLAB, object);
	snprintf(place->text, sizeof(place->text), "an object of slab cache %s", name);
	return true;
}

/* --- Areas of the address map. --- */

static bool in_area(struct session *s, const char *base, uint64_t size, uint64_t address)
{
	uint64_t start;

	return kglobal(s, base, 8, &start) && start && address - start < size;
}

static void area_place(struct session *s, uint64_t address, struct place *place)
{
	const struct kernel_layout *layout = memory_layout(s->memory);
	uint64_t memory_size = dump_info(s->dump)->max_pfn << PAGE_SHIFT;

	if (layout->has_page_offset && address - layout->page_offset < memory_size) {
		if (slab_place(s, address, layout->page_offset, place))
			return;
		set(place, PLACE_DIRECT, 0);
		snprintf(place->text, sizeof(place->text), "memory of the direct map");
	} else if (in_area(s, "vmalloc_base", VMALLOC_SIZE(layout->root.levels), address)) {
		set(place, PLACE_VMALLOC, 0);
		snprintf(place->text, sizeof(place->text), "the vmalloc area");
	} else if (in_area(s, "vmemmap_base", VMEMMAP_SIZE, address)) {
		set(place, PLACE_VMEMMAP, 0);
		snprintf(place->text, sizeof(place->text), "the array of struct page");
	}
}

void place_of(struct session *s, const struct task *task, uint64_t address, struct place *place)
{
	unsigned levels = memory_layout(s->memory)->root.levels;
	struct walk walk;

	*place = (struct place){ .kind = PLACE_UNKNOWN };
	if (levels && !s->arch->canonical(address, levels))
		return;
	if (!s->arch->is_kernel_address(address)) {
		user_place(s, task, address, place);
		return;
	}
	memory_walk(s->memory, address, &walk);
	add_permissions(&walk, place);
	if (!symbol_place(s, address, place) && !stack_place(s, task, address, place))
		area_place(s, address, place);
}
