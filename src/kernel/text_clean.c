// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One line made plain. What is taken off: colours and cursor movements of terminals (ECMA-48),
 * backspaces, control characters, the levels that printk() puts before a message (SOH and a
 * letter), HTML's entities and tags, "> " of mail. Only tags that HTML has are taken for such:
 * <IRQ>, <TASK>, <ffffffff81000000> and <0f> are the kernel's.
 */
#include <ctype.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/text_lines.h"

enum { ESCAPE = 27, SOH = 1 };

static const struct {
	const char *entity;
	char c;
} entities[] = {
	{ "&lt;", '<' },    { "&gt;", '>' },   { "&amp;", '&' },  { "&quot;", '"' },
	{ "&#39;", '\'' },  { "&#039;", '\'' }, { "&apos;", '\'' }, { "&nbsp;", ' ' },
	{ "&#34;", '"' },   { "&#60;", '<' },  { "&#62;", '>' },  { "&#43;", '+' },
	{ "&#x27;", '\'' }, { "&#x2F;", '/' }, { "&#47;", '/' },  { "&#91;", '[' },
	{ "&#93;", ']' },
};

static const char *const tags[] = {
	"a", "b", "blockquote", "body", "br", "code", "div", "em", "font", "h1", "h2", "h3", "i",
	"li", "ol", "p", "pre", "small", "span", "strong", "table", "tbody", "td", "th", "tr", "tt",
	"u", "ul",
};

static const char *skip_escape(const char *s, const char *end)
{
	s++;
	if (s == end)
		return s;
	if (*s == ']') { /* a title, up to BEL or ESC \ */
		while (s < end && *s != 7 && *s != ESCAPE)
			s++;
		return s < end ? s + 1 : s;
	}
	if (*s != '[') /* "ESC c", "ESC ( B" */
		return s + 1 < end && strchr("()#%", *s) ? s + 2 : s + 1;
	s++;
	while (s < end && (unsigned char)*s >= 0x20 && (unsigned char)*s < 0x40)
		s++;
	return s < end ? s + 1 : s;
}

static const char *skip_tag(const char *s, const char *end)
{
	const char *name = s + 1, *at;
	size_t length = 0;

	if (name < end && *name == '/')
		name++;
	while (name + length < end && isalnum((unsigned char)name[length]))
		length++;
	for (size_t i = 0; i < array_size(tags); i++) {
		if (strlen(tags[i]) != length || strncasecmp(tags[i], name, length) != 0)
			continue;
		for (at = name + length; at < end && *at != '>' && *at != '<'; at++)
			;
		/* Without an end, or with what no attributes look like, it is none. */
		if (at == end || *at != '>' ||
		    (at != name + length && name[length] != ' ' && name[length] != '/'))
			return NULL;
		return at + 1;
	}
	return NULL;
}

static const char *skip_entity(const char *s, const char *end, char *c)
{
	for (size_t i = 0; i < array_size(entities); i++) {
		size_t n = strlen(entities[i].entity);
		if ((size_t)(end - s) >= n && memcmp(s, entities[i].entity, n) == 0) {
			*c = entities[i].c;
			return s + n;
		}
	}
	return NULL;
}

/* "> ", ">> ", "> > ": but not ">ffff8880", with which KASAN marks a line. */
static size_t quote_length(const char *s, size_t length)
{
	size_t at = 0;

	for (;;) {
		size_t n = at;
		while (n < length && s[n] == ' ' && n - at < 2)
			n++;
		if (n == length || s[n] != '>')
			return at;
		n++;
		if (n < length && s[n] != ' ' && s[n] != '>')
			return at;
		at = n + (n < length && s[n] == ' ');
	}
}

static bool is_plain(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c < ' ' || c == '&' || c == '<' || c == '>' || c == 127 || c == 0xc2)
			return false;
	}
	return true;
}

size_t text_clean(const char *from, size_t size, char *to)
{
	const char *end = from + size, *next;
	size_t n = 0;

	if (is_plain(from, size)) {
		memcpy(to, from, size);
		to[size] = '\0';
		return size;
	}
	for (const char *s = from; s < end;) {
		unsigned char c = (unsigned char)*s;
		char decoded;

		if (c == ESCAPE) {
			s = skip_escape(s, end);
		} else if (c == '\b') {
			n -= n > 0;
			s++;
		} else if (c == SOH && s + 1 < end && isalnum((unsigned char)s[1])) {
			s += 2;
		} else if (c == '<' && (next = skip_tag(s, end))) {
			s = next;
		} else if (c == '&' && (next = skip_entity(s, end, &decoded))) {
			to[n++] = decoded;
			s = next;
		} else if (c == 0xc2 && s + 1 < end && (unsigned char)s[1] == 0xa0) {
			to[n++] = ' '; /* a blank that does not break, in UTF-8 */
			s += 2;
		} else {
			if (c >= ' ' && c != 127)
				to[n++] = (char)c;
			else if (c == '\t')
				to[n++] = ' ';
			s++;
		}
	}
	size_t quoted = quote_length(to, n);
	memmove(to, to + quoted, n - quoted);
	n -= quoted;
	to[n] = '\0';
	return n;
}
