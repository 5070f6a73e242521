/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every question of types.h about one type, for the fuzz targets of its sources. */
#pragma once

#include "base/strbuf.h"
#include "types/types.h"

static inline void ask_type(struct type type, const uint8_t *bytes, size_t size)
{
	const struct value_hole holes[] = { { 1, 6 }, { 40, 80 } };
	struct value_format format = {
		.depth = size & 3, .hex = size & 4, .holes = holes, .hole_count = size & 8 ? 2 : 0
	};
	auto_strbuf out = { 0 };
	struct member m;
	uint64_t value;
	const char *name;
	int64_t v;
	char text[64];

	type_spell(type, text, sizeof(text));
	type_format_definition(type, size & 4, &out);
	type_format_layout(type, UINT64_MAX - 8, &out);
	type_format_value(type, bytes, size, &format, &out);
	(void)type_find_member(type, "next|id.low|list[1].a[2]", &m);
	if (type_member_at(type, 0, &m)) {
		if (m.offset <= size) {
			(void)member_load(&m, bytes + m.offset, size - m.offset, &value);
			type_format_member(&m, bytes + m.offset, size - m.offset, &format, &out);
		}
		(void)type_find_member(type, m.name, &m);
	}
	(void)type_enumerator_at(type, 0, &name, &v);
	(void)type_enum_name(type, (int64_t)size);
	(void)type_array_length(type_target(type));
}
