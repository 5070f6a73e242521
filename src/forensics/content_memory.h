/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The contents of memory of a dump: runs as in content.h, how far a text goes beyond the range
 * looked at, which lines of the kernel log it has, where else in memory the same text is.
 */
#pragma once

#include "forensics/content.h"
#include "kernel/session.h"

enum { CONTENT_SIZE_MAX = 64 << 20 };

/* The runs of [@address, @address + @size), at most CONTENT_SIZE_MAX bytes; holes are runs too. */
void content_read(struct session *s, uint64_t address, uint64_t size, struct content *content);
/* What makes words pointers in this dump; lives as long as the session. */
void content_env_of(struct session *s, struct content_env *env);

/*
 * What the pointers in a range point to, the most frequent first: "12 kmalloc-64, 3 vfs_read".
 * False when there are none that can be named.
 */
bool content_pointees(struct session *s, uint64_t address, uint64_t size, char *buf,
		      size_t buf_size);

/* A text that goes on beyond where it was found. */
struct text_extent {
	uint64_t start, end;
	bool start_unknown; /* memory in front of it is missing, or it begins still further away */
	bool end_unknown;
};
/* Of the text that holds [@address, @address + @size). */
void content_text_extent(struct session *s, uint64_t address, uint64_t size,
			 struct text_extent *extent);

/* How much of a text the kernel log has too. */
struct text_log {
	size_t lines;    /* of the text, long enough to tell something; broken ones at its ends too */
	size_t found;    /* of these, in the log */
	size_t records;  /* different records of the log that have them */
	uint64_t first_sequence, last_sequence; /* of these, by sequence */
	uint64_t first_ns, last_ns; /* when these were written */
	char example[120];          /* one that was found, quoted */
	char missing[120];          /* one that was not, quoted; "" */
};
void content_text_in_log(struct session *s, const uint8_t *text, size_t size, struct text_log *log);
/* Does a message of the kernel log begin as the first line of @text does, with a prefix or without? */
bool content_begins_in_log(struct session *s, const uint8_t *text, size_t size);

/*
 * Where a part of @text that tells something is in memory. At most @max places, in order of
 * address; returns how many there are in all. The text itself is among them.
 * Looks at all memory in the dump.
 */
struct text_needle {
	const uint8_t *text; /* in the text given */
	size_t size;
};
bool content_needle(const uint8_t *text, size_t size, struct text_needle *needle);
size_t content_find_text(struct session *s, const struct text_needle *needle, struct paddr *places,
			 size_t max);
