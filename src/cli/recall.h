/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* crash's ways to run an earlier line again: "h" lists them, "r", "!!", "r 3" and "r bt" run one. */
#pragma once

#include <stdio.h>

#include "base/error.h"

/* The lines of this shell, numbered from 1. Zero-initialise. */
struct recall {
	char **data;
	size_t count, capacity;
};

void recall_add(struct recall *recall, const char *line);
void recall_deinit(struct recall *recall);
/*
 * What @line asks for: *@again is the earlier line, in @recall, NULL when @line is to be run as it
 * is, "" when nothing is left to do (the list was written to @out).
 */
struct error *recall_line(const struct recall *recall, const char *line, FILE *out,
			  const char **again) must_check;
