/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where did the value in a register come from? Backwards through the code of the frame's function,
 * through the memory cells that it was read from and into the callers that passed it on, until a
 * constant, a cell, the result of a call, or the place where it is lost.
 *
 * In: a stack, a frame, a register. Out: a tree of steps, each with its value as far as that is
 * known, and one sentence. Types ride along: a cell is named as C would: "skb->head".
 */
#pragma once

#include "base/alloc.h"
#include "kernel/session.h"
#include "kernel/tasks.h"

enum origin_kind {
	ORIGIN_CONSTANT, /* is in the code */
	ORIGIN_CELL,     /* read from memory */
	ORIGIN_PER_CPU,  /* read from a per-CPU variable */
	ORIGIN_ARGUMENT, /* the function was called with it */
	ORIGIN_REGISTER, /* was in the register on entry, and is no argument: the caller's own */
	ORIGIN_RESULT,   /* of a call */
	ORIGIN_COMPUTED, /* from what follows, a level deeper */
	ORIGIN_WAYS,     /* one of what follows, a level deeper: several ways lead here */
	ORIGIN_LOST,     /* made by an instruction that is not followed, or destroyed */
	ORIGIN_END,      /* not followed further: why is in text */
};

struct origin_step {
	enum origin_kind kind;
	unsigned depth;      /* in the tree */
	size_t frame;        /* of the stack */
	uint32_t node;       /* of the frame's value flow */
	uint64_t at;         /* the instruction; 0 none */
	bool known;          /* value is what it was */
	bool memory;         /* by memory read again */
	uint64_t value;
	const char *name;    /* as C would say it: "skb->head"; NULL */
	const char *member;  /* of ORIGIN_CELL: "sk_buff.head"; NULL: not known */
	uint64_t cell;       /* of ORIGIN_CELL: its address; 0 not known */
	unsigned size;       /* of the cell, bytes */
	uint64_t offset;     /* of the cell from the pointer, the next step, that led to it */
	const char *what;    /* what the cell is in, in words; NULL */
	bool cell_read;      /* it is in the dump, and holds now: */
	uint64_t cell_now;
	unsigned ways;       /* of ORIGIN_WAYS: how many can have brought it */
	const char *place;   /* where they meet */
	bool earlier;        /* one of ways: of an earlier time round a loop */
	bool doubtful;       /* one of ways: unless memory has changed since, it was another */
	const char *text;    /* the step in words */
};

struct origin {
	struct origin_step *steps;
	size_t count, capacity;
	const char *sentence; /* the whole in one */
	const char *subject;  /* whose origin it is: "rdi", "argument skb" */
	const char *why;      /* nothing can be told; NULL */
	struct arena arena;
};

/*
 * Of register @reg (arch number) in frame @frame; for a frame that has called another, as it was
 * when it made the call. @task as for stack_args_find(). Free with origin_deinit().
 */
void origin_find(struct session *s, const struct task *task, struct stack *stack, size_t frame,
		 unsigned reg, struct origin *origin);

enum origin_asked {
	ORIGIN_OF_REGISTER, /* reg, as origin_find() */
	ORIGIN_OF_ARGUMENT, /* of the prototype's parameter name, as the function was called */
	ORIGIN_OF_VALUE,    /* of what holds it: registers first, then arguments, stack slots */
	ORIGIN_OF_CELL,     /* of a register that was loaded from the address value */
};

struct origin_query {
	enum origin_asked asked;
	unsigned reg;
	const char *name;
	uint64_t value;
};

/* origin_find() of anything in the frame; when nothing there fits, origin->why says so. */
void origin_ask(struct session *s, const struct task *task, struct stack *stack, size_t frame,
		const struct origin_query *query, struct origin *origin);
void origin_deinit(struct origin *origin);
const char *origin_kind_name(enum origin_kind kind);
