// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What follows a network buffer's data is found by adding an offset that the same struct keeps; the
 * type is in a cast of the source only, so here is a table of those that are always the same.
 */
#include "forensics/casts.h"

#include <string.h>

#include "kernel/session.h"

static const struct {
	const char *object, *pointer, *offset, *target;
} sums[] = {
	/* skb_end_pointer(), skb_shinfo(): include/linux/skbuff.h */
	{ "sk_buff", "head", "end", "skb_shared_info" },
};

bool cast_of_sum(struct session *s, struct type object, uint64_t a, uint64_t b,
		 struct type *target)
{
	uint64_t pointer, offset;

	for (size_t i = 0; i < array_size(sums); i++) {
		if (strcmp(type_name(object), sums[i].object) != 0 ||
		    !koffset(s, sums[i].object, sums[i].pointer, &pointer) ||
		    !koffset(s, sums[i].object, sums[i].offset, &offset))
			continue;
		if (((a == pointer && b == offset) || (a == offset && b == pointer)) &&
		    types_find(s->types, sums[i].target, target))
			return true;
	}
	return false;
}
