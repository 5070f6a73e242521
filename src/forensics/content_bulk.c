// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What shows only in bulk: machine code, and bytes without any order.
 *
 * Order is how unevenly byte values are spread over windows of 512 bytes.
 *
 * Code is what decodes for long without a byte that is no instruction, and consists mostly of what
 * compilers make. Nearly every byte begins some instruction, so the second half decides.
 */
#include <stdio.h>

#include "code/code.h"
#include "forensics/content_part.h"

enum {
	WINDOW = 512,
	CODE_MIN = 128,    /* bytes that decode one after the other */
	CODE_COMMON = 85,  /* percent of instructions that must be usual ones */
	CODE_TRIES = 16,   /* an instruction begins within so many bytes */
};

/*
 * Pairs of equal bytes in a window, in percent of what random bytes have: n (n - 1) / 256, with a
 * deviation of 4 %. Compressed data has somewhat more; structures and code have many times more.
 */
static unsigned unevenness(const uint8_t *p, size_t size)
{
	size_t counts[256] = { 0 }, pairs = 0;

	for (size_t i = 0; i < size; i++)
		pairs += counts[p[i]]++;
	return (unsigned)(pairs * 2 * 256 * 100 / (size * (size - 1)));
}

static bool is_random(const uint8_t *p, size_t size)
{
	enum { ENOUGH = 135 };

	return size >= WINDOW && unevenness(p, WINDOW) <= ENOUGH;
}

/* --- Code. --- */

/*
 * Is it an instruction that compilers use all the time? By its opcode (Intel SDM, volume 2,
 * appendix A): moves, lea, arithmetic, tests, jumps, calls, pushes, pops, returns, nop.
 */
static bool is_common(const uint8_t *p, size_t length)
{
	static const uint8_t common[] = {
		0x01, 0x03, 0x09, 0x0b, 0x21, 0x23, 0x29, 0x2b, 0x31, 0x33, 0x38, 0x39, 0x3a,
		0x3b, 0x3c, 0x3d, 0x63, 0x80, 0x81, 0x83, 0x84, 0x85, 0x88, 0x89, 0x8a, 0x8b,
		0x8d, 0x90, 0xb6, 0xb8, 0xb9, 0xba, 0xbb, 0xbe, 0xbf, 0xc1, 0xc3, 0xc6, 0xc7,
		0xcc, 0xe8, 0xe9, 0xeb, 0xf6, 0xf7, 0xff, 0xa8, 0xa9, 0x0d, 0x25,
	};
	size_t i = 0;

	while (i < length && (p[i] == 0x65 || p[i] == 0x66 || p[i] == 0xf0 || p[i] == 0xf2 ||
			      p[i] == 0xf3 || (p[i] & 0xf0) == 0x40))
		i++;
	if (i >= length)
		return false;
	/* push, pop; short jumps on a condition */
	if ((p[i] & 0xf0) == 0x50 || (p[i] & 0xf0) == 0x70)
		return true;
	if (p[i] == 0x0f && i + 1 < length) {
		uint8_t second = p[i + 1];
		return (second & 0xf0) == 0x80 || (second & 0xf0) == 0x90 ||
		       (second & 0xf0) == 0x40 || second == 0x1f || second == 0x0b ||
		       second == 0xb6 || second == 0xb7 || second == 0xbe || second == 0x1e;
	}
	return memchr(common, p[i], sizeof(common)) != NULL;
}

/* Code from @from on: its end, or @from. */
static size_t code_from(const struct content_view *v, size_t from, size_t to, size_t *count)
{
	size_t at = from, all = 0, common = 0, calls = 0;
	struct insn insn;

	while (at < to && code_decode(v->bytes + at, to - at, v->address + at, &insn)) {
		common += is_common(v->bytes + at, insn.length);
		calls += insn.kind == INSN_CALL || insn.kind == INSN_RETURN ||
			 insn.kind == INSN_JUMP;
		at += insn.length;
		all++;
	}
	*count = all;
	/* Code goes somewhere, and not with every instruction. */
	bool code = at - from >= CODE_MIN && common * 100 >= all * CODE_COMMON &&
		    calls * 40 >= all && calls * 2 < all && all * 8 >= at - from;
	return code ? at : from;
}

/* The best code that begins near @from: its bounds; false: none. */
static bool find_code(const struct content_view *v, size_t from, size_t to, size_t *start,
		      size_t *end, size_t *count)
{
	size_t best = 0;

	for (size_t at = from; at < to && at < from + CODE_TRIES; at++) {
		size_t n, stop = code_from(v, at, to, &n);
		/* Wrong beginnings fall in step with the right one soon; then the earliest wins. */
		if (stop - at <= best)
			continue;
		best = stop - at;
		*start = at;
		*end = stop;
		*count = n;
	}
	return best > 0;
}

static void plain_data(const struct content_view *v, size_t from, size_t to,
		       struct content *content)
{
	struct content_run run = { .kind = CONTENT_DATA };

	if (from >= to)
		return;
	size_t zeroes = 0;
	while (zeroes < to - from && !v->bytes[from + zeroes])
		zeroes++;
	if (zeroes == to - from) {
		run.kind = CONTENT_ZERO;
		snprintf(run.text, sizeof(run.text), "zeroes");
		content_add(v, from, to, &run, content);
		return;
	}
	run.stride = content_stride(v, from, to);
	content_describe(v, from, to, run.text, sizeof(run.text));
	if (run.stride) {
		char each[160];
		content_describe(v, from, from + run.stride, each, sizeof(each));
		run.kind = CONTENT_RECORDS;
		run.count = (to - from) / run.stride;
		snprintf(run.text, sizeof(run.text), "%llu records of %u bytes; the first: %s",
			 (unsigned long long)run.count, run.stride, each);
	}
	content_add(v, from, to, &run, content);
}

/* Code, and data around it. */
static void code_or_data(const struct content_view *v, size_t from, size_t to,
			 struct content *content)
{
	size_t at = from, open = from, start, end, count;

	while (to - at >= CODE_MIN) {
		if (!find_code(v, at, to, &start, &end, &count)) {
			at += CODE_TRIES;
			continue;
		}
		struct content_run run = { .kind = CONTENT_CODE, .count = count };
		snprintf(run.text, sizeof(run.text), "%zu instructions", count);
		plain_data(v, open, start, content);
		content_add(v, start, end, &run, content);
		at = open = end;
	}
	plain_data(v, open, to, content);
}

/* Windows of random bytes, and what is between them. */
static void random_or_less(const struct content_view *v, size_t from, size_t to,
			   struct content *content)
{
	size_t at = from, open = from;

	while (at < to) {
		size_t end = at;
		while (to - end >= WINDOW && is_random(v->bytes + end, to - end))
			end += WINDOW;
		if (end == at) {
			at += 64;
			continue;
		}
		/* Less than a window is left: the last bytes are judged together with those before. */
		if (to - end < WINDOW && is_random(v->bytes + to - WINDOW, WINDOW))
			end = to;
		struct content_run run = { .kind = CONTENT_RANDOM };
		snprintf(run.text, sizeof(run.text),
			 "no order in the bytes: random, encrypted or compressed");
		code_or_data(v, open, at, content);
		content_add(v, at, end, &run, content);
		at = open = end;
	}
	code_or_data(v, open, to, content);
}

void content_bulk(const struct content_view *v, size_t from, size_t to, struct content *content)
{
	if (from < to)
		content_words(v, from, to, random_or_less, content);
}
