// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dump_info [--time|--open] DUMP...: what the dump station says of a dump, as JSON: headers,
 * problems, and how its pages read. With --time, also how long opening took, and reading on one
 * thread and two; with --open, opening only, and only the stored pages are read.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "dump/dump.h"

enum { STATUS_COUNT = READ_CORRUPT + 1, THREADS_MAX = 64, RUN = 64 };

struct job {
	const struct dump *dump;
	uint64_t first, step; /* runs of pages: first, first + step ... */
	uint64_t counts[STATUS_COUNT];
	uint64_t sum;
};

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *read_pages(void *arg)
{
	struct job *job = arg;
	uint64_t max_pfn = dump_info(job->dump)->max_pfn;
	uint8_t buffer[PAGE_SIZE];
	struct dump_page page;

	for (uint64_t run = job->first; run * RUN < max_pfn; run += job->step) {
		for (uint64_t pfn = run * RUN; pfn < (run + 1) * RUN && pfn < max_pfn; pfn++) {
			enum read_status s = dump_read_page(job->dump, pfn, buffer, &page);
			job->counts[s]++;
			if (s == READ_OK)
				for (uint16_t i = page.from; i + 8 <= page.to; i += 8)
					job->sum += load_u64(page.data + i);
		}
	}
	return NULL;
}

static double read_all(const struct dump *dump, clockid_t clock, unsigned threads,
		       struct job *total)
{
	struct job jobs[THREADS_MAX] = { 0 };
	pthread_t ids[THREADS_MAX];
	double start = now(clock);

	for (unsigned i = 0; i < threads; i++) {
		jobs[i] = (struct job){ .dump = dump, .first = i, .step = threads };
		if (pthread_create(&ids[i], NULL, read_pages, &jobs[i]))
			abort();
	}
	*total = (struct job){ 0 };
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		for (int s = 0; s < STATUS_COUNT; s++)
			total->counts[s] += jobs[i].counts[s];
		total->sum += jobs[i].sum;
	}
	return now(clock) - start;
}

static void read_stored(const struct dump *dump, struct job *total)
{
	uint8_t buffer[PAGE_SIZE];
	struct dump_page page;

	*total = (struct job){ 0 };
	for (uint64_t pfn = 0; dump_next_page(dump, &pfn); pfn++)
		total->counts[dump_read_page(dump, pfn, buffer, &page)]++;
}

static void print_string(const char *key, const char *s)
{
	printf("\"%s\": \"", key);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s >= ' ')
			putchar(*s);
	}
	printf("\", ");
}

static void print_number(const char *key, uint64_t n)
{
	printf("\"%s\": %llu, ", key, (unsigned long long)n);
}

static void print_info(const struct dump *dump)
{
	const struct dump_info *info = dump_info(dump);
	char release[65] = "";
	unsigned kinds[2] = { 0 };

	(void)dump_vmcoreinfo(dump, "OSRELEASE", release, sizeof(release));
	for (size_t i = 0; i < info->note_count; i++)
		kinds[info->notes[i].kind]++;
	print_string("format", info->format);
	print_string("compression", info->compression);
	print_string("release", info->release);
	print_string("machine", info->machine);
	print_string("osrelease", release);
	print_number("flattened", info->flattened);
	print_number("files", info->files);
	print_number("elf_machine", info->elf_machine);
	print_number("timestamp", info->timestamp);
	print_number("dump_level", info->dump_level);
	print_number("max_pfn", info->max_pfn);
	print_number("present_pages", info->present_pages);
	print_number("file_size", info->file_size);
	print_number("phys_base", info->phys_base);
	print_number("segments", info->segment_count);
	print_number("prstatus", kinds[NOTE_PRSTATUS]);
	print_number("qemu_notes", kinds[NOTE_QEMU]);
	print_number("vmcoreinfo", info->vmcoreinfo_size);
	print_number("truncated", info->truncated);
	printf("\"problems\": [");
	for (size_t i = 0; i < info->problem_count; i++)
		printf("%s\"%s\"", i ? ", " : "", info->problems[i]);
	printf("], ");
}

/* The best of a few times, as other programs only ever make it slower. */
static void print_speed(const struct dump *dump, const char *key, clockid_t clock, unsigned threads)
{
	struct job total = { 0 };
	double best = 1e9;

	for (int i = 0; i < 7; i++) {
		double seconds = read_all(dump, clock, threads, &total);
		best = seconds < best ? seconds : best;
	}
	print_number(key, (uint64_t)((double)total.counts[READ_OK] * PAGE_SIZE / best / 1e6));
}

int main(int argc, char **argv)
{
	bool timed = argc > 1 && strcmp(argv[1], "--time") == 0;
	bool stored = argc > 1 && strcmp(argv[1], "--open") == 0;
	struct dump *dump;
	struct job total;
	int first = timed || stored ? 2 : 1;

	if (argc <= first) {
		fprintf(stderr, "usage: %s [--time|--open] DUMP...\n", argv[0]);
		return 2;
	}
	double start = now(CLOCK_MONOTONIC);
	struct error *err = dump_open((const char *const *)(void *)(argv + first),
				      (size_t)(argc - first), &dump);
	double opened = now(CLOCK_MONOTONIC) - start;
	if (err) {
		fprintf(stderr, "%s\n", err->message);
		error_free(err);
		return 2;
	}
	printf("{");
	print_info(dump);
	if (timed) {
		print_speed(dump, "MB/s, 1 thread", CLOCK_MONOTONIC, 1);
		print_speed(dump, "MB/s, 2 threads", CLOCK_MONOTONIC, 2);
		print_speed(dump, "MB per CPU second", CLOCK_PROCESS_CPUTIME_ID, 2);
	}
	if (stored)
		read_stored(dump, &total);
	else if (!timed)
		(void)read_all(dump, CLOCK_MONOTONIC, 2, &total);
	if (timed || stored)
		printf("\"open_ms\": %.3f, ", opened * 1e3);
	printf("\"ok\": %llu, \"excluded\": %llu, \"unmapped\": %llu, \"truncated_pages\": %llu, "
	       "\"corrupt\": %llu, \"sum\": \"%llx\"}\n",
	       (unsigned long long)total.counts[READ_OK],
	       (unsigned long long)total.counts[READ_EXCLUDED],
	       (unsigned long long)total.counts[READ_UNMAPPED],
	       (unsigned long long)total.counts[READ_TRUNCATED],
	       (unsigned long long)total.counts[READ_CORRUPT], (unsigned long long)total.sum);
	dump_close(dump);
	return 0;
}
