// SPDX-License-Identifier: LGPL-2.1-or-later
/* All entries of a maple tree at once; the walk is trees.h's. */
#include "kernel/maple.h"

#include "kernel/trees.h"

bool maple_each(struct session *s, uint64_t tree, const char *what, maple_fn fn, void *ctx)
{
	struct tree_walk walk;
	struct tree_entry entry;

	if (tree_walk_init(&walk, s, TREE_MAPLE, tree)) {
		while (tree_walk_step(&walk, &entry)) {
			if (!fn(ctx, entry.first, entry.last, entry.address))
				break;
		}
	}
	bool whole = !walk.trouble.count;
	walk_trouble_tell(&walk.trouble, s, what);
	tree_walk_fini(&walk);
	return whole;
}
