// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the diagnosis reads out of log lines and names: no dump is needed for that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "diagnosis/complaints.h"
#include "diagnosis/init_death.h"
#include "diagnosis/panic_reasons.h"

enum { LINES_MAX = 12, MILLISECOND = 1000 * 1000 };

struct made_log {
	struct log_record records[LINES_MAX];
	struct facts facts;
};

/* One line a millisecond. */
static void make_log(struct made_log *made, const char *const *lines, size_t count)
{
	*made = (struct made_log){ 0 };
	assert_true(count <= LINES_MAX);
	for (size_t i = 0; i < count; i++)
		made->records[i] = (struct log_record){ .text = lines[i],
							.time_ns = (i + 1) * MILLISECOND };
	made->facts.log = made->records;
	made->facts.log_count = count;
	for (size_t i = 0; i < count; i++) {
		if (strstr(lines[i], "Kernel panic"))
			made->facts.panic_record = &made->records[i];
	}
}

static void check(const char *const *lines, size_t count, const char *marker, const char *said,
		  const char *kind)
{
	struct made_log made;
	const struct complaint *means;

	make_log(&made, lines, count);
	const struct log_record *r = complaint_before(&made.facts, marker, &means);
	if (said) {
		assert_non_null(r);
		assert_string_equal(r->text, said);
	} else {
		assert_null(r);
	}
	if (kind) {
		assert_non_null(means);
		assert_string_equal(means->kind, kind);
	} else {
		assert_null(means);
	}
}

#define CUT "------------[ cut here ]------------"

static void complaints_of_bugs(void **state)
{
	static const char list[] = "list_del corruption. prev->next should be a, but was b";
	const char *const before[] = { "x", list, CUT, "kernel BUG at lib/list_debug.c:62!" };
	const char *const silent[] = { "some driver is ready", CUT, "kernel BUG at mm/slub.c:419!" };
	/* The end of another report lies between. */
	const char *const other[] = { list, "---[ end trace 0000000000000000 ]---", CUT,
				      "kernel BUG at mm/slub.c:419!" };

	(void)state;
	check(before, array_size(before), "kernel BUG at ", list, "list-corruption");
	check(silent, array_size(silent), "kernel BUG at ", NULL, NULL);
	check(other, array_size(other), "kernel BUG at ", NULL, NULL);
	check(NULL, 0, "kernel BUG at ", NULL, NULL);
	check(other + 3, 1, "kernel BUG at ", NULL, NULL);
}

static void complaints_of_warnings(void **state)
{
	static const char ref[] = "refcount_t: addition on 0; use-after-free.";
	const char *const known[] = { CUT, ref, "WARNING: CPU: 1 PID: 7 at lib/refcount.c:25 f+0x1",
				      "Kernel panic - not syncing: panic_on_warn set ..." };
	const char *const unknown[] = { CUT, "queue 7 is full", "WARNING: CPU: 1 PID: 7 at a.c:1" };
	/* No scissors above it: the line before is somebody else's. */
	const char *const bare[] = { "eth0: link up", "WARNING: CPU: 1 PID: 7 at a.c:1" };
	/* What is printed after the panic is no cause of it. */
	const char *const after[] = { CUT, "queue 7 is full", "WARNING: CPU: 1 PID: 7 at a.c:1",
				      "Kernel panic - not syncing: panic_on_warn set ...", CUT, ref,
				      "WARNING: CPU: 1 PID: 7 at lib/refcount.c:25 f+0x1" };

	(void)state;
	check(known, array_size(known), "WARNING: ", ref, "refcount");
	check(unknown, array_size(unknown), "WARNING: ", "queue 7 is full", NULL);
	check(bare, array_size(bare), "WARNING: ", NULL, NULL);
	check(after, array_size(after), "WARNING: ", "queue 7 is full", NULL);
}

static void a_late_line_is_another_report(void **state)
{
	const char *const lines[] = { "list_add corruption. next->prev", "kernel BUG at a.c:1!" };
	const struct complaint *means;
	struct made_log made;

	(void)state;
	make_log(&made, lines, array_size(lines));
	made.records[1].time_ns += UINT64_C(10000) * MILLISECOND;
	assert_null(complaint_before(&made.facts, "kernel BUG at ", &means));
	assert_null(means);
}

static void places(void **state)
{
	(void)state;
	const struct complaint *c = complaint_of_place("mm/slub.c", "kmem_cache_free", false);
	assert_non_null(c);
	assert_string_equal(c->kind, "double-free");
	assert_non_null(c->unsure);
	/* Built elsewhere the name of the file is longer. */
	assert_non_null(complaint_of_place("/build/linux/mm/slub.c", "kfree", false));
	assert_null(complaint_of_place("mm/slub.c", "___slab_alloc", false));
	assert_null(complaint_of_place("drivers/x.c", "x_free", false));
	assert_null(complaint_of_place("", "kfree", false));
	/* A WARN() of the allocator is about something else than what its BUG() is about. */
	assert_null(complaint_of_place("mm/slub.c", "kfree", true));
	assert_non_null(complaint_of_place("lib/refcount.c", "refcount_warn_saturate", true));
}

static void helpers(void **state)
{
	static const char *const yes[] = { "kmem_cache_free", "refcount_warn_saturate",
					   "kfence_report_error", "_raw_spin_lock", "memcpy" };
	static const char *const no[] = { "tcp_sendmsg", "ext4_writepages", "ip_set_add" };

	(void)state;
	for (size_t i = 0; i < array_size(yes); i++)
		assert_true(blame_is_helper(yes[i]));
	for (size_t i = 0; i < array_size(no); i++)
		assert_false(blame_is_helper(no[i]));
}

static void reasons(void **state)
{
	static const struct {
		const char *message, *kind;
	} cases[] = {
		{ "sysrq triggered crash", "sysrq" },
		{ "softlockup: hung tasks", "softlockup" },
		{ "Watchdog detected hard LOCKUP on cpu 3", "hardlockup" },
		{ "hung_task: blocked tasks", "hung-task" },
		{ "RCU Stall", "rcu-stall" },
		{ "Out of memory: compulsory panic_on_oom is enabled", "oom" },
		{ "System is deadlocked on memory", "oom" },
		{ "UBSAN: panic_on_warn set ...", "warning" },
		{ "Oopsed too often (kernel.oops_limit is 10000)", "oops-limit" },
		{ "Attempted to kill init! exitcode=0x0000000b", "init-killed" },
		{ "VFS: Unable to mount root fs on unknown-block(0,0)", "no-root" },
		{ "No working init found.  Try passing init= option to kernel.", "no-init" },
		{ "stack-protector: Kernel stack is corrupted in: f+0x1/0x2", "stack-corruption" },
		{ "Fatal machine check on current CPU", "machine-check" },
		{ "Timeout: Not all CPUs entered broadcast exception handler", "machine-check" },
		{ "Software Watchdog Timer expired", "watchdog" },
		{ "00: An NMI occurred. Depending on your system the reason", "watchdog" },
		{ "NMI: Not continuing", "nmi" },
		{ "NMI IOCK error: Not continuing", "nmi" },
		{ "EXT4-fs (device sda1): panic forced after error", "file-system-panic" },
		{ "IO-APIC + timer doesn't work!  Boot with apic=debug", "boot-failure" },
		{ "Fatal exception in interrupt", "oops" },
		{ "Machine halted.", "double-fault" },
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		const struct panic_reason *reason = panic_reason(cases[i].message);
		assert_non_null(reason);
		assert_string_equal(reason->kind, cases[i].kind);
	}
	assert_null(panic_reason("my_driver: ring is broken"));
	assert_null(panic_reason(""));
}

static void exit_codes(void **state)
{
	static const struct {
		uint32_t code;
		const char *words;
	} cases[] = {
		{ 0x0000000b, "was killed by signal 11 (SIGSEGV)" },
		{ 0x0000008b, "was killed by signal 11 (SIGSEGV), with a core dump" },
		{ 0x00000009, "was killed by signal 9 (SIGKILL)" },
		{ 0x00000100, "ended by itself with exit status 1" },
		{ 0x00007f00, "ended by itself with exit status 127" },
		{ 0, "ended by itself with exit status 0" },
		{ 0x22, "was killed by signal 34" },
	};
	char words[80];

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		exit_code_words(cases[i].code, words, sizeof(words));
		assert_string_equal(words, cases[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(complaints_of_bugs),
		cmocka_unit_test(complaints_of_warnings),
		cmocka_unit_test(a_late_line_is_another_report),
		cmocka_unit_test(places),
		cmocka_unit_test(helpers),
		cmocka_unit_test(reasons),
		cmocka_unit_test(exit_codes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
