// SPDX-License-Identifier: LGPL-2.1-or-later
/* quit: the end of the shell, or of the commands given with -c. */
#include "commands/table.h"

static struct error *run_quit(struct command_args *args)
{
	if (args->session)
		args->session->context.quit = true;
	return NULL;
}

const struct command command_quit = {
	.name = "quit",
	.usage = "",
	.summary = "leave the shell",
	.help = "Also q, exit, and the end of the input (Ctrl-D). With -c: commands behind it do not run.\n"
		"Example: quit",
	.needs_no_dump = true,
	.run = run_quit,
};
