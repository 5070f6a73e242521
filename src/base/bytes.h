/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Foreign bytes: unaligned loads, and a cursor that cannot leave its bounds. Every parser of a
 * format reads through these, so that a hostile length can only make `bad` true. All formats that
 * we read on x86-64 are little-endian, as is the host (checked at build time below).
 */
#pragma once

#include <string.h>

#include "base/compiler.h"

static inline uint16_t load_u16(const void *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load_u32(const void *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load_u64(const void *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

/* A region of bytes and a position; reads past the end give zero and set `bad` for good. */
struct bytes {
	const uint8_t *data;
	size_t size;
	size_t pos;
	bool bad;
};

static inline struct bytes bytes_of(const void *data, size_t size)
{
	return (struct bytes){ .data = data, .size = size };
}

static inline size_t bytes_left(const struct bytes *b)
{
	return b->size - b->pos;
}

/* The next @n bytes, or NULL (and bad) when there are fewer; moves on. */
static inline const void *bytes_take(struct bytes *b, size_t n)
{
	if (b->bad || n > b->size - b->pos) {
		b->bad = true;
		return NULL;
	}
	const void *p = b->data + b->pos;
	b->pos += n;
	return p;
}

static inline void bytes_seek(struct bytes *b, size_t pos)
{
	if (pos > b->size)
		b->bad = true;
	else
		b->pos = pos;
}

static inline uint8_t bytes_u8(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 1);
	return p ? *p : 0;
}

static inline uint16_t bytes_u16(struct bytes *b)
{
	const void *p = bytes_take(b, 2);
	return p ? load_u16(p) : 0;
}

static inline uint32_t bytes_u32(struct bytes *b)
{
	const void *p = bytes_take(b, 4);
	return p ? load_u32(p) : 0;
}

static inline uint64_t bytes_u64(struct bytes *b)
{
	const void *p = bytes_take(b, 8);
	return p ? load_u64(p) : 0;
}

/* Is [offset, offset + length) inside [0, size)? Safe against overflow. */
static inline bool range_fits(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "loads assume a little-endian host");
