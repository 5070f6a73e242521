// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a physical address is to the platform: the tree of struct resource below iomem_resource, as
 * /proc/iomem shows it (kernel/resource.c). The innermost resources that cover the address count.
 */
#include <stdio.h>
#include <string.h>

#include "forensics/what.h"

enum { RESOURCES_MAX = 10000, DEPTH_MAX = 32 };

/* The child of @resource that covers @address; 0: none. */
static uint64_t child_at(struct session *s, uint64_t resource, uint64_t address)
{
	uint64_t at, start, end;

	if (!kread(s, resource, "resource", "child", &at))
		return 0;
	for (unsigned i = 0; at && i < RESOURCES_MAX; i++) {
		if (!kread(s, at, "resource", "start", &start) ||
		    !kread(s, at, "resource", "end", &end))
			return 0;
		if (address >= start && address <= end)
			return at;
		if (!kread(s, at, "resource", "sibling", &at))
			return 0;
	}
	return 0;
}

void what_physical(const struct what_ask *ask, uint64_t physical)
{
	struct session *s = ask->s;
	uint64_t at = s->symbols ? symbols_address(s->symbols, "iomem_resource") : 0;
	char name[64], names[160] = "";

	for (unsigned depth = 0; at && depth < DEPTH_MAX; depth++) {
		at = child_at(s, at, physical);
		if (!at || !kread_string(s, at, "resource", "name", name, sizeof(name)))
			break;
		size_t used = strlen(names);
		snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", in it " : "", name);
	}
	what_detailf(ask, "physical address 0x%lx%s%s", (unsigned long)physical,
		     *names ? ": " : "", names);
}
