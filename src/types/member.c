// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Members by position and by path. A path walks structs by name and arrays by number; members of
 * anonymous structs and unions are reached as if they were the outer one's own, as in C. The work
 * is bounded by counting members looked at: a corrupt blob can nest structs in themselves.
 */
#include <string.h>

#include "types/source.h"

/* The largest struct of a kernel has about 1,500 members, anonymous ones included. */
#define MEMBERS_VISITED_MAX 50000

/* A place inside a struct while a path is walked. */
struct place {
	const char *name;
	uint64_t bits;
	unsigned bit_size;
	struct type type;
};

/*
 * Gives a bit-field the offset of the whole storage unit that it lies in, so that who loads `size`
 * bytes at `offset` and shifts by `bit_offset` has it; else (packed) that of its first byte.
 */
static void place_to_member(const struct place *place, struct member *member)
{
	uint64_t size = type_size(place->type);

	*member = (struct member){
		.name = place->name, .offset = place->bits / 8, .size = size, .type = place->type
	};
	if (!place->bit_size)
		return;
	member->bit_size = (uint8_t)place->bit_size;
	member->bit_offset = (uint8_t)(place->bits % 8);
	if (size == 0 || size > 8 || (size & (size - 1))) {
		member->size = (place->bits % 8 + place->bit_size + 7) / 8;
		return;
	}
	uint64_t unit = place->bits / 8 & ~(size - 1);
	if (place->bits - unit * 8 + place->bit_size <= size * 8) {
		member->offset = unit;
		member->bit_offset = (uint8_t)(place->bits - unit * 8);
	} else {
		member->size = (place->bits % 8 + place->bit_size + 7) / 8;
	}
}

bool type_member_at(struct type type, unsigned i, struct member *member)
{
	struct type_info info;
	struct raw_member raw;

	if (!type_describe_stripped(&type, &info) || i >= info.count ||
	    (info.kind != TYPE_STRUCT && info.kind != TYPE_UNION && info.kind != TYPE_FUNCTION) ||
	    !type_raw_member(type, i, &raw))
		return false;
	struct place place = { raw.name, raw.bits, raw.bit_size, raw.type };
	place_to_member(&place, member);
	return true;
}

/* Finds member @name of @length bytes in @type and anonymous members; adds its offset. */
static bool find_step(struct type type, const char *name, size_t length, unsigned depth,
		      unsigned *visited, struct place *place)
{
	struct type_info info;
	struct raw_member raw;

	if (depth > TYPE_NESTING_MAX || !type_describe_stripped(&type, &info) ||
	    (info.kind != TYPE_STRUCT && info.kind != TYPE_UNION))
		return false;
	for (unsigned i = 0; i < info.count; i++) {
		if (++*visited > MEMBERS_VISITED_MAX || !type_raw_member(type, i, &raw))
			return false;
		if (!*raw.name) {
			struct place inner = { .bits = place->bits + raw.bits };
			if (find_step(raw.type, name, length, depth + 1, visited, &inner)) {
				*place = inner;
				return true;
			}
		} else if (strncmp(raw.name, name, length) == 0 && !raw.name[length]) {
			*place = (struct place){ raw.name, place->bits + raw.bits, raw.bit_size,
						 raw.type };
			return true;
		}
	}
	return false;
}

/* "[12]" at *@at: moves @place into that element. */
static bool index_step(const char **at, const char *end, struct place *place)
{
	const char *p = *at + 1;
	uint64_t index = 0, offset;
	struct type_info info;

	if (p == end || *p == ']')
		return false;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (index > UINT32_MAX)
			return false;
		index = index * 10 + (uint64_t)(*p - '0');
	}
	if (p == end || *p != ']')
		return false;
	if (!type_describe_stripped(&place->type, &info) || info.kind != TYPE_ARRAY ||
	    (info.length && index >= info.length))
		return false;
	if (__builtin_mul_overflow(index, type_size(info.target), &offset) || offset >> 48)
		return false;
	place->bits += offset * 8;
	place->bit_size = 0;
	place->type = info.target;
	*at = p + 1;
	return true;
}

static bool is_name_char(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

/* One alternative, [@path, @end). */
static bool find_path(struct type type, const char *path, const char *end, struct member *member)
{
	struct place place = { .name = "", .type = type };
	unsigned visited = 0;

	for (;;) {
		const char *name = path;
		while (path < end && is_name_char(*path))
			path++;
		if (path == name ||
		    !find_step(place.type, name, (size_t)(path - name), 0, &visited, &place))
			return false;
		while (path < end && *path == '[') {
			if (!index_step(&path, end, &place))
				return false;
		}
		if (path == end)
			break;
		if (*path++ != '.')
			return false;
	}
	place_to_member(&place, member);
	return true;
}

bool type_find_member(struct type type, const char *path, struct member *member)
{
	for (;;) {
		const char *end = strchrnul(path, '|');
		if (find_path(type, path, end, member))
			return true;
		if (!*end)
			return false;
		path = end + 1;
	}
}

bool member_load(const struct member *member, const void *bytes, size_t size, uint64_t *value)
{
	uint8_t raw[16] = { 0 };
	uint64_t low, high;

	if (!member->bit_size)
		return type_load(member->type, bytes, size, value);
	size_t need = (size_t)(member->bit_offset + member->bit_size + 7) / 8;
	if (member->bit_size > 64 || need > size || need > 9)
		return false;
	memcpy(raw, bytes, need);
	memcpy(&low, raw, 8);
	memcpy(&high, raw + 8, 8);
	unsigned shift = member->bit_offset % 64;
	uint64_t v = low >> shift;
	if (shift)
		v |= high << (64 - shift);
	unsigned spare = 64u - member->bit_size;
	v <<= spare;
	*value = type_is_signed(member->type) ? (uint64_t)((int64_t)v >> spare) : v >> spare;
	return true;
}
