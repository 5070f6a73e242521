/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The signature of a death, to find it again; what goes in and what does not: docs/signature.md. */
#pragma once

#include "diagnosis/diagnosis.h"

/* Of a diagnosis that has its findings; strings are in the facts' arena. */
void signature_make(struct diagnosis *diagnosis);

/*
 * The name that a signature has for a symbol: the compiler's suffixes are cut off, the wrappers of
 * a system call are one ("__x64_sys_ioctl" -> "sys_ioctl"). In @arena.
 */
const char *signature_name(struct arena *arena, const char *symbol);
/* Is what lies below this function on a stack the same for everybody (entry code, dispatchers)? */
bool signature_ends_at(const char *function);
