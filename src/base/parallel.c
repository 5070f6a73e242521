// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Chunks are taken from one counter, so that a slow chunk holds up nobody. The calling thread works
 * too; where no thread can be had it does everything alone.
 */
#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum { WORKERS_MAX = 64 };

struct work {
	size_t count;
	const atomic_bool *stop;
	parallel_fn fn;
	void *ctx;
	atomic_size_t next;
};

struct worker {
	struct work *work;
	unsigned number;
	pthread_t thread;
};

unsigned parallel_workers(void)
{
	const char *wish = getenv("INQUEST_THREADS");
	cpu_set_t set;
	int count = 1;

	if (wish)
		count = (int)strtol(wish, NULL, 10);
	else if (sched_getaffinity(0, sizeof(set), &set) == 0)
		count = CPU_COUNT(&set);
	return count < 1 ? 1 : count > WORKERS_MAX ? WORKERS_MAX : (unsigned)count;
}

static bool stopped(const struct work *work)
{
	return work->stop && atomic_load_explicit(work->stop, memory_order_relaxed);
}

static void *run(void *arg)
{
	const struct worker *me = arg;
	struct work *work = me->work;
	size_t i;

	while (!stopped(work) && (i = atomic_fetch_add(&work->next, 1)) < work->count)
		work->fn(work->ctx, me->number, i);
	return NULL;
}

bool parallel_for(size_t count, const atomic_bool *stop, parallel_fn fn, void *ctx)
{
	struct work work = { .count = count, .stop = stop, .fn = fn, .ctx = ctx };
	struct worker workers[WORKERS_MAX];
	unsigned wanted = parallel_workers(), started = 1;

	if (wanted > count)
		wanted = count ? (unsigned)count : 1;
	workers[0] = (struct worker){ .work = &work };
	while (started < wanted) {
		workers[started] = (struct worker){ .work = &work, .number = started };
		if (pthread_create(&workers[started].thread, NULL, run, &workers[started]) != 0)
			break;
		started++;
	}
	run(&workers[0]);
	for (unsigned i = 1; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	return !stopped(&work);
}
