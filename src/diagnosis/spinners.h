/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who holds the spinning lock that others wait for. */
#pragma once

#include "diagnosis/diagnosis.h"

/*
 * Completes the finding of a lockup: when the CPU that did not answer (@cpu; -1: the panicking one)
 * waits for a spinning lock, blames who holds it. False, and nothing is changed, when it does not
 * wait for one or nobody is seen to hold it.
 */
bool spinners_blame(const struct facts *facts, int cpu, struct findings *out, struct finding *f);
/* The same of a text, by the names on its stacks: likely at most. */
bool spinners_blame_by_names(const struct facts *facts, struct findings *out, struct finding *f);
