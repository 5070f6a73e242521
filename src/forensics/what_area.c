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
	{ "the vsyscall page", NULL, NULL,
	  { UINT64_C(0xffffffffff600000), UINT64_C(0xffffffffff600000) }, { 4096, 4096 },
	  WHAT_FIXED },
	{ "the fixmap", NULL, NULL,
	  { UINT64_C(0xffffffffff000000), UINT64_C(0xffffffffff000000) }, { 14 * MB, 14 * MB },
	  WHAT_FIXED },
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

/* FIXADDR_START is at most here: arch/x86/include/asm/pgtable_64_types.h, MODULES_END. */
#define MODULES_END UINT64_C(0xffffffffff000000)

/* What depends on this kernel: how large its image's mapping and the direct map are. */
static void add_own(struct session *s, struct whatis_state *state)
{
	const struct kernel_layout *layout = memory_layout(s->memory);
	uint64_t size = dump_info(s->dump)->max_pfn << PAGE_SHIFT;
	uint64_t image = s->arch->image_base, end = image + layout->image_size, behind;

	/* The direct map has room for all memory there can be, up to the vmalloc area. */
	if (kglobal(s, "vmalloc_base", 8, &behind) && behind > layout->page_offset)
		size = behind - layout->page_offset;
	if (layout->has_page_offset && size)
		vec_push(&state->areas, (struct named_area){ layout->page_offset, size,
							     "the direct map of memory",
							     WHAT_AREA });
	if (!layout->image_size || end >= MODULES_END)
		return;
	vec_push(&state->areas, (struct named_area){ image, layout->image_size,
						     "the kernel image's mapping", WHAT_AREA });
	vec_push(&state->areas, (struct named_area){ end, MODULES_END - end,
						     "the area of modules", WHAT_AREA });
}

/* Has the kernel freed its initialisation code and data? (enum system_states) */
static bool has_started(struct session *s)
{
	uint64_t now;
	int64_t running;

	return types_enumerator(s->types, "SYSTEM_RUNNING", &running) &&
	       kglobal(s, "system_state", 4, &now) && now >= (uint64_t)running;
}

static void find_limits(struct session *s, struct whatis_state *state)
{
	static const char *const names[] = { "__start_rodata", "__end_rodata", "__init_begin",
					     "__init_end" };
	uint64_t found[array_size(names)] = { 0 };

	symbols_addresses(s->symbols, names, array_size(names), found);
	state->areas.rodata_start = found[0];
	state->areas.rodata_end = found[0] ? found[1] : 0;
	if (found[2] && has_started(s)) {
		state->areas.init_start = found[2];
		state->areas.init_end = found[3];
	}
}

void what_area_prepare(struct session *s, struct whatis_state *state)
{
	unsigned which = memory_layout(s->memory)->root.levels == 5;

	pthread_mutex_lock(&state->lock);
	if (!state->areas.known) {
		add_own(s, state);
		for (size_t i = 0; i < array_size(rows); i++)
			add_area(s, state, &rows[i], which);
		if (s->symbols)
			find_limits(s, state);
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
