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
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "cli/complete.h"
#include "cli/history.h"
#include "cli/interrupt.h"
#include "cli/redirect.h"
#include "cli/run.h"

struct shell {
	struct runner *run;
	bool interactive;
	struct lineedit *edit; /* when interactive */
	struct interrupt interrupt;
	char *history;         /* the file's path; NULL: none */
	char *last;            /* line, not to be remembered twice in a row */
	int status;            /* of the last command */
};

static void complain(struct shell *shell, struct error *error)
{
	if (!error)
		return;
	fflush(shell->run->out);
	fprintf(shell->run->err, "inquest: %s\n", error->message);
	error_free(error);
	shell->status = EXIT_INCOMPLETE;
}

/* --- The pager. --- */

static const char *pager_command(void)
{
	const char *pager = getenv("PAGER");

	if (!pager)
		return "less -FRX";
	return *pager && strcmp(pager, "cat") != 0 ? pager : NULL;
}

static size_t count_lines(const char *text, size_t size)
{
	size_t lines = 0;

	for (const char *at = text; at && size; lines++) {
		at = memchr(at, '\n', size - (size_t)(at - text));
		at = at && (size_t)(++at - text) < size ? at : NULL;
	}
	return lines;
}

/* Piece by piece, so that Ctrl-C stops it. */
static void write_out(struct shell *shell, const char *text, size_t size)
{
	enum { PIECE = 4096 };

	while (size && !atomic_load(&shell->interrupt.flag)) {
		size_t n = size < PIECE ? size : PIECE;
		fwrite(text, 1, n, shell->run->out);
		fflush(shell->run->out);
		text += n;
		size -= n;
	}
	/* The prompt begins a line. */
	if (size)
		putc('\n', shell->run->out);
}

/* The text on the terminal, through the pager when it is longer than the screen. */
static void show(struct shell *shell, const char *text, size_t size)
{
	const char *pager = pager_command();
	struct winsize window;
	struct sink sink;

	if (!pager || ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || !window.ws_row ||
	    count_lines(text, size) < window.ws_row) {
		write_out(shell, text, size);
		return;
	}
	struct error *error = sink_spawn(pager, &sink);
	if (error) {
		error_free(error);
		write_out(shell, text, size);
		return;
	}
	/* Who leaves the pager early leaves the rest unread: that is no error. */
	fwrite(text, 1, size, sink.out);
	enum { NOT_FOUND = 127 }; /* POSIX: the shell's status then */
	if (sink_close(&sink) == NOT_FOUND)
		write_out(shell, text, size);
}

/* --- One line. --- */

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

static void run_paged(struct shell *shell, const char *command)
{
	char *text = NULL;
	size_t size = 0;
	struct winsize window;
	FILE *out = open_memstream(&text, &size);

	/* The terminal may have been resized. */
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0)
		shell->run->text.width = window.ws_col;
	if (!out) {
		run_command(shell, command, shell->run->out);
		return;
	}
	run_command(shell, command, out);
	fclose(out);
	show(shell, text, size);
	free(text);
}

static void run_redirected(struct shell *shell, const struct redirect *redirect)
{
	bool color = shell->run->text.color;
	unsigned width = shell->run->text.width;
	struct sink sink;

	fflush(shell->run->out);
	struct error *error = sink_open(redirect, &sink);
	if (error) {
		complain(shell, error);
		return;
	}
	shell->run->text.color = shell->run->options.color == COLOR_ALWAYS;
	shell->run->text.width = 0;
	run_command(shell, redirect->command, sink.out);
	shell->run->text.color = color;
	shell->run->text.width = width;
	int status = sink_close(&sink);
	if (redirect->kind != REDIRECT_PIPE && status)
		complain(shell, error_new(ERROR_SYSTEM, "%s could not be written", redirect->target));
}

static void run_segment(struct shell *shell, const char *line)
{
	struct redirect redirect;
	struct error *error = redirect_parse(line, &redirect);

	if (error) {
		complain(shell, error);
	} else if (redirect.kind == REDIRECT_SHELL) {
		fflush(shell->run->out);
		complain(shell, sink_spawn(redirect.target, NULL));
	} else if (redirect.kind != REDIRECT_NONE) {
		run_redirected(shell, &redirect);
	} else if (shell->interactive) {
		run_paged(shell, line);
	} else {
		run_command(shell, line, shell->run->out);
		/* What the next command writes through a pipe must come behind. */
		fflush(shell->run->out);
	}
	redirect_deinit(&redirect);
}

static bool finished(const struct shell *shell)
{
	const struct session *session = shell->run->session;

	return (session && session->context.quit) || ferror(shell->run->out);
}

static void run_typed(struct shell *shell, const char *line)
{
	struct command_lines lines = { 0 };

	while (*line == ' ' || *line == '\t')
		line++;
	if (*line == '#')
		return;
	/* What follows "!" is the shell's, semicolons and all. */
	if (*line == '!') {
		run_segment(shell, line);
		return;
	}
	command_lines_split(line, &lines);
	for (size_t i = 0; i < lines.count && !finished(shell); i++) {
		if (shell->interactive && atomic_load(&shell->interrupt.flag))
			break;
		run_segment(shell, lines.data[i]);
	}
	command_lines_deinit(&lines);
}

/* --- The loops. --- */

static void remember_old(void *edit, const char *line)
{
	lineedit_remember(edit, line);
}

static void remember(struct shell *shell, const char *line)
{
	/* A blank before it keeps a line out of the history. */
	if (!*line || *line == ' ' || (shell->last && strcmp(shell->last, line) == 0))
		return;
	free(shell->last);
	shell->last = xstrdup(line);
	lineedit_remember(shell->edit, line);
	history_add(shell->history, line);
}

/* Completion leaves a blank behind. */
static void trim_end(char *line)
{
	size_t length = strlen(line);

	while (length && (line[length - 1] == ' ' || line[length - 1] == '\t'))
		line[--length] = '\0';
}

static void talk(struct shell *shell)
{
	struct runner *run = shell->run;
	enum lineedit_result result;

	do {
		char *line;
		result = lineedit_read(shell->edit, "inquest> ", &line);
		interrupt_clear(&shell->interrupt);
		if (result == LINEEDIT_LINE) {
			trim_end(line);
			remember(shell, line);
			run_typed(shell, line);
		}
		/* Left over from a command that did not look. */
		interrupt_clear(&shell->interrupt);
		clearerr(run->out);
		free(line);
	} while (result != LINEEDIT_END && !finished(shell));
	if (result == LINEEDIT_END)
		putc('\n', run->out);
}

static void run_terminal(struct shell *shell)
{
	struct runner *run = shell->run;

	interrupt_start(&shell->interrupt);
	if (run->session && shell->interrupt.watching) {
		run->session->stop = &shell->interrupt.flag;
		run->text.stop = &shell->interrupt.flag;
	}
	shell->edit = lineedit_create(complete_line, run->session, shell->interrupt.wake);
	shell->history = history_path();
	history_load(shell->history, remember_old, shell->edit);
	run_typed(shell, "sys");
	fputs("\n\"help\" lists the commands, \"report\" says why the kernel died, \"quit\" leaves.\n",
	      run->out);
	fflush(run->out);
	talk(shell);
	lineedit_destroy(shell->edit);
	if (run->session)
		run->session->stop = NULL;
	run->text.stop = NULL;
	interrupt_stop(&shell->interrupt);
}

static void run_script(struct shell *shell)
{
	char *line = NULL;
	size_t size = 0;

	while (!finished(shell) && getline(&line, &size, stdin) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		run_typed(shell, line);
	}
	free(line);
}

int shell_run(struct runner *run)
{
	struct shell shell = { .run = run, .status = EXIT_FINE };
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);

	shell.interactive = run->out == stdout && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (shell.interactive)
		run_terminal(&shell);
	else
		run_script(&shell);
	if (before != SIG_ERR)
		signal(SIGPIPE, before);
	free(shell.history);
	free(shell.last);
	return shell.interactive ? EXIT_FINE : shell.status;
}
