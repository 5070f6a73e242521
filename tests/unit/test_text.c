// SPDX-License-Identifier: LGPL-2.1-or-later
/* Lines of a text, and the window of code around a fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "code/window.h"
#include "kernel/text_lines.h"

/* --- Lines. --- */

static void test_prefixes(void **state)
{
	static const struct {
		const char *line, *text;
		uint64_t ms;
		bool foreign;
	} cases[] = {
		{ "[   12.345678] BUG: x", "BUG: x", 12345, false },
		{ "<4>[   12.345678] RIP: 0010:f+0x1/0x2", "RIP: 0010:f+0x1/0x2", 12345, false },
		{ "[   12.345678][ T1234]  f+0x1/0x2", " f+0x1/0x2", 12345, false },
		{ "Jan 12 16:11:01 host kernel: [   12.345678] Call Trace:", "Call Trace:", 12345,
		  false },
		{ "4,1234,12345678,-;Call Trace:", "Call Trace:", 12345, false },
		{ "kern  :warn  : [   12.345678] Call Trace:", "Call Trace:", 12345, false },
		{ "[   12.345678] host kernel: Call Trace:", "Call Trace:", 12345, false },
		{ "[2026-01-12 16:11:01.123] [   12.345678] x", "x", 12345, false },
		{ "Jan 12 16:11:01 host sshd[12]: BUG: x", NULL, 0, true },
		{ "[  +0.000010] Call Trace:", "Call Trace:", 0, false },
		{ "<48> 8b 1f e8", "<48> 8b 1f e8", 0, false },
		{ "[<ffffffff81324031>] f+0x1/0x2", "[<ffffffff81324031>] f+0x1/0x2", 0, false },
		{ "\033[31mOops: 0002 [#1]\033[0m", "Oops: 0002 [#1]", 0, false },
		{ "&lt;IRQ&gt; <b>f+0x1/0x2</b><br>", "<IRQ> f+0x1/0x2", 0, false },
		{ "> > quoted", "quoted", 0, false },
		{ ">ffff888100: fb fb", ">ffff888100: fb fb", 0, false },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct arena arena = { 0 };
		struct text_lines lines = { 0 };

		text_lines_read(cases[i].line, strlen(cases[i].line), &arena, &lines);
		assert_int_equal(lines.count, 1);
		assert_int_equal(lines.data[0].foreign, cases[i].foreign);
		if (cases[i].text)
			assert_string_equal(lines.data[0].text, cases[i].text);
		if (cases[i].ms)
			assert_int_equal(lines.data[0].time_ns / 1000000, cases[i].ms);
		vec_deinit(&lines);
		arena_deinit(&arena);
	}
}

static void log_of(const char *text, struct arena *arena, struct log_record **records,
		   size_t *count)
{
	struct text_lines lines = { 0 };

	text_lines_read(text, strlen(text), arena, &lines);
	text_lines_log(&lines, arena, records, count);
	vec_deinit(&lines);
}

/* A pair of digits that was cut in two, names that were, two messages in a line, prose. */
static void test_log(void **state)
{
	static const char text[] =
		"A kernel BUG at our site:\n\n"
		"[    1.000000] Modules linked in: ext4 jbd2 scsi_transport_iscsi libiscsi_tcp lib\n"
		"iscsi dm_mod mbcache crc16 sd_mod virtio_net net_failover failover virtio_blk abc\n"
		"def(OE)\n"
		"[    1.000001] Code: 48 89 df 75\nf0 4d 85\n"
		"[    1.000002] one[    1.000003] two\n"
		"[    1.000004] three\n\nkernel BUG at the end, we think.\n";
	struct arena arena = { 0 };
	struct log_record *records;
	size_t count;

	(void)state;
	log_of(text, &arena, &records, &count);
	assert_int_equal(count, 5);
	assert_non_null(strstr(records[0].text, " libiscsi dm_mod "));
	assert_non_null(strstr(records[0].text, " abcdef(OE)"));
	assert_string_equal(records[1].text, "Code: 48 89 df 75 f0 4d 85");
	assert_string_equal(records[2].text, "one");
	assert_string_equal(records[3].text, "two");
	free(records);
	arena_deinit(&arena);
}

static void test_pstore(void **state)
{
	static const char text[] = "Panic#1 Part1\n<4>[    3.000000] c\n<4>[    4.000000] d\n"
				   "Panic#1 Part2\n<4>[    1.000000] a\n<4>[    2.000000] b\n";
	struct arena arena = { 0 };
	struct log_record *records;
	char order[8] = "";
	size_t count;

	(void)state;
	log_of(text, &arena, &records, &count);
	for (size_t i = 0; i < count && i < 7; i++)
		order[i] = records[i].text[0];
	assert_string_equal(order, "abcd");
	free(records);
	arena_deinit(&arena);
}

/* --- The window. --- */

enum { PUT_PC = 0x1a };

/* skb_release_data+0x79 ... of a 4.14 kernel; the fault is at +0xa3 (<48> 8b 1f). */
static const uint8_t skb[] = {
	0x45, 0xfa, 0x0f, 0x1f, 0x44, 0x00, 0x00, 0xf0, 0xff, 0x4f, 0x1c, 0x75, 0x05,
	0xe8, 0x06, 0x5a, 0xa6, 0xff, 0x41, 0x0f, 0xb6, 0x46, 0x02, 0x83, 0xc3, 0x01,
	0x49, 0x83, 0xc4, 0x10, 0x39, 0xd8, 0x7f, 0xce, 0x49, 0x8b, 0x7e, 0x08, 0x48,
	0x85, 0xff, 0x74, 0x10, 0x48, 0x8b, 0x1f, 0xe8, 0xf5, 0xf4, 0xff, 0xff, 0x48,
	0x85, 0xdb, 0x48, 0x89, 0xdf, 0x75, 0xf0,
};

/* What rdi held was read three instructions before, unless a jump that is seen was taken. */
static void test_window_loaded(void **state)
{
	const size_t at = 43;
	struct regs regs = { 0 };
	struct code_window w;
	struct window_origin o;

	(void)state;
	regs_set(&regs, X86_RDI, 0x106);
	regs_set(&regs, X86_RBX, 0);
	regs_set(&regs, X86_R14, UINT64_C(0xffff9612a277cec0));
	assert_true(code_window(skb, sizeof(skb), at, 0xffffffffb4f75143, 0xa3, &w));
	assert_int_equal(w.start[w.at], at);
	code_window_origin(&w, w.at, X86_RDI, &regs, &o);
	assert_int_equal(o.kind, WINDOW_LOADED);
	assert_true(o.has_cell_address);
	assert_int_equal(o.cell_address, UINT64_C(0xffff9612a277cec8));
	/* The loop's jump would have made rdi what rbx is. */
	assert_false(o.jumped_over);
	regs_set(&regs, X86_RBX, 0x106);
	code_window_origin(&w, w.at, X86_RDI, &regs, &o);
	assert_true(o.jumped_over);
}

/* test %esi,%esi; js to the ud2: the function's entry is in the window. */
static void test_window_condition(void **state)
{
	static const uint8_t put[] = {
		0x0f, 0x1f, 0x44, 0x00, 0x00, 0x85, 0xf6, 0x78, 0x11, 0x83, 0xe6, 0x3f, 0xf0,
		0x48, 0x0f, 0xb3, 0x37, 0x83, 0x47, 0x08, 0x01, 0xc3, 0xcc, 0xcc, 0xcc, 0xcc,
		0x0f, 0x0b,
	};
	struct code_window w;
	struct window_origin o;
	struct regs regs = { 0 };
	size_t jump, compare;
	bool taken;

	(void)state;
	assert_true(code_window(put, sizeof(put), PUT_PC, 0x1000 + PUT_PC, PUT_PC, &w));
	assert_true(w.from_entry);
	assert_true(code_window_condition(&w, &jump, &compare, &taken));
	assert_true(taken);
	assert_int_equal(w.start[compare], 5);
	code_window_origin(&w, compare, X86_RSI, &regs, &o);
	assert_int_equal(o.kind, WINDOW_ENTRY);
	assert_int_equal(o.reg, X86_RSI);
	/* Before the trap itself stands what does not lead there. */
	code_window_origin(&w, w.at, X86_RSI, &regs, &o);
	assert_int_equal(o.kind, WINDOW_LOST);
}

/* An entry that is not where it should be, no instruction at all. */
static void test_window_damaged(void **state)
{
	static const uint8_t none[] = { 0x06, 0x06, 0x06, 0x06 };
	struct code_window w;

	(void)state;
	assert_false(code_window(none, sizeof(none), 2, 0x1002, 2, &w));
	assert_false(code_window(skb, sizeof(skb), sizeof(skb), 0x1000, 0, &w));
	assert_true(code_window(skb, sizeof(skb), 0, 0x1000, UINT64_MAX, &w));
	assert_int_equal(w.at, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefixes),      cmocka_unit_test(test_log),
		cmocka_unit_test(test_pstore),        cmocka_unit_test(test_window_loaded),
		cmocka_unit_test(test_window_condition), cmocka_unit_test(test_window_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
