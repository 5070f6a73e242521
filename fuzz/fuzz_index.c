// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The index of names as it comes from a file. The first byte tells whether the checksums are made
 * right first, without which nothing behind them would ever be reached; the rest is the file.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "types/index_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct index_image *image, const uint8_t *data, size_t size)
{
	const struct index_entry *entries = NULL;
	const uint32_t *starts;
	volatile uint32_t sum = 0;
	size_t count;

	for (size_t at = 0; at + 4 <= size && at < 4096; at++) {
		size_t n = index_image_find(image, load_u32(data + at), &entries);
		for (size_t i = 0; i < n; i++)
			sum = sum + entries[i].offset + entries[i].kind;
	}
	for (unsigned file = 0; file < 2; file++) {
		if (!index_image_units(image, file, &starts, &count))
			continue;
		for (size_t i = 0; i < count; i++)
			sum = sum + starts[i];
	}
	(void)index_image_damaged(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct index_identity identity = { .build_id = "0123456789abcdef", .info_size = 1 };
	struct index_image *image;

	if (!size)
		return 0;
	uint8_t *bytes = xmalloc(size - 1);
	memcpy(bytes, data + 1, size - 1);
	if (data[0] & 1)
		index_image_seal(bytes, size - 1);
	struct error *err = index_image_parse(bytes, size - 1, &identity, &image);
	if (!err) {
		ask(image, data, size);
		index_image_close(image);
	}
	error_free(err);
	return 0;
}
