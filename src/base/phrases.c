// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Phrases are filed under their first two characters. A line is walked once: most pairs of
 * characters begin no phrase, which one look into a table of 65,536 tells. Asking strstr() for each
 * of a hundred phrases took a hundred times as long.
 */
#include "base/phrases.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"

enum { PAIRS = 1 << 16 };

static unsigned pair_at(const char *s)
{
	return (unsigned)(unsigned char)s[0] << 8 | (unsigned char)s[1];
}

void phrases_add(struct phrases *phrases, const char *text, bool at_start)
{
	uint16_t *first;

	if (!phrases->first)
		phrases->first = xcalloc(PAIRS, sizeof(*phrases->first));
	first = &phrases->first[pair_at(text)];
	vec_push(phrases, (struct phrase){ .text = text, .at_start = at_start, .next = *first });
	*first = (uint16_t)phrases->count;
}

int phrases_find(const struct phrases *phrases, const char *line)
{
	int best = -1;

	for (const char *at = line; *at && phrases->first; at++) {
		for (unsigned i = phrases->first[pair_at(at)]; i; i = phrases->data[i - 1].next) {
			const struct phrase *p = &phrases->data[i - 1];
			if ((best >= 0 && (int)i - 1 >= best) || (p->at_start && at != line) ||
			    !starts_with(at, p->text))
				continue;
			best = (int)i - 1;
		}
	}
	return best;
}

void phrases_deinit(struct phrases *phrases)
{
	vec_deinit(phrases);
	free(phrases->first);
	phrases->first = NULL;
}
