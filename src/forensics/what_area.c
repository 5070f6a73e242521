// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The areas of the address map of x86-64, Documentation/arch/x86/x86_64/mm.rst. The starts of three
 * of them are variables, since KASLR moves them; where one cannot be read, no claim is made. The
 * others are at fixed places, which depend on the levels of the page tables.
 */
#include <stdio.h>

#include "forensics/what.h"

#define TB (UINT64_C(1) << 40)
#define GB (UINT64_C(1) << 30)
#define MB (UINT64_C(1) << 20)

/* In order: the first that covers an address counts. */
static const struct area_row {
	const char *name;
	const char *base;           /* variable with its start; NULL: start[] */
	const char *only_with;      /* a symbol without which there is no such area */
	uint64_t start[2], size[2]; /* with 4 and 5 levels */
	enum what_kind kind;
} rows[] = {
	/* VMALLOC_SIZE_TB_L4 and _L5, arch/x86/include/asm/pgtable_64_types.h */
	{ "the vmalloc area", "vmalloc_base", NULL, { 0 }, { 32 * TB, 12800 * TB }, WHAT_AREA },
	{ "the array of struct page", "vmemmap_base", NULL, { 0 }, { TB, 512 * TB }, WHAT_AREA },
	{ "the hole kept for hypervisors", NULL, NULL,
	  { UINT64_C(0xffff800000000000), UINT64_C(0xff00000000000000) }, { 8 * TB, 4096 * TB },
	  WHAT_AREA },
	{ "the local descriptor tables (page-table isolation)", NULL, NULL,
	  { UINT64_C(0xffff880000000000), UINT64_C(0xff10000000000000) }, { TB / 2, 256 * TB },
	  WHAT_FIXED },
	{ "KASAN's shadow memory", NULL, "kasan_early_shadow_page",
	  { UINT64_C(0xffffec0000000000), UINT64_C(0xffdf000000000000) }, { 16 * TB, 8192 * TB },
	  WHAT_FIXED },
	{ "the CPU entry area", NULL, NULL,
	  { UINT64_C(0xfffffe0000000000), UINT64_C(0xfffffe0000000000) }, { TB / 2, TB / 2 },
	  WHAT_FIXED },
	{ "the ESPFIX stacks", NULL, NULL,
	  { UINT64_C(0xffffff0000000000), UINT64_C(0xffffff0000000000) }, { TB / 2, TB / 2 },
	  WHAT_FIXED },
	{ "the EFI runtime services", NULL, NULL,
	  { UINT64_C(0xffffffef00000000), UINT64_C(0xffffffef00000000) }, { 64 * GB, 64 * GB },
	  WHAT_FIXED },
	{ "the kernel image's mapping", NULL, NULL,
	  { UINT64_C(0xffffffff80000000), UINT64_C(0xffffffff80000000) }, { 512 * MB, 512 * MB },
	  WHAT_AREA },
	{ "the vsyscall page", NULL, NULL,
	  { UINT64_C(0xffffffffff600000), UINT64_C(0xffffffffff600000) }, { 4096, 4096 },
	  WHAT_FIXED },
	{ "the fixmap", NULL, NULL,
	  { UINT64_C(0xffffffffff000000), UINT64_C(0xffffffffff000000) }, { 14 * MB, 14 * MB },
	  WHAT_FIXED },
	{ "the area of modules", NULL, NULL,
	  { UINT64_C(0xffffffffa0000000), UINT64_C(0xffffffffa0000000) }, { 1520 * MB, 1520 * MB },
	  WHAT_AREA },
};

static void add_area(struct session *s, struct whatis_state *state, const struct area_row *row,
		     unsigned which)
{
	uint64_t start = row->start[which], size = row->size[which];

	if (row->only_with && (!s->symbols || !symbols_address(s->symbols, row->only_with)))
		return;
	if (row->base && (!kglobal(s, row->base, 8, &start) || !start))
		return;
	if (start + (size - 1) < start)
		size = -start;
	vec_push(&state->areas, (struct named_area){ start, size, row->name, row->kind });
}

void what_area_prepare(struct session *s, struct whatis_state *state)
{
	const struct kernel_layout *layout = memory_layout(s->memory);
	unsigned which = layout->root.levels == 5;
	uint64_t memory_size = dump_info(s->dump)->max_pfn << PAGE_SHIFT;

	pthread_mutex_lock(&state->lock);
	if (!state->areas.known) {
		if (layout->has_page_offset && memory_size)
			vec_push(&state->areas,
				 (struct named_area){ layout->page_offset, memory_size,
						      "the direct map of memory", WHAT_AREA });
		for (size_t i = 0; i < array_size(rows); i++)
			add_area(s, state, &rows[i], which);
		if (s->symbols) {
			static const char *const names[] = { "__start_rodata", "__end_rodata" };
			uint64_t found[2] = { 0 };
			symbols_addresses(s->symbols, names, array_size(names), found);
			state->areas.rodata_start = found[0];
			state->areas.rodata_end = found[0] ? found[1] : 0;
		}
		state->areas.known = true;
	}
	pthread_mutex_unlock(&state->lock);
}

bool what_area(const struct what_ask *ask)
{
	what_area_prepare(ask->s, ask->state);
	for (size_t i = 0; i < ask->state->areas.count; i++) {
		const struct named_area *area = &ask->state->areas.data[i];
		if (ask->address - area->start >= area->size)
			continue;
		what_set(ask, area->kind, area->start, area->size);
		what_textf(ask, "%s", area->name);
		return true;
	}
	what_textf(ask, "in no area of the kernel's address map");
	return false;
}
