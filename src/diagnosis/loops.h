/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Evidence of loops: what a CPU that does not let go goes round in, and how far it has come. */
#pragma once

#include "diagnosis/diagnosis.h"
#include "diagnosis/facts.h"

/*
 * Adds an evidence for each of the frames from @from to @to, some at most, whose code is in a loop.
 * @bt is the command that shows the stack.
 */
void loops_tell(const struct facts *facts, const struct stack *stack, size_t from, size_t to,
		const char *bt, struct findings *out, struct finding *f);
