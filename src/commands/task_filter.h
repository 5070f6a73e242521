/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to commands/: tasks chosen by words: numbers, names, kinds, states. */
#pragma once

#include <regex.h>

#include "base/vec.h"
#include "commands/args.h"

enum task_word_kind {
	TASK_WORD_NAME,  /* of the command, with * and ? */
	TASK_WORD_REGEX, /* an extended regular expression that the name has to match */
	TASK_WORD_PID,
	TASK_WORD_TASK,  /* the address of a task_struct */
};

struct task_word {
	enum task_word_kind kind;
	const char *text;
	uint64_t number;
	regex_t regex;
	size_t matched; /* tasks so far */
};

struct task_filter {
	/* Any of these; when there is none, all tasks. */
	struct {
		vec_fields(struct task_word);
	} words;
	/* And all of these. */
	bool kernel, user, leaders, active;
	unsigned states; /* bits by task_filter_states[]; 0: any */
};

/* crash's two letters for states. */
extern const char *const task_filter_states[]; /* ends with NULL */

/*
 * Adds a word: "kernel", "user", "gleader", "active", a state, a PID, an address, a name;
 * 'quoted' ones are regular expressions, and "\name" is a name whatever it looks like. @quoted: it
 * stood in single quotes. The text is borrowed.
 */
struct error *task_filter_add(struct task_filter *filter, const char *word, bool quoted) must_check;
bool task_filter_matches(struct task_filter *filter, const struct task *task);
/* The first PID or address that named no task; NULL: each did. Names may match none. */
const struct task_word *task_filter_unmatched(struct task_filter *filter);
void task_filter_deinit(struct task_filter *filter);
