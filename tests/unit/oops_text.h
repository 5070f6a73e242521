/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests of the report parser: a text as a log, and what to compare. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/vec.h"
#include "kernel/oops.h"

struct parsed {
	struct arena arena;
	char *text;
	vec_fields(struct log_record);
	const struct oops_report *reports;
	size_t report_count;
};

/* Each line is a record. "@7 text": printed by caller 7. */
static inline struct parsed *parse(const char *text)
{
	struct parsed *p = xcalloc(1, sizeof(*p));
	char *line = p->text = xstrdup(text);

	while (line) {
		char *end = strchr(line, '\n');
		if (end)
			*end = '\0';
		struct log_record r = { .text = line };
		if (*line == '@') {
			r.has_caller = true;
			r.caller = (uint32_t)(line[1] - '0');
			r.text += 3;
		}
		r.length = strlen(r.text);
		vec_push(p, r);
		line = end ? end + 1 : NULL;
	}
	oops_parse(p->data, p->count, &p->arena, &p->reports, &p->report_count);
	return p;
}

static inline void done(struct parsed *p)
{
	arena_deinit(&p->arena);
	vec_deinit(p);
	free(p->text);
	free(p);
}

static inline void assert_place(const struct oops_place *place, const char *function,
				uint64_t offset, const char *module)
{
	assert_non_null(place->function);
	assert_string_equal(place->function, function);
	assert_int_equal(place->offset, offset);
	if (module)
		assert_string_equal(place->module, module);
	else
		assert_null(place->module);
}

static inline void assert_reg(const struct regs *regs, unsigned reg, uint64_t value)
{
	assert_true(regs_known(regs, reg));
	assert_int_equal(regs->value[reg], value);
}
