/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An instruction that did not go well, explained: what its operands are in C, what they were, which
 * comparisons led there.
 *
 * In: a frame with the registers of an exception (or one that called nowhere). Out: each operand
 * with its address, its value and its name by value flow ("missing->weight"); the conditions that
 * the code had passed; for a call, where its target was read from.
 */
#pragma once

#include "base/alloc.h"
#include "code/code.h"
#include "kernel/session.h"
#include "unwind/unwind.h"

enum { FAULT_OPERANDS_MAX = 3, FAULT_CONDITIONS_MAX = 4 };

/* A value in the code: its name, its type, and what it was. */
struct fault_value {
	const char *text; /* "skb->head", "jiffies"; NULL: it has no name in C */
	const char *type; /* "struct sk_buff *"; NULL */
	bool known;
	uint64_t value;
	bool again;       /* known by reading memory again, which may have changed */
	uint64_t cell;    /* the address that it was read from; 0 not known, or from none */
};

struct fault_operand {
	const char *text;    /* "0x8(%r12)", "%rcx" */
	bool memory;
	bool read, written;
	unsigned size;       /* bytes */
	bool has_address;
	uint64_t address;    /* of memory, by the registers */
	int base;            /* register; -1 none */
	struct fault_value pointer; /* what the base register holds */
	/* The member that the pointer and the displacement lead to. */
	const char *place;   /* "missing->weight"; NULL */
	const char *object;  /* "struct item"; NULL */
	uint64_t offset;     /* in it */
	struct fault_value value; /* of a register */
};

struct fault_condition {
	uint64_t at;      /* the branch */
	const char *text; /* "id < 0", as far as names are known */
	struct fault_value left, right;
	const char *relation; /* "==", "< 0" */
	bool is_signed;
	bool alone;           /* a test of left alone: there is no right */
	unsigned size;
};

struct fault_view {
	struct arena arena;
	struct fault_operand operand[FAULT_OPERANDS_MAX];
	unsigned operand_count;
	struct fault_condition condition[FAULT_CONDITIONS_MAX]; /* the last one passed first */
	unsigned condition_count;
	/* Of a call or jump through a pointer. */
	bool has_target;
	struct fault_value target;
	const char *target_cell; /* "0x18(%rax)": where the pointer was read from; NULL */
	bool has_target_address;
	uint64_t target_address; /* of that cell */
	const char *why; /* value flow says nothing: why (static); NULL */
};

/* The instruction at frame @i of @stack, or the call that it is in. Free with fault_view_deinit(). */
void fault_view(struct session *s, const struct stack *stack, size_t i, struct fault_view *view);
void fault_view_deinit(struct fault_view *view);
