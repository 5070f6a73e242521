// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * RFC 3492: the ASCII characters come first; behind them, numbers say which other characters to put
 * in and where. Names differ from the RFC by the "_" between both, which is "-" there.
 */
#include "symbols/punycode.h"

#include <string.h>

/* Section 5: the parameters of Punycode. */
enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, FIRST_BIAS = 72, FIRST_CODE = 0x80 };

/* Section 6.1. */
static uint32_t adapt_bias(uint32_t delta, uint32_t points, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / points;
	for (; delta > (BASE - TMIN) * TMAX / 2; k += BASE)
		delta /= BASE - TMIN;
	return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

/* One of the RFC's numbers of changing bases, from @s on: how far to go. False at a fault. */
static bool punycode_delta(const char **s, const char *end, uint32_t bias, uint32_t *delta)
{
	uint32_t weight = 1, value = 0;

	for (uint32_t k = BASE;; k += BASE) {
		uint32_t digit, part, t = k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
		if (*s == end)
			return false;
		char c = *(*s)++;
		if (c >= 'a' && c <= 'z')
			digit = (uint32_t)(c - 'a');
		else if (c >= '0' && c <= '9')
			digit = (uint32_t)(c - '0') + 26;
		else
			return false;
		if (__builtin_mul_overflow(digit, weight, &part) ||
		    __builtin_add_overflow(value, part, &value))
			return false;
		if (digit < t)
			break;
		if (__builtin_mul_overflow(weight, BASE - t, &weight))
			return false;
	}
	*delta = value;
	return true;
}

bool punycode_decode(const char *s, size_t size, uint32_t text[PUNYCODE_MAX], size_t *count)
{
	const char *end = s + size, *digits = s;
	uint32_t n = FIRST_CODE, i = 0, bias = FIRST_BIAS;

	for (const char *p = s; p < end; p++) {
		if (*p == '_')
			digits = p + 1;
	}
	*count = 0;
	for (; digits > s && s < digits - 1; s++) {
		if (*count == PUNYCODE_MAX)
			return false;
		text[(*count)++] = (uint8_t)*s;
	}
	for (s = digits; s < end;) {
		uint32_t delta;
		if (*count == PUNYCODE_MAX || !punycode_delta(&s, end, bias, &delta) ||
		    __builtin_add_overflow(i, delta, &i))
			return false;
		uint32_t points = (uint32_t)*count + 1;
		bias = adapt_bias(delta, points, i == delta);
		n += i / points;
		i %= points;
		if (n > 0x10ffff || (n >= 0xd800 && n < 0xe000))
			return false;
		memmove(text + i + 1, text + i, (*count - i) * sizeof(*text));
		text[i++] = n;
		++*count;
	}
	return true;
}
