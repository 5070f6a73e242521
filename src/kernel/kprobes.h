/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kprobes: places in code where somebody has the kernel call him. */
#pragma once

#include "kernel/session.h"

/* Is there one at @address? */
bool kprobe_at(struct session *s, uint64_t address);
