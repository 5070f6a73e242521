// SPDX-License-Identifier: LGPL-2.1-or-later
/* Anomalies of a log, and what they have to do with a crash, on logs and facts made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "diagnosis/anomalies.h"
#include "diagnosis/timeline.h"
#include "diagnosis/timeline_side.h"

enum { LINES_MAX = 128 };

struct made {
	struct arena arena;
	struct session session;
	struct facts facts;
	struct log_record records[LINES_MAX];
	struct task task;
	struct regs regs;
	struct finding finding;
	struct findings *findings;
};

/* One line each second, from second 1. */
static struct made *make(const char *const *lines, size_t count)
{
	struct made *made = calloc(1, sizeof(*made));

	assert_non_null(made);
	assert_true(count <= LINES_MAX);
	for (size_t i = 0; i < count; i++)
		made->records[i] = (struct log_record){ .text = lines[i],
							.time_ns = (i + 1) * 1000000000 };
	made->session.arch = &arch_x86_64;
	made->findings = findings_create();
	made->facts = (struct facts){ .session = &made->session, .arena = &made->arena,
				      .log = made->records, .log_count = count,
				      .panic_caller = SIZE_MAX, .cpu = -1 };
	made->facts.fault.base_reg = -1;
	made->facts.fault.regs = &made->regs;
	made->finding = (struct finding){ .kind = "bad-pointer", .rank = RANK_FAULT };
	anomalies_scan(&made->facts);
	return made;
}

static void relate(struct made *made)
{
	made->facts.fault.trap = TRAP_PAGE_FAULT;
	for (size_t i = 0; i < made->facts.log_count; i++) {
		if (strstr(made->records[i].text, "Kernel panic")) {
			made->facts.panic_record = &made->records[i];
			made->facts.panic_message = "Fatal exception";
		}
	}
	timeline_relate(&made->facts, made->findings, &made->finding);
}

static void done(struct made *made)
{
	free(made->facts.anomalies);
	arena_deinit(&made->arena);
	findings_destroy(made->findings);
	free(made);
}

/* --- Names. --- */

static struct common common_of(const struct facts *facts, const struct side_name *a, size_t n,
			       const struct side_name *b, size_t m)
{
	struct side x = { a, n }, y = { b, m };

	return side_common(facts, &x, &y);
}

static void test_names(void **state unused_arg)
{
	struct arena arena = { 0 };
	struct facts facts = { .arena = &arena };
	static const struct side_name failed[] = {
		{ "memcg_update_cache_sizes", NULL }, { "mem_cgroup_css_online", NULL },
		{ "cgroup_mkdir", NULL },
	};
	static const struct side_name crashed[] = {
		{ "__mem_cgroup_free", NULL }, { "free_work", NULL },
	};
	struct common c = common_of(&facts, failed, 3, crashed, 2);

	assert_string_equal(c.word, "cgroup");
	assert_true(c.pair);
	assert_string_equal(c.second, "__mem_cgroup_free");
	assert_null(c.function);
	assert_null(c.module);

	/* Made after it was freed: no pair. */
	c = common_of(&facts, crashed, 1, failed + 1, 1);
	assert_string_equal(c.word, "cgroup");
	assert_false(c.pair);

	/* Verbs and words that half of the kernel's names have do not count. */
	static const struct side_name one[] = { { "page_cache_free_list", NULL },
						{ "inode_alloc", "xm" } };
	static const struct side_name two[] = { { "free_page_list", NULL },
						{ "alloc_work", "ym" } };
	c = common_of(&facts, one, 2, two, 2);
	assert_null(c.word);
	assert_null(c.module);

	static const struct side_name same[] = { { "inode_alloc", "xm" } };
	c = common_of(&facts, one, 2, same, 1);
	assert_string_equal(c.function, "inode_alloc");
	assert_string_equal(c.module, "xm");
	assert_string_equal(c.word, "inode");
	arena_deinit(&arena);
}

/* Only functions that tell something: no helpers, no ways in, no allocator. */
static void test_side_of_report(void **state unused_arg)
{
	struct arena arena = { 0 };
	struct facts facts = { .arena = &arena };
	struct oops_frame frames[] = {
		{ .place.function = "dump_stack_lvl" },
		{ .place.function = "warn_alloc" },
		{ .place.function = "__alloc_pages_slowpath.constprop.0" },
		{ .place.function = "array_alloc.isra.0", .place.module = "groups" },
		{ .place.function = "stale_function", .guess = true },
		{ .place.function = "list_del", .place.module = "groups" }, /* its own */
		{ .place.function = "kfree" },
		{ .place.function = "ksys_write" },
	};
	struct oops_report report = { .frames = frames, .frame_count = array_size(frames) };
	struct side side = side_of_report(&facts, &report);

	assert_int_equal(side.count, 2);
	assert_string_equal(side.names[0].function, "array_alloc");
	assert_string_equal(side.names[1].function, "list_del");
	arena_deinit(&arena);
}

/* --- Anomalies. --- */

static void test_folding(void **state unused_arg)
{
	static const char *const lines[] = {
		"Buffer I/O error on dev sda1, logical block 77, lost async page write",
		"eth0: link up",
		"Buffer I/O error on dev sda1, logical block 78, lost async page write",
		"Buffer I/O error on dev sdb, logical block 0x1f, lost async page write",
		"INFO: task a:1 blocked for more than 120 seconds.",
		"Call Trace:",
		" io_wait+0x1/0x2",
		"INFO: task a:2 blocked for more than 240 seconds.",
		"Call Trace:",
		" io_wait+0x1/0x2",
		"INFO: task a:3 blocked for more than 240 seconds.",
		"Call Trace:",
		" other_wait+0x1/0x2",
		"kernel BUG at a.c:1!",
		"invalid opcode: 0000 [#1] SMP",
		"kernel BUG at a.c:1!",
		"invalid opcode: 0000 [#2] SMP",
	};
	struct made *made = make(lines, array_size(lines));
	const struct anomaly *a = made->facts.anomalies;

	assert_int_equal(made->facts.anomaly_count, 6);
	assert_string_equal(a[0].kind, "I/O error");
	assert_int_equal(a[0].repeats, 1);
	assert_int_equal(a[0].last_ns, 3000000000);
	assert_null(a[0].report);
	assert_int_equal(a[1].repeats, 0); /* another disk */
	assert_string_equal(a[2].kind, "hung task");
	assert_int_equal(a[2].repeats, 1);
	assert_non_null(a[2].report);
	assert_int_equal(a[3].repeats, 0); /* the same words, another stack */
	/* What kills is never folded. */
	assert_int_equal(a[4].weight, ANOMALY_FATAL);
	assert_int_equal(a[5].report->number, 2);
	done(made);
}

static void test_repeated_lines(void **state unused_arg)
{
	const char *lines[LINES_MAX];
	size_t n = 0;

	/* What the kernel lists while it boots does not count. */
	while (n < 40)
		lines[n++] = "pci 0000:00:1f.0: BAR 0 [mem 0xfebd0000-0xfebd0fff]";
	lines[n++] = "Run /init as init process";
	for (size_t i = 0; i < 25; i++)
		lines[n++] = i % 2 ? "kvm [26261]: vcpu0 unhandled rdmsr: 0x1a2"
				   : "kvm [26262]: vcpu1 unhandled rdmsr: 0x606";
	for (size_t i = 0; i < 10; i++)
		lines[n++] = "eth0: link up";
	struct made *made = make(lines, n);

	assert_int_equal(made->facts.anomaly_count, 1);
	assert_string_equal(made->facts.anomalies[0].kind, "repeated message");
	assert_int_equal(made->facts.anomalies[0].weight, ANOMALY_NOTABLE);
	assert_int_equal(made->facts.anomalies[0].repeats, 24);
	assert_int_equal(made->facts.anomalies[0].last_ns, UINT64_C(66000000000));
	done(made);
}

/* --- Relations. --- */

#define OOPS(number, task, function, module)                                  \
	"BUG: kernel NULL pointer dereference, address: 0000000000000030",    \
	"Oops: 0000 [#" number "] SMP",                                       \
	"CPU: 1 PID: " task " Not tainted 6.1.0 #1",                          \
	"RIP: 0010:" function "+0x14/0x40 [" module "]", "Call Trace:",       \
	" " function "_caller+0x22/0x50 [" module "]",                        \
	"---[ end trace 0000000000000000 ]---"

static void test_survived_death(void **state unused_arg)
{
	static const char *const lines[] = {
		OOPS("1", "5 Comm: other", "other_stop", "other"),
		OOPS("2", "77 Comm: sh", "chan_free", "chan"),
		"Kernel panic - not syncing: Fatal exception",
	};
	struct made *made = make(lines, array_size(lines));
	const struct anomaly *a = made->facts.anomalies;

	made->task.pid = 77;
	made->facts.task = &made->task;
	relate(made);
	assert_int_equal(made->facts.anomaly_count, 3);
	assert_non_null(a[0].related);
	assert_int_equal(a[0].relation, CONFIDENCE_POSSIBLE);
	assert_false(a[0].cause);
	assert_null(a[1].related); /* the crash itself */
	assert_null(a[2].related);
	assert_non_null(strstr(made->finding.why, "had died before"));
	assert_non_null(strstr(made->finding.why, "other_stop() 7 s earlier"));
	assert_int_equal(made->finding.evidence_count, 1);
	done(made);
}

/* The task that went on after its oops: more than a mere possibility, never certain. */
static void test_survived_by_the_same_task(void **state unused_arg)
{
	static const char *const lines[] = {
		OOPS("1", "77 Comm: sh", "other_stop", "other"),
		OOPS("2", "77 Comm: sh", "chan_free", "chan"),
		"Kernel panic - not syncing: Fatal exception",
	};
	struct made *made = make(lines, array_size(lines));

	made->task.pid = 77;
	made->facts.task = &made->task;
	relate(made);
	assert_int_equal(made->facts.anomalies[0].relation, CONFIDENCE_LIKELY);
	assert_true(made->facts.anomalies[0].cause);
	assert_non_null(strstr(made->finding.why, "in the same task"));
	assert_non_null(made->finding.against);
	done(made);
}

static void test_nothing_before(void **state unused_arg)
{
	static const char *const lines[] = {
		OOPS("1", "77 Comm: sh", "chan_free", "chan"),
		"Kernel panic - not syncing: Fatal exception",
		"WARNING: CPU: 1 PID: 77 at kernel/reboot.c:1 chan_free+0x14/0x40 [chan]",
	};
	struct made *made = make(lines, array_size(lines));

	relate(made);
	for (size_t i = 0; i < made->facts.anomaly_count; i++)
		assert_null(made->facts.anomalies[i].related);
	assert_null(made->finding.why);
	assert_int_equal(made->finding.evidence_count, 0);
	done(made);
}

/* Hardware errors are named, and nothing is blamed on them. */
static void test_hardware(void **state unused_arg)
{
	static const char *const lines[] = {
		"mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 7: b200000000070f0f",
		"eth0: link up",
		"eth0: link down",
		"eth0: link up",
		"mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 7: 8c00004000010090", /* corrected */
		"EDAC MC0: 1 CE memory read error on CPU_SrcID#0",
		OOPS("1", "77 Comm: sh", "chan_free", "chan"),
		"Kernel panic - not syncing: Fatal exception",
	};
	struct made *made = make(lines, array_size(lines));

	relate(made);
	assert_non_null(made->facts.anomalies[0].related);
	assert_int_equal(made->facts.anomalies[0].relation, CONFIDENCE_POSSIBLE);
	assert_false(made->facts.anomalies[0].cause);
	assert_null(made->facts.anomalies[1].related);
	assert_null(made->facts.anomalies[2].related);
	assert_null(made->finding.why);
	done(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_side_of_report),
		cmocka_unit_test(test_folding),
		cmocka_unit_test(test_repeated_lines),
		cmocka_unit_test(test_survived_death),
		cmocka_unit_test(test_survived_by_the_same_task),
		cmocka_unit_test(test_nothing_before),
		cmocka_unit_test(test_hardware),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
