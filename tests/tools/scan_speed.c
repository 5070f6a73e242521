// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * scan_speed DUMP [ADDRESS SIZE]: how long it takes to look at all memory on all cores: only to
 * decompress it, and to find the words that point into [ADDRESS, ADDRESS + SIZE). One line of JSON.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "arch/arch.h"
#include "base/bytes.h"
#include "memory/find_words.h"

enum { RUNS = 5 };

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The best of several runs: by the clock, and of the processors' time, which other work leaves alone. */
struct best {
	double wall, cpu, wall_start, cpu_start;
};

static void start(struct best *best)
{
	best->wall_start = now(CLOCK_MONOTONIC);
	best->cpu_start = now(CLOCK_PROCESS_CPUTIME_ID);
}

static void stop(struct best *best)
{
	double wall = now(CLOCK_MONOTONIC) - best->wall_start;
	double cpu = now(CLOCK_PROCESS_CPUTIME_ID) - best->cpu_start;

	best->wall = best->wall > 0 && best->wall < wall ? best->wall : wall;
	best->cpu = best->cpu > 0 && best->cpu < cpu ? best->cpu : cpu;
}

static atomic_uint_fast64_t pages, bytes_seen, hits, sum;

static void count_page(unused_arg void *ctx, unused_arg unsigned worker, uint64_t pfn,
		       const uint8_t *bytes, uint16_t from, uint16_t to)
{
	atomic_fetch_add(&pages, 1);
	atomic_fetch_add(&bytes_seen, (uint64_t)(to - from));
	/* A look at the first word: what is mapped and not touched would cost nothing. */
	atomic_fetch_add(&sum, pfn + (to - from >= 8 ? load_u64(bytes + from) & 1 : 0));
}

static void count_hit(unused_arg void *ctx, unused_arg unsigned worker,
		      unused_arg const struct word_hit *hit)
{
	atomic_fetch_add(&hits, 1);
}

int main(int argc, char **argv)
{
	struct best alone = { 0 }, found = { 0 };
	uint64_t holes = 0;
	struct dump *dump;

	if (argc != 2 && argc != 4) {
		fprintf(stderr, "usage: %s DUMP [ADDRESS SIZE]\n", argv[0]);
		return 2;
	}
	const struct arch *arch = NULL;
	struct error *err = dump_open(&(const char *){ argv[1] }, 1, &dump);
	if (!err)
		err = arch_of_dump(dump, &arch);
	if (err) {
		fprintf(stderr, "%s\n", err->message);
		return 2;
	}
	struct memory *mem = memory_create(dump, arch);
	struct word_range range = { UINT64_C(0xffffffff81000000), 4096 };
	if (argc == 4)
		range = (struct word_range){ strtoull(argv[2], NULL, 16),
					     strtoull(argv[3], NULL, 0) };
	struct word_query query = { .ranges = &range, .count = 1, .width = 8 };
	for (int i = 0; i < RUNS; i++) {
		atomic_store(&pages, 0);
		atomic_store(&bytes_seen, 0);
		atomic_store(&hits, 0);
		start(&alone);
		memory_scan(mem, NULL, count_page, NULL, &holes);
		stop(&alone);
		start(&found);
		memory_find_words(mem, NULL, &query, count_hit, NULL, NULL);
		stop(&found);
	}
	printf("{\"pages\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"holes\": %" PRIu64
	       ", \"hits\": %" PRIu64 ", \"alone\": %.6f, \"found\": %.6f, \"alone_cpu\": %.6f, \"found_cpu\": %.6f}\n",
	       (uint64_t)pages, (uint64_t)bytes_seen, holes, (uint64_t)hits, alone.wall,
	       found.wall, alone.cpu, found.cpu);
	memory_destroy(mem);
	dump_close(dump);
	return 0;
}
