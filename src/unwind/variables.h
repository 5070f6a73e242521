/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arguments and locals of a frame: by the debug file's locations, from the registers and memory of
 * the dump.
 *
 * This is a part of unwinding and not of types/, as it works on frames: a value may lie in a
 * register that only unwinding restores, or be known only to the caller (an "entry value"). What a
 * value means is for the stations to the right: here it is bytes, the type's spelling and kind.
 *
 * A value is given only where the compiler's tables determine it; what was lost says why.
 */
#pragma once

#include "base/alloc.h"
#include "base/vec.h"
#include "symbols/debuginfo.h"
#include "unwind/unwind.h"

enum variable_state {
	VARIABLE_KNOWN,
	VARIABLE_OPTIMISED_OUT,  /* the compiler kept it nowhere at this place */
	VARIABLE_REGISTER_LOST,  /* it was in a register that has been overwritten since */
	VARIABLE_NOT_IN_DUMP,    /* it is in memory that the dump does not have */
	VARIABLE_NO_ENTRY_VALUE, /* only the caller had it, and does not give it */
	VARIABLE_UNSUPPORTED,    /* the debug file says it in a way that we do not read */
};

enum variable_kind {
	VARIABLE_SIGNED,
	VARIABLE_UNSIGNED,
	VARIABLE_BOOL,
	VARIABLE_CHAR,
	VARIABLE_FLOAT,
	VARIABLE_POINTER,
	VARIABLE_ENUM,
	VARIABLE_AGGREGATE,
	VARIABLE_OTHER,
};

enum { VARIABLE_BYTES_MAX = 4096 };

struct variable {
	const char *name, *type; /* type: C spelling; "?" when unknown */
	const char *function;    /* whose it is */
	bool inlined;            /* that function was inlined into the frame's */
	unsigned scope;          /* 0: the innermost function; counts outwards */
	bool parameter;
	enum variable_state state;
	enum variable_kind kind;
	const char *why;   /* unless known: one clause */
	const char *where; /* when known: "rbx", "memory", "constant", "the caller's rbp" ... */
	/*
	 * It was worked out by steps that later writes could have spoilt: memory that the caller
	 * read before its call, read again.
	 */
	bool derived;
	/*
	 * The debug file has no place for it, and it is taken for the variable of its name and type
	 * in the function that its own was inlined into: likely what was passed.
	 */
	bool guess;
	bool at_call; /* where says where it was when the frame made its call */
	bool has_address;
	uint64_t address;
	uint64_t size;
	/* Parts of the bytes that are not known though the rest is, offsets in order. */
	const struct variable_gap {
		uint64_t start, end;
	} * gaps;
	unsigned gap_count;
	const uint8_t *bytes;   /* when known and of at most VARIABLE_BYTES_MAX; else NULL */
	const char *enumerator; /* of an enum's value, NULL when it has none */
};

struct variables {
	vec_fields(struct variable);
	struct arena arena; /* all strings and bytes */
};

/*
 * The variables of frame @index of a stack, innermost function first. unwind_registers() should
 * have been called for @stack, else fewer are known. Without a debug file there are none. To be
 * called by one thread at a time. Free with variables_deinit().
 */
void frame_variables(struct unwinder *unwinder, const struct stack *stack, size_t index,
		     struct variables *variables);
void variables_deinit(struct variables *variables);
