/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a task is scheduled, when it ran and for how long, what it may use, and with which words it
 * was started. */
#pragma once

#include "kernel/tasks.h"

struct task_sched {
	bool known;
	unsigned policy;      /* SCHED_..., see task_policy_name() */
	int prio;             /* 0 to 139: what counts, boosts included; -1 deadline */
	int static_prio;      /* 120 + nice */
	unsigned rt_priority; /* 1 to 99 of FIFO and RR */
};

/* False when nothing of it can be read. */
bool task_sched(struct session *s, const struct task *task, struct task_sched *sched);
/* "NORMAL", "FIFO" ..., as crash calls them; NULL for a number that is none. */
const char *task_policy_name(unsigned policy);
/* By such a name ("OTHER" is NORMAL, case does not matter) or number. */
bool task_policy_by_name(const char *word, unsigned *policy);

/* Times in ns; each 0 and not known when it cannot be read. */
struct task_times {
	bool has_start, has_run, has_cpu, has_last, has_modes;
	uint64_t start_ns;        /* when it was started, since boot (sleep of the machine not counted) */
	uint64_t run_ns;          /* since then */
	uint64_t cpu_ns;          /* on a CPU, counted exactly */
	uint64_t user_ns, kernel_ns; /* the same in each mode, counted by ticks on most kernels */
	uint64_t last_ns;         /* when it last was put on a CPU, by the run queues' clock */
};

void task_times(struct session *s, const struct task *task, struct task_times *times);
/* last_ns alone. False also for who never ran, and for idle tasks, of which no account is kept. */
bool task_last_run(struct session *s, uint64_t task, uint64_t *ns);
/* The latest clock of all run queues: "now" for last_ns and task_waited_ns(). 0: unknown. */
uint64_t run_queue_now(struct session *s);

enum { TASK_LIMITS = 16 }; /* RLIM_NLIMITS, include/uapi/asm-generic/resource.h */

struct task_limit {
	uint64_t current, maximum; /* UINT64_MAX: unlimited */
};

bool task_limits(struct session *s, const struct task *task, struct task_limit limits[TASK_LIMITS]);
/* "CPU", "NOFILE" ... */
const char *task_limit_name(unsigned limit);

/* Words that a program was given: its arguments or its environment. */
struct task_words {
	const char **data;
	size_t count;
	bool whole; /* false: parts of them are not in the dump, or far too long */
};

enum task_words_kind { TASK_ARGUMENTS, TASK_ENVIRONMENT };

/* In @arena. False for a task without such memory. */
bool task_words(struct session *s, const struct task *task, enum task_words_kind kind,
		struct arena *arena, struct task_words *words);
