/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel releases and ranges of them, as a rule names them (docs/rules.md). */
#pragma once

#include "base/error.h"

/* Whose numbers a release counts in. Numbers of two of them cannot be compared. */
enum distribution {
	DISTRO_UPSTREAM, /* kernel.org's own */
	DISTRO_RHEL,     /* and what is built from its sources: CentOS, Rocky, Alma ... */
	DISTRO_UEK,      /* Oracle's own kernel */
	DISTRO_FEDORA,
	DISTRO_AMAZON,
	DISTRO_OPENEULER,
	DISTRO_SUSE,
	DISTRO_UBUNTU,
	DISTRO_DEBIAN,
	DISTRO_OTHER,
};

struct kernel_release {
	enum distribution distribution;
	unsigned generation;  /* 7 of el7; 0: the distribution has none in its releases */
	char version[96];     /* what is compared: "3.10.0-693.2.2", "6.1.192-3"; "" unknown */
	char base[32];        /* the upstream version that it names; "" unknown */
	/* The base is the stable release that it was made of, not only the series ("5.4.0"). */
	bool base_exact;
	const char *release;  /* as uname -r says */
};

/* @banner: utsname's version, "#1 SMP Debian 6.1.192-3 (2026-...)"; NULL or "" unknown. */
void release_parse(const char *release, const char *banner, struct kernel_release *out);

enum range_answer {
	RANGE_NO,
	RANGE_YES,
	RANGE_PERHAPS, /* numbers of another distribution: it may have the fix, or never the bug */
};

/* Is the kernel in any of the ranges? @which gets the one that decided it; NULL: none. */
enum range_answer release_in_ranges(const struct kernel_release *kernel, const char *const *ranges,
				    size_t count, const char **which);
/* What is wrong with how a range is written. */
struct error *release_range_check(const char *range) must_check;

/* Is @version in "< 1.2.1-56008", ">= 2, < 3", "1.0 .. 1.4" or a glob? Numbers of one counting. */
bool version_in_range(const char *version, const char *range);
/*
 * As rpm and dpkg compare: runs of digits as numbers, runs of letters as text, a number is newer
 * than text, '~' is older than nothing; zeros at the end do not count ("4.14" is "4.14.0").
 */
int version_compare(const char *x, const char *y);
