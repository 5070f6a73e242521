// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Completion. The first word of a command is a command, an alias or a walker, in a pipeline behind
 * "|>" a stage. Behind it comes what the command takes, by the table below: types, tasks, variables
 * ...; its options are read out of its help, so that they cannot go stale. Behind a dot or an arrow
 * members, of a type or of what the expression before it is; behind a redirection files. All names
 * are scanned; COMPLETIONS_MAX are given.
 */
#include "cli/complete.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "commands/alias.h"
#include "commands/command.h"
#include "commands/expression.h"
#include "commands/help.h"
#include "commands/set_variables.h"
#include "kernel/modules.h"
#include "kernel/slab.h"
#include "kernel/tasks.h"
#include "pipeline/pipeline.h"
#include "walk/walk.h"

void completions_deinit(struct completions *c)
{
	vec_for_each (word, c)
		free(*word);
	vec_deinit(c);
}

static size_t common_with(const char *a, const char *b, size_t most)
{
	size_t n = 0;

	while (n < most && a[n] && b[n] == a[n])
		n++;
	return n;
}

size_t completions_common(const struct completions *c)
{
	if (!c->count)
		return 0;
	size_t common = strlen(c->data[0]);
	for (size_t i = 1; i < c->count; i++)
		common = common_with(c->data[0], c->data[i], common);
	return c->more && c->limit < common ? c->limit : common;
}

struct wish {
	struct session *session;
	const char *prefix; /* what is typed of the word */
	size_t length;
	struct completions *out;
};

/* Adds @word; false when there is no room for more, and nothing left to learn from them. */
static bool offer_n(struct wish *wish, const char *word, size_t length)
{
	if (length < wish->length || strncmp(word, wish->prefix, wish->length) != 0)
		return true;
	if (wish->out->count == COMPLETIONS_MAX) {
		struct completions *out = wish->out;
		size_t most = out->more && out->limit < length ? out->limit : length;
		out->limit = common_with(out->data[0], word, most);
		out->more = true;
		return out->limit > wish->length;
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
	struct alias alias;

	for (const struct command *const *c = commands; *c; c++)
		offer(wish, (*c)->name);
	for (size_t i = 0; wish->session && alias_at(wish->session, i, &alias); i++)
		offer(wish, alias.name);
}

static void offer_walkers(struct wish *wish)
{
	for (size_t i = 0; walker_at(i); i++)
		offer(wish, walker_at(i)->name);
}

static void offer_word(void *wish, const char *word)
{
	offer(wish, word);
}

static void offer_topics(struct wish *wish)
{
	offer_commands(wish);
	offer(wish, "all");
	for (size_t i = 0; help_topic(i); i++)
		offer(wish, help_topic(i));
}

/* "on|off" and the like; what is in capitals stands for something else. */
static void offer_values(struct wish *wish, const char *values)
{
	while (*values) {
		size_t length = strcspn(values, "|");
		if (!isupper((unsigned char)*values))
			offer_n(wish, values, length);
		values += length + (values[length] == '|');
	}
}

/* @before: "set " or "set radix ". */
static void offer_variables(struct wish *wish, const char *before)
{
	const char *at = before + strcspn(before, " \t");

	at += strspn(at, " \t");
	auto_free char *name = xstrndup(at, strcspn(at, " \t"));
	const char *values = *name ? set_variable_values(name) : NULL;
	if (values)
		offer_values(wish, values);
	for (size_t i = 0; !*name && set_variable_name(i); i++)
		offer(wish, set_variable_name(i));
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

	return offer(wish, symbol->name) && !session_stopped(wish->session);
}

static bool offer_type(void *ctx, struct type type)
{
	struct wish *wish = ctx;
	enum type_kind kind = type_kind(type);

	bool named = (kind == TYPE_STRUCT || kind == TYPE_UNION || kind == TYPE_ENUM ||
		      kind == TYPE_TYPEDEF) && *type_name(type);
	return (!named || offer(wish, type_name(type))) && !session_stopped(wish->session);
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

/* What the last dot or arrow of an expression stands behind; NULL: there is none. */
static const char *last_access(const char *text, size_t *length)
{
	const char *found = NULL;

	*length = 0;
	for (const char *s = text; *s; s++) {
		bool arrow = s[0] == '-' && s[1] == '>';
		if (!arrow && *s != '.')
			continue;
		found = s;
		*length = arrow ? 2 : 1;
		s += arrow;
	}
	return found != text ? found : NULL;
}

/* "init_task.mm->pg": members of what the expression before the last dot or arrow is. */
static void offer_expression_members(struct wish *wish)
{
	struct expression x;
	struct value value;
	size_t length;
	const char *at = last_access(wish->prefix, &length);

	if (!at)
		return;
	auto_free char *base = xstrndup(wish->prefix, (size_t)(at - wish->prefix));
	auto_free char *path = xstrndup(wish->prefix, (size_t)(at - wish->prefix) + length);
	expression_init(&x, wish->session);
	struct error *err = expression_parse(&x, base);
	if (!err)
		err = expression_eval(&x, &value);
	if (!err && value.type.source) {
		struct type type = type_strip(value.type);
		if (type_kind(type) == TYPE_POINTER)
			type = type_strip(type_target(type));
		wish->out->no_blank = true;
		offer_members(wish, type, path, 0);
	}
	error_free(err);
	expression_deinit(&x);
}

static bool offer_any_members(struct wish *wish)
{
	size_t length;

	if (!last_access(wish->prefix, &length))
		return false;
	if (!strstr(wish->prefix, "->"))
		offer_member_path(wish);
	if (!wish->out->count)
		offer_expression_members(wish);
	return true;
}

static void offer_types(struct wish *wish)
{
	types_each(wish->session->types, offer_type, wish);
}

static void offer_symbols(struct wish *wish)
{
	if (wish->length && wish->session->symbols)
		symbols_each(wish->session->symbols, offer_symbol, wish);
}

static void offer_tasks(struct wish *wish)
{
	size_t count;
	const struct task *all = tasks(wish->session, &count);

	for (size_t i = 0; i < count; i++) {
		char name[sizeof(all[i].comm) + 1];
		snprintf(name, sizeof(name), "%.*s", (int)sizeof(all[i].comm), all[i].comm);
		if (*name && !name[strcspn(name, " \t;|<>'\"")])
			offer(wish, name);
	}
}

static void offer_caches(struct wish *wish)
{
	size_t count;
	const struct slab_cache *all = slab_caches(wish->session, &count);

	for (size_t i = 0; i < count; i++)
		offer(wish, all[i].name);
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

/* What commands take; all others take symbols. */
enum { TAKES_NOTHING, TAKES_TYPES, TAKES_TASKS, TAKES_MODULES, TAKES_CACHES, TAKES_TOPICS,
       TAKES_VARIABLES, TAKES_COMMANDS, TAKES_FOREACH };

static const struct {
	const char *name;
	int takes;
} takes[] = {
	{ "*", TAKES_TYPES },	    { "alias", TAKES_COMMANDS }, { "bt", TAKES_TASKS },
	{ "down", TAKES_NOTHING },  { "files", TAKES_TASKS },	 { "foreach", TAKES_FOREACH },
	{ "frame", TAKES_NOTHING }, { "help", TAKES_TOPICS },	 { "kmem", TAKES_CACHES },
	{ "log", TAKES_NOTHING },   { "mod", TAKES_MODULES },	 { "ps", TAKES_TASKS },
	{ "quit", TAKES_NOTHING },  { "set", TAKES_VARIABLES },	 { "sig", TAKES_TASKS },
	{ "slab", TAKES_CACHES },   { "struct", TAKES_TYPES },	 { "sys", TAKES_NOTHING },
	{ "task", TAKES_TASKS },    { "union", TAKES_TYPES },	 { "up", TAKES_NOTHING },
	{ "vm", TAKES_TASKS },	    { "whatis", TAKES_TYPES },
};

/* The words by which foreach chooses tasks (help foreach). */
static const char *const task_words[] = {
	"kernel", "user", "gleader", "active", "RU", "IN", "UN", "ST", "ZO", "TR", "SW", "DE", "WA",
	"PA", "ID", "NE",
};

static void offer_of_command(struct wish *wish, const struct command *command, const char *before)
{
	size_t i = 0;

	while (i < array_size(takes) && strcmp(takes[i].name, command->name) != 0)
		i++;
	if (i == array_size(takes)) {
		offer_symbols(wish);
		return;
	}
	switch (takes[i].takes) {
	case TAKES_TYPES:
		offer_types(wish);
		break;
	case TAKES_FOREACH:
		for (size_t w = 0; w < array_size(task_words); w++)
			offer(wish, task_words[w]);
		offer_commands(wish);
		offer_tasks(wish);
		break;
	case TAKES_TASKS:
		offer_tasks(wish);
		break;
	case TAKES_MODULES:
		offer_modules(wish);
		break;
	case TAKES_CACHES:
		offer_caches(wish);
		break;
	case TAKES_VARIABLES:
		offer_variables(wish, before);
		break;
	case TAKES_COMMANDS:
		offer_commands(wish);
		break;
	default:
		break;
	}
}

/* @before: the command's line up to the word. */
static void offer_arguments(struct wish *wish, const char *before)
{
	auto_free char *name = xstrndup(before, strcspn(before, " \t"));
	auto_free char *expanded = alias_expand(wish->session, before);

	if (expanded) {
		free(name);
		name = xstrndup(expanded, strcspn(expanded, " \t"));
	}
	const struct command *command = command_find(name);
	if (!command)
		return;
	if (*wish->prefix == '-') {
		offer_options(wish, command->usage);
		offer_options(wish, command->help);
	} else if (strcmp(command->name, "help") == 0) {
		offer_topics(wish);
	} else if (strcmp(command->name, "repeat") == 0) {
		offer_commands(wish);
	} else if (wish->session && !offer_any_members(wish)) {
		offer_of_command(wish, command, expanded ? expanded : before);
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
	/* One name many times, and others. */
	c->no_blank |= kept == 1 && completions_common(c) < strlen(c->data[0]);
}

/*
 * In an expression a symbol may follow an operator: "&init_ta", "(jiff". Members stay with what is
 * before them, but in a pipeline: there they are offered one by one, and it has no options.
 */
static bool splits_words(const char *line, size_t at, bool pipeline)
{
	bool arrow = line[at] == '>' && at && line[at - 1] == '-';

	if (pipeline && strchr(".-", line[at]))
		return true;
	return strchr(" \t;&(*+,=<>!~|", line[at]) && (pipeline || !arrow);
}

/* Is the word that begins at @start behind ">", ">>" or "<"? */
static bool behind_redirection(const char *line, size_t start)
{
	while (start && (line[start - 1] == ' ' || line[start - 1] == '\t'))
		start--;
	if (!start || (line[start - 1] != '>' && line[start - 1] != '<'))
		return false;
	return start < 2 || line[start - 2] != '-';
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
	size_t begin = 0, start = point;

	for (size_t i = 0; i < point; i++) {
		if (line[i] == ';')
			begin = i + 1;
	}
	while (begin < point && isspace((unsigned char)line[begin]))
		begin++;
	auto_free char *typed = xstrndup(line + begin, point - begin);
	bool pipeline = pipeline_operator(typed);
	while (start > begin && !splits_words(line, start - 1, pipeline))
		start--;
	auto_free char *prefix = xstrndup(line + start, point - start);
	auto_free char *before = xstrndup(line + begin, start - begin);
	struct wish wish = { session, prefix, point - start, out };
	out->start = start;
	if (start == begin) {
		offer_commands(&wish);
		offer_walkers(&wish);
	} else if (pipeline_complete(session, before, offer_word, &wish)) {
		out->no_blank = !ends_with_stage(before);
	} else if (strchr(before, '|')) {
		/* The system's shell's words are not ours to know. */
	} else if (behind_redirection(line, start)) {
		offer_files(&wish);
	} else {
		offer_arguments(&wish, before);
	}
	tidy(out);
}
