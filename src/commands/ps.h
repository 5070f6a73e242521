/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to ps.c and ps_views.c: the tasks that were asked for, and the views of them that are
 * not the plain table. */
#pragma once

#include <regex.h>

#include "commands/args.h"

struct ps_name; /* a word, compiled */

struct ps_run {
	struct command_args *args;
	struct options options;
	const struct task *all;
	size_t count;
	bool *cpus;             /* with -C: by number; NULL without */
	unsigned policies;      /* with -y: bit n for policy n; 0 without */
	struct ps_name *names;  /* one for each word */
	uint64_t memory_bytes;
	size_t shown, incomplete;
};

enum { OPT_KERNEL, OPT_USER, OPT_LEADERS, OPT_ACTIVE, OPT_NO_IDLE, OPT_SUMMARY, OPT_CPUS,
       OPT_NO_HEADER, OPT_POLICIES, OPT_STACK, OPT_SCHED, OPT_PARENTS, OPT_CHILDREN, OPT_TIMES,
       OPT_LAST, OPT_AGO, OPT_WORDS, OPT_GROUPS, OPT_LIMITS };

bool ps_wanted(const struct ps_run *run, const struct task *task);

void ps_parents(struct ps_run *run);
void ps_children(struct ps_run *run);
void ps_groups(struct ps_run *run);
void ps_times(struct ps_run *run);
void ps_last_run(struct ps_run *run);
void ps_words(struct ps_run *run);
void ps_limits(struct ps_run *run);
