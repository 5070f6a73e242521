/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to the files of expressions: words, and the tree that they become. */
#pragma once

#include "types/expr.h"

enum token_kind {
	TOKEN_END,
	TOKEN_NUMBER,
	TOKEN_CHAR,
	TOKEN_STRING,
	TOKEN_NAME,     /* "$rip" too */
	TOKEN_OPERATOR, /* one or two characters, in .op: '<' << 8 | '=' */
};

struct token {
	enum token_kind kind;
	size_t at, end;     /* in the text */
	uint32_t op;
	uint64_t number;
	struct type type;   /* of a number */
	char *text;         /* of a name; of a string without quotes and escapes */
	size_t length;      /* of a string, which may hold NULs */
	bool joined;        /* no blank before it */
};

#define TWO(a, b) ((uint32_t)(a) << 8 | (uint32_t)(b))

/* The next word at *@at; moves *@at behind it, or to the error. */
struct error *expr_lex(const char *text, const struct expr_env *env, struct arena *arena,
		       size_t *at, struct token *token) must_check;

enum node_kind {
	NODE_VALUE,     /* a literal: .value */
	NODE_NAME,      /* .name */
	NODE_UNARY,     /* .op */
	NODE_BINARY,    /* .op */
	NODE_CONDITION, /* ?: with three children */
	NODE_ADDRESS,   /* & */
	NODE_DEREF,     /* * */
	NODE_INDEX,
	NODE_MEMBER,    /* .name */
	NODE_CAST,      /* .value.type */
	NODE_SIZEOF,    /* of the child */
	NODE_OFFSETOF,  /* child: members and indices on a NODE_VALUE at address 0 */
	NODE_CONTAINER, /* container_of: pointer, and an offsetof; .value.type */
	NODE_PERCPU,    /* per_cpu, per_cpu_ptr: a percpu address and a CPU's number */
};

struct node {
	enum node_kind kind;
	enum value_op op;
	size_t at;          /* where in the text errors are pointed out */
	const char *name;
	int cpu;            /* of a NODE_NAME: "name:3"; -1: none */
	bool is_percpu_ptr; /* NODE_PERCPU: the child is a pointer, not a variable */
	struct value value;
	const struct node *child[3];
};

struct expr {
	const struct node *root;
	char *text;     /* without the list of CPUs */
	char *cpu_list; /* NULL: none */
};

/* Evaluates a part without reading anything, for its type. */
struct error *expr_type_of(const struct node *node, const struct expr_env *env, struct type *type,
			   size_t *at) must_check;

/* The same, all of what is known without reading: is it an lvalue, a text, a bit-field? */
struct error *expr_dry(const struct node *node, const struct expr_env *env, struct value *value,
		       size_t *at) must_check;
/* The value of a part. */
struct error *expr_eval_node(const struct node *node, const struct expr_env *env,
			     struct value *value, size_t *at) must_check;

/* --- expr_type.c --- */

struct parser {
	const char *text;
	const struct expr_env *env;
	struct arena *arena;
	struct token token; /* the next one, not taken yet */
	size_t next;        /* behind it */
	size_t taken_end;   /* of the last one taken */
	size_t *at;         /* of an error */
	unsigned depth, nodes;
	char *cpu_list;
};

struct error *parser_next(struct parser *p) must_check;
struct error *parser_fail(struct parser *p, size_t at, const char *fmt, ...)
	printf_like(3, 4) must_check;
/* Takes operator @op, or says that it was expected. */
struct error *parser_expect(struct parser *p, char op) must_check;
bool parser_sees(const struct parser *p, uint32_t op);
struct error *parser_expression(struct parser *p, const struct node **node) must_check;
/* Does the next word begin the name of a type? */
bool parser_sees_type(struct parser *p);
/* "struct page *", "unsigned long [4]", "void (*)(int)", "typeof(x)". */
struct error *parser_type(struct parser *p, struct type *type) must_check;
