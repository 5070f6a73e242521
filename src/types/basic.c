// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * C's own arithmetic types as the compilers of 64-bit kernels lay them out (LP64), for what no
 * dump tells: what 1 + 1 is, and sizeof's type. A constant source: its ids are the rows.
 */
#include <string.h>

#include "types/source.h"

static const struct {
	const char *name;
	enum type_kind kind;
	uint8_t size;
	bool is_signed;
} rows[] = {
	[BASIC_VOID] = { "void", TYPE_VOID, 0, false },
	[BASIC_CHAR] = { "char", TYPE_INT, 1, true },
	[BASIC_SCHAR] = { "signed char", TYPE_INT, 1, true },
	[BASIC_UCHAR] = { "unsigned char", TYPE_INT, 1, false },
	[BASIC_SHORT] = { "short int", TYPE_INT, 2, true },
	[BASIC_USHORT] = { "short unsigned int", TYPE_INT, 2, false },
	[BASIC_INT] = { "int", TYPE_INT, 4, true },
	[BASIC_UINT] = { "unsigned int", TYPE_INT, 4, false },
	[BASIC_LONG] = { "long int", TYPE_INT, 8, true },
	[BASIC_ULONG] = { "long unsigned int", TYPE_INT, 8, false },
	[BASIC_LLONG] = { "long long int", TYPE_INT, 8, true },
	[BASIC_ULLONG] = { "long long unsigned int", TYPE_INT, 8, false },
};

static bool describe(const struct type_source *source unused_arg, uint32_t id,
		     struct type_info *info)
{
	if (id >= array_size(rows))
		return false;
	*info = (struct type_info){ .kind = rows[id].kind,
				    .name = rows[id].name,
				    .size = rows[id].size,
				    .is_signed = rows[id].is_signed };
	return true;
}

static bool no_member(const struct type_source *source unused_arg, uint32_t id unused_arg,
		      unsigned i unused_arg, struct raw_member *member unused_arg)
{
	return false;
}

static bool no_enumerator(const struct type_source *source unused_arg, uint32_t id unused_arg,
			  unsigned i unused_arg, const char **name unused_arg,
			  int64_t *value unused_arg)
{
	return false;
}

static const struct type_source basic_source;

static bool find(const struct type_source *source, enum name_class as, const char *name,
		 struct type *type)
{
	for (uint32_t i = 0; as == NAME_ANY && i < array_size(rows); i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*type = (struct type){ .source = source, .id = i };
			return true;
		}
	}
	return false;
}

static bool find_no_enumerator(const struct type_source *source unused_arg,
			       const char *name unused_arg, int64_t *value unused_arg)
{
	return false;
}

static void no_destroy(struct type_source *source unused_arg)
{
}

static const struct type_ops basic_ops = {
	.describe = describe,
	.member = no_member,
	.enumerator = no_enumerator,
	.find = find,
	.find_enumerator = find_no_enumerator,
	.destroy = no_destroy,
};

static const struct type_source basic_source = { .ops = &basic_ops };

struct type basic_type(enum basic basic)
{
	return (struct type){ .source = &basic_source, .id = basic };
}

bool basic_find(const char *name, struct type *type)
{
	return find(&basic_source, NAME_ANY, name, type);
}
