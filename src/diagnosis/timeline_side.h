/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two stacks compared by what their functions are about; private to the timeline. */
#pragma once

#include "diagnosis/facts.h"

struct side_name {
	const char *function; /* as in the source */
	const char *module;   /* NULL: the kernel itself */
};

/* The functions of a stack that tell what it was about: without helpers and the ways in and out. */
struct side {
	const struct side_name *names; /* from the top */
	size_t count;
};

struct side side_of_crash(const struct facts *facts);
struct side side_of_report(const struct facts *facts, const struct oops_report *report);

/*
 * What a single line names: who prints it ("XFS (dm-0): ...") and functions ("ext4_lookup:1234"), as
 * if they were a stack.
 */
struct side side_of_line(const struct facts *facts, const char *text);

/* What two sides have in common; NULL: nothing. */
struct common {
	const char *function; /* on both */
	const char *module;   /* on both */
	/*
	 * A word of functions of both ("cgroup" of memcg_update_cache_sizes, __mem_cgroup_free);
	 * @first and @second are such functions. @pair: the first makes or registers what the
	 * second frees or takes away.
	 */
	const char *word, *first, *second;
	bool pair;
};

struct common side_common(const struct facts *facts, const struct side *a, const struct side *b);
