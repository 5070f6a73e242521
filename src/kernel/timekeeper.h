/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel's clock said at its last tick. */
#pragma once

#include "kernel/session.h"

struct kernel_time {
	uint64_t realtime;  /* seconds since 1970; 0 unknown */
	uint64_t uptime_ns; /* since boot, time asleep included; 0 unknown */
	uint64_t monotonic_ns; /* the same without it (CLOCK_MONOTONIC) */
};

void kernel_time(struct session *s, struct kernel_time *time);

/*
 * Ticks a second, and jiffies at the end: the rate that makes of jiffies the time since boot. 0:
 * none does, or they cannot be read.
 */
uint64_t kernel_ticks(struct session *s, uint64_t *jiffies);
