/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 10: argv -> what to open, what to run and how to show it.
 *
 * The options are a table, which parsing, --help, the man page and completion are made from.
 */
#pragma once

#include "base/error.h"
#include "commands/command.h"

enum cli_action { CLI_RUN, CLI_HELP, CLI_VERSION };
enum cli_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_JSONL, FORMAT_CSV, FORMAT_HTML };
enum cli_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct cli_options {
	enum cli_action action;
	enum cli_color color;
	bool text;                     /* `oops`: the paths are texts */
	enum cli_format format;
	const char *output;            /* the file to write; NULL: the standard output */
	bool shell;                    /* read commands from the standard input */
	const char *script;            /* a file of commands, run before that; NULL */
	bool no_init;                  /* the shell does not run the user's init file */
	bool zero_excluded;            /* as `set zero_excluded on` */
	bool verify, no_orc, no_btf;           /* as in struct session_options */
	const char *fail_detector, *rules;     /* the same */
	const char *namelist;          /* vmlinux, System.map or a folder; NULL: none given */
	struct debug_options debug;    /* but for the kernel's file, which is namelist */
	const char *source;            /* a folder of the kernel's sources */
	struct {
		const char **data;
		size_t count, capacity;
	} paths;                       /* the dump, or the pieces of a split one */
	struct command_lines commands; /* none: the report */
};

struct cli_option {
	char letter;          /* 0: long only */
	const char *name;     /* without the dashes; NULL: letter only */
	const char *argument; /* "FILE"; NULL: takes none */
	const char *help;     /* one line, no full stop */
};

/* Ends with a row without letter and name. */
extern const struct cli_option cli_option_table[];
extern const char cli_usage[];

/* Pointers in @options are to @argv. Free with cli_options_deinit(), also after an error. */
struct error *cli_options_parse(int argc, const char *const *argv, struct cli_options *options)
	must_check;
void cli_options_deinit(struct cli_options *options);

/*
 * crash's habit is to name the kernel and the dump in any order: takes the file that is a vmlinux
 * or a System.map by its content out of the paths. An error when there are two of them.
 */
struct error *cli_find_namelist(struct cli_options *options) must_check;

/* Is this the start of an ELF program or library, or of a System.map? */
bool cli_is_namelist(const uint8_t *bytes, size_t size);
