/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the bytes of a text to the lines that the kernel printed. Serial consoles, syslog, the
 * journal, netconsole, pstore, mail and web pages each put something around or into them, which is
 * taken off here.
 */
#pragma once

#include "base/alloc.h"
#include "base/vec.h"
#include "kernel/log.h"

/* A line without what is not the kernel's. Its text lives in the arena. */
struct text_line {
	char *text;
	size_t length;
	size_t raw_length;  /* of the line as it is in the file */
	uint64_t time_ns;
	const char *host;   /* what stands between a date and the kernel's time, as it is; NULL */
	size_t host_length;
	uint32_t caller;    /* as in struct log_record */
	uint8_t level;
	bool has_caller;
	bool stamped;       /* it had the kernel's own time, or said otherwise that it is the kernel's */
	bool has_time;
	bool foreign;       /* syslog says that it is of another program */
	bool blank_behind;  /* the line in the file ends with a blank */
	bool blank_before;  /* an empty line stands between this and the one before */
};

struct text_lines {
	vec_fields(struct text_line);
};

/* All lines that are not empty, in the order of the text (records of pstore: in order of time). */
void text_lines_read(const char *text, size_t size, struct arena *arena, struct text_lines *lines);
/* Can the kernel's lines be told from others by their time or tag? */
bool text_lines_stamped(const struct text_lines *lines);
/*
 * The log: the kernel's own lines, broken ones put together. Prose around them is left out where
 * the kernel's lines can be told from it.
 */
void text_lines_log(const struct text_lines *lines, struct arena *arena,
		    struct log_record **records, size_t *count);

/* --- text_prefix.c --- */

/* The kernel's time, "[   12.345678]", at @s; the end of it, or NULL. */
const char *text_stamp(const char *s, uint64_t *ns);
/* Takes what others put before the kernel's words off line->text. */
void text_prefix_strip(struct text_line *line);

/* --- text_clean.c --- */

/*
 * Copies a line without escape sequences, control characters, entities and tags of HTML, marks of
 * quoting. @to has room for @size + 1 bytes. Returns the length.
 */
size_t text_clean(const char *from, size_t size, char *to);
