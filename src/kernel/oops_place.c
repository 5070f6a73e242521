// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Pieces of lines: numbers, and places in code. A place is printed as
 *     [<ffffffff811f0654>] __mem_cgroup_free+0x224/0x240     up to 4.9
 *     ixgbe_poll+0x7d7/0x14a0 [ixgbe]                        since
 *     ixgbe_poll+0x7d7/0x14a0 [ixgbe 1f3c...]                with build-ids (5.14)
 *     ixgbe_poll (drivers/net/.../ixgbe_main.c:3190) ixgbe   by decode_stacktrace.sh
 *     dump_stack+0x57/0x7d lib/dump_stack.c:106              by syzbot
 *     0xffffffffc0311ffd, (null), 0x0                        where there is no name
 */
#include <string.h>

#include "base/strbuf.h"
#include "kernel/oops_parse.h"

bool take_text(const char **at, const char *text)
{
	size_t n = strlen(text);

	if (strncmp(*at, text, n) != 0)
		return false;
	*at += n;
	return true;
}

void skip_blanks(const char **at)
{
	*at += strspn(*at, " \t");
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool take_hex(const char **at, uint64_t *value)
{
	const char *p = *at;
	uint64_t v = 0;
	unsigned n = 0;

	if (p[0] == '0' && p[1] == 'x')
		p += 2;
	for (; n <= 16 && hex_digit(*p) >= 0; n++)
		v = v << 4 | (unsigned)hex_digit(*p++);
	if (!n || n > 16)
		return false;
	*value = v;
	*at = p;
	return true;
}

bool take_number(const char **at, uint64_t *value)
{
	const char *p = *at;
	uint64_t v = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (unsigned)(*p - '0');
	}
	if (p == *at)
		return false;
	*value = v;
	*at = p;
	return true;
}

bool number_behind(const char *line, const char *marker, uint64_t *value)
{
	const char *at = strstr(line, marker);

	if (!at)
		return false;
	at += strlen(marker);
	skip_blanks(&at);
	return take_number(&at, value);
}

bool hex_behind(const char *line, const char *marker, uint64_t *value)
{
	const char *at = strstr(line, marker);

	if (!at)
		return false;
	at += strlen(marker);
	skip_blanks(&at);
	return take_hex(&at, value);
}

const char *trimmed(struct arena *arena, const char *from, const char *end)
{
	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (from < end && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	return arena_strndup(arena, from, (size_t)(end - from));
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '$';
}

static size_t name_length(const char *s)
{
	size_t n = 0;

	while (name_char(s[n]))
		n++;
	return n;
}

/* "mm/slub.c:123" and what follows up to a blank or bracket. */
static bool take_file(const char **at, struct arena *arena, struct oops_place *place)
{
	const char *p = *at, *end = p + strcspn(p, " \t)[]"), *colon = NULL;
	uint64_t line;

	for (const char *c = p; c < end; c++) {
		if (*c == ':' && c > p && c[1] >= '0' && c[1] <= '9') {
			colon = c;
			break;
		}
	}
	if (!colon || !memchr(p, '.', (size_t)(colon - p)))
		return false;
	const char *digits = colon + 1;
	if (!take_number(&digits, &line))
		return false;
	place->file = arena_strndup(arena, p, (size_t)(colon - p));
	place->line = (unsigned)line;
	*at = end;
	return true;
}

/* Further places, of the functions that the first was put into: "a.c:1 b.c:2". */
static void skip_files(const char **at, struct arena *arena)
{
	struct oops_place other;
	const char *p = *at;

	while (*p == ' ' && (p++, take_file(&p, arena, &other)))
		*at = p;
}

/* " (mm/slub.c:123 (discriminator 4))", " (a.c:1 b.c:2)" and " mm/slub.c:123". */
static void take_source(const char **at, struct arena *arena, struct oops_place *place)
{
	const char *p = *at;
	bool brackets;

	skip_blanks(&p);
	brackets = take_text(&p, "(");
	if (!take_file(&p, arena, place))
		return;
	if (brackets)
		skip_files(&p, arena);
	if (take_text(&p, " (discriminator "))
		p += strcspn(p, ")") + (strchr(p, ')') != NULL);
	if (brackets && *p == ')')
		p++;
	*at = p;
}

/* " [mod]", " [mod 1f3c...]"; decode_stacktrace.sh leaves the brackets out behind a file. */
static void take_module(const char **at, struct arena *arena, struct oops_place *place)
{
	const char *p = *at;
	size_t n;

	skip_blanks(&p);
	bool bracket = take_text(&p, "[");
	if (!bracket && !place->file)
		return;
	n = name_length(p);
	for (size_t i = 0; p[n] == '-' && name_char(p[n + 1]); i++)
		n += 1 + name_length(p + n + 1);
	if (!n || strncmp(p, "inline]", 7) == 0)
		return;
	const char *end = p + n;
	if (bracket) {
		end += strcspn(end, "]");
		if (*end != ']')
			return;
		end++;
	} else if (end[strspn(end, " \t")]) {
		return;
	}
	place->module = arena_strndup(arena, p, n);
	*at = end;
}

/* "+0x224/0x240"; the size may be missing. */
static bool take_offset(const char **at, struct oops_place *place)
{
	const char *p = *at;

	if (*p != '+')
		return false;
	p++;
	if (!take_hex(&p, &place->offset))
		return false;
	if (*p == '/') {
		p++;
		if (!take_hex(&p, &place->size))
			return false;
		/* Of data in modules, kernels print the distance to some symbol before it. */
		if (place->size >> 63)
			place->size = 0;
	}
	*at = p;
	return true;
}

/* "[<ffffffff811f0654>]", which RIP shows twice in some versions; "[<          (null)>]". */
static void take_addresses(const char **at, struct oops_place *place)
{
	for (;;) {
		const char *p = *at;
		skip_blanks(&p);
		if (!take_text(&p, "[<"))
			return;
		skip_blanks(&p);
		if (!take_text(&p, "(null)") && !take_hex(&p, &place->address))
			return;
		if (!take_text(&p, ">]"))
			return;
		*at = p;
	}
}

/* A place without a name. */
static bool take_bare(const char **at, struct oops_place *place, bool had_address)
{
	const char *p = *at;

	if (take_text(&p, "(null)") || (starts_with(p, "0x") && take_hex(&p, &place->address))) {
		*at = p;
		return true;
	}
	return had_address;
}

bool take_place(const char **at, struct arena *arena, struct oops_place *place)
{
	const char *p = *at, *name;
	size_t n;

	*place = (struct oops_place){ 0 };
	take_addresses(&p, place);
	bool had_address = p != *at;
	skip_blanks(&p);
	while (take_text(&p, "? "))
		skip_blanks(&p);
	name = p;
	n = name_length(p);
	if (n && !(name[0] >= '0' && name[0] <= '9')) {
		p += n;
		bool offset = take_offset(&p, place);
		take_source(&p, arena, place);
		if (offset || place->file) {
			place->function = arena_strndup(arena, name, n);
			take_module(&p, arena, place);
			*at = p;
			return true;
		}
		p = name;
	}
	if (!take_bare(&p, place, had_address))
		return false;
	*at = p;
	return true;
}
