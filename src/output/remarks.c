// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which remarks are shown. Two are of a kind when their words are the same and only numbers, in
 * decimal or hexadecimal, differ.
 */
#include "output/remarks.h"

#include <ctype.h>

#include "base/vec.h"

enum { SHOWN_OF_A_KIND = 4, ADDRESS_DIGITS = 16 };

/* How long the number at @text is, decimal or hexadecimal: 0 when there is none. */
static size_t number_length(const char *text)
{
	size_t length = text[0] == '0' && text[1] == 'x' ? 2 : 0, digits = 0;

	for (; isxdigit((unsigned char)text[length]); length++)
		digits += isdigit((unsigned char)text[length]) != 0;
	if (isalnum((unsigned char)text[length]))
		return 0;
	return digits || length == ADDRESS_DIGITS ? length : 0;
}

static bool are_alike(const char *a, const char *b)
{
	bool in_word = false;

	while (*a && *b) {
		size_t x = in_word ? 0 : number_length(a), y = in_word ? 0 : number_length(b);
		if (!x != !y || (!x && *a != *b))
			return false;
		in_word = !x && isalnum((unsigned char)*a);
		a += x ? x : 1;
		b += y ? y : 1;
	}
	return *a == *b;
}

struct kind {
	const struct doc_remark *first, *last_shown;
	size_t count;
};

void remarks_each(const struct doc *doc, remark_fn fn, void *ctx)
{
	struct { vec_fields(struct kind); } kinds = { 0 };
	struct { vec_fields(size_t); } kind_of = { 0 };
	size_t n = 0;

	for (const struct doc_remark *r = doc->remarks; r; r = r->next) {
		size_t k = 0;
		while (k < kinds.count && (kinds.data[k].first->kind != r->kind ||
					   !are_alike(kinds.data[k].first->text, r->text)))
			k++;
		if (k == kinds.count)
			vec_push(&kinds, (struct kind){ .first = r });
		if (kinds.data[k].count++ < SHOWN_OF_A_KIND)
			kinds.data[k].last_shown = r;
		vec_push(&kind_of, k);
	}
	for (const struct doc_remark *r = doc->remarks; r; r = r->next, n++) {
		struct kind *kind = &kinds.data[kind_of.data[n]];
		if (!kind->last_shown)
			continue;
		bool last = kind->last_shown == r, more = last && kind->count > SHOWN_OF_A_KIND;
		fn(ctx, r, more ? kind->count - SHOWN_OF_A_KIND : 0);
		if (last)
			kind->last_shown = NULL;
	}
	vec_deinit(&kind_of);
	vec_deinit(&kinds);
}
