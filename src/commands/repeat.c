// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * repeat: a command again and again. A dump does not change, but the command may be a pipeline into
 * something that does, and crash's users have it in scripts. Each run has an output of its own,
 * so the loop is in cli/repeat_line.h; here is its line, and its row in the table.
 */
#include "commands/repeat.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "commands/table.h"

#define SECONDS_MAX 1e6

bool repeat_is(const char *line)
{
	line += strspn(line, " \t");
	return strncmp(line, "repeat", 6) == 0 && (!line[6] || line[6] == ' ' || line[6] == '\t');
}

static struct error *usage(void)
{
	return error_new(ERROR_USAGE, "repeat: which command? (usage: repeat %s)",
			 command_repeat.usage);
}

struct error *repeat_parse(const char *line, struct repeat *repeat)
{
	const char *at = line + strspn(line, " \t") + 6;

	*repeat = (struct repeat){ .seconds = 0 };
	for (;;) {
		at += strspn(at, " \t");
		if (*at != '-')
			break;
		char *end;
		if (at[1] == 'n' && isspace((unsigned char)at[2])) {
			at += 3;
			repeat->count = strtoull(at, &end, 10);
			if (!repeat->count || memchr(at, '-', (size_t)(end - at)))
				return error_new(ERROR_USAGE, "repeat: -n needs a number of runs");
		} else {
			repeat->seconds = strtod(at + 1, &end);
			if (end == at + 1 || !(repeat->seconds >= 0) ||
			    repeat->seconds > SECONDS_MAX)
				return error_new(ERROR_USAGE, "repeat: %.*s is no number of seconds",
						 (int)strcspn(at, " \t"), at);
		}
		at = end;
		if (*at && !isspace((unsigned char)*at))
			return usage();
	}
	repeat->command = at;
	if (!*at)
		return usage();
	return repeat_is(at) ? error_new(ERROR_USAGE, "repeat: once is enough") : NULL;
}

static struct error *run_repeat(unused_arg struct command_args *args)
{
	return error_new(ERROR_USAGE, "only a whole line can be repeated");
}

const struct command command_repeat = {
	.name = "repeat",
	.usage = "[-SECONDS] [-n COUNT] COMMAND",
	.summary = "a command again and again",
	.help = "Until Ctrl-C; where nobody can type that, in a script, with -n only. On a dump\n"
		"nothing changes: this is for commands with an effect elsewhere.\n"
		"  -SECONDS  wait so long between two runs\n"
		"  -n COUNT  so many runs\n"
		"Examples: repeat -n 2 sym panic | repeat -0.1 -n 3 set",
	.needs_no_dump = true,
	.takes_line = true,
	.run = run_repeat,
};
