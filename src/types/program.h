/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An expression that is evaluated for thousands of objects: names, types and offsets are looked up
 * once, what remains for each object is reading and computing.
 *
 * In: a parsed expression, and what its names mean of an object ("binding"). Out: a program, that
 * run for one object gives a number, a text or a place in memory; or nothing, where memory is not
 * in the dump or a pointer on the way is NULL. It means what expr_eval() means.
 */
#pragma once

#include "types/expr.h"

enum datum_kind {
	DATUM_NONE,   /* not known: .why tells */
	DATUM_NUMBER, /* .number, extended to 64 bits as its type says */
	DATUM_TEXT,   /* .text; lives until the program runs again */
	DATUM_PLACE,  /* .number is the address of a struct, union, array */
};

enum datum_why {
	DATUM_NULL,   /* there is no such thing: a pointer on the way is NULL */
	DATUM_LOST,   /* it cannot be read */
	DATUM_ABSURD, /* it cannot be computed: division by zero ... */
};

struct datum {
	enum datum_kind kind;
	enum datum_why why;
	uint64_t number;
	const char *text;
	/* Of a slot that is a fraction: .number is its integer part. It is compared as it is. */
	bool is_real;
	double real;
};

enum bind_kind {
	BIND_NONE,   /* nothing of the object: a symbol, an enumerator */
	BIND_OBJECT, /* the pointer to the object */
	BIND_MEMBER, /* a member of the object */
	BIND_SLOT,   /* something else that comes with the object */
	BIND_OTHER,  /* what only expr->name and expr->symbol can tell, object by object */
};

struct binding {
	enum bind_kind kind;
	unsigned slot;
	bool is_text;     /* of a slot: DATUM_TEXT, else it is a number of @type */
	struct type type; /* of the object (BIND_OBJECT) or slot */
};

struct program_fault {
	uint64_t address;
	enum read_status status;
	bool of_slot;       /* not a read: a slot is not known, .why */
	enum datum_why why;
};

struct program_env {
	/* For all that is evaluated as it is: its callbacks are to answer for the object at hand. */
	const struct expr_env *expr;
	void *ctx;
	/* What of the object at hand was not known last, which callbacks note there; may be NULL. */
	const struct program_fault *fault;
	struct type object; /* {0}: there is none, only slots */
	void (*bind)(void *ctx, const char *name, struct binding *binding);
	/* A slot of the object at hand. */
	void (*slot)(void *ctx, unsigned slot, struct datum *datum);
};

struct program;

enum program_wish {
	PROGRAM_VALUE, /* what is best shown: char arrays and pointers give their text */
	PROGRAM_TRUTH, /* 0 or 1 */
	PROGRAM_PLACE, /* structs and arrays are places, all else is a number */
};

/* @env and @expr must outlive the program, which lives in @arena. */
struct error *program_compile(const struct expr *expr, const struct program_env *env,
			      enum program_wish wish, struct arena *arena,
			      struct program **program, size_t *at) must_check;
/* Frees what is not the arena's; NULL is fine. */
void program_finish(struct program *program);
/* For the object at @address. For one thread at a time. */
void program_run(struct program *program, uint64_t address, struct datum *datum);
/* Of the numbers and places that it gives. {0}: of texts. */
struct type program_type(const struct program *program);
enum datum_kind program_kind(const struct program *program);
/* Of reads that failed (but for NULL pointers): how many, and what the first one says. */
size_t program_lost(const struct program *program, uint64_t *address, enum read_status *status);

enum { PROGRAM_TEXT_MAX = 4096 };
