/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose words are these? A text that was written where it should not be was most often made from a
 * string constant: the constants of the kernel and of every module are searched for its words.
 *
 * In: the text. Out: the one owner that has the words, if it is only one.
 */
#pragma once

#include "kernel/session.h"

struct text_source {
	const struct module *module; /* NULL: the kernel itself */
	uint64_t address;            /* of the words there */
	char words[48];
};

/* False: no words that tell anything, nobody has them, or several do. */
bool text_source_find(struct session *s, const uint8_t *text, size_t size,
		      struct text_source *source);
