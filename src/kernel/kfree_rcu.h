/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What kfree_rcu() and kvfree_rcu() are to free, and that still waits for readers: such objects are
 * no callbacks of RCU's lists, each CPU gathers them in batches of its own (since 5.4).
 */
#pragma once

#include "kernel/session.h"

typedef bool (*kfree_rcu_fn)(void *ctx, uint64_t object);

struct kfree_rcu {
	uint64_t at;    /* the CPU's struct kfree_rcu_cpu */
	uint64_t count;
	bool partly;    /* there are more: a list is damaged, too long, or not all in the dump */
};

/*
 * What @cpu has gathered. @fn, if not NULL, is called with the addresses of those that lie in
 * blocks of pointers (until it returns false); of the others only where their rcu_head is is known.
 * False: this kernel has none, or it is not in the dump.
 */
bool kfree_rcu_count(struct session *s, unsigned cpu, struct kfree_rcu *found, kfree_rcu_fn fn,
		     void *ctx);
