// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What stands before the kernel's words in a line:
 *
 *	<4>[   12.345678] ...                              printk's level and time
 *	[   12.345678][ T1234] ...                         CONFIG_PRINTK_CALLER
 *	[Mon Jan 12 16:11:01 2026] ...                     dmesg -T
 *	kern  :warn  : [   12.345678] ...                  dmesg -x
 *	Jan 12 16:11:01 host kernel: [   12.345678] ...    syslog
 *	2026-01-12T16:11:01.123456+01:00 host kernel: ...  the same with ISO dates
 *	[   12.345678] host kernel: ...                    journalctl -o short-monotonic
 *	[  +0.000010] ...                                  dmesg -d and its like
 *	4,1234,12345678,-;...                              netconsole and /dev/kmsg
 *	[2026-01-12 16:11:01.123] [   12.345678] ...       terminal programs, conserver, screen
 *
 * Whatever stands before the kernel's own time goes, even if it is none of these.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/text_lines.h"

enum { NS_PER_S = 1000000000, CALLER_CPU = 1U << 31 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Up to @max digits; the number and where it ends, NULL when there are fewer than @min. */
static const char *digits(const char *s, unsigned min, unsigned max, uint64_t *value)
{
	unsigned n = 0;

	*value = 0;
	for (; n < max && is_digit(s[n]); n++)
		*value = *value * 10 + (uint64_t)(s[n] - '0');
	return n >= min && !is_digit(s[n]) ? s + n : NULL;
}

const char *text_stamp(const char *s, uint64_t *ns)
{
	uint64_t seconds, fraction;
	unsigned places;

	if (*s++ != '[')
		return NULL;
	while (*s == ' ')
		s++;
	s = digits(s, 1, 10, &seconds);
	if (!s || *s++ != '.')
		return NULL;
	const char *end = digits(s, 3, 9, &fraction);
	if (!end || *end != ']')
		return NULL;
	for (places = (unsigned)(end - s); places < 9; places++)
		fraction *= 10;
	*ns = seconds * NS_PER_S + fraction;
	return end + 1;
}

/* "[ T1234]" or "[   C3]" behind the time. */
static const char *skip_caller(const char *s, struct text_line *line)
{
	const char *at = s;
	uint64_t id;

	if (*at == ' ')
		at++;
	if (*at++ != '[')
		return s;
	while (*at == ' ')
		at++;
	char kind = *at++;
	if ((kind != 'T' && kind != 'C') || !(at = digits(at, 1, 9, &id)) || *at != ']')
		return s;
	line->has_caller = true;
	line->caller = (uint32_t)id | (kind == 'C' ? CALLER_CPU : 0);
	return at + 1;
}

/* --- Dates. --- */

static int month_of(const char *s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++) {
		if (strncmp(s, months + i * 3, 3) == 0)
			return i;
	}
	return -1;
}

/* "16:11:01", and a fraction. */
static const char *clock_time(const char *s, uint64_t *seconds)
{
	uint64_t h, m, sec = 0, fraction;
	const char *at;

	if (!(s = digits(s, 1, 2, &h)) || *s++ != ':' || !(s = digits(s, 2, 2, &m)) ||
	    *s++ != ':' || !(s = digits(s, 2, 2, &sec)))
		return NULL;
	if ((*s == '.' || *s == ',') && (at = digits(s + 1, 1, 9, &fraction)))
		s = at;
	*seconds = h * 3600 + m * 60 + sec;
	return s;
}

/* Days since some day; years and months need not be exact, only go up. */
static uint64_t day_number(uint64_t year, uint64_t month, uint64_t day)
{
	static const uint16_t before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };

	return year * 365 + year / 4 + before[month % 12] + day;
}

/* "2026-01-12 16:11:01.123+01:00" */
static const char *iso_date(const char *s, uint64_t *seconds)
{
	uint64_t y, m, d, zone;
	const char *at;

	if (!(s = digits(s, 4, 4, &y)) || (*s != '-' && *s != '/') ||
	    !(s = digits(s + 1, 2, 2, &m)) || (*s != '-' && *s != '/') ||
	    !(s = digits(s + 1, 2, 2, &d)) || !*s || !strchr("T _-", *s) ||
	    !(s = clock_time(s + 1, seconds)))
		return NULL;
	*seconds += day_number(y, m ? m - 1 : 0, d) * 86400;
	if (*s == 'Z')
		return s + 1;
	if ((*s == '+' || *s == '-') && (at = digits(s + 1, 2, 4, &zone))) {
		s = at;
		if (*s == ':' && (at = digits(s + 1, 2, 2, &zone)))
			s = at;
	}
	return s;
}

/* "Jan 12 16:11:01", "Mon Jan 12 16:11:01 2026" */
static const char *syslog_date(const char *s, uint64_t *seconds)
{
	uint64_t day, year = 0;
	const char *at;

	if (isupper((unsigned char)s[0]) && isalpha((unsigned char)s[1]) &&
	    isalpha((unsigned char)s[2]) && s[3] == ' ' && month_of(s) < 0)
		s += 4;
	int month = month_of(s);
	if (month < 0 || s[3] != ' ')
		return NULL;
	s += 4 + (s[4] == ' ');
	if (!(s = digits(s, 1, 2, &day)) || *s++ != ' ')
		return NULL;
	if ((at = digits(s, 4, 4, &year)) && *at == ' ') /* "Jan 12 2026 16:11:01" */
		s = at + 1;
	if (!(s = clock_time(s, seconds)))
		return NULL;
	if (*s == ' ' && (at = digits(s + 1, 4, 4, &year)) && (*at == ']' || *at == ' '))
		s = at;
	*seconds += day_number(year, (uint64_t)month, day) * 86400;
	return s;
}

/*
 * A date of any kind, perhaps in brackets, and the blank behind it; NULL: there is none. @host: a
 * host's and a program's name follow, as syslog writes them.
 */
static const char *skip_date(const char *s, uint64_t *seconds, bool *host)
{
	char close = *s == '[' ? ']' : *s == '(' ? ')' : '\0';
	const char *at;

	if (close)
		s++;
	if (!is_digit(*s) && !isupper((unsigned char)*s))
		return NULL;
	at = iso_date(s, seconds);
	*host = !at && !close;
	if (!at)
		at = syslog_date(s, seconds);
	*host = *host && at;
	if (!at)
		at = clock_time(s, seconds);
	if (!at || (close && *at++ != close))
		return NULL;
	if (*at == ':' || *at == ';' || *at == '|' || *at == ',') {
		at++;
		*host = false;
	}
	if (*at && *at != ' ' && *at != '[' && *at != '<')
		return NULL;
	return at + (*at == ' ');
}

/* --- Who wrote the line, by syslog. --- */

/*
 * "host kernel: ", "kernel: ": behind it; else NULL, and @foreign when it is another program: one
 * with a number, "sshd[1234]:", or where there must be a host (@host), "systemd:" as the second word.
 */
static const char *skip_tag(const char *s, bool host, bool *foreign)
{
	const char *at = s;

	for (unsigned word = 0; word < 3; word++) {
		const char *start = at;
		while (*at && *at != ' ' && at - start < 100)
			at++;
		size_t length = (size_t)(at - start);
		if ((length == 7 || length == 10) && strncmp(start, "kernel", 6) == 0 &&
		    start[length - 1] == ':' && (length == 7 || strncmp(start + 6, "[0]", 3) == 0))
			return *at ? at + 1 : at;
		/* not the kernel's "kvm [1234]:" */
		if (length > 2 && *start != '[' && start[length - 1] == ':' &&
		    ((start[length - 2] == ']' && word) || (host && word == 1))) {
			*foreign = true;
			return NULL;
		}
		if (*at != ' ')
			return NULL;
		at++;
	}
	return NULL;
}

/* "4,1234,12345678,-;" and, with a caller, "4,1234,12345678,-,caller=T1;": Documentation/ABI/testing/dev-kmsg. */
static const char *skip_kmsg(const char *s, struct text_line *line)
{
	uint64_t level, sequence, us;

	if (!(s = digits(s, 1, 3, &level)) || *s++ != ',' || !(s = digits(s, 1, 12, &sequence)) ||
	    *s++ != ',' || !(s = digits(s, 1, 16, &us)) || *s++ != ',' || !strchr("-c+", *s) || !*s)
		return NULL;
	s = strchr(s, ';');
	if (!s)
		return NULL;
	line->level = level & 7;
	line->time_ns = us * 1000;
	line->has_time = line->stamped = true;
	return s + 1;
}

/* printk's level, "<4>"; not "<48> 8b" of a line of code. */
static const char *skip_level(const char *s, struct text_line *line)
{
	uint64_t level;
	const char *at;

	if (*s != '<')
		return s;
	if (s[1] == 'c' && s[2] == '>')
		return s + 3;
	at = digits(s + 1, 1, 3, &level);
	if (!at || *at != '>' || at[1] == ' ' || level > 191)
		return s;
	line->level = level & 7;
	line->stamped = true;
	return at + 1;
}

/* The level stands before the time, with or without other things before both. */
static void level_before(const char *start, const char *stamp, struct text_line *line)
{
	if (stamp - start >= 3 && stamp[-1] == '>' && is_digit(stamp[-2]) &&
	    (stamp[-3] == '<' || (stamp - start >= 4 && stamp[-4] == '<')))
		line->level = (uint8_t)((stamp[-2] - '0') & 7);
}

/* "[  +0.000010] ", "[Oct13 12:34] " (dmesg --human): the kernel's, at no time that is told. */
static const char *skip_delta(const char *s)
{
	uint64_t number;
	const char *at = s;

	if (*at++ != '[')
		return NULL;
	if (month_of(at) >= 0 && (at = digits(at + 3, 1, 2, &number)) && *at++ == ' ' &&
	    (at = digits(at, 1, 2, &number)) && *at++ == ':' && (at = digits(at, 2, 2, &number)) &&
	    *at == ']')
		return at + 1;
	at = s + 1 + strspn(s + 1, " <");
	if (*at++ != '+')
		return NULL;
	at += strspn(at, " ");
	if (!(at = digits(at, 1, 9, &number)) || *at++ != '.' || !(at = digits(at, 6, 6, &number)))
		return NULL;
	at += *at == '>';
	return *at == ']' ? at + 1 : NULL;
}

/* Dates of other languages: whatever it is, "host kernel: " ends it. */
static const char *skip_to_kernel(const char *s)
{
	enum { WITHIN = 80 };
	const char *at = strstr(s, " kernel: ");
	bool has_clock = false;

	if (!at || at - s > WITHIN)
		return NULL;
	for (const char *c = s; c + 2 < at; c++)
		has_clock |= is_digit(c[0]) && c[1] == ':' && is_digit(c[2]);
	return has_clock ? at + strlen(" kernel: ") : NULL;
}

/* "l28 " of "Feb  9 12:50:38 l28 [6437762.553311] BUG: ...", as netconsole in a syslog has it. */
static void note_host(const char *s, const char *stamp, struct text_line *line)
{
	enum { HOST_MAX = 64 };
	uint64_t seconds;
	bool host = false;
	const char *at = skip_date(s, &seconds, &host);
	size_t length = at && at < stamp ? (size_t)(stamp - at) : 0;

	if (!host || length < 2 || length > HOST_MAX || memchr(at, ' ', length) != stamp - 1)
		return;
	line->host = at;
	line->host_length = length;
}

/* The kernel's own time, wherever it stands. */
static const char *find_stamp(const char *s, struct text_line *line)
{
	const char *end;

	for (const char *at = s; (at = strchr(at, '[')); at++) {
		if (!(end = text_stamp(at, &line->time_ns)))
			continue;
		level_before(s, at, line);
		note_host(s, at, line);
		line->stamped = line->has_time = true;
		return end;
	}
	return NULL;
}

static const char *behind_stamp(const char *s, struct text_line *line)
{
	bool foreign = false;

	s = skip_caller(s, line);
	if (*s == ' ')
		s++;
	/* The journal's: "host kernel: " or "host sshd[1]: ", but not the kernel's own "systemd[1]: ". */
	const char *blank = strchr(s, ' ');
	const char *at = blank && blank > s && blank[-1] != ':' ? skip_tag(s, false, &foreign)
								: NULL;
	if (at)
		return at;
	if (foreign) {
		const char *colon = strstr(s, "]: ");
		line->foreign = colon && blank < colon && !strchr("[(<#", *s) &&
				!memchr(blank + 1, ' ', (size_t)(colon - blank - 1));
	}
	return s;
}

static const char *without_stamp(const char *s, struct text_line *line)
{
	uint64_t seconds;
	bool host = false;
	const char *at = skip_kmsg(s, line);

	if (at)
		return at;
	s = skip_level(s, line);
	at = skip_delta(s);
	if (!at)
		at = skip_to_kernel(s);
	if (at) {
		line->stamped = true;
		return skip_level(at + (*at == ' '), line);
	}
	at = skip_date(s, &seconds, &host);
	if (at) {
		s = at;
		line->has_time = true;
		line->time_ns = seconds * NS_PER_S;
	}
	const char *tagged = at || starts_with(s, "kernel: ") ? skip_tag(s, host, &line->foreign)
								: NULL;
	if (tagged) {
		line->stamped = true;
		s = skip_level(tagged, line);
	} else if (at && !line->foreign) {
		line->stamped = true;
		s = skip_level(s, line);
	}
	return s;
}

void text_prefix_strip(struct text_line *line)
{
	const char *s = line->text, *end = find_stamp(s, line);

	s = end ? behind_stamp(end, line) : without_stamp(s, line);
	line->length -= (size_t)(s - line->text);
	line->text += s - line->text;
}
