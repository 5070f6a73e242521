/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A text on the terminal, through the pager when it is longer than the screen. */
#pragma once

#include <stdatomic.h>
#include <stdio.h>

#include "base/compiler.h"

/*
 * @paged false: no pager ("set scroll off"). @stop: Ctrl-C ends the writing; not NULL. The prompt
 * comes at the start of a line in any case.
 */
void pager_show(FILE *out, const char *text, size_t size, bool paged, const atomic_bool *stop);
