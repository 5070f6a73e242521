// SPDX-License-Identifier: LGPL-2.1-or-later
/* The two log formats, on small logs built here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "kernel/log_decode.h"

enum { BASE = 0x1000, SIZE = 8192 };

/* Where things are in the image, and the layout of 6.12. */
enum { DESCS = 0x100, INFOS = 0x400, DATA = 0x1000 };

static const struct log_ring_layout ring_layout = {
	.desc_ring = 0, .text_data_ring = 48,
	.count_bits = 0, .descs = 8, .infos = 16, .head_id = 24, .tail_id = 32,
	.desc_size = 24, .state_var = 0, .begin = 8, .next = 16,
	.info_size = 88, .seq = 0, .ts_nsec = 8, .text_len = 16, .caller_id = 20,
	.subsystem = 24, .subsystem_size = 16, .device = 40, .device_size = 48,
	.size_bits = 0, .data = 8,
};

struct image {
	uint8_t bytes[SIZE];
	uint64_t hole, hole_end; /* offsets that cannot be read */
};

static bool read_image(void *ctx, uint64_t address, void *buf, size_t size)
{
	const struct image *image = ctx;

	if (address < BASE || !range_fits(address - BASE, size, SIZE))
		return false;
	uint64_t from = address - BASE;
	if (from < image->hole_end && from + size > image->hole)
		return false;
	memcpy(buf, image->bytes + from, size);
	return true;
}

static void put64(struct image *image, size_t at, uint64_t value)
{
	memcpy(image->bytes + at, &value, sizeof(value));
}

/* Record @id with @text at positions [begin, next) of a ring of 2^8 bytes; 8 descriptors. */
static void put_record(struct image *image, uint64_t id, unsigned state, uint64_t begin,
		       uint64_t next, uint64_t seq, const char *text, unsigned flags)
{
	size_t desc = DESCS + (id & 7) * 24, info = INFOS + (id & 7) * 88;
	bool wraps = (begin & ~(uint64_t)255) != (next & ~(uint64_t)255) && next & 255;
	size_t at = DATA + (wraps ? 0 : begin & 255);
	uint16_t length = (uint16_t)strlen(text);

	put64(image, desc, id | (uint64_t)state << 62);
	put64(image, desc + 8, begin);
	put64(image, desc + 16, next);
	put64(image, info, seq);
	put64(image, info + 8, seq * 1000);
	memcpy(image->bytes + info + 16, &length, 2);
	image->bytes[info + 18] = 3;
	image->bytes[info + 19] = (uint8_t)(6 << 5 | flags);
	image->bytes[info + 20] = 42;
	if (!(begin & 1)) {
		put64(image, at, id);
		memcpy(image->bytes + at + 8, text, length);
	}
}

static void put_ring(struct image *image, uint64_t tail, uint64_t head)
{
	put64(image, 0, 3); /* count_bits */
	put64(image, 8, BASE + DESCS);
	put64(image, 16, BASE + INFOS);
	put64(image, 24, head);
	put64(image, 32, tail);
	put64(image, 48, 8); /* size_bits */
	put64(image, 56, BASE + DATA);
}

static struct log_records decode_ring(struct image *image, struct arena *arena)
{
	struct log_records records = { .arena = arena, .text_max = 1 << 20 };
	const struct log_reader reader = { read_image, image };

	log_decode_ring(&reader, &ring_layout, BASE, &records);
	return records;
}

static void ring_wraps_and_skips(void **state)
{
	(void)state;
	struct image image = { 0 };
	struct arena arena = { 0 };
	/* Ids run over the end of their 62 bits. */
	const uint64_t top = (UINT64_C(1) << 62) - 2;

	put_ring(&image, top, 4);
	put_record(&image, top, 2, 552, 568, 7, "first", 2);
	put_record(&image, top + 1, 3, 608, 624, 8, "reused", 2);  /* free: not a record */
	put_record(&image, 0, 2, 64, 88, 9, "sub", 0);
	memcpy(image.bytes + INFOS + 24, "pci", 4);
	memcpy(image.bytes + INFOS + 40, "+pci:0000", 10);
	put_record(&image, 1, 1, 240, 256 + 24, 10, "wrapped block", 8); /* committed */
	put_record(&image, 2, 2, 3, 3, 11, "", 2);                       /* an empty line */
	put_record(&image, 3, 2, 1, 1, 12, "", 2);                       /* there was no room */
	put_record(&image, 4, 2, 232, 256, 13, "to the very end", 2);    /* new kernels */
	struct log_records r = decode_ring(&image, &arena);
	assert_int_equal(r.count, 5);
	assert_false(r.cut);
	assert_int_equal(r.lost, 1);
	assert_string_equal(r.data[0].text, "first");
	assert_int_equal(r.data[0].level, 6);
	assert_int_equal(r.data[0].facility, 3);
	assert_int_equal(r.data[0].caller, 42);
	assert_int_equal(r.data[0].time_ns, 7000);
	assert_null(r.data[0].subsystem);
	assert_string_equal(r.data[1].text, "sub");
	assert_string_equal(r.data[1].subsystem, "SUBSYSTEM=pci");
	assert_string_equal(r.data[1].device, "DEVICE=+pci:0000");
	assert_true(r.data[1].continued);
	assert_string_equal(r.data[2].text, "wrapped block");
	assert_false(r.data[2].continued);
	assert_string_equal(r.data[3].text, "");
	assert_string_equal(r.data[4].text, "to the very end");
	free(r.data);
	arena_deinit(&arena);
}

static void ring_with_damage(void **state)
{
	(void)state;
	struct image image = { 0 };
	struct arena arena = { 0 };

	put_ring(&image, 0, 3);
	put_record(&image, 1, 2, 16, 1000, 1, "block over laps", 2);
	put_record(&image, 0, 2, 0, 16, 0, "good", 2);
	put_record(&image, 2, 2, 32, 64, 2, "another's block", 2);
	put64(&image, DATA + 32, 77);
	put_record(&image, 3, 2, 64, 96, 3, "in a hole", 2);
	image.hole = DATA + 70;
	image.hole_end = DATA + 80;
	struct log_records r = decode_ring(&image, &arena);
	assert_int_equal(r.count, 1);
	assert_int_equal(r.lost, 3);
	free(r.data);

	/* Sizes out of all bounds. */
	put64(&image, 0, 60);
	r = decode_ring(&image, &arena);
	assert_int_equal(r.count, 0);
	assert_true(r.cut);
	arena_deinit(&arena);
}

static const struct log_buffer_layout buffer_layout = {
	.header_size = 16, .ts_nsec = 0, .len = 8, .text_len = 10, .dict_len = 12,
	.caller_id = LOG_NO_MEMBER,
};

static size_t put_old(struct image *image, size_t at, const char *text, const char *dict,
		      size_t dict_size)
{
	uint16_t text_len = (uint16_t)strlen(text), dict_len = (uint16_t)dict_size;
	uint16_t len = (uint16_t)((16u + text_len + dict_len + 7u) & ~7u);

	put64(image, at, 5000);
	memcpy(image->bytes + at + 8, &len, 2);
	memcpy(image->bytes + at + 10, &text_len, 2);
	memcpy(image->bytes + at + 12, &dict_len, 2);
	image->bytes[at + 14] = 1;
	image->bytes[at + 15] = 4 << 5;
	memcpy(image->bytes + at + 16, text, text_len);
	memcpy(image->bytes + at + 16 + text_len, dict, dict_size);
	return at + len;
}

static void old_buffer(void **state)
{
	(void)state;
	struct image image = { 0 };
	struct arena arena = { 0 };
	const struct log_reader reader = { read_image, &image };
	struct log_records r = { .arena = &arena, .text_max = 1 << 20 };
	static const char dict[] = "SUBSYSTEM=pci\0DEVICE=+pci:1";
	struct log_buffer buffer = { .address = BASE, .size = 4096, .first_seq = 100 };

	buffer.first = 2048;
	(void)put_old(&image, put_old(&image, 2048, "older", dict, sizeof(dict) - 1), "last", "", 0);
	/* A header of length 0 follows: go on at the start. */
	buffer.next = (uint32_t)put_old(&image, 0, "newest", "", 0);
	log_decode_buffer(&reader, &buffer_layout, &buffer, &r);
	assert_int_equal(r.count, 3);
	assert_false(r.cut);
	assert_string_equal(r.data[0].text, "older");
	assert_int_equal(r.data[0].sequence, 100);
	assert_int_equal(r.data[0].level, 4);
	assert_string_equal(r.data[0].subsystem, "SUBSYSTEM=pci");
	assert_string_equal(r.data[0].device, "DEVICE=+pci:1");
	assert_string_equal(r.data[2].text, "newest");
	free(r.data);

	/* An index that no record ends at must not make it go round for ever. */
	r = (struct log_records){ .arena = &arena, .text_max = 1 << 20 };
	buffer.next = 3;
	log_decode_buffer(&reader, &buffer_layout, &buffer, &r);
	assert_true(r.cut);
	free(r.data);
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring_wraps_and_skips),
		cmocka_unit_test(ring_with_damage),
		cmocka_unit_test(old_buffer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
