/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A type as a user writes it: "struct page *", "unsigned long [4]", "u64". */
#pragma once

#include "base/compiler.h"

#define TYPE_NAME_MAX       256
#define TYPE_DIMENSIONS_MAX 4
#define TYPE_POINTERS_MAX   4

enum type_tag { TAG_NONE, TAG_STRUCT, TAG_UNION, TAG_ENUM, TAG_VOID };

struct type_expression {
	enum type_tag tag;
	char name[TYPE_NAME_MAX];
	/* Integer types: as clang spells it in BTF, where that differs from gcc; or NULL. */
	const char *other_name;
	unsigned pointers;
	unsigned dimensions;
	uint64_t length[TYPE_DIMENSIONS_MAX]; /* outermost first */
};

/* False: not such an expression. */
bool type_expression_parse(const char *text, struct type_expression *e);
