// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: an LZO1X stream is a sequence of instructions, each a byte with a kind in
 * its high bits: copy literals from the input, or copy a match from the output. Every match
 * instruction ends in two bits that say how many literals (0-3) follow it; that count is the
 * `state` in which the next byte is read, 4 after a run of literals of its own. The stream ends
 * with a match of distance 16384 (written 11 00 00).
 *
 * Copies go 16 bytes at a time and may then write past the piece that they copy, never past the
 * end of the buffers: near those, bytes are copied one by one.
 *
 * Source of the format: the kernel's Documentation/staging/lzo.rst. (Bit stream version 1, LZO-RLE,
 * is used by zram only.) Checked against liblzo2 by fuzz/fuzz_lzo.c.
 */
#include "dump/lzo.h"

#include <string.h>

#include "base/bytes.h"

enum { WIDE = 16 };

struct lzo {
	const uint8_t *in, *in_end;
	uint8_t *out, *out_start, *out_end;
};

static inline bool copy_literals(struct lzo *z, size_t len)
{
	size_t in_left = (size_t)(z->in_end - z->in), out_left = (size_t)(z->out_end - z->out);

	if (len > in_left || len > out_left)
		return false;
	if (in_left - len >= WIDE && out_left - len >= WIDE) {
		for (size_t i = 0; i < len; i += WIDE)
			memcpy(z->out + i, z->in + i, WIDE);
	} else if (len) {
		memcpy(z->out, z->in, len);
	}
	z->in += len;
	z->out += len;
	return true;
}

static inline bool copy_match(struct lzo *z, size_t distance, size_t len)
{
	size_t out_left = (size_t)(z->out_end - z->out);

	if (distance > (size_t)(z->out - z->out_start) || len > out_left)
		return false;
	const uint8_t *from = z->out - distance;
	if (distance >= WIDE && out_left - len >= WIDE) {
		for (size_t i = 0; i < len; i += WIDE)
			memcpy(z->out + i, from + i, WIDE);
	} else if (distance >= 8 && out_left - len >= 8) {
		for (size_t i = 0; i < len; i += 8)
			memcpy(z->out + i, from + i, 8);
	} else if (distance == 1) {
		memset(z->out, *from, len);
	} else {
		for (size_t i = 0; i < len; i++)
			z->out[i] = from[i];
	}
	z->out += len;
	return true;
}

/* A length that did not fit into its instruction: zero bytes count 255 each, the next is added. */
static inline bool long_length(struct lzo *z, size_t *len)
{
	while (z->in < z->in_end) {
		uint8_t byte = *z->in++;
		*len += byte ? byte : 255;
		if (byte)
			return true;
	}
	return false;
}

/* Kinds 001xxxxx and 0001xxxx: a length with @mask bits, then 14 bits of distance and the state. */
static inline bool far_match(struct lzo *z, uint8_t op, uint8_t mask, size_t *distance, size_t *len,
			     unsigned *state)
{
	*len = 2 + (op & mask);
	if (!(op & mask)) {
		*len += mask;
		if (!long_length(z, len))
			return false;
	}
	if (z->in_end - z->in < 2)
		return false;
	uint16_t word = load_u16(z->in);
	z->in += 2;
	*distance += word >> 2;
	*state = word & 3;
	return true;
}

/* Kinds 1xxxxxxx and 01xxxxxx, and the short matches of 0000xxxx: one more byte of distance. */
static inline bool near_match(struct lzo *z, uint8_t op, unsigned state, size_t *distance,
			      size_t *len)
{
	if (z->in == z->in_end)
		return false;
	size_t high = *z->in++;
	if (op >= 64) {
		*len = op >= 128 ? 5 + ((op >> 5) & 3) : 3 + ((op >> 5) & 1);
		*distance = (high << 3) + ((op >> 2) & 7) + 1;
	} else {
		*len = state == 4 ? 3 : 2;
		*distance = (high << 2) + (op >> 2) + (state == 4 ? 2049 : 1);
	}
	return true;
}

/* The first byte may be a run of literals with a short form of its own. */
static bool first_literals(struct lzo *z, unsigned *state)
{
	if (z->in == z->in_end || *z->in < 18)
		return true;
	size_t len = *z->in++ - 17u;
	*state = len < 4 ? (unsigned)len : 4;
	return copy_literals(z, len);
}

static bool run(struct lzo *z)
{
	unsigned state = 0;

	if (!first_literals(z, &state))
		return false;
	while (z->in < z->in_end) {
		uint8_t op = *z->in++;
		size_t len, distance;
		if (op < 16 && state == 0) {
			len = 3u + op;
			if (!op) {
				len += 15;
				if (!long_length(z, &len))
					return false;
			}
			if (!copy_literals(z, len))
				return false;
			state = 4;
			continue;
		}
		if (op >= 64 || op < 16) {
			if (!near_match(z, op, state, &distance, &len))
				return false;
			state = op & 3;
		} else if (op >= 32) {
			distance = 1;
			if (!far_match(z, op, 31, &distance, &len, &state))
				return false;
		} else {
			distance = 16384 + ((op & 8u) << 11);
			if (!far_match(z, op, 7, &distance, &len, &state))
				return false;
			if (distance == 16384)
				return z->in == z->in_end;
		}
		if (!copy_match(z, distance, len) || !copy_literals(z, state))
			return false;
	}
	return false;
}

bool lzo_decompress(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
		    size_t *out_len)
{
	struct lzo z = {
		.in = in,
		.in_end = in + in_size,
		.out = out,
		.out_start = out,
		.out_end = out + out_size,
	};

	if (!run(&z))
		return false;
	*out_len = (size_t)(z.out - out);
	return true;
}
