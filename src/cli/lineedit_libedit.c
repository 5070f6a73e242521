// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Line editing by libedit, through its own interface: unlike readline's it has handles and no
 * global variables. Characters are read by us, so that Ctrl-C can end the waiting.
 */
#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/alloc.h"
#include "cli/lineedit.h"

enum { HISTORY_MAX = 2000, WIDTH_USUAL = 80 };

struct lineedit {
	EditLine *el;
	History *history;
	complete_fn complete;
	void *ctx;
	int wake;
	bool interrupted, vi;
	const char *prompt;
};

static struct lineedit *self(EditLine *el)
{
	void *data = NULL;

	el_get(el, EL_CLIENTDATA, &data);
	return data;
}

/* libedit's type wants characters that could be changed. */
static char *prompt_text(EditLine *el)
{
	union {
		const char *text;
		char *mutable_text;
	} prompt = { .text = self(el)->prompt };

	return prompt.mutable_text;
}

/* One byte of input: 1, 0 at the end, -1 on Ctrl-C. */
static int read_byte(struct lineedit *edit, char *byte)
{
	for (;;) {
		struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
					 { .fd = edit->wake, .events = POLLIN } };
		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return 0;
		}
		if (fds[1].revents & POLLIN) {
			edit->interrupted = true;
			return -1;
		}
		ssize_t n = read(STDIN_FILENO, byte, 1);
		if (n == 1)
			return 1;
		if (n == 0 || errno != EINTR)
			return 0;
	}
}

static int read_character(EditLine *el, wchar_t *out)
{
	struct lineedit *edit = self(el);
	mbstate_t state = { 0 };

	for (;;) {
		char byte;
		int got = read_byte(edit, &byte);
		if (got <= 0)
			return got;
		size_t n = mbrtowc(out, &byte, 1, &state);
		if (n == (size_t)-2)
			continue; /* the character goes on */
		if (n == (size_t)-1)
			*out = (unsigned char)byte;
		return 1;
	}
}

static void list_words(const struct completions *words)
{
	struct winsize size;
	size_t width = WIDTH_USUAL, widest = 1;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		width = size.ws_col;
	for (size_t i = 0; i < words->count; i++) {
		size_t length = strlen(words->data[i]);
		widest = length > widest ? length : widest;
	}
	size_t columns = width / (widest + 2) ? width / (widest + 2) : 1;
	size_t rows = (words->count + columns - 1) / columns;
	putchar('\n');
	for (size_t row = 0; row < rows; row++) {
		for (size_t i = row; i < words->count; i += rows)
			printf("%-*s%s", i + rows < words->count ? (int)widest : 0, words->data[i],
			       i + rows < words->count ? "  " : "\n");
	}
	if (words->more)
		puts("...");
	fflush(stdout);
}

static unsigned char complete_word(EditLine *el, int key unused_arg)
{
	struct lineedit *edit = self(el);
	const LineInfo *info = el_line(el);
	size_t point = (size_t)(info->cursor - info->buffer);
	struct completions words = { 0 };
	unsigned char result = CC_ERROR;

	auto_free char *line = xstrndup(info->buffer, (size_t)(info->lastchar - info->buffer));
	edit->complete(edit->ctx, line, point, &words);
	size_t typed = point - words.start, common = completions_common(&words);
	if (words.count && common > typed) {
		auto_free char *rest = xstrndup(words.data[0] + typed, common - typed);
		if (el_insertstr(el, rest) == 0)
			result = CC_REFRESH;
	}
	if (words.count == 1 && !words.no_blank) {
		if (el_insertstr(el, " ") == 0)
			result = CC_REFRESH;
	} else if (words.count > 1 && common <= typed) {
		list_words(&words);
		result = CC_REDISPLAY;
	}
	completions_deinit(&words);
	return result;
}

/* Choosing an editor binds all keys anew. */
static void bind_keys(EditLine *el)
{
	el_set(el, EL_BIND, "^I", "complete-word", NULL);
	el_set(el, EL_BIND, "^R", "em-inc-search-prev", NULL);
}

void lineedit_vi(struct lineedit *edit, bool vi)
{
	if (!edit->el || edit->vi == vi)
		return;
	edit->vi = vi;
	el_set(edit->el, EL_EDITOR, vi ? "vi" : "emacs");
	bind_keys(edit->el);
}

struct lineedit *lineedit_create(complete_fn complete, void *ctx, int wake)
{
	struct lineedit *edit = xcalloc(1, sizeof(*edit));
	HistEvent event;

	setlocale(LC_CTYPE, "");
	edit->complete = complete;
	edit->ctx = ctx;
	edit->wake = wake;
	edit->el = el_init("inquest", stdin, stdout, stderr);
	edit->history = history_init();
	if (edit->history) {
		history(edit->history, &event, H_SETSIZE, HISTORY_MAX);
		history(edit->history, &event, H_SETUNIQUE, 1);
	}
	if (!edit->el)
		return edit;
	el_set(edit->el, EL_CLIENTDATA, edit);
	el_set(edit->el, EL_PROMPT, prompt_text);
	el_set(edit->el, EL_EDITOR, "emacs");
	el_set(edit->el, EL_GETCFN, read_character);
	if (edit->history)
		el_set(edit->el, EL_HIST, history, edit->history);
	el_set(edit->el, EL_ADDFN, "complete-word", "Complete the word", complete_word);
	bind_keys(edit->el);
	el_source(edit->el, NULL);
	return edit;
}

void lineedit_destroy(struct lineedit *edit)
{
	if (!edit)
		return;
	if (edit->el)
		el_end(edit->el);
	if (edit->history)
		history_end(edit->history);
	free(edit);
}

enum lineedit_result lineedit_read(struct lineedit *edit, const char *prompt, char **line)
{
	int length = 0;

	*line = NULL;
	if (!edit->el)
		return LINEEDIT_END;
	edit->prompt = prompt;
	edit->interrupted = false;
	/* libedit itself would only do so after the prompt: what comes in between is mangled. */
	el_set(edit->el, EL_PREP_TERM, 1);
	const char *text = el_gets(edit->el, &length);
	if (edit->interrupted) {
		el_set(edit->el, EL_PREP_TERM, 0);
		el_reset(edit->el);
		puts("^C");
		fflush(stdout);
		return LINEEDIT_INTERRUPTED;
	}
	if (!text || length <= 0)
		return LINEEDIT_END;
	*line = xstrndup(text, strcspn(text, "\n"));
	return LINEEDIT_LINE;
}

void lineedit_remember(struct lineedit *edit, const char *line)
{
	HistEvent event;

	if (edit->history)
		history(edit->history, &event, H_ENTER, line);
}
