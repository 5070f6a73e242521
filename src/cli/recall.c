// SPDX-License-Identifier: LGPL-2.1-or-later
/* The numbers are those of the list; a text means the newest line that begins with it. */
#include "cli/recall.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"

void recall_add(struct recall *recall, const char *line)
{
	if (*line)
		vec_push(recall, xstrdup(line));
}

void recall_deinit(struct recall *recall)
{
	for (size_t i = 0; i < recall->count; i++)
		free(recall->data[i]);
	vec_deinit(recall);
}

static const char *find(const struct recall *recall, const char *wanted)
{
	uint64_t number;

	if (parse_u64(wanted, &number))
		return number && number <= recall->count ? recall->data[number - 1] : NULL;
	for (size_t i = recall->count; i-- > 0;) {
		if (starts_with(recall->data[i], wanted))
			return recall->data[i];
	}
	return NULL;
}

struct error *recall_line(const struct recall *recall, const char *line, FILE *out,
			  const char **again)
{
	*again = NULL;
	if (strcmp(line, "h") == 0) {
		for (size_t i = 0; i < recall->count; i++)
			fprintf(out, "[%zu] %s\n", i + 1, recall->data[i]);
		*again = "";
		return NULL;
	}
	bool last = strcmp(line, "r") == 0 || strcmp(line, "!!") == 0;
	if (!last && strncmp(line, "r ", 2) != 0)
		return NULL;
	const char *wanted = last ? "" : line + 2 + strspn(line + 2, " ");
	*again = find(recall, wanted);
	if (*again)
		return NULL;
	return error_new(ERROR_NOT_FOUND, "no earlier line is %s (h lists them)",
			 *wanted ? wanted : "there");
}
