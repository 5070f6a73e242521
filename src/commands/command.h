/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 8: a command line -> a document of records and tables.
 *
 * A command is one row of the table in commands.c, which dispatch, help, completion and the man
 * page are made from. A new family of commands is one file with its rows (struct command), one
 * declaration in table.h and one line each in the table.
 */
#pragma once

#include "base/doc.h"
#include "base/error.h"
#include "kernel/session.h"

struct command_args {
	struct session *session; /* NULL only for commands that need none (see needs_no_dump) */
	int argc;                /* argv[0] is the command's name */
	char *const *argv;
	const char *rest;        /* the line behind the name as it was typed, quotes and all */
	struct doc *doc;
};

struct command {
	const char *name;
	const char *usage;   /* arguments only: "[-a] [-c CPU] [PID|TASK ...]" */
	const char *summary; /* one line, no full stop */
	const char *help;    /* options and remarks, a line each; examples last */
	bool needs_no_dump;  /* runs without a session too */
	bool takes_line;     /* wants args->rest and no words: quotes are its own */
	bool tells_problems; /* the session's problems are part of what it shows */
	/* An error means that nothing could be done (usage, not found): exit status 1. */
	struct error *(*run)(struct command_args *args);
};

/* All commands, sorted by name; ends with NULL. */
extern const struct command *const commands[];
/* By its name or an alias that crash has for it (dmesg, quit ...); NULL when there is none. */
const struct command *command_find(const char *name);
/* The command whose name is nearest to @name, for "did you mean"; NULL when none is near. */
const struct command *command_nearest(const char *name);

/*
 * Splits @line at blanks (quotes keep them) and runs the command. Unknown ones get an error with
 * the nearest name. Problems that the session notes while the command runs become remarks.
 */
struct error *command_run(struct session *session, const char *line, struct doc *doc) must_check;

/* The single command lines of "bt -a; ps", split at semicolons and line ends outside quotes. */
struct command_lines {
	char **data;
	size_t count, capacity;
};
void command_lines_split(const char *text, struct command_lines *lines);
void command_lines_deinit(struct command_lines *lines);

/* The words of a line, in @arena, NULL-terminated; an error for a quote that is not closed. */
struct error *command_words(struct arena *arena, const char *line, int *argc, char ***argv)
	must_check;
