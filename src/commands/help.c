// SPDX-License-Identifier: LGPL-2.1-or-later
/* help: from the command table, and a few topics. */
#include "commands/help.h"

#include <string.h>

#include "base/nearest.h"
#include "commands/alias.h"
#include "commands/help_state.h"
#include "commands/table.h"

static const struct column help_columns[] = {
	{ .key = "name", .title = "", .style = STYLE_STRONG },
	{ .key = "summary", .title = "" },
	{ .key = "usage" },
};

/* What is no command, and still wants explaining. */
static const struct {
	const char *name, *summary, *help;
} topics[] = {
	{ "input", "what can stand on a line of the shell",
	  "  COMMAND; COMMAND     one after the other\n"
	  "  # remark             nothing\n"
	  "  ! ls -l              a command of the system's shell\n"
	  "  < FILE               the lines of a file, as if they were typed (also: inquest -f FILE)\n"
	  "  COMMAND < FILE       the command once for each line of the file, which goes behind it\n"
	  "  repeat -2 COMMAND    again and again (help repeat)\n"
	  "Tab completes commands, options, symbols, types, members behind a dot, tasks and files. The\n"
	  "arrows and Ctrl-R bring back earlier lines, those of earlier shells too; h lists this shell's,\n"
	  "r or !! runs the last one again, r 3 the third, r bt the last that begins with bt. A line that\n"
	  "begins with a blank is not kept. Ctrl-C stops a command, Ctrl-D leaves. ~/.config/inquest/init is run\n"
	  "when the shell starts (--no-init: not): aliases and set belong there.\n" },
	{ "output", "where a command's output goes, and in which form",
	  "  COMMAND | less       into a command of the system's shell\n"
	  "  COMMAND > FILE       into a file; >> adds to it\n"
	  "  COMMAND --csv        as CSV; --jsonl: as JSON, an object a line; --json; --html; --text\n"
	  "  SOURCE |> STAGE      objects handed on: filtered, sorted, counted (docs/pipelines.md)\n"
	  "What is longer than the screen goes through $PAGER (set scroll off: not). Remarks begin with\n"
	  "note:, missing: (the dump lacks it) or error:.\n" },
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
	doc_textf(doc, STYLE_FAINT, "\"help COMMAND\" tells more; \"help all\" everything; \"help input\", "
		  "\"help output\" what a line can hold; \"help -z\" what the program knows itself.");
}

const char *help_topic(size_t i)
{
	return i < array_size(topics) ? topics[i].name : NULL;
}

static void add_lines(struct doc *doc, const char *line)
{
	doc_lines(doc, "help", NULL);
	while (*line) {
		size_t length = strcspn(line, "\n");
		doc_linef(doc, "%.*s", (int)length, line);
		line += length + (line[length] == '\n');
	}
	doc_end(doc);
}

/* The fields of a record that is open. */
static void describe(struct doc *doc, const char *name, const char *usage, const char *summary,
		     const char *help)
{
	doc_heading(doc, "%s %s", name, *usage ? usage : summary);
	doc_field(doc, "name", NULL, cell_str(name));
	doc_field(doc, "usage", NULL, cell_str(usage));
	doc_field(doc, "summary", NULL, cell_str(summary));
	add_lines(doc, help);
}

static void show_command(struct doc *doc, const struct command *command)
{
	doc_record(doc, "command_help", NULL);
	describe(doc, command->name, command->usage, command->summary, command->help);
	doc_end(doc);
}

static void show_all(struct doc *doc)
{
	doc_array(doc, "commands_help", NULL);
	for (const struct command *const *c = commands; *c; c++) {
		doc_record(doc, NULL, NULL);
		describe(doc, (*c)->name, (*c)->usage, (*c)->summary, (*c)->help);
		doc_end(doc);
	}
	doc_end(doc);
}

/* What an alias stands for, if it is one. */
static const char *alias_text(struct session *s, const char *name)
{
	struct alias alias;

	for (size_t i = 0; s && alias_at(s, i, &alias); i++) {
		if (strcmp(alias.name, name) == 0)
			return alias.text;
	}
	return NULL;
}

static struct error *not_found(const char *name)
{
	const struct command *command = command_nearest(name);
	struct nearest near = nearest_to(name);

	for (size_t i = 0; help_topic(i); i++)
		nearest_consider(&near, help_topic(i));
	const char *best = command ? command->name : near.best;
	return error_new(ERROR_NOT_FOUND, "there is no command %s%s%s%s", name,
			 best ? " (did you mean " : "", best ? best : "", best ? "?)" : "");
}

static struct error *show_word(struct command_args *args, const char *word)
{
	const struct command *command = command_find(word);
	const char *text = command ? NULL : alias_text(args->session, word);

	if (strcmp(word, "all") == 0) {
		show_all(args->doc);
		return NULL;
	}
	/* Before commands: "output" is a habit of gdb's, too. */
	for (size_t i = 0; i < array_size(topics); i++) {
		if (strcmp(topics[i].name, word) == 0) {
			doc_record(args->doc, "command_help", NULL);
			describe(args->doc, word, "", topics[i].summary, topics[i].help);
			doc_end(args->doc);
			return NULL;
		}
	}
	if (command) {
		show_command(args->doc, command);
		return NULL;
	}
	if (!text)
		return not_found(word);
	doc_remark(args->doc, REMARK_NOTE, "%s is short for %s", word, text);
	char *name = arena_strndup(&args->doc->arena, text, strcspn(text, " "));
	command = command_find(name);
	if (command)
		show_command(args->doc, command);
	return NULL;
}

/* -v, -mn ... */
static struct error *show_states(struct command_args *args, const char *letters)
{
	if (!*letters)
		return error_new(ERROR_USAGE, "- and which letter? (-z lists them)");
	for (; *letters; letters++) {
		if (*letters != 'a' && *letters != 'z' && *letters != 'B' && *letters != 'p' &&
		    !args->session)
			return error_new(ERROR_USAGE, "-%c: there is no dump", *letters);
		if (!help_state(args, *letters))
			return error_new(ERROR_USAGE, "there is no -%c (-z lists what there is)",
					 *letters);
	}
	return NULL;
}

static struct error *run_help(struct command_args *args)
{
	struct error *err = NULL;

	if (args->argc < 2)
		list_commands(args->doc);
	for (int i = 1; !err && i < args->argc; i++) {
		const char *word = args->argv[i];
		err = *word == '-' ? show_states(args, word + 1) : show_word(args, word);
	}
	return err;
}

const struct command command_help = {
	.name = "help",
	.usage = "[COMMAND | TOPIC | all | -LETTER]",
	.summary = "commands and what they do",
	.help = "Without arguments a list of all commands. Topics: input, output.\n"
		"  all  everything\n"
		"  -LETTER  what the program knows of the dump and of itself; -z: all the letters.\n"
		"       -m memory layout, -n dump file, -r registers, -s symbols, -t tasks, -a aliases ...\n"
		"Examples: help bt | help output | help -m | help -r",
	.needs_no_dump = true,
	.run = run_help,
};
