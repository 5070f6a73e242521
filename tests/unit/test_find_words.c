// SPDX-License-Identifier: LGPL-2.1-or-later
/* The search for words against the plain way to do it, on pages of many kinds. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "base/bytes.h"
#include "dump/format.h"
#include "memory/find_words.h"

enum { RANGES_MAX = 40, HITS_MAX = PAGE_SIZE };

struct hits {
	struct word_hit hit[HITS_MAX];
	size_t count;
};

static uint64_t state = 88172645463325252u;

static uint64_t chance(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void keep_hit(void *ctx, unsigned worker, const struct word_hit *hit)
{
	struct hits *hits = ctx;

	assert_int_equal(worker, 3);
	assert_true(hits->count < HITS_MAX);
	hits->hit[hits->count++] = *hit;
}

static void plain(const struct word_query *q, const uint8_t *page, unsigned from, unsigned to,
		  struct hits *hits)
{
	for (unsigned at = 0; at + q->width <= to; at += q->width) {
		uint64_t value = 0;
		if (at < from)
			continue;
		memcpy(&value, page + at, q->width);
		for (size_t i = 0; i < q->count; i++) {
			if ((value & ~q->ignore) - q->ranges[i].start >= q->ranges[i].size)
				continue;
			hits->hit[hits->count++] = (struct word_hit){
				.at = { 7 * PAGE_SIZE + at }, .value = value, .range = i
			};
			break;
		}
	}
}

static void compare(const struct word_query *q, const uint8_t *page, uint16_t from, uint16_t to)
{
	static struct hits want, got;

	want.count = got.count = 0;
	plain(q, page, from, to, &want);
	struct word_finder *finder = word_finder_create(q);
	word_finder_page(finder, 3, 7, page, from, to, keep_hit, &got);
	word_finder_destroy(finder);
	assert_int_equal(got.count, want.count);
	for (size_t i = 0; i < want.count; i++) {
		assert_int_equal(got.hit[i].at.v, want.hit[i].at.v);
		assert_int_equal(got.hit[i].value, want.hit[i].value);
		assert_int_equal(got.hit[i].range, want.hit[i].range);
	}
}

/* Pages with few values near each other, so that ranges have hits, at odd places in memory too. */
static void test_like_the_plain_way(unused_arg void **ctx)
{
	static const unsigned widths[] = { 8, 4, 2 };
	static uint8_t buffer[PAGE_SIZE + 8];

	for (unsigned round = 0; round < 3000; round++) {
		unsigned width = widths[round % 3];
		uint64_t low = UINT64_MAX >> (64 - 8 * width), base = chance() & low;
		uint8_t *page = buffer + round % 8;
		struct word_range ranges[RANGES_MAX];
		struct word_query q = { .ranges = ranges, .count = chance() % RANGES_MAX,
					.width = width };
		for (unsigned i = 0; i < PAGE_SIZE; i += width) {
			uint64_t value = chance() % 4 ? chance() : base + chance() % 5000;
			memcpy(page + i, &value, width);
		}
		if (round % 5 == 0)
			q.ignore = chance() & chance() & low;
		for (size_t i = 0; i < q.count; i++) {
			uint64_t start = (chance() % 3 ? base + chance() % 5000 : chance()) & low;
			start &= ~q.ignore;
			ranges[i].start = start;
			ranges[i].size = chance() % 6 ? chance() % 300 : chance() & chance() & low;
			ranges[i].size = min_u64(ranges[i].size, low - start);
		}
		uint16_t from = round % 4 ? 0 : (uint16_t)(chance() % PAGE_SIZE);
		uint16_t to = round % 4 ? PAGE_SIZE
					: (uint16_t)(from + chance() % (PAGE_SIZE - from + 1u));
		compare(&q, page, from, to);
	}
}

static void test_the_ends_of_the_numbers(unused_arg void **ctx)
{
	uint64_t page[PAGE_SIZE / 8] = { 0 };
	struct word_range ranges[] = { { UINT64_MAX - 15, 16 }, { 0, 1 }, { 5, 0 } };
	struct word_query q = { .ranges = ranges, .count = 3, .width = 8 };

	page[1] = UINT64_MAX;
	page[2] = UINT64_MAX - 15;
	page[3] = UINT64_MAX - 16;
	page[4] = 5;
	compare(&q, (const uint8_t *)page, 0, PAGE_SIZE);
	ranges[1] = (struct word_range){ 0, UINT64_MAX };
	compare(&q, (const uint8_t *)page, 0, PAGE_SIZE);
	q.count = 0;
	compare(&q, (const uint8_t *)page, 0, PAGE_SIZE);
}

/* --- All memory. --- */

enum { PAGES = 3000, FIRST = 300 };

struct seen {
	unsigned char pages[FIRST + PAGES + 1];
	size_t count;
	atomic_bool stop;
	bool stops;
};

static void see(void *ctx, unsigned worker, uint64_t pfn, const uint8_t *data, uint16_t from,
		uint16_t to)
{
	struct seen *seen = ctx;

	assert_true(worker == 0 && pfn >= FIRST && pfn <= FIRST + PAGES);
	assert_int_equal(from, 0);
	/* The last page is there up to its middle. */
	assert_int_equal(to, pfn == FIRST + PAGES ? PAGE_SIZE / 2 : PAGE_SIZE);
	assert_int_equal(load_u64(data), pfn);
	seen->pages[pfn]++;
	seen->count++;
	if (seen->stops)
		atomic_store(&seen->stop, true);
}

static void test_all_memory_once_and_stopped(unused_arg void **ctx)
{
	struct {
		Elf64_Ehdr h;
		Elf64_Phdr p;
		uint64_t words[(PAGES * PAGE_SIZE + PAGE_SIZE / 2) / 8];
	} *file = calloc(1, sizeof(*file));
	struct seen seen = { 0 };
	struct dump *dump;
	uint64_t holes;

	memcpy(file->h.e_ident, ELFMAG "\2\1\1", 7);
	file->h.e_type = ET_CORE;
	file->h.e_machine = EM_X86_64;
	file->h.e_phoff = sizeof(file->h);
	file->h.e_phentsize = sizeof(file->p);
	file->h.e_phnum = 1;
	file->p.p_type = PT_LOAD;
	file->p.p_offset = sizeof(file->h) + sizeof(file->p);
	file->p.p_paddr = (uint64_t)FIRST * PAGE_SIZE;
	file->p.p_filesz = file->p.p_memsz = sizeof(file->words);
	for (uint64_t i = 0; i <= PAGES; i++)
		file->words[i * PAGE_SIZE / 8] = FIRST + i;
	setenv("INQUEST_THREADS", "1", 1);
	size_t size = sizeof(*file);
	assert_null(dump_open_memory(&(const void *){ file }, &size, 1, &dump));
	struct memory *mem = memory_create(dump, &arch_x86_64);

	assert_true(memory_scan(mem, &seen.stop, see, &seen, &holes));
	assert_int_equal(holes, 0);
	assert_int_equal(seen.count, PAGES + 1);
	for (size_t i = FIRST; i <= FIRST + PAGES; i++)
		assert_int_equal(seen.pages[i], 1);
	/* From within: no further stretch is begun. */
	seen.stops = true;
	seen.count = 0;
	assert_false(memory_scan(mem, &seen.stop, see, &seen, &holes));
	assert_in_range(seen.count, 1, 1024);
	/* Before: nothing is looked at. */
	seen.count = 0;
	assert_false(memory_scan(mem, &seen.stop, see, &seen, &holes));
	assert_int_equal(seen.count, 0);
	memory_destroy(mem);
	dump_close(dump);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_the_plain_way),
		cmocka_unit_test(test_the_ends_of_the_numbers),
		cmocka_unit_test(test_all_memory_once_and_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
