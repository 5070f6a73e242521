/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to cli/: what the shell does with a line, typed or out of a file. */
#pragma once

#include "cli/interrupt.h"
#include "cli/runner.h"

struct within_alias;

struct shell {
	struct runner *run;
	bool interactive;
	struct interrupt interrupt; /* its flag is never set when not interactive */
	unsigned depth;        /* of files that are run by lines of files */
	const struct within_alias *alias; /* whose text is run, the innermost; NULL: none */
	int status;            /* of the last command */
};

/*
 * "# remark", "!ls", "< file", else commands separated by semicolons, each with aliases replaced,
 * perhaps repeated, and its output sent where the line says.
 */
void shell_line(struct shell *shell, const char *line);
/* The lines of a file; errors in them name file and line. */
struct error *shell_file(struct shell *shell, const char *path) must_check;
/* The lines that come from @in. */
void shell_lines(struct shell *shell, FILE *in, const char *name);
/* Nothing further is to be run: the user has left, or nobody reads any more. */
bool shell_finished(const struct shell *shell);
