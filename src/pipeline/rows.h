/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows, as stages hand them on: an object, and columns with names. What the names of an expression
 * mean of a row: "$" the object; columns; fields (walk/walk.h); members; then what they mean
 * everywhere.
 */
#pragma once

#include "base/vec.h"
#include "commands/expression.h"
#include "pipeline/parse.h"
#include "types/program.h"
#include "walk/walk.h"

/* How a column is shown where its type does not say. */
enum column_look {
	LOOK_BY_TYPE,
	LOOK_FIELD, /* as enum field_kind says */
	LOOK_REAL,  /* .real is shown, with two decimals */
};

struct column_def {
	const char *name;  /* by which expressions know it */
	const char *title; /* NULL: the name */
	enum datum_kind kind;
	struct type type;  /* of numbers and places */
	enum column_look look;
	enum field_kind field;
	bool hidden;       /* not in text */
	bool bare;         /* there is nothing else: no object is shown beside it */
};

struct cell_value {
	struct datum datum;
	double real;
	const char *shown; /* in text, instead of the value; NULL */
};

struct schema {
	struct type object;  /* {0}: rows are no objects */
	const char *walker;  /* whose fields there are; NULL */
	bool untyped;        /* rows are objects of which the type is not known */
	bool has_cpu;        /* .cpu of the objects is set: per-CPU variables are that CPU's */
	bool chosen;         /* the columns are all that is to be shown */
	struct column_def *columns;
	unsigned column_count;
};

struct row {
	struct walked object;
	const struct cell_value *cells; /* as many as the schema has columns */
};

/* --- Expressions over rows --- */

struct field_slot {
	const struct walk_field *field;
	uint64_t row; /* of which row it is */
	struct datum datum;
	struct strbuf text;
};

enum { FIELD_SLOTS_MAX = 32 };

struct row_env {
	struct session *session;
	struct arena *arena;
	const struct schema *schema;
	const struct row *current;  /* NULL: none yet, only types are known */
	uint64_t number;            /* of the current row */
	struct expression outer;    /* symbols and all that is no row's */
	struct expr_env expr;
	struct program_env program;
	struct program_fault fault;
	struct type pointer;        /* to the object */
	struct type text_type;
	struct field_cache cache;
	struct field_slot fields[FIELD_SLOTS_MAX];
	unsigned field_count;
};

/* Of the struct that the objects are, as far as that is known; else NULL. */
const char *schema_struct(const struct schema *schema);
/* The rows that a begun walk gives. */
struct schema schema_of_walk(const struct walking *walk);

void row_env_init(struct row_env *env, struct session *s, const struct schema *schema,
		  struct arena *arena);
void row_env_deinit(struct row_env *env);
void row_env_set(struct row_env *env, const struct row *row);

/* An expression of a stage, compiled. */
struct row_expr {
	struct row_env *env;
	const struct stage_expr *source;
	struct program *program;
	struct column_def column; /* what it would be as a column */
	int from;                 /* the column that it is nothing but; -1 */
	size_t lost;
};

/* @stage says where it is, for errors; NULL: in the source. *@at: where in the line. */
struct error *row_compile(struct row_env *env, const struct stage *stage,
			  const struct stage_expr *source, enum program_wish wish,
			  struct row_expr *expr, size_t *at) must_check;
void row_expr_deinit(struct row_expr *expr);
/* For the current row. The text lives until it is evaluated again. */
void row_eval(struct row_expr *expr, struct cell_value *value);

/* An error in part of a line, placed in the whole of it. */
struct error *place_error(struct error *err, const struct stage *stage, size_t base, size_t inner,
			  size_t *at) must_check;

/* --- Rows that are kept --- */

struct kept_rows {
	struct row *data;
	size_t count, capacity;
};

/* A copy with all that belongs to it. @data_size: bytes of object.data, 0: it lasts. */
struct row row_keep(const struct row *row, const struct schema *schema, size_t data_size,
		    struct arena *arena);
struct cell_value cell_keep(const struct cell_value *value, struct arena *arena);
/* Adds what tells a value of @expr from others to a text that is a key of a map. */
void cell_add_key(const struct row_expr *expr, const struct cell_value *value,
		  struct strbuf *key);
/* The integer part, as far as 64 bits reach. */
uint64_t whole_number(long double real, bool is_signed);
/* <0, 0, >0; the unknown come last. */
int cells_compare(const struct cell_value *a, const struct cell_value *b,
		  const struct column_def *column);
