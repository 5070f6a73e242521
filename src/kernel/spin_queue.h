/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who waits for a queued spinlock, in which order: the lock's word names the last one in line. */
#pragma once

#include "kernel/session.h"

enum { SPIN_QUEUE_MAX = 8192 }; /* x86 has no more CPUs */

struct spin_queue {
	bool held;
	/* One waits at the lock itself, before all that are in line. The lock does not say who. */
	bool pending;
	unsigned cpus[SPIN_QUEUE_MAX]; /* in line, the first in line first */
	size_t count;
};

/*
 * Of the lock at @address (struct qspinlock, the arch_spinlock_t of a spinlock_t). False: it has no
 * queue, not all that its line may go through is in the dump, or the kernel's locks have none
 * (before 4.2, other architectures, or a guest's kernel that was told by its hypervisor to do
 * without: then the word is 0 or 1).
 */
bool spin_queue_read(struct session *s, uint64_t address, struct spin_queue *queue);
