/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * C expressions over the kernel's types and a dump's memory. In: text, and an environment that
 * knows names. Out: a value, lazily: pointers are followed only as far as the answer needs it.
 *
 *	struct expr *e;
 *	struct error *err = expr_parse(text, &env, &arena, &e, &at);
 *	if (!err)
 *		err = expr_eval(e, &env, &value, &at);
 *
 * C's operators and rules, plus what users of crash and gdb expect: "variable:CPU" of per-CPU
 * variables ("runqueues:0", ":a" for all), "module:name", "$register", "array @ count", "." and
 * "->" alike on pointers and structs, == between a char array and a string literal, offsetof(),
 * container_of(), per_cpu(), per_cpu_ptr(), typeof(); text ~ "glob*", !~, and =~ "regex"; a struct
 * that is nothing but a number (atomic_t) is that number. Nothing can be assigned or called.
 */
#pragma once

#include "types/value.h"

enum {
	EXPR_TEXT_MAX = 4096,
	EXPR_DEPTH_MAX = 100, /* of parentheses and the like */
	EXPR_NODES_MAX = 2000,
	EXPR_CPUS_MAX = 8192,
};

struct expr_symbol {
	uint64_t address;
	struct type type; /* {0}: not known */
	bool is_text;
	bool is_percpu;   /* address is what expr_env.percpu takes */
};

enum expr_found {
	EXPR_UNKNOWN, /* there is no such name */
	EXPR_FOUND,
	EXPR_LOST,    /* the name is known, its value is not: the error says why */
};

struct expr_env {
	struct value_env value; /* .ctx is given to all callbacks */
	int cpu;                /* whose per-CPU variables are meant by default; -1: nobody's */
	/* "name" or "module:name". */
	bool (*symbol)(void *ctx, const char *name, struct expr_symbol *symbol);
	/* The address of a per-CPU variable on one CPU. */
	bool (*percpu)(void *ctx, uint64_t symbol_address, unsigned cpu, uint64_t *address);
	/*
	 * "$rip", and names that hide symbols: locals of a frame. May be NULL. With EXPR_LOST
	 * *@err is set.
	 */
	enum expr_found (*name)(void *ctx, const char *name, struct value *value,
				struct error **err);
	bool locals_last; /* they do not hide symbols, types and enumerators */
	/* The symbol most like @name for "did you mean"; may be NULL, and return NULL. */
	const char *(*nearest)(void *ctx, const char *name);
	/*
	 * Words of 8 and more hexadecimal digits are numbers, as in the address positions of
	 * crash's commands.
	 */
	bool bare_hex;
};

struct expr;

/*
 * Parses; the expression lives in @arena and refers to the types of @env. *@at: where in the text
 * (from 0) an error is, which its sentence says too ("at column 12", from 1).
 */
struct error *expr_parse(const char *text, const struct expr_env *env, struct arena *arena,
			 struct expr **expr, size_t *at) must_check;
/* @value may point into the expression. */
struct error *expr_eval(const struct expr *expr, const struct expr_env *env, struct value *value,
			size_t *at) must_check;

/*
 * The CPUs that a list in the text names (":0,2", ":a"): NULL when there is none. The expression is
 * then to be evaluated with env.cpu set to each.
 */
const char *expr_cpu_list(const struct expr *expr);
/* The expression without the list behind its end: "runqueues.nr_running" of "...:a". */
const char *expr_text(const struct expr *expr);
/* Is it nothing but the name of a variable? The name, else NULL. */
const char *expr_name(const struct expr *expr);
/* Of a program counter: pointer to a function. */
struct type expr_code_type(struct types *types);
/* Of other registers: unsigned long. And long. */
struct type expr_register_type(void);
struct type expr_signed_type(void);
