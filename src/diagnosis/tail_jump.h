/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A function that ends by jumping through a pointer leaves nothing on the stack: who called it is
 * there, and the CPU is where the pointer led.
 */
#pragma once

#include "diagnosis/facts.h"

struct tail_jump {
	struct symbol function;
	uint64_t at;   /* of the jump */
	uint64_t cell; /* that the pointer was read from, and that still holds it; 0 not known */
};

/*
 * The CPU is nowhere: did the function that frame @caller called with its last instruction jump
 * there? False: no, or that is not certain.
 */
bool tail_jump_find(const struct facts *facts, size_t caller, struct tail_jump *jump);
/* The function that the direct call calls that frame @i stands behind; false: it is no such call. */
bool direct_callee(const struct facts *facts, size_t i, struct symbol *callee);
