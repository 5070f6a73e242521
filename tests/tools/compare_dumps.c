// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * compare_dumps A... -- B...: reads every page of two dumps and compares outcome and bytes. Pages
 * that one dump has and the other left out (excluded, truncated) are counted by outcome; bytes
 * that differ, and damaged pages, fail. One line of JSON; exit status 1 when they differ.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump/dump.h"

enum { STATUS_COUNT = READ_CORRUPT + 1, SHOWN = 5 };

struct side {
	struct dump *dump;
	uint8_t buffer[PAGE_SIZE];
	struct dump_page page;
};

static const char *const names[STATUS_COUNT] = { "ok", "excluded", "unmapped", "truncated",
						 "corrupt" };

static void open_side(struct side *side, char **paths, int count)
{
	struct error *err =
		dump_open((const char *const *)(void *)paths, (size_t)count, &side->dump);
	if (err) {
		fprintf(stderr, "%s\n", err->message);
		exit(2);
	}
}

/* Bytes that both have; RAM can end inside a page in one format and not in the other. */
static bool same_bytes(const struct dump_page *a, const struct dump_page *b)
{
	uint16_t from = a->from > b->from ? a->from : b->from;
	uint16_t to = a->to < b->to ? a->to : b->to;

	return from < to && memcmp(a->data + from, b->data + from, (size_t)(to - from)) == 0;
}

int main(int argc, char **argv)
{
	static struct side a, b;
	uint64_t counts[STATUS_COUNT][STATUS_COUNT] = { 0 }, differ = 0, inconsistent = 0;
	int split = 1;

	while (split < argc && strcmp(argv[split], "--") != 0)
		split++;
	if (split == 1 || split + 1 >= argc) {
		fprintf(stderr, "usage: %s DUMP... -- DUMP...\n", argv[0]);
		return 2;
	}
	open_side(&a, argv + 1, split - 1);
	open_side(&b, argv + split + 1, argc - split - 1);
	uint64_t end = max_u64(dump_info(a.dump)->max_pfn, dump_info(b.dump)->max_pfn);
	for (uint64_t pfn = 0; pfn < end + 2; pfn++) {
		enum read_status sa = dump_read_page(a.dump, pfn, a.buffer, &a.page);
		enum read_status sb = dump_read_page(b.dump, pfn, b.buffer, &b.page);
		enum read_status ha = dump_has_page(a.dump, pfn);
		counts[sa][sb]++;
		inconsistent += ha != sa && !(ha == READ_OK && sa == READ_CORRUPT);
		if (sa == READ_OK && sb == READ_OK && !same_bytes(&a.page, &b.page) &&
		    differ++ < SHOWN)
			fprintf(stderr, "pfn 0x%llx differs\n", (unsigned long long)pfn);
	}
	printf("{\"a\": \"%s\", \"b\": \"%s\", \"pages\": %llu, \"differ\": %llu, "
	       "\"inconsistent\": %llu, \"outcomes\": {",
	       dump_info(a.dump)->format, dump_info(b.dump)->format, (unsigned long long)end,
	       (unsigned long long)differ, (unsigned long long)inconsistent);
	const char *comma = "";
	for (int i = 0; i < STATUS_COUNT; i++) {
		for (int j = 0; j < STATUS_COUNT; j++) {
			if (!counts[i][j])
				continue;
			printf("%s\"%s/%s\": %llu", comma, names[i], names[j],
			       (unsigned long long)counts[i][j]);
			comma = ", ";
		}
	}
	printf("}}\n");
	dump_close(a.dump);
	dump_close(b.dump);
	return differ || inconsistent;
}
