/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel functions that are not what a call or jump to them looks like. Internal to code/. */
#pragma once

#include "base/compiler.h"

enum idiom {
	IDIOM_NONE,
	IDIOM_THUNK,        /* goes to where a register points: retpolines */
	IDIOM_RETURN_THUNK, /* is a return */
	IDIOM_NEUTRAL,      /* preserves all registers */
	IDIOM_NO_RETURN,
	IDIOM_CLOBBERS,     /* destroys registers that a function preserves by rule */
};

struct idiom_info {
	enum idiom idiom;
	int reg;           /* of a thunk; -1 */
	uint64_t destroys; /* bits, with IDIOM_CLOBBERS */
};

struct idiom_info idiom_of(const char *function);
