/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers as text, for tables of a hundred thousand rows: printf() is ten times slower. */
#pragma once

#include <string.h>

#include "base/compiler.h"

enum { DIGITS_MAX = 20 };

static inline unsigned hex_digits(uint64_t value)
{
	return value ? (unsigned)(67 - __builtin_clzll(value)) / 4 : 1;
}

static inline unsigned dec_digits(uint64_t value)
{
	unsigned digits = 1;

	for (; value >= 10000; value /= 10000)
		digits += 4;
	return digits + (value >= 10) + (value >= 100) + (value >= 1000);
}

/* Writes @value at @to with at least @least digits, at most 16; no NUL. Returns how many. */
static inline unsigned put_hex(char *to, uint64_t value, unsigned least)
{
	unsigned count = hex_digits(value);

	if (count < least)
		count = least;
	for (unsigned i = count; i-- > 0; value >>= 4)
		to[i] = "0123456789abcdef"[value & 15];
	return count;
}

/* The same in decimal: at most DIGITS_MAX. */
static inline unsigned put_dec(char *to, uint64_t value)
{
	unsigned count = dec_digits(value);

	for (unsigned i = count; i-- > 0; value /= 10)
		to[i] = (char)('0' + value % 10);
	return count;
}

/* With a sign: one more. */
static inline unsigned put_signed(char *to, int64_t value)
{
	if (value >= 0)
		return put_dec(to, (uint64_t)value);
	*to = '-';
	return 1 + put_dec(to + 1, -(uint64_t)value);
}
