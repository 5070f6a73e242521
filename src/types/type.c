// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Questions about one type, answered from what its source says. Chains (typedef of const of ...)
 * are followed a bounded number of steps: a corrupt blob may hold a ring.
 */
#include <string.h>

#include "base/strbuf.h"
#include "types/source.h"

bool type_describe_stripped(struct type *type, struct type_info *info)
{
	for (int i = 0; i < TYPE_CHAIN_MAX; i++) {
		if (!type_describe(*type, info))
			return false;
		if (info->kind != TYPE_TYPEDEF && info->kind != TYPE_QUALIFIER)
			return true;
		*type = info->target;
	}
	return false;
}

enum type_kind type_kind(struct type type)
{
	struct type_info info;

	return type_describe(type, &info) ? info.kind : TYPE_NONE;
}

struct type type_strip(struct type type)
{
	struct type_info info;

	return type_describe_stripped(&type, &info) ? type : (struct type){ 0 };
}

const char *type_name(struct type type)
{
	struct type_info info;

	return type_describe(type, &info) ? info.name : "";
}

uint64_t type_size(struct type type)
{
	struct type_info info;
	uint64_t count = 1, size;

	for (int i = 0; i < TYPE_CHAIN_MAX; i++) {
		if (!type_describe_stripped(&type, &info))
			return 0;
		if (info.kind != TYPE_ARRAY)
			return __builtin_mul_overflow(count, info.size, &size) ? 0 : size;
		if (__builtin_mul_overflow(count, info.length, &count))
			return 0;
		type = info.target;
	}
	return 0;
}

struct type type_target(struct type type)
{
	struct type_info info;

	return type_describe(type, &info) ? info.target : (struct type){ 0 };
}

uint64_t type_array_length(struct type type)
{
	struct type_info info;

	return type_describe_stripped(&type, &info) ? info.length : 0;
}

bool type_is_signed(struct type type)
{
	struct type_info info;

	return type_describe_stripped(&type, &info) && info.is_signed;
}

bool type_is_complete(struct type type)
{
	struct type_info info;

	return type_describe_stripped(&type, &info) && !info.incomplete;
}

/* Does enumerator value @v of an enum of @size bytes stand for the bits of @value? */
static bool same_bits(int64_t v, int64_t value, uint64_t size)
{
	uint64_t mask = size >= 8 || size == 0 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1;

	return (((uint64_t)v ^ (uint64_t)value) & mask) == 0;
}

const char *type_enum_name(struct type type, int64_t value)
{
	struct type_info info;
	const char *name;
	int64_t v;

	if (!type_describe_stripped(&type, &info) || info.kind != TYPE_ENUM)
		return NULL;
	for (unsigned i = 0; i < info.count; i++) {
		if (!type.source->ops->enumerator(type.source, type.id, i, &name, &v))
			return NULL;
		if (same_bits(v, value, info.size))
			return name;
	}
	return NULL;
}

bool type_enumerator_at(struct type type, unsigned i, const char **name, int64_t *value)
{
	struct type_info info;

	return type_describe_stripped(&type, &info) && info.kind == TYPE_ENUM && i < info.count &&
	       type.source->ops->enumerator(type.source, type.id, i, name, value);
}

bool type_load(struct type type, const void *bytes, size_t size, uint64_t *value)
{
	struct type_info info;
	uint64_t v = 0;

	if (!type_describe_stripped(&type, &info) || info.size == 0 || info.size > 8 ||
	    info.size > size)
		return false;
	if (info.kind != TYPE_INT && info.kind != TYPE_ENUM && info.kind != TYPE_POINTER)
		return false;
	memcpy(&v, bytes, (size_t)info.size);
	unsigned shift = (unsigned)(64 - info.size * 8);
	if (info.is_signed)
		v = (uint64_t)((int64_t)(v << shift) >> shift);
	*value = v;
	return true;
}
