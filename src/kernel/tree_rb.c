// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Red-black trees (include/linux/rbtree_types.h). A node has its children and, with the colour in
 * the lowest bits, its parent. The parent is compared with the way by which the node was reached.
 * struct rb_root_cached begins with a struct rb_root.
 */
#include <inttypes.h>

#include "base/bytes.h"
#include "kernel/tree_kinds.h"

enum { COLOUR_BITS = 3, NODE_BYTES_MAX = 64 };

/* What was done with a node. */
enum { FRESH, LEFT_DONE, SHOWN, RIGHT_DONE };

static bool open_members(struct tree_walk *w)
{
	w->size = types_sizeof(w->session->types, "rb_node");
	if (!tree_member(w, "rb_node", "rb_left", &w->left) ||
	    !tree_member(w, "rb_node", "rb_right", &w->right) ||
	    !tree_member(w, "rb_node", "__rb_parent_color|rb_parent_color", &w->parent))
		return false;
	return w->size <= NODE_BYTES_MAX && w->left + 8 <= w->size && w->right + 8 <= w->size &&
	       w->parent + 8 <= w->size;
}

static void push_child(struct tree_walk *w, uint64_t child, uint64_t from)
{
	if (!child)
		return;
	if (!w->session->arch->is_kernel_address(child) || child % 8) {
		walk_trouble_add(&w->trouble, "the tree is damaged: the node at %016" PRIx64
				 " points to %016" PRIx64 ", which is nowhere", from, child);
		return;
	}
	const struct tree_frame *f = tree_push(w, child, w->size);
	if (!f)
		return;
	uint64_t parent = load_u64(f->bytes + w->parent) & ~(uint64_t)COLOUR_BITS;
	if (from && parent != from)
		walk_trouble_add(&w->trouble, "the node at %016" PRIx64 " says that its parent is "
				 "%016" PRIx64 ", but it is below %016" PRIx64, child, parent, from);
}

static bool open_node(struct tree_walk *w, uint64_t node)
{
	if (!open_members(w))
		return false;
	push_child(w, node, 0);
	return !w->trouble.count;
}

static bool open_root(struct tree_walk *w, uint64_t root)
{
	uint64_t offset, node;

	if (!tree_member(w, "rb_root", "rb_node", &offset))
		return false;
	if (!tree_read_root(w, root, offset, &node))
		return false;
	return open_node(w, node);
}

static bool show(const struct tree_walk *w, const struct tree_frame *f, struct tree_entry *entry)
{
	*entry = (struct tree_entry){ .kind = TREE_POINTER, .address = f->node,
				      .depth = w->depth - 1 };
	return true;
}

static bool step(struct tree_walk *w, struct tree_entry *entry)
{
	struct tree_frame *f;

	while ((f = tree_top(w))) {
		unsigned done = f->slot++;
		bool was_announced = !w->announce;
		w->announce = false;
		if (done == FRESH && w->top_down && !was_announced) {
			f->slot = FRESH;
			return show(w, f, entry);
		}
		if (done == FRESH) {
			f->at = 0;
			push_child(w, load_u64(f->bytes + w->left), f->node);
		} else if (done == LEFT_DONE) {
			if (!w->top_down)
				return show(w, f, entry);
		} else if (done == SHOWN) {
			f->at = 1;
			push_child(w, load_u64(f->bytes + w->right), f->node);
		} else {
			tree_pop(w);
		}
	}
	return false;
}

const struct tree_ops tree_rb = { open_root, open_node, step };
