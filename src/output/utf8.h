/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes of a string out of a dump, taken apart into what may be shown and what may not. */
#pragma once

#include "base/compiler.h"

/*
 * Length of the well-formed UTF-8 sequence at @s (1 to 4), 0 when there is none. Well-formed as in
 * the Unicode Standard, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
static inline unsigned utf8_length(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	unsigned n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (unsigned i = 2; i < n; i++) {
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	}
	return n;
}

/* Is the sequence of @n bytes at @s a C1 control character (U+0080 to U+009F)? */
static inline bool utf8_is_c1(const unsigned char *s, unsigned n)
{
	return n == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}
