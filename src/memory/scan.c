// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: workers take stretches of page frames from one shared place in the dump,
 * which moves over holes at the speed of the dump's own index; so a terabyte of excluded memory
 * costs nothing, and a slow stretch holds up nobody. Each worker announces its stretch to the
 * kernel (a cold file is then read in large pieces), decompresses page after page into a buffer of
 * its own that stays in the first-level cache, and looks at pages that are stored as they are in
 * the file's map, without a copy.
 */
#include "memory/scan.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/parallel.h"

/* 2 MB: long enough for reading ahead, short enough to stop soon and to share the end fairly. */
enum { STRETCH_PAGES = 512 };

struct scan {
	const struct dump *dump;
	const atomic_bool *stop;
	scan_fn fn;
	void *ctx;
	pthread_mutex_t lock;
	uint64_t next;             /* first page frame that nobody has taken; under the lock */
	bool done;                 /* there is none; under the lock */
	_Atomic uint64_t holes;
	uint8_t (*buffers)[PAGE_SIZE]; /* of each worker */
};

/* The next stretch that has pages: [*first, *end). */
static bool take_stretch(struct scan *scan, uint64_t *first, uint64_t *end)
{
	bool found = false;

	pthread_mutex_lock(&scan->lock);
	if (!scan->done && dump_next_page(scan->dump, &scan->next)) {
		*first = scan->next;
		*end = *first - *first % STRETCH_PAGES + STRETCH_PAGES;
		scan->next = *end;
		found = true;
	} else {
		scan->done = true;
	}
	pthread_mutex_unlock(&scan->lock);
	return found;
}

static bool stopped(const struct scan *scan)
{
	return scan->stop && atomic_load_explicit(scan->stop, memory_order_relaxed);
}

static void scan_some(void *ctx, unsigned worker, unused_arg size_t i)
{
	struct scan *scan = ctx;
	uint64_t first, end, holes = 0;

	while (!stopped(scan) && take_stretch(scan, &first, &end)) {
		dump_will_need(scan->dump, first, end - first);
		for (uint64_t pfn = first; dump_next_page(scan->dump, &pfn) && pfn < end; pfn++) {
			struct dump_page page;
			if (dump_read_page(scan->dump, pfn, scan->buffers[worker], &page) !=
			    READ_OK)
				holes++;
			else if (page.from < page.to)
				scan->fn(scan->ctx, worker, pfn, page.data, page.from, page.to);
		}
	}
	atomic_fetch_add(&scan->holes, holes);
}

bool memory_scan(struct memory *mem, const atomic_bool *stop, scan_fn fn, void *ctx,
		 uint64_t *holes)
{
	unsigned workers = parallel_workers();
	struct scan scan = { .dump = memory_dump(mem), .stop = stop, .fn = fn, .ctx = ctx };

	pthread_mutex_init(&scan.lock, NULL);
	scan.buffers = xmalloc(workers * sizeof(*scan.buffers));
	parallel_for(workers, stop, scan_some, &scan);
	free(scan.buffers);
	pthread_mutex_destroy(&scan.lock);
	if (holes)
		*holes = atomic_load(&scan.holes);
	return !stopped(&scan);
}
