/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the word at the cursor could be: commands, their options, symbols, types, members, files. */
#pragma once

#include "cli/lineedit.h"
#include "kernel/session.h"

enum { COMPLETIONS_MAX = 200 };

/* A complete_fn whose @ctx is the session. */
void complete_line(void *session, const char *line, size_t point, struct completions *out);
