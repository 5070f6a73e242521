// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Memory blocks hang on the xarray memory_blocks (drivers/base/memory.c, since 5.8), by the number
 * of their first section in blocks: sections_per_block of them make one.
 */
#include "kernel/memory_blocks.h"

#include <stdlib.h>

#include "kernel/trees.h"

/* arch/x86/include/asm/sparsemem.h */
enum { SECTION_SHIFT = 27, SECTIONS_MAX = 1 << 19 };

static const char *state_name(struct session *s, uint64_t state)
{
	/* Enumerators since 6.19, before that macros of the same numbers (include/linux/memory.h). */
	static const struct {
		const char *enumerator, *name;
		uint64_t value;
	} states[] = {
		{ "MEM_ONLINE", "online", 1 << 0 },
		{ "MEM_GOING_OFFLINE", "going offline", 1 << 1 },
		{ "MEM_OFFLINE", "offline", 1 << 2 },
	};
	int64_t value;

	for (size_t i = 0; i < array_size(states); i++) {
		if (!types_enumerator(s->types, states[i].enumerator, &value))
			value = (int64_t)states[i].value;
		if ((uint64_t)value == state)
			return states[i].name;
	}
	return NULL;
}

bool memory_blocks_known(struct session *s)
{
	uint64_t ignored;

	return s->symbols && symbols_address(s->symbols, "memory_blocks") &&
	       koffset(s, "memory_block", "start_section_nr", &ignored);
}

void memory_blocks_each(struct session *s, memory_block_fn fn, void *ctx,
			struct walk_trouble *trouble)
{
	struct tree_walk *walk = xmalloc(sizeof(*walk));
	struct tree_entry entry;
	uint64_t sections, state, node;

	if (!kglobal(s, "sections_per_block", 4, &sections) || sections > SECTIONS_MAX)
		sections = 0;
	if (tree_walk_init(walk, s, TREE_XARRAY, symbols_address(s->symbols, "memory_blocks"))) {
		while (tree_walk_step(walk, &entry)) {
			struct memory_block block = { .address = entry.address, .id = entry.first,
						      .node = -1 };
			if (entry.kind != TREE_POINTER)
				continue;
			if (!kread(s, block.address, "memory_block", "start_section_nr",
				   &block.start_section)) {
				walk_trouble_hole(&walk->trouble, "block %llu is not in the dump",
						  (unsigned long long)block.id);
				continue;
			}
			block.start.v = block.start_section << SECTION_SHIFT;
			block.size = sections << SECTION_SHIFT;
			if (kread(s, block.address, "memory_block", "state", &state))
				block.state = state_name(s, state);
			block.node_known = kread(s, block.address, "memory_block", "nid", &node);
			if (block.node_known)
				block.node = (int32_t)node;
			else
				walk_trouble_hole(&walk->trouble, "block %llu is only partly in the dump",
						  (unsigned long long)block.id);
			if (!fn(ctx, &block))
				break;
		}
	}
	*trouble = walk->trouble;
	tree_walk_fini(walk);
	free(walk);
}
