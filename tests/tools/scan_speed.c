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

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
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
	double alone = 1e9, found = 1e9;
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
		double start = now();
		memory_scan(mem, NULL, count_page, NULL, &holes);
		double middle = now();
		memory_find_words(mem, NULL, &query, count_hit, NULL, NULL);
		double end = now();
		alone = middle - start < alone ? middle - start : alone;
		found = end - middle < found ? end - middle : found;
	}
	printf("{\"pages\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"holes\": %" PRIu64
	       ", \"hits\": %" PRIu64 ", \"alone\": %.6f, \"found\": %.6f}\n",
	       (uint64_t)pages, (uint64_t)bytes_seen, holes, (uint64_t)hits, alone, found);
	memory_destroy(mem);
	dump_close(dump);
	return 0;
}
