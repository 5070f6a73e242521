/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registers that a function preserves, by its machine code. Internal to unwind/. */
#pragma once

#include "unwind/env.h"

/* Adds to @caller's registers those that the function of @frame, which it called, has preserved. */
void code_registers(const struct unwind_env *env, const struct frame *frame, struct frame *caller);
