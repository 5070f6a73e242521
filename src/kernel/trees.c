// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Trees: what all kinds have in common. The way from the root to where the walk stands is a stack
 * of nodes of our own, so that no pointer to a parent needs to be right. A node that comes twice
 * is damage: no walk can run in a circle.
 */
#include "kernel/trees.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "kernel/tree_kinds.h"

enum { NODES_MAX = 1 << 24 };

struct tree_frame *tree_push(struct tree_walk *w, uint64_t node, size_t size)
{
	if (w->depth == TREE_DEPTH_MAX || w->seen.count >= NODES_MAX) {
		walk_trouble_add(&w->trouble, "the tree is damaged: it is too deep or too big at "
				 "%016" PRIx64, node);
		return NULL;
	}
	if (!map_set(&w->seen, node, 0)) {
		walk_trouble_add(&w->trouble, "the tree is damaged: the node at %016" PRIx64
				 " is in it twice", node);
		return NULL;
	}
	struct tree_frame *f = &w->frames[w->depth];
	uint8_t *bytes = f->bytes;
	if (size && !bytes)
		bytes = xcalloc(1, size);
	*f = (struct tree_frame){ .node = node, .bytes = bytes };
	enum read_status status = size ? memory_read(w->session->memory, node, bytes, size)
				       : READ_OK;
	if (status != READ_OK) {
		walk_trouble_hole(&w->trouble, "the node at %016" PRIx64 ": %s", node,
				 read_status_text(status));
		return NULL;
	}
	w->depth++;
	w->announce = true;
	return f;
}

void tree_pop(struct tree_walk *w)
{
	w->depth--;
}

bool tree_announce(struct tree_walk *w, struct tree_entry *entry)
{
	const struct tree_frame *f = tree_top(w);

	if (!w->announce || !w->nodes)
		return false;
	w->announce = false;
	*entry = (struct tree_entry){ .kind = TREE_NODE, .address = f->node, .first = f->first,
				      .last = f->last, .depth = w->depth - 1, .type = f->type,
				      .parent = load_u64(f->bytes + w->parent) };
	return true;
}

void tree_check_parent(struct tree_walk *w, uint64_t flags)
{
	if (w->depth < 2)
		return; /* a root's parent is the tree or itself */
	const struct tree_frame *f = tree_top(w), *above = f - 1;
	uint64_t parent = load_u64(f->bytes + w->parent) & ~flags;
	if (parent != above->node)
		walk_trouble_add(&w->trouble, "the node at %016" PRIx64 " says that its parent is "
				 "%016" PRIx64 ", but it is below %016" PRIx64, f->node, parent,
				 above->node);
}

bool tree_read_root(struct tree_walk *w, uint64_t root, uint64_t offset, uint64_t *top)
{
	enum read_status status = memory_u64(w->session->memory, root + offset, top);

	if (status != READ_OK)
		walk_trouble_hole(&w->trouble, "the root at %016" PRIx64 ": %s", root,
				 read_status_text(status));
	return status == READ_OK;
}

bool tree_member(struct tree_walk *w, const char *struct_name, const char *path, uint64_t *offset)
{
	if (koffset(w->session, struct_name, path, offset))
		return true;
	walk_trouble_add(&w->trouble, "this kernel's types have no %s.%s", struct_name, path);
	return false;
}

static void prepare(struct tree_walk *w, struct session *s, enum tree_kind kind)
{
	static const struct tree_ops *const ops[] = {
		[TREE_RB] = &tree_rb, [TREE_RADIX] = &tree_xarray,
		[TREE_XARRAY] = &tree_xarray, [TREE_MAPLE] = &tree_maple,
	};

	*w = (struct tree_walk){ .session = s, .kind = kind, .ops = ops[kind] };
}

bool tree_walk_init(struct tree_walk *w, struct session *s, enum tree_kind kind, uint64_t root)
{
	prepare(w, s, kind);
	return w->ops->open(w, root);
}

bool tree_walk_init_node(struct tree_walk *w, struct session *s, enum tree_kind kind,
			 uint64_t node)
{
	prepare(w, s, kind);
	return w->ops->open_node(w, node);
}

bool tree_walk_step(struct tree_walk *w, struct tree_entry *entry)
{
	if (session_stopped(w->session) || !w->ops->step(w, entry))
		return false;
	w->count += entry->kind == TREE_POINTER || entry->kind == TREE_VALUE;
	return true;
}

void tree_walk_position(const struct tree_walk *w, char *buf, size_t size)
{
	int n = snprintf(buf, size, "root");
	/* The slot of the node on top is that of the entry, but where the entry is that node. */
	unsigned steps = w->kind == TREE_RB && w->depth ? w->depth - 1 : w->depth;

	for (unsigned i = 0; i < steps && n > 0 && (size_t)n < size; i++) {
		const struct tree_frame *f = &w->frames[i];
		if (w->kind == TREE_RB)
			n += snprintf(buf + n, size - (size_t)n, "/%c", f->at ? 'r' : 'l');
		else if (f->slot)
			n += snprintf(buf + n, size - (size_t)n, "/%u", f->at);
	}
}

void tree_walk_fini(struct tree_walk *w)
{
	for (unsigned i = 0; i < TREE_DEPTH_MAX; i++)
		free(w->frames[i].bytes);
	map_deinit(&w->seen);
}
