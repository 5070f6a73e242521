// SPDX-License-Identifier: LGPL-2.1-or-later
/* Releases and ranges, rules out of YAML, what they match, and names in signatures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libdeflate.h>

#include "base/strbuf.h"
#include "diagnosis/rule.h"
#include "diagnosis/rule_release.h"
#include "diagnosis/signature.h"
#include "kernel/config.h"

static void versions(void **state)
{
	static const struct {
		const char *low, *high;
	} pairs[] = {
		{ "3.10.0-693.2.2", "3.10.0-1047" },
		{ "3.10.0-693", "3.10.0-693.2.2" },
		{ "4.18.0-80", "4.18.0-305" },
		{ "2.6.32-642", "3.10.0-0" },
		{ "6.1.85-1", "6.1.192-3" },
		{ "5.4.0-42", "5.4.0-109" },
		{ "5.14.21-150400.24.100", "5.14.21-150500.55.19" },
		{ "6.13~rc3", "6.13" },
		{ "6.12.43", "6.13~rc1" },
		{ "1.2.1-40300", "1.2.1-56008" },
		{ "1.0a", "1.0.1" },
		{ "1.09", "1.10" },
	};

	(void)state;
	for (size_t i = 0; i < array_size(pairs); i++) {
		assert_true(version_compare(pairs[i].low, pairs[i].high) < 0);
		assert_true(version_compare(pairs[i].high, pairs[i].low) > 0);
		assert_int_equal(version_compare(pairs[i].low, pairs[i].low), 0);
	}
	assert_int_equal(version_compare("4.14", "4.14.0"), 0);
	assert_int_equal(version_compare("1.02", "1.2"), 0);
	assert_true(version_compare("4.14.0-1", "4.14") > 0);
}

static void releases(void **state)
{
	static const struct {
		const char *release, *banner;
		enum distribution distribution;
		unsigned generation;
		const char *version, *base;
	} rows[] = {
		{ "3.10.0-693.2.2.el7.x86_64", "", DISTRO_RHEL, 7, "3.10.0-693.2.2", "3.10.0" },
		{ "4.18.0-305.3.1.el8_4.x86_64", NULL, DISTRO_RHEL, 8, "4.18.0-305.3.1", "4.18.0" },
		{ "2.6.32-642.el6.x86_64", "", DISTRO_RHEL, 6, "2.6.32-642", "2.6.32" },
		{ "4.14.35-1902.3.2.el7uek.x86_64", "", DISTRO_UEK, 0, "4.14.35-1902.3.2", "4.14.35" },
		{ "5.4.0-42-generic", "#46-Ubuntu SMP Fri Jul 10", DISTRO_UBUNTU, 0, "5.4.0-42",
		  "5.4.0" },
		{ "5.15.0-1023-aws", "", DISTRO_UBUNTU, 0, "5.15.0-1023", "5.15.0" },
		{ "6.1.0-56-cloud-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-3 (2026-07-01)",
		  DISTRO_DEBIAN, 0, "6.1.192-3", "6.1.192" },
		{ "6.1.0-56-amd64", "", DISTRO_DEBIAN, 0, "", "6.1.0" },
		{ "6.12.43+deb13-amd64", "", DISTRO_DEBIAN, 0, "6.12.43", "6.12.43" },
		{ "5.14.21-150500.55.19-default", "", DISTRO_SUSE, 0, "5.14.21-150500.55.19",
		  "5.14.21" },
		{ "6.6.30", "", DISTRO_UPSTREAM, 0, "6.6.30", "6.6.30" },
		{ "6.13.0-rc3+", "", DISTRO_UPSTREAM, 0, "6.13.0~rc3", "6.13.0~rc3" },
		{ "4.14.0-custom", "", DISTRO_UPSTREAM, 0, "4.14.0", "4.14.0" },
		{ "4.14.0-generic", "", DISTRO_UPSTREAM, 0, "4.14.0", "4.14.0" },
		{ "4.19.91-26.x86_64", "", DISTRO_OTHER, 0, "4.19.91-26.x86_64", "4.19.91" },
		{ "", "", DISTRO_OTHER, 0, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++) {
		struct kernel_release r;
		release_parse(rows[i].release, rows[i].banner, &r);
		assert_int_equal(r.distribution, rows[i].distribution);
		assert_int_equal(r.generation, rows[i].generation);
		assert_string_equal(r.version, rows[i].version);
		assert_string_equal(r.base, rows[i].base);
	}
}

#define DEBIAN "#1 SMP Debian 6.1.192-3 (2026-07-01)"

static void ranges(void **state)
{
	static const struct {
		const char *release, *banner;
		const char *ranges[3];
		enum range_answer answer;
	} rows[] = {
		/* The kernel's own numbers. */
		{ "3.10.0-693.2.2.el7.x86_64", "", { "3.10.0-0 .. 3.10.0-1047.el7" }, RANGE_YES },
		{ "3.10.0-1062.el7.x86_64", "", { "3.10.0-0 .. 3.10.0-1047.el7" }, RANGE_NO },
		{ "3.10.0-1047.el7.x86_64", "", { "3.10.0-0 .. 3.10.0-1047.el7" }, RANGE_YES },
		{ "2.6.32-642.el6.x86_64", "", { "2.6.32-*.el6*" }, RANGE_YES },
		{ "4.14.24", "", { ">= 4.14, < 4.14.25" }, RANGE_YES },
		{ "4.14.25", "", { ">= 4.14, < 4.14.25" }, RANGE_NO },
		{ "4.14.0-rc3", "", { ">= 4.14, < 4.14.25" }, RANGE_NO },
		{ "6.1.0-56-amd64", DEBIAN, { "debian: < 6.1.200-1" }, RANGE_YES },
		{ "6.1.0-56-amd64", DEBIAN, { "debian: < 6.1.192-3" }, RANGE_NO },
		{ "5.4.0-42-generic", "", { "ubuntu: < 5.4.0-48" }, RANGE_YES },
		{ "5.4.0-42-generic", "", { "< 5.4.0-48.52-generic" }, RANGE_YES },
		{ "5.4.0-48-generic", "", { "< 5.4.0-48-generic" }, RANGE_NO },
		{ "5.14.21-150500.55.19-default", "",
		  { ">= 5.14.21-150500.1-default, < 5.14.21-150500.55.22-default" }, RANGE_YES },
		/* What the distribution says of itself outweighs upstream's. */
		{ "3.10.0-1160.el7.x86_64", "", { "< 3.10.0-1048.el7", "< v4.2" }, RANGE_NO },
		{ "3.10.0-693.el7.x86_64", "", { "< v4.2", "< 3.10.0-1048.el7" }, RANGE_YES },
		/* Upstream's numbers for a distribution: perhaps, as far as they go. */
		{ "3.10.0-693.el7.x86_64", "", { "< v4.2" }, RANGE_PERHAPS },
		{ "4.18.0-305.el8.x86_64", "", { "< v4.2" }, RANGE_NO },
		{ "5.4.0-42-generic", "", { ">= 5.4, < 5.4.50" }, RANGE_PERHAPS },
		{ "5.4.0-42-generic", "", { ">= 5.5, < 5.6" }, RANGE_NO },
		{ "6.1.0-56-amd64", DEBIAN, { ">= 6.1, < 6.1.193" }, RANGE_PERHAPS },
		{ "6.1.0-56-amd64", DEBIAN, { ">= 6.1, < 6.1.192" }, RANGE_NO },
		{ "6.1.0-56-amd64", "", { ">= 6.1, < 6.1.192" }, RANGE_PERHAPS },
		/* Another distribution's, or another generation's: only the series tells. */
		{ "3.13.0-24-generic", "", { "3.10.0-0 .. 3.10.0-1047.el7" }, RANGE_NO },
		{ "3.10.5", "", { "3.10.0-0 .. 3.10.0-1047.el7" }, RANGE_PERHAPS },
		{ "3.10.0-693.el7.x86_64", "", { "< 4.18.0-305.el8" }, RANGE_PERHAPS },
		{ "", "", { "< v4.2" }, RANGE_NO },
	};

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++) {
		struct kernel_release r;
		const char *which;
		size_t count = 0;
		while (count < 3 && rows[i].ranges[count])
			assert_null(release_range_check(rows[i].ranges[count++]));
		release_parse(rows[i].release, rows[i].banner, &r);
		if (release_in_ranges(&r, rows[i].ranges, count, &which) != rows[i].answer)
			fail_msg("%s in %s", rows[i].release, rows[i].ranges[0]);
		assert_int_equal(which != NULL, rows[i].answer != RANGE_NO);
	}
}

static void bad_ranges(void **state)
{
	static const char *const bad[] = { "", "< ", ">", "< 1, ~ 2", "< 6.1.85-1", " .. 4" };

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++) {
		struct error *error = release_range_check(bad[i]);
		if (!error)
			fail_msg("\"%s\" was taken", bad[i]);
		error_free(error);
	}
}

static void module_versions(void **state)
{
	(void)state;
	assert_true(version_in_range("1.2.1-40300", "< 1.2.1-56008"));
	assert_false(version_in_range("1.2.1-56008", "< 1.2.1-56008"));
	assert_true(version_in_range("4.10.1", "4.0 .. 4.12"));
	assert_true(version_in_range("3.2-k", "3.*"));
}

/* --- Rules. --- */

#define HEAD "id: r\ntitle: t\nreference: x\nexplains: e\n"

static struct rule *parse(struct arena *arena, const char *text, struct error **error)
{
	struct rule *rule;

	*error = rule_parse("r.yaml", text, strlen(text), arena, &rule);
	assert_true(*error || rule);
	return rule;
}

static void broken_rules(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "", "r.yaml:1: the file is empty" },
		{ "id: [\n", "r.yaml:2: " },
		{ "- a\n", "r.yaml:1: keys with values are expected here" },
		{ "id: r\n", "r.yaml:1: id, title and explains are needed" },
		{ "id: s\ntitle: t\nreference: x\nexplains: e\nmatch: {log: x}\n",
		  "r.yaml:1: the id \"s\" is not the file's name" },
		{ "id: r\ntitle: t\nexplains: e\nmatch: {log: x}\n", "r.yaml:1: there is no reference" },
		{ HEAD "match:\n  klass: bug\n", "r.yaml:6: \"klass\" is nothing that can be matched" },
		{ HEAD "match: {class: bug}\n", "without one the rule would fit too much" },
		{ HEAD "match: {log: '(['}\n", "r.yaml:5: \"([\": " },
		{ HEAD "match: {function: f, value: many}\n", "r.yaml:5: \"many\" is no number" },
		{ HEAD "match: {function: f, release: '< 6.1.85-1'}\n", "whose release is meant" },
		{ HEAD "match: {function: []}\n", "r.yaml:5: the list is empty" },
		{ HEAD "match: {function: {a: b}}\n", "r.yaml:5: a text or a list" },
		{ HEAD "match: {function: f, function: g}\n", "is there twice" },
		{ HEAD "confidence: sure\n", "r.yaml:5: confidence is certain, likely or possible" },
		{ HEAD "colour: red\n", "r.yaml:5: there is no key \"colour\" in a rule" },
		{ HEAD "match: {function: f}\ntests:\n  - facts: {hat: 1}\n",
		  "r.yaml:7: \"hat\" is no fact" },
		{ HEAD "match: &a {function: f, config: *a}\n", "r.yaml:5: " },
	};

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++) {
		struct arena arena = { 0 };
		struct error *error;
		assert_null(parse(&arena, rows[i].text, &error));
		assert_non_null(error);
		if (!strstr(error->message, rows[i].error))
			fail_msg("%s: not %s", error->message, rows[i].error);
		error_free(error);
		arena_deinit(&arena);
	}
}

/* Sets @confidence where it matches. */
static bool fits(const char *conditions, const struct rule_facts *facts, const char *confidence,
		 const char *because)
{
	struct arena arena = { 0 };
	struct known_issue issue;
	struct error *error;
	auto_strbuf text = { 0 };

	strbuf_addf(&text, HEAD "confidence: certain\nmatch: {%s}\n", conditions);
	struct rule *rule = parse(&arena, text.data, &error);
	if (error)
		fail_msg("%s", error->message);
	bool match = rule_matches(rule, facts, &arena, &issue);
	if (match && confidence)
		assert_string_equal(confidence_name(issue.confidence), confidence);
	if (match && because)
		assert_string_equal(issue.because, because);
	arena_deinit(&arena);
	return match;
}

static const char *const stack[] = { "ida_simple_remove", "__mem_cgroup_free", "free_work.isra.0",
				     "process_one_work" };
static const char *const lines[] = { "Linux version 3.10", "runc: page allocation failure: order:6" };
static const char *const loaded[] = { "kvm_intel" };

static struct rule_facts some_facts(void)
{
	return (struct rule_facts){
		.kind = "bug", .function = "__mem_cgroup_free", .fault_function = "ida_simple_remove",
		.module_known = true, .has_value = true, .value = 0xffffffff,
		.stack = { stack, array_size(stack) }, .log_known = true,
		.log = { lines, array_size(lines) }, .loaded_known = true,
		.loaded = { loaded, array_size(loaded) }, .taint = "OE",
		.release = "3.10.0-693.2.2.el7.x86_64",
	};
}

static void matches(void **state)
{
	const struct rule_facts facts = some_facts();

	(void)state;
	assert_true(fits("class: [oops, b*], function: ida_*, stack: [ida_simple_remove, free_work]",
			 &facts, "certain",
			 "it is ida_simple_remove(); ida_simple_remove <- free_work.isra.0 on the "
			 "stack"));
	struct rule_facts coarse = facts;
	coarse.kind = "slab-damage";
	coarse.plain_kind = "bug";
	assert_true(fits("class: bug, function: ida_*", &coarse, "certain", NULL));
	assert_true(fits("class: slab-damage, function: ida_*", &coarse, "certain", NULL));
	assert_true(fits("function: __mem_cgroup_free, module: kernel", &facts, "certain", NULL));
	assert_false(fits("stack: [free_work, ida_simple_remove]", &facts, NULL, NULL));
	assert_false(fits("class: null-pointer, function: ida_*", &facts, NULL, NULL));
	assert_false(fits("function: ida_*, module: aacraid", &facts, NULL, NULL));
	assert_true(fits("function: ida_*, value: 0xffffffff", &facts, "certain", NULL));
	assert_true(fits("function: ida_*, value: [1, 4294967295]", &facts, "certain", NULL));
	assert_false(fits("function: ida_*, value: 1", &facts, NULL, NULL));
	assert_true(fits("log: ['order:[4-9]', '^Linux']", &facts, "certain",
			 "the log has \"order:6\", \"Linux\""));
	assert_false(fits("log: ['order:[4-9]', '^Linus']", &facts, NULL, NULL));
	assert_true(fits("function: ida_*, loaded: [kvm-intel], taint: [O, E]", &facts, "certain",
			 NULL));
	assert_false(fits("function: ida_*, loaded: [kvm_intel, kvm]", &facts, NULL, NULL));
	assert_false(fits("function: ida_*, taint: [P]", &facts, NULL, NULL));
	assert_true(fits("function: ida_*, release: '< 3.10.0-1048.el7'", &facts, "certain", NULL));
	assert_true(fits("function: ida_*, release: '< 4.2'", &facts, "possible", NULL));
}

/* What nobody knows never makes a match, and makes one less sure. */
static void unknown_facts(void **state)
{
	struct rule_facts facts = some_facts();

	(void)state;
	assert_true(fits("function: ida_*, config: {CONFIG_SLUB: y}", &facts, "likely",
			 "it is ida_simple_remove(); not known: config"));
	assert_true(fits("function: ida_*, config: {CONFIG_SLUB: y}, offset: 4, member: a.b", &facts,
			 "possible", NULL));
	facts.log_known = false;
	assert_true(fits("function: ida_*, log: x", &facts, "likely", NULL));
	assert_false(fits("log: x", &facts, NULL, NULL));
	facts.has_value = false;
	assert_false(fits("class: bug, value: 1", &facts, NULL, NULL));
	facts.kind = NULL;
	assert_false(fits("class: '*', function: ida_*", &facts, NULL, NULL));
	assert_false(fits("function: f", &(struct rule_facts){ 0 }, NULL, NULL));
}

/* --- The kernel's own .config. --- */

static void config_of_the_kernel(void **state)
{
	static const char config[] = "# Linux\nCONFIG_SLUB=y\n# CONFIG_SLAB is not set\n"
				     "CONFIG_HZ=250\nCONFIG_NAME=\"a b\"\nCONFIG_XFS_FS=m";
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
	uint8_t packed[512] = "IKCFG_ST";
	struct config_text text;

	(void)state;
	size_t n = libdeflate_gzip_compress(c, config, strlen(config), packed + 8, 400);
	libdeflate_free_compressor(c);
	assert_true(n);
	memcpy(packed + 8 + n, "IKCFG_ED", 8);
	/* Before 5.1 the symbol is at the mark, since then behind it. */
	for (size_t skip = 0; skip <= 8; skip += 8) {
		config_unpack(packed + skip, sizeof(packed) - skip, &text);
		assert_non_null(text.data);
		assert_string_equal(config_find(&text, "CONFIG_SLUB"), "y");
		assert_string_equal(config_find(&text, "CONFIG_HZ"), "250");
		assert_string_equal(config_find(&text, "CONFIG_NAME"), "\"a b\"");
		assert_string_equal(config_find(&text, "CONFIG_XFS_FS"), "m");
		assert_null(config_find(&text, "CONFIG_SLAB"));
		assert_null(config_find(&text, "CONFIG_H"));
		free(text.data);
	}
	/* Cut off, damaged, nothing. */
	config_unpack(packed, 8 + n, &text);
	assert_null(text.data);
	packed[20] ^= 0xff;
	config_unpack(packed, sizeof(packed), &text);
	assert_null(text.data);
	config_unpack(packed, 0, &text);
	assert_null(text.data);
}

/* --- Signatures. --- */

static void signature_names(void **state)
{
	static const struct {
		const char *symbol, *name;
	} rows[] = {
		{ "__x64_sys_ioctl", "sys_ioctl" }, { "__ia32_compat_sys_ioctl", "sys_ioctl" },
		{ "__se_sys_write", "sys_write" },  { "SyS_write", "sys_write" },
		{ "ksys_write", "sys_write" },	    { "vfs_write", "vfs_write" },
		{ "f.isra.0.cold", "f" },	    { "f.constprop.3", "f" },
		{ "f.llvm.1234", "f" },		    { "f.part.0", "f" },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++)
		assert_string_equal(signature_name(&arena, rows[i].symbol), rows[i].name);
	arena_deinit(&arena);
	assert_true(signature_ends_at("do_syscall_64"));
	assert_true(signature_ends_at("asm_sysvec_apic_timer_interrupt"));
	assert_true(signature_ends_at("process_one_work"));
	assert_false(signature_ends_at("vfs_write"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions),	   cmocka_unit_test(releases),
		cmocka_unit_test(ranges),	   cmocka_unit_test(bad_ranges),
		cmocka_unit_test(module_versions), cmocka_unit_test(broken_rules),
		cmocka_unit_test(matches),	   cmocka_unit_test(unknown_facts),
		cmocka_unit_test(signature_names), cmocka_unit_test(config_of_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
