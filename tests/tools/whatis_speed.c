// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * whatis_speed DUMP [COUNT]: how long it takes to say what addresses are: words of all over memory
 * that could be kernel addresses. Also whether several threads that ask at once get what one gets.
 * One line of JSON; times are of this thread's CPU, in seconds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/parallel.h"
#include "base/vec.h"
#include "forensics/whatis.h"

enum { LABEL_BYTES = 128, PAGES_PROBED = 20000, PER_PAGE = 4 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct addresses {
	vec_fields(uint64_t);
};

static void collect(struct session *s, struct addresses *addresses, size_t count)
{
	uint64_t max = dump_info(s->dump)->max_pfn, step = max / PAGES_PROBED + 1;
	unsigned levels = memory_layout(s->memory)->root.levels;
	uint8_t page[PAGE_SIZE];

	for (uint64_t pfn = 0; pfn < max && addresses->count < count; pfn += step) {
		struct paddr paddr = { pfn << PAGE_SHIFT };
		unsigned taken = 0;
		if (memory_read_phys(s->memory, paddr, page, sizeof(page)) != READ_OK)
			continue;
		for (size_t i = 0; i < PAGE_SIZE && taken < PER_PAGE; i += 8) {
			uint64_t value = load_u64(page + i);
			if (!s->arch->is_kernel_address(value) || value >> 12 == UINT64_MAX >> 12 ||
			    (levels && !s->arch->canonical(value, levels)))
				continue;
			vec_push(addresses, value);
			taken++;
		}
	}
	for (size_t i = 0, n = addresses->count; n && addresses->count < count; i++)
		vec_push(addresses, addresses->data[i % n] + 8 * (i / n + 1));
}

struct run {
	struct session *s;
	const struct addresses *addresses;
	struct what *whats;
	char (*labels)[LABEL_BYTES];
	atomic_size_t different;
};

/* In another order than the first time, and twice. */
static void compare(void *ctx, unused_arg unsigned worker, size_t i)
{
	struct run *run = ctx;
	uint64_t address = run->addresses->data[i];
	char label[LABEL_BYTES];
	struct what what;

	whatis_label(run->s, address, label, sizeof(label));
	whatis(run->s, NULL, address, &what);
	if (strcmp(label, run->labels[i]) != 0 || strcmp(what.text, run->whats[i].text) != 0 ||
	    strcmp(what.detail, run->whats[i].detail) != 0)
		atomic_fetch_add(&run->different, 1);
}

int main(int argc, char **argv)
{
	struct session_options options = { .paths = &(const char *){ argc > 1 ? argv[1] : "" },
					   .path_count = 1, .debug.off = true };
	size_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 10000;
	struct addresses addresses = { 0 };
	size_t known = 0;
	struct session *s;

	struct error *err = session_open(&options, &s);
	if (err) {
		fprintf(stderr, "%s\n", err->message);
		error_free(err);
		return 2;
	}
	collect(s, &addresses, count);
	count = addresses.count;
	struct run run = { .s = s, .addresses = &addresses };
	run.whats = xcalloc(count, sizeof(*run.whats));
	run.labels = xcalloc(count, sizeof(*run.labels));
	double start = now();
	whatis_prepare(s);
	double prepared = now();
	whatis_many(s, NULL, addresses.data, count, run.whats);
	double answered = now();
	for (size_t i = 0; i < count; i++)
		whatis_label(s, addresses.data[i], run.labels[i], sizeof(run.labels[i]));
	double labelled = now();
	parallel_for(count, NULL, compare, &run);
	for (size_t i = 0; i < count; i++)
		known += *run.labels[i] != '\0';
	printf("{\"count\": %zu, \"labelled\": %zu, \"prepare\": %.6f, \"answer\": %.6f, "
	       "\"label\": %.6f, \"different\": %zu}\n",
	       count, known, prepared - start, answered - prepared, labelled - answered,
	       (size_t)run.different);
	free(run.whats);
	free(run.labels);
	vec_deinit(&addresses);
	session_close(s);
	return run.different ? 1 : 0;
}
