/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Station 9: a document -> text and pages for people, JSON and CSV for programs (docs/output.md). */
#pragma once

#include <stdatomic.h>
#include <stdio.h>

#include "base/doc.h"

struct text_options {
	bool color;     /* ANSI colours; the caller knows whether it is a terminal */
	unsigned width; /* columns of the terminal; 0: do not fold */
	const atomic_bool *stop; /* set from outside: write no further rows; NULL: never */
};

/*
 * Remarks come last, each on a line. Strings out of a dump cannot reach the terminal as control
 * sequences: control characters and broken UTF-8 are shown as \xNN.
 */
void output_text(const struct doc *doc, const struct text_options *options, FILE *out);

/*
 * One object; remarks as an array "remarks" of {kind, text} when there are any. Always valid UTF-8:
 * bytes that are not become the four characters \xNN (in JSON's spelling, "\\xNN").
 */
void output_json(const struct doc *doc, FILE *out);

/*
 * Several documents as one object {"commands": [{"command": "bt -a", ...}, ...]}: begin, an item
 * each (@number counts from 0), end.
 */
void output_json_begin(FILE *out);
void output_json_item(const struct doc *doc, const char *command, size_t number, FILE *out);
void output_json_end(FILE *out);

/*
 * An object a line: of each row of a table, each element of an array, each record. Where there are
 * several of these, each line has the key "table"; with @command, which may be NULL, "command".
 */
void output_jsonl(const struct doc *doc, const char *command, FILE *out);

/*
 * CSV: a table for each path of innermost rows, an empty line between tables, also before the first
 * when @number (of the command, from 0) is not 0. Where there are several, the first column is
 * "table"; with @command, which may be NULL, "command" is.
 */
void output_csv(const struct doc *doc, const char *command, size_t number, FILE *out);

/*
 * A page of its own: nothing is loaded, and strings out of a dump reach it as text only. The title
 * is the document's, else @command.
 */
void output_html(const struct doc *doc, const char *command, FILE *out);

/* Several documents on one page: begin, an item each, end. */
void output_html_begin(FILE *out);
void output_html_item(const struct doc *doc, const char *command, FILE *out);
void output_html_end(FILE *out);
