/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ctrl-C as a flag that loops ask for and as a file descriptor that can be waited for. */
#pragma once

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/compiler.h"

struct interrupt {
	atomic_bool flag;
	int wake; /* readable after Ctrl-C; -1: cannot be had */
	bool watching;
	pthread_t watcher;
	sigset_t old_mask;
};

/*
 * From here on Ctrl-C sets the flag and does nothing else to this process. Call before threads are
 * started that should not be killed by it. On failure Ctrl-C kills, as ever.
 */
void interrupt_start(struct interrupt *interrupt);
/* Forgets those that came so far. */
void interrupt_clear(struct interrupt *interrupt);
void interrupt_stop(struct interrupt *interrupt);
