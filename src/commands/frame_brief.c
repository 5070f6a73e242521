// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A frame on one line:
 *
 *	 #1  session_account+0x17 [null_ioctl]     session=ffff8d81c19fca20  amount=9320
 *
 * Arguments as far as they are known, pointers with what they mean in brackets; what is not
 * certain has a "?" behind it. What does not fit the line is left out: `args` shows all.
 */
#include "commands/frame_brief.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/frame_args.h"
#include "kernel/meaning.h"

enum { LINE_WIDTH = 100, PLACE_WIDTH = 40, MEANING_MAX = 48 };

/* "session=ffff8d81c19fca20 (/dev/x)", without what it means when @room is too small for that. */
static bool add_argument(struct session *s, struct strbuf *line, const struct arg *a)
{
	/* One that begins a line has no blanks before it. */
	const char *blanks = line->len ? "  " : "";
	char value[64], meaning[256] = "", text[400];

	if (a->origin == ARG_UNKNOWN)
		return true;
	frame_args_value(a->type, a->value, a->size, value, sizeof(value));
	if (a->type.source)
		meaning_of_value(s, a->type, a->value, meaning, sizeof(meaning));
	const char *digits = starts_with(value, "0xffff") ? value + 2 : value;
	const char *doubt = a->origin == ARG_CANDIDATE ? "?" : "";
	bool null = strcmp(meaning, "NULL") == 0;
	bool shown = *meaning && !null && strlen(meaning) <= MEANING_MAX &&
		     strcmp(meaning, value) != 0;
	snprintf(text, sizeof(text), "%s=%s%s%s%s%s", *a->name ? a->name : "?",
		 null ? "NULL" : digits, doubt, shown ? " (" : "", shown ? meaning : "",
		 shown ? ")" : "");
	if (shown && line->len + 2 + strlen(text) > LINE_WIDTH)
		snprintf(text, sizeof(text), "%s=%s%s", *a->name ? a->name : "?", digits, doubt);
	if (line->len + 2 + strlen(text) > LINE_WIDTH)
		return false;
	strbuf_addf(line, "%s%s", blanks, text);
	return true;
}

void frame_brief_arguments(struct session *s, const struct frame_args *args, struct strbuf *text)
{
	for (unsigned i = 0; args && i < args->count; i++) {
		if (!add_argument(s, text, &args->args[i])) {
			strbuf_add(text, " ...");
			break;
		}
	}
}

void frame_brief(struct session *s, struct doc *doc, const struct frame *frame, size_t level,
		 const char *place, const struct source_line *at, const struct frame_args *args)
{
	auto_strbuf line = { 0 };
	const char *file = at && at->file ? strrchr(at->file, '/') : NULL;

	strbuf_addf(&line, "%s#%zu  %s", level < 10 ? " " : "", level, place);
	if (at && at->file && at->line)
		strbuf_addf(&line, "  %s:%u", file ? file + 1 : at->file, at->line);
	for (unsigned i = 0; args && i < args->count; i++) {
		if (!i)
			strbuf_addf(&line, "%*s", line.len < PLACE_WIDTH
				    ? (int)(PLACE_WIDTH - line.len) : 0, "");
		if (!add_argument(s, &line, &args->args[i])) {
			strbuf_add(&line, line.len + 4 <= LINE_WIDTH ? " ..." : "");
			break;
		}
	}
	while (line.len && line.data[line.len - 1] == ' ')
		line.data[--line.len] = '\0';
	doc_textf(doc, frame->how == FRAME_SCAN ? STYLE_FAINT
		  : frame->has_regs ? STYLE_STRONG : STYLE_PLAIN, "%s", line.data);
}
