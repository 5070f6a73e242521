// SPDX-License-Identifier: LGPL-2.1-or-later
/* Poison by name, and the way from an offset to a member. Whole questions are asked of dumps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "forensics/poison.h"
#include "forensics/whatis.h"

static void says(uint64_t value, const char *expected)
{
	const struct poison *poison = poison_of(value);
	char text[96];

	if (!expected) {
		assert_null(poison);
		return;
	}
	assert_non_null(poison);
	poison_text(poison, value, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void names_poison(void **state)
{
	(void)state;
	says(UINT64_C(0xdead000000000100), "LIST_POISON1");
	says(UINT64_C(0xdead0000000000f8), "LIST_POISON1 - 0x8");
	says(UINT64_C(0xdead000000000108), "LIST_POISON1 + 0x8");
	says(UINT64_C(0xdead000000000122), "LIST_POISON2");
	says(UINT64_C(0xdead000000000200), "LIST_POISON2");
	says(UINT64_C(0xdead000000000208), "LIST_POISON2 + 0xe6");
	says(UINT64_C(0xdead000000000300), "TIMER_ENTRY_STATIC");
	says(UINT64_C(0xdead000000012340), "POISON_POINTER_DELTA + 0x12340");
	says(UINT64_C(0x6b6b6b6b6b6b6b6b), "POISON_FREE");
	says(UINT64_C(0x6b6b6b6b6b6b6b4b), "POISON_FREE - 0x20");
	says(UINT64_C(0xa56b6b6b6b6b6b6b), "POISON_FREE");
	says(UINT64_C(0x5a5a5a5a5a5a5a62), "POISON_INUSE + 0x8");
	says(UINT64_C(0xaaaaaaaaaaaaaaaa), "PAGE_POISON");
	says(UINT64_C(0xdead000000000800), "SKB_LIST_POISON_NEXT");
	says(UINT64_C(0xdead000000000801), "NET_PTR_POISON");
	says(UINT64_C(0xbdbdbdbdbdbdbdc5), "KEY_DESTROY + 0x8");
	says(UINT64_C(0x2222222222222222), "MUTEX_DEBUG_FREE");
	says(UINT64_C(0xffffffffffff4111), "STACKLEAK_POISON");
	says(0x57ac6e9d, "STACK_END_MAGIC");
	says(0x57ac6e9e, NULL);
	says(0, NULL);
	says(UINT64_C(0xffff888000000000), NULL);
	says(UINT64_C(0xdeae000000000000), NULL);
	says(UINT64_MAX, NULL);
}

static void names_fills(void **state)
{
	uint8_t bytes[64];

	(void)state;
	memset(bytes, 0x6b, sizeof(bytes));
	assert_string_equal(poison_of_fill(bytes, sizeof(bytes))->name, "POISON_FREE");
	bytes[63] = 0xa5;
	assert_string_equal(poison_of_fill(bytes, sizeof(bytes))->name, "POISON_FREE");
	bytes[62] = 0;
	assert_null(poison_of_fill(bytes, sizeof(bytes)));
	memset(bytes, 0, sizeof(bytes));
	assert_null(poison_of_fill(bytes, sizeof(bytes)));
	assert_null(poison_of_fill(bytes, 1));
}

static void names_errors(void **state)
{
	(void)state;
	assert_string_equal(errno_word(12), "ENOMEM");
	assert_string_equal(errno_word(517), "EPROBE_DEFER");
	assert_null(errno_word(4000));
}

static void every_kind_has_a_name(void **state)
{
	(void)state;
	for (int kind = 0; kind < WHAT_COUNT; kind++) {
		assert_non_null(what_kind_name((enum what_kind)kind));
		for (int other = 0; other < kind; other++)
			assert_string_not_equal(what_kind_name((enum what_kind)kind),
						what_kind_name((enum what_kind)other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_poison),
		cmocka_unit_test(names_fills),
		cmocka_unit_test(names_errors),
		cmocka_unit_test(every_kind_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
