/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* repeat: the line taken apart; who runs commands (cli/) does the rest. */
#pragma once

#include "commands/command.h"

struct repeat {
	double seconds;  /* between two runs */
	uint64_t count;  /* of runs; 0: until Ctrl-C */
	const char *command; /* in the line */
};

/* Is this line one of repeat's? */
bool repeat_is(const char *line);
struct error *repeat_parse(const char *line, struct repeat *repeat) must_check;
