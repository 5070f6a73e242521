/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the machine was: names, time, load, memory, taints. All strings are "" when unknown. */
#pragma once

#include "kernel/session.h"

struct system_info {
	char sysname[65], nodename[65], release[65], version[65], machine[65];
	char command_line[4096];
	uint64_t realtime;       /* seconds since 1970 when the machine died; 0 unknown */
	uint64_t uptime_ns;      /* 0 unknown */
	bool has_load;
	double load[3];
	unsigned cpus_online, cpus_possible;
	uint64_t memory_bytes;   /* RAM that the kernel managed (totalram); 0 unknown */
	bool has_taint;
	uint64_t taint;
	char panic_message[1024]; /* from the log or panic's own buffer: "Fatal exception ..." */
	char hardware[256];       /* DMI: vendor, product, BIOS */
};

void system_info(struct session *s, struct system_info *info);

/* The taint bits in words: letter and meaning; NULL past the end of the table. */
struct taint_flag {
	char set;            /* letter when set */
	const char *meaning;
};
const struct taint_flag *taint_flag(unsigned bit);
