/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Functions that are on the stack no more: called, they jumped on to another as their last act
 * ("tail call"), which has their place now. A stack alone shows who called them as the caller of
 * what they jumped to.
 */
#pragma once

#include "kernel/tasks.h"

enum { TAIL_CALLS_MAX = 6 };

struct tail_calls {
	uint64_t function[TAIL_CALLS_MAX]; /* their starts, in the order in which they ran */
	unsigned count;
	/* The last one jumped to the function of the frame, and by all that is known so did each
	   to the next. Else what follows the last one is not known. */
	bool complete;
};

enum tail_answer {
	TAIL_NONE,    /* the call led straight to the frame, or nothing speaks against that */
	TAIL_SOME,
	TAIL_UNKNOWN, /* it went through a pointer that is not known */
};

/* Those between frame @callee of a task's stack and the frame above, which called the first. */
enum tail_answer tail_calls_find(struct session *s, const struct task *task,
				 const struct stack *stack, size_t callee,
				 struct tail_calls *gone);
