/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the CPU was busy with that a watchdog complained about. */
#pragma once

#include "diagnosis/diagnosis.h"

/*
 * Completes the finding of a watchdog's panic (soft or hard lockup, RCU stall, NMI): what the CPU
 * that did not answer was running. That CPU need not be the one that panicked.
 */
void watched_blame(const struct facts *facts, struct findings *out, struct finding *f);
