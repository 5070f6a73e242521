// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A node's struct pglist_data, with its zones in it. The kernel makes room for it before there is
 * an allocator (mm/numa.c, alloc_node_data()), so that its page frames only say that they are
 * reserved; yet the locks of all page allocation are there, and the queues of kswapd and kcompactd.
 */
#include <stdio.h>

#include "forensics/what.h"
#include "kernel/zones.h"

static void tell(const struct what_ask *ask, const char *type, uint64_t start, uint64_t size,
		 const char *name)
{
	uint64_t offset = ask->address - start;
	struct type found;
	char place[200];

	what_set(ask, WHAT_PAGE, start, size);
	ask->what->object = start;
	if (ask->brief) {
		what_plus(ask->what->text, sizeof(ask->what->text), name, offset);
		return;
	}
	ask->what->type = type;
	if (offset && types_find(ask->s->types, type, &found))
		type_path_at(found, offset, ask->what->member, sizeof(ask->what->member));
	what_plus(place, sizeof(place), name, offset);
	what_textf(ask, "%s%s%s", *ask->what->member ? name : place,
		   *ask->what->member ? ", member " : "", ask->what->member);
}

bool what_node(const struct what_ask *ask)
{
	struct session *s = ask->s;
	size_t n;

	if (!s->types || !s->arch->is_kernel_address(ask->address))
		return false;
	const struct zone_info *all = zones(s, &n);
	uint64_t node_size = types_sizeof(s->types, "pglist_data");
	uint64_t zone_size = types_sizeof(s->types, "zone");
	for (size_t i = 0; i < n; i++) {
		char name[64];
		if (ask->address - all[i].address < zone_size) {
			snprintf(name, sizeof(name), "zone %s of node %d", all[i].name, all[i].node);
			tell(ask, "zone", all[i].address, zone_size, name);
			return true;
		}
	}
	for (size_t i = 0; i < n; i++) {
		char name[64];
		if (ask->address - all[i].pgdat < node_size) {
			snprintf(name, sizeof(name), "pglist_data of node %d", all[i].node);
			tell(ask, "pglist_data", all[i].pgdat, node_size, name);
			return true;
		}
	}
	return false;
}
