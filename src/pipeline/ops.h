/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to pipeline/: stages made ready to run. Rows are pushed from each to the next. */
#pragma once

#include "pipeline/rows.h"

struct op;

struct op_kind {
	/* Compiles the stage; sets op->out. */
	struct error *(*begin)(struct op *op, size_t *at);
	/* False: no more rows are wanted. */
	bool (*push)(struct op *op, const struct row *row);
	/* All rows have come: those that were kept go on. NULL: none were. */
	void (*finish)(struct op *op);
	void (*end)(struct op *op);
};

struct run {
	struct session *session;
	struct doc *doc;
	struct arena arena;  /* as long as the pipeline */
	unsigned depth;      /* of pipelines in "each (...)" */
	size_t known;        /* problems of the session that are told already */
	size_t held;         /* rows that are kept now, by all stages */
	bool too_many;
};

enum { ROWS_MAX = 4 << 20, ROWS_SHOWN_MAX = 1 << 20 };

struct op {
	const struct op_kind *kind;
	const struct stage *stage; /* NULL: showing what is left */
	struct run *run;
	struct schema in, out;
	struct row_env env;        /* of rows that come in */
	size_t data_size;          /* of their object.data; 0: it lasts */
	size_t data_size_out;
	struct row_expr *exprs, *by;
	unsigned expr_count, by_count;
	struct op *next;
	void *state;
};

extern const struct op_kind op_where, op_select, op_sort, op_top, op_first, op_last, op_unique,
	op_follow, op_walk, op_each, op_stacks, op_aggregate, op_show;

const struct op_kind *op_kind_of(enum stage_kind kind);

/* Compiles the stage's expressions into op->exprs and op->by. */
struct error *op_compile(struct op *op, enum program_wish wish, size_t *at) must_check;
static inline bool op_push(struct op *next, const struct row *row)
{
	return next->kind->push(next, row);
}
/* May one more row be kept? Else that is noted, once. */
bool op_may_keep(struct op *op);
/* Notes what the session found missing since that was done last. */
void run_remark_problems(struct run *run);
/* Notes what of an expression could not be read. */
void run_remark_lost(struct run *run, struct row_expr *expr);

/* A copy of text in which "$" and "{EXPR}" stand for what they are of a row; see op_each. */
struct filler;
struct error *filler_create(struct op *op, const char *text, size_t text_at, struct filler **filler,
			    size_t *at) must_check;
/* False: some of it is not known of this row, or would be a stage or an option. */
bool filler_fill(struct filler *filler, struct strbuf *out);
void filler_destroy(struct filler *filler);

/* --- Sources --- */

/* A command's output as rows. */
struct table {
	struct schema schema;
	struct row *rows;
	size_t count;
};
/* Of what is in @from; all is copied to @arena. False: nothing there has rows. */
bool table_of_doc(const struct doc *from, struct session *s, struct arena *arena,
		  struct table *table);
/* The same of several documents; @rows: the row that each is of, whose columns are put before. */
bool table_of_docs(const struct doc *from, size_t count, const struct schema *schema,
		   const struct row *rows, struct session *s, struct arena *arena,
		   struct table *table);

/* The documents of an "each" that is not the last stage, with the rows that they are of. */
struct each_docs {
	struct doc *docs;
	struct row *rows;
	size_t count, capacity;
};
struct each_docs *op_each_docs(struct op *op);
/* It is the last stage: what it gives is shown as it is. */
void op_each_shows(struct op *op);

/* Stages made ready, one after the other. */
struct chain {
	struct run *run;
	struct op *first, *last;
};
/* Stages [@from, @to) for rows of @schema, and showing when @show. */
struct error *chain_build(struct chain *c, const struct pipeline *p, size_t from, size_t to,
			  const struct schema *schema, size_t data_size, bool show, size_t *at)
	must_check;
void chain_end(struct chain *c);

/* Words of a walker, with the expressions in them compiled once. */
struct words;
struct words *words_create(struct row_env *env, struct run *run, const char *text);
int words_count(const struct words *words);
const char *words_at(const struct words *words, int i);
/* An error of words_walk(), placed in the line of which they are the stage's rest. */
struct error *words_place(const struct words *words, struct error *err, const struct stage *stage,
			  size_t *at) must_check;
void words_destroy(struct words *words);
/*
 * Begins the walk that the words describe, for the env's current row. @dry: for the type of its
 * objects only. What it allocates goes to @arena.
 */
struct error *words_walk(struct words *words, const struct walker *walker, struct arena *arena,
			 bool dry, struct walking *walk) must_check;

/* pipeline_run() inside of another one. */
struct error *pipeline_run_inner(struct session *session, const char *line, struct doc *doc,
				 unsigned depth) must_check;
