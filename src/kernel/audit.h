/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of the audit subsystem that nobody has fetched, and printk's buffers of before 5.15. */
#pragma once

#include "kernel/session.h"
#include "kernel/walk.h"

struct audit_record {
	uint64_t skb;
	const char *queue;  /* the variable that it hangs on */
	unsigned type;      /* AUDIT_..., include/uapi/linux/audit.h */
	const char *text;   /* valid during the call */
};

/* Each record, oldest queue first. False when this kernel has no such queues. */
typedef void (*audit_fn)(void *ctx, const struct audit_record *record);
bool audit_each(struct session *s, audit_fn fn, void *ctx, struct walk_trouble *trouble);

/*
 * Lines in a CPU's buffers of printk() calls from where the log may not be locked (4.10 to 5.14).
 * False when this kernel has none.
 */
typedef void (*safe_buffer_fn)(void *ctx, unsigned cpu, const char *buffer, const char *text);
bool printk_safe_each(struct session *s, safe_buffer_fn fn, void *ctx,
		      struct walk_trouble *trouble);
