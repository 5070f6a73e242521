/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to program.c and program_run.c: what a program consists of. */
#pragma once

#include <regex.h>

#include "types/expr_node.h"
#include "types/program.h"

enum step_kind {
	STEP_CONST,   /* .datum */
	STEP_OBJECT,  /* its address */
	STEP_SLOT,    /* .number is its index */
	STEP_OFFSET,  /* child + .number: a place */
	STEP_INDEX,   /* child + second child * .number: a place */
	STEP_LOAD,    /* the number of type .type, or the bit-field, at the child's place */
	STEP_STRING,  /* the text at the child's address, at most .number bytes */
	STEP_FIT,     /* a cast to .type */
	STEP_UNARY,
	STEP_BINARY,
	STEP_LOGIC,   /* && and || */
	STEP_CHOOSE,  /* child ? second child : third child, fit to .type */
	STEP_EQUAL,   /* texts: == or != */
	STEP_MATCH,   /* a text and a pattern */
	STEP_GENERIC, /* expr_eval() of .node */
};

/* How many bytes, and is the first bit of the number its sign? */
struct fit {
	uint8_t size;
	bool is_signed, is_bool;
};

struct step {
	enum step_kind kind;
	enum value_op op;
	enum datum_kind gives;
	struct type type;
	struct fit fit;     /* of a number that is loaded or computed */
	bool is_signed;     /* STEP_BINARY: how to compare, divide, shift */
	bool follows;       /* STEP_OFFSET: the child is a pointer */
	bool cuts;          /* STEP_BINARY: operands are cut to .fit first */
	uint8_t bit_offset, bit_size;
	uint64_t number;
	struct datum datum;
	const char *pattern;
	regex_t *regex;
	char *buffer;       /* of PROGRAM_TEXT_MAX + 1 bytes */
	const struct node *node;
	const struct step *child[3];
};

enum { WINDOW_MAX = 1024 };

struct program {
	const struct program_env *env;
	struct arena *arena;
	const struct step *root;
	enum program_wish wish;
	uint64_t object, object_size;
	/* The object's bytes, where it is small; read when first needed. */
	uint8_t window[WINDOW_MAX];
	enum { WINDOW_NEW, WINDOW_READ, WINDOW_NONE } window_state;
	size_t lost;
	uint64_t lost_address;
	enum read_status lost_status;
	struct { regex_t **data; size_t count, capacity; } regexes;
};

uint64_t fit_number(struct fit fit, uint64_t number);
struct fit fit_of_type(struct type type);
