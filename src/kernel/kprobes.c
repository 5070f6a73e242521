// SPDX-License-Identifier: LGPL-2.1-or-later
/* struct kprobe (include/linux/kprobes.h) hangs in kprobe_table[64] (kernel/kprobes.c) by a hash. */
#include "kernel/kprobes.h"

enum { TABLE_SIZE = 64, CHAIN_MAX = 4096 };

bool kprobe_at(struct session *s, uint64_t address)
{
	uint64_t table = s->symbols ? symbols_address(s->symbols, "kprobe_table") : 0;
	uint64_t offset, node, place;

	if (!table || !koffset(s, "kprobe", "hlist", &offset))
		return false;
	for (unsigned i = 0; i < TABLE_SIZE; i++) {
		if (memory_u64(s->memory, table + i * 8, &node) != READ_OK)
			continue;
		for (unsigned n = 0; node && n < CHAIN_MAX; n++) {
			if (kread(s, node - offset, "kprobe", "addr", &place) && place == address)
				return true;
			if (memory_u64(s->memory, node, &node) != READ_OK)
				break;
		}
	}
	return false;
}
