/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of many phrases a line contains, in one pass over it. Zero-initialise. */
#pragma once

#include "base/compiler.h"

struct phrase {
	const char *text; /* at least two characters; borrowed */
	bool at_start;    /* only at the start of the line */
	uint16_t next;    /* the next one that begins with the same two characters, + 1 */
};

struct phrases {
	struct phrase *data;
	size_t count, capacity;
	uint16_t *first; /* by the first two characters: index + 1 of a phrase; 0: none begins so */
};

/* Phrases are numbered from 0 in the order in which they are added. */
void phrases_add(struct phrases *phrases, const char *text, bool at_start);
/* The lowest number of those that are in @line; -1: none. */
int phrases_find(const struct phrases *phrases, const char *line);
void phrases_deinit(struct phrases *phrases);
