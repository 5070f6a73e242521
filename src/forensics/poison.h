/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values that the kernel writes on purpose into what must not be used, by name. */
#pragma once

#include "base/compiler.h"

struct poison {
	uint64_t value;
	uint64_t below, above; /* pointers in [value - below, value + above) are derived from it */
	const char *name;      /* as the kernel's sources call it */
	const char *kind;      /* a class, short: "list-poison", "use-after-free" ... */
	const char *meaning;   /* a clause */
};

/* The poison that @value is or points into (a member of a "structure" there); NULL: none. */
const struct poison *poison_of(uint64_t value);
/* "LIST_POISON1", "POISON_FREE + 0x18", "LIST_POISON2 - 0x8". */
void poison_text(const struct poison *poison, uint64_t value, char *buf, size_t size);
/* The poison whose byte fills [bytes, bytes + size), all but perhaps the last; NULL: none. */
const struct poison *poison_of_fill(const uint8_t *bytes, size_t size);
/* Are all eight bytes printable: text where a number should be? @text is what it says. */
bool number_as_text(uint64_t value, char text[9]);
/* "ENOMEM", "EPROBE_DEFER": also those that only the kernel has; NULL: no such error. */
const char *errno_word(int number);
