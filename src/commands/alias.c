// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * alias: the list hangs on the session and begins with those that crash has. An alias replaces the
 * first word of a line, once: what it stands for may begin with the name of another one, up to a
 * few, never with its own again.
 */
#include "commands/alias.h"

#include <ctype.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "commands/table.h"

enum { ALIASES_MAX = 1000, CHAIN_MAX = 8 };

struct alias_list {
	vec_fields(struct alias); /* names and texts are of the session's arena, or literals */
};

/* Those of crash, by their names. */
static const struct alias built_in[] = {
	{ "?", "help", true },
	{ "dec", "set radix 10", true },
	{ "dmesg", "log", true },
	{ "exit", "quit", true },
	{ "for", "foreach", true },
	{ "g", "gdb", true },
	{ "hex", "set radix 16", true },
	{ "last", "ps -l", true },
	{ "lsmod", "mod", true },
	{ "man", "help", true },
	{ "pd", "p -d", true },
	{ "print", "p", true },
	{ "px", "p -x", true },
	{ "q", "quit", true },
	{ "sf", "set scroll off", true },
	{ "size", "*", true },
	{ "sn", "set scroll on", true },
};

static void destroy_list(void *data)
{
	struct alias_list *list = data;

	vec_deinit(list);
	free(list);
}

static struct alias_list *alias_list(struct session *s)
{
	struct alias_list *list = s->slot[SLOT_ALIASES].data;

	if (list)
		return list;
	list = xcalloc(1, sizeof(*list));
	for (size_t i = 0; i < array_size(built_in); i++)
		vec_push(list, built_in[i]);
	s->slot[SLOT_ALIASES].data = list;
	s->slot[SLOT_ALIASES].destroy = destroy_list;
	return list;
}

bool alias_at(struct session *s, size_t i, struct alias *alias)
{
	const struct alias_list *list = alias_list(s);

	if (i < list->count)
		*alias = list->data[i];
	return i < list->count;
}

static const char *find(struct session *s, const char *name, size_t length)
{
	size_t count = array_size(built_in);
	const struct alias *all = built_in;

	if (s) {
		const struct alias_list *list = alias_list(s);
		all = list->data;
		count = list->count;
	}
	for (size_t i = 0; i < count; i++) {
		if (strlen(all[i].name) == length && strncmp(all[i].name, name, length) == 0)
			return all[i].text;
	}
	return NULL;
}

char *alias_expand(struct session *s, const char *line)
{
	char *result = NULL;

	line += strspn(line, " \t");
	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		const char *from = result ? result : line;
		size_t length = strcspn(from, " \t");
		const char *text = find(s, from, length);
		if (!text)
			break;
		char *next = xasprintf("%s%s", text, from + length);
		bool same = strncmp(next, from, length) == 0 && strcspn(next, " \t") == length;
		free(result);
		result = next;
		/* "ps" for "ps -l" */
		if (same)
			break;
	}
	return result;
}

/* --- The command --- */

static const struct column alias_columns[] = {
	{ .key = "name", .title = "ALIAS", .style = STYLE_STRONG },
	{ .key = "text", .title = "STANDS FOR" },
	{ .key = "built_in" },
};

static void show(struct doc *doc, struct session *s, const char *name)
{
	const struct alias_list *list = alias_list(s);

	doc_table(doc, "aliases", alias_columns, array_size(alias_columns));
	for (size_t i = 0; i < list->count; i++) {
		const struct alias *a = &list->data[i];
		if (!name || strcmp(a->name, name) == 0)
			doc_row(doc, cell_str(a->name), cell_str(a->text), cell_bool(a->built_in));
	}
	doc_end(doc);
}

static void drop(struct session *s, const char *name)
{
	struct alias_list *list = alias_list(s);
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->data[i].name, name) != 0)
			list->data[kept++] = list->data[i];
	}
	list->count = kept;
}

static struct error *define(struct command_args *args, const char *name, const char *text)
{
	struct session *s = args->session;
	struct alias_list *list = alias_list(s);
	struct arena *arena = &s->arena;

	if (strcmp(name, "alias") == 0)
		return error_new(ERROR_USAGE, "alias itself cannot be one: there would be no way back");
	if (!isprint((unsigned char)*name) || strchr("#<>|!;-", *name))
		return error_new(ERROR_USAGE, "%s cannot be a command's name", name);
	drop(s, name);
	if (list->count >= ALIASES_MAX)
		return error_new(ERROR_USAGE, "there are %d aliases already", ALIASES_MAX);
	struct alias alias = { arena_strdup(arena, name), arena_strdup(arena, text), false };
	vec_push(list, alias);
	for (size_t i = list->count - 1; i && strcmp(list->data[i - 1].name, name) > 0; i--) {
		list->data[i] = list->data[i - 1];
		list->data[i - 1] = alias;
	}
	return NULL;
}

/* What is behind the name as it was typed; quotes around all of it, as crash's users write it, go. */
static char *text_of(struct command_args *args, const char *name_end)
{
	struct arena *arena = &args->doc->arena;
	const char *text = name_end + strspn(name_end, " \t");
	size_t length = strlen(text);

	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	if (length > 1 && (*text == '"' || *text == '\'') && text[length - 1] == *text &&
	    !memchr(text + 1, *text, length - 2))
		return arena_strndup(arena, text + 1, length - 2);
	return arena_strndup(arena, text, length);
}

static struct error *run_alias(struct command_args *args)
{
	struct session *s = args->session;
	size_t length = strcspn(args->rest, " \t");
	char *name = arena_strndup(&args->doc->arena, args->rest, length);
	const char *text = text_of(args, args->rest + length);

	if (!*name) {
		show(args->doc, s, NULL);
		return NULL;
	}
	if (strcmp(name, "-d") == 0) {
		if (!*text || !find(s, text, strlen(text)))
			return error_new(ERROR_NOT_FOUND, "there is no alias %s", text);
		drop(s, text);
		return NULL;
	}
	/* crash removes what is defined as "". */
	bool empty = !*text && args->rest[length] && strpbrk(args->rest + length, "\"'");
	if (!*text && !find(s, name, length))
		return error_new(ERROR_NOT_FOUND, "there is no alias %s", name);
	if (empty) {
		drop(s, name);
		return NULL;
	}
	struct error *err = *text ? define(args, name, text) : NULL;
	if (!err)
		show(args->doc, s, name);
	return err;
}

const struct command command_alias = {
	.name = "alias",
	.usage = "[NAME [TEXT] | -d NAME]",
	.summary = "short words for commands",
	.help = "Without arguments, all of them; with a name, what it stands for; with a text, defines it.\n"
		"The name as the first word of a line is then replaced by the text, which may hold options,\n"
		"pipes and redirections; in quotes, several commands (\"ps -A; bt -a\").\n"
		"  -d NAME  removes it, as NAME \"\" does; a built-in one, too\n"
		"Those that should always be there belong into ~/.config/inquest/init.\n"
		"Examples: alias | alias hex | alias running ps -A",
	.takes_line = true,
	.run = run_alias,
};
