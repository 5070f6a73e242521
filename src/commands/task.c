// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * task: the task_struct of tasks, and their thread_info, as struct shows them. On kernels since 4.9
 * the latter is the beginning of the former; before, it lies at the low end of the stack.
 */
#include <inttypes.h>
#include <string.h>

#include "commands/args.h"
#include "commands/show.h"
#include "commands/table.h"
#include "commands/typed.h"
#include "kernel/context.h"

enum { OPT_MEMBERS, OPT_HEX, OPT_DEC };

static const struct option task_option_table[] = {
	[OPT_MEMBERS] = { "R", true },
	[OPT_HEX] = { "x", false },
	[OPT_DEC] = { "d", false },
};

struct task_run {
	struct command_args *args;
	struct options options;
	bool found[64]; /* with -R: the member with this number exists */
};

static uint64_t thread_info_of(struct session *s, const struct task *task)
{
	uint64_t offset;

	return koffset(s, "task_struct", "thread_info", &offset) ? task->address + offset
								 : task->stack;
}

/* Names that kernels gave a member one after another: who types one means any. */
static const char *renamed(const char *name)
{
	static const char *const pairs[][2] = {
		{ "state", "__state" },     /* 5.14 */
		{ "__state", "state" },
		{ "cpu", "thread_info.cpu" }, /* 5.16 */
	};

	for (size_t i = 0; i < array_size(pairs); i++) {
		if (strcmp(pairs[i][0], name) == 0)
			return pairs[i][1];
	}
	return name;
}

static bool find_member(struct type type, const char *name, struct member *member,
			const char **path)
{
	*path = name;
	if (type_find_member(type, name, member))
		return true;
	*path = renamed(name);
	return *path != name && type_find_member(type, *path, member);
}

/* With -R: those of the members that this type has. */
static struct error *add_members(struct task_run *run, const char *type, uint64_t address)
{
	struct doc *doc = run->args->doc;
	struct object object = { .doc = doc, .session = run->args->session, .address = address };
	struct member member;
	unsigned number = 0;
	bool open = false;

	if (!types_find(run->args->session->types, type, &object.type))
		return typed_not_found(run->args->session, type);
	context_format(run->args->session, run->options.set[OPT_HEX], run->options.set[OPT_DEC],
		       &object.format);
	struct error *err = object_read(&object);
	if (err)
		return err;
	for (const char *s = run->options.value[OPT_MEMBERS]; *s; number++) {
		size_t length = strcspn(s, ",");
		const char *path, *name = arena_strndup(&doc->arena, s, length);
		s += length + (s[length] == ',');
		if (!find_member(object.type, name, &member, &path))
			continue;
		if (!open) {
			doc_record(doc, NULL, NULL);
			doc_field(doc, "type", NULL, cell_str(type));
			doc_field(doc, "address", NULL, cell_address(address));
			doc_field(doc, "size", NULL, cell_udec(type_size(object.type)));
			object_table(doc);
			open = true;
		}
		if (number < array_size(run->found))
			run->found[number] = true;
		object_add_member(&object, path, &member);
	}
	if (open) {
		doc_end(doc);
		typed_lines(doc, &object.text);
		doc_end(doc);
	}
	object_deinit(&object);
	return NULL;
}

static struct error *check_members(const struct task_run *run)
{
	unsigned number = 0;

	for (const char *s = run->options.value[OPT_MEMBERS]; *s; number++) {
		size_t length = strcspn(s, ",");
		if (number >= array_size(run->found))
			return error_new(ERROR_USAGE, "at most %zu members", array_size(run->found));
		if (!run->found[number])
			return error_new(ERROR_USAGE,
					 "neither task_struct nor thread_info has a member %.*s",
					 (int)length, s);
		s += length + (s[length] == ',');
	}
	return NULL;
}

static struct error *show_structs(struct task_run *run, const struct task *task)
{
	struct session *s = run->args->session;
	bool hex = run->options.set[OPT_HEX], dec = run->options.set[OPT_DEC];
	uint64_t info = thread_info_of(s, task);
	struct error *err;

	if (run->options.value[OPT_MEMBERS]) {
		err = add_members(run, "struct task_struct", task->address);
		if (!err && info)
			err = add_members(run, "struct thread_info", info);
		return err ? err : check_members(run);
	}
	err = show_object(run->args, "struct task_struct", task->address, hex, dec);
	if (!err && info)
		err = show_object(run->args, "struct thread_info", info, hex, dec);
	return err;
}

static struct error *show_task(struct task_run *run, const struct task *task)
{
	struct doc *doc = run->args->doc;

	doc_record(doc, NULL, NULL);
	show_task_line(doc, task);
	doc_array(doc, "structs", NULL);
	struct error *err = show_structs(run, task);
	doc_end(doc);
	doc_end(doc);
	return err;
}

static struct error *show_all(struct task_run *run)
{
	const struct options *options = &run->options;
	const struct task *task;
	int count = options->word_count ? options->word_count : 1;

	for (int i = 0; i < count && !session_stopped(run->args->session); i++) {
		struct error *err = task_or_current(
			run->args->session, options->word_count ? options->words[i] : NULL, &task);
		if (!err)
			err = show_task(run, task);
		if (err && count == 1)
			return err;
		if (err) {
			doc_remark(run->args->doc, REMARK_ERROR, "%s", err->message);
			error_free(err);
		}
	}
	return NULL;
}

static struct error *run_task(struct command_args *args)
{
	struct task_run run = { .args = args };
	struct error *err = options_parse(args, task_option_table, array_size(task_option_table),
					  &run.options);

	if (err)
		return err;
	doc_array(args->doc, "task_structs", NULL);
	err = show_all(&run);
	doc_end(args->doc);
	return err;
}

const struct command command_task = {
	.name = "task",
	.usage = "[-R MEMBER[,MEMBER ...]] [-x | -d] [PID|TASK ...]",
	.summary = "the task_struct and thread_info of tasks",
	.help = "Of the current task, unless others are named. Members may be paths: thread.sp.\n"
		"  -R MEMBERS  only these members of task_struct or thread_info, by any name that kernels\n"
		"              have given them (state, __state)\n"
		"  -x, -d      numbers in hexadecimal, in decimal (the default, but for flags)\n"
		"Examples: task | task 1 | task -R comm,state,flags 1 | task -R thread.sp -x 2",
	.run = run_task,
};
