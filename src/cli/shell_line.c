// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One line of the shell. Operators are looked for after aliases are replaced, so that an alias may
 * hold them; "repeat" takes the rest of its command, pipe and all.
 */
#include "cli/shell_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/pager.h"
#include "cli/redirect.h"
#include "cli/repeat_line.h"
#include "cli/run.h"
#include "commands/alias.h"

enum { FILES_DEPTH_MAX = 8 };

static const struct session_settings *settings(const struct shell *shell)
{
	static const struct session_settings usual;

	return shell->run->session ? &shell->run->session->context.settings : &usual;
}

static void complain(struct shell *shell, struct error *error)
{
	if (!error)
		return;
	runner_complain(shell->run, error);
	shell->status = EXIT_INCOMPLETE;
	shell->run->incomplete = true;
}

bool shell_finished(const struct shell *shell)
{
	const struct session *session = shell->run->session;

	return (session && session->context.quit) || ferror(shell->run->out);
}

static bool stopped(const struct shell *shell)
{
	return shell_finished(shell) || shell->run->interrupted ||
	       atomic_load(&shell->interrupt.flag);
}

/* --- One command. --- */

static void run_command(struct shell *shell, const char *command, FILE *out)
{
	struct runner *run = shell->run;
	FILE *usual = run->out;
	struct text_options look = run->text;

	run->out = out;
	if (out != usual && !shell->interactive)
		run->text.width = 0;
	runner_line(run, command);
	run->out = usual;
	run->text = look;
	/* Leaving says nothing about what was done before. */
	if (!run->session || !run->session->context.quit)
		shell->status = run->last_incomplete ? EXIT_INCOMPLETE : EXIT_FINE;
}

/* "set console": what everybody sees goes there, too. */
static void copy_to_console(struct shell *shell, const char *text, size_t size)
{
	const char *path = settings(shell)->console;
	FILE *copy = path ? fopen(path, "ae") : NULL;

	if (path && !copy)
		complain(shell, error_new(ERROR_SYSTEM, "cannot write %s (set console): %s", path,
					  strerror(errno)));
	if (!copy)
		return;
	fwrite(text, 1, size, copy);
	fclose(copy);
}

/* Into memory first: how long it is decides how it is shown. */
static void run_shown(struct shell *shell, const char *command)
{
	char *text = NULL;
	size_t size = 0;
	struct winsize window;
	FILE *out = open_memstream(&text, &size);

	/* The terminal may have been resized. */
	if (shell->interactive && ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0)
		shell->run->text.width = window.ws_col;
	if (!out) {
		run_command(shell, command, shell->run->out);
		return;
	}
	run_command(shell, command, out);
	fclose(out);
	pager_show(shell->run->out, text, size, shell->interactive && !settings(shell)->no_pager,
		   &shell->interrupt.flag);
	copy_to_console(shell, text, size);
	free(text);
}

static void run_redirected(struct shell *shell, const struct redirect *redirect)
{
	struct runner *run = shell->run;
	struct text_options look = run->text;
	bool several = run->several;
	struct sink sink;

	fflush(run->out);
	struct error *error = sink_open(redirect, &sink);
	if (error) {
		complain(shell, error);
		return;
	}
	run->text.color = run->options.color == COLOR_ALWAYS;
	run->text.width = 0;
	/* What goes elsewhere is whole. */
	run->several = false;
	run_command(shell, redirect->command, sink.out);
	run->text = look;
	run->several = several;
	int status = sink_close(&sink);
	if (redirect->kind != REDIRECT_PIPE && status)
		complain(shell, error_new(ERROR_SYSTEM, "%s could not be written", redirect->target));
}

/* "struct list_head < FILE": once for each line of the file, which goes behind the command. */
static void run_for_lines(struct shell *shell, const struct redirect *redirect)
{
	char *line = NULL;
	size_t size = 0;
	FILE *in = fopen(redirect->target, "re");

	if (!in) {
		complain(shell, error_new(ERROR_SYSTEM, "cannot read %s: %s", redirect->target,
					  strerror(errno)));
		return;
	}
	while (!stopped(shell) && getline(&line, &size, in) >= 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (!line[strspn(line, " \t")] || line[strspn(line, " \t")] == '#')
			continue;
		auto_free char *whole = xasprintf("%s %s", redirect->command, line);
		run_shown(shell, whole);
	}
	free(line);
	fclose(in);
}

static void run_segment(struct shell *shell, const char *line)
{
	struct redirect redirect;

	struct error *error = redirect_parse(line, &redirect);
	if (error) {
		complain(shell, error);
		redirect_deinit(&redirect);
		return;
	}
	runner_heading(shell->run, line);
	if (redirect.kind == REDIRECT_SHELL) {
		fflush(shell->run->out);
		complain(shell, sink_spawn(redirect.target, NULL));
	} else if (redirect.kind == REDIRECT_LINES) {
		run_for_lines(shell, &redirect);
	} else if (redirect.kind != REDIRECT_NONE) {
		run_redirected(shell, &redirect);
	} else if (shell->interactive || settings(shell)->console) {
		run_shown(shell, line);
	} else {
		run_command(shell, line, shell->run->out);
		/* What the next command writes through a pipe must come behind. */
		fflush(shell->run->out);
	}
	redirect_deinit(&redirect);
}

/* --- Errors. --- */

/* "set error": where they go while a line runs; @own is to be closed then. */
static FILE *errors_to(struct shell *shell, FILE **own)
{
	const char *where = settings(shell)->errors;

	*own = NULL;
	if (!where)
		return shell->run->err;
	if (strcmp(where, "redirect") == 0)
		return shell->run->out;
	*own = fopen(where, "ae");
	return *own ? *own : shell->run->err;
}

/* --- Lines. --- */

static void run_line(struct shell *shell, const char *line, bool aliases);

static bool repeat_again(void *ctx, const char *command)
{
	struct shell *shell = ctx;

	run_line(shell, command, true);
	return !stopped(shell);
}

/* The alias whose text a line is of; that may stand in a "repeat" of it, but never for itself. */
struct within_alias {
	const char *name;
	const struct within_alias *outer;
};

static char *expand(const struct shell *shell, const char *line)
{
	size_t length = strcspn(line, " \t");

	for (const struct within_alias *at = shell->alias; at; at = at->outer) {
		if (strncmp(at->name, line, length) == 0 && strcspn(at->name, " \t") == length)
			return NULL;
	}
	return alias_expand(shell->run->session, line);
}

/* A command with its aliases replaced. */
static void run_part(struct shell *shell, const char *line, bool aliases)
{
	auto_free char *expanded = aliases ? expand(shell, line) : NULL;

	if (expanded) {
		const struct within_alias within = { line, shell->alias };
		shell->alias = &within;
		run_line(shell, expanded, false);
		shell->alias = within.outer;
	} else if (repeat_is(line)) {
		complain(shell, repeat_line(line, shell->interactive ? shell->interrupt.wake : -1,
					    repeat_again, shell));
	} else {
		run_segment(shell, line);
	}
}

static void run_file_of_line(struct shell *shell, const char *line)
{
	size_t length = strlen(line);

	while (length && strchr(" \t\r", line[length - 1]))
		length--;
	auto_free char *path = xstrndup(line, length);
	complain(shell, *path ? shell_file(shell, path)
			      : error_new(ERROR_USAGE, "the lines of which file?"));
}

static void run_line(struct shell *shell, const char *line, bool aliases)
{
	struct command_lines lines = { 0 };

	line += strspn(line, " \t");
	if (*line == '#')
		return;
	if (*line == '<') {
		run_file_of_line(shell, line + 1 + strspn(line + 1, " \t"));
		return;
	}
	/* What follows "!" is the shell's, semicolons and all; so is an alias' text a line's. */
	if (*line == '!') {
		run_segment(shell, line);
		return;
	}
	if (repeat_is(line)) {
		run_part(shell, line, aliases);
		return;
	}
	command_lines_split(line, &lines);
	for (size_t i = 0; i < lines.count && !stopped(shell); i++)
		run_part(shell, lines.data[i], aliases);
	command_lines_deinit(&lines);
}

void shell_line(struct shell *shell, const char *line)
{
	FILE *usual = shell->run->err, *own;

	shell->run->err = errors_to(shell, &own);
	run_line(shell, line, true);
	if (own)
		fclose(own);
	shell->run->err = usual;
}

void shell_lines(struct shell *shell, FILE *in, const char *name)
{
	const char *before = shell->run->where;
	char *line = NULL;
	size_t size = 0;
	unsigned number = 0;

	while (!stopped(shell) && getline(&line, &size, in) >= 0) {
		line[strcspn(line, "\r\n")] = '\0';
		auto_free char *where = name ? xasprintf("%s:%u: ", name, ++number) : NULL;
		shell->run->where = where;
		shell_line(shell, line);
	}
	shell->run->where = before;
	free(line);
}

struct error *shell_file(struct shell *shell, const char *path)
{
	if (shell->depth >= FILES_DEPTH_MAX)
		return error_new(ERROR_USAGE, "%s: files that run files are %d deep already", path,
				 FILES_DEPTH_MAX);
	FILE *in = fopen(path, "re");
	if (!in)
		return error_new(ERROR_SYSTEM, "cannot read %s: %s", path, strerror(errno));
	shell->depth++;
	shell_lines(shell, in, path);
	shell->depth--;
	fclose(in);
	return NULL;
}
