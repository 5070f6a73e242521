/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One run of the program, from argv to exit status. */
#pragma once

#include <stdio.h>

enum exit_status {
	EXIT_FINE = 0,
	EXIT_INCOMPLETE = 1, /* something could not be shown */
	EXIT_REFUSED = 2,    /* usage, or the dump cannot be opened */
};

/* Returns the exit status. Nothing is printed but to @out and, one line each, errors to @err. */
int cli_run(int argc, char *const *argv, FILE *out, FILE *err);
