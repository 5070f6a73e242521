/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel log: ring buffer (5.10 and later) and record buffer (3.5 to 5.9). */
#pragma once

#include "kernel/session.h"

struct log_record {
	uint64_t sequence;
	uint64_t time_ns;     /* since boot */
	unsigned level;       /* 0 emergency .. 7 debug */
	unsigned facility;
	uint32_t caller;      /* printk caller id: pid, or CPU with bit 31; see has_caller */
	bool has_caller;
	bool continued;       /* the message goes on in the next record */
	const char *text;     /* not escaped; may hold newlines; NUL-terminated */
	size_t length;
	/* Dictionary: "SUBSYSTEM=pci", "DEVICE=+pci:0000:..." or NULL. */
	const char *subsystem, *device;
};

/* All records in order. @error (may be NULL) gets one sentence when the log is not whole. */
const struct log_record *kernel_log(struct session *s, size_t *count, const char **error);
