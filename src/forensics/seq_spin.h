/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reader of a seqlock that spins as somebody writes: a part of wait_graph.c. */
#pragma once

#include "kernel/session.h"
#include "unwind/unwind.h"

/*
 * Does the code that the CPU of @stack was caught at wait in a loop for a sequence number to become
 * even? @address: of that number (struct seqcount), which is odd. @frame: in whose function.
 */
bool seq_spin_find(struct session *s, const struct stack *stack, uint64_t *address, size_t *frame);
