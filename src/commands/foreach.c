// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * foreach: commands on one task after the other. Words up to the first command's name choose tasks;
 * then commands follow, each with its own options:
 *
 *	foreach UN user bt -f vm -m		bt -f and vm -m, of each process in state UN
 *
 * A command runs with the task as the current one, or gets it as its last word. Each is a document
 * inside this one's; what one remarks, or that it failed, is told with the task and does not stop
 * the others. bt alone is one run of bt on all of these tasks: their stacks are followed on all
 * cores, and what looks at all of them (unique stacks) sees them together.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/progress.h"
#include "base/strbuf.h"
#include "commands/bt.h"
#include "commands/show.h"
#include "commands/table.h"
#include "commands/task_filter.h"
#include "kernel/context.h"

enum { REMARKS_SHOWN = 500 };

/* How a command is told the task. */
enum told { BY_CONTEXT, BY_WORD };

static const struct {
	const char *name;
	enum told told;
	const char *heading; /* it begins with the task's line itself: NULL never, "" always, else
			      * with one of these options */
} known[] = {
	{ "args", BY_CONTEXT, NULL },
	{ "bt", BY_CONTEXT, "" },
	{ "files", BY_CONTEXT, "" },
	{ "info", BY_CONTEXT, NULL },
	{ "locals", BY_CONTEXT, NULL },
	{ "net", BY_CONTEXT, "sS" },
	{ "origin", BY_CONTEXT, NULL },
	{ "p", BY_CONTEXT, NULL },
	{ "ps", BY_WORD, "" },
	{ "rd", BY_CONTEXT, NULL },
	{ "set", BY_CONTEXT, "" },
	{ "sig", BY_CONTEXT, "" },
	{ "task", BY_CONTEXT, "" },
	{ "vm", BY_CONTEXT, "" },
	{ "vtop", BY_CONTEXT, NULL },
};

struct foreach_command {
	size_t row;       /* in known[] */
	const char *line; /* as typed: "bt -f" */
	size_t failed;    /* on so many tasks */
};

struct remark_count {
	const char *text;
	enum remark_kind kind;
	size_t count;
};

struct foreach_run {
	struct command_args *args;
	struct task_filter filter;
	struct {
		vec_fields(struct foreach_command);
	} commands;
	struct {
		vec_fields(const struct task *);
	} of;
	struct {
		vec_fields(struct remark_count);
	} remarks;
};

static int known_command(const char *word)
{
	for (size_t i = 0; i < array_size(known); i++) {
		if (strcmp(known[i].name, word) == 0 && command_find(word))
			return (int)i;
	}
	return -1;
}

/* --- The line --- */

/* The next word as it was typed, with its quotes; false at the end. */
static bool next_token(const char **s, struct strbuf *token)
{
	char quote = '\0';

	strbuf_clear(token);
	*s += strspn(*s, " \t");
	for (; **s && (quote || !strchr(" \t", **s)); (*s)++) {
		if (quote ? **s == quote : **s == '\'' || **s == '"')
			quote = quote ? '\0' : **s;
		strbuf_add_char(token, **s);
	}
	return token->len > 0;
}

static struct error *add_filter(struct foreach_run *run, const char *token)
{
	size_t length = strlen(token);
	bool quoted = length >= 2 && strchr("'\"", token[0]) && token[length - 1] == token[0];
	const char *word = quoted ? arena_strndup(&run->args->doc->arena, token + 1, length - 2)
				  : arena_strdup(&run->args->doc->arena, token);

	return task_filter_add(&run->filter, word, quoted && token[0] == '\'');
}

static const char *names_of_commands(struct doc *doc)
{
	auto_strbuf names = { 0 };

	for (size_t i = 0; i < array_size(known); i++) {
		if (command_find(known[i].name))
			strbuf_addf(&names, "%s%s", names.len ? " " : "", known[i].name);
	}
	return arena_strdup(&doc->arena, strbuf_text(&names));
}

static struct error *parse(struct foreach_run *run)
{
	const char *s = run->args->rest;
	auto_strbuf token = { 0 }, line = { 0 };
	struct error *err = NULL;

	while (!err && next_token(&s, &token)) {
		int row = known_command(token.data);
		if (row < 0 && !run->commands.count) {
			err = add_filter(run, token.data);
			continue;
		}
		if (row >= 0) {
			vec_push(&run->commands, (struct foreach_command){ .row = (size_t)row });
			strbuf_clear(&line);
		}
		strbuf_addf(&line, "%s%s", line.len ? " " : "", token.data);
		run->commands.data[run->commands.count - 1].line =
			arena_strdup(&run->args->doc->arena, line.data);
	}
	if (!err && !run->commands.count)
		err = error_new(ERROR_USAGE, "which command? One or more of: %s",
				names_of_commands(run->args->doc));
	return err;
}

static struct error *select_tasks(struct foreach_run *run)
{
	size_t count;
	const struct task *all = tasks(run->args->session, &count);

	for (size_t i = 0; i < count; i++) {
		if (task_filter_matches(&run->filter, &all[i]))
			vec_push(&run->of, &all[i]);
	}
	const struct task_word *nobody = task_filter_unmatched(&run->filter);
	if (!count)
		return error_new(ERROR_MISSING, "no tasks were found in the dump");
	if (nobody && !run->of.count)
		return error_new(ERROR_NOT_FOUND, "there is no task %s", nobody->text);
	if (nobody)
		doc_remark(run->args->doc, REMARK_ERROR, "there is no task %s", nobody->text);
	if (run->filter.kernel || run->filter.user)
		show_unknown_kinds(run->args->doc, all, count);
	if (!run->of.count)
		doc_remark(run->args->doc, REMARK_NOTE, "no task is such a one");
	return NULL;
}

/* --- A command on a task --- */

static void count_remark(struct foreach_run *run, enum remark_kind kind, const char *text)
{
	vec_for_each (r, &run->remarks) {
		if (r->kind == kind && strcmp(r->text, text) == 0) {
			r->count++;
			return;
		}
	}
	vec_push(&run->remarks, (struct remark_count){ .text = text, .kind = kind, .count = 1 });
}

/* Without an address space what looks at one has nothing to look at: that is no failure. */
static void tell_error(struct foreach_run *run, struct foreach_command *command,
		       const struct task *task, struct error *err)
{
	struct doc *doc = run->args->doc;

	doc_field(doc, "error", NULL, cell_str(err->message));
	doc_textf(doc, STYLE_FAINT, "    %s", err->message);
	if (task_has_no_memory(task))
		return;
	command->failed++;
	count_remark(run, REMARK_ERROR, arena_printf(&doc->arena, "pid %d: %s", task->pid,
						     err->message));
}

/* What the session has noted since there were @before problems is told once, after this command. */
static bool is_problem(const struct session *s, size_t before, const char *text)
{
	for (size_t i = before; i < s->problems.count; i++) {
		if (strcmp(s->problems.data[i], text) == 0)
			return true;
	}
	return false;
}

/* Runs a command inside of the open record, as embed.c does; what it remarks is counted. */
static struct error *run_inside(struct foreach_run *run, const struct foreach_command *command,
				const struct task *task)
{
	struct doc *doc = run->args->doc;
	struct doc_remark *remarks = doc->remarks, **end = doc->remarks_end;
	struct doc_node *node = doc->current, *root = doc->root;
	const char *line = command->line;
	size_t problems = run->args->session->problems.count;

	if (known[command->row].told == BY_WORD)
		line = arena_printf(&doc->arena, "%s %" PRIx64, line, task->address);
	context_set_task(run->args->session, task);
	doc->root = node;
	doc->remarks = NULL;
	doc->remarks_end = &doc->remarks;
	struct error *err = command_run(run->args->session, line, doc);
	/* It may have left early, with nodes open. */
	doc->current = node;
	doc->root = root;
	for (const struct doc_remark *r = doc->remarks; r; r = r->next) {
		if (!is_problem(run->args->session, problems, r->text))
			count_remark(run, r->kind, r->text);
	}
	doc->remarks = remarks;
	doc->remarks_end = remarks ? end : &doc->remarks;
	return err;
}

static bool shows_heading(const struct foreach_command *command)
{
	const char *heading = known[command->row].heading, *s = command->line;

	if (!heading || !*heading)
		return heading;
	while ((s = strstr(s, " -"))) {
		s += 2;
		if (strcspn(s, heading) < strcspn(s, " "))
			return true;
	}
	return false;
}

static struct error *on_task(struct foreach_run *run, const struct task *task, bool first)
{
	struct doc *doc = run->args->doc;
	struct error *err = NULL;
	char *comm = arena_strndup(&doc->arena, task->comm, sizeof(task->comm));

	doc_record(doc, NULL, NULL);
	if (!shows_heading(&run->commands.data[0]))
		show_task_line(doc, task);
	else {
		doc_field(doc, "pid", NULL, pid_cell(task));
		doc_field(doc, "task", NULL, cell_address(task->address));
		doc_field(doc, "comm", NULL, cell_str(comm));
	}
	doc_array(doc, "commands", NULL);
	vec_for_each (command, &run->commands) {
		doc_record(doc, NULL, NULL);
		doc_field(doc, "command", NULL, cell_str(command->line));
		err = run_inside(run, command, task);
		/* What is wrong with the line is wrong for every task. */
		bool wrong = err && err->code == ERROR_USAGE && first;
		if (err && !wrong) {
			tell_error(run, command, task, err);
			error_free(err);
			err = NULL;
		}
		doc_end(doc);
		if (err || session_stopped(run->args->session))
			break;
	}
	doc_end(doc);
	doc_end(doc);
	return err;
}

static void tell_remarks(struct foreach_run *run)
{
	struct doc *doc = run->args->doc;
	enum remark_kind worst = REMARK_NOTE;
	size_t told = 0;

	vec_for_each (r, &run->remarks) {
		if (told++ >= REMARKS_SHOWN)
			worst = r->kind > worst ? r->kind : worst;
		else if (r->count > 1)
			doc_remark(doc, r->kind, "%s (%zu times)", r->text, r->count);
		else
			doc_remark(doc, r->kind, "%s", r->text);
	}
	if (told > REMARKS_SHOWN)
		doc_remark(doc, worst, "and %zu more like these", told - REMARKS_SHOWN);
}

static struct error *run_commands(struct foreach_run *run)
{
	struct session *s = run->args->session;
	struct session_context before = s->context;
	struct progress *progress = progress_start(&s->progress, "tasks", run->of.count);
	struct error *err = NULL;

	doc_array(run->args->doc, "foreach", NULL);
	for (size_t i = 0; i < run->of.count && !err && !session_stopped(s); i++) {
		err = on_task(run, run->of.data[i], i == 0);
		progress_add(progress, 1);
	}
	doc_end(run->args->doc);
	progress_stop(progress);
	/* Which task is the current one is the user's to say, and no command's. */
	before.quit |= s->context.quit;
	s->context = before;
	tell_remarks(run);
	return err;
}

static struct error *run_bt_alone(struct foreach_run *run)
{
	struct command_args args = *run->args;
	char **argv;
	struct error *err = command_words(&args.doc->arena, run->commands.data[0].line, &args.argc,
					  &argv);

	if (err)
		return err;
	args.argv = argv;
	return error_prefix(bt_on_tasks(&args, run->of.data, run->of.count), "bt");
}

static struct error *run_foreach(struct command_args *args)
{
	struct foreach_run run = { .args = args };
	struct error *err = parse(&run);

	if (!err)
		err = select_tasks(&run);
	if (!err && run.commands.count == 1 &&
	    strcmp(known[run.commands.data[0].row].name, "bt") == 0)
		err = run_bt_alone(&run);
	else if (!err)
		err = run_commands(&run);
	task_filter_deinit(&run.filter);
	vec_deinit(&run.commands);
	vec_deinit(&run.of);
	vec_deinit(&run.remarks);
	return err;
}

const struct command command_foreach = {
	.name = "foreach",
	.usage = "[PID|TASK|NAME|'REGEX' ...] [kernel|user] [gleader] [active] [STATE ...] "
		 "COMMAND [ARGUMENT ...] [COMMAND ...]",
	.summary = "commands on many tasks, one after the other",
	.help = "Words before the first command choose tasks; without any, every task:\n"
		"  PID, TASK      by number or by the address of the task_struct\n"
		"  NAME, 'REGEX'  by name (with * and ?), or a name that has a match of the expression;\n"
		"                 several of these add up. A name that looks like another word: \\NAME\n"
		"  kernel, user   the kernel's threads only, or all but them\n"
		"  gleader        the first thread of each process only\n"
		"  active         tasks that ran on a CPU only\n"
		"  RU IN UN ST TR ZO DE PA WA ID NE  tasks in one of these states only\n"
		"Commands: args bt files info locals net origin p ps rd set sig task vm vtop, several in\n"
		"a row, each with its own options behind it. That one fails does not stop the others.\n"
		"bt alone shows the stacks as bt does; bt -u folds them.\n"
		"Examples: foreach bt | foreach UN bt | foreach user gleader vm sig | "
		"foreach 'init|sh' files\n"
		"Examples: foreach kernel task -R comm,flags | foreach active bt -u",
	.takes_line = true,
	.run = run_foreach,
};
