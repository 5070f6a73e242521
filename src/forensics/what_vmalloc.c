// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Areas of vmalloc() and its like, with who asked for them. Each is followed by a page that is
 * mapped to nothing, unless it was made without. Freed areas stay mapped for a while.
 */
#include <stdio.h>

#include "forensics/what.h"
#include "kernel/vmalloc.h"

static const struct vmalloc_area *unpurged_at(struct session *s, uint64_t address)
{
	size_t count, low = 0;
	const struct vmalloc_area *all = vmalloc_unpurged(s, &count);

	while (low < count) {
		size_t mid = low + (count - low) / 2;
		if (all[mid].start <= address)
			low = mid + 1;
		else
			count = mid;
	}
	return low && address - all[low - 1].start < all[low - 1].size ? &all[low - 1] : NULL;
}

static void describe(const struct what_ask *ask, const struct vmalloc_area *area)
{
	char text[160], caller[160] = "", in[24] = "";
	uint64_t offset = ask->address - area->start;

	vmalloc_area_text(ask->s, area, text, sizeof(text));
	if (area->caller)
		what_label_of(ask, area->caller, caller, sizeof(caller));
	if (offset >= ask->what->size) {
		what_textf(ask, "the guard page behind the vmalloc area at 0x%lx%s%s",
			   (unsigned long)area->start, *caller ? " of " : "", caller);
		return;
	}
	if (offset)
		snprintf(in, sizeof(in), "+0x%lx", (unsigned long)offset);
	what_textf(ask, "vmalloc area at 0x%lx%s%s%s (%s)", (unsigned long)area->start, in,
		   *caller ? " of " : "", caller, text);
	if (area->phys)
		what_physical(ask, area->phys + offset);
}

bool what_vmalloc(const struct what_ask *ask)
{
	const struct vmalloc_area *area;

	if (!ask->s->symbols || !ask->s->arch->is_kernel_address(ask->address))
		return false;
	area = vmalloc_area_at(ask->s, ask->address);
	if (!area) {
		area = unpurged_at(ask->s, ask->address);
		if (!area)
			return false;
		what_set(ask, WHAT_VMALLOC, area->start, area->size);
		ask->what->freed = true;
		what_textf(ask, "%s", ask->brief ? "vmalloc (freed)"
						 : "a vmalloc area that was freed lately");
		return true;
	}
	uint64_t guard = area->vm && !(area->flags & VMALLOC_NO_GUARD) && area->size > PAGE_SIZE
				 ? PAGE_SIZE
				 : 0;
	what_set(ask, WHAT_VMALLOC, area->start, area->size - guard);
	ask->what->object = area->vm;
	if (ask->brief) {
		char caller[160] = "?";
		if (area->caller)
			what_label_of(ask, area->caller, caller, sizeof(caller));
		what_textf(ask, "vmalloc of %s", caller);
	} else {
		describe(ask, area);
	}
	return true;
}
