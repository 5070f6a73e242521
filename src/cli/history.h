/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines typed in earlier shells, in a file. Whatever goes wrong with it is not worth a word. */
#pragma once

#include "base/compiler.h"

/* $XDG_STATE_HOME/inquest/history or ~/.local/state/inquest/history, which the caller frees; NULL. */
char *history_path(void);
/* Calls @fn for each line, the oldest first. */
void history_load(const char *path, void (*fn)(void *ctx, const char *line), void *ctx);
/* Appends a line; makes the folders. */
void history_add(const char *path, const char *line);
