/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a command's output goes: "bt -a | grep x", "log > file", "ps >> file", "!ls"; and where its
 * arguments come from: "struct list_head < file", once for each line.
 */
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "base/error.h"

enum redirect_kind { REDIRECT_NONE, REDIRECT_PIPE, REDIRECT_FILE, REDIRECT_APPEND, REDIRECT_SHELL,
		     REDIRECT_LINES };

struct redirect {
	enum redirect_kind kind;
	char *command; /* ours; "" with REDIRECT_SHELL */
	char *target;  /* the shell's command, or a file's name; NULL with REDIRECT_NONE */
};

/*
 * Takes a line apart. Operators count outside quotes and parentheses only; "->", "||", ">=" are
 * none, and "<" is none unless what is behind it is the name of a file. Free with redirect_deinit(), also after an error.
 */
struct error *redirect_parse(const char *line, struct redirect *redirect) must_check;
void redirect_deinit(struct redirect *redirect);

/* A running shell command with our output as its input. */
struct sink {
	FILE *out;
	pid_t pid; /* 0: a file */
};

/* Opens what @redirect asks for; for pipes and files to write. */
struct error *sink_open(const struct redirect *redirect, struct sink *sink) must_check;
/* A shell command whose input is what is written to @sink; NULL: its input is ours. */
struct error *sink_spawn(const char *command, struct sink *sink) must_check;
/* Waits for the command; its exit status (128 + signal when killed), or -1 for a write error. */
int sink_close(struct sink *sink);
