// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * list: what a linked list holds. Three ways to say where it begins, as in crash: an object whose
 * pointer leads to the next object; with -h an object with a link inside, to which the others'
 * links lead; with -H the head. Which kind of link it is, the type of the member that -o names
 * tells (list_head, hlist_node ...); a number may be any and is taken for a list_head.
 *
 * What gdb's users type after "list" is source code: that is src, and here only the way to it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/vec.h"
#include "commands/args.h"
#include "commands/table.h"
#include "commands/typed.h"
#include "kernel/lists.h"

enum { OPT_OFFSET = TYPED_OPTIONS, OPT_END, OPT_REVERSE, OPT_BACK, OPT_OBJECT, OPT_HEAD,
       OPT_HEAD_OFFSET, OPT_BRENT };

static const struct option list_option_table[] = {
	[OPT_OFFSET] = { "o", true },         [OPT_END] = { "e", true },
	[OPT_REVERSE] = { "r", false },       [TYPED_SHOW] = { "s", OPTION_MANY },
	[TYPED_READ] = { "S", OPTION_MANY },  [OPT_BACK] = { "l", true },
	[OPT_OBJECT] = { "h", false },        [OPT_HEAD] = { "H", false },
	[OPT_HEAD_OFFSET] = { "O", true },    [TYPED_HEX] = { "x", false },
	[TYPED_DEC] = { "d", false },         [OPT_BRENT] = { "B", false },
};

static const struct column list_columns[] = {
	{ .key = "address", .title = "" },
	{ .key = "link" },
	{ .key = "from_end" },
};

enum { BEHIND_MAX = 1 << 22 };

struct list_run {
	struct command_args *args;
	struct options options;
	struct typed_shown shown;
	const char *offset_word, *start_word;
	uint64_t offset;       /* of the pointer or link in an object */
	uint64_t head_offset;  /* of the head in the object that has it */
	uint64_t back;         /* -l: from what the list leads to, back to the object */
	uint64_t start, end;
	enum list_kind kind;
	bool linked;           /* pointers lead to links, not to objects */
	size_t entries;        /* shown so far */
	struct list_walk walk;
};

/* The link types, by what a member of that type makes of a list. */
static bool link_kind(struct type type, uint64_t *offset, enum list_kind *kind)
{
	static const struct {
		const char *name;
		enum list_kind kind;
	} links[] = {
		{ "list_head", LIST_DOUBLE },
		{ "plist_node", LIST_DOUBLE },
		{ "hlist_node", LIST_HASH },
		{ "hlist_nulls_node", LIST_NULLS },
		{ "hlist_bl_node", LIST_BIT },
		{ "llist_node", LIST_SINGLE },
	};
	struct member inner;

	type = type_strip(type);
	for (size_t i = 0; type.source && i < array_size(links); i++) {
		if (type_kind(type) != TYPE_STRUCT || strcmp(type_name(type), links[i].name) != 0)
			continue;
		*kind = links[i].kind;
		if (type_find_member(type, "node_list", &inner))
			*offset += inner.offset;
		return true;
	}
	return false;
}

/* Is it of a struct, though that has no such member? */
static bool names_struct(struct session *s, const char *word)
{
	struct arena arena = { 0 };
	struct typed_name named;

	if (!strchr(word, '.'))
		return false;
	struct error *err = typed_find(s, &arena, word, false, &named);
	bool found = !err;
	error_free(err);
	arena_deinit(&arena);
	return found;
}

/* Of the words that are no options: which is the offset, which the start? */
static struct error *sort_words(struct list_run *run)
{
	struct session *s = run->args->session;
	const struct options *o = &run->options;
	struct member member;
	uint64_t offset;

	run->offset_word = o->value[OPT_OFFSET];
	for (int i = 0; i < o->word_count; i++) {
		const char *word = o->words[i];
		struct error *err = typed_offset(s, word, &offset, &member);
		bool is_offset = !err && !run->offset_word && !s->arch->is_kernel_address(offset) &&
				 (member.type.source || o->word_count == 2);
		if (err && names_struct(s, word))
			return err;
		error_free(err);
		if (is_offset)
			run->offset_word = word;
		else if (!run->start_word)
			run->start_word = word;
		else
			return error_new(ERROR_USAGE, "%s and %s: which of them is the start?",
					 run->start_word, word);
	}
	return run->start_word ? NULL : error_new(ERROR_USAGE, "where does the list start?");
}

static struct error *find_offsets(struct list_run *run)
{
	struct session *s = run->args->session;
	const struct options *o = &run->options;
	struct member member = { 0 };
	struct error *err = NULL;

	run->kind = LIST_DOUBLE;
	if (run->offset_word)
		err = typed_offset(s, run->offset_word, &run->offset, &member);
	bool is_link = !err && link_kind(member.type, &run->offset, &run->kind);
	run->linked = o->set[OPT_OBJECT] || o->set[OPT_HEAD] || o->set[OPT_REVERSE];
	if (is_link && !run->linked && !o->set[OPT_BACK]) {
		run->linked = true;
		doc_remark(run->args->doc, REMARK_NOTE, "%s is a link: read as with -h",
			   run->offset_word);
	}
	run->head_offset = run->offset;
	if (!err && o->value[OPT_HEAD_OFFSET])
		err = typed_offset(s, o->value[OPT_HEAD_OFFSET], &run->head_offset, NULL);
	if (!err && o->value[OPT_BACK])
		err = typed_offset(s, o->value[OPT_BACK], &run->back, NULL);
	if (err)
		return err;
	if (o->set[OPT_BACK] && run->offset_word)
		return error_new(ERROR_USAGE, "-l and an offset exclude each other");
	if (o->set[OPT_BACK] && !run->shown.count)
		return error_new(ERROR_USAGE, "-l goes with -s or -S");
	if (o->set[OPT_HEAD_OFFSET] && !o->set[OPT_OBJECT])
		return error_new(ERROR_USAGE, "-O goes with -h");
	if (o->set[OPT_HEAD] && o->set[OPT_OBJECT])
		return error_new(ERROR_USAGE, "-h and -H exclude each other");
	if (o->set[OPT_REVERSE] && run->kind != LIST_DOUBLE)
		return error_new(ERROR_USAGE, "-r: only a list_head leads back");
	return NULL;
}

/* -s without an offset: does the struct begin with a link, so that offset 0 may be meant? */
static void check_shown(const struct list_run *run)
{
	struct member first;
	uint64_t offset = 0;
	enum list_kind kind;

	if (run->offset_word || !run->linked || !run->shown.count || run->options.set[OPT_BACK])
		return;
	const struct typed_name *named = &run->shown.named[0];
	if (!link_kind(named->type, &offset, &kind) && type_member_at(named->type, 0, &first) &&
	    !link_kind(first.type, &offset, &kind))
		doc_remark(run->args->doc, REMARK_NOTE, "%s does not begin with a link: what is shown "
			   "of the entries is right only with -o STRUCT.MEMBER", named->spelled);
}

static void begin(const struct list_run *run, struct list_walk *walk, bool reverse)
{
	const struct options *o = &run->options;
	struct session *s = run->args->session;

	if (!run->linked) {
		list_walk_from_link(walk, s, LIST_SINGLE, run->start);
		walk->next_offset = run->offset;
		walk->end = run->end;
	} else if (o->set[OPT_HEAD]) {
		list_walk_from_head(walk, s, run->kind, run->start);
	} else if (o->set[OPT_HEAD_OFFSET]) {
		list_walk_from_head(walk, s, run->kind, run->start + run->head_offset);
	} else {
		list_walk_from_link(walk, s, run->kind, run->start + run->offset);
	}
	walk->reverse = reverse;
	walk->no_memory = o->set[OPT_BRENT];
}

static struct error *show_entry(struct list_run *run, uint64_t link, bool from_end)
{
	uint64_t object = link - (run->linked ? run->offset : 0);

	doc_row(run->args->doc, cell_address(object), cell_address(link), cell_bool(from_end));
	run->entries++;
	return typed_show_entry(run->args, &run->shown, object - run->back);
}

/* The links that were shown, by the way that shows them. */
static void remember(const struct list_run *run, struct map *known)
{
	bool reverse = run->options.set[OPT_REVERSE];
	struct list_walk walk;
	uint64_t link;

	begin(run, &walk, reverse);
	for (size_t i = 0; i < run->walk.count && !session_stopped(run->args->session) &&
			   list_walk_step(&walk, &link); i++)
		map_set(known, link, 0);
	list_walk_fini(&walk);
}

/*
 * A ring that breaks off has a second end: what is between that and the break, in the order of the
 * list. Up to the first link that is lost there too, or is known from the other side.
 */
static struct error *show_from_end(struct list_run *run)
{
	bool reverse = run->options.set[OPT_REVERSE];
	struct {
		vec_fields(uint64_t);
	} links = { 0 };
	struct map known = { 0 };
	struct list_walk walk;
	struct error *err = NULL;
	uint64_t link, ignored;

	remember(run, &known);
	begin(run, &walk, !reverse);
	while (links.count < BEHIND_MAX && !session_stopped(run->args->session) &&
	       list_walk_step(&walk, &link)) {
		if (!map_get(&known, link, &ignored))
			vec_push(&links, link);
		else if (walk.count > 1 || walk.head)
			break;
	}
	if (links.count)
		doc_textf(run->args->doc, STYLE_BAD, "... and from the other end:");
	for (size_t i = links.count; !err && !session_stopped(run->args->session) && i-- > 0;)
		err = show_entry(run, links.data[i], true);
	if (walk.ended == LIST_HOLE || walk.ended == LIST_ASTRAY)
		doc_remark(run->args->doc, REMARK_HOLE, "from the other end %s; what is between is "
			   "not known", walk.trouble.text);
	list_walk_fini(&walk);
	map_deinit(&known);
	vec_deinit(&links);
	return err;
}

static bool has_second_end(const struct list_run *run)
{
	enum list_end ended = run->walk.ended;

	return run->linked && run->kind == LIST_DOUBLE && !run->end &&
	       (ended == LIST_LOOP || ended == LIST_HOLE || ended == LIST_ASTRAY);
}

static struct error *show(struct list_run *run)
{
	struct doc *doc = run->args->doc;
	uint64_t link, inside = run->linked ? run->offset : 0;
	struct error *err = NULL;

	check_shown(run);
	begin(run, &run->walk, run->options.set[OPT_REVERSE]);
	doc_table(doc, "entries", list_columns, array_size(list_columns));
	doc_bare(doc);
	struct progress *progress =
		progress_start(&run->args->session->progress, "entries", 0);
	while (!err && !session_stopped(run->args->session) &&
	       list_walk_step(&run->walk, &link)) {
		progress_add(progress, 1);
		/* The end may be given as the list's pointer has it, or as the object. */
		if (run->end && (link == run->end || link - inside == run->end))
			break;
		err = show_entry(run, link, false);
	}
	if (!err && has_second_end(run))
		err = show_from_end(run);
	progress_stop(progress);
	doc_end(doc);
	size_t count = run->entries;
	char text[64];
	snprintf(text, sizeof(text), count == 1 ? "%zu entry" : "%zu entries", count);
	if (!count && !run->walk.trouble.count)
		snprintf(text, sizeof(text), "(empty)");
	doc_field(doc, "count", NULL, cell_udec(count));
	doc_textf(doc, STYLE_FAINT, "%s", text);
	typed_remark_trouble(doc, &run->walk.trouble);
	list_walk_fini(&run->walk);
	return err;
}

/* "*panic+91", "panic", "kernel/fork.c:617": gdb's list, of source code. */
static bool is_source(struct command_args *args, const struct options *o)
{
	uint64_t address;

	if (args->argc != 2 || o->word_count != 1)
		return false;
	const char *word = o->words[0], *colon = strrchr(word, ':');
	if (*word == '*' || (colon && strchr(word, '.') && strchr(word, '.') < colon &&
			     colon[1] && !colon[1 + strspn(colon + 1, "0123456789")]))
		return true;
	struct error *err = parse_address(args->session, word, &address);
	bool is_text = !err && args->session->symbols &&
		       symbols_is_text(args->session->symbols, address);
	error_free(err);
	return is_text;
}

static struct error *run_list(struct command_args *args)
{
	struct list_run run = { .args = args };

	struct error *err = options_parse(args, list_option_table, array_size(list_option_table),
					  &run.options);
	if (err)
		return err;
	if (is_source(args, &run.options))
		return command_src.run(args);
	err = sort_words(&run);
	if (!err)
		err = typed_shown_parse(args, &run.options, &run.shown);
	if (!err)
		err = find_offsets(&run);
	if (!err)
		err = parse_address(args->session, run.start_word, &run.start);
	if (!err && run.options.value[OPT_END])
		err = parse_address(args->session, run.options.value[OPT_END], &run.end);
	return err ? err : show(&run);
}

const struct command command_list = {
	.name = "list",
	.usage = "[[-o] OFFSET] [-e END] [-s|-S STRUCT[.MEMBER[,MEMBER ...]] ...] [-l OFFSET] [-x|-d] [-r|-B] [-h [-O OFFSET]|-H] START",
	.summary = "what a linked list holds, and where it is damaged",
	.help = "START is an object, whose pointer at OFFSET leads to the next object. Offsets are\n"
		"numbers of bytes or STRUCT.MEMBER; where the member is a list_head, hlist_node,\n"
		"hlist_nulls_node, hlist_bl_node, llist_node or plist_node, that kind of list is read.\n"
		"  -h         START is an object; its link at OFFSET leads to the others' links\n"
		"  -O OFFSET  with -h: where the head is in START, which is itself no entry\n"
		"  -H         START is the list's head\n"
		"  -s STRUCT  shows this of every entry, or only the members named; may come again\n"
		"  -S STRUCT  the same\n"
		"  -l OFFSET  with -s: what the list leads to is so far inside the struct\n"
		"  -e END     ends before this address\n"
		"  -r         backwards, by prev\n"
		"  -B         finds loops by Brent's way, which remembers nothing; entries of a loop may\n"
		"             be shown more than once\n"
		"  -x, -d     numbers in hexadecimal, in decimal\n"
		"Loops, pointers that lead nowhere and links that do not point back are told. Of a list\n"
		"that breaks off, what can be reached from its other end is shown too.\n"
		"After a *, of a function, or as FILE:LINE it is gdb's list: see src.\n"
		"Examples: list -H modules -o module.list -s module.name\n"
		"Examples: list task_struct.tasks -h init_task -s task_struct.pid,comm\n"
		"Examples: list file_system_type.next *(long*)&file_systems -s file_system_type.name",
	.run = run_list,
};
