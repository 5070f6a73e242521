// SPDX-License-Identifier: LGPL-2.1-or-later
/* What commands about subsystems show alike: objects, tasks, troubles of walks. */
#include "commands/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/task_text.h"
#include "commands/typed.h"
#include "kernel/context.h"

struct error *show_object(struct command_args *args, const char *type, uint64_t address, bool hex,
			  bool decimal)
{
	struct doc *doc = args->doc;
	struct object object = { .doc = doc, .session = args->session, .address = address };

	if (!types_find(args->session->types, type, &object.type))
		return typed_not_found(args->session, type);
	context_format(args->session, hex, decimal, &object.format);
	struct error *err = object_read(&object);
	if (err)
		return err;
	doc_record(doc, NULL, NULL);
	doc_field(doc, "type", NULL, cell_str(type));
	doc_field(doc, "address", NULL, cell_address(address));
	doc_field(doc, "size", NULL, cell_udec(type_size(object.type)));
	object_table(doc);
	object_add_all(&object);
	doc_end(doc);
	typed_lines(doc, &object.text);
	doc_end(doc);
	object_deinit(&object);
	return NULL;
}

void show_task_line(struct doc *doc, const struct task *task)
{
	const char *comm = task_comm(&doc->arena, task);

	doc_heading(doc, "PID: %-6s TASK: %016" PRIx64 "  CPU: %s  COMMAND: \"%s\"",
		    task_pid_text(&doc->arena, task), task->address,
		    task_cpu_text(&doc->arena, task), task_is_named(task) ? comm : "?");
	doc_field(doc, "pid", NULL, pid_cell(task));
	doc_field(doc, "task", NULL, cell_address(task->address));
	doc_field(doc, "comm", NULL, cell_str(comm));
}

struct cell pid_cell(const struct task *task)
{
	return task_has_pid(task) ? cell_dec(task->pid) : cell_none();
}

struct cell cpu_cell(const struct task *task)
{
	return task->cpu < 0 ? cell_none() : cell_dec(task->cpu);
}

void show_unknown_kinds(struct doc *doc, const struct task *all, size_t count)
{
	size_t unknown = 0;

	for (size_t i = 0; i < count; i++)
		unknown += task_kind(&all[i]) == TASK_KIND_UNKNOWN;
	if (unknown)
		doc_remark(doc, REMARK_HOLE, "of %zu task%s it is not known whether they are the "
			   "kernel's or of a process: their task_struct is not in the dump",
			   unknown, unknown == 1 ? "" : "s");
}

void show_trouble(struct doc *doc, const struct walk_trouble *trouble, const char *what)
{
	if (trouble->count > 1)
		doc_remark(doc, REMARK_HOLE, "%s: %s (and %zu more)", what, trouble->text,
			   trouble->count - 1);
	else if (trouble->count)
		doc_remark(doc, REMARK_HOLE, "%s: %s", what, trouble->text);
}

struct cell size_cell(bool known, uint64_t bytes, char *buf, size_t size)
{
	snprintf(buf, size, "%" PRIu64 "k", bytes >> 10);
	return known ? cell_shown(cell_udec(bytes), buf) : cell_none();
}
