/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DWARF expressions (DWARF 5, 2.5 and 2.6; GNU's extensions): bytes of a debug file -> a value, or
 * where a variable is. Internal to unwind/.
 *
 * What an expression may ask of the world is a table of functions, so that tests and fuzzing need
 * no debug file. Everything is bounded: operations executed, the stack, pieces. What cannot be told
 * is never guessed: the result is then trouble, which says what is missing.
 */
#pragma once

#include "dump/dump.h"

enum expr_status {
	EXPR_OK,
	EXPR_OPTIMISED_OUT,  /* the compiler kept it nowhere */
	EXPR_REGISTER_LOST,  /* detail: which register is not known in this frame */
	EXPR_NO_MEMORY,      /* detail: the address; read: why */
	EXPR_NO_ENTRY_VALUE, /* the caller does not say what it passed; why (static) says how so */
	EXPR_NO_FRAME,       /* the frame's base (CFA) is not known */
	EXPR_UNSUPPORTED,    /* detail: the operation */
	EXPR_DAMAGED,        /* breaks DWARF's rules */
};

struct expr_trouble {
	enum expr_status status;
	enum read_status read;
	uint64_t detail;
	const char *why; /* static, or NULL */
};

/* A base type, for operations on typed values. */
struct expr_type {
	uint8_t size; /* bytes, 1 to 8 */
	bool is_signed;
	bool generic; /* of the size of an address, without a sign of its own */
};

/*
 * The functions return false and set @trouble when they have no answer. Those that are NULL never
 * have one.
 */
struct dwarf_expr_env {
	void *ctx;
	uint64_t bias;       /* added to DW_OP_addr */
	uint8_t offset_size; /* of references to DIEs, 4 or 8 */
	bool (*reg)(void *ctx, unsigned reg, uint64_t *value);
	enum read_status (*read)(void *ctx, uint64_t address, void *buf, size_t size);
	bool (*frame_base)(void *ctx, uint64_t *value, struct expr_trouble *trouble);
	bool (*cfa)(void *ctx, uint64_t *value);
	/* What the expression was worth on entry of the function. */
	bool (*entry_value)(void *ctx, const uint8_t *expr, size_t size, uint64_t *value,
			    struct expr_trouble *trouble);
	/* What the caller passed for the parameter whose DIE is at @offset in the unit. */
	bool (*parameter)(void *ctx, uint64_t offset, uint64_t *value,
			  struct expr_trouble *trouble);
	/* Entry @index of the unit's .debug_addr, without bias. */
	bool (*indexed)(void *ctx, uint64_t index, uint64_t *value);
	/* The base type whose DIE is at @offset in the unit. */
	bool (*base_type)(void *ctx, uint64_t offset, struct expr_type *type);
};

enum expr_place {
	EXPR_MEMORY,   /* value is its address */
	EXPR_REGISTER, /* value is the register's number */
	EXPR_VALUE,    /* value is it */
	EXPR_BYTES,    /* the bytes are it; they are part of the expression */
	EXPR_POINTER,  /* would point value bytes into the object of the DIE at die, which has no
			  address */
	EXPR_EMPTY,    /* optimised out */
};

struct expr_piece {
	enum expr_place place;
	uint64_t value, die;
	const uint8_t *bytes;
	size_t size;
	uint64_t bits, bit_offset; /* of the object; bits 0: all of it */
};

enum { EXPR_PIECES_MAX = 32 };

struct expr_location {
	struct expr_piece piece[EXPR_PIECES_MAX];
	unsigned count;
	bool by_entry; /* an entry value took part */
};

/* Where the object is that a location description describes. */
bool expr_locate(const struct dwarf_expr_env *env, const uint8_t *expr, size_t size,
		 struct expr_location *location, struct expr_trouble *trouble);
/*
 * The number that an expression yields, starting with @initial (may be NULL) on the stack. A
 * register location gives what is in it.
 */
bool expr_value(const struct dwarf_expr_env *env, const uint8_t *expr, size_t size,
		const uint64_t *initial, uint64_t *value, struct expr_trouble *trouble);
/* Bytes of an object that are not known, in order. */
struct expr_gaps {
	struct expr_gap {
		uint64_t start, end; /* offsets */
	} gap[EXPR_PIECES_MAX];
	unsigned count;
};
/*
 * The @size bytes of the object at @location. Pieces that are not known become zeroes and are noted
 * in @gaps (NULL: not to be tolerated); when none is known, or a bit-field's piece is not, false.
 */
bool expr_load(const struct dwarf_expr_env *env, const struct expr_location *location, void *buf,
	       size_t size, struct expr_gaps *gaps, struct expr_trouble *trouble);
