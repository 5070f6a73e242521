// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Maple trees: B-trees of ranges. A node has up to 16 slots; pivot i is the last number that slot i
 * stands for, the first one follows the pivot before it. Pivots end where one reaches the node's
 * own last number (which for the last slot has none), or at a zero. Nodes are aligned to 256;
 * a pointer to one has its type in bits 3 to 6. The root's pointer has 2 in the lowest bits, which
 * no single entry in its place has (include/linux/maple_tree.h, lib/maple_tree.c).
 */
#include <inttypes.h>

#include "base/bytes.h"
#include "kernel/tree_kinds.h"

enum {
	NODE_MASK = 255,
	TYPE_SHIFT = 3,
	TYPE_MASK = 15,
	INTERNAL_MASK = 3,
	INTERNAL = 2,
	RESERVED_MAX = 4096, /* smaller ones are states, not nodes (xa_is_node()) */
	XA_ZERO_ENTRY = 257 << 2 | INTERNAL, /* include/linux/xarray.h */
	SLOTS_MAX = 64,
	NODE_BYTES_MAX = 2 * SLOTS_MAX * 8 + 64,
};

/* The types with pivots. maple_dense has none and is used by no tree so far. */
enum { MAPLE_LEAF_64 = 1, MAPLE_RANGE_64 = 2, MAPLE_ARANGE_64 = 3 };

static bool find_shape(struct tree_walk *w, const char *type, unsigned i)
{
	struct types *types = w->session->types;
	struct member pivots, slots;

	if (!types_member(types, type, "pivot", &pivots) || !types_member(types, type, "slot", &slots)) {
		walk_trouble_add(&w->trouble, "this kernel's types have no %s with pivot and slot", type);
		return false;
	}
	uint64_t pivot_count = type_array_length(type_strip(pivots.type));
	uint64_t slot_count = type_array_length(type_strip(slots.type));
	uint64_t end = max_u64(slots.offset + slot_count * 8, pivots.offset + pivot_count * 8);
	if (!slot_count || slot_count > SLOTS_MAX || pivot_count + 1 != slot_count ||
	    end > NODE_BYTES_MAX) {
		walk_trouble_add(&w->trouble, "nodes of this kernel's maple trees have an odd shape");
		return false;
	}
	w->shape[i].pivots = pivots.offset;
	w->shape[i].slots = slots.offset;
	w->shape[i].pivot_count = pivot_count;
	w->shape[i].slot_count = slot_count;
	w->size = max_u64(w->size, end);
	return true;
}

static bool find_shapes(struct tree_walk *w)
{
	return find_shape(w, "maple_range_64", 0) && find_shape(w, "maple_arange_64", 1) &&
	       tree_member(w, "maple_range_64", "parent", &w->parent) && w->parent + 8 <= w->size;
}

/* @entry is an encoded node for the numbers [@first, @last]. */
static bool push_node(struct tree_walk *w, uint64_t entry, uint64_t first, uint64_t last)
{
	uint64_t node = entry & ~(uint64_t)NODE_MASK;
	unsigned type = entry >> TYPE_SHIFT & TYPE_MASK;

	if (type < MAPLE_LEAF_64 || type > MAPLE_ARANGE_64 ||
	    !w->session->arch->is_kernel_address(node)) {
		walk_trouble_add(&w->trouble, "the tree is damaged: the numbers %" PRIu64 " to %" PRIu64
				 " are in a node %016" PRIx64 ", which is none", first, last, entry);
		return false;
	}
	struct tree_frame *f = tree_push(w, node, w->size);
	if (!f)
		return false;
	tree_check_parent(w, NODE_MASK);
	f->type = type;
	f->first = first;
	f->last = last;
	return true;
}

static bool open_node(struct tree_walk *w, uint64_t node)
{
	return find_shapes(w) && push_node(w, node, 0, UINT64_MAX);
}

static bool open_root(struct tree_walk *w, uint64_t tree)
{
	uint64_t offset, root;

	if (!find_shapes(w) || !tree_member(w, "maple_tree", "ma_root", &offset))
		return false;
	if (!tree_read_root(w, tree, offset, &root))
		return false;
	if ((root & INTERNAL_MASK) == INTERNAL && root > RESERVED_MAX)
		return push_node(w, root, 0, UINT64_MAX);
	if ((root & INTERNAL_MASK) != INTERNAL)
		w->pending = root; /* a single entry, for number 0 */
	return true;
}

static void make_entry(struct tree_walk *w, uint64_t kept, uint64_t first, uint64_t last,
		       struct tree_entry *entry)
{
	*entry = (struct tree_entry){
		.kind = !kept ? TREE_EMPTY : kept & 1 ? TREE_VALUE : TREE_POINTER,
		.address = kept,
		.value = kept >> 1,
		.first = first,
		.last = last,
		.depth = w->depth,
	};
}

static bool damaged(struct tree_walk *w, struct tree_frame *f)
{
	walk_trouble_add(&w->trouble, "the tree is damaged: the node at %016" PRIx64
			 " has pivots out of order", f->node);
	tree_pop(w);
	return false;
}

/* The next slot of the node on top; true when it is an entry to show. */
static bool take_slot(struct tree_walk *w, struct tree_frame *f, struct tree_entry *entry)
{
	unsigned shape = f->type == MAPLE_ARANGE_64, i = f->slot++;
	uint64_t first = f->first;

	if (i >= w->shape[shape].slot_count || f->done) {
		tree_pop(w);
		return false;
	}
	uint64_t pivot = i < w->shape[shape].pivot_count
				 ? load_u64(f->bytes + w->shape[shape].pivots + i * 8ul) : f->last;
	uint64_t slot = load_u64(f->bytes + w->shape[shape].slots + i * 8ul);
	if (i && !pivot)
		pivot = f->last;
	if (pivot < first || pivot > f->last)
		return damaged(w, f);
	f->at = i;
	f->done = pivot == f->last;
	f->first = pivot + 1;
	if (f->type != MAPLE_LEAF_64) {
		(void)push_node(w, slot, first, pivot);
		return false;
	}
	if (slot == XA_ZERO_ENTRY) {
		w->reserved++;
		return false;
	}
	make_entry(w, slot, first, pivot, entry);
	return slot || w->nodes;
}

static bool step(struct tree_walk *w, struct tree_entry *entry)
{
	struct tree_frame *f;

	if (w->pending) {
		make_entry(w, w->pending, 0, 0, entry);
		w->pending = 0;
		return true;
	}
	while ((f = tree_top(w))) {
		if (tree_announce(w, entry) || take_slot(w, f, entry))
			return true;
	}
	return false;
}

const struct tree_ops tree_maple = { open_root, open_node, step };
