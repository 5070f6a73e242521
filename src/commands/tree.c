// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tree: what a red-black tree, radix tree, XArray or maple tree holds. The kind is told by -t, or
 * by the type of the member that -r names, or of the variable that START is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/args.h"
#include "commands/table.h"
#include "commands/typed.h"
#include "kernel/trees.h"

enum { OPT_TYPE = TYPED_OPTIONS, OPT_ROOT, OPT_OFFSET, OPT_LINEAR, OPT_POSITION, OPT_NODES,
       OPT_NODE };

static const struct option tree_option_table[] = {
	[OPT_TYPE] = { "t", true },          [OPT_ROOT] = { "r", true },
	[OPT_OFFSET] = { "o", true },        [TYPED_SHOW] = { "s", OPTION_MANY },
	[TYPED_READ] = { "S", OPTION_MANY }, [OPT_LINEAR] = { "l", false },
	[TYPED_HEX] = { "x", false },        [TYPED_DEC] = { "d", false },
	[OPT_POSITION] = { "p", false },     [OPT_NODES] = { "v", false },
	[OPT_NODE] = { "N", false },
};

/* What XArrays keep in the lowest bits of a pointer is not part of it (xa_untag_pointer()). */
enum { TAG_BITS = 3 };

static const struct column tree_columns[] = {
	{ .key = "address", .title = "" },
	{ .key = "kind" },
	{ .key = "value" },
	{ .key = "first" },
	{ .key = "last" },
	{ .key = "depth" },
	{ .key = "position" },
	{ .title = "" }, /* "index: 128-191" */
	{ .title = "" }, /* "position: root/2/0" */
	{ .key = "node_type" },
	{ .key = "parent" },
};

struct tree_run {
	struct command_args *args;
	struct options options;
	struct typed_shown shown;
	enum tree_kind kind;
	uint64_t root_offset, offset, start;
	struct tree_walk walk;
};

/* --- Which tree? --- */

static bool kind_of_type(struct type type, enum tree_kind *kind)
{
	static const struct {
		const char *name;
		enum tree_kind kind;
	} roots[] = {
		{ "rb_root", TREE_RB },          { "rb_root_cached", TREE_RB },
		{ "radix_tree_root", TREE_RADIX }, { "xarray", TREE_XARRAY },
		{ "maple_tree", TREE_MAPLE },
	};

	type = type_strip(type);
	if (!type.source || type_kind(type) != TYPE_STRUCT)
		return false;
	for (size_t i = 0; i < array_size(roots); i++) {
		if (strcmp(type_name(type), roots[i].name) == 0) {
			*kind = roots[i].kind;
			return true;
		}
	}
	return false;
}

/* crash's words, and as much of them as it takes. */
static bool kind_named(const char *word, enum tree_kind *kind)
{
	static const struct {
		const char *name;
		size_t least;
		enum tree_kind kind;
	} names[] = {
		{ "rbtree", 2, TREE_RB }, { "radix", 2, TREE_RADIX }, { "xarray", 1, TREE_XARRAY },
		{ "maple", 1, TREE_MAPLE },
	};

	for (size_t i = 0; i < array_size(names); i++) {
		size_t length = strlen(word);
		if (length >= names[i].least && strncmp(word, names[i].name, length) == 0) {
			*kind = names[i].kind;
			return true;
		}
	}
	return false;
}

/* By -t; else by the member that -r names, or the variable that START is; else a red-black one. */
static struct error *find_kind(struct tree_run *run, struct type root)
{
	const char *word = run->options.value[OPT_TYPE];
	struct session *s = run->args->session;
	struct type type;

	run->kind = TREE_RB;
	if (word && !kind_named(word, &run->kind))
		return error_new(ERROR_USAGE, "%s is no kind of tree: rbtree, radix, xarray or maple",
				 word);
	if (word || kind_of_type(root, &run->kind) || run->options.set[OPT_NODE])
		return NULL;
	if (types_variable(s->types, run->options.words[0], &type))
		(void)kind_of_type(type, &run->kind);
	return NULL;
}

static struct error *find_tree(struct tree_run *run)
{
	struct session *s = run->args->session;
	const struct options *o = &run->options;
	struct member root = { 0 };
	struct error *err = NULL;

	if (o->word_count != 1)
		return error_new(ERROR_USAGE, o->word_count ? "one tree at a time" : "which tree?");
	if (o->value[OPT_ROOT])
		err = typed_offset(s, o->value[OPT_ROOT], &run->root_offset, &root);
	if (!err && o->value[OPT_OFFSET])
		err = typed_offset(s, o->value[OPT_OFFSET], &run->offset, NULL);
	if (!err)
		err = find_kind(run, root.type);
	if (!err)
		err = parse_address(s, o->words[0], &run->start);
	if (err)
		return err;
	if (run->kind != TREE_RB && o->set[OPT_OFFSET])
		return error_new(ERROR_USAGE, "-o is for red-black trees");
	if (run->kind != TREE_RB && o->set[OPT_LINEAR])
		return error_new(ERROR_USAGE, "-l is for red-black trees; others are in order");
	if (run->kind != TREE_MAPLE && o->set[OPT_NODES])
		return error_new(ERROR_USAGE, "-v is for maple trees");
	if (o->set[OPT_NODE] && o->set[OPT_ROOT])
		return error_new(ERROR_USAGE, "-N starts at a node, -r at a root");
	return NULL;
}

/* --- Showing it --- */

static const char *node_type_name(unsigned type)
{
	/* enum maple_type of include/linux/maple_tree.h */
	static const char *const names[] = { "dense", "leaf_64", "range_64", "arange_64" };

	return type < array_size(names) ? names[type] : "?";
}

static const char *range_text(struct tree_run *run, const struct tree_entry *e)
{
	struct arena *arena = &run->args->doc->arena;

	if (e->first == e->last)
		return arena_printf(arena, "%" PRIu64, e->first);
	return arena_printf(arena, "%" PRIu64 "-%" PRIu64, e->first, e->last);
}

/* With -v: a line for each node and range, the deeper the further to the right. */
static const char *node_text(struct tree_run *run, const struct tree_entry *e)
{
	struct arena *arena = &run->args->doc->arena;
	const char *range = range_text(run, e);
	int indent = (int)e->depth * 2;

	switch (e->kind) {
	case TREE_NODE:
		return arena_printf(arena, "%*s%s: node %016" PRIx64 " depth %u type %s parent %016"
				    PRIx64, indent, "", range, e->address, e->depth,
				    node_type_name(e->type), e->parent);
	case TREE_EMPTY:
		return arena_printf(arena, "%*s%s: 0", indent, "", range);
	case TREE_VALUE:
		return arena_printf(arena, "%*s%s: value %" PRIu64, indent, "", range, e->value);
	default:
		return arena_printf(arena, "%*s%s: %016" PRIx64, indent, "", range, e->address);
	}
}

static void add_row(struct tree_run *run, const struct tree_entry *e, uint64_t object)
{
	static const char *const kinds[] = { "pointer", "value", "node", "empty" };
	struct doc *doc = run->args->doc;
	struct arena *arena = &doc->arena;
	bool is_rb = run->kind == TREE_RB, is_value = e->kind == TREE_VALUE;
	bool is_node = e->kind == TREE_NODE, is_empty = e->kind == TREE_EMPTY;
	bool places = run->options.set[OPT_POSITION];
	char position[TREE_DEPTH_MAX * 4 + 16];

	tree_walk_position(&run->walk, position, sizeof(position));
	struct cell address = is_empty || is_value ? cell_none() : cell_address(object);
	if (run->options.set[OPT_NODES])
		address = cell_shown(address, node_text(run, e));
	else if (is_value)
		address = cell_shown(address, arena_printf(arena, "value %" PRIu64, e->value));
	doc_row(doc, address, cell_str(kinds[e->kind]),
		is_value ? cell_udec(e->value) : cell_none(),
		is_rb ? cell_none() : cell_udec(e->first), is_rb ? cell_none() : cell_udec(e->last),
		cell_udec(e->depth), cell_str(position),
		cell_str(places && !is_rb ? arena_printf(arena, "index: %s", range_text(run, e)) : ""),
		cell_str(places ? arena_printf(arena, "position: %s", position) : ""),
		is_node ? cell_str(node_type_name(e->type)) : cell_none(),
		is_node ? cell_address(e->parent) : cell_none());
}

static struct error *show_entries(struct tree_run *run)
{
	struct tree_entry e;
	struct error *err = NULL;

	while (!err && tree_walk_step(&run->walk, &e)) {
		uint64_t object = run->kind == TREE_RB ? e.address - run->offset : e.address;
		add_row(run, &e, object);
		if (run->kind != TREE_RB)
			object &= ~(uint64_t)TAG_BITS;
		if (e.kind == TREE_POINTER)
			err = typed_show_entry(run->args, &run->shown, object);
	}
	return err;
}

/* -v begins with the tree itself. */
static void show_root(struct tree_run *run, uint64_t root)
{
	struct session *s = run->args->session;
	uint64_t flags, top;

	/* MT_FLAGS_HEIGHT_OFFSET and _MASK of include/linux/maple_tree.h. */
	if (run->options.set[OPT_NODE] || !kread(s, root, "maple_tree", "ma_flags", &flags) ||
	    !kread(s, root, "maple_tree", "ma_root", &top))
		return;
	doc_textf(run->args->doc, STYLE_PLAIN, "maple_tree(%" PRIx64 ") flags %" PRIx64
		  ", height %" PRIu64 ", root %016" PRIx64, root, flags, (flags & 0x7c) >> 2, top);
}

static struct error *show(struct tree_run *run)
{
	uint64_t root = run->start + run->root_offset;
	struct session *s = run->args->session;
	struct doc *doc = run->args->doc;
	struct error *err = NULL;

	bool ok = run->options.set[OPT_NODE]
			  ? tree_walk_init_node(&run->walk, s, run->kind, run->start)
			  : tree_walk_init(&run->walk, s, run->kind, root);
	run->walk.top_down = !run->options.set[OPT_LINEAR];
	run->walk.nodes = run->options.set[OPT_NODES];
	if (run->walk.nodes)
		show_root(run, root);
	doc_table(doc, "entries", tree_columns, array_size(tree_columns));
	doc_bare(doc);
	if (ok)
		err = show_entries(run);
	doc_end(doc);
	size_t count = run->walk.count;
	doc_field(doc, "count", NULL, cell_udec(count));
	if (count || !run->walk.trouble.count)
		doc_textf(doc, STYLE_FAINT, count ? count == 1 ? "%zu entry" : "%zu entries"
						  : "(empty)", count);
	if (run->walk.reserved)
		doc_remark(doc, REMARK_NOTE, "%zu more places are kept for an entry to come",
			   run->walk.reserved);
	typed_remark_trouble(doc, &run->walk.trouble);
	tree_walk_fini(&run->walk);
	return err;
}

static struct error *run_tree(struct command_args *args)
{
	struct tree_run run = { .args = args };

	struct error *err = options_parse(args, tree_option_table, array_size(tree_option_table),
					  &run.options);
	if (!err)
		err = find_tree(&run);
	if (!err)
		err = typed_shown_parse(args, &run.options, &run.shown);
	return err ? err : show(&run);
}

const struct command command_tree = {
	.name = "tree",
	.usage = "[-t rbtree|radix|xarray|maple] [-r OFFSET] [-o OFFSET] [-s|-S STRUCT[.MEMBER[,MEMBER ...]] ...] [-x|-d] [-l] [-p] [-v] [-N] START",
	.summary = "what a tree holds: red-black, radix, XArray, maple",
	.help = "START is the tree's root: a struct rb_root, rb_root_cached, radix_tree_root, xarray or\n"
		"maple_tree. Offsets are numbers of bytes or STRUCT.MEMBER.\n"
		"  -t KIND    rbtree, radix, xarray or maple, or as much as tells them apart; by default\n"
		"             what the type of the root says, or else rbtree\n"
		"  -r OFFSET  the root is so far inside of what START is\n"
		"  -o OFFSET  of the rb_node inside the objects\n"
		"  -s STRUCT  shows this of every entry, or only the members named; may come again\n"
		"  -S STRUCT  the same\n"
		"  -l         a red-black tree in order; else each node comes before those below it\n"
		"  -p         with indexes, and the way from the root: root/l/r, or the slots\n"
		"  -v         a maple tree with its nodes and its empty ranges\n"
		"  -N         START is a node (of a maple tree, with the type in its pointer)\n"
		"  -x, -d     numbers in hexadecimal, in decimal\n"
		"Integers in a tree are shown as values; entries of several indexes come once. What is\n"
		"missing or damaged is told, and the rest shown.\n"
		"Examples: tree -t rbtree -l -o vmap_area.rb_node free_vmap_area_root -s vmap_area.va_start\n"
		"Examples: tree -t maple -r mm_struct.mm_mt init_mm\n"
		"Examples: tree -t radix -r pid_namespace.idr init_pid_ns -s pid.count",
	.run = run_tree,
};
