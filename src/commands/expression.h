/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C expressions with the names and the memory of a session: shared by all commands. */
#pragma once

#include "commands/command.h"
#include "types/expr.h"
#include "unwind/variables.h"

enum { EXPRESSION_NAMES = 16 };

struct expression {
	struct session *session;
	struct expr_env env;
	struct arena arena;
	struct expr *expr;
	/* Where in the text the last error is. */
	size_t at;
	/* Addresses are those of this user space; NULL: the kernel's. */
	const struct page_root *user;
	/* Something about the names that the reader must know; "" for nothing. */
	char note[320];
	/* The chosen frame, found when a register is asked for. */
	bool has_stack;
	struct stack stack;
	const struct frame *frame;
	bool has_variables;
	struct variables variables; /* of that frame */
	/* Names looked up already: the parser and the evaluator ask for each several times. */
	struct {
		const char *name;
		bool found;
		struct expr_symbol symbol;
	} known[EXPRESSION_NAMES];
	unsigned known_count;
};

/* Ready for expression_parse(); end with expression_deinit(). */
void expression_init(struct expression *x, struct session *session);
void expression_deinit(struct expression *x);
struct error *expression_parse(struct expression *x, const char *text) must_check;
/* With x->env.cpu as the CPU of per-CPU variables; @value lives as long as @x. */
struct error *expression_eval(struct expression *x, struct value *value) must_check;
/* @text with a line that points at x->at, which only text output shows. */
void expression_show_error(const struct expression *x, const char *text, struct doc *doc);

/*
 * What @text means where an address is wanted: the number that a pointer or an integer is, the
 * address of a struct, array or function. Words of 8 and more hexadecimal digits are numbers.
 */
struct error *expression_address(struct session *session, const char *text, uint64_t *address)
	must_check;
