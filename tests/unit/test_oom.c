// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reports of the out-of-memory killer, as kernels of several ages print them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "diagnosis/oom.h"

enum { LINES_MAX = 32, PAGES = 4096 };

struct made_log {
	struct log_record records[LINES_MAX];
	struct facts facts;
	struct arena arena;
};

static void make_log(struct made_log *made, const char *const *lines, size_t count)
{
	*made = (struct made_log){ 0 };
	assert_true(count <= LINES_MAX);
	for (size_t i = 0; i < count; i++)
		made->records[i] = (struct log_record){ .text = lines[i] };
	made->facts.log = made->records;
	made->facts.log_count = count;
	made->facts.arena = &made->arena;
	for (size_t i = 0; i < count; i++) {
		if (strstr(lines[i], "Kernel panic") && !made->facts.panic_record)
			made->facts.panic_record = &made->records[i];
	}
}

/* 6.x: a record may have several lines. */
static const char *const machine[] = {
	"eater invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0",
	"Mem-Info:",
	"active_anon:1236 inactive_anon:62469 isolated_anon:0\n active_file:7 inactive_file:0 "
	"isolated_file:0\n unevictable:0 dirty:0 writeback:0\n slab_reclaimable:2585 "
	"slab_unreclaimable:1783\n mapped:594 shmem:1672 pagetables:140\n free:724 free_pcp:80",
	"Node 0 active_anon:4944kB inactive_anon:249876kB kernel_stack:896kB pagetables:560kB",
	"Node 0 DMA free:1156kB boost:0kB min:120kB low:148kB",
	"Node 0 hugepages_total=4 hugepages_free=4 hugepages_surp=0 hugepages_size=2048kB",
	"130936 pages RAM",
	"59831 pages reserved",
	"Tasks state (memory values in pages):",
	"[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
	"[     99]     0    99      565        1    28672        0             0 guest.sh",
	"[    101]     0   101    62770    40000   540672        0             0 npm start",
	"[    102]     0   102    62770    22000   540672        0             0 npm start",
	"Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled",
	"[    103]     0   103    62770    99999   540672        0             0 late",
};

static void of_the_machine(void **state)
{
	struct made_log made;
	struct oom_log report;
	struct memory_use use;
	struct oom_eater eater;

	(void)state;
	make_log(&made, machine, array_size(machine));
	oom_log_parse(&made.facts, &report);
	assert_string_equal(report.comm, "eater");
	assert_int_equal(report.order, 0);
	assert_false(report.cgroup);
	use_from_log(&made.facts, &report, &use);
	assert_true(use.known);
	assert_int_equal(use.total, (130936 - 59831) * PAGES);
	assert_int_equal(use.bytes[USE_FREE], (724 + 80) * PAGES);
	assert_int_equal(use.bytes[USE_ANON], (1236 + 62469 - 1672) * PAGES);
	assert_int_equal(use.bytes[USE_SHMEM], 1672 * PAGES);
	assert_int_equal(use.bytes[USE_SLAB_FIXED], 1783 * PAGES);
	assert_int_equal(use.bytes[USE_SLAB_CACHE], 2585 * PAGES);
	assert_int_equal(use.bytes[USE_TABLES], 140 * PAGES);
	assert_int_equal(use.bytes[USE_STACKS], 896 << 10);
	assert_int_equal(use.bytes[USE_HUGE], 4 * (2 << 20));
	/* Two of one name are one eater; what stands behind the panic is none of it. */
	assert_true(oom_log_eater(&made.facts, &report, &eater));
	assert_string_equal(eater.comm, "npm start");
	assert_int_equal(eater.count, 2);
	assert_int_equal(eater.pid, 101);
	assert_int_equal(eater.bytes, 62000 * PAGES);
	arena_deinit(&made.arena);
}

static void of_slab_caches(void **state)
{
	static const char *const lines[] = {
		"x invoked oom-killer: gfp_mask=0x40cc0(GFP_KERNEL|__GFP_COMP), order=0",
		"Unreclaimable slab info:",
		"Name                      Used          Total",
		"bio-128                    3KB          3KB",
		"kmalloc-1k            194720KB     194880KB",
		"hugetlbfs_inode_cache          7KB          7KB",
	};
	struct made_log made;
	struct oom_log report;
	const char *name;
	uint64_t bytes;

	(void)state;
	make_log(&made, lines, array_size(lines));
	oom_log_parse(&made.facts, &report);
	assert_true(oom_log_slab(&made.facts, &report, &name, &bytes));
	assert_string_equal(name, "kmalloc-1k");
	assert_int_equal(bytes, UINT64_C(194880) << 10);
	arena_deinit(&made.arena);
	make_log(&made, lines, 3);
	oom_log_parse(&made.facts, &report);
	assert_false(oom_log_slab(&made.facts, &report, &name, &bytes));
	arena_deinit(&made.arena);
}

/* 3.10 (RHEL 7): a cgroup's limit. */
static void of_a_cgroup_v1(void **state)
{
	static const char *const lines[] = {
		"thrash invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0",
		"thrash cpuset=9109 mems_allowed=0-1",
		"Task in /docker/9109 killed as a result of limit of /docker/9109",
		"memory: usage 614400kB, limit 614400kB, failcnt 33",
		"memory+swap: usage 614400kB, limit 9007199254740988kB, failcnt 0",
		("Memory cgroup stats for /docker/9109: cache:120KB rss:613460KB rss_huge:256000KB "
		 "shmem:20KB mapped_file:0KB swap:0KB inactive_anon:0KB active_anon:614340KB"),
		"[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name",
		"[19388]  1000 19388  5588434   138005    8069        0           999 node",
		"Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled",
	};
	struct made_log made;
	struct oom_log report;
	struct memory_use use;
	struct oom_eater eater;

	(void)state;
	make_log(&made, lines, array_size(lines));
	oom_log_parse(&made.facts, &report);
	assert_true(report.cgroup);
	assert_string_equal(report.path, "/docker/9109");
	assert_int_equal(report.limit, 614400 << 10);
	use_from_log(&made.facts, &report, &use);
	assert_true(use.known);
	assert_int_equal(use.total, 614400 << 10);
	assert_int_equal(use.bytes[USE_ANON], 613460 << 10);
	assert_int_equal(use.bytes[USE_SHMEM], 20 << 10);
	assert_int_equal(use.bytes[USE_FILE], 100 << 10);
	assert_true(oom_log_eater(&made.facts, &report, &eater));
	assert_string_equal(eater.comm, "node");
	assert_int_equal(eater.bytes, UINT64_C(138005) * PAGES);
	arena_deinit(&made.arena);
}

static void of_a_cgroup_v2(void **state)
{
	static const char *const lines[] = {
		"worker invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=3, oom_score_adj=0",
		"memory: usage 49152kB, limit 49152kB, failcnt 40",
		"Memory cgroup stats for /shop:",
		"anon 49283072\nfile 4096\nkernel 1048576\nshmem 4096\nslab_unreclaimable 12288",
		("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
		 "oom_memcg=/shop,task_memcg=/shop/a,task=worker,pid=7,uid=0"),
	};
	struct made_log made;
	struct oom_log report;
	struct memory_use use;
	struct oom_eater eater;

	(void)state;
	make_log(&made, lines, array_size(lines));
	oom_log_parse(&made.facts, &report);
	assert_int_equal(report.order, 3);
	assert_string_equal(report.path, "/shop");
	assert_string_equal(report.constraint, "CONSTRAINT_MEMCG");
	use_from_log(&made.facts, &report, &use);
	assert_int_equal(use.bytes[USE_ANON], 49283072);
	assert_int_equal(use.bytes[USE_FILE], 0);
	assert_int_equal(use.bytes[USE_SHMEM], 4096);
	assert_false(oom_log_eater(&made.facts, &report, &eater));
	arena_deinit(&made.arena);
}

/* Broken, cut off, or no report at all: nothing is said then. */
static void of_nothing(void **state)
{
	static const char *const cut[] = {
		"x invoked oom-killer: order=", "Mem-Info:", "active_anon:", "free:9",
		"[  pid  ]   uid  tgid total_vm", "[", "[ 5", "[ 5] 1 2",
	};
	struct made_log made;
	struct oom_log report;
	struct memory_use use;
	struct oom_eater eater;

	(void)state;
	for (size_t n = 0; n <= array_size(cut); n++) {
		make_log(&made, cut, n);
		oom_log_parse(&made.facts, &report);
		use_from_log(&made.facts, &report, &use);
		assert_false(use.known);
		assert_false(oom_log_eater(&made.facts, &report, &eater));
		arena_deinit(&made.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_the_machine),
		cmocka_unit_test(of_slab_caches),
		cmocka_unit_test(of_a_cgroup_v1),
		cmocka_unit_test(of_a_cgroup_v2),
		cmocka_unit_test(of_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
