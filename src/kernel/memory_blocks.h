/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blocks of memory that can be plugged: /sys/devices/system/memory, struct memory_block. */
#pragma once

#include "kernel/walk.h"

struct memory_block {
	uint64_t address; /* of the struct memory_block */
	uint64_t id;      /* the N of memoryN */
	uint64_t start_section;
	struct paddr start;
	uint64_t size;    /* bytes; 0 unknown */
	int node;          /* -1: none */
	bool node_known;
	const char *state; /* "online" ...; NULL unknown */
};

/* Does this kernel have such blocks (CONFIG_MEMORY_HOTPLUG), in a form that is known here? */
bool memory_blocks_known(struct session *s);
/* All, in order of their numbers; what is wrong on the way is told in @trouble. */
typedef bool (*memory_block_fn)(void *ctx, const struct memory_block *block);
void memory_blocks_each(struct session *s, memory_block_fn fn, void *ctx,
			struct walk_trouble *trouble);
