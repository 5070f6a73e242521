// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Lines of a text, and the log that they make.
 *
 * Where most of the kernel's lines can be told by their time or tag, a line without is part of the
 * one before it (a message of several lines, or a line that a terminal or mail program broke), or
 * somebody's prose. Prose is left out: a sentence that quotes "kernel BUG at ..." is no bug.
 */
#include "kernel/text_lines.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

enum {
	LONG_LINE = 400,   /* a page that lost its line ends has such */
	STAMPED_MIN = 4,   /* so many lines with a time make a log of them */
	WRAP_MIN = 60, WRAP_MAX = 512,
	JOIN_MAX = 64 << 10,
};

/* --- Lines. --- */

static void add_line(struct text_lines *lines, struct arena *arena, const char *from, size_t size,
		     bool *blank)
{
	struct text_line line = { .level = 4, .raw_length = size };

	line.text = arena_alloc(arena, size + 1);
	line.length = text_clean(from, size, line.text);
	text_prefix_strip(&line);
	line.blank_behind = line.length && line.text[line.length - 1] == ' ';
	while (line.length && line.text[line.length - 1] == ' ')
		line.text[--line.length] = '\0';
	if (!line.length && !line.stamped) {
		*blank = true;
		return;
	}
	line.blank_before = *blank;
	*blank = false;
	vec_push(lines, line);
}

/* Keys of crash's banner and stacks: where a page has lost its line ends, a new one is meant. */
static const char *const crash_keys[] = {
	"KERNEL: ", "DUMPFILE: ", "CPUS: ", "DATE: ", "UPTIME: ", "LOAD AVERAGE: ", "TASKS: ",
	"NODENAME: ", "RELEASE: ", "VERSION: ", "MACHINE: ", "MEMORY: ", "PANIC: ", "PID: ",
	"[exception RIP: ", "RIP: ", "crash> ",
};

static bool starts_new(const char *s)
{
	uint64_t ns;

	if (*s == '[' && text_stamp(s, &ns))
		return true;
	if (*s == '#' && isdigit((unsigned char)s[1])) {
		s += 1 + strspn(s + 1, "0123456789");
		return starts_with(s, " [");
	}
	if (!isupper((unsigned char)*s) && *s != '[' && *s != 'c')
		return false;
	for (size_t i = 0; i < array_size(crash_keys); i++) {
		if (starts_with(s, crash_keys[i]))
			return true;
	}
	return false;
}

/* Two CPUs, or a lost line end: the kernel's time stands in the line a second time. */
static bool has_second_stamp(const char *s, size_t size)
{
	const char *end = s + size;
	unsigned found = 0;
	uint64_t ns;

	while ((s = memchr(s, '[', (size_t)(end - s)))) {
		/* The line end behind it stops the parser. */
		if (end - s > 8 && text_stamp(s, &ns) && ++found == 2)
			return true;
		s++;
	}
	return false;
}

/* A very long line is looked through for what should have begun a line. */
static void add_long(struct text_lines *lines, struct arena *arena, const char *from, size_t size,
		     bool *blank)
{
	char *copy = arena_strndup(arena, from, size);
	size_t start = 0, length = strlen(copy), stamps = 0;
	uint64_t ns;

	stamps += text_stamp(copy, &ns) != NULL;
	for (size_t i = 1; i < length; i++) {
		bool stamp = copy[i] == '[' && text_stamp(copy + i, &ns);
		if (!stamp && (copy[i - 1] != ' ' || !starts_new(copy + i)))
			continue;
		/* What stands before the first time is its prefix. */
		if (stamp && !stamps++)
			continue;
		add_line(lines, arena, copy + start, i - start, blank);
		start = i;
	}
	add_line(lines, arena, copy + start, length - start, blank);
}

static void read_range(const char *text, size_t size, struct arena *arena, struct text_lines *lines)
{
	const char *end = text + size;
	bool blank = false;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop ? stop : end) - text);
		const char *from = text;
		text = stop ? stop + 1 : end;
		while (n && from[n - 1] == '\r')
			n--;
		/* What a bare return leads to was written over the line, or is one of its own. */
		const char *bare;
		while ((bare = memchr(from, '\r', n))) {
			if (bare > from)
				add_line(lines, arena, from, (size_t)(bare - from), &blank);
			n -= (size_t)(bare + 1 - from);
			from = bare + 1;
		}
		if (n > LONG_LINE || has_second_stamp(from, n))
			add_long(lines, arena, from, n, &blank);
		else
			add_line(lines, arena, from, n, &blank);
	}
}

/* --- Records of pstore: "Panic#1 Part2", the last part of the log first. --- */

struct part {
	const char *text;
	size_t size;
	uint64_t dump, part;
	size_t order;
};

/* The header line of a part at @s; behind it, or NULL. */
static const char *part_header(const char *s, struct part *part)
{
	static const char *const reasons[] = { "Panic#", "Oops#", "Emergency#", "Emerg#", "Restart#",
					       "Shutdown#", "Halt#", "Poweroff#", "Unknown#" };

	for (size_t i = 0; i < array_size(reasons); i++) {
		char *end;
		if (!starts_with(s, reasons[i]))
			continue;
		part->dump = strtoull(s + strlen(reasons[i]), &end, 10);
		if (!starts_with(end, " Part"))
			return NULL;
		part->part = strtoull(end + 5, &end, 10);
		while (*end == ' ' || *end == '\r')
			end++;
		return *end == '\n' ? end + 1 : NULL;
	}
	return NULL;
}

static int compare_parts(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->dump != y->dump)
		return x->dump < y->dump ? -1 : 1;
	if (x->part != y->part)
		return x->part > y->part ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Lines of that host without the kernel's time: the rest of a message of several lines. */
static void strip_host(struct text_lines *lines)
{
	const struct text_line *with = NULL;

	for (size_t i = 0; i < lines->count && !with; i++)
		with = lines->data[i].host ? &lines->data[i] : NULL;
	for (size_t i = 0; i < lines->count && with; i++) {
		struct text_line *line = &lines->data[i];
		if (line->host || !line->has_time ||
		    strncmp(line->text, with->host, with->host_length - 1) != 0)
			continue;
		/* Nothing else in it. */
		line->foreign |= line->length < with->host_length;
		if (line->length < with->host_length || line->text[with->host_length - 1] != ' ')
			continue;
		line->text += with->host_length;
		line->length -= with->host_length;
		/* It goes on where the one before it ended, as a line without a time does. */
		line->stamped = line->has_time = false;
	}
}

void text_lines_read(const char *text, size_t size, struct arena *arena, struct text_lines *lines)
{
	struct {
		vec_fields(struct part);
	} parts = { 0 };
	struct part part = { .text = text };
	const char *end = text + size;

	for (const char *s = text; s < end;) {
		struct part next = { .order = parts.count + 1 };
		const char *behind = part_header(s, &next);
		if (behind) {
			part.size = (size_t)(s - part.text);
			vec_push(&parts, part);
			part = next;
			part.text = s = behind;
			continue;
		}
		s = memchr(s, '\n', (size_t)(end - s));
		s = s ? s + 1 : end;
	}
	part.size = (size_t)(end - part.text);
	vec_push(&parts, part);
	if (parts.count > 2)
		qsort(parts.data + 1, parts.count - 1, sizeof(part), compare_parts);
	for (size_t i = 0; i < parts.count; i++)
		read_range(parts.data[i].text, parts.data[i].size, arena, lines);
	strip_host(lines);
	vec_deinit(&parts);
}

/* --- The log. --- */

struct maker {
	const struct text_lines *lines;
	struct arena *arena;
	bool stamped;       /* the kernel's lines can be told */
	size_t broken;      /* the line before was broken within a word, at this length; 0: no */
	size_t wrap;        /* lines were broken at this length; 0: no */
	struct {
		vec_fields(struct log_record);
	} records;
	const struct text_line *last; /* the line before, if it was taken */
};

static bool is_hex_pair(const char *s, size_t n)
{
	return n == 2 && isxdigit((unsigned char)s[0]) && isxdigit((unsigned char)s[1]);
}

/* "8b 1f e8 <f5> f4": more of a "Code:" line. */
static bool is_code(const char *s)
{
	unsigned words = 0;

	for (;; words++) {
		s += strspn(s, " ");
		size_t n = strcspn(s, " ");
		if (!n)
			return words > 0;
		bool marked = n == 4 && (s[0] == '<' || s[0] == '(');
		/* The first may be the second half of one that was cut in two. */
		if (!is_hex_pair(s + marked, marked ? 2 : n) &&
		    !(n == 1 && isxdigit((unsigned char)*s)))
			return false;
		s += n;
	}
}

/* "ext4(E) jbd2 mbcache": more of a "Modules linked in:" line. */
static bool is_modules(const char *s)
{
	bool any = false;

	for (;;) {
		s += strspn(s, " ");
		if (!*s)
			return any;
		if (starts_with(s, "[last unloaded:"))
			return true;
		size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
		if (!n)
			return false;
		s += n;
		if (*s == '(') {
			n = strspn(s + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ+-");
			if (s[1 + n] != ')')
				return false;
			s += n + 2;
		}
		if (*s && *s != ' ')
			return false;
		any = true;
	}
}

static bool is_hex_word(const char *s)
{
	size_t n = strspn(s, "0123456789abcdefABCDEF");

	return n >= 8 && (!s[n] || s[n] == ' ');
}

static bool ends_with(const char *s, size_t length, const char *end)
{
	size_t n = strlen(end);

	return length >= n && strcmp(s + length - n, end) == 0;
}

/* How a line goes on in the next one, which has no time of its own. */
static bool goes_on(const struct log_record *record, const struct text_line *line)
{
	const char *text = record->text, *more = line->text;

	if (starts_with(text, "Code:"))
		return is_code(more);
	/* One module a line, in a column, would be a list of something else. */
	if (starts_with(text, "Modules linked in:"))
		return is_modules(more);
	if (ends_with(text, record->length, " at") || ends_with(text, record->length, "address:"))
		return is_hex_word(more) || starts_with(more, "0x");
	if (starts_with(text, "RIP: ") && starts_with(more, "[<"))
		return true;
	if ((starts_with(text, "CPU: ") || starts_with(text, "Pid: ")) &&
	    !strstr(text, "ainted"))
		return starts_with(more, "Tainted: ") || starts_with(more, "Not tainted");
	return false;
}

/* A pair of digits that was cut in two is put together, and two pairs are kept apart. */
static bool needs_blank(const struct maker *m, const struct log_record *record,
			const struct text_line *line)
{
	if (starts_with(record->text, "Code:")) {
		size_t n = record->length;
		bool half = n >= 2 && record->text[n - 2] == ' ';
		return !(half && line->text[0] && (line->text[1] == ' ' || !line->text[1]));
	}
	/*
	 * A terminal breaks lines at one length, wherever that is; whoever wraps text does so at
	 * blanks, and the lines differ.
	 */
	if (m->last && m->last->blank_behind)
		return true;
	size_t length = m->last ? m->last->raw_length : 0;
	return length < WRAP_MIN ||
	       (length != m->wrap && length != m->broken && length != line->raw_length);
}

static void join(struct maker *m, const struct text_line *line)
{
	struct log_record *record = &m->records.data[m->records.count - 1];

	if (record->length + line->length > JOIN_MAX)
		return;
	bool blank = needs_blank(m, record, line);
	m->broken = !blank && m->last ? m->last->raw_length : 0;
	record->text = arena_printf(m->arena, "%s%s%s", record->text,
				    blank ? " " : "", line->text);
	record->length = strlen(record->text);
}

static void add_record(struct maker *m, const struct text_line *line)
{
	const struct log_record *before = m->records.count ? &m->records.data[m->records.count - 1]
							   : NULL;
	struct log_record record = {
		.sequence = m->records.count,
		.time_ns = line->has_time ? line->time_ns : before ? before->time_ns : 0,
		.level = line->level,
		.caller = line->caller,
		.has_caller = line->has_caller,
		.text = line->text,
		.length = line->length,
	};

	vec_push(&m->records, record);
}

static bool is_ascii(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s >= 0x80)
			return false;
	}
	return true;
}

/* Lines of a session of crash, which stand beside the log and are read elsewhere. */
static bool is_crash(const char *s)
{
	return starts_with(s, "crash>") || starts_with(s, "[exception RIP: ") ||
	       (*s == '#' && isdigit((unsigned char)s[1])) || starts_with(s, "PID: ") ||
	       starts_with(s, "PANIC: ");
}

static void take(struct maker *m, const struct text_line *line)
{
	struct log_record *record = m->records.count ? &m->records.data[m->records.count - 1]
						     : NULL;
	bool own = line->stamped || !m->stamped;

	if (line->foreign) {
		m->last = NULL;
		return;
	}
	if (record && m->last && !line->stamped && !line->blank_before && goes_on(record, line)) {
		join(m, line);
	} else if (own && !is_crash(line->text)) {
		add_record(m, line);
	} else if (m->last && !line->blank_before && is_ascii(line->text) &&
		   !is_crash(line->text)) {
		if (m->wrap && m->last->raw_length == m->wrap)
			join(m, line);
		else
			add_record(m, line);
	} else {
		m->last = NULL;
		return;
	}
	m->last = line;
}

/* The length at which lines were broken: that of several which go on without a time. */
static size_t find_wrap(const struct text_lines *lines)
{
	uint16_t count[WRAP_MAX] = { 0 };
	size_t best = 0, longest = 0;

	for (size_t i = 0; i + 1 < lines->count; i++) {
		const struct text_line *line = &lines->data[i], *next = line + 1;
		if (line->stamped && line->raw_length > longest)
			longest = line->raw_length;
		if (!line->stamped || next->stamped || next->blank_before || next->foreign ||
		    line->raw_length < WRAP_MIN || line->raw_length >= WRAP_MAX)
			continue;
		if (count[line->raw_length] < UINT16_MAX)
			count[line->raw_length]++;
		if (count[line->raw_length] > count[best])
			best = line->raw_length;
	}
	/* No line is longer than where they were broken. */
	return count[best] >= 2 && best == longest ? best : 0;
}

bool text_lines_stamped(const struct text_lines *lines)
{
	size_t stamped = 0;

	for (size_t i = 0; i < lines->count && stamped < STAMPED_MIN; i++)
		stamped += lines->data[i].stamped;
	return stamped >= STAMPED_MIN;
}

void text_lines_log(const struct text_lines *lines, struct arena *arena,
		    struct log_record **records, size_t *count)
{
	struct maker m = { .lines = lines, .arena = arena };

	m.stamped = text_lines_stamped(lines);
	m.wrap = m.stamped ? find_wrap(lines) : 0;
	for (size_t i = 0; i < lines->count; i++)
		take(&m, &lines->data[i]);
	*records = m.records.data;
	*count = m.records.count;
}
