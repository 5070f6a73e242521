/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to cli/: one run of the program, shared by -c and the shell. */
#pragma once

#include <stdatomic.h>
#include <stdio.h>

#include "cli/options.h"
#include "output/output.h"

struct runner {
	struct cli_options options;
	struct text_options text;
	struct session *session; /* NULL when no command needs one */
	FILE *out, *err;
	size_t number;           /* of the command, from 0 */
	bool several;            /* commands: each one's output says whose it is */
	bool incomplete;         /* something could not be shown */
	bool last_incomplete;    /* by the last command */
	atomic_bool *stop;       /* Ctrl-C; NULL: it ends the program */
	bool interrupted;        /* a command was: what it has is shown, no further one is run */
	const char *typed;       /* what became the line to run by an alias; NULL: that line itself */
	const char *where;       /* "FILE:LINE: ", put before errors; NULL */
};

/*
 * Runs one command and writes what it has to say to run->out, its error to run->err. The line may
 * say the format ("ps --csv").
 */
void runner_line(struct runner *run, const char *line);
/* "inquest> line", where text of several commands follows. */
void runner_heading(struct runner *run, const char *line);
/* Prints an error as this program does, and frees it. NULL: nothing. */
void runner_complain(struct runner *run, struct error *error);
