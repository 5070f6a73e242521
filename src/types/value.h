/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values of C expressions: what they are, and C's rules for computing with them. A value that lies
 * in the dump knows its address and is read when its number is needed, not before.
 */
#pragma once

#include "base/alloc.h"
#include "types/types.h"

enum value_place {
	VALUE_NOTHING, /* void */
	VALUE_NUMBER,  /* an integer or pointer that lies nowhere: .number */
	VALUE_MEMORY,  /* an lvalue at .address; a function */
	VALUE_BYTES,   /* other contents that lie nowhere: .bytes (a string, a struct in registers) */
};

struct value {
	struct type type; /* {0}: a symbol's of which no type is known */
	enum value_place place;
	uint64_t address;
	uint64_t number; /* as wide as the type, extended to 64 bits by its sign */
	const uint8_t *bytes;
	uint64_t size;                /* of .bytes; of a value in memory its type's */
	uint8_t bit_offset, bit_size; /* of a bit-field: see struct member */
	bool is_text;                 /* a string literal */
	const char *symbol;           /* of a value without a type: what it is called */
};

static inline bool value_is_lvalue(const struct value *v)
{
	return v->place == VALUE_MEMORY;
}

/* What values are computed with. */
struct value_env {
	struct types *types;
	void *ctx;
	/* Bytes at an address; NULL: there is no memory. */
	enum read_status (*read)(void *ctx, uint64_t address, void *buf, size_t size);
	/* Only types matter (sizeof): nothing is read, numbers are 0. */
	bool dry;
	/* Integer literals have 64 bits at least, as in a calculator. */
	bool wide;
	/*
	 * A sum that is an address counts bytes, as in "symbol+8": for the + and - that are not
	 * part of something else.
	 */
	bool bytes;
};

struct value value_of_number(struct type type, uint64_t number);
struct value value_of_memory(struct type type, uint64_t address);

/* --- Each gives an error that says what is wrong with its operands. --- */

/* The number that a scalar is, an array's or function's address. */
struct error *value_number(const struct value_env *env, const struct value *v, uint64_t *number)
	must_check;
/*
 * The number inside of a struct that is nothing but one: atomic_t, refcount_t, kuid_t, pte_t ...
 * False, and @v untouched, for everything else.
 */
bool value_unwrap(struct value *v);
/* Is it not zero? */
struct error *value_truth(const struct value_env *env, const struct value *v, bool *truth)
	must_check;
/* An array to a pointer to its first element, a function to a pointer to it. */
struct error *value_decay(const struct value_env *env, struct value *v) must_check;
struct error *value_member(const struct value_env *env, const struct value *v, const char *name,
			   struct value *result) must_check;
struct error *value_deref(const struct value_env *env, const struct value *v,
			  struct value *result) must_check;
struct error *value_address(const struct value_env *env, const struct value *v,
			    struct value *result) must_check;
struct error *value_index(const struct value_env *env, const struct value *v,
			  const struct value *index, struct value *result) must_check;
struct error *value_cast(const struct value_env *env, const struct value *v, struct type type,
			 struct value *result) must_check;

enum value_op {
	OP_MUL,
	OP_DIV,
	OP_MOD,
	OP_ADD,
	OP_SUB,
	OP_SHL,
	OP_SHR,
	OP_LT,
	OP_GT,
	OP_LE,
	OP_GE,
	OP_EQ,
	OP_NE,
	OP_AND,
	OP_XOR,
	OP_OR,
	OP_LAND,
	OP_LOR,
	OP_REPEAT, /* gdb's a @ n: n elements from a on */
	/* Of a text and a pattern, which is a literal */
	OP_GLOB,   /* a ~ "*b?" */
	OP_UNLIKE, /* a !~ "*b?" */
	OP_REGEX,  /* a =~ "^b+" */
	/* Of one operand */
	OP_PLUS,
	OP_MINUS,
	OP_NOT,
	OP_INVERT,
};

/* @op up to OP_OR, OP_GLOB to OP_REGEX; the others are the evaluator's. */
struct error *value_binary(const struct value_env *env, enum value_op op, const struct value *a,
			   const struct value *b, struct value *result) must_check;
struct error *value_unary(const struct value_env *env, enum value_op op, const struct value *v,
			  struct value *result) must_check;
struct error *value_repeat(const struct value_env *env, const struct value *v,
			   const struct value *count, struct value *result) must_check;
/* The type that both sides of ?: become. */
struct error *value_common(const struct value_env *env, const struct value *a,
			   const struct value *b, struct type *type) must_check;
