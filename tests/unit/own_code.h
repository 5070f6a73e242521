// SPDX-License-Identifier: LGPL-2.1-or-later
/* Functions that a test has assembled into itself, as the code of a kernel: memory is its own. */
#pragma once

#include <string.h>

#include "code/env.h"

struct own_function {
	const char *name;
	const uint8_t *start, *end;
};

static enum read_status own_read(void *ctx, uint64_t vaddr, void *buf, size_t size)
{
	(void)ctx;
	memcpy(buf, (const void *)(uintptr_t)vaddr, size);
	return READ_OK;
}

static bool own_function_has(const struct own_function *function, uint64_t address,
			     struct symbol *symbol)
{
	uint64_t start = (uintptr_t)function->start, end = (uintptr_t)function->end;

	if (address < start || address >= end)
		return false;
	*symbol = (struct symbol){ .address = start, .size = end - start, .name = function->name };
	return true;
}
