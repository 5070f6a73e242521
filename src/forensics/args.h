/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was each function on a stack called with? Parameters by the prototype that BTF or a debug
 * file has, values by whatever tells them for certain: the debug file's locations, the registers of
 * an exception, the machine code (code/flow.h) with the registers and the stack of this frame, of
 * its callers and of what it called.
 *
 * In: a task's stack. Out: for each frame its parameters, each with its value on entry of the
 * function, how that is known, and the chain of reasoning in words.
 */
#pragma once

#include "base/alloc.h"
#include "kernel/session.h"
#include "kernel/tasks.h"

enum arg_origin {
	ARG_UNKNOWN,   /* why says why */
	ARG_EXACT,     /* a debug file says where it is, or registers that an exception saved */
	ARG_DERIVED,   /* follows from the code, from what is certain */
	ARG_CANDIDATE, /* the same, but through memory that may have changed since */
};

struct arg {
	const char *name; /* "" when the prototype has none */
	struct type type; /* {0}: no prototype, or one that may not fit */
	int reg;          /* it is passed in; -1: on the stack, or in several */
	unsigned stack_offset; /* of one on the stack, from the return address; 0: it is not */
	uint64_t size;    /* bytes that count; 0 unknown */
	enum arg_origin origin;
	uint64_t value;   /* of @size bytes, zero-extended */
	const char *how;  /* "rbx here, from rdi on entry", "the debug file: in rbp" ... */
	/* What the debug file says of it now, when that is another value: the function changed it. */
	bool changed;
	uint64_t now;
};

struct frame_args {
	const char *function; /* NULL: no symbol */
	struct arg *args;
	unsigned count;
	const char *why;      /* why none are known though there may be some; NULL */
	bool prototype;       /* args are those of a prototype, else whatever registers are known */
};

struct stack_args {
	struct frame_args *frames; /* as many as the stack has */
	size_t count;
	struct arena arena;
};

/*
 * The arguments of all frames of the @stack of @task (NULL: whose is not known; then what the
 * current task's pointer says is not used). Adds to the frames of @stack the registers that follow.
 * For one thread at a time. Free with stack_args_deinit().
 */
void stack_args_find(struct session *s, const struct task *task, struct stack *stack,
		     struct stack_args *out);
void stack_args_deinit(struct stack_args *args);
const char *arg_origin_name(enum arg_origin origin);
