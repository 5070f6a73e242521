/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks over the kernel's trees, one entry at a time:
 *
 *	struct tree_walk walk;
 *	if (!tree_walk_init(&walk, session, TREE_XARRAY, address_of_struct_xarray))
 *		... walk.trouble.text says why
 *	while (tree_walk_step(&walk, &entry))
 *		look_at(entry.address, entry.first);
 *	if (walk.trouble.count)
 *		... parts of it are missing or damaged; all others came
 *	tree_walk_fini(&walk);
 *
 * What is damaged or not in the dump is left out and told in walk.trouble; the rest is walked.
 */
#pragma once

#include "base/map.h"
#include "kernel/walk.h"

enum tree_kind {
	TREE_RB,     /* struct rb_root, rb_root_cached */
	TREE_RADIX,  /* struct radix_tree_root; since 4.20 that is an xarray */
	TREE_XARRAY, /* struct xarray */
	TREE_MAPLE,  /* struct maple_tree */
};

enum tree_entry_kind {
	TREE_POINTER, /* .address is what the tree keeps; of a TREE_RB, the struct rb_node */
	TREE_VALUE,   /* an integer that is kept in place of a pointer: .value */
	TREE_NODE,    /* with .nodes: the tree's own node at .address, before its entries */
	TREE_EMPTY,   /* with .nodes, of a maple tree: a range without an entry */
};

struct tree_entry {
	enum tree_entry_kind kind;
	uint64_t address; /* as it is kept, with whatever its lowest bits mean to the owner */
	uint64_t value;
	uint64_t first, last; /* the indexes that it stands for; 0 of a TREE_RB */
	unsigned depth;       /* how many nodes are above it */
	unsigned type;        /* TREE_NODE: enum maple_type */
	uint64_t parent;      /* TREE_NODE: what it says that its parent is */
};

struct tree_ops;

enum { TREE_DEPTH_MAX = 128 };

struct tree_frame {
	uint64_t node, first, last;
	unsigned slot;  /* the next to be looked at; of an rb_node what was done with it */
	unsigned at;    /* the one looked at last; of an rb_node 1 while the right child is walked */
	unsigned shift; /* of an xa_node */
	unsigned type;  /* of a maple node */
	bool done;      /* of a maple node: its last range was seen */
	uint8_t *bytes; /* of the node; the walk's own */
};

struct tree_walk {
	/* May be set between init and the first step. */
	bool top_down; /* TREE_RB: each node before what is below it, not in order */
	bool nodes;    /* the tree's own nodes, too; of maple trees also empty ranges */

	/* For the reader. */
	struct session *session;
	enum tree_kind kind;
	struct walk_trouble trouble;
	size_t count;    /* pointers and values so far */
	size_t reserved; /* slots that are kept for an entry to come (XA_ZERO_ENTRY) */

	/* The walk's own. */
	const struct tree_ops *ops;
	uint64_t pending; /* an entry or node in place of a tree; 0 none */
	unsigned depth;
	struct tree_frame frames[TREE_DEPTH_MAX];
	struct map seen; /* nodes */
	bool announce;   /* the node on top has not been shown yet */
	/* Places of members. */
	uint64_t left, right, parent, shift, slots, slot_count, size;
	bool old; /* a radix tree from before 4.20 */
	struct {
		uint64_t pivots, slots, pivot_count, slot_count;
	} shape[2]; /* of maple nodes */
};

/*
 * From the root structure at @root. False when it cannot be walked at all, and walk->trouble says
 * why; tree_walk_fini() is due all the same.
 */
bool tree_walk_init(struct tree_walk *walk, struct session *s, enum tree_kind kind,
		    uint64_t root);
/* From a node: an rb_node, an xa_node, or a maple node with the type in its pointer. */
bool tree_walk_init_node(struct tree_walk *walk, struct session *s, enum tree_kind kind,
			 uint64_t node);
/* The next entry; false at the end. */
bool tree_walk_step(struct tree_walk *walk, struct tree_entry *entry);
/* The way to the entry that came last: "root/l/r" of a TREE_RB, else the slots: "root/0/17". */
void tree_walk_position(const struct tree_walk *walk, char *buf, size_t size);
void tree_walk_fini(struct tree_walk *walk);
