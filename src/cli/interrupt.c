// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A signal handler could only reach global variables. Instead SIGINT is blocked in all threads, and
 * one thread waits for it.
 */
#include "cli/interrupt.h"

#include <sys/eventfd.h>
#include <unistd.h>

static void *watch(void *data)
{
	struct interrupt *interrupt = data;
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	for (;;) {
		const uint64_t one = 1;
		if (sigwait(&set, &signal) != 0)
			continue;
		atomic_store(&interrupt->flag, true);
		/* Full only after 2^64 - 1 of them. */
		if (write(interrupt->wake, &one, sizeof(one)) < 0)
			continue;
	}
	return NULL;
}

void interrupt_start(struct interrupt *interrupt)
{
	sigset_t set;

	atomic_init(&interrupt->flag, false);
	interrupt->watching = false;
	interrupt->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (interrupt->wake < 0)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, &interrupt->old_mask);
	interrupt->watching = pthread_create(&interrupt->watcher, NULL, watch, interrupt) == 0;
	if (!interrupt->watching)
		pthread_sigmask(SIG_SETMASK, &interrupt->old_mask, NULL);
}

void interrupt_clear(struct interrupt *interrupt)
{
	uint64_t count;

	if (!interrupt->watching)
		return;
	/* Fails when there were none. */
	if (read(interrupt->wake, &count, sizeof(count)) < 0)
		count = 0;
	atomic_store(&interrupt->flag, false);
}

void interrupt_stop(struct interrupt *interrupt)
{
	if (interrupt->watching) {
		pthread_cancel(interrupt->watcher);
		pthread_join(interrupt->watcher, NULL);
		pthread_sigmask(SIG_SETMASK, &interrupt->old_mask, NULL);
	}
	if (interrupt->wake >= 0)
		close(interrupt->wake);
	interrupt->watching = false;
}
