/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registers that a function preserves, by its machine code. Internal to unwind/. */
#pragma once

#include "unwind/env.h"

/* Adds to @caller's registers those that the function of @frame, which it called, has preserved. */
void code_registers(const struct unwind_env *env, const struct frame *frame, struct frame *caller);
/*
 * Where that function has saved registers of @caller: sets at[register], returns which (bit n:
 * register n).
 */
uint64_t code_saved_at(const struct unwind_env *env, const struct frame *frame,
		       const struct frame *caller, uint64_t at[ARCH_REGS_MAX]);
