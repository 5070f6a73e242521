// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Does a rule fit the facts? Every condition that the rule names answers yes, no or unknown. One
 * "no" ends it. Each "unknown" takes a step of confidence off; a release that only another
 * distribution's numbers speak of leaves "possible". What matched becomes the sentence that the
 * reader is told as the reason.
 */
#include <regex.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/rule.h"
#include "diagnosis/rule_release.h"

struct question {
	const struct rule_facts *facts;
	const struct condition *condition;
	struct strbuf *because; /* of this condition: a clause */
	bool distant;           /* yes, but not by the kernel's own numbers */
};

/* Compilers put suffixes to names (".isra.0"); rules and facts go by the source's. */
static bool name_fits(const struct rule_words *globs, const char *name, size_t first, size_t count)
{
	char base[256];

	if (!name)
		return false;
	size_t length = strcspn(name, ".");
	if (length >= sizeof(base))
		return false;
	memcpy(base, name, length);
	base[length] = '\0';
	for (size_t i = first; i < first + count; i++) {
		if (glob_match(globs->data[i], base))
			return true;
	}
	return false;
}

static bool any_fits(const struct rule_words *globs, const char *text)
{
	for (size_t i = 0; text && i < globs->count; i++) {
		if (glob_match(globs->data[i], text))
			return true;
	}
	return false;
}

static enum rule_answer yes_or_no(bool yes)
{
	return yes ? RULE_YES : RULE_NO;
}

static enum rule_answer ask_class(struct question *q)
{
	return yes_or_no(any_fits(&q->condition->words, q->facts->kind) ||
			 any_fits(&q->condition->words, q->facts->plain_kind));
}

static enum rule_answer ask_function(struct question *q)
{
	const struct rule_words *globs = &q->condition->words;
	const char *names[] = { q->facts->function, q->facts->fault_function };

	for (size_t i = 0; i < array_size(names); i++) {
		if (!name_fits(globs, names[i], 0, globs->count))
			continue;
		strbuf_addf(q->because, "it is %s()", names[i]);
		return RULE_YES;
	}
	return RULE_NO;
}

static enum rule_answer ask_module(struct question *q)
{
	const char *module = q->facts->module ? q->facts->module : "kernel";

	if (!q->facts->module_known)
		return RULE_UNKNOWN;
	if (!any_fits(&q->condition->words, module))
		return RULE_NO;
	if (q->facts->module)
		strbuf_addf(q->because, "of module %s", module);
	return RULE_YES;
}

/* All of the names, in this order from the top; others may stand between them. */
static enum rule_answer ask_stack(struct question *q)
{
	const struct rule_words *globs = &q->condition->words, *stack = &q->facts->stack;
	size_t wanted = 0;

	for (size_t i = 0; i < stack->count && wanted < globs->count; i++) {
		if (!name_fits(globs, stack->data[i], wanted, 1))
			continue;
		strbuf_addf(q->because, "%s%s", wanted ? " <- " : "", stack->data[i]);
		wanted++;
	}
	if (wanted < globs->count)
		return RULE_NO;
	strbuf_add(q->because, " on the stack");
	return RULE_YES;
}

static enum rule_answer ask_member(struct question *q)
{
	const struct rule_words *members = &q->facts->members;

	for (size_t i = 0; i < members->count; i++) {
		if (!any_fits(&q->condition->words, members->data[i]))
			continue;
		strbuf_addf(q->because, "the member is %s", members->data[i]);
		return RULE_YES;
	}
	return members->count ? RULE_NO : RULE_UNKNOWN;
}

static bool number_fits(const struct rule_words *words, uint64_t number)
{
	for (size_t i = 0; i < words->count; i++) {
		const char *text = words->data[i];
		uint64_t value;
		bool negative = *text == '-';
		if (parse_u64(text + negative, &value) && number == (negative ? -value : value))
			return true;
	}
	return false;
}

static enum rule_answer ask_value(struct question *q)
{
	if (!q->facts->has_value)
		return RULE_UNKNOWN;
	if (!number_fits(&q->condition->words, q->facts->value))
		return RULE_NO;
	strbuf_addf(q->because, "the value is 0x%lx", (unsigned long)q->facts->value);
	return RULE_YES;
}

static enum rule_answer ask_offset(struct question *q)
{
	if (!q->facts->has_offset)
		return RULE_UNKNOWN;
	if (!number_fits(&q->condition->words, q->facts->offset))
		return RULE_NO;
	strbuf_addf(q->because, "the access is at +0x%lx", (unsigned long)q->facts->offset);
	return RULE_YES;
}

static enum rule_answer ask_release(struct question *q)
{
	struct kernel_release kernel;
	const char *which;

	if (!q->facts->release || !*q->facts->release)
		return RULE_UNKNOWN;
	release_parse(q->facts->release, q->facts->banner, &kernel);
	enum range_answer answer = release_in_ranges(&kernel, q->condition->words.data,
						     q->condition->words.count, &which);
	if (answer == RANGE_NO)
		return RULE_NO;
	const char *version = kernel.distribution == DISTRO_DEBIAN && kernel.version[0]
				      ? kernel.version : NULL;
	q->distant = answer == RANGE_PERHAPS;
	strbuf_addf(q->because, "release %s%s%s%s is in \"%s\"%s", q->facts->release,
		    version ? " (" : "", version ? version : "", version ? ")" : "", which,
		    q->distant ? ", though its distribution may have the fix" : "");
	return RULE_YES;
}

static enum rule_answer ask_module_version(struct question *q)
{
	const struct rule_words *ranges = &q->condition->words;
	const char *version = q->facts->module_version;

	if (!version || !*version)
		return RULE_UNKNOWN;
	for (size_t i = 0; i < ranges->count; i++) {
		if (!version_in_range(version, ranges->data[i]))
			continue;
		strbuf_addf(q->because, "its version %s is \"%s\"", version, ranges->data[i]);
		return RULE_YES;
	}
	return RULE_NO;
}

/* "-" and "_" are one in names of modules. */
static bool same_module(const char *x, const char *y)
{
	while (*x && (*x == *y || (strchr("-_", *x) && *y && strchr("-_", *y))))
		x++, y++;
	return !*x && !*y;
}

static enum rule_answer ask_loaded(struct question *q)
{
	const struct rule_words *wanted = &q->condition->words, *loaded = &q->facts->loaded;

	if (!q->facts->loaded_known)
		return RULE_UNKNOWN;
	for (size_t i = 0; i < wanted->count; i++) {
		size_t k = 0;
		while (k < loaded->count && !same_module(wanted->data[i], loaded->data[k]))
			k++;
		if (k == loaded->count)
			return RULE_NO;
		strbuf_addf(q->because, "%s%s", i ? ", " : "", wanted->data[i]);
	}
	strbuf_add(q->because, " loaded");
	return RULE_YES;
}

static enum rule_answer ask_taint(struct question *q)
{
	const struct rule_words *letters = &q->condition->words;

	if (!q->facts->taint)
		return RULE_UNKNOWN;
	for (size_t i = 0; i < letters->count; i++) {
		if (!*letters->data[i] || !strchr(q->facts->taint, *letters->data[i]))
			return RULE_NO;
	}
	strbuf_addf(q->because, "tainted %s", q->facts->taint);
	return RULE_YES;
}

/* A wanted value: "n" also means that it is not set; else a glob. */
static bool setting_fits(const char *wanted, const char *value)
{
	return value ? glob_match(wanted, value) : strcmp(wanted, "n") == 0;
}

static enum rule_answer ask_config(struct question *q)
{
	const struct condition *c = q->condition;
	enum rule_answer all = RULE_YES;

	for (size_t i = 0; i < c->names.count; i++) {
		const char *value = NULL;
		enum rule_answer one = q->facts->config
			? q->facts->config(q->facts->ctx, c->names.data[i], &value) : RULE_UNKNOWN;
		if (one == RULE_UNKNOWN) {
			all = RULE_UNKNOWN;
			continue;
		}
		if (!setting_fits(c->words.data[i], one == RULE_YES ? value : NULL))
			return RULE_NO;
		strbuf_addf(q->because, "%s%s=%s", q->because->len ? ", " : "", c->names.data[i],
			    one == RULE_YES ? value : "n");
	}
	return all;
}

static enum rule_answer ask_parameter(struct question *q)
{
	const struct condition *c = q->condition;
	enum rule_answer all = RULE_YES;

	for (size_t i = 0; i < c->names.count; i++) {
		const char *name = c->names.data[i], *dot = strchr(name, '.'), *value = NULL;
		char module[64];
		size_t length = dot ? (size_t)(dot - name) : 0;
		enum rule_answer one = RULE_UNKNOWN;
		if (dot && length < sizeof(module) && q->facts->parameter) {
			memcpy(module, name, length);
			module[length] = '\0';
			one = q->facts->parameter(q->facts->ctx, module, dot + 1, &value);
		}
		if (one == RULE_NO || (one == RULE_YES && !glob_match(c->words.data[i], value)))
			return RULE_NO;
		if (one == RULE_UNKNOWN)
			all = RULE_UNKNOWN;
		else
			strbuf_addf(q->because, "%s%s=%s", q->because->len ? ", " : "", name, value);
	}
	return all;
}

/* What a pattern found, as far as a sentence wants it. */
static void quote_match(const char *line, const regmatch_t *at, struct strbuf *because)
{
	enum { QUOTE_MAX = 60 };
	int length = (int)(at->rm_eo - at->rm_so);

	strbuf_addf(because, "%s\"%.*s%s\"", because->len ? ", " : "the log has ",
		    length > QUOTE_MAX ? QUOTE_MAX : length, line + at->rm_so,
		    length > QUOTE_MAX ? "..." : "");
}

static bool log_has(const struct rule_words *log, const char *pattern, struct strbuf *because)
{
	/* The kernel's lines are shorter (LOG_LINE_MAX); a text may be anything. */
	enum { LINE_MAX_SEARCHED = 2048 };
	regex_t regex;
	bool found = false;

	if (regcomp(&regex, pattern, REG_EXTENDED) != 0)
		return false;
	for (size_t i = 0; i < log->count && !found; i++) {
		regmatch_t at = { 0, (regoff_t)strnlen(log->data[i], LINE_MAX_SEARCHED) };
		found = regexec(&regex, log->data[i], 1, &at, REG_STARTEND) == 0;
		if (found)
			quote_match(log->data[i], &at, because);
	}
	regfree(&regex);
	return found;
}

static enum rule_answer ask_log(struct question *q)
{
	if (!q->facts->log_known)
		return RULE_UNKNOWN;
	for (size_t i = 0; i < q->condition->words.count; i++) {
		if (!log_has(&q->facts->log, q->condition->words.data[i], q->because))
			return RULE_NO;
	}
	return RULE_YES;
}

static enum rule_answer (*const askers[CONDITION_COUNT])(struct question *q) = {
	[CONDITION_CLASS] = ask_class,
	[CONDITION_FUNCTION] = ask_function,
	[CONDITION_MODULE] = ask_module,
	[CONDITION_STACK] = ask_stack,
	[CONDITION_MEMBER] = ask_member,
	[CONDITION_VALUE] = ask_value,
	[CONDITION_OFFSET] = ask_offset,
	[CONDITION_RELEASE] = ask_release,
	[CONDITION_MODULE_VERSION] = ask_module_version,
	[CONDITION_LOADED] = ask_loaded,
	[CONDITION_TAINT] = ask_taint,
	[CONDITION_CONFIG] = ask_config,
	[CONDITION_PARAMETER] = ask_parameter,
	[CONDITION_LOG] = ask_log,
};

/* A match must stand on something that was seen, not on what nobody knows. */
static bool places_it(enum condition_kind kind)
{
	return kind == CONDITION_FUNCTION || kind == CONDITION_STACK || kind == CONDITION_MODULE ||
	       kind == CONDITION_MEMBER || kind == CONDITION_VALUE || kind == CONDITION_LOG;
}

static void add_clause(struct strbuf *all, const struct strbuf *clause)
{
	if (clause->len)
		strbuf_addf(all, "%s%s", all->len ? "; " : "", clause->data);
}

bool rule_matches(const struct rule *rule, const struct rule_facts *facts, struct arena *arena,
		  struct known_issue *issue)
{
	enum confidence confidence = rule->info.confidence;
	auto_strbuf because = { 0 }, unknown = { 0 };
	bool placed = false;

	for (enum condition_kind i = 0; i < CONDITION_COUNT; i++) {
		auto_strbuf clause = { 0 };
		struct question q = { facts, &rule->condition[i], &clause, false };
		if (!q.condition->asked)
			continue;
		enum rule_answer answer = askers[i](&q);
		if (answer == RULE_NO)
			return false;
		if (answer == RULE_UNKNOWN) {
			strbuf_addf(&unknown, "%s%s", unknown.len ? ", " : "", condition_names[i]);
			confidence -= confidence > CONFIDENCE_POSSIBLE;
			continue;
		}
		placed |= places_it(i);
		if (q.distant)
			confidence = CONFIDENCE_POSSIBLE;
		add_clause(&because, &clause);
	}
	if (!placed)
		return false;
	if (unknown.len)
		strbuf_addf(&because, "; not known: %s", unknown.data);
	*issue = (struct known_issue){
		.id = arena_strdup(arena, rule->info.id),
		.title = arena_strdup(arena, rule->info.title),
		.confidence = confidence,
		.because = arena_strdup(arena, strbuf_text(&because)),
	};
	return true;
}
