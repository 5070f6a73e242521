/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loop of `repeat`. */
#pragma once

#include "commands/repeat.h"

/* Runs one command; false: enough. */
typedef bool (*repeat_fn)(void *ctx, const char *command);
/* @wake: becomes readable on Ctrl-C, which ends the waiting; -1: never. */
struct error *repeat_line(const char *line, int wake, repeat_fn fn, void *ctx) must_check;
