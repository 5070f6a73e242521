/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of a stack under its frames, for bt -f, -F and -FF. */
#pragma once

#include "base/doc.h"
#include "kernel/session.h"

enum stack_words {
	STACK_WORDS_NONE,
	STACK_WORDS_RAW,   /* two to a line */
	STACK_WORDS_NAMED, /* the same, with names in place of what has one */
	STACK_WORDS_FULL,  /* one to a line, with its name */
};

/* Adds those of frame @index to the row's detail, as text and as table "words". */
void stack_words_add(struct session *s, struct doc *doc, const struct stack *stack, size_t index,
		     enum stack_words how);
