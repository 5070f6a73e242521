/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading lines from a terminal, with editing, history and completion. Three implementations of
 * this header, of which one is built (-Dlineedit=libedit|readline|none).
 */
#pragma once

#include "base/compiler.h"

/* What a word could become. */
struct completions {
	size_t start;  /* the word to complete begins there in the line, and ends at the cursor */
	char **data;   /* whole words, sorted, each once */
	size_t count, capacity;
	bool more;     /* there are more than are given */
	size_t limit;  /* with more: characters that those have in common with the given ones */
	bool no_blank; /* a single one is not the end of the word */
};

typedef void (*complete_fn)(void *ctx, const char *line, size_t point, struct completions *out);

void completions_deinit(struct completions *completions);
/* How many characters all of them have in common, also those that are not given. */
size_t completions_common(const struct completions *completions);

enum lineedit_result { LINEEDIT_LINE, LINEEDIT_END, LINEEDIT_INTERRUPTED };

struct lineedit;

/* @wake becomes readable when reading should be given up (Ctrl-C); -1: never. */
struct lineedit *lineedit_create(complete_fn complete, void *ctx, int wake);
/* The keys of vi in place of emacs's; for the lines that are read from here on. */
void lineedit_vi(struct lineedit *edit, bool vi);
void lineedit_destroy(struct lineedit *edit);
/* The caller frees *@line, which has no newline. */
enum lineedit_result lineedit_read(struct lineedit *edit, const char *prompt, char **line);
/* Adds a line to the history. */
void lineedit_remember(struct lineedit *edit, const char *line);
