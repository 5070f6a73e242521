// SPDX-License-Identifier: LGPL-2.1-or-later
/* What bytes look like: each kind made by hand, its borders, and what is nearly it but not quite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "forensics/content.h"

enum { SIZE = 4096 };
#define BASE UINT64_C(0xffff888000100000)

static uint8_t bytes[SIZE];
static struct content found;

static enum pointer_kind pointer(unused_arg void *ctx, uint64_t value)
{
	return value >> 32 == 0xffff8880   ? POINTER_MEMORY
	       : value >> 24 == 0xffffffff81 ? POINTER_CODE
					     : POINTER_NONE;
}

static const struct content_env env = { .pointer = pointer, .max_pfn = 0x10000 };

static void look(size_t size)
{
	content_deinit(&found);
	content_runs(&env, BASE, bytes, size, &found);
}

static void expect(size_t i, enum content_kind kind, uint64_t from, uint64_t size)
{
	assert_true(i < found.count);
	if (found.data[i].kind != kind)
		fail_msg("run %zu is %s (%s)", i, content_kind_name(found.data[i].kind),
			 found.data[i].text);
	assert_int_equal(found.data[i].address - BASE, from);
	assert_int_equal(found.data[i].size, size);
}

static void put_word(size_t at, uint64_t word)
{
	memcpy(bytes + at, &word, sizeof(word));
}

/* Numbers that look like nothing: every other byte is no text, words are no pointers. */
static void plain_data(size_t from, size_t to)
{
	for (size_t at = from; at + 8 <= to; at += 8)
		put_word(at, UINT64_C(0x0100000203000405) + at * at * 7919);
}

static void test_fills(unused_arg void **ctx)
{
	memset(bytes, 0, 256);
	memset(bytes + 256, 0x6b, 127);
	bytes[383] = 0xa5;
	memset(bytes + 384, 0xff, 128);
	memset(bytes + 512, 0xcc, 64);
	look(576);
	assert_int_equal(found.count, 4);
	expect(0, CONTENT_ZERO, 0, 256);
	expect(1, CONTENT_POISON, 256, 128);
	assert_non_null(strstr(found.data[1].text, "POISON_FREE"));
	expect(2, CONTENT_FILL, 384, 128);
	expect(3, CONTENT_POISON, 512, 64);
}

static void test_text_and_its_borders(unused_arg void **ctx)
{
	static const char text[] = "a first line of text\nand a second one";

	plain_data(0, 512);
	memcpy(bytes + 203, text, sizeof(text) - 1);
	bytes[202] = 1;
	bytes[203 + sizeof(text) - 1] = 2;
	look(512);
	expect(1, CONTENT_TEXT, 203, sizeof(text) - 1);
	assert_int_equal(found.data[1].count, 2);
	/* Strings with padding between them are one run; the last NUL is not part of it. */
	memset(bytes, 0, 512);
	memcpy(bytes, "first string of it\0\0\0\0\0\0second string of it", 43);
	look(512);
	expect(0, CONTENT_TEXT, 0, 43);
	assert_non_null(strstr(found.data[0].text, "2 strings"));
	/* Bytes in the range of text that are none. */
	for (size_t i = 0; i < 64; i++)
		bytes[i] = (uint8_t)"+*/%&(!<"[i % 8];
	look(64);
	assert_int_not_equal(found.data[0].kind, CONTENT_TEXT);
}

static void test_words(unused_arg void **ctx)
{
	for (size_t i = 0; i < 16; i++) {
		put_word(8 * i, UINT64_C(0xffffffff81000000) + i * i * 16);
		put_word(128 + 8 * i, (UINT64_C(0x1000) + i) << 12 | 0x63);
		put_word(256 + 8 * i, (UINT64_C(0x100000) + i) << 12 | 1);
	}
	look(384);
	assert_int_equal(found.count, 3);
	expect(0, CONTENT_POINTERS, 0, 128);
	expect(1, CONTENT_PTES, 128, 128);
	/* The same with page frames that there are not: numbers. */
	expect(2, CONTENT_NUMBERS, 256, 128);
}

/* A table of modules' pages: code, constants, data, a hole; but odd numbers are no entries. */
static void test_page_tables_of_many_sorts(unused_arg void **ctx)
{
	static const uint64_t sorts[] = { 0x161, UINT64_C(1) << 63 | 0x161,
					  UINT64_C(1) << 63 | 0x163, 0 };

	for (size_t i = 0; i < 16; i++)
		put_word(8 * i, sorts[i % 4] ? (UINT64_C(0x1000) + i) << 12 | sorts[i % 4] : 0);
	look(120);
	assert_int_equal(found.count, 1);
	expect(0, CONTENT_PTES, 0, 120);
	assert_non_null(strstr(found.data[0].text, "12 entries"));
	assert_non_null(strstr(found.data[0].text, "mostly"));
	for (size_t i = 0; i < 16; i++)
		put_word(8 * i, UINT64_C(0x1001003) + i * i * 0x1236);
	look(128);
	for (size_t i = 0; i < found.count; i++)
		assert_int_not_equal(found.data[i].kind, CONTENT_PTES);
}

static void test_records(unused_arg void **ctx)
{
	for (size_t at = 0; at + 24 <= 960; at += 24) {
		put_word(at, BASE + at * 3);
		put_word(at + 8, at % 72);
		put_word(at + 16, UINT64_C(0x1234567800000000) + at * at);
	}
	look(960);
	assert_int_equal(found.count, 1);
	expect(0, CONTENT_RECORDS, 0, 960);
	assert_int_equal(found.data[0].stride, 24);
	assert_int_equal(found.data[0].count, 40);
}

/* A right IPv4 header, then the same with one bit changed. */
static void test_header_checksum(unused_arg void **ctx)
{
	static const uint8_t packet[] = {
		0x45, 0, 0, 32, 0, 7, 0, 0, 64, 17, 0x62, 0xc2, 10, 0, 2, 3, 10, 0, 2, 2,
		0x9c, 0x40, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4,
	};

	memset(bytes, 0, 256);
	memcpy(bytes + 64, packet, sizeof(packet));
	look(256);
	expect(1, CONTENT_PACKET, 64, sizeof(packet));
	assert_non_null(strstr(found.data[1].text, "10.0.2.3 to 10.0.2.2, UDP port 40000 to 53"));
	bytes[64 + 15] ^= 1;
	look(256);
	for (size_t i = 0; i < found.count; i++)
		assert_int_not_equal(found.data[i].kind, CONTENT_PACKET);
}

static void test_noise_and_data(unused_arg void **ctx)
{
	uint64_t state = 88172645463325252u;

	for (size_t at = 0; at < 2048; at += 8) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		put_word(at, state * UINT64_C(0x9e3779b97f4a7c15));
	}
	look(2048);
	assert_int_equal(found.count, 1);
	expect(0, CONTENT_RANDOM, 0, 2048);
	plain_data(0, 2048);
	look(2048);
	for (size_t i = 0; i < found.count; i++)
		assert_int_not_equal(found.data[i].kind, CONTENT_RANDOM);
}

static void test_nothing(unused_arg void **ctx)
{
	look(0);
	assert_int_equal(found.count, 0);
	memset(bytes, 'a', 1);
	look(1);
	expect(0, CONTENT_DATA, 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fills),
		cmocka_unit_test(test_text_and_its_borders),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_page_tables_of_many_sorts),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_header_checksum),
		cmocka_unit_test(test_noise_and_data),
		cmocka_unit_test(test_nothing),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	content_deinit(&found);
	return failed;
}
