// SPDX-License-Identifier: LGPL-2.1-or-later
/* Tasks by words, as crash's users choose them. */
#include "commands/task_filter.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

/* SW is one that crash knows of old kernels; no task has it. */
const char *const task_filter_states[] = { "RU", "IN", "UN", "ST", "ZO", "TR", "SW", "DE",
					   "WA", "PA", "ID", "NE", NULL };

static bool add_keyword(struct task_filter *filter, const char *word)
{
	bool *flag = strcmp(word, "kernel") == 0 ? &filter->kernel
		   : strcmp(word, "user") == 0 ? &filter->user
		   : strcmp(word, "gleader") == 0 ? &filter->leaders
		   : strcmp(word, "active") == 0 ? &filter->active : NULL;

	if (flag) {
		*flag = true;
		return true;
	}
	for (unsigned i = 0; task_filter_states[i]; i++) {
		if (strcmp(word, task_filter_states[i]) == 0) {
			filter->states |= 1u << i;
			return true;
		}
	}
	return false;
}

static struct error *add_regex(struct task_filter *filter, const char *word)
{
	struct task_word entry = { .kind = TASK_WORD_REGEX, .text = word };
	char why[128];
	int code = regcomp(&entry.regex, word, REG_EXTENDED | REG_NOSUB);

	if (code) {
		regerror(code, &entry.regex, why, sizeof(why));
		return error_new(ERROR_USAGE, "'%s' is no regular expression: %s", word, why);
	}
	vec_push(&filter->words, entry);
	return NULL;
}

struct error *task_filter_add(struct task_filter *filter, const char *word, bool quoted)
{
	struct task_word entry = { .kind = TASK_WORD_NAME, .text = word };

	if (quoted)
		return add_regex(filter, word);
	if (word[0] == '\\') {
		entry.text++;
	} else if (add_keyword(filter, word)) {
		if (filter->kernel && filter->user)
			return error_new(ERROR_USAGE, "no task is both the kernel's and the user's");
		return NULL;
	} else if (strlen(word) < 8 && parse_u64(word, &entry.number)) {
		entry.kind = TASK_WORD_PID;
	} else if ((strlen(word) >= 8 || starts_with(word, "0x")) &&
		   parse_hex(word, &entry.number)) {
		entry.kind = TASK_WORD_TASK;
	}
	vec_push(&filter->words, entry);
	return NULL;
}

static bool word_matches(const struct task_word *word, const struct task *task)
{
	char comm[sizeof(task->comm) + 1];

	snprintf(comm, sizeof(comm), "%.*s", (int)sizeof(task->comm), task->comm);
	switch (word->kind) {
	case TASK_WORD_PID:
		return task_is_named(task) && word->number == (uint64_t)(int64_t)task->pid;
	case TASK_WORD_TASK:
		return word->number == task->address;
	case TASK_WORD_REGEX:
		return regexec(&word->regex, comm, 0, NULL, 0) == 0;
	case TASK_WORD_NAME:
		break;
	}
	return glob_match(word->text, comm);
}

static bool state_matches(const struct task_filter *filter, const struct task *task)
{
	const char *name = task_state_name(task);

	for (unsigned i = 0; task_filter_states[i]; i++) {
		if (filter->states >> i & 1 && strcmp(task_filter_states[i], name) == 0)
			return true;
	}
	return !filter->states;
}

bool task_filter_matches(struct task_filter *filter, const struct task *task)
{
	enum task_kind kind = task_kind(task);
	bool any = !filter->words.count;

	vec_for_each (word, &filter->words) {
		if (word_matches(word, task)) {
			word->matched++;
			any = true;
		}
	}
	return any && !(filter->kernel && kind != TASK_KERNEL) &&
	       !(filter->user && kind != TASK_USER) &&
	       !(filter->leaders && task->pid != task->tgid) &&
	       !(filter->active && !task->on_cpu) && state_matches(filter, task);
}

const struct task_word *task_filter_unmatched(struct task_filter *filter)
{
	vec_for_each (word, &filter->words) {
		if (!word->matched &&
		    (word->kind == TASK_WORD_PID || word->kind == TASK_WORD_TASK))
			return word;
	}
	return NULL;
}

void task_filter_deinit(struct task_filter *filter)
{
	vec_for_each (word, &filter->words) {
		if (word->kind == TASK_WORD_REGEX)
			regfree(&word->regex);
	}
	vec_deinit(&filter->words);
}
