// SPDX-License-Identifier: LGPL-2.1-or-later
/* No command has options of these names: they can stand anywhere on its line. */
#include "cli/format_word.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

static const struct {
	const char *word;
	enum cli_format format;
} words[] = {
	{ "--text", FORMAT_TEXT }, { "--json", FORMAT_JSON }, { "--jsonl", FORMAT_JSONL },
	{ "--csv", FORMAT_CSV },   { "--html", FORMAT_HTML },
};

static bool is_format(const char *word, size_t length, enum cli_format *format)
{
	for (size_t i = 0; i < array_size(words); i++) {
		if (strlen(words[i].word) == length && strncmp(words[i].word, word, length) == 0) {
			*format = words[i].format;
			return true;
		}
	}
	return false;
}

/* A word with what is quoted in it. */
static size_t word_length(const char *s)
{
	char quote = '\0';
	size_t n;

	for (n = 0; s[n] && (quote || !isspace((unsigned char)s[n])); n++) {
		if (quote && s[n] == quote)
			quote = '\0';
		else if (!quote && (s[n] == '\'' || s[n] == '"'))
			quote = s[n];
	}
	return n;
}

char *format_word_take(const char *line, enum cli_format *format)
{
	struct strbuf rest = { 0 };

	while (*line) {
		size_t blanks = strspn(line, " \t"), length = word_length(line + blanks);
		if (!is_format(line + blanks, length, format))
			strbuf_add_n(&rest, line + (rest.len ? 0 : blanks),
				     length + (rest.len ? blanks : 0));
		line += blanks + length;
		/* Other white space than blanks is part of a quoted word or nothing. */
		if (!length && *line)
			line++;
	}
	return rest.data ? rest.data : xstrdup("");
}
