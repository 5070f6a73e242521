/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to the files of tree walks: what each kind of tree does. */
#pragma once

#include "kernel/trees.h"

struct tree_ops {
	/* Finds the members' places and the top node of the root at @root; false with a trouble. */
	bool (*open)(struct tree_walk *w, uint64_t root);
	/* Only the places; @node is the top one. */
	bool (*open_node)(struct tree_walk *w, uint64_t node);
	/* The next entry of the nodes on the stack; false at the end. */
	bool (*step)(struct tree_walk *w, struct tree_entry *entry);
};

extern const struct tree_ops tree_rb, tree_xarray, tree_maple;

/*
 * Puts a node on the stack with a copy of its @size bytes (0: none). NULL when it cannot be had,
 * was met before or is too deep: a trouble then.
 */
struct tree_frame *tree_push(struct tree_walk *w, uint64_t node, size_t size);
void tree_pop(struct tree_walk *w);
static inline struct tree_frame *tree_top(struct tree_walk *w)
{
	return w->depth ? &w->frames[w->depth - 1] : NULL;
}
/*
 * Where the tree's own nodes are wanted, the one on top as an entry, once. With w->parent, and of a
 * node that has bytes.
 */
bool tree_announce(struct tree_walk *w, struct tree_entry *entry);
/* A trouble when the node on top has another parent than the node below it on the stack. */
void tree_check_parent(struct tree_walk *w, uint64_t flags);
/* The pointer at @offset in the tree's root; a trouble when it is not in the dump. */
bool tree_read_root(struct tree_walk *w, uint64_t root, uint64_t offset, uint64_t *top);
/* The offset of a member; a trouble when the types do not know it. */
bool tree_member(struct tree_walk *w, const char *struct_name, const char *path, uint64_t *offset);
