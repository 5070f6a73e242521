// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Is a text in memory what the kernel log says? Each of its lines is looked for in all messages,
 * first as it is, then without what programs put in front of a message that they pass on: "<6>",
 * "[    1.234567] ", "Nov 21 11:02:21 host kernel: ", "6,1234,567890,-;". A line that is cut at an
 * end of the text counts as well, as far as it is there.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "forensics/content_memory.h"
#include "forensics/content_part.h"
#include "kernel/log.h"

enum {
	LINE_MIN = 12,      /* shorter ones are found by chance */
	LINES_MAX = 2000,
	PREFIX_MAX = 80,
	PREFIXES_MAX = 4,   /* a prefix of the message itself ("usb 1-1: ") must not be taken away */
	MESSAGES_MAX = 16 << 20,
};

struct messages {
	struct strbuf all;         /* each with a line end before and behind it */
	size_t *start;             /* of each record in it */
	const struct log_record *records;
	size_t count;
};

static void gather(struct session *s, struct messages *m)
{
	const char *error;

	m->records = kernel_log(s, &m->count, &error);
	m->start = xcalloc(m->count, sizeof(*m->start));
	for (size_t i = 0; i < m->count; i++) {
		if (m->all.len > MESSAGES_MAX) {
			m->count = i;
			break;
		}
		m->start[i] = m->all.len;
		strbuf_add_n(&m->all, m->records[i].text, m->records[i].length);
		strbuf_add_char(&m->all, '\n');
	}
}

/* The number of the record that has these bytes of its text; false: none has. */
static bool find_record(const struct messages *m, const uint8_t *line, size_t size, size_t *record)
{
	const char *at = m->all.len ? memmem(m->all.data, m->all.len, line, size) : NULL;
	size_t low = 0, high = m->count;

	if (!at)
		return false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (m->start[mid] <= (size_t)(at - m->all.data))
			low = mid + 1;
		else
			high = mid;
	}
	*record = low - 1;
	return low > 0;
}

/* Behind the last of these within reach a message can begin. */
static size_t prefix_size(const uint8_t *line, size_t size, size_t from)
{
	static const char *const ends[] = { "] ", ": ", ">", ";" };

	for (size_t i = from; i < min_u64(size, PREFIX_MAX); i++) {
		for (size_t k = 0; k < array_size(ends); k++) {
			size_t n = strlen(ends[k]);
			if (i + n <= size && memcmp(line + i, ends[k], n) == 0)
				return i + n;
		}
	}
	return 0;
}

static bool find_line(const struct messages *m, const uint8_t *line, size_t size, size_t *record)
{
	size_t from = 0;

	if (find_record(m, line, size, record))
		return true;
	for (unsigned i = 0; i < PREFIXES_MAX; i++) {
		from = prefix_size(line, size, from);
		if (!from || size - from < LINE_MIN)
			return false;
		if (find_record(m, line + from, size - from, record))
			return true;
	}
	return false;
}

static bool begins_record(const struct log_record *records, size_t count, const uint8_t *line,
			  size_t size)
{
	for (size_t i = 0; i < count; i++) {
		if (records[i].length >= size && memcmp(records[i].text, line, size) == 0)
			return true;
	}
	return false;
}

bool content_begins_in_log(struct session *s, const uint8_t *text, size_t size)
{
	const char *error;
	size_t count, length = 0, from = 0;
	const struct log_record *records = kernel_log(s, &count, &error);

	while (length < size && text[length] != '\n' && content_is_text(text[length]))
		length++;
	for (unsigned i = 0; i <= PREFIXES_MAX && length - from >= LINE_MIN; i++) {
		if (begins_record(records, count, text + from, length - from))
			return true;
		from = prefix_size(text, length, from);
		if (!from)
			break;
	}
	return false;
}

static void note_found(const struct messages *m, size_t record, struct text_log *log)
{
	const struct log_record *r = &m->records[record];

	if (!log->found || r->sequence < log->first_sequence) {
		log->first_sequence = r->sequence;
		log->first_ns = r->time_ns;
	}
	if (!log->found || r->sequence > log->last_sequence) {
		log->last_sequence = r->sequence;
		log->last_ns = r->time_ns;
	}
	log->found++;
}

void content_text_in_log(struct session *s, const uint8_t *text, size_t size, struct text_log *log)
{
	struct messages m = { 0 };
	size_t start = 0;

	*log = (struct text_log){ 0 };
	gather(s, &m);
	auto_free uint8_t *seen = xcalloc(m.count + 1, 1);
	while (start < size && log->lines < LINES_MAX && !session_stopped(s)) {
		size_t length = 0, record;
		while (start + length < size && text[start + length] != '\n' &&
		       text[start + length])
			length++;
		const uint8_t *line = text + start;
		start += length + 1;
		while (length && (line[length - 1] == '\r' || line[length - 1] == ' '))
			length--;
		if (length < LINE_MIN)
			continue;
		log->lines++;
		if (find_line(&m, line, length, &record)) {
			if (!log->found)
				content_quote(line, length, log->example, sizeof(log->example));
			note_found(&m, record, log);
			log->records += !seen[record];
			seen[record] = 1;
		} else if (!log->missing[0]) {
			content_quote(line, length, log->missing, sizeof(log->missing));
		}
	}
	free(m.start);
	strbuf_deinit(&m.all);
}
