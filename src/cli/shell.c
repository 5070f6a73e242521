// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * On a terminal: a prompt, line editing, history, a pager for what is longer than the screen, and
 * Ctrl-C to stop a command and come back. Otherwise the same without all of these, so that
 * "inquest shell dump < script" works. An error never ends the shell.
 */
#include "cli/shell.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/complete.h"
#include "cli/history.h"
#include "cli/progress_line.h"
#include "cli/recall.h"
#include "cli/run.h"
#include "cli/shell_line.h"

/* What a terminal has and a pipe has not. */
struct terminal {
	struct shell *shell;
	struct lineedit *edit;
	char *history; /* the file's path; NULL: none */
	char *last;    /* line, not to be remembered twice in a row */
	struct recall recall;
};

/* --- The loops. --- */

static void remember_old(void *edit, const char *line)
{
	lineedit_remember(edit, line);
}

static void remember(struct terminal *terminal, const char *line)
{
	/* A blank before it keeps a line out of the history. */
	if (!*line || *line == ' ' || (terminal->last && strcmp(terminal->last, line) == 0))
		return;
	free(terminal->last);
	terminal->last = xstrdup(line);
	lineedit_remember(terminal->edit, line);
	history_add(terminal->history, line);
}

/* Completion leaves a blank behind. */
static void trim_end(char *line)
{
	size_t length = strlen(line);

	while (length && (line[length - 1] == ' ' || line[length - 1] == '\t'))
		line[--length] = '\0';
}

/* A line that was typed, or the earlier one that it calls back. */
static void run_typed(struct terminal *terminal, const char *line)
{
	struct runner *run = terminal->shell->run;
	const char *again;

	struct error *error = recall_line(&terminal->recall, line, run->out, &again);
	if (error) {
		runner_complain(run, error);
		return;
	}
	if (again && !*again)
		return;
	/* Adding lines moves them. */
	auto_free char *whole = xstrdup(again ? again : line);
	if (again)
		fprintf(run->out, "%s\n", whole);
	recall_add(&terminal->recall, whole);
	remember(terminal, whole);
	shell_line(terminal->shell, whole);
}

static void talk(struct terminal *terminal)
{
	struct shell *shell = terminal->shell;
	struct runner *run = shell->run;
	enum lineedit_result result;

	do {
		char *line;
		if (run->session)
			lineedit_vi(terminal->edit, run->session->context.settings.vi);
		result = lineedit_read(terminal->edit, "inquest> ", &line);
		interrupt_clear(&shell->interrupt);
		/* By this Ctrl-C, or one during the last line or what came before the first. */
		run->interrupted = false;
		if (result == LINEEDIT_LINE) {
			trim_end(line);
			run_typed(terminal, line);
			fflush(run->out);
			if (run->interrupted || atomic_load(&shell->interrupt.flag))
				progress_line_erase();
		}
		/* Left over from a command that did not look. */
		interrupt_clear(&shell->interrupt);
		clearerr(run->out);
		free(line);
	} while (result != LINEEDIT_END && !shell_finished(shell));
	if (result == LINEEDIT_END)
		putc('\n', run->out);
}

/* $XDG_CONFIG_HOME/inquest/init or ~/.config/inquest/init; not to have one is no error. */
static void run_init(struct shell *shell)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	bool has_config = config && *config == '/';

	if (shell->run->options.no_init || (!has_config && !(home && *home == '/')))
		return;
	auto_free char *path = xasprintf("%s%s/inquest/init", has_config ? config : home,
					 has_config ? "" : "/.config");
	if (access(path, F_OK) == 0)
		runner_complain(shell->run, shell_file(shell, path));
}

static void greet(struct shell *shell)
{
	struct session *session = shell->run->session;

	if (session && session->context.settings.silent)
		return;
	shell_line(shell, "sys");
	fputs("\n\"help\" lists the commands, \"report\" says why the kernel died, \"quit\" leaves.\n",
	      shell->run->out);
	fflush(shell->run->out);
}

static void run_terminal(struct shell *shell)
{
	struct terminal terminal = { .shell = shell };
	struct runner *run = shell->run;

	interrupt_start(&shell->interrupt);
	if (run->session && shell->interrupt.watching) {
		run->session->stop = &shell->interrupt.flag;
		run->text.stop = &shell->interrupt.flag;
		run->stop = &shell->interrupt.flag;
	}
	terminal.edit = lineedit_create(complete_line, run->session, shell->interrupt.wake);
	terminal.history = history_path();
	history_load(terminal.history, remember_old, terminal.edit);
	run_init(shell);
	if (!shell_finished(shell)) {
		greet(shell);
		talk(&terminal);
	}
	lineedit_destroy(terminal.edit);
	if (run->session)
		run->session->stop = NULL;
	run->text.stop = NULL;
	run->stop = NULL;
	interrupt_stop(&shell->interrupt);
	free(terminal.history);
	free(terminal.last);
	recall_deinit(&terminal.recall);
}

int shell_run(struct runner *run)
{
	struct shell shell = { .run = run, .status = EXIT_FINE };
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);

	shell.interactive = run->out == stdout && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (shell.interactive) {
		run_terminal(&shell);
	} else {
		run_init(&shell);
		shell.status = EXIT_FINE;
		shell_lines(&shell, stdin, NULL);
	}
	if (before != SIG_ERR)
		signal(SIGPIPE, before);
	return shell.interactive ? EXIT_FINE : shell.status;
}

struct error *shell_run_file(struct runner *run, const char *path)
{
	struct shell shell = { .run = run, .status = EXIT_FINE };
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);

	struct error *error = strcmp(path, "-") == 0 ? NULL : shell_file(&shell, path);
	if (strcmp(path, "-") == 0)
		shell_lines(&shell, stdin, NULL);
	run->incomplete |= shell.status != EXIT_FINE;
	if (before != SIG_ERR)
		signal(SIGPIPE, before);
	return error;
}
