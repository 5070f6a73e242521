/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A rule as it is kept; private to rule*.c. */
#pragma once

#include "diagnosis/rules.h"

/* What a rule may ask, the cheap questions first: the log is searched only when all else fits. */
enum condition_kind {
	CONDITION_CLASS,
	CONDITION_FUNCTION,
	CONDITION_MODULE,
	CONDITION_STACK,
	CONDITION_MEMBER,
	CONDITION_VALUE,
	CONDITION_OFFSET,
	CONDITION_RELEASE,
	CONDITION_MODULE_VERSION,
	CONDITION_LOADED,
	CONDITION_TAINT,
	CONDITION_CONFIG,
	CONDITION_PARAMETER,
	CONDITION_LOG,
	CONDITION_COUNT,
};

extern const char *const condition_names[CONDITION_COUNT];

struct condition {
	bool asked;
	unsigned line;           /* in the file */
	struct rule_words words; /* alternatives, or all of them: as the kind wants it */
	struct rule_words names; /* of CONFIG and PARAMETER: whose value words[i] is */
};

struct rule_fact_set {
	unsigned line;
	bool match;
	const char *confidence; /* that must come out; NULL: any */
	struct rule_facts facts;
	struct condition config, parameter; /* what its look-ups answer */
};

struct rule {
	struct rule_info info;
	unsigned line;
	struct condition condition[CONDITION_COUNT];
	const struct rule_fact_set *tests;
	size_t test_count;
};

/* Reads a rule out of the text of a file; @name is the file's, for its id and for errors. */
struct error *rule_parse(const char *path, const char *text, size_t size, struct arena *arena,
			 struct rule **rule) must_check;
/* Does it fit? Then @issue is filled. */
bool rule_matches(const struct rule *rule, const struct rule_facts *facts, struct arena *arena,
		  struct known_issue *issue);
