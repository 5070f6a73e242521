/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why nobody ends a wait, where it is no other task's fault: what the object itself says. */
#pragma once

#include "diagnosis/diagnosis.h"
#include "forensics/wait_graph.h"

/*
 * Completes the finding's reason by what @node of @graph, at the end of a chain, waits for: I/O
 * that does not come back, a file system that is frozen, a server that does not answer, a lock
 * that is free. False, and nothing is changed: none of these.
 */
bool waiting_reason(const struct facts *facts, const struct wait_graph *graph, size_t node,
		    struct findings *out, struct finding *f);
