// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Opens the dump, runs each command, renders its document, and makes one exit status of all.
 * A command that fails does not keep the next one from running.
 */
#include "cli/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/new_file.h"
#include "cli/format_word.h"
#include "cli/progress_line.h"
#include "cli/repeat_line.h"
#include "cli/runner.h"
#include "cli/shell.h"
#include "commands/alias.h"
#include "pipeline/pipeline.h"

static void print_help(FILE *out)
{
	fprintf(out, "usage: inquest %s\n\nSays why a Linux kernel died, from its dump alone.\n\n",
		cli_usage);
	for (const struct cli_option *o = cli_option_table; o->letter || o->name; o++) {
		char option[64];
		snprintf(option, sizeof(option), "%c%c%s%s%s%s%s", o->letter ? '-' : ' ',
			 o->letter ? o->letter : ' ', o->letter && o->name ? ", " : "  ",
			 o->name ? "--" : "", o->name ? o->name : "", o->argument ? " " : "",
			 o->argument ? o->argument : "");
		fprintf(out, "  %-24s %s\n", option, o->help);
	}
	fputs("\nVMCORE is a kdump or QEMU dump, \"-\" a pipe; the pieces of a split dump are given\n"
	      "together. TEXT is what the kernel printed: a console log, a vmcore-dmesg.txt, records of\n"
	      "pstore, a bug report; \"inquest oops\" takes any file for one. Commands for -c:\n\n", out);
	for (const struct command *const *c = commands; *c; c++)
		fprintf(out, "  %-8s %s\n", (*c)->name, (*c)->summary);
	fputs("\nExit status: 0 fine; 1 something could not be shown; 2 usage, or the dump cannot\n"
	      "be opened.\n", out);
}

static int refuse(FILE *out, struct error *error)
{
	fprintf(out, "inquest: %s\n", error->message);
	error_free(error);
	return EXIT_REFUSED;
}

static void choose_look(struct runner *run)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	int fd = fileno(run->out);
	bool terminal = fd >= 0 && isatty(fd);
	struct winsize size;

	run->text.color = run->options.color == COLOR_ALWAYS ||
			  (run->options.color == COLOR_AUTO && terminal &&
			   !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0));
	if (terminal && ioctl(fd, TIOCGWINSZ, &size) == 0)
		run->text.width = size.ws_col;
}

/* What runs without -c: the report, or while there is none, what comes nearest to it. */
static void choose_commands(struct runner *run)
{
	if (!run->options.commands.count && !run->options.shell && !run->options.script)
		command_lines_split(command_find("report") ? "report" : "sys; bt; log -n 20",
				    &run->options.commands);
}

/* The command that a line calls; NULL when there is none of that name. */
static const struct command *command_of_line(const char *line)
{
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(line, " \t"), line);
	return command_find(name);
}

/* What is wrong with the dump as a whole, told with the first command's output. */
static void remark_problems(struct runner *run, const char *line, struct doc *doc)
{
	const struct command *command = command_of_line(line);

	if (!run->session || run->number || (command && command->tells_problems))
		return;
	for (size_t i = 0; i < run->session->problems.count; i++)
		doc_remark(doc, REMARK_NOTE, "%s", run->session->problems.data[i]);
}

/* Is the whole output one object, or one page, of which each command gives a part? */
static bool is_list(const struct runner *run)
{
	return run->several &&
	       (run->options.format == FORMAT_JSON || run->options.format == FORMAT_HTML);
}

void runner_heading(struct runner *run, const char *line)
{
	if (!run->several || run->options.format != FORMAT_TEXT)
		return;
	fprintf(run->out, "%s%sinquest> %s%s\n", run->number ? "\n" : "",
		run->text.color ? "\033[1m" : "", line, run->text.color ? "\033[0m" : "");
}

static void render(struct runner *run, const struct doc *doc, const char *line,
		   enum cli_format format)
{
	const char *command = run->several && run->options.format == format ? line : NULL;

	switch (format) {
	case FORMAT_TEXT:
		output_text(doc, &run->text, run->out);
		break;
	case FORMAT_JSON:
		if (is_list(run))
			output_json_item(doc, line, run->number, run->out);
		else
			output_json(doc, run->out);
		break;
	case FORMAT_JSONL:
		output_jsonl(doc, command, run->out);
		break;
	case FORMAT_CSV:
		output_csv(doc, command, command ? run->number : 0, run->out);
		break;
	case FORMAT_HTML:
		if (is_list(run))
			output_html_item(doc, line, run->out);
		else
			output_html(doc, line, run->out);
		break;
	}
}

void runner_complain(struct runner *run, struct error *error)
{
	if (!error)
		return;
	fflush(run->out);
	fprintf(run->err, "inquest: %s%s\n", run->where ? run->where : "", error->message);
	error_free(error);
}

/* Lines of rows have no place for remarks. */
static void tell_remarks(struct runner *run, const struct doc *doc)
{
	static const char *const kinds[] = {
		[REMARK_NOTE] = "note", [REMARK_HOLE] = "missing", [REMARK_ERROR] = "error",
	};

	fflush(run->out);
	for (const struct doc_remark *r = doc->remarks; r; r = r->next)
		fprintf(run->err, "inquest: %s%s: %s\n", run->where ? run->where : "", kinds[r->kind],
			r->text);
}

/* Runs it into the document. */
static struct error *run_command(struct runner *run, const char *line, struct doc *doc)
{
	struct progress_line progress;

	progress_line_start(&progress, run->session ? &run->session->progress : NULL, line);
	struct error *error = pipeline_run(run->session, line, doc);
	progress_line_stop(&progress);
	/* What it has by then is shown; that can be interrupted anew. */
	if (run->stop && atomic_exchange(run->stop, false))
		run->interrupted = true;
	/* A command may have left early, with nodes open. */
	doc->current = doc->root;
	return error;
}

void runner_line(struct runner *run, const char *line)
{
	static const uint8_t media[] = {
		[FORMAT_TEXT] = DOC_IN_TEXT, [FORMAT_JSON] = DOC_IN_JSON,
		[FORMAT_JSONL] = DOC_IN_JSON, [FORMAT_CSV] = DOC_IN_JSON,
		[FORMAT_HTML] = DOC_IN_HTML,
	};
	enum cli_format format = run->options.format;
	auto_free char *command = format_word_take(line, &format);
	if (is_list(run))
		format = run->options.format;
	bool rows = format == FORMAT_JSONL || format == FORMAT_CSV;
	/* Where the answer is a file, its reader wants to know why something is not in it. */
	bool inside = format == FORMAT_JSON || format == FORMAT_HTML;
	bool outside = !inside || run->options.output;
	struct doc doc;

	doc_init(&doc);
	doc.media = media[format];
	remark_problems(run, command, &doc);
	struct error *error = run_command(run, command, &doc);
	if (error && inside)
		doc_remark(&doc, REMARK_ERROR, "%s", error->message);
	render(run, &doc, run->typed ? run->typed : command, format);
	if (rows)
		tell_remarks(run, &doc);
	run->last_incomplete = error || doc_status(&doc);
	run->incomplete |= run->last_incomplete;
	if (outside)
		runner_complain(run, error);
	else
		error_free(error);
	doc_deinit(&doc);
	run->number++;
}

static bool needs_dump(const struct command_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		const struct command *command = command_of_line(lines->data[i]);
		if (!command || !command->needs_no_dump)
			return true;
	}
	return !lines->count;
}

/*
 * Of the words that are taken for files, one that is none but a command's name: who types so has
 * missed -c.
 */
static const char *command_among(const struct cli_options *o)
{
	for (size_t i = 0; i < o->paths.count; i++) {
		if (command_find(o->paths.data[i]) && access(o->paths.data[i], F_OK) != 0)
			return o->paths.data[i];
	}
	return NULL;
}

static struct error *open_session(struct runner *run)
{
	struct cli_options *o = &run->options;

	if (!o->paths.count && !o->script && !needs_dump(&o->commands))
		return NULL;
	const char *command = command_among(o);
	if (command)
		return error_new(ERROR_USAGE, "no file %s; a command is given with -c: inquest -c \"%s\" "
				 "VMCORE", command, command);
	struct error *error = cli_find_namelist(o);
	if (error)
		return error;
	if (!o->paths.count)
		return error_new(ERROR_USAGE, "no dump is given (usage: inquest %s)", cli_usage);
	struct session_options session = {
		.text = o->text, .namelist = o->namelist,
		.paths = o->paths.data, .path_count = o->paths.count,
		.verify = o->verify, .no_orc = o->no_orc, .no_btf = o->no_btf,
		.debug = o->debug, .source = o->source, .fail_detector = o->fail_detector,
		.rules = o->rules,
	};
	error = session_open(&session, &run->session);
	if (!error && o->zero_excluded)
		memory_zero_missing(run->session->memory, true);
	/* Name the file, unless the message does. */
	if (error && !strstr(error->message, o->paths.data[0]))
		error = error_prefix(error, "%s", o->paths.data[0]);
	return error;
}

static bool has_quit(const struct runner *run)
{
	return run->session && run->session->context.quit;
}

static bool run_once(void *ctx, const char *line)
{
	struct runner *run = ctx;

	runner_heading(run, run->typed ? run->typed : line);
	runner_line(run, line);
	return !ferror(run->out) && !has_quit(run);
}

/* A line of -c: an alias may make several commands of it. */
static void run_line(struct runner *run, const char *line)
{
	auto_free char *expanded = alias_expand(run->session, line);
	struct command_lines lines = { 0 };

	command_lines_split(expanded ? expanded : line, &lines);
	run->typed = expanded && lines.count == 1 ? line : NULL;
	for (size_t i = 0; i < lines.count && !ferror(run->out) && !has_quit(run); i++) {
		if (!repeat_is(lines.data[i])) {
			run_once(run, lines.data[i]);
			continue;
		}
		struct error *error = repeat_line(lines.data[i], -1, run_once, run);
		run->incomplete |= error != NULL;
		runner_complain(run, error);
	}
	command_lines_deinit(&lines);
	run->typed = NULL;
}

static struct error *run_lines(struct runner *run)
{
	const struct command_lines *lines = &run->options.commands;
	enum cli_format format = run->options.format;
	struct error *error = NULL;

	run->several = lines->count > 1 || run->options.script ||
		       (lines->count && repeat_is(lines->data[0]));
	if (is_list(run) && format == FORMAT_JSON)
		output_json_begin(run->out);
	else if (is_list(run))
		output_html_begin(run->out);
	/* Once nobody reads any more, there is no point in going on. */
	for (size_t i = 0; i < lines->count && !ferror(run->out) && !has_quit(run); i++)
		run_line(run, lines->data[i]);
	if (run->options.script && !has_quit(run))
		error = shell_run_file(run, run->options.script);
	if (is_list(run) && format == FORMAT_JSON)
		output_json_end(run->out);
	else if (is_list(run))
		output_html_end(run->out);
	run->several = false;
	return error;
}

/* A full disk must not look like success; a reader that has left ("| head") is no error. */
static void check_written(struct runner *run)
{
	errno = 0;
	if ((fflush(run->out) != 0 || ferror(run->out)) && errno && errno != EPIPE) {
		fprintf(run->err, "inquest: cannot write the output: %s\n", strerror(errno));
		run->incomplete = true;
	}
}

static int run_all(struct runner *run)
{
	int status = EXIT_FINE;

	choose_look(run);
	choose_commands(run);
	struct error *error = run_lines(run);
	if (error)
		return refuse(run->err, error);
	if (run->options.shell && !has_quit(run)) {
		status = shell_run(run);
		run->incomplete = false;
	}
	return status;
}

/* The same into a file. */
static int run_to_file(struct runner *run)
{
	struct new_file file;
	struct error *error = new_file_create(run->options.output, &file);
	FILE *before = run->out;

	if (error)
		return refuse(run->err, error);
	run->out = file.out;
	int status = run_all(run);
	run->out = before;
	error = new_file_finish(&file);
	return error ? refuse(run->err, error) : status;
}

int cli_run(int argc, char *const *argv, FILE *out, FILE *err)
{
	struct runner run = { .out = out, .err = err };
	int status = EXIT_FINE;

	struct error *error = cli_options_parse(argc, (const char *const *)argv,
						 &run.options);
	if (!error && run.options.action == CLI_HELP) {
		print_help(out);
	} else if (!error && run.options.action == CLI_VERSION) {
		fputs("inquest " INQUEST_VERSION "\n", out);
	} else {
		if (!error)
			error = open_session(&run);
		if (error)
			status = refuse(err, error);
		else
			status = run.options.output ? run_to_file(&run) : run_all(&run);
	}
	check_written(&run);
	session_close(run.session);
	cli_options_deinit(&run.options);
	return status ? status : run.incomplete ? EXIT_INCOMPLETE : EXIT_FINE;
}
