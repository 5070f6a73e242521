// SPDX-License-Identifier: LGPL-2.1-or-later
/* A kernel without a symbol table: only the places that a text names are known (places.h). */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "symbols/source.h"

static uint64_t op_address(const struct symbol_source *source unused_arg, uint32_t i unused_arg)
{
	return 0;
}

static bool op_name(const struct symbol_source *source unused_arg, uint32_t i unused_arg,
		    char *buf unused_arg, char *type unused_arg)
{
	return false;
}

static uint32_t op_at(const struct symbol_source *source, uint64_t address unused_arg)
{
	return source->count;
}

static void op_find_names(const struct symbol_source *source unused_arg,
			  const char *const *names unused_arg, size_t n, uint32_t *found)
{
	for (size_t i = 0; i < n; i++)
		found[i] = UINT32_MAX;
}

static void op_each(const struct symbol_source *source unused_arg, source_fn fn unused_arg,
		    void *ctx unused_arg)
{
}

static void op_destroy(struct symbol_source *source)
{
	free(source);
}

static const struct symbol_source_ops empty_ops = {
	.address = op_address,
	.name = op_name,
	.at = op_at,
	.find_names = op_find_names,
	.each = op_each,
	.destroy = op_destroy,
};

struct symbol_source *source_empty(void)
{
	struct symbol_source *source = xcalloc(1, sizeof(*source));

	source->ops = &empty_ops;
	source->indexed = true;
	snprintf(source->text, sizeof(source->text), "the places that the text names");
	return source;
}
