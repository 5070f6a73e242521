// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * C's arithmetic: integer promotions, the usual conversions, pointers in units of what they point
 * to. Signed overflow wraps, as the kernel is compiled. What C leaves undefined (a shift by 40 of
 * an int, division by zero) is an error, not a number.
 */
#include <inttypes.h>
#include <regex.h>
#include <string.h>

#include "base/strbuf.h"
#include "types/source.h"
#include "types/value.h"
#include "types/value_rules.h"

enum { TEXT_COMPARED_MAX = 4096 };

struct operand {
	struct type type; /* of a pointer */
	uint64_t number;
	bool is_pointer;
	bool is_long, is_signed; /* of an integer, promoted */
};

/* Small integers, bit-fields and most enums become int (C17 6.3.1.1). */
static void promote(const struct type_info *info, unsigned bit_size, struct operand *o)
{
	o->is_signed = info->is_signed;
	o->is_long = info->size > 4;
	if (info->size < 4 || (bit_size && bit_size < 32)) {
		o->is_signed = true;
		o->is_long = false;
	}
}

static struct error *operand_of(const struct value_env *env, const struct value *v,
				struct operand *o)
{
	struct value value = *v;
	struct type_info info;

	value_unwrap(&value);
	struct error *err = value_decay(env, &value);
	if (!err)
		err = value_number(env, &value, &o->number);
	if (err)
		return err;
	o->type = value.type;
	struct type type = value.type;
	if (!type_describe_stripped(&type, &info))
		return value_no_number(value.type);
	o->is_pointer = info.kind == TYPE_POINTER;
	promote(&info, value.bit_size, o);
	return NULL;
}

static struct type integer_type(bool is_long, bool is_signed)
{
	if (is_long)
		return basic_type(is_signed ? BASIC_LONG : BASIC_ULONG);
	return basic_type(is_signed ? BASIC_INT : BASIC_UINT);
}

/* The common type of two promoted integers (C17 6.3.1.8). */
static void usual_conversions(const struct operand *a, const struct operand *b, bool *is_long,
			      bool *is_signed)
{
	*is_long = a->is_long || b->is_long;
	if (a->is_long == b->is_long)
		*is_signed = a->is_signed && b->is_signed;
	else
		*is_signed = a->is_long ? a->is_signed : b->is_signed;
}

/* --- Pointers --- */

/* The unit of arithmetic on a pointer; gcc takes 1 for void and functions. */
static struct error *element_size(struct type pointer, uint64_t *size)
{
	struct type target = type_strip(type_target(type_strip(pointer)));
	enum type_kind kind = type_kind(target);
	char spelled[128];

	*size = kind == TYPE_VOID || kind == TYPE_FUNCTION ? 1 : type_size(target);
	/* Empty structs have size 0, and pointers to them cannot be told apart. */
	if (*size || (type_is_complete(target) && kind == TYPE_STRUCT))
		return NULL;
	type_spell(target, spelled, sizeof(spelled));
	return error_new(ERROR_NOT_FOUND, "how large %s is is not known", spelled);
}

static struct error *pointer_sum(const struct value_env *env, enum value_op op,
				 const struct operand *a, const struct operand *b,
				 struct value *result)
{
	const struct operand *pointer = a->is_pointer ? a : b;
	uint64_t steps = a->is_pointer ? b->number : a->number, size;

	if (a->is_pointer && b->is_pointer)
		return error_new(ERROR_USAGE, "two pointers cannot be added");
	if (op == OP_SUB && !a->is_pointer)
		return error_new(ERROR_USAGE, "a pointer cannot be taken from a number");
	struct error *err = element_size(pointer->type, &size);
	if (err)
		return err;
	if (!env->bytes)
		steps *= size;
	*result = value_of_number(pointer->type, op == OP_ADD ? pointer->number + steps
							      : pointer->number - steps);
	return NULL;
}

static struct error *pointer_difference(const struct operand *a, const struct operand *b,
					struct value *result)
{
	uint64_t size, other;

	struct error *err = element_size(a->type, &size);
	if (!err)
		err = element_size(b->type, &other);
	if (err)
		return err;
	if (size != other)
		return error_new(ERROR_USAGE, "the pointers are of different types");
	int64_t bytes = (int64_t)(a->number - b->number);
	*result = value_of_number(basic_type(BASIC_LONG),
				  (uint64_t)(size ? bytes / (int64_t)size : bytes));
	return NULL;
}

/* --- Comparison --- */

bool value_compare(enum value_op op, uint64_t a, uint64_t b, bool is_signed)
{
	int order = is_signed ? ((int64_t)a > (int64_t)b) - ((int64_t)a < (int64_t)b)
			      : (a > b) - (a < b);

	switch (op) {
	case OP_LT:
		return order < 0;
	case OP_GT:
		return order > 0;
	case OP_LE:
		return order <= 0;
	case OP_GE:
		return order >= 0;
	case OP_EQ:
		return order == 0;
	default:
		return order != 0;
	}
}

/* The text that a char array holds or a pointer points to, NUL-terminated. */
static struct error *text_of(const struct value_env *env, const struct value *v, size_t most,
			     char *buf)
{
	struct type type = type_strip(v->type);
	enum type_kind kind = type_kind(type);
	struct value pointer = *v;
	uint64_t address;
	size_t i;

	if (v->place == VALUE_BYTES) {
		size_t size = (size_t)min_u64(most, v->size);
		memcpy(buf, v->bytes, size);
		buf[size] = '\0';
		return NULL;
	}
	if ((kind != TYPE_ARRAY && kind != TYPE_POINTER) || type_size(type_target(type)) != 1)
		return error_new(ERROR_USAGE, "only char arrays and pointers can be compared with "
					      "text");
	if (kind == TYPE_ARRAY && type_array_length(type))
		most = (size_t)min_u64(most, type_array_length(type));
	struct error *err = value_decay(env, &pointer);
	if (!err)
		err = value_number(env, &pointer, &address);
	for (i = 0; !err && !env->dry && i < most; i++) {
		enum read_status status =
			env->read ? env->read(env->ctx, address + i, buf + i, 1) : READ_UNMAPPED;
		if (status != READ_OK)
			err = error_new(ERROR_MISSING, "cannot read %016" PRIx64 ": %s",
					address + i, read_status_text(status));
		else if (!buf[i])
			break;
	}
	buf[i] = '\0';
	return err;
}

/* C would compare addresses, which says nothing about a string that somebody types. */
static struct error *compare_texts(const struct value_env *env, enum value_op op,
				   const struct value *a, const struct value *b,
				   struct value *result)
{
	auto_free char *left = xcalloc(1, TEXT_COMPARED_MAX + 1);
	auto_free char *right = xcalloc(1, TEXT_COMPARED_MAX + 1);

	struct error *err = text_of(env, a, TEXT_COMPARED_MAX, left);
	if (!err)
		err = text_of(env, b, TEXT_COMPARED_MAX, right);
	if (!err)
		*result = value_of_number(basic_type(BASIC_INT),
					  (strcmp(left, right) == 0) == (op == OP_EQ));
	return err;
}

static struct error *match_text(const struct value_env *env, enum value_op op,
				const struct value *v, const struct value *pattern,
				struct value *result)
{
	auto_free char *text = xcalloc(1, TEXT_COMPARED_MAX + 1);
	const char *wanted = (const char *)pattern->bytes;
	bool matches = false;
	regex_t regex;

	struct error *err = text_of(env, v, TEXT_COMPARED_MAX, text);
	if (err)
		return err;
	if (op == OP_REGEX) {
		if (regcomp(&regex, wanted, REG_EXTENDED | REG_NOSUB) != 0)
			return error_new(ERROR_USAGE, "this is no regular expression");
		matches = regexec(&regex, text, 0, NULL, 0) == 0;
		regfree(&regex);
	} else {
		matches = glob_match(wanted, text) == (op == OP_GLOB);
	}
	*result = value_of_number(basic_type(BASIC_INT), matches);
	return NULL;
}

/* --- Integers --- */

static struct error *shift(const struct value_env *env, enum value_op op, const struct operand *a,
			   const struct operand *b, struct value *result)
{
	struct type type = integer_type(a->is_long, a->is_signed);
	uint64_t width = a->is_long ? 64 : 32, n;

	if (env->dry)
		n = 0;
	else if (b->number >= width)
		return error_new(ERROR_USAGE, "a shift by %" PRId64 " of %" PRIu64 " bits%s",
				 (int64_t)b->number, width,
				 b->number < 64 ? " (1 is an int, 1UL has 64 bits)" : "");
	else if (op == OP_SHL)
		n = a->number << b->number;
	else
		n = a->is_signed ? (uint64_t)((int64_t)a->number >> b->number)
				 : a->number >> b->number;
	*result = value_of_number(type, n);
	return NULL;
}

static struct error *divide(const struct value_env *env, enum value_op op, uint64_t a, uint64_t b,
			    bool is_signed, uint64_t *n)
{
	*n = 0;
	if (!b)
		return env->dry ? NULL : error_new(ERROR_USAGE, "division by zero");
	if (!is_signed)
		*n = op == OP_DIV ? a / b : a % b;
	else if ((int64_t)b == -1)
		*n = op == OP_DIV ? -a : 0;
	else
		*n = (uint64_t)(op == OP_DIV ? (int64_t)a / (int64_t)b : (int64_t)a % (int64_t)b);
	return NULL;
}

static struct error *compute(const struct value_env *env, enum value_op op,
			     const struct operand *a, const struct operand *b,
			     struct value *result)
{
	bool is_long, is_signed;
	uint64_t n = 0;
	struct error *err = NULL;

	usual_conversions(a, b, &is_long, &is_signed);
	struct type type = integer_type(is_long, is_signed);
	uint64_t x = type_fit_number(type, a->number), y = type_fit_number(type, b->number);
	switch (op) {
	case OP_MUL:
		n = x * y;
		break;
	case OP_DIV:
	case OP_MOD:
		err = divide(env, op, x, y, is_signed, &n);
		break;
	case OP_ADD:
		n = x + y;
		break;
	case OP_SUB:
		n = x - y;
		break;
	case OP_AND:
		n = x & y;
		break;
	case OP_XOR:
		n = x ^ y;
		break;
	case OP_OR:
		n = x | y;
		break;
	default:
		n = value_compare(op, x, y, is_signed);
		type = basic_type(BASIC_INT);
		break;
	}
	*result = value_of_number(type, n);
	return err;
}

static bool is_comparison(enum value_op op)
{
	return op >= OP_LT && op <= OP_NE;
}

struct error *value_binary(const struct value_env *env, enum value_op op, const struct value *a,
			   const struct value *b, struct value *result)
{
	struct operand x = { 0 }, y = { 0 };

	if ((op == OP_EQ || op == OP_NE) && (a->is_text || b->is_text))
		return compare_texts(env, op, a, b, result);
	if (op >= OP_GLOB && op <= OP_REGEX)
		return match_text(env, op, a, b, result);
	struct error *err = operand_of(env, a, &x);
	if (!err)
		err = operand_of(env, b, &y);
	if (err)
		return err;
	if (!x.is_pointer && !y.is_pointer)
		return op == OP_SHL || op == OP_SHR ? shift(env, op, &x, &y, result)
						    : compute(env, op, &x, &y, result);
	if (is_comparison(op)) {
		*result = value_of_number(basic_type(BASIC_INT),
					  value_compare(op, x.number, y.number, false));
		return NULL;
	}
	if (op == OP_SUB && x.is_pointer && y.is_pointer)
		return pointer_difference(&x, &y, result);
	if (op == OP_ADD || op == OP_SUB)
		return pointer_sum(env, op, &x, &y, result);
	/* Flags in the low bits are everywhere in the kernel: take the pointer for a number. */
	if (op == OP_AND || op == OP_OR || op == OP_XOR || op == OP_SHL || op == OP_SHR ||
	    op == OP_MOD || op == OP_DIV) {
		x.is_long |= x.is_pointer;
		y.is_long |= y.is_pointer;
		x.is_pointer = y.is_pointer = false;
		return op == OP_SHL || op == OP_SHR ? shift(env, op, &x, &y, result)
						    : compute(env, op, &x, &y, result);
	}
	return error_new(ERROR_USAGE, "pointers cannot be multiplied");
}

struct error *value_unary(const struct value_env *env, enum value_op op, const struct value *v,
			  struct value *result)
{
	struct operand o = { 0 };

	struct error *err = operand_of(env, v, &o);
	if (err)
		return err;
	if (op == OP_NOT) {
		*result = value_of_number(basic_type(BASIC_INT), !o.number);
		return NULL;
	}
	if (o.is_pointer)
		o.is_long = true;
	struct type type = integer_type(o.is_long, o.is_signed);
	uint64_t n = type_fit_number(type, o.number);
	*result = value_of_number(type, op == OP_MINUS ? -n : op == OP_INVERT ? ~n : n);
	return NULL;
}

struct error *value_common(const struct value_env *env, const struct value *a,
			   const struct value *b, struct type *type)
{
	struct value_env dry = *env;
	struct operand x = { 0 }, y = { 0 };
	bool is_long, is_signed;

	dry.dry = true;
	struct error *err = operand_of(&dry, a, &x);
	if (!err)
		err = operand_of(&dry, b, &y);
	if (err)
		return err;
	usual_conversions(&x, &y, &is_long, &is_signed);
	*type = x.is_pointer ? x.type : y.is_pointer ? y.type : integer_type(is_long, is_signed);
	return NULL;
}
