/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bug table: which BUG() or WARN() a trapping instruction belongs to. */
#pragma once

#include "kernel/session.h"

struct bug_site {
	char file[256]; /* "" when the kernel does not keep it, or it is not in the dump */
	unsigned line;
	bool warning;   /* WARN(): the kernel goes on after it */
};

/* The entry for the instruction at @pc, in the kernel's table or its module's. */
bool bug_at(struct session *s, uint64_t pc, struct bug_site *site);
