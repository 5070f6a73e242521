/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which pointer was this bad one before it was spoilt? One bit turned over, half of it lost, moved
 * by some bytes, of another kind: each way back is tried, and what it gives is judged.
 *
 * In: the bad value and the memory cell that it was read from. Out: the valid pointer, if exactly
 * one is the best; how good it is says how much there is to it. Where several are as good, or all
 * are weak, nothing is said: almost every address of a machine with much memory is something.
 */
#pragma once

#include "kernel/session.h"

enum near_way {
	NEAR_NONE,
	NEAR_BIT,           /* bit number @detail turned over */
	NEAR_UPPER_ZERO,    /* the upper 32 bits are 0 */
	NEAR_UPPER_SIGN,    /* the upper 32 bits are copies of bit 31 */
	NEAR_UPPER_OTHER,   /* the upper @detail bits are something else */
	NEAR_SWAPPED,       /* the two halves changed places */
	NEAR_REVERSED,      /* the bytes are in reverse order */
	NEAR_MOVED,         /* it lies @detail bytes from the cell */
	NEAR_PER_CPU,       /* it is a per-CPU pointer: of CPU @detail it is ... */
	NEAR_PHYSICAL,      /* it is a physical address */
};

enum near_strength {
	NEAR_WEAK,   /* something is mapped there */
	NEAR_GOOD,   /* the start of an object in use, of a variable, a function */
	NEAR_STRONG, /* and it fits: the list links back, neighbours in the object point to the same */
};

struct near_question {
	uint64_t value;
	uint64_t cell; /* that it was read from; 0 not known */
	bool code;     /* it was called: a function is wanted */
};

struct near_answer {
	enum near_way way;
	int detail;
	uint64_t value; /* what it should have been */
	enum near_strength strength;
	bool links_back;     /* strong, since what it points to points back to the cell, at @back */
	uint64_t back;
	bool like_neighbours; /* strong, since the word at @neighbour points to such an object too */
	uint64_t neighbour;
};

/* False: nothing that is worth a word. */
bool near_pointer(struct session *s, const struct near_question *question,
		  struct near_answer *answer);
