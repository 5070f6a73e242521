/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What walkers of lists and trees met that is wrong: the first of it as a sentence, and how often. */
#pragma once

#include "kernel/session.h"

struct walk_trouble {
	char text[256]; /* "" while all is well */
	size_t count;
	bool hole;      /* that is something that the dump lacks; else damage */
};

/* Notes one more; only the first sentence is kept. */
void walk_trouble_add(struct walk_trouble *trouble, const char *fmt, ...) printf_like(2, 3);
/* The same of what the dump lacks. */
#define walk_trouble_hole(trouble, ...)                                                            \
	do {                                                                                       \
		(trouble)->hole |= !(trouble)->count;                                              \
		walk_trouble_add((trouble), __VA_ARGS__);                                          \
	} while (0)
/* Makes it a problem of the session's, as "@what: ...", for who has no document to put it into. */
void walk_trouble_tell(const struct walk_trouble *trouble, struct session *s, const char *what);
