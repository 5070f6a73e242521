/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the explain*.c files about a bad value share; private to them. */
#pragma once

#include "diagnosis/explain.h"

struct subject {
	bool known;
	size_t frame;
	unsigned reg;
	uint64_t value;
	const char *name; /* "the divisor", "handler->run"; NULL */
	const char *state; /* "NULL", "0x106" */
};

/* Where it came from, what it was before, whose memory it lies in. */
void explain_value(struct facts *facts, struct findings *out, struct finding *finding,
		   const struct subject *subject);
/*
 * Sets WHY: of the sentence about all of the class (@general), that of the origin, and that of this
 * very value (@own); each may be NULL. @explained: @own says it all.
 */
void explain_in_order(struct findings *out, struct finding *finding, const char *general,
		      const char *origin, const char *own, bool explained);

/* The function pointer that was called, where nothing is at @target. */
void explain_call(struct facts *facts, struct findings *out, struct finding *finding,
		  uint64_t target);
/* The same where the CPU refused to go there, and stands at the call or jump. */
void explain_target(struct facts *facts, struct findings *out, struct finding *finding);
