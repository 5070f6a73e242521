// SPDX-License-Identifier: LGPL-2.1-or-later
/* Growing doubles the room, so that adding n bytes one by one costs O(n). Parsing is exact. */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void grow(struct strbuf *sb, size_t extra)
{
	size_t need = sb->len + extra + 1;

	if (need <= sb->capacity)
		return;
	sb->capacity = need > sb->capacity * 2 ? need : sb->capacity * 2;
	sb->data = xrealloc(sb->data, sb->capacity);
}

void strbuf_add_n(struct strbuf *sb, const char *s, size_t n)
{
	grow(sb, n);
	memcpy(sb->data + sb->len, s, n);
	sb->len += n;
	sb->data[sb->len] = '\0';
}

void strbuf_add(struct strbuf *sb, const char *s)
{
	strbuf_add_n(sb, s, strlen(s));
}

void strbuf_add_char(struct strbuf *sb, char c)
{
	strbuf_add_n(sb, &c, 1);
}

void strbuf_add_escaped(struct strbuf *sb, uint8_t c, char quote)
{
	static const char letters[] = "abtnvfr"; /* of the characters from 7 on */

	if (c == (uint8_t)quote || c == '\\')
		strbuf_addf(sb, "\\%c", c);
	else if (c >= ' ' && c < 0x7f)
		strbuf_add_char(sb, (char)c);
	else if (c >= '\a' && c <= '\r')
		strbuf_addf(sb, "\\%c", letters[c - '\a']);
	else
		strbuf_addf(sb, "\\%03o", c);
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	grow(sb, (size_t)n);
	va_start(args, fmt);
	vsnprintf(sb->data + sb->len, (size_t)n + 1, fmt, args);
	va_end(args);
	sb->len += (size_t)n;
}

const char *strbuf_text(const struct strbuf *sb)
{
	return sb->data ? sb->data : "";
}

void strbuf_clear(struct strbuf *sb)
{
	sb->len = 0;
	if (sb->data)
		sb->data[0] = '\0';
}

void strbuf_deinit(struct strbuf *sb)
{
	free(sb->data);
	*sb = (struct strbuf){ 0 };
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

static bool parse_digits(const char *s, unsigned base, uint64_t *value)
{
	uint64_t v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned d = (unsigned)digit_value(*s);
		if (d >= base || __builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, d, &v))
			return false;
	}
	*value = v;
	return true;
}

static bool has_hex_prefix(const char *s)
{
	return s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
}

bool parse_u64(const char *s, uint64_t *value)
{
	return has_hex_prefix(s) ? parse_digits(s + 2, 16, value) : parse_digits(s, 10, value);
}

bool parse_hex(const char *s, uint64_t *value)
{
	return parse_digits(has_hex_prefix(s) ? s + 2 : s, 16, value);
}

bool glob_match(const char *pattern, const char *s)
{
	const char *star = NULL, *retry = NULL;

	while (*s) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = s;
		} else if (*pattern == '?' || *pattern == *s) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star;
			s = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}
