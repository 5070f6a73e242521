/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts out of a text in place of a dump; private to this folder. */
#pragma once

#include "diagnosis/facts.h"

/* Of facts.c: the CPU stopped with @trap in frame @frame. */
void facts_set_fault(struct facts *facts, enum trap trap, size_t frame);

/* The fault by the death's report; and the log ends before the next one. */
void facts_from_text(struct facts *facts);
/*
 * An invalid opcode that only the trace of a panic shows, without its instruction: a WARN() looks
 * the same as a BUG(), and as code that is none. The panic's own words say more.
 */
void facts_text_doubt(struct facts *facts);
/* The address that the report says could not be accessed. */
bool facts_text_address(const struct facts *facts, uint64_t *address);
/* What the page fault's error code tells, where the instruction did not. */
void facts_text_access(struct facts *facts);
/* The instruction as crash's `dis` printed it, where there are no bytes of code. */
void facts_text_instruction(struct facts *facts);
