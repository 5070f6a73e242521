/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The task and frame that commands mean when they are given none. */
#pragma once

#include "kernel/tasks.h"
#include "types/types.h"

/* The task that was chosen, else the one that crashed; NULL when neither is known. */
const struct task *context_task(struct session *s);
/* Chooses a task (NULL: the one that crashed) and its innermost frame. */
void context_set_task(struct session *s, const struct task *task);
/*
 * The stack of context_task(), and of its frames the chosen one: NULL when there is no such frame
 * (the stack is then shorter than when it was chosen, or empty). Free with stack_deinit(), always.
 */
const struct frame *context_frame(struct session *s, struct stack *stack);

/*
 * How numbers are shown: what the command's -x and -d say, else what the user has set (`set radix`,
 * `hex`, `dec`); every command that has a choice asks this. False: decimal.
 */
bool context_is_hex(const struct session *s, bool option_hex, bool option_decimal);
/* The same and the other variables that are about values, for type_format_value() and its kin. */
void context_format(const struct session *s, bool option_hex, bool option_decimal,
		    struct value_format *format);
