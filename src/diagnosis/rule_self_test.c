// SPDX-License-Identifier: LGPL-2.1-or-later
/* A rule's own fact sets: those that it must match, and those that it must not. */
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/rule.h"

static enum rule_answer look_up(const struct condition *answers, const char *name,
				const char **value)
{
	for (size_t i = 0; i < answers->names.count; i++) {
		if (strcmp(answers->names.data[i], name) != 0)
			continue;
		*value = answers->words.data[i];
		return RULE_YES;
	}
	return answers->asked ? RULE_NO : RULE_UNKNOWN;
}

static enum rule_answer look_up_config(void *ctx, const char *name, const char **value)
{
	const struct rule_fact_set *set = ctx;

	return look_up(&set->config, name, value);
}

static enum rule_answer look_up_parameter(void *ctx, const char *module, const char *name,
					  const char **value)
{
	const struct rule_fact_set *set = ctx;
	auto_strbuf full = { 0 };

	strbuf_addf(&full, "%s.%s", module, name);
	return look_up(&set->parameter, full.data, value);
}

/* NULL: it came out as the fact set says. */
static const char *run_one(const struct rule *rule, const struct rule_fact_set *set,
			   struct arena *arena)
{
	struct rule_facts facts = set->facts;
	struct rule_fact_set copy = *set;
	struct known_issue issue = { 0 };

	facts.ctx = &copy;
	facts.config = look_up_config;
	facts.parameter = look_up_parameter;
	bool match = rule_matches(rule, &facts, arena, &issue);
	if (match != set->match)
		return arena_printf(arena, "%s:%u: %s %s these facts%s%s", rule->info.path, set->line,
				    rule->info.id, match ? "must not match" : "must match",
				    match ? ": " : "", match ? issue.because : "");
	const char *came = confidence_name(issue.confidence);
	if (match && set->confidence && strcmp(set->confidence, came) != 0)
		return arena_printf(arena, "%s:%u: %s matches as %s, not as %s: %s", rule->info.path,
				    set->line, rule->info.id, came, set->confidence,
				    issue.because);
	return NULL;
}

size_t rule_test(const struct rule *rule, struct arena *arena, struct rule_words *failures)
{
	const char **failed = arena_alloc(arena, (rule->test_count + 1) * sizeof(*failed));
	size_t count = 0;

	for (size_t i = 0; i < rule->test_count; i++) {
		const char *why = run_one(rule, &rule->tests[i], arena);
		if (why)
			failed[count++] = why;
	}
	*failures = (struct rule_words){ failed, count };
	return rule->test_count - count;
}
