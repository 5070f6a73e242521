// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Line editing by GNU readline (or a library with its interface). That is GPL: a program built so
 * may only be handed on under the GPL. Its state is global, and its callbacks have no argument for
 * ours: hence the one variable, set while a line is read.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "base/alloc.h"
#include "cli/lineedit.h"

struct lineedit {
	complete_fn complete;
	void *ctx;
	int wake;
	bool interrupted;
};

static struct lineedit *reading;

static int read_character(FILE *in)
{
	for (;;) {
		struct pollfd fds[2] = { { .fd = fileno(in), .events = POLLIN },
					 { .fd = reading ? reading->wake : -1, .events = POLLIN } };
		if (poll(fds, 2, -1) < 0 && errno == EINTR)
			continue;
		if (fds[1].revents & POLLIN) {
			reading->interrupted = true;
			rl_replace_line("", 0);
			return '\n';
		}
		return rl_getc(in);
	}
}

/* readline takes over what it is given: the common part, then the words, then NULL. */
static char **complete_word(const char *text unused_arg, int start, int end)
{
	struct completions words = { 0 };
	char **list = NULL;

	rl_attempted_completion_over = 1;
	reading->complete(reading->ctx, rl_line_buffer, (size_t)end, &words);
	/* Its idea of a word must be ours. */
	if (words.count && words.start <= (size_t)start) {
		size_t cut = (size_t)start - words.start;
		size_t common = completions_common(&words);
		list = xcalloc(words.count + 2, sizeof(*list));
		list[0] = xstrndup(words.data[0] + cut, common - cut);
		for (size_t i = 0; words.count > 1 && i < words.count; i++)
			list[i + 1] = xstrdup(words.data[i] + cut);
		if (words.no_blank)
			rl_completion_append_character = '\0';
	}
	completions_deinit(&words);
	return list;
}

struct lineedit *lineedit_create(complete_fn complete, void *ctx, int wake)
{
	struct lineedit *edit = xcalloc(1, sizeof(*edit));

	*edit = (struct lineedit){ .complete = complete, .ctx = ctx, .wake = wake };
	rl_readline_name = "inquest";
	rl_catch_signals = 0;
	rl_variable_bind("enable-bracketed-paste", "off");
	rl_getc_function = read_character;
	rl_attempted_completion_function = complete_word;
	rl_completer_word_break_characters = " \t";
	using_history();
	return edit;
}

void lineedit_vi(struct lineedit *edit unused_arg, bool vi)
{
	rl_variable_bind("editing-mode", vi ? "vi" : "emacs");
}

void lineedit_destroy(struct lineedit *edit)
{
	if (!edit)
		return;
	clear_history();
	free(edit);
}

enum lineedit_result lineedit_read(struct lineedit *edit, const char *prompt, char **line)
{
	reading = edit;
	edit->interrupted = false;
	*line = readline(prompt);
	reading = NULL;
	if (edit->interrupted) {
		free(*line);
		*line = NULL;
		return LINEEDIT_INTERRUPTED;
	}
	return *line ? LINEEDIT_LINE : LINEEDIT_END;
}

void lineedit_remember(struct lineedit *edit unused_arg, const char *line)
{
	add_history(line);
}
