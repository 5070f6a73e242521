// SPDX-License-Identifier: LGPL-2.1-or-later
/* help: from the command table. */
#include <string.h>

#include "commands/table.h"

static const struct column help_columns[] = {
	{ .key = "name", .title = "", .style = STYLE_STRONG },
	{ .key = "summary", .title = "" },
	{ .key = "usage" },
};

static void list_commands(struct doc *doc)
{
	doc_table(doc, "help", help_columns, array_size(help_columns));
	doc_bare(doc);
	for (const struct command *const *c = commands; *c; c++)
		doc_row(doc, cell_str((*c)->name), cell_str((*c)->summary),
			cell_str((*c)->usage));
	doc_end(doc);
	doc_textf(doc, STYLE_FAINT, "%s", "");
	doc_textf(doc, STYLE_FAINT, "\"help COMMAND\" tells more.");
}

static void show_command(struct doc *doc, const struct command *command)
{
	const char *line = command->help;

	doc_record(doc, "command_help", NULL);
	doc_heading(doc, "%s %s", command->name, command->usage);
	doc_field(doc, "name", NULL, cell_str(command->name));
	doc_field(doc, "usage", NULL, cell_str(command->usage));
	doc_field(doc, "summary", NULL, cell_str(command->summary));
	doc_lines(doc, "help", NULL);
	while (*line) {
		size_t length = strcspn(line, "\n");
		doc_linef(doc, "%.*s", (int)length, line);
		line += length + (line[length] == '\n');
	}
	doc_end(doc);
	doc_end(doc);
}

static struct error *run_help(struct command_args *args)
{
	if (args->argc < 2) {
		list_commands(args->doc);
		return NULL;
	}
	const struct command *command = command_find(args->argv[1]);
	if (!command) {
		const struct command *near = command_nearest(args->argv[1]);
		return error_new(ERROR_NOT_FOUND, "there is no command %s%s%s%s", args->argv[1],
				 near ? " (did you mean " : "", near ? near->name : "",
				 near ? "?)" : "");
	}
	show_command(args->doc, command);
	return NULL;
}

const struct command command_help = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "commands and what they do",
	.help = "Without arguments a list of all commands.\n"
		"Example: help bt",
	.needs_no_dump = true,
	.run = run_help,
};
