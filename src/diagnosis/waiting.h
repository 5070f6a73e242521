/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a task that waits too long waits for, and who holds it up. */
#pragma once

#include "diagnosis/diagnosis.h"

/*
 * Completes the finding about @task, which waited too long: what it waits for, through whom, up to
 * the one that holds up all of them; a ring of tasks makes it a deadlock. False, and nothing is
 * changed, when what it waits for is not known.
 */
bool waiting_blame(const struct facts *facts, const struct task *task, struct findings *out,
		   struct finding *f);
