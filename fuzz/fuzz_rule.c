// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Rules of known issues: a file is a rule in YAML, which then runs its own fact sets, so that
 * ranges, globs and numbers of the input meet each other too. Regular expressions are the C
 * library's: those that repeat what repeats cost it any amount of time and memory, and are left
 * out here.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "diagnosis/rule.h"
#include "diagnosis/rule_release.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool costs_much(const uint8_t *data, size_t size)
{
	unsigned repeats = 0;

	for (size_t i = 0; i + 1 < size; i++) {
		if (data[i] == '{' && (isdigit(data[i + 1]) || data[i + 1] == ','))
			return true;
		if (data[i] == '\\' && isdigit(data[i + 1]))
			return true;
		repeats += data[i] == '+' || data[i] == '*';
	}
	return repeats > 64;
}

/* The first line as a release in the second as a range. */
static void ask_release(const uint8_t *data, size_t size, struct arena *arena)
{
	char *text = arena_strndup(arena, (const char *)data, size);
	char *end = strchr(text, '\n');
	struct kernel_release kernel;
	const char *which, *range;

	if (!end)
		return;
	*end = '\0';
	range = end + 1;
	error_free(release_range_check(range));
	release_parse(text, range, &kernel);
	(void)release_in_ranges(&kernel, &range, 1, &which);
	(void)version_in_range(text, range);
	/* An order: what is less one way is more the other. */
	int order = version_compare(text, range), back = version_compare(range, text);
	if ((order > 0) != (back < 0) || version_compare(text, text) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct rule_words failures;
	struct rule *rule;

	if (costs_much(data, size))
		return 0;
	ask_release(data, size, &arena);
	struct error *error = rule_parse("r.yaml", (const char *)data, size, &arena, &rule);
	if (!error) {
		(void)rule_conditions(rule, &arena);
		(void)rule_test(rule, &arena, &failures);
	}
	error_free(error);
	arena_deinit(&arena);
	return 0;
}
