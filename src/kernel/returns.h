/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Return addresses that tracers have taken off the stack. */
#pragma once

#include "kernel/cpus.h"

/* The real return address of the word at @retaddr_at; an unwind_resolve_fn. @ctx is a struct
 * stack_of_task. */
bool return_address_resolve(void *ctx, uint64_t retaddr_at, uint64_t *pc);
