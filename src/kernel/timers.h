/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Timers that are due in the future: those of the timer wheel (struct timer_list), which count in
 * jiffies, and those of high resolution (struct hrtimer), which count in ns. */
#pragma once

#include "kernel/session.h"
#include "kernel/walk.h"

enum { TIMER_BASES_MAX = 4, HRTIMER_BASES_MAX = 16 };

/* One base of a CPU. */
struct timer_base {
	unsigned cpu, index;
	const char *name;   /* "BASE_STD" ..., "CLOCK_MONOTONIC" ...; NULL unknown */
	uint64_t address;   /* struct timer_base, struct hrtimer_clock_base */
	uint64_t clock;     /* wheel: the jiffies that it has come to */
	uint64_t offset;    /* hrtimer: its clock minus the monotonic one, ns */
	bool known;         /* could .clock, or .offset, be read? */
	bool soft;          /* hrtimer: run by the softirq */
};

struct timer {
	uint64_t address, function;
	uint64_t expires;      /* jiffies; or ns by the base's clock */
	uint64_t soft_expires; /* hrtimer: not before; between the two it may wait for company */
	uint32_t flags;        /* wheel: TIMER_DEFERRABLE ... */
	bool incomplete;       /* not all of it is in the dump: what is 0 may be unknown */
};

/* Those of the wheel's flags that tell something (include/linux/timer.h, since 4.8). */
enum { TIMER_FLAG_DEFERRABLE = 0x80000, TIMER_FLAG_PINNED = 0x100000 };

/* The CPU's bases of the timer wheel; how many, 0 when they cannot be found. */
size_t timer_bases(struct session *s, unsigned cpu, struct timer_base bases[TIMER_BASES_MAX]);
/* The CPU's bases for high resolution, and the struct hrtimer_cpu_base that holds them. */
size_t hrtimer_bases(struct session *s, unsigned cpu, struct timer_base bases[HRTIMER_BASES_MAX],
		     uint64_t *cpu_base);

/* Each timer of a base, in no order, until @fn returns false. */
typedef bool (*timer_fn)(void *ctx, const struct timer *timer);
void timer_base_each(struct session *s, const struct timer_base *base, timer_fn fn, void *ctx,
		     struct walk_trouble *trouble);
void hrtimer_base_each(struct session *s, const struct timer_base *base, timer_fn fn, void *ctx,
		       struct walk_trouble *trouble);

/* What a timer is for, where the kernel's own function tells how to find that. */
struct timer_purpose {
	uint64_t task; /* the task_struct that it is to wake up, or whose signal or time it is */
	uint64_t work; /* the function of the work that it is to queue */
	bool incomplete; /* it has one, and what that is cannot be read */
};

bool timer_purpose(struct session *s, const struct timer *timer, struct timer_purpose *purpose);
