/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is a frame's code in a loop, and how far has that come? For who explains why a CPU does not let
 * go.
 *
 * In: a stack and the number of a frame. Out: the innermost loop that its place is in, with what
 * counts its turns and the list that it follows, as far as the code tells.
 */
#pragma once

#include "code/cfg.h"
#include "kernel/session.h"
#include "unwind/unwind.h"

struct busy_loop {
	uint64_t first, last; /* addresses of its first and its last instruction, the jump back */
	int counter;          /* register that changes by @step in each turn; -1: none is told */
	int64_t step;
	bool value_known, limit_known, start_known;
	uint64_t value;       /* of the counter, in this frame */
	uint64_t limit;       /* what it is compared with */
	bool at_limit;        /* there is a turn with that value, too */
	uint64_t start;       /* what it had before the first turn */
	int limit_reg;        /* register that has the limit; -1: none does */
	unsigned limit_size;  /* bytes of it that count */
	int link;             /* register that follows a pointer: it loads itself anew; -1: none */
	int64_t link_offset;  /* from where, behind what it points to */
};

/* False: the frame is in no loop, or its code cannot be read. */
bool busy_loop_find(struct session *s, const struct stack *stack, size_t frame,
		    struct busy_loop *loop);
/* The same without values: what the code alone tells of the loop around instruction @insn. */
bool busy_loop_of_code(const struct arch *arch, const struct cfg *cfg, uint32_t insn,
		       struct busy_loop *loop);
/* "rbx = 0x17d0, 0x10 more in each turn, up to 0x2000: turn 381 of 512"; "" when nothing counts. */
void busy_loop_words(struct session *s, const struct busy_loop *loop, char *buf, size_t size);
