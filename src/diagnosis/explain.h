/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What forensics can say about the verdict: where the bad value came from, which object is at
 * stake and in which state, whose text lies in it. Adds sentences and evidence to the finding.
 */
#pragma once

#include "diagnosis/diagnosis.h"

void explain(struct facts *facts, struct findings *out, struct finding *finding);
/* The object at @address: cache, state, who allocated and freed it, what it is, text in it. */
void explain_object(struct facts *facts, struct findings *out, struct finding *finding,
		    uint64_t address);
/* Adds a sentence to the finding's WHY. */
void explain_why(struct findings *out, struct finding *finding, const char *fmt, ...)
	printf_like(3, 4);
