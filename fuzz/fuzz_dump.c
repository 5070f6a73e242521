// SPDX-License-Identifier: LGPL-2.1-or-later
/* A dump file: opens it, asks for everything that the station can tell, reads pages. */
#include <stdlib.h>
#include <string.h>

#include "dump/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAGES_MAX = 256 };

static uint64_t sum(const uint8_t *p, size_t size)
{
	uint64_t total = 0;

	for (size_t i = 0; i < size; i++)
		total += p[i];
	return total;
}

static uint64_t read_everything(const struct dump *dump)
{
	const struct dump_info *info = dump_info(dump);
	uint64_t total = strlen(info->format) + strlen(info->compression);
	uint8_t buffer[PAGE_SIZE];
	struct dump_page page;
	char text[64];
	int64_t number;
	uint64_t hex;

	for (size_t i = 0; i < info->note_count; i++)
		total += sum(info->notes[i].data, info->notes[i].size);
	for (size_t i = 0; i < info->problem_count; i++)
		total += strlen(info->problems[i]);
	for (size_t i = 0; i < info->segment_count; i++)
		total += info->segments[i].size;
	total += dump_vmcoreinfo(dump, "OSRELEASE", text, sizeof(text));
	total += dump_vmcoreinfo_hex(dump, "SYMBOL(swapper_pg_dir)", &hex);
	total += dump_vmcoreinfo_number(dump, "NUMBER(phys_base)", &number);
	uint64_t pfn = 0;
	for (int i = 0; i < PAGES_MAX && dump_next_page(dump, &pfn); i++, pfn++) {
		if (dump_read_page(dump, pfn, buffer, &page) != READ_OK)
			continue;
		if (page.from >= page.to || page.to > PAGE_SIZE)
			abort();
		total += sum(page.data + page.from, (size_t)(page.to - page.from));
	}
	dump_will_need(dump, 0, PAGES_MAX);
	dump_will_need(dump, info->max_pfn / 2, UINT64_MAX);
	for (pfn = 0; pfn < PAGES_MAX; pfn++)
		total += dump_has_page(dump, pfn) + dump_has_page(dump, info->max_pfn - pfn);
	return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dump *dump;

	/* The first byte splits the input into pieces of a split dump. */
	if (!size)
		return 0;
	size_t count = data[0] % 4 == 3 ? 2 : 1, half = count == 2 ? (size - 1) / 2 : size - 1;
	const void *pieces[2] = { data + 1, data + 1 + half };
	struct error *err =
		dump_open_memory(pieces, (size_t[]){ half, size - 1 - half }, count, &dump);
	if (err) {
		error_free(err);
		return 0;
	}
	uint64_t total = read_everything(dump);
	__asm__ volatile("" : : "r"(total)); /* keeps what was only read */
	dump_close(dump);
	return 0;
}
