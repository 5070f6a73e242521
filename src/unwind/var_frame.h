/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A frame as the expressions of a debug file see it: registers, frame base, and through the caller
 * the values on entry. Internal to unwind/.
 */
#pragma once

#include "symbols/dwarf.h"
#include "unwind/expr.h"
#include "unwind/walk.h"

enum { VAR_FILES_MAX = 16, VAR_DEPTH_MAX = 12 };

/* What one question about variables shares. */
struct var_query {
	struct unwinder *unwinder;
	const struct stack *stack;
	/* Debug files whose lock is held, released at the end. */
	struct debug_module *locked[VAR_FILES_MAX];
	unsigned locked_count;
	unsigned entries; /* looked at; bounded, as a damaged file may nest them at will */
	unsigned budget;  /* of expressions still to be run */
	/* What was worked out for an earlier time read memory that is not of its frame. */
	bool reads_elsewhere;
};

struct var_frame {
	struct var_query *query;
	size_t index;   /* in the stack */
	unsigned depth; /* of entry values that led here */
	struct debug_module *module;
	uint64_t bias;
	uint64_t pc; /* as the debug file counts; minus 1 for a return address */
	Dwarf_Die unit, function;
	unsigned version;
	uint64_t cfa; /* 0: not known */
	uint64_t sp;  /* as the function's code counts */
	/*
	 * Not a frame of the stack, but of a function that has left it by a tail call to the
	 * function of frame @index: only its values on entry are known.
	 */
	bool gone;
	/*
	 * Ask for registers as they were when the frame made its call, as far as that can be told,
	 * and not only for those that still are.
	 */
	bool at_call;
	struct dwarf_expr_env env;
};

/* False when no debug file knows the frame's function. @frame must not be moved afterwards. */
bool var_frame_open(struct var_query *query, size_t index, unsigned depth, struct var_frame *frame);
/* The function at run-time address @target, which @callee's caller called but which is gone. */
bool var_frame_open_gone(const struct var_frame *callee, uint64_t target, struct var_frame *frame);
void var_query_end(struct var_query *query);

/* The expression of an attribute that holds at the frame's pc; false when there is none. */
bool var_frame_expr(struct var_frame *frame, Dwarf_Attribute *attr, const uint8_t **expr,
		    size_t *size);
/* Does the code of @die contain the frame's pc? */
bool var_covers(const struct var_frame *frame, Dwarf_Die *die);
bool var_has_range(Dwarf_Die *die);
/* The next entry beside @die; false at the end, and when the query has looked at too many. */
bool var_next(struct var_query *query, Dwarf_Die *die);

/* What was in the place that @expr names when the frame's function was entered. */
bool var_entry_value(struct var_frame *frame, const uint8_t *expr, size_t size, uint64_t *value,
		     struct expr_trouble *trouble);
/* What a register that the frame's call has since overwritten was at the call. */
bool var_register_at_call(struct var_frame *frame, unsigned reg, uint64_t *value);
/*
 * Is register @reg the same at the instruction @call (the next is at @behind) as at @entry of the
 * frame's function? Run-time addresses.
 */
bool var_untouched(struct var_frame *frame, uint64_t entry, uint64_t call, uint64_t behind,
		   unsigned reg);
/*
 * Does the code of the frame's function, entered at run-time address @entry, jump directly to
 * @target, and leave the registers of arguments alone all over? Then @target got what it was
 * called with.
 */
bool var_hands_over(struct var_frame *frame, uint64_t entry, uint64_t target);
/*
 * What register @reg is worth at the jump by which the frame's function, entered at @entry, ends in
 * @target, when no branch lies between: what @base was on entry (size 0), or the memory
 * @displacement from there. False when the code does not tell.
 */
struct var_load {
	unsigned base;
	int64_t displacement;
	unsigned size; /* bytes, zero-extended */
};
bool var_at_jump(struct var_frame *frame, uint64_t entry, uint64_t target, unsigned reg,
		 struct var_load *load);
/* What the caller passed for the parameter @parameter. */
bool var_parameter_value(struct var_frame *frame, Dwarf_Die *parameter, uint64_t *value,
			 struct expr_trouble *trouble);
