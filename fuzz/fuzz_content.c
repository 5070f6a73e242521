// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What bytes look like: the runs must follow each other without a gap, cover all bytes, and have
 * texts that end. The first byte says how the memory lies to words and pages.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "forensics/content.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Some values are pointers, of every kind. */
static enum pointer_kind kind_of(void *ctx, uint64_t value)
{
	(void)ctx;
	return value >> 47 == 0x1ffff ? (enum pointer_kind)(1 + value / 8 % (POINTER_COUNT - 1))
				      : POINTER_NONE;
}

static void check(const struct content_env *env, uint64_t address, const uint8_t *bytes,
		  size_t size)
{
	struct content content = { 0 };
	uint64_t at = address;

	content_runs(env, address, bytes, size, &content);
	for (size_t i = 0; i < content.count; i++) {
		const struct content_run *run = &content.data[i];
		if (run->address != at || !run->size || run->size > size ||
		    run->kind >= CONTENT_COUNT || run->kind == CONTENT_MISSING ||
		    !memchr(run->text, '\0', sizeof(run->text)) || !run->text[0])
			abort();
		at += run->size;
	}
	if (at != address + size)
		abort();
	content_deinit(&content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct content_env plain = { .max_pfn = 1 << 20 };
	const struct content_env kernel = { .pointer = kind_of, .max_pfn = 1 << 20 };

	if (!size)
		return 0;
	/* A copy, so that a read past the end is seen. */
	uint8_t *copy = xmalloc(size - 1);
	memcpy(copy, data + 1, size - 1);
	check(&plain, 0, copy, size - 1);
	check(&kernel, UINT64_C(0xffff888000000000) + data[0], copy, size - 1);
	free(copy);
	return 0;
}
