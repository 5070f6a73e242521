// SPDX-License-Identifier: LGPL-2.1-or-later
/* The notation of pipelines: any bytes as a line. What comes out lies inside of it. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "pipeline/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each expression stands in the line where it says. */
static void check(const char *line, const struct stage_exprs *exprs)
{
	if (exprs->count > PIPELINE_EXPRS_MAX)
		abort();
	for (size_t i = 0; i < exprs->count; i++) {
		const struct stage_expr *e = &exprs->data[i];
		if (e->at > strlen(line) || strncmp(line + e->at, e->text, strlen(e->text)) != 0 ||
		    !*e->text || !*e->name)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct pipeline p;
	size_t at = SIZE_MAX;

	auto_free char *line = xstrndup((const char *)data, size);
	struct error *err = pipeline_parse(line, &arena, &p, &at);
	if (err && at > strlen(line))
		abort();
	for (size_t i = 0; !err && i < p.count; i++) {
		check(line, &p.stages[i].exprs);
		check(line, &p.stages[i].by);
		if (p.stages[i].number != i + 1 || p.stages[i].at > strlen(line))
			abort();
	}
	if (!err && (p.count > 0) != (pipeline_operator(line) != NULL))
		abort();
	error_free(err);
	arena_deinit(&arena);
	return 0;
}
