// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The way from an offset in a type back to a member: "se.vruntime", "cpus_mask.bits[0]", "comm+0x3".
 * Of a union's members the first that covers the offset is taken, one that begins there first.
 */
#include <stdio.h>
#include <string.h>

#include "types/source.h"

enum { MEMBERS_MAX = 20000 };

struct descent {
	char *buf;
	size_t size, used;
	unsigned visited;
};

static void add(struct descent *d, const char *before, const char *text)
{
	int n = snprintf(d->buf + d->used, d->size - d->used, "%s%s", before, text);

	d->used += min_u64((uint64_t)(n > 0 ? n : 0), d->size - d->used - 1);
}

/* The member of @type that covers @offset; false when that is padding. */
static bool find_member(struct descent *d, struct type type, uint64_t offset, struct member *found)
{
	struct member m;
	bool any = false;

	for (unsigned i = 0; d->visited < MEMBERS_MAX && type_member_at(type, i, &m); i++) {
		d->visited++;
		/* A flexible array has no size: it reaches as far as is wanted. */
		bool open = !m.size && type_kind(type_strip(m.type)) == TYPE_ARRAY;
		if (offset < m.offset || (offset - m.offset >= m.size && !open))
			continue;
		if (!any || (m.offset == offset && found->offset != offset && !open))
			*found = m;
		any = true;
	}
	return any;
}

bool type_path_at(struct type type, uint64_t offset, char *buf, size_t size)
{
	struct descent d = { buf, size, 0, 0 };
	struct member m;
	char text[32];

	if (!size)
		return false;
	buf[0] = '\0';
	for (int depth = 0; depth < TYPE_NESTING_MAX; depth++) {
		type = type_strip(type);
		enum type_kind kind = type_kind(type);
		if (kind == TYPE_STRUCT || kind == TYPE_UNION) {
			if (!find_member(&d, type, offset, &m))
				return false;
			if (*m.name)
				add(&d, d.used ? "." : "", m.name);
			offset -= m.offset;
			type = m.type;
		} else if (kind == TYPE_ARRAY) {
			uint64_t element = type_size(type_target(type));
			if (!element)
				break;
			snprintf(text, sizeof(text), "[%lu]", (unsigned long)(offset / element));
			/* The first byte of a text is the text. */
			if (element > 1 || offset)
				add(&d, "", text);
			offset %= element;
			type = type_target(type);
		} else {
			break;
		}
	}
	if (offset) {
		snprintf(text, sizeof(text), "+0x%lx", (unsigned long)offset);
		add(&d, "", text);
	}
	return d.used > 0;
}
