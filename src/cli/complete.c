// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Completion. The first word is a command; behind it, what the command takes: its options (read
 * out of its help, so that they cannot go stale), types for those that take types, members behind
 * "TYPE.", commands for help, modules for mod, files behind a redirection, else symbols. All of
 * them are scanned; COMPLETIONS_MAX are given.
 */
#include "cli/complete.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "commands/command.h"
#include "kernel/modules.h"
#include "pipeline/pipeline.h"
#include "walk/walk.h"

void completions_deinit(struct completions *c)
{
	vec_for_each (word, c)
		free(*word);
	vec_deinit(c);
}

size_t completions_common(const struct completions *c)
{
	if (!c->count)
		return 0;
	size_t common = strlen(c->data[0]);
	for (size_t i = 1; i < c->count; i++) {
		size_t n = 0;
		while (n < common && c->data[i][n] == c->data[0][n])
			n++;
		common = n;
	}
	return common;
}

struct wish {
	struct session *session;
	const char *prefix; /* what is typed of the word */
	size_t length;
	struct completions *out;
};

/* Adds @word; false when there is no room for more. */
static bool offer_n(struct wish *wish, const char *word, size_t length)
{
	if (length < wish->length || strncmp(word, wish->prefix, wish->length) != 0)
		return true;
	if (wish->out->count == COMPLETIONS_MAX) {
		wish->out->more = true;
		return false;
	}
	vec_push(wish->out, xstrndup(word, length));
	return true;
}

static bool offer(struct wish *wish, const char *word)
{
	return offer_n(wish, word, strlen(word));
}

static void offer_commands(struct wish *wish)
{
	for (const struct command *const *c = commands; *c; c++)
		offer(wish, (*c)->name);
}

/* What a line may begin with. */
static void offer_sources(struct wish *wish)
{
	const struct walker *w;

	offer_commands(wish);
	for (size_t i = 0; (w = walker_at(i)); i++)
		offer(wish, w->name);
}

static void offer_word(void *wish, const char *word)
{
	offer(wish, word);
}

/* Options stand in the usage as "-a" or "[-m MODULE]", in the help at the start of lines. */
static void offer_options(struct wish *wish, const char *text)
{
	for (const char *s = text; *s; s++) {
		if (*s != '-' || (s != text && !strchr(" \n[|,", s[-1])))
			continue;
		size_t length = 1;
		while (isalnum((unsigned char)s[length]) || s[length] == '-')
			length++;
		if (length > 1)
			offer_n(wish, s, length);
		s += length - 1;
	}
}

static bool offer_symbol(void *ctx, const struct symbol *symbol)
{
	struct wish *wish = ctx;

	offer(wish, symbol->name);
	return !wish->out->more && !session_stopped(wish->session);
}

static bool offer_type(void *ctx, struct type type)
{
	struct wish *wish = ctx;
	enum type_kind kind = type_kind(type);

	if ((kind == TYPE_STRUCT || kind == TYPE_UNION || kind == TYPE_ENUM ||
	     kind == TYPE_TYPEDEF) && *type_name(type))
		offer(wish, type_name(type));
	return !wish->out->more && !session_stopped(wish->session);
}

/* Members, also those of anonymous structs and unions inside. */
static void offer_members(struct wish *wish, struct type type, const char *path, unsigned depth)
{
	struct member member;

	type = type_strip(type);
	for (unsigned i = 0; type_member_at(type, i, &member); i++) {
		if (!*member.name) {
			if (depth < 8)
				offer_members(wish, member.type, path, depth + 1);
			continue;
		}
		auto_free char *whole = xasprintf("%s%s", path, member.name);
		offer(wish, whole);
	}
}

/* "task_struct.se.vrun": members of the type that the path before the last dot leads to. */
static void offer_member_path(struct wish *wish)
{
	const char *last = strrchr(wish->prefix, '.');
	const char *first = strchr(wish->prefix, '.');
	auto_free char *name = xstrndup(wish->prefix, (size_t)(first - wish->prefix));
	auto_free char *path = xstrndup(wish->prefix, (size_t)(last - wish->prefix) + 1);
	struct type type;
	struct member member;

	if (!types_find(wish->session->types, name, &type))
		return;
	if (last > first) {
		auto_free char *middle = xstrndup(first + 1, (size_t)(last - first) - 1);
		if (!type_find_member(type, middle, &member))
			return;
		type = member.type;
	}
	wish->out->no_blank = true;
	offer_members(wish, type, path, 0);
}

static void offer_types(struct wish *wish)
{
	if (strchr(wish->prefix, '.'))
		offer_member_path(wish);
	else
		types_each(wish->session->types, offer_type, wish);
}

static void offer_modules(struct wish *wish)
{
	size_t count;
	const struct module_info *all = modules(wish->session, &count);

	for (size_t i = 0; i < count; i++)
		offer(wish, all[i].module.name);
}

static void offer_files(struct wish *wish)
{
	const char *slash = strrchr(wish->prefix, '/');
	size_t folder_length = slash ? (size_t)(slash - wish->prefix) + 1 : 0;
	auto_free char *folder = xstrndup(wish->prefix, folder_length);
	DIR *dir = opendir(folder_length ? folder : ".");
	const struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		bool hidden = entry->d_name[0] == '.' && wish->prefix[folder_length] != '.';
		if (hidden)
			continue;
		auto_free char *path = xasprintf("%s%s%s", folder, entry->d_name,
						 entry->d_type == DT_DIR ? "/" : "");
		offer(wish, path);
		wish->out->no_blank |= entry->d_type == DT_DIR;
	}
	closedir(dir);
}

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names;
}

static void offer_arguments(struct wish *wish, const char *name)
{
	static const char *const take_types[] = { "struct", "union", "*", "whatis", NULL };
	static const char *const take_nothing[] = { "log", "ps", "sys", "set", "frame", "up", "down",
						    "bt", "quit", NULL };
	const struct command *command = command_find(name);

	if (!command)
		return;
	if (*wish->prefix == '-') {
		offer_options(wish, command->usage);
		offer_options(wish, command->help);
	} else if (strcmp(command->name, "help") == 0) {
		offer_commands(wish);
	} else if (strcmp(command->name, "mod") == 0 && wish->session) {
		offer_modules(wish);
	} else if (is_one_of(command->name, take_types) && wish->session) {
		offer_types(wish);
	} else if (!is_one_of(command->name, take_nothing) && wish->session && wish->length &&
		   wish->session->symbols) {
		symbols_each(wish->session->symbols, offer_symbol, wish);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, each once. */
static void tidy(struct completions *c)
{
	size_t kept = 0;

	if (!c->count)
		return;
	qsort(c->data, c->count, sizeof(*c->data), compare);
	for (size_t i = 0; i < c->count; i++) {
		if (kept && strcmp(c->data[kept - 1], c->data[i]) == 0)
			free(c->data[i]);
		else
			c->data[kept++] = c->data[i];
	}
	c->count = kept;
}

/* In an expression a symbol may follow an operator: "&init_ta", "(jiff". */
static bool splits_words(char c)
{
	return strchr(" \t;", c) || strchr("&(*+,=<>!~|", c);
}

/* Is the word behind it a stage's? */
static bool ends_with_stage(const char *text)
{
	size_t length = strlen(text);

	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	return length >= 2 && text[length - 1] == '>' && text[length - 2] == '|';
}

void complete_line(void *session, const char *line, size_t point, struct completions *out)
{
	size_t command_start = 0, start = point;

	for (size_t i = 0; i < point; i++) {
		if (line[i] == ';')
			command_start = i + 1;
	}
	while (command_start < point && isspace((unsigned char)line[command_start]))
		command_start++;
	size_t name_end = command_start + strcspn(line + command_start, " \t");
	auto_free char *typed = xstrndup(line + command_start, point - command_start);
	/* Members are offered one by one in a pipeline, and it has no options. */
	bool pipeline = pipeline_operator(typed);
	while (start > command_start && !splits_words(line[start - 1]) &&
	       !(pipeline && strchr(".-", line[start - 1])))
		start--;
	auto_free char *prefix = xstrndup(line + start, point - start);
	auto_free char *name = xstrndup(line + command_start, name_end - command_start);
	auto_free char *before = xstrndup(line + command_start, start - command_start);
	struct wish wish = { session, prefix, point - start, out };

	out->start = start;
	if (name_end >= point && start == command_start)
		offer_sources(&wish);
	else if (pipeline_complete(session, before, offer_word, &wish))
		out->no_blank = !ends_with_stage(before);
	else if (strpbrk(before, "|"))
		return; /* the shell's words are not ours to know */
	else if (strchr(before, '>') && !strstr(before, "->"))
		offer_files(&wish);
	else
		offer_arguments(&wish, name);
	tidy(out);
}
