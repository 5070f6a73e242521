// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * gdb: crash's way to a command of the gdb inside it. There is none in here: what of gdb's commands
 * has its like is run as such, all else refused with a word on what to use.
 */
#include <string.h>

#include "commands/args.h"
#include "commands/table.h"

/* gdb's commands that have a command of another name here. */
static const struct {
	const char *gdb, *ours;
} names[] = {
	{ "backtrace", "bt" }, { "where", "bt" },   { "call", "p" },
	{ "disassemble", "dis" }, { "print", "p" }, { "inspect", "p" }, { "output", "p" },
};

static struct error *run_gdb(struct command_args *args)
{
	const char *rest = args->rest;
	size_t length = strcspn(rest, " \t/");

	if (!*rest)
		return error_new(ERROR_USAGE, "which of gdb's commands?");
	if (strncmp(rest, "gdb", length) == 0 && length == 3)
		return error_new(ERROR_USAGE, "once is enough");
	auto_free char *name = xstrndup(rest, length);
	const char *ours = name;
	for (size_t i = 0; i < array_size(names); i++) {
		if (strcmp(name, names[i].gdb) == 0)
			ours = names[i].ours;
	}
	if (!command_find(ours))
		return error_new(ERROR_NOT_FOUND, "there is no gdb in here, and nothing like its %s: "
				 "help lists what there is", name);
	return command_run(args->session, arena_printf(&args->doc->arena, "%s%s", ours,
						       rest + length), args->doc);
}

const struct command command_gdb = {
	.name = "gdb",
	.usage = "COMMAND ...",
	.summary = "one of gdb's commands that has its like here",
	.help = "There is no gdb in here. Its habits work, with this word before them and without:\n"
		"p and print with /x, /t ... behind, x/8gx, ptype, whatis, list *ADDRESS,\n"
		"disassemble, bt, frame, up, down.\n"
		"Examples: gdb p sizeof(struct page) | gdb x/4gx linux_banner | gdb ptype struct page",
	.takes_line = true,
	.run = run_gdb,
};
