// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Walkers of what links objects: rings of list_heads, hash chains, members that point to the next
 * object, and trees. kernel/lists.h and kernel/trees.h do the work.
 */
#include <stdio.h>
#include <string.h>

#include "kernel/lists.h"
#include "kernel/trees.h"
#include "walk/walk_row.h"

static struct error *need_words(const struct walking *walk, const struct walk_input *input)
{
	if (input->argc >= 2)
		return NULL;
	return error_new(ERROR_USAGE, "%s needs %s", walk->walker->name, walk->walker->usage);
}

/* HEAD TYPE.MEMBER */
static struct error *begin_linked(struct walking *walk, const struct walk_input *input)
{
	struct member member;

	struct error *err = need_words(walk, input);
	if (!err)
		err = walk_address(input, 0, &walk->address);
	if (!err)
		err = walk_type_member(walk->session, input->argv[1], &walk->type, &member);
	if (err)
		return err;
	walk->offset = member.offset;
	walk->name = arena_printf(walk->arena, "%s %s", walk->walker->name, input->argv[0]);
	return NULL;
}

static void each_link(struct walking *walk, struct list_walk *w, uint64_t offset, walk_fn fn,
		      void *ctx)
{
	uint64_t link;

	while (list_walk_step(w, &link) && walk_give(fn, ctx, link - offset))
		;
	walk_trouble_tell(&w->trouble, walk->session, walk->name);
	list_walk_fini(w);
}

static void each_list(struct walking *walk, walk_fn fn, void *ctx)
{
	struct list_walk w;

	list_walk_from_head(&w, walk->session, LIST_DOUBLE, walk->address);
	each_link(walk, &w, walk->offset, fn, ctx);
}

static void each_hlist(struct walking *walk, walk_fn fn, void *ctx)
{
	struct list_walk w;

	list_walk_from_head(&w, walk->session, LIST_HASH, walk->address);
	each_link(walk, &w, walk->offset, fn, ctx);
}

/* An object, then what its member points to, and so on: to NULL, or back to where it began. */
static void each_chain(struct walking *walk, walk_fn fn, void *ctx)
{
	struct list_walk w;

	list_walk_from_link(&w, walk->session, LIST_SINGLE, walk->address);
	w.next_offset = walk->offset;
	each_link(walk, &w, 0, fn, ctx);
}

/* --- Trees --- */

struct tree_state {
	enum tree_kind kind;
	struct tree_walk walk;
};

static const struct {
	const char *name;
	enum tree_kind kind;
} kinds[] = { { "rb", TREE_RB },         { "rbtree", TREE_RB },   { "radix", TREE_RADIX },
	      { "xarray", TREE_XARRAY }, { "maple", TREE_MAPLE } };

static struct error *begin_tree(struct walking *walk, const struct walk_input *input)
{
	struct tree_state *state = arena_zalloc(walk->arena, sizeof(*state));
	struct member member = { 0 };
	struct error *err;
	size_t i;

	if (input->argc < 3)
		return error_new(ERROR_USAGE, "%s needs %s", walk->walker->name,
				 walk->walker->usage);
	for (i = 0; i < array_size(kinds) && strcmp(kinds[i].name, input->argv[0]) != 0; i++)
		;
	if (i == array_size(kinds))
		return error_new(ERROR_USAGE, "%s is no kind of tree (rb, radix, xarray, maple)",
				 input->argv[0]);
	state->kind = kinds[i].kind;
	err = walk_address(input, 1, &walk->address);
	if (!err && state->kind == TREE_RB)
		err = walk_type_member(walk->session, input->argv[2], &walk->type, &member);
	else if (!err)
		err = walk_type(walk->session, input->argv[2], &walk->type);
	walk->offset = member.offset;
	walk->state = state;
	walk->name = arena_printf(walk->arena, "tree %s", input->argv[1]);
	return err;
}

/* "xarray ADDR TYPE" is short for "tree xarray ADDR TYPE". */
static struct error *begin_indexed(struct walking *walk, const struct walk_input *input)
{
	struct tree_state *state = arena_zalloc(walk->arena, sizeof(*state));

	struct error *err = need_words(walk, input);
	if (!err)
		err = walk_address(input, 0, &walk->address);
	if (!err)
		err = walk_type(walk->session, input->argv[1], &walk->type);
	if (err)
		return err;
	state->kind = strcmp(walk->walker->name, "maple") == 0 ? TREE_MAPLE : TREE_XARRAY;
	walk->state = state;
	walk->name = arena_printf(walk->arena, "%s %s", walk->walker->name, input->argv[0]);
	return NULL;
}

static void each_entry(struct walking *walk, walk_fn fn, void *ctx)
{
	enum { TAGS = 3 }; /* XA_ZERO_ENTRY, mark bits and the like lie in the lowest two */
	struct tree_state *state = walk->state;
	struct tree_entry entry;

	if (tree_walk_init(&state->walk, walk->session, state->kind, walk->address)) {
		while (tree_walk_step(&state->walk, &entry)) {
			struct walked object = { .address = (entry.address & ~(uint64_t)TAGS) -
							    walk->offset, .cpu = -1 };
			if (state->kind != TREE_RB) {
				object.kind = WALKED_ENTRY;
				object.data = &entry;
			}
			/* What is kept as a number is no object. */
			if (entry.kind == TREE_POINTER && !fn(ctx, &object))
				break;
		}
	}
	walk_trouble_tell(&state->walk.trouble, walk->session, walk->name);
	tree_walk_fini(&state->walk);
}

static enum field_found get_index(struct field_ask *ask)
{
	const struct tree_entry *entry = walked_data(ask->object, WALKED_ENTRY);

	if (entry)
		ask->number = entry->first;
	return entry ? FIELD_KNOWN : FIELD_NOTHING;
}

/* --- The table --- */

static const struct walker rows[] = {
	{ .name = "list", .usage = "HEAD TYPE.MEMBER", .words_max = 2, .begin = begin_linked,
	  .each = each_list, .summary = "the objects on a struct list_head, without the head's own",
	  .example = "list &init_task.tasks task_struct.tasks |> count" },
	{ .name = "hlist", .usage = "HEAD TYPE.MEMBER", .words_max = 2, .begin = begin_linked,
	  .each = each_hlist, .summary = "the objects on a struct hlist_head",
	  .example = "array inode_hashtable[0] 64 |> walk hlist $ inode.i_hash" },
	{ .name = "chain", .usage = "OBJECT TYPE.MEMBER", .words_max = 2, .begin = begin_linked,
	  .each = each_chain, .summary = "an object, then what its member points to, and so on",
	  .example = "tasks |> where pid == 101 |> walk chain $ task_struct.real_parent" },
	{ .name = "tree", .data_size = sizeof(struct tree_entry),
	  .usage = "rb|radix|xarray|maple ROOT TYPE[.MEMBER]", .words_max = 3,
	  .begin = begin_tree, .each = each_entry,
	  .summary = "the objects in a tree; of a red-black tree MEMBER is their rb_node",
	  .example = "tree rb &vmap_area_root vmap_area.rb_node |> count" },
	{ .name = "xarray", .data_size = sizeof(struct tree_entry),
	  .usage = "XARRAY TYPE", .words_max = 2, .begin = begin_indexed,
	  .each = each_entry, .summary = "the pointers in a struct xarray",
	  .example = "inodes |> walk xarray {&i_data.i_pages} page" },
	{ .name = "maple", .data_size = sizeof(struct tree_entry),
	  .usage = "TREE TYPE", .words_max = 2, .begin = begin_indexed,
	  .each = each_entry, .summary = "the pointers in a struct maple_tree",
	  .example = "maple sparse_irqs irq_desc |> select irq_data.irq" },
};

const struct walker_table walkers_lists = { rows, array_size(rows) };

static const struct walk_field fields[] = {
	{ "tree", "index", FIELD_NUMBER, "where it is in the tree (not of red-black trees)",
	  get_index },
	{ "xarray", "index", FIELD_NUMBER, "where it is in the array", get_index },
	{ "maple", "index", FIELD_NUMBER, "where its range begins", get_index },
};

const struct field_table fields_lists = { fields, array_size(fields) };
