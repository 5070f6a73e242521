/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a source of types (BTF, the types that we make up ourselves, later DWARF) must answer. All
 * the rest of the folder asks through this, so that a new source is one file that fills type_ops.
 */
#pragma once

#include "types/types.h"

/* No chain of typedefs, qualifiers, arrays or pointers in a sane kernel is longer. */
#define TYPE_CHAIN_MAX 64
/* Nested structs; the deepest of a real kernel is about 12. */
#define TYPE_NESTING_MAX 32

enum type_qualifier { QUALIFIER_CONST, QUALIFIER_VOLATILE, QUALIFIER_RESTRICT, QUALIFIER_TAG };

struct type_info {
	enum type_kind kind;
	const char *name;   /* never NULL */
	uint64_t size;      /* int, float, enum, pointer, struct, union */
	uint64_t length;    /* array */
	struct type target; /* pointer, array, typedef, qualifier, function */
	unsigned count;     /* members, enumerators or parameters */
	bool is_signed;     /* int, enum */
	bool is_bool;
	bool incomplete; /* struct or union of which only the name is known */
	enum type_qualifier qualifier;
};

/* A member as the source has it. */
struct raw_member {
	const char *name;  /* never NULL */
	uint64_t bits;     /* offset in bits */
	unsigned bit_size; /* 0: not a bit-field */
	struct type type;
};

/* What a name is looked up as. */
enum name_class {
	NAME_ANY,      /* struct, union, typedef, int, float, enum: the first in the source */
	NAME_COMPOUND, /* struct, union, or a typedef (of one, perhaps) */
	NAME_STRUCT,
	NAME_UNION,
	NAME_ENUM,
	NAME_FUNCTION, /* gives the prototype */
	NAME_VARIABLE, /* gives the variable's type */
};

struct type_ops {
	/* False, and @info untouched, when there is no such type or its record is not readable. */
	bool (*describe)(const struct type_source *source, uint32_t id, struct type_info *info);
	/* Member or parameter @i of a type that was described with count > @i. */
	bool (*member)(const struct type_source *source, uint32_t id, unsigned i,
		       struct raw_member *member);
	bool (*enumerator)(const struct type_source *source, uint32_t id, unsigned i,
			   const char **name, int64_t *value);
	bool (*find)(const struct type_source *source, enum name_class as, const char *name,
		     struct type *type);
	bool (*find_enumerator)(const struct type_source *source, const char *name, int64_t *value);
	/* The @i-th type of all, false past the end. NULL: they cannot be listed. */
	bool (*at)(const struct type_source *source, uint32_t i, struct type *type);
	void (*destroy)(struct type_source *source);
};

struct type_source {
	const struct type_ops *ops;
};

static inline bool type_describe(struct type type, struct type_info *info)
{
	return type.source && type.source->ops->describe(type.source, type.id, info);
}

static inline bool type_raw_member(struct type type, unsigned i, struct raw_member *member)
{
	return type.source->ops->member(type.source, type.id, i, member);
}

/* Strips and describes at once. */
bool type_describe_stripped(struct type *type, struct type_info *info);

/* --- btf.c --- */

struct btf;

/*
 * The kernel's blob (@base NULL) or a module's, at @vaddr of the dump or, when @mem is NULL, at
 * @data, which must outlive it. The kernel's header is checked here, a module's on first use.
 */
struct error *btf_create(struct memory *mem, uint64_t vaddr, const void *data, uint64_t size,
			 struct btf *base, struct btf **btf) must_check;
struct type_source *btf_source(struct btf *btf);

/* --- derived.c: pointers and arrays that no source may have --- */

struct derived;

struct derived *derived_create(void);
void derived_destroy(struct derived *derived);
/* {0} when the table is full (it is bounded). The same question gives the same handle. */
struct type derived_pointer(struct derived *derived, struct type target);
struct type derived_array(struct derived *derived, struct type element, uint64_t length);
/* A function that returns @result and takes we do not know what. */
struct type derived_function(struct derived *derived, struct type result);

/* --- basic.c: C's own arithmetic types --- */

enum basic {
	BASIC_VOID,
	BASIC_CHAR,
	BASIC_SCHAR,
	BASIC_UCHAR,
	BASIC_SHORT,
	BASIC_USHORT,
	BASIC_INT,
	BASIC_UINT,
	BASIC_LONG,
	BASIC_ULONG,
	BASIC_LLONG,
	BASIC_ULLONG,
};

struct type basic_type(enum basic basic);
/* By gcc's spelling, "long unsigned int". */
bool basic_find(const char *name, struct type *type);

/* --- globals.c --- */

/* The type expression of a well-known global variable, or NULL. */
const char *global_type_name(const char *variable);
/* The rows in order; false past the end. */
bool global_at(unsigned i, const char **name, const char **type);

/* --- spell.c --- */

struct strbuf;

/*
 * Splits a type into its base (struct, int, enum ...), qualified as @prefix says ("const "), and
 * the declarator around @name: int (*fn)(void) is base int and "(*fn)(void)".
 */
struct type type_declarator(struct type type, const char *name, struct strbuf *prefix,
			    struct strbuf *declarator);
/* "struct list_head", "unsigned long", "enum x", "struct {...}" of a base type. */
void type_base_name(struct type base, struct strbuf *out);
