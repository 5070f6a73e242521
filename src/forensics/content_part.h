/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to content*.c: the bytes that are looked at, and what recognisers are. */
#pragma once

#include "base/bytes.h"
#include "base/vec.h"
#include "forensics/content.h"

struct content_view {
	const struct content_env *env;
	uint64_t address; /* of bytes[0] */
	const uint8_t *bytes;
	size_t size;
};

/*
 * Does something known begin at @at? Then fills kind, count and text of @run and returns how many
 * bytes it has, else 0. Must look at few bytes when the answer is no.
 */
typedef size_t (*recogniser_fn)(const struct content_view *v, size_t at, struct content_run *run);

size_t content_fill(const struct content_view *v, size_t at, struct content_run *run);
size_t content_text(const struct content_view *v, size_t at, struct content_run *run);
size_t content_utf16(const struct content_view *v, size_t at, struct content_run *run);
size_t content_file(const struct content_view *v, size_t at, struct content_run *run);
size_t content_packet(const struct content_view *v, size_t at, struct content_run *run);

/* content_bulk.c: the runs of what no recogniser took, [@from, @to). */
void content_bulk(const struct content_view *v, size_t from, size_t to, struct content *content);
/* Adds a run of the bytes [@from, @to) of @v with what is in @run. */
void content_add(const struct content_view *v, size_t from, size_t to,
		 const struct content_run *run, struct content *content);

/* content_words.c: pointers, entries, numbers in rows; the rest goes to @rest. */
typedef void (*content_rest_fn)(const struct content_view *v, size_t from, size_t to,
				struct content *content);
void content_words(const struct content_view *v, size_t from, size_t to, content_rest_fn rest,
		   struct content *content);
/* An array of structures? The stride in bytes, 0: none. */
unsigned content_stride(const struct content_view *v, size_t from, size_t to);
/* "12 words: 3 pointers to memory, 5 zero ..." */
void content_describe(const struct content_view *v, size_t from, size_t to, char *buf, size_t size);
