// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The timekeeper, kernel/time/timekeeping.c. The variable tk_core (timekeeper_data[] since 6.17,
 * plain `timekeeper` before 3.17) holds a sequence counter, then a struct timekeeper. Where behind
 * the counter it begins depends on the kernel's options, and the outer struct has a name in the
 * types only since 6.13 (tk_data); so the place is found by an invariant: offs_real is minus
 * wall_to_monotonic, to the nanosecond.
 *
 * Monotonic time at the last tick is tkr_mono.base + (tkr_mono.xtime_nsec >> shift); what was
 * slept is offs_boot.
 *
 * Jiffies: include/linux/jiffies.h (INITIAL_JIFFIES).
 */
#include "kernel/timekeeper.h"

enum {
	OFFSET_MAX = 256,
	BOOT_SECONDS = 300, CLOCK_SLACK = 20, /* jiffies begin 300 s before they wrap at 32 bits */
};

static const int64_t second = 1000 * 1000 * 1000;
/* Nobody has run a kernel for a thousand years; the clock may be set to anything, but not more. */
static const uint64_t seconds_max = UINT64_C(1000) * 366 * 86400;

static bool is_timekeeper(struct session *s, uint64_t at)
{
	static const char type[] = "timekeeper";
	uint64_t wall_sec, wall_nsec, real, xtime, clock;

	if (!kread(s, at, type, "wall_to_monotonic.tv_sec", &wall_sec) ||
	    !kread(s, at, type, "wall_to_monotonic.tv_nsec", &wall_nsec) ||
	    !kread(s, at, type, "xtime_sec", &xtime) ||
	    !kread(s, at, type, "tkr_mono.clock|tkr.clock|clock", &clock))
		return false;
	/* Before 4.17 some of these are unions or 32-bit: no offs_real, no check. */
	if (!kread(s, at, type, "offs_real", &real))
		return false;
	return s->arch->is_kernel_address(clock) && xtime < seconds_max &&
	       real == 0 - (wall_sec * (uint64_t)second + wall_nsec);
}

static uint64_t find_timekeeper(struct session *s)
{
	static const char *const names[] = { "tk_core", "timekeeper_data", "timekeeper",
					     "shadow_timekeeper" };

	for (size_t i = 0; s->symbols && i < array_size(names); i++) {
		uint64_t at = symbols_address(s->symbols, names[i]);
		for (uint64_t offset = 0; at && offset < OFFSET_MAX; offset += 8) {
			if (is_timekeeper(s, at + offset))
				return at + offset;
		}
	}
	return 0;
}

void kernel_time(struct session *s, struct kernel_time *time)
{
	static const char type[] = "timekeeper";
	uint64_t at = find_timekeeper(s);
	uint64_t base, fraction, shift, slept;

	*time = (struct kernel_time){ 0 };
	if (!at)
		return;
	kread(s, at, type, "xtime_sec", &time->realtime);
	if (!kread(s, at, type, "tkr_mono.base|tkr.base|tkr.base_mono", &base) ||
	    !kread(s, at, type, "tkr_mono.xtime_nsec|tkr.xtime_nsec|xtime_nsec", &fraction) ||
	    !kread(s, at, type, "tkr_mono.shift|tkr.shift|shift", &shift) || shift > 63)
		return;
	kread(s, at, type, "offs_boot", &slept);
	uint64_t uptime = base + (fraction >> shift) + slept;
	if (uptime / (uint64_t)second < seconds_max) {
		time->uptime_ns = uptime;
		time->monotonic_ns = uptime - slept;
	}
}

static uint64_t ticks_a_second(uint64_t jiffies, uint64_t up)
{
	static const uint64_t rates[] = { 250, 1000, 100, 300 };

	for (size_t i = 0; up && i < array_size(rates); i++) {
		uint64_t start = (UINT64_C(1) << 32) - BOOT_SECONDS * rates[i];
		uint64_t seconds = jiffies >= start ? (jiffies - start) / rates[i] : UINT64_MAX / 2;
		if (seconds + CLOCK_SLACK >= up && seconds <= up + CLOCK_SLACK)
			return rates[i];
	}
	return 0;
}

uint64_t kernel_ticks(struct session *s, uint64_t *jiffies)
{
	struct kernel_time now;

	if (!kglobal(s, "jiffies_64", 8, jiffies) && !kglobal(s, "jiffies", 8, jiffies))
		return 0;
	kernel_time(s, &now);
	return ticks_a_second(*jiffies, now.uptime_ns / (uint64_t)second);
}
