/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shell: commands typed or piped in, until the end of the input or "quit". */
#pragma once

#include "cli/runner.h"

/* Returns the exit status: of the last command when the input is no terminal, else fine. */
int shell_run(struct runner *run);
/*
 * The lines of a file ("-": the standard input), as if they were typed; nothing else is said. Fails
 * when it cannot be read.
 */
struct error *shell_run_file(struct runner *run, const char *path) must_check;
