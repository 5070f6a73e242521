// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where rules are found, and the set of them. A broken file costs its own rule and a line, never
 * the others. Rules are loaded when a diagnosis has its facts: forty take about two milliseconds.
 */
#include "diagnosis/rules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "diagnosis/rule.h"
#include "diagnosis/rules_folders.h" /* made by meson.build */

enum { FILE_MAX = 256 * 1024, RULES_MAX = 4096 };

static void printf_like(2, 3) add_problem(struct rule_set *set, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	vec_push(&set->problems, arena_strdup(&set->arena, text));
}

static bool has_rule(const struct rule_set *set, const char *id)
{
	for (size_t i = 0; i < set->rules.count; i++) {
		if (strcmp(set->rules.data[i]->info.id, id) == 0)
			return true;
	}
	return false;
}

/* The whole text of a file; NULL (and a problem) when it is none, or too big. */
static char *read_file(struct rule_set *set, const char *path, size_t *size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		add_problem(set, "%s: this rule cannot be read: %s", path,
			    fd < 0 ? strerror(errno) : "no file, or too big");
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	char *text = xmalloc((size_t)st.st_size + 1);
	ssize_t n = read(fd, text, (size_t)st.st_size);
	close(fd);
	*size = n > 0 ? (size_t)n : 0;
	return text;
}

static void load_file(struct rule_set *set, const char *path)
{
	struct rule *rule;
	size_t size;
	auto_free char *text = read_file(set, path, &size);

	if (!text || set->rules.count >= RULES_MAX)
		return;
	struct error *error = rule_parse(path, text, size, &set->arena, &rule);
	if (error)
		add_problem(set, "%s", error->message);
	else if (!has_rule(set, rule->info.id))
		vec_push(&set->rules, rule);
	error_free(error);
}

static int is_rule_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 &&
	       strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

/* In order of name, so that the same files always give the same answer. */
static void load_folder(struct rule_set *set, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_rule_file, alphasort);

	for (int i = 0; i < count; i++) {
		auto_strbuf path = { 0 };
		strbuf_addf(&path, "%s/%s", folder, entries[i]->d_name);
		load_file(set, path.data);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

void rules_load_path(const char *path, struct rule_set *set)
{
	struct stat st;

	*set = (struct rule_set){ 0 };
	if (stat(path, &st) != 0)
		add_problem(set, "%s: %s", path, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		load_folder(set, path);
	else
		load_file(set, path);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/*
 * The source's rules when the program runs where it was built, else the installed ones: where they
 * were meant to go, or beside a program that was installed elsewhere (DESTDIR, a package unpacked).
 */
static void shipped_folder(struct strbuf *folder)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	if (starts_with(self, BUILD_FOLDER)) {
		strbuf_add(folder, RULES_SOURCE);
		return;
	}
	char *name = strrchr(self, '/');
	if (name && !is_folder(RULES_INSTALLED))
		strbuf_addf(folder, "%.*s/../share/inquest/rules", (int)(name - self), self);
	if (!folder->len || !is_folder(folder->data)) {
		strbuf_clear(folder);
		strbuf_add(folder, RULES_INSTALLED);
	}
}

static int by_id(const void *x, const void *y)
{
	const struct rule *const *a = x, *const *b = y;

	return strcmp((*a)->info.id, (*b)->info.id);
}

void rules_load(const char *folder, struct rule_set *set)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	const char *extra = getenv("INQUEST_RULES");
	struct stat st;

	*set = (struct rule_set){ 0 };
	/* Whoever names a folder wants to hear that it is not there. */
	if (folder && stat(folder, &st) != 0)
		add_problem(set, "%s: %s", folder, strerror(errno));
	if (folder)
		load_folder(set, folder);
	if (extra && *extra)
		load_folder(set, extra);
	auto_strbuf own = { 0 };
	if (config && *config == '/')
		strbuf_addf(&own, "%s/inquest/rules", config);
	else if (home && *home)
		strbuf_addf(&own, "%s/.config/inquest/rules", home);
	if (own.len)
		load_folder(set, own.data);
	auto_strbuf shipped = { 0 };
	shipped_folder(&shipped);
	load_folder(set, shipped.data);
	if (set->rules.count)
		qsort(set->rules.data, set->rules.count, sizeof(*set->rules.data), by_id);
}

void rules_deinit(struct rule_set *set)
{
	vec_deinit(&set->rules);
	vec_deinit(&set->problems);
	arena_deinit(&set->arena);
}

/* "a; b" */
static const char *join(const struct rule_words *words, struct arena *arena)
{
	auto_strbuf text = { 0 };

	for (size_t i = 0; i < words->count; i++)
		strbuf_addf(&text, "%s%s", i ? "; " : "", words->data[i]);
	return text.len ? arena_strdup(arena, text.data) : NULL;
}

/* What is quoted where there is room for a line: the rule has all of it. */
static const char *short_reference(const struct rule_words *references, struct arena *arena)
{
	enum { QUOTED_MAX = 2 };
	static const char *const marks[] = { "commit ", "CVE-", "RHSA-", "RHBA-", "ELSA-", "USN-" };
	auto_strbuf text = { 0 };
	unsigned quoted = 0;

	for (size_t i = 0; i < references->count && quoted < QUOTED_MAX; i++) {
		for (size_t k = 0; k < array_size(marks); k++) {
			if (!starts_with(references->data[i], marks[k]))
				continue;
			strbuf_addf(&text, "%s%s", quoted++ ? "; " : "", references->data[i]);
			break;
		}
	}
	return arena_strdup(arena, text.len ? text.data : references->data[0]);
}

const struct known_issue *rules_match(const struct rule_set *set, const struct rule_facts *facts,
				      struct arena *arena, size_t *count)
{
	struct known_issue *issues = arena_alloc(arena, (set->rules.count + 1) * sizeof(*issues));
	size_t n = 0;

	for (size_t i = 0; i < set->rules.count; i++) {
		const struct rule *rule = set->rules.data[i];
		struct known_issue issue;
		if (!rule_matches(rule, facts, arena, &issue))
			continue;
		issue.reference = short_reference(&rule->info.reference, arena);
		issue.fixed_in = join(&rule->info.fixed_in, arena);
		issue.workaround = NULL;
		if (rule->info.workaround)
			issue.workaround = arena_strdup(arena, rule->info.workaround);
		/* The surest first; among equals in order of their names. */
		size_t at = n++;
		for (; at > 0 && issues[at - 1].confidence < issue.confidence; at--)
			issues[at] = issues[at - 1];
		issues[at] = issue;
	}
	*count = n;
	return issues;
}

void rule_info(const struct rule *rule, struct rule_info *info)
{
	*info = rule->info;
}

struct rule_words rule_conditions(const struct rule *rule, struct arena *arena)
{
	const char **lines = arena_alloc(arena, CONDITION_COUNT * sizeof(*lines));
	size_t count = 0;

	for (unsigned i = 0; i < CONDITION_COUNT; i++) {
		const struct condition *c = &rule->condition[i];
		auto_strbuf text = { 0 };
		if (!c->asked)
			continue;
		for (size_t k = 0; k < c->words.count; k++)
			strbuf_addf(&text, "%s%s%s%s", k ? ", " : "",
				    c->names.count ? c->names.data[k] : "",
				    c->names.count ? "=" : "", c->words.data[k]);
		lines[count++] = arena_printf(arena, "%s: %s", condition_names[i],
					      strbuf_text(&text));
	}
	return (struct rule_words){ lines, count };
}
