// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * set: the task that the next commands mean, and the user's variables (set_variables.h).
 */
#include "commands/set_variables.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/show.h"
#include "commands/table.h"
#include "kernel/context.h"
#include "kernel/cpus.h"

enum { SET_CPU, SET_PANIC, SET_ACTIVE, SET_VARIABLES };

static const struct option set_option_table[] = {
	[SET_CPU] = { "c", true }, [SET_PANIC] = { "p", false },
	[SET_ACTIVE] = { "a", true }, [SET_VARIABLES] = { "v", false },
};

static void show_context(struct command_args *args, const struct task *task)
{
	struct doc *doc = args->doc;
	const struct task *crashed = task_crashed(args->session);
	char state[64], letter[2] = { task_state_letter(task), '\0' };
	bool is_crashed = crashed && crashed->address == task->address;

	snprintf(state, sizeof(state), "%s%s%s", task_state_name(task),
		 task->on_cpu ? " (ACTIVE)" : "", is_crashed ? " (PANIC)" : "");
	doc_record(doc, "context", NULL);
	doc_field(doc, "pid", "PID", pid_cell(task));
	doc_fieldf(doc, "comm", NULL, "%.*s", (int)sizeof(task->comm), task->comm);
	doc_fieldf(doc, NULL, "COMMAND", "\"%.*s\"", (int)sizeof(task->comm), task->comm);
	doc_field(doc, "task", "TASK", cell_address(task->address));
	doc_field(doc, "cpu", "CPU", cpu_cell(task));
	doc_field(doc, "state", "STATE", cell_shown(cell_str(letter), state));
	doc_field(doc, "crashed", NULL, cell_bool(is_crashed));
	doc_field(doc, "frame", "FRAME", cell_udec(args->session->context.frame));
	doc_end(doc);
}

static struct error *task_of_cpu(struct session *s, const char *word, const struct task **task)
{
	uint64_t number;
	struct error *err = parse_count(word, &number);

	if (err)
		return err;
	const struct cpu *cpu = number < CPU_LIST_MAX ? cpu_by_id(s, (unsigned)number) : NULL;
	if (!cpu)
		return error_new(ERROR_NOT_FOUND, "there is no CPU %s", word);
	*task = cpu->current_task ? task_by_address(s, cpu->current_task) : NULL;
	if (!*task)
		return error_new(ERROR_MISSING, "which task ran on CPU %s cannot be read", word);
	return NULL;
}

/* -a: what crash calls active: the task that a CPU is taken to have run. */
static struct error *make_active(struct session *s, const char *word, const struct task **task)
{
	struct error *err = parse_task(s, word, task);

	if (err)
		return err;
	if ((*task)->cpu < 0 || !cpu_set_current(s, (unsigned)(*task)->cpu, (*task)->address))
		return error_new(ERROR_MISSING, "which CPU task %d was on cannot be read",
				 (*task)->pid);
	return NULL;
}

static const char *near_variable(const char *word)
{
	struct nearest near = nearest_to(word);

	for (size_t i = 0; set_variable_name(i); i++)
		nearest_consider(&near, set_variable_name(i));
	return near.best;
}

static struct error *no_variable(const char *word)
{
	const char *near = near_variable(word);

	return error_new(ERROR_NOT_FOUND, "there is no variable %s%s%s%s", word,
			 near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

static struct error *choose(struct session *s, const struct options *options,
			    const struct task **task)
{
	if (options->set[SET_CPU])
		return task_of_cpu(s, options->value[SET_CPU], task);
	if (options->set[SET_ACTIVE])
		return make_active(s, options->value[SET_ACTIVE], task);
	if (!options->word_count)
		return NULL;
	struct error *err = parse_task(s, options->words[0], task);
	/* A word that is no number was perhaps meant as a variable. */
	if (err && err->code == ERROR_USAGE && near_variable(options->words[0])) {
		error_free(err);
		err = no_variable(options->words[0]);
	}
	return err;
}

static struct error *run_set(struct command_args *args)
{
	struct session *s = args->session;
	const struct task *task = NULL;
	struct options options;

	if (args->argc > 1 && set_is_variable(args->argv[1]))
		return set_variable(args);
	struct error *err = options_parse(args, set_option_table, array_size(set_option_table),
					  &options);
	if (err)
		return err;
	int ways = options.word_count + options.set[SET_CPU] + options.set[SET_PANIC] +
		   options.set[SET_ACTIVE];
	uint64_t number;
	if (options.word_count == 2 && ways == 2 && !parse_hex(options.words[0], &number))
		return no_variable(options.words[0]);
	if (options.set[SET_VARIABLES] && !ways) {
		set_list_variables(args);
		return NULL;
	}
	if (ways > 1 || options.set[SET_VARIABLES])
		return error_new(ERROR_USAGE, "one task at a time");
	err = choose(s, &options, &task);
	if (err)
		return err;
	if (ways)
		context_set_task(s, task);
	err = task_or_current(s, NULL, &task);
	if (!err)
		show_context(args, task);
	return err;
}

const struct command command_set = {
	.name = "set",
	.usage = "[PID|TASK | -c CPU | -p | -a PID|TASK | -v | VARIABLE [VALUE]]",
	.summary = "the task that the next commands mean; variables",
	.help = "Commands that are given no task (bt, dis -u, frame, rd -u, vtop -u) mean the current one.\n"
		"At first that is the task that crashed. Without arguments, shows which it is.\n"
		"  -c CPU       the task that ran on this CPU\n"
		"  -p           the task that crashed\n"
		"  -a PID|TASK  this one, and take it for the one that ran on its CPU\n"
		"  -v           lists the variables: what they are and what they can be\n"
		"  VARIABLE     shows it, with a VALUE sets it\n"
		"hex and dec are short for set radix 16 and 10, sf and sn for set scroll off and on.\n"
		"Examples: set | set 1 | set -c 0 | set -p | set -v | set radix 16 | set scroll off",
	.run = run_set,
};
