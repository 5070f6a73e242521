// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * kallsyms out of hostile bytes. The first byte says how: bit 0, the places of the tables are given
 * (as VMCOREINFO would: u32 count and six u32 offsets, 0xffffffff for none), else they are looked
 * for by structure; bit 1, every third page of the window is missing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "symbols/kallsyms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool look(void *ctx, uint32_t i, char type, const char *name)
{
	size_t *sum = ctx;

	*sum += i + (size_t)type + strlen(name);
	return true;
}

static void query(const uint8_t *window, size_t size, const struct kallsyms_places *places,
		  const uint8_t *missing)
{
	static const char *const names[] = { "sys_read3", "x", "", "very.cold.9", "sys_read3",
					     "t_5" };
	uint32_t found[array_size(names)];
	char name[KALLSYMS_NAME_MAX], type;
	struct kallsyms k = { .missing = missing };
	size_t sum = 0;

	if (!kallsyms_parse(&k, window, size, UINT64_C(0xffffffff82000000), places))
		return;
	kallsyms_each(&k, look, &sum);
	kallsyms_find_names(&k, names, array_size(names), found);
	for (uint32_t i = 0; i < array_size(names); i++) {
		if (found[i] != UINT32_MAX)
			(void)kallsyms_name(&k, found[i], name, &type);
	}
	(void)kallsyms_name(&k, k.count / 2, name, &type);
	(void)kallsyms_at(&k, UINT64_C(0xffffffff81000040));
	(void)kallsyms_at(&k, kallsyms_address(&k, k.count - 1));
	(void)kallsyms_check_order(&k);
	kallsyms_deinit(&k);
}

static size_t place(struct bytes *b)
{
	uint32_t value = bytes_u32(b);

	return value == UINT32_MAX ? KALLSYMS_NOWHERE : value;
}

static void given(const uint8_t *data, size_t size, uint8_t *missing)
{
	struct bytes b = bytes_of(data, size);
	struct kallsyms_places places = { .count = bytes_u32(&b) };

	places.names = place(&b);
	places.token_table = place(&b);
	places.token_index = place(&b);
	places.addresses = place(&b);
	places.offsets = place(&b);
	places.base = place(&b);
	if (!b.bad)
		query(data + b.pos, bytes_left(&b), &places, missing);
}

static void searched(const uint8_t *data, size_t size, uint8_t *missing)
{
	struct kallsyms_places places;
	size_t pos = 0;

	for (unsigned n = 0; n < 4 && kallsyms_find_tokens(data, size, &pos, &places); n++) {
		if (kallsyms_find_tables(data, size, NULL, NULL, &places))
			query(data, size, &places, missing);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	uint8_t mode = *data++, *missing = NULL;
	size--;
	/* Of exactly that size, for the address sanitizer. */
	uint8_t *copy = malloc(size ? size : 1);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (mode & 2) {
		missing = calloc(size / 4096 + 1, 1);
		for (size_t i = 2; missing && i < size / 4096 + 1; i += 3)
			missing[i] = 1;
	}
	if (mode & 1)
		given(copy, size, missing);
	else
		searched(copy, size, missing);
	free(missing);
	free(copy);
	return 0;
}
