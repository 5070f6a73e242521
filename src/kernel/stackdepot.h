/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stack traces that the kernel keeps once each and names by a 32-bit handle (lib/stackdepot.c). */
#pragma once

#include "kernel/session.h"

/*
 * The return addresses of the stack with this @handle, innermost first: at most @max of them go to
 * @frames. Returns how many; 0 for handle 0, and when the record is not to be found.
 */
unsigned stackdepot_frames(struct session *s, uint32_t handle, uint64_t *frames, unsigned max);
