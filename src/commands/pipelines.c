// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * pipelines: what can be walked and what comes with the objects. The help of this command is the
 * summary of docs/pipelines.md; the pipelines themselves are run by pipeline/, which stands to the
 * right of this folder.
 */
#include <string.h>

#include "base/nearest.h"
#include "commands/table.h"
#include "walk/walk.h"

static const struct column walker_columns[] = {
	{ .key = "name", .title = "WALKER", .style = STYLE_STRONG },
	{ .key = "usage", .title = "ARGUMENTS" },
	{ .key = "type", .title = "OBJECTS" },
	{ .key = "summary", .title = "" },
	{ .key = "example" },
};

static void list_walkers(struct doc *doc)
{
	const struct walker *w;

	doc_table(doc, "walkers", walker_columns, array_size(walker_columns));
	for (size_t i = 0; (w = walker_at(i)); i++)
		doc_row(doc, cell_str(w->name), cell_str(w->usage),
			w->type ? cell_str(w->type) : cell_shown(cell_none(), ""),
			cell_str(w->summary), cell_str(w->example));
	doc_end(doc);
	doc_textf(doc, STYLE_PLAIN, "%s", "");
	doc_textf(doc, STYLE_FAINT, "\"pipelines WALKER\" tells more, \"help pipelines\" the stages.");
}

static const char *kind_name(enum field_kind kind)
{
	static const char *const names[] = {
		[FIELD_NUMBER] = "number", [FIELD_ADDRESS] = "address", [FIELD_BYTES] = "bytes",
		[FIELD_TIME] = "time", [FIELD_BOOL] = "yes or no", [FIELD_TEXT] = "text",
		[FIELD_STACK] = "text",
	};

	return names[kind];
}

/* The fields of a walker's objects and of a type's. */
static size_t list_fields(struct doc *doc, const char *walker, const char *type)
{
	static const struct column columns[] = {
		{ .key = "name", .title = "FIELD", .style = STYLE_STRONG },
		{ .key = "kind", .title = "IS" },
		{ .key = "help", .title = "" },
	};
	const struct walk_field *f;
	size_t count = 0;

	doc_table(doc, "fields", columns, array_size(columns));
	for (size_t i = 0; (f = walk_field_at(i)); i++) {
		if (walk_field_find(walker, type, f->name) != f)
			continue;
		doc_row(doc, cell_str(f->name), cell_str(kind_name(f->kind)), cell_str(f->help));
		count++;
	}
	doc_end(doc);
	return count;
}

static void tell_walker(struct doc *doc, const struct walker *w)
{
	doc_record(doc, "walker", NULL);
	doc_plain(doc);
	doc_field_styled(doc, "name", "WALKER", STYLE_STRONG, cell_str(w->name));
	doc_field(doc, "usage", *w->usage ? "ARGUMENTS" : NULL, cell_str(w->usage));
	doc_field(doc, "summary", "GIVES", cell_str(w->summary));
	doc_field(doc, "type", w->type ? "OBJECTS" : NULL, cell_str(w->type));
	doc_field(doc, "example", "EXAMPLE", cell_str(w->example));
	doc_end(doc);
	list_fields(doc, w->name, w->type);
}

static struct error *not_found(const char *word)
{
	struct nearest near = nearest_to(word);
	const struct walker *w;

	for (size_t i = 0; (w = walker_at(i)); i++)
		nearest_consider(&near, w->name);
	return error_new(ERROR_NOT_FOUND, "no walker, and no type with fields, is called %s%s%s%s",
			 word, near.best ? " (did you mean " : "", near.best ? near.best : "",
			 near.best ? "?)" : "");
}

static struct error *run_pipelines(struct command_args *args)
{
	if (args->argc < 2) {
		list_walkers(args->doc);
		return NULL;
	}
	const struct walker *walker = walker_find(args->argv[1]);
	if (walker)
		tell_walker(args->doc, walker);
	else if (!list_fields(args->doc, NULL, args->argv[1]))
		return not_found(args->argv[1]);
	return NULL;
}

const struct command command_pipelines = {
	.name = "pipelines",
	.usage = "[WALKER|TYPE]",
	.summary = "pipelines of objects: what there is to walk, filter, count (help pipelines)",
	.help =
"Without arguments the walkers; with one, what comes with its objects beside their members.\n"
"Pipelines hand objects on: SOURCE |> STAGE |> STAGE ... Behind them may follow\n"
"\"| less\" or \"> ./file\", as behind any command.\n"
"\n"
"SOURCE is a walker (\"tasks\", \"slab dentry\", \"list HEAD TYPE.MEMBER\"), or any command\n"
"that gives a table: its columns are then the names, called as in --json (\"ps\", \"log\").\n"
"\n"
"  where EXPR                 only rows for which it is true\n"
"  select EXPR [as NAME],...  these columns\n"
"  sort [-]EXPR, ...          in this order; - turns it round\n"
"  top N EXPR                 the N rows with the largest value\n"
"  first [N], last [N]        so many of them (10)\n"
"  count [by EXPR, ...]       how many, or how many of each kind\n"
"  sum, min, max, avg EXPR [by EXPR, ...]\n"
"  unique EXPR, ...           the first row with each value\n"
"  follow EXPR                go on with the object that a pointer leads to\n"
"  walk WALKER ...            go on with what is walked from each object\n"
"  each COMMAND               a command for each row: $ is its address, {EXPR} a value;\n"
"                             (a |> b) in parentheses is a pipeline\n"
"  stacks [FUNCTION] [module NAME]   tasks with equal stacks, counted\n"
"\n"
"EXPR is C, as p takes it. Names are columns, then fields (\"pipelines tasks\" lists them),\n"
"members, symbols; $ points to the object itself, so that $->state is always the member.\n"
"\"->\" and \".\" are the same; == compares text; ~ \"glob*\", !~ \"glob*\" and =~ \"regex\" match\n"
"it. What is behind a NULL pointer is unknown, shown as -, and true of nothing.\n"
"\n"
"  tasks |> where state == \"D\" |> sort -waited |> select pid, comm, waited, wchan\n"
"  dentries |> where d_lockref.count == 0 |> count by d_sb->s_id\n"
"  tasks |> stacks *mutex_lock*\n"
"More are in docs/pipelines.md.\n"
"Examples: pipelines | pipelines tasks | pipelines vm_area_struct",
	.needs_no_dump = true,
	.run = run_pipelines,
};
