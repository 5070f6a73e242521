// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Damerau's distance in its restricted form: a pair of letters is swapped at most once. Three rows
 * of the table are kept.
 */
#include "base/nearest.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned name_distance(const char *a, const char *b)
{
	unsigned rows[3][NAME_COMPARED_MAX + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > NAME_COMPARED_MAX || lb > NAME_COMPARED_MAX)
		return NAME_COMPARED_MAX;
	for (unsigned i = 0; i <= la; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
		for (unsigned j = 0; j <= lb; j++) {
			if (!i || !j) {
				row[j] = i + j;
				continue;
			}
			row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]),
				       least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[la % 3][lb];
}

struct nearest nearest_to(const char *name)
{
	size_t length = strlen(name);

	return (struct nearest){ .name = name,
				 .distance = length > 9 ? 4 : length > 3 ? 3 : 2 };
}

void nearest_consider(struct nearest *n, const char *candidate)
{
	size_t length = strlen(n->name), other = strlen(candidate);

	if ((length > other ? length - other : other - length) >= n->distance)
		return;
	unsigned distance = name_distance(n->name, candidate);
	if (distance < n->distance) {
		n->distance = distance;
		n->best = candidate;
	}
}
