// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * XArrays and radix trees, which since Linux 4.20 are the same (include/linux/xarray.h). A node has
 * 64 slots (16 on small machines) for 2^shift indexes each. What a slot holds is told by its lowest
 * bits: 1 an integer; 2 something internal: above 4096 a node, else a mark: the sibling of an entry
 * that takes several slots, XA_RETRY_ENTRY, XA_ZERO_ENTRY. An entry above the lowest level stands
 * for all the indexes below it.
 *
 * Before 4.20 (include/linux/radix-tree.h of 4.19) the lowest bit was that of nodes, since 3.x, and
 * the second that of integers; a slot of a node that points to one in the same node is a sibling.
 */
#include <inttypes.h>

#include "base/bytes.h"
#include "kernel/tree_kinds.h"

enum {
	SLOTS_MAX = 64,
	NODE_BYTES_MAX = 1024,
	INTERNAL_MASK = 3,
	XA_INTERNAL = 2,
	NODES_ABOVE = 4096,
	XA_RETRY_ENTRY = 256 << 2 | XA_INTERNAL,
	XA_ZERO_ENTRY = 257 << 2 | XA_INTERNAL,
	RADIX_INTERNAL = 1, /* of the old ones */
	RADIX_VALUE = 2,
};

enum slot { SLOT_EMPTY, SLOT_POINTER, SLOT_VALUE, SLOT_NODE, SLOT_SIBLING, SLOT_RETRY, SLOT_ZERO,
	    SLOT_STRANGE };

static enum slot slot_kind(const struct tree_walk *w, uint64_t node, uint64_t kept)
{
	if (!kept)
		return SLOT_EMPTY;
	if (w->old) {
		bool own_slot = node && kept - node >= w->slots && kept - node < w->size;
		if (kept & RADIX_INTERNAL)
			return own_slot ? SLOT_SIBLING : SLOT_NODE;
		return kept & RADIX_VALUE ? SLOT_VALUE : SLOT_POINTER;
	}
	if (kept & 1)
		return SLOT_VALUE;
	if ((kept & INTERNAL_MASK) != XA_INTERNAL)
		return SLOT_POINTER;
	if (kept > NODES_ABOVE)
		return SLOT_NODE;
	if (kept == XA_RETRY_ENTRY)
		return SLOT_RETRY;
	if (kept == XA_ZERO_ENTRY)
		return SLOT_ZERO;
	return kept >> 2 < w->slot_count ? SLOT_SIBLING : SLOT_STRANGE;
}

static bool open_members(struct tree_walk *w)
{
	struct types *types = w->session->types;
	const char *node = types_sizeof(types, "xa_node") ? "xa_node" : "radix_tree_node";
	struct member slots, shift;

	if (!types_member(types, node, "slots", &slots) || !types_member(types, node, "shift", &shift)) {
		walk_trouble_add(&w->trouble, "this kernel's types have no radix tree nodes with slots "
				 "and shift");
		return false;
	}
	w->old = *node == 'r';
	w->slots = slots.offset;
	w->slot_count = type_array_length(type_strip(slots.type));
	w->shift = shift.offset;
	w->size = w->slots + w->slot_count * 8;
	return (w->slot_count == SLOTS_MAX || w->slot_count == 16) && w->size <= NODE_BYTES_MAX &&
	       shift.size == 1 && w->shift < w->slots && tree_member(w, node, "parent", &w->parent) &&
	       w->parent + 8 <= w->slots;
}

static uint64_t last_of(uint64_t first, unsigned shift, uint64_t slots)
{
	unsigned bits = shift + (slots == SLOTS_MAX ? 6 : 4);

	return bits >= 64 ? UINT64_MAX : first + ((UINT64_C(1) << bits) - 1);
}

/* The node that @kept stands for, with indexes from @first on, in a slot of shift @above. */
static void push_node(struct tree_walk *w, uint64_t kept, uint64_t first, unsigned above)
{
	uint64_t node = kept & ~(uint64_t)INTERNAL_MASK;
	unsigned step = w->slot_count == SLOTS_MAX ? 6 : 4;

	if (!w->session->arch->is_kernel_address(node)) {
		walk_trouble_add(&w->trouble, "the tree is damaged: indexes from %" PRIu64 " on are "
				 "in a node at %016" PRIx64 ", which is nowhere", first, node);
		return;
	}
	struct tree_frame *f = tree_push(w, node, w->size);
	if (!f)
		return;
	unsigned shift = f->bytes[w->shift];
	if (shift % step || shift > 60 || (w->depth > 1 && shift + step != above)) {
		walk_trouble_add(&w->trouble, "the tree is damaged: the node at %016" PRIx64
				 " has a shift of %u", node, shift);
		tree_pop(w);
		return;
	}
	tree_check_parent(w, INTERNAL_MASK);
	f->shift = shift;
	f->first = first;
	f->last = last_of(first, shift, w->slot_count);
}

static bool open_node(struct tree_walk *w, uint64_t node)
{
	if (!open_members(w))
		return false;
	push_node(w, node, 0, 64);
	return !w->trouble.count;
}

static bool open_root(struct tree_walk *w, uint64_t root)
{
	uint64_t offset, top;

	if (!open_members(w) ||
	    (w->old ? !tree_member(w, "radix_tree_root", "rnode", &offset)
		       : !tree_member(w, "xarray", "xa_head", &offset)))
		return false;
	if (!tree_read_root(w, root, offset, &top))
		return false;
	switch (slot_kind(w, 0, top)) {
	case SLOT_NODE:
		push_node(w, top, 0, 64);
		return !w->trouble.count;
	case SLOT_POINTER:
	case SLOT_VALUE:
		w->pending = top;
		return true;
	case SLOT_ZERO:
		w->reserved++;
		return true;
	default:
		return true;
	}
}

static void make_entry(const struct tree_walk *w, uint64_t kept, uint64_t first,
		       struct tree_entry *entry)
{
	bool is_value = slot_kind(w, 0, kept) == SLOT_VALUE;

	*entry = (struct tree_entry){
		.kind = is_value ? TREE_VALUE : TREE_POINTER,
		.address = kept,
		.value = is_value ? kept >> (w->old ? 2 : 1) : 0,
		.first = first,
		.last = first,
		.depth = w->depth,
	};
}

/* The entry in slot @i of the node on top, which may take the siblings behind it too. */
static void take_entry(struct tree_walk *w, struct tree_frame *f, unsigned i,
		       struct tree_entry *entry)
{
	uint64_t width = UINT64_C(1) << f->shift, kept = load_u64(f->bytes + w->slots + i * 8ul);

	make_entry(w, kept, f->first + i * width, entry);
	entry->last = entry->first + (width - 1);
	for (unsigned k = i + 1; k < w->slot_count; k++) {
		uint64_t next = load_u64(f->bytes + w->slots + k * 8ul);
		if (slot_kind(w, f->node, next) != SLOT_SIBLING ||
		    (!w->old && next >> 2 != i))
			break;
		entry->last += width;
		f->slot = k + 1;
	}
}

static bool step(struct tree_walk *w, struct tree_entry *entry)
{
	struct tree_frame *f;

	if (w->pending) {
		make_entry(w, w->pending, 0, entry);
		w->pending = 0;
		return true;
	}
	while ((f = tree_top(w))) {
		if (tree_announce(w, entry))
			return true;
		if (f->slot >= w->slot_count) {
			tree_pop(w);
			continue;
		}
		unsigned i = f->slot++;
		uint64_t kept = load_u64(f->bytes + w->slots + i * 8ul);
		f->at = i;
		switch (slot_kind(w, f->node, kept)) {
		case SLOT_NODE:
			push_node(w, kept, f->first + ((uint64_t)i << f->shift), f->shift);
			break;
		case SLOT_POINTER:
		case SLOT_VALUE:
			take_entry(w, f, i, entry);
			return true;
		case SLOT_ZERO:
			w->reserved++;
			break;
		case SLOT_STRANGE:
			walk_trouble_add(&w->trouble, "the tree is damaged: slot %u of the node at "
					 "%016" PRIx64 " holds %" PRIx64, i, f->node, kept);
			break;
		default:
			break;
		}
	}
	return false;
}

const struct tree_ops tree_xarray = { open_root, open_node, step };
