/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where was a CPU before the crash took it? Its stack is cut into layers where an interrupt or
 * exception left its registers; the innermost ones are the crash itself.
 *
 * In: a stack. Out: the frame of the code that counts.
 */
#pragma once

#include "kernel/session.h"
#include "unwind/unwind.h"

/*
 * The innermost frame of the code that a watchdog's interrupt, or the one that stopped the CPU for
 * the crash, caught; 0: the stack begins with it. Without such an interrupt (a hypervisor wrote the
 * dump of a running machine) what the innermost interrupt or exception caught.
 */
size_t stack_caught_at(struct session *s, const struct stack *stack);
/*
 * The same, but what the kernel's tick or a call from another CPU interrupted, where that is all
 * that the CPU was at: such an interrupt is over soon, what it came upon is not. Not beyond frame
 * @most.
 */
size_t stack_busy_at(struct session *s, const struct stack *stack, size_t most);
/* Is one of the frames from @from up to @to of the way into the crash? */
bool stack_layer_of_crash(struct session *s, const struct stack *stack, size_t from, size_t to);
/*
 * Was user code caught: is all of the stack, from the interrupt's entry on, of the crash or a tick,
 * and nothing that the kernel does for the program?
 */
bool stack_caught_user(struct session *s, const struct stack *stack);
/*
 * The same for a task that does not run: 0, or, of one that an interrupt's end put off its CPU, the
 * frame that was interrupted.
 */
size_t stack_asleep_at(struct session *s, const struct stack *stack);
