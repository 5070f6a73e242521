/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machine checks as the kernel prints them, and what their status registers mean. */
#pragma once

#include "kernel/log.h"

struct mce_event {
	const struct log_record *record;
	int cpu, bank, socket;  /* -1: not printed */
	uint64_t status;
	bool exception;         /* it stopped the CPU; else it was found by looking */
	bool has_address, has_misc;
	uint64_t address, misc;
	unsigned vendor;        /* X86_VENDOR_...: 0 Intel, 2 AMD; MCE_VENDOR_UNKNOWN */
	const char *reason;     /* "Processor context corrupt": what the kernel says of it; NULL */
};

enum { MCE_VENDOR_INTEL = 0, MCE_VENDOR_AMD = 2, MCE_VENDOR_UNKNOWN = 255 };

/* The machine check that @log[0] announces, with what the next @count - 1 lines add; false: none. */
bool mce_parse(const struct log_record *log, size_t count, struct mce_event *event);

/* Intel SDM vol. 3B, 16.3.2.2; the same bits on AMD. */
static inline bool mce_uncorrected(const struct mce_event *event)
{
	return event->status >> 61 & 1;
}

/* What failed, in words: "memory, reading, channel 1", "level 2 data cache, ...". */
void mce_what(uint64_t status, char *buf, size_t size);
/* "uncorrected, the CPU's state is lost, address 0x1f3a5000 is exact": the flags. */
void mce_flags(const struct mce_event *event, char *buf, size_t size);
