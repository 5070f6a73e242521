// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Getting at values: reading numbers, members, elements, what pointers point to, and casts. A value
 * in memory is only an address and a type until somebody needs its number; taking a member or an
 * element of it is arithmetic on the address.
 */
#include "types/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "types/source.h"
#include "types/value_rules.h"

/* An element or member this far from its object is a mistake. */
#define DISTANCE_MAX (UINT64_C(1) << 47)
#define MEMBERS_COMPARED_MAX 20000

struct value value_of_number(struct type type, uint64_t number)
{
	return (struct value){
		.type = type, .place = VALUE_NUMBER, .number = type_fit_number(type, number)
	};
}

struct value value_of_memory(struct type type, uint64_t address)
{
	return (struct value){
		.type = type, .place = VALUE_MEMORY, .address = address, .size = type_size(type)
	};
}

uint64_t type_fit_number(struct type type, uint64_t number)
{
	struct type_info info;

	if (!type_describe_stripped(&type, &info))
		return number;
	if (info.is_bool || strcmp(info.name, "_Bool") == 0)
		return number != 0;
	if (!info.size || info.size >= 8)
		return number;
	unsigned shift = (unsigned)(64 - info.size * 8);
	number <<= shift;
	return info.is_signed ? (uint64_t)((int64_t)number >> shift) : number >> shift;
}

struct error *value_no_type(const struct value *v)
{
	if (v->place == VALUE_NOTHING)
		return error_new(ERROR_USAGE, "there is no value: it is void");
	return error_new(ERROR_NOT_FOUND,
			 "the type of %s is not known; say it: *(TYPE *)&%s", v->symbol, v->symbol);
}

struct error *value_no_number(struct type type)
{
	char spelled[128];

	type_spell(type, spelled, sizeof(spelled));
	return error_new(ERROR_USAGE, "%s is no number", spelled);
}

/* @size bytes from the start of @v. */
static struct error *read_value(const struct value_env *env, const struct value *v, void *buf,
				size_t size)
{
	if (v->place == VALUE_BYTES) {
		if (v->size < size)
			return error_new(ERROR_MISSING, "of %zu bytes only %" PRIu64 " are known",
					 size, v->size);
		memcpy(buf, v->bytes, size);
		return NULL;
	}
	enum read_status status =
		env->read ? env->read(env->ctx, v->address, buf, size) : READ_UNMAPPED;
	if (status == READ_OK)
		return NULL;
	return error_new(ERROR_MISSING, "cannot read %zu bytes at %016" PRIx64 ": %s", size,
			 v->address, read_status_text(status));
}

static struct error *load_scalar(const struct value_env *env, const struct value *v,
				 const struct type_info *info, uint64_t *number)
{
	struct member m = { .size = info->size, .bit_offset = v->bit_offset,
			    .bit_size = v->bit_size, .type = v->type };
	size_t size = v->bit_size ? (size_t)(v->bit_offset + v->bit_size + 7) / 8
				  : (size_t)info->size;
	uint8_t bytes[16];

	*number = 0;
	if (size == 0 || size > 9 || info->size > 8)
		return error_new(ERROR_UNSUPPORTED, "numbers of %" PRIu64 " bytes cannot be "
				 "computed with", info->size);
	if (env->dry)
		return NULL;
	struct error *err = read_value(env, v, bytes, size);
	if (!err && !member_load(&m, bytes, size, number))
		return value_no_number(v->type);
	return err;
}

bool value_unwrap(struct value *v)
{
	enum { WRAPS_MAX = 4 };
	struct type type = type_strip(v->type);
	struct member m, second;
	struct type_info info;

	if (type_kind(type) != TYPE_STRUCT)
		return false;
	for (unsigned i = 0; i < WRAPS_MAX && type_kind(type) == TYPE_STRUCT; i++) {
		if (!type_member_at(type, 0, &m) || type_member_at(type, 1, &second) || m.offset ||
		    m.bit_size || m.size != type_size(type))
			return false;
		type = type_strip(m.type);
	}
	if (!type_describe_stripped(&type, &info) || info.size > 8 ||
	    (info.kind != TYPE_INT && info.kind != TYPE_ENUM && info.kind != TYPE_POINTER))
		return false;
	v->type = m.type;
	v->size = info.size;
	return true;
}

static struct error *no_address(const struct value *v)
{
	return error_new(ERROR_USAGE, v->is_text ? "a text is no number"
						 : "it lies nowhere: there is no address");
}

struct error *value_number(const struct value_env *env, const struct value *v, uint64_t *number)
{
	struct type type = v->type;
	struct type_info info;
	struct value inner = *v;

	*number = 0;
	if (v->place == VALUE_NOTHING || !v->type.source)
		return value_no_type(v);
	if (!type_describe_stripped(&type, &info))
		return error_new(ERROR_FORMAT, "the type's record cannot be read");
	switch (info.kind) {
	case TYPE_INT:
	case TYPE_ENUM:
	case TYPE_POINTER:
		if (v->place != VALUE_NUMBER)
			return load_scalar(env, v, &info, number);
		*number = v->number;
		return NULL;
	case TYPE_ARRAY:
	case TYPE_FUNCTION:
		if (v->place == VALUE_BYTES)
			return no_address(v);
		*number = v->address;
		return NULL;
	case TYPE_FLOAT:
		return error_new(ERROR_UNSUPPORTED, "floating point cannot be computed with");
	default:
		if (value_unwrap(&inner))
			return value_number(env, &inner, number);
		return value_no_number(v->type);
	}
}

struct error *value_truth(const struct value_env *env, const struct value *v, bool *truth)
{
	uint64_t number;
	struct error *err = value_number(env, v, &number);

	*truth = number != 0;
	return err;
}

struct error *value_too_many_types(void)
{
	return error_new(ERROR_UNSUPPORTED, "too many types were made up");
}

struct error *value_decay(const struct value_env *env, struct value *v)
{
	struct type stripped = type_strip(v->type), pointer;
	enum type_kind kind = type_kind(stripped);

	if (kind != TYPE_ARRAY && kind != TYPE_FUNCTION)
		return NULL;
	if (v->place == VALUE_BYTES)
		return no_address(v);
	if (!types_pointer(env->types, kind == TYPE_ARRAY ? type_target(stripped) : v->type,
			   &pointer))
		return value_too_many_types();
	*v = value_of_number(pointer, v->address);
	return NULL;
}

/* --- What values consist of --- */

/* Members of anonymous structs are the outer one's own. */
static void consider_members(struct type type, unsigned depth, unsigned *visited,
			     struct nearest *near)
{
	struct member m;

	for (unsigned i = 0; ++*visited < MEMBERS_COMPARED_MAX && type_member_at(type, i, &m);
	     i++) {
		if (*m.name)
			nearest_consider(near, m.name);
		else if (depth < TYPE_NESTING_MAX)
			consider_members(m.type, depth + 1, visited, near);
	}
}

static struct error *no_member(struct type type, const char *name)
{
	struct nearest near = nearest_to(name);
	unsigned visited = 0;
	char spelled[128];

	type_spell(type, spelled, sizeof(spelled));
	if (!type_is_complete(type))
		return error_new(ERROR_NOT_FOUND, "of %s only the name is known", spelled);
	consider_members(type, 0, &visited, &near);
	if (near.best)
		return error_new(ERROR_NOT_FOUND, "%s has no member %s (did you mean %s?)", spelled,
				 name, near.best);
	return error_new(ERROR_NOT_FOUND, "%s has no member %s", spelled, name);
}

struct error *value_member(const struct value_env *env, const struct value *v, const char *name,
			   struct value *result)
{
	struct value object = *v;
	struct error *err = NULL;
	struct member m;

	if (!v->type.source)
		return value_no_type(v);
	if (type_kind(type_strip(v->type)) == TYPE_POINTER)
		err = value_deref(env, v, &object);
	if (err)
		return err;
	enum type_kind kind = type_kind(type_strip(object.type));
	if (kind != TYPE_STRUCT && kind != TYPE_UNION) {
		char spelled[128];
		type_spell(object.type, spelled, sizeof(spelled));
		return error_new(ERROR_USAGE, "%s has no members", spelled);
	}
	if (!type_find_member(object.type, name, &m))
		return no_member(object.type, name);
	*result = object;
	result->type = m.type;
	result->size = m.size;
	result->bit_offset = m.bit_offset;
	result->bit_size = m.bit_size;
	if (object.place == VALUE_BYTES) {
		uint64_t size = object.size;
		result->bytes = object.bytes + min_u64(m.offset, size);
		result->size = size - min_u64(m.offset, size);
		result->is_text = false;
	} else {
		result->address = object.address + m.offset;
	}
	return NULL;
}

struct error *value_deref(const struct value_env *env, const struct value *v, struct value *result)
{
	struct value pointer = *v;
	char spelled[128];
	uint64_t number;

	struct error *err = value_decay(env, &pointer);
	if (err)
		return err;
	if (!pointer.type.source)
		return value_no_type(v);
	struct type type = type_strip(pointer.type);
	if (type_kind(type) != TYPE_POINTER) {
		type_spell(pointer.type, spelled, sizeof(spelled));
		return error_new(ERROR_USAGE, "%s is no pointer; cast it to one: *(TYPE *)...",
				 spelled);
	}
	struct type target = type_target(type);
	if (type_kind(type_strip(target)) == TYPE_VOID)
		return error_new(ERROR_USAGE, "what a void * points to has no type; cast it: "
					      "*(TYPE *)...");
	err = value_number(env, &pointer, &number);
	if (!err)
		*result = value_of_memory(target, number);
	return err;
}

struct error *value_address(const struct value_env *env, const struct value *v,
			    struct value *result)
{
	struct type target = v->type, pointer;

	if (v->place != VALUE_MEMORY)
		return error_new(ERROR_USAGE, "it lies nowhere: there is no address");
	if (v->bit_size)
		return error_new(ERROR_USAGE, "a bit-field has no address");
	if (!target.source)
		target = basic_type(BASIC_VOID);
	if (!types_pointer(env->types, target, &pointer))
		return value_too_many_types();
	*result = value_of_number(pointer, v->address);
	return NULL;
}

/* An element of an array that lies nowhere. */
static struct error *index_bytes(const struct value_env *env, const struct value *v,
				 const struct value *index, struct value *result)
{
	struct type element = type_target(type_strip(v->type));
	uint64_t size = type_size(element), number, offset;

	struct error *err = value_number(env, index, &number);
	if (err)
		return err;
	if (__builtin_mul_overflow(number, size, &offset) || !size || offset > v->size ||
	    size > v->size - offset)
		return error_new(ERROR_USAGE, "there is no element %" PRId64, (int64_t)number);
	*result = (struct value){ .type = element, .place = VALUE_BYTES,
				  .bytes = v->bytes + offset, .size = size };
	return NULL;
}

struct error *value_index(const struct value_env *env, const struct value *v,
			  const struct value *index, struct value *result)
{
	struct value sum;

	if (v->place == VALUE_BYTES && type_kind(type_strip(v->type)) == TYPE_ARRAY)
		return index_bytes(env, v, index, result);
	struct error *err = value_binary(env, OP_ADD, v, index, &sum);
	if (!err && type_kind(type_strip(sum.type)) != TYPE_POINTER)
		err = error_new(ERROR_USAGE, "neither an array nor a pointer");
	return err ? err : value_deref(env, &sum, result);
}

struct error *value_repeat(const struct value_env *env, const struct value *v,
			   const struct value *count, struct value *result)
{
	struct type array;
	uint64_t number;

	if (v->place != VALUE_MEMORY || v->bit_size || !type_size(v->type))
		return error_new(ERROR_USAGE, "left of @ must be something of known size in memory");
	struct error *err = value_number(env, count, &number);
	if (err)
		return err;
	if (!env->dry && (!number || number > DISTANCE_MAX / type_size(v->type)))
		return error_new(ERROR_USAGE, "%" PRId64 " elements cannot be", (int64_t)number);
	if (!types_array(env->types, v->type, number, &array))
		return value_too_many_types();
	*result = value_of_memory(array, v->address);
	return NULL;
}

/* --- Casts --- */

static bool same_type(struct type a, struct type b)
{
	a = type_strip(a);
	b = type_strip(b);
	return a.source == b.source && a.id == b.id;
}

struct error *value_cast(const struct value_env *env, const struct value *v, struct type type,
			 struct value *result)
{
	struct value from = *v;
	uint64_t number;
	char spelled[128];

	type_spell(type, spelled, sizeof(spelled));
	switch (type_kind(type_strip(type))) {
	case TYPE_VOID:
		*result = (struct value){ .type = type, .place = VALUE_NOTHING };
		return NULL;
	case TYPE_INT:
	case TYPE_ENUM:
	case TYPE_POINTER:
		break;
	default:
		if (!v->type.source || !same_type(type, v->type))
			return error_new(ERROR_USAGE, "nothing can be cast to %s, only to a "
					 "pointer: *(%s *)&...", spelled, spelled);
		*result = *v;
		return NULL;
	}
	if (type_size(type) > 8)
		return error_new(ERROR_UNSUPPORTED, "%s cannot be computed with", spelled);
	struct error *err = value_decay(env, &from);
	if (!err)
		err = value_number(env, &from, &number);
	if (!err)
		*result = value_of_number(type, number);
	return err;
}
