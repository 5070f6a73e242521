// SPDX-License-Identifier: LGPL-2.1-or-later
/* Machine checks of real machines, as their logs have them; lists of CPUs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/strbuf.h"
#include "diagnosis/mce.h"
#include "kernel/irqs.h"

static void what(uint64_t status, const char *words)
{
	char buf[96];

	mce_what(status, buf, sizeof(buf));
	assert_string_equal(buf, words);
}

static void codes(void **state)
{
	(void)state;
	what(0xbe00000000000091, "memory, read, channel 1");
	what(0x8c00004f000800c2, "memory, scrubbing, channel 2"); /* EDAC sbridge, a CE */
	what(0x900000400009008f, "memory, undefined request");
	what(0x8c000000000000b0, "memory, address or command, channel 0");
	what(0xfa00000000400405, "internal error of the CPU (0x405)");
	what(0xae2000000003110a, "cache (generic), level 2, generic error");
	what(0xcc59dec000041152, "cache (instruction), level 2, instruction fetch");
	what(0xcc400b0000041136, "cache (data), level 2, data read");
	what(0xb200000000000014, "TLB (data), level 0");
	what(0xbe00000000800400, "internal timer of the CPU: an instruction did not finish in time");
	what(0xb200000000000005, "internal parity error of the CPU");
	what(0xf200000000000f0f, "bus or interconnect, generic error, it timed out");
	what(0xb200000000000e0b, "generic I/O error");
	what(0xb200000000000009, "unknown error code 0x9");
	what(0x8000000000000000, "no error code");
}

/* Linux 6.1 on Intel (a NUC); a fatal one of AMD; EDAC's lines; 2.6.32's. */
static void lines(void **state)
{
	const struct log_record intel[] = {
		{ .text = "mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 6: cc59dec000041152" },
		{ .text = "mce: [Hardware Error]: TSC 0 ADDR 1422ff800 MISC 13020004086 " },
		{ .text = "mce: [Hardware Error]: PROCESSOR 0:406e3 TIME 1702475168 SOCKET 0 APIC 1 "
			  "microcode d6" },
		{ .text = "mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 6: cc400b0000041136" },
		{ .text = "mce: [Hardware Error]: TSC 0 ADDR 5000 MISC 3021004086 " },
	};
	const struct log_record amd[] = {
		{ .text = "mce: [Hardware Error]: CPU 1: Machine Check Exception: 6 Bank 4: "
			  "be00000000000091" },
		{ .text = "mce: [Hardware Error]: RIP 10:<ffffffffc04c406c> {f+0x5c/0xff0 [m]}" },
		{ .text = "mce: [Hardware Error]: TSC 6ec16c803 ADDR 1f3a5000 MISC 8c " },
		{ .text = "mce: [Hardware Error]: PROCESSOR 2:60fb1 TIME 1795986883 SOCKET 1 APIC 1 "
			  "microcode 1000065" },
		{ .text = "mce: [Hardware Error]: Machine check: Processor Context Corrupt" },
	};
	const struct log_record edac[] = {
		{ .text = "EDAC sbridge MC1: CPU 1: Machine Check Event: 0 Bank 11: "
			  "8c00004f000800c2" },
		{ .text = "EDAC sbridge MC1: TSC 0" },
		{ .text = "EDAC sbridge MC1: ADDR ee30a0000" },
		{ .text = "EDAC sbridge MC1: MISC 900040004001e8c" },
		{ .text = "EDAC sbridge MC1: PROCESSOR 0:306e4 TIME 1519356496 SOCKET 1 APIC 20" },
	};
	const struct log_record none[] = {
		{ .text = "mce: [Hardware Error]: Machine check events logged" },
		{ .text = "mce: CPU supports 7 MCE banks" },
		{ .text = "mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank" },
		{ .text = "mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 6" },
		{ .text = "mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 6: " },
		{ .text = "" },
	};
	struct mce_event event;
	char flags[160];

	(void)state;
	assert_true(mce_parse(intel, array_size(intel), &event));
	assert_int_equal(event.cpu, 2);
	assert_int_equal(event.bank, 6);
	assert_int_equal(event.socket, 0);
	assert_int_equal(event.address, 0x1422ff800); /* not that of the next event */
	assert_false(event.exception);
	assert_false(mce_uncorrected(&event));
	assert_int_equal(event.vendor, MCE_VENDOR_INTEL);

	assert_true(mce_parse(amd, array_size(amd), &event));
	assert_true(event.exception);
	assert_true(mce_uncorrected(&event));
	assert_int_equal(event.socket, 1);
	assert_int_equal(event.misc, 0x8c);
	assert_int_equal(event.vendor, MCE_VENDOR_AMD);
	assert_string_equal(event.reason, "Processor Context Corrupt");
	mce_flags(&event, flags, sizeof(flags));
	assert_string_equal(flags, "not corrected, the CPU's state is lost, at physical address "
			    "0x1f3a5000");

	assert_true(mce_parse(edac, array_size(edac), &event));
	assert_int_equal(event.bank, 11);
	assert_int_equal(event.socket, 1);
	assert_int_equal(event.address, 0xee30a0000);
	mce_flags(&event, flags, sizeof(flags));
	assert_string_equal(flags, "corrected, at physical address 0xee30a0000");

	for (size_t i = 0; i < array_size(none); i++)
		assert_false(mce_parse(&none[i], 1, &event));
	assert_false(mce_parse(none, 0, &event));
}

/* Of a large machine, whose nodes have every second CPU, as well: the whole list. */
static void lists_of_cpus(void **state)
{
	(void)state;
	struct cpu_mask mask = { .bits = CPU_MASK_WORDS * 64, .words = { 0x8f } };
	auto_strbuf text = { 0 };

	cpu_mask_text(&mask, &text);
	assert_string_equal(strbuf_text(&text), "0-3,7");
	for (unsigned i = 0; i < CPU_MASK_WORDS; i++)
		mask.words[i] = 0x5555555555555555;
	strbuf_clear(&text);
	cpu_mask_text(&mask, &text);
	unsigned wanted = 0;
	for (const char *s = strbuf_text(&text); *s; wanted += 2) {
		char *end;
		assert_int_equal(strtoul(s, &end, 10), wanted);
		s = end + (*end == ',');
	}
	assert_int_equal(wanted, mask.bits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes), cmocka_unit_test(lines), cmocka_unit_test(lists_of_cpus),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
