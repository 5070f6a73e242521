// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/digits.h"
#include "base/map.h"
#include "base/new_file.h"
#include "base/strbuf.h"

static void numbers(void **state)
{
	(void)state;
	uint64_t v = 7;
	assert_true(parse_u64("0x10", &v));
	assert_int_equal(v, 16);
	assert_false(parse_u64("12z", &v));
	assert_false(parse_u64("", &v));
	assert_false(parse_u64("18446744073709551616", &v));
	assert_int_equal(v, 16);
	assert_true(parse_hex("ffffffffffffffff", &v));
	assert_true(v == UINT64_MAX);
}

/* As printf() has them. */
static void digits(void **state)
{
	(void)state;
	static const uint64_t numbers[] = {
		0, 1, 9, 10, 15, 16, 99, 100, 255, 999, 1000, 9999, 10000, 123456789, UINT32_MAX,
		INT64_MAX, UINT64_MAX, UINT64_C(1) << 63, UINT64_C(10000000000000000000),
	};
	char ours[DIGITS_MAX + 2], printed[32];

	for (size_t i = 0; i < array_size(numbers); i++) {
		uint64_t v = numbers[i];
		ours[put_dec(ours, v)] = '\0';
		snprintf(printed, sizeof(printed), "%" PRIu64, v);
		assert_string_equal(ours, printed);
		assert_int_equal(dec_digits(v), strlen(printed));
		ours[put_signed(ours, (int64_t)v)] = '\0';
		snprintf(printed, sizeof(printed), "%" PRId64, (int64_t)v);
		assert_string_equal(ours, printed);
		ours[put_hex(ours, v, 1)] = '\0';
		snprintf(printed, sizeof(printed), "%" PRIx64, v);
		assert_string_equal(ours, printed);
		assert_int_equal(hex_digits(v), strlen(printed));
		ours[put_hex(ours, v, 16)] = '\0';
		snprintf(printed, sizeof(printed), "%016" PRIx64, v);
		assert_string_equal(ours, printed);
	}
}

/* Small and large objects, up to blocks of huge pages: none touches another. */
static void arenas(void **state)
{
	(void)state;
	enum { COUNT = 4000 };
	struct arena arena = { 0 };
	unsigned char *at[COUNT];
	size_t size[COUNT];

	for (size_t i = 0; i < COUNT; i++) {
		size[i] = i % 97 ? i % 5000 + 1 : i * 700;
		at[i] = memset(arena_alloc(&arena, size[i] + 1), (int)(i & 0xff), size[i] + 1);
	}
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(at[i][0], i & 0xff);
		assert_int_equal(at[i][size[i]], i & 0xff);
	}
	arena_deinit(&arena);
}

static void globs(void **state)
{
	(void)state;
	assert_true(glob_match("a*c?", "abbbcd"));
	assert_false(glob_match("a*c", "abbbcd"));
	assert_true(glob_match("*", ""));
}

/* What gdb writes, by "print" of an array of these. */
static void escapes(void **state)
{
	(void)state;
	auto_strbuf text = { 0 };
	static const uint8_t bytes[] = { 0,  6,  7,   8,   9,   10,  11,  12,   13,  14,
					 27, ' ', '~', 127, 128, 255, '\'', '"', '\\' };

	for (size_t i = 0; i < sizeof(bytes); i++)
		strbuf_add_escaped(&text, bytes[i], '"');
	assert_string_equal(text.data, "\\000\\006\\a\\b\\t\\n\\v\\f\\r\\016\\033 ~\\177\\200\\377"
				       "'\\\"\\\\");
	strbuf_clear(&text);
	strbuf_add_escaped(&text, '\'', '\'');
	strbuf_add_escaped(&text, '"', '\'');
	assert_string_equal(text.data, "\\'\"");
}

static void cursor_stays_inside(void **state)
{
	(void)state;
	const uint8_t data[] = { 1, 2, 3 };
	struct bytes b = bytes_of(data, sizeof(data));
	assert_int_equal(bytes_u16(&b), 0x201);
	assert_int_equal(bytes_u16(&b), 0);
	assert_true(b.bad);
	assert_int_equal(bytes_u8(&b), 0);
	assert_false(range_fits(UINT64_MAX, 2, 10));
	assert_true(range_fits(8, 2, 10));
}

static void maps(void **state)
{
	(void)state;
	struct map m = { 0 };
	uint64_t v;
	for (uint64_t i = 0; i < 1000; i++)
		assert_true(map_set(&m, i << 12, i));
	assert_false(map_set(&m, 0, 5));
	for (uint64_t i = 1; i < 1000; i++) {
		assert_true(map_get(&m, i << 12, &v));
		assert_int_equal(v, i);
	}
	assert_false(map_get(&m, 1, &v));
	map_deinit(&m);
	assert_true(map_set_name(&m, "alpha", 1));
	assert_true(map_set_name(&m, "beta", 2));
	assert_true(map_get_name(&m, "beta", &v));
	assert_int_equal(v, 2);
	assert_false(map_get_name(&m, "gamma", &v));
	map_deinit(&m);
}

/* A pipe is written to, and still one then; so is a device, which as root would be replaced. */
static void pipes_stay(void **state)
{
	(void)state;
	char folder[] = "/tmp/inquest-unit-XXXXXX", path[64], got[8] = { 0 };
	struct new_file file;
	struct stat st;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/pipe", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	assert_null(new_file_create(path, &file));
	fputs("text", file.out);
	assert_null(new_file_finish(&file));
	assert_int_equal(read(reader, got, sizeof(got) - 1), 4);
	assert_string_equal(got, "text");
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	close(reader);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(digits),
		cmocka_unit_test(arenas),
		cmocka_unit_test(globs),
		cmocka_unit_test(escapes),
		cmocka_unit_test(cursor_stays_inside),
		cmocka_unit_test(maps),
		cmocka_unit_test(pipes_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
