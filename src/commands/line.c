// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A line of text into commands and words. Single and double quotes keep blanks and semicolons;
 * there are no escapes, so that regular expressions and Windows-pasted paths survive as typed.
 */
#include <ctype.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "commands/command.h"

static bool is_quote(char c)
{
	return c == '\'' || c == '"';
}

/* Adds [@start, @end) without blanks around it; nothing when it is empty. */
static void add_trimmed(struct command_lines *lines, const char *start, const char *end)
{
	while (start < end && isspace((unsigned char)*start))
		start++;
	while (end > start && isspace((unsigned char)end[-1]))
		end--;
	if (start < end)
		vec_push(lines, xstrndup(start, (size_t)(end - start)));
}

void command_lines_split(const char *text, struct command_lines *lines)
{
	const char *start = text;
	char quote = '\0';

	for (;; text++) {
		if (quote && *text == quote)
			quote = '\0';
		else if (!quote && is_quote(*text))
			quote = *text;
		if (*text && (quote || (*text != ';' && *text != '\n')))
			continue;
		add_trimmed(lines, start, text);
		if (!*text)
			return;
		start = text + 1;
	}
}

void command_lines_deinit(struct command_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->data[i]);
	vec_deinit(lines);
}

/* Takes one word off @line into @word. */
static struct error *take_word(const char **line, struct strbuf *word)
{
	const char *s = *line;
	char quote = '\0';

	for (; *s && (quote || !isspace((unsigned char)*s)); s++) {
		if (quote && *s == quote)
			quote = '\0';
		else if (!quote && is_quote(*s))
			quote = *s;
		else
			strbuf_add_char(word, *s);
	}
	*line = s;
	if (quote)
		return error_new(ERROR_USAGE, "the quote %c is not closed", quote);
	return NULL;
}

struct error *command_words(struct arena *arena, const char *line, int *argc, char ***argv)
{
	size_t most = strlen(line) / 2 + 2;
	char **words = arena_zalloc(arena, most * sizeof(*words));
	int count = 0;

	for (;;) {
		while (isspace((unsigned char)*line))
			line++;
		if (!*line)
			break;
		auto_strbuf word = { 0 };
		struct error *err = take_word(&line, &word);
		if (err)
			return err;
		words[count++] = arena_strdup(arena, strbuf_text(&word));
	}
	*argc = count;
	*argv = words;
	return NULL;
}
