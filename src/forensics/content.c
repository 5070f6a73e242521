// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: from left to right, each position is offered to the recognisers, the most
 * exact first; who takes it says how many bytes it has. What nobody takes is gathered until
 * somebody takes the next piece, and then looked at in bulk: words in rows, code, entropy.
 *
 * Lengths come from the bytes themselves, so every recogniser is bounded by the view.
 */
#include "forensics/content.h"

#include <stdio.h>

#include "forensics/content_part.h"

static const recogniser_fn recognisers[] = {
	content_packet,
	content_file,
	content_fill,
	content_text,
	content_utf16,
};

const char *content_kind_name(enum content_kind kind)
{
	static const char *const names[CONTENT_COUNT] = {
		[CONTENT_MISSING] = "missing",
		[CONTENT_DATA] = "data",
		[CONTENT_ZERO] = "zero",
		[CONTENT_FILL] = "fill",
		[CONTENT_POISON] = "poison",
		[CONTENT_TEXT] = "text",
		[CONTENT_UTF16] = "UTF-16 text",
		[CONTENT_POINTERS] = "pointers",
		[CONTENT_PTES] = "page-table entries",
		[CONTENT_NUMBERS] = "numbers",
		[CONTENT_RECORDS] = "records",
		[CONTENT_PACKET] = "packet",
		[CONTENT_ELF] = "ELF",
		[CONTENT_FILE] = "file",
		[CONTENT_CODE] = "code",
		[CONTENT_RANDOM] = "random or compressed",
	};

	return kind < CONTENT_COUNT ? names[kind] : "?";
}

const char *pointer_kind_name(enum pointer_kind kind)
{
	static const char *const names[POINTER_COUNT] = {
		[POINTER_NONE] = "nothing",
		[POINTER_CODE] = "code",
		[POINTER_IMAGE] = "variables",
		[POINTER_MEMORY] = "memory",
		[POINTER_VMALLOC] = "vmalloc memory",
		[POINTER_PAGE] = "struct page",
		[POINTER_USER] = "user space",
	};

	return kind < POINTER_COUNT ? names[kind] : "?";
}

void content_add(const struct content_view *v, size_t from, size_t to,
		 const struct content_run *run, struct content *content)
{
	if (from >= to)
		return;
	vec_push(content, *run);
	struct content_run *last = &content->data[content->count - 1];
	last->address = v->address + from;
	last->size = to - from;
}

void content_runs(const struct content_env *env, uint64_t address, const uint8_t *bytes,
		  size_t size, struct content *content)
{
	struct content_view v = { env, address, bytes, size };
	size_t at = 0, open = 0; /* [open, at) is not taken by anybody */

	while (at < size) {
		struct content_run run = { 0 };
		size_t taken = 0;
		for (size_t i = 0; i < array_size(recognisers) && !taken; i++)
			taken = recognisers[i](&v, at, &run);
		if (!taken) {
			at++;
			continue;
		}
		taken = min_u64(taken, size - at);
		content_bulk(&v, open, at, content);
		content_add(&v, at, at + taken, &run, content);
		at += taken;
		open = at;
	}
	content_bulk(&v, open, size, content);
}

void content_deinit(struct content *content)
{
	vec_deinit(content);
}

void content_quote(const uint8_t *from, size_t size, char *buf, size_t buf_size)
{
	size_t room = buf_size > 6 ? buf_size - 6 : 0, n = 0;
	bool cut = size > room;

	if (!room) {
		if (buf_size)
			*buf = '\0';
		return;
	}
	buf[n++] = '"';
	for (size_t i = 0; i < (cut ? room : size); i++)
		buf[n++] = from[i] >= ' ' && from[i] < 0x7f ? (char)from[i] : '.';
	buf[n++] = '"';
	for (unsigned i = 0; cut && i < 3; i++)
		buf[n++] = '.';
	buf[n] = '\0';
}
