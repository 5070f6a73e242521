// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Maple trees: B-trees of ranges. A node has up to 16 slots; pivot i is the last number that slot i
 * stands for, the first one follows the pivot before it. Pivots end where one reaches the node's
 * own last number (which for the last slot has none), or at a zero. Nodes are aligned to 256;
 * a pointer to one has its type in bits 3 to 6. The root's pointer has 2 in the lowest bits, which
 * no single entry in its place has (include/linux/maple_tree.h, lib/maple_tree.c).
 */
#include "kernel/maple.h"

#include <inttypes.h>

#include "base/bytes.h"

enum {
	NODE_MASK = 255,
	TYPE_SHIFT = 3,
	TYPE_MASK = 15,
	INTERNAL_MASK = 3,
	INTERNAL = 2,
	RESERVED_MAX = 4096, /* smaller ones are states, not nodes (xa_is_node()) */
	SLOTS_MAX = 64,
	DEPTH_MAX = 16,
	NODES_MAX = 1 << 22,
};

/* The types with pivots. maple_dense has none and is not used by address spaces. */
enum { MAPLE_LEAF_64 = 1, MAPLE_RANGE_64 = 2, MAPLE_ARANGE_64 = 3 };

struct maple_walk {
	struct session *session;
	const char *what;
	maple_fn fn;
	void *ctx;
	uint64_t nodes;
	bool whole, stopped;
	/* Of range and arange nodes. */
	struct {
		uint64_t pivots, slots; /* offsets */
		unsigned pivot_count, slot_count;
	} shape[2];
};

static bool find_shape(struct session *s, const char *type, const char *pivot, const char *slot,
		       struct maple_walk *walk, unsigned i)
{
	struct member pivots, slots;

	if (!types_member(s->types, type, pivot, &pivots) ||
	    !types_member(s->types, type, slot, &slots))
		return false;
	uint64_t pivot_count = type_array_length(type_strip(pivots.type));
	uint64_t slot_count = type_array_length(type_strip(slots.type));
	if (!slot_count || slot_count > SLOTS_MAX || pivot_count + 1 != slot_count)
		return false;
	walk->shape[i].pivots = pivots.offset;
	walk->shape[i].slots = slots.offset;
	walk->shape[i].pivot_count = (unsigned)pivot_count;
	walk->shape[i].slot_count = (unsigned)slot_count;
	return true;
}

static void damaged(struct maple_walk *walk, uint64_t node, const char *how)
{
	session_problem(walk->session, "%s: the node at %016" PRIx64 " %s", walk->what, node, how);
	walk->whole = false;
}

static void show(struct maple_walk *walk, uint64_t first, uint64_t last, uint64_t entry)
{
	if (entry && !walk->fn(walk->ctx, first, last, entry))
		walk->stopped = true;
}

/* @entry is an encoded node for the numbers [@first, @last]. */
static void walk_node(struct maple_walk *walk, uint64_t entry, uint64_t first, uint64_t last,
		      unsigned depth)
{
	uint64_t node = entry & ~(uint64_t)NODE_MASK;
	unsigned type = entry >> TYPE_SHIFT & TYPE_MASK;
	uint8_t bytes[2 * SLOTS_MAX * 8 + 64];

	if (type < MAPLE_LEAF_64 || type > MAPLE_ARANGE_64 || depth > DEPTH_MAX ||
	    ++walk->nodes > NODES_MAX) {
		damaged(walk, node, "is of an unknown kind, or the tree is damaged");
		return;
	}
	unsigned shape = type == MAPLE_ARANGE_64;
	uint64_t slots = walk->shape[shape].slots, pivots = walk->shape[shape].pivots;
	size_t size = slots + walk->shape[shape].slot_count * 8ul;
	if (size > sizeof(bytes) ||
	    memory_read(walk->session->memory, node, bytes, size) != READ_OK) {
		damaged(walk, node, "is not in the dump");
		return;
	}
	for (unsigned i = 0; i < walk->shape[shape].slot_count && !walk->stopped; i++) {
		uint64_t pivot = i < walk->shape[shape].pivot_count
					 ? load_u64(bytes + pivots + i * 8ul) : last;
		uint64_t slot = load_u64(bytes + slots + i * 8ul);
		if (i && !pivot)
			pivot = last;
		if (pivot < first || pivot > last) {
			damaged(walk, node, "has pivots out of order");
			return;
		}
		if (type == MAPLE_LEAF_64)
			show(walk, first, pivot, slot);
		else if (walk->session->arch->is_kernel_address(slot))
			walk_node(walk, slot, first, pivot, depth + 1);
		else
			damaged(walk, node, "has a slot that is no node");
		if (pivot == last)
			return;
		first = pivot + 1;
	}
}

bool maple_each(struct session *s, uint64_t tree, const char *what, maple_fn fn, void *ctx)
{
	struct maple_walk walk = { .session = s, .what = what, .fn = fn, .ctx = ctx,
				   .whole = true };
	uint64_t root;

	if (!find_shape(s, "maple_range_64", "pivot", "slot", &walk, 0) ||
	    !find_shape(s, "maple_arange_64", "pivot", "slot", &walk, 1) ||
	    !kread(s, tree, "maple_tree", "ma_root", &root)) {
		session_problem(s, "%s cannot be read", what);
		return false;
	}
	if ((root & INTERNAL_MASK) == INTERNAL && root > RESERVED_MAX)
		walk_node(&walk, root, 0, UINT64_MAX, 0);
	else
		show(&walk, 0, 0, root); /* a single entry, for number 0 */
	return walk.whole;
}
