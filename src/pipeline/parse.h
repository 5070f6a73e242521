/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pipeline's text taken apart: "source |> stage |> stage". No session is needed for that. */
#pragma once

#include "base/alloc.h"
#include "base/error.h"

enum { PIPELINE_TEXT_MAX = 8192, PIPELINE_STAGES_MAX = 64, PIPELINE_EXPRS_MAX = 32 };

enum stage_kind {
	STAGE_WHERE,
	STAGE_SELECT,
	STAGE_SORT,
	STAGE_TOP,
	STAGE_FIRST,
	STAGE_LAST,
	STAGE_COUNT,
	STAGE_SUM,
	STAGE_MIN,
	STAGE_MAX,
	STAGE_AVG,
	STAGE_UNIQUE,
	STAGE_FOLLOW,
	STAGE_WALK,
	STAGE_EACH,
	STAGE_STACKS,
};

/* "EXPR", "EXPR as NAME", "-EXPR" */
struct stage_expr {
	const char *text;
	size_t at;        /* where in the line it begins */
	const char *name; /* what it is called: as NAME, else the text */
	bool named;       /* by "as" */
	bool descending;
};

struct stage_exprs {
	struct stage_expr *data;
	size_t count;
};

struct stage {
	enum stage_kind kind;
	unsigned number;   /* from 1: the source is not counted */
	const char *word;
	size_t at;         /* where in the line its word begins */
	struct stage_exprs exprs, by;
	uint64_t n;        /* top, first, last */
	const char *rest;  /* each, walk, stacks: what is behind the word */
	size_t rest_at;
};

struct pipeline {
	const char *source;
	struct stage *stages;
	size_t count;
};

/* Where the first "|>" outside of quotes and brackets is; NULL: the line is no pipeline. */
const char *pipeline_operator(const char *line);
/*
 * Everything lives in @arena. *@at: where in the line an error is (from 0), which the sentence says
 * too.
 */
struct error *pipeline_parse(const char *line, struct arena *arena, struct pipeline *pipeline,
			     size_t *at) must_check;

/* The stages' words, for help and completion: the i-th; NULL past the end. */
struct stage_word {
	const char *name, *usage, *summary;
	enum stage_kind kind;
};
const struct stage_word *stage_word_at(size_t i);
