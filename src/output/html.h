/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of the HTML renderer among themselves. */
#pragma once

#include <stdio.h>

#include "base/doc.h"

struct html {
	FILE *out;
	unsigned sections; /* so far: their numbers are their names */
	unsigned depth;    /* of headings: below the sections' */
};

/* --- html_put.c: what a string becomes. Whatever it holds, it is text and never markup. --- */

void html_text(FILE *out, const char *text);
void html_text_n(FILE *out, const char *text, size_t n);
/* A sentence: addresses and names of code in it stand out. */
void html_prose(FILE *out, const char *text);
/* The same; web addresses in it are links. */
void html_links(FILE *out, const char *text);
void html_cell(FILE *out, const struct cell *cell);
const char *html_style(enum cell_style style);
/* Something to type, with the button that copies it. */
void html_command(FILE *out, const char *command);
/* Is there anything of it to see on a page? */
bool html_visible(const struct doc_node *node);
bool html_field_visible(const struct doc_field *field);
bool html_row_visible(const struct doc_row *row);
bool html_cell_empty(const struct cell *cell);

/* --- html.c --- */

void html_node(struct html *h, const struct doc_node *node);
/* The fields of a record, without its heading. */
void html_fields(struct html *h, const struct doc_node *node);

/* --- html_looks.c: nodes that a page can do more for. --- */

void html_answer(struct html *h, const struct doc_node *node);
void html_steps(struct html *h, const struct doc_node *node);
void html_stack(struct html *h, const struct doc_node *node);
void html_registers(struct html *h, const struct doc_node *node);
void html_bytes(struct html *h, const struct doc_bytes *bytes);

/* --- html_timeline.c --- */

void html_timeline(struct html *h, const struct doc_node *node);

/* --- html_waits.c --- */

void html_waits(struct html *h, const struct doc_node *node);
