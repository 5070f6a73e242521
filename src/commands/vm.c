// SPDX-License-Identifier: LGPL-2.1-or-later
/* vm: the mappings of tasks' address spaces, as /proc/PID/maps would have shown them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/args.h"
#include "commands/table.h"
#include "kernel/mappings.h"

enum { PATH_BYTES = 4096 };

/* include/linux/mm.h */
enum { VM_READ = 1, VM_WRITE = 2, VM_EXEC = 4, VM_MAYSHARE = 0x80 };

static const struct column mapping_columns[] = {
	{ .key = "vma", .title = "VMA" },
	{ .key = "start", .title = "START", .right = true },
	{ .key = "end", .title = "END", .right = true },
	{ .key = "permissions", .title = "PERM" },
	{ .key = "offset", .title = "OFFSET", .right = true },
	{ .key = "flags", .title = "FLAGS", .right = true },
	{ .key = "name", .title = "WHAT", .style = STYLE_STRONG },
	{ .key = "file" },
};

struct vm_run {
	struct command_args *args;
	uint64_t mm;
	bool holes;
};

static bool add_mapping(void *ctx, const struct mapping *m)
{
	struct vm_run *run = ctx;
	char name[PATH_BYTES];
	char permissions[5] = {
		m->flags & VM_READ ? 'r' : '-', m->flags & VM_WRITE ? 'w' : '-',
		m->flags & VM_EXEC ? 'x' : '-', m->flags & VM_MAYSHARE ? 's' : 'p', 0
	};

	if (!mapping_name(run->args->session, run->mm, m, name, sizeof(name)))
		run->holes = true;
	doc_row(run->args->doc, cell_address(m->vma), cell_hex(m->start), cell_hex(m->end),
		cell_str(permissions), cell_hex(m->file ? m->page_offset << PAGE_SHIFT : 0),
		cell_hex(m->flags), cell_str(name),
		m->file ? cell_address(m->file) : cell_none());
	return !session_stopped(run->args->session);
}

static struct cell size_cell(bool known, uint64_t bytes, char *buf, size_t size)
{
	snprintf(buf, size, "%" PRIu64 "k", bytes >> 10);
	return known ? cell_shown(cell_udec(bytes), buf) : cell_none();
}

static void add_task(struct command_args *args, const struct task *task)
{
	struct session *s = args->session;
	struct doc *doc = args->doc;
	struct vm_run run = { .args = args, .mm = task->mm };
	uint64_t vsz, rss, pgd;
	char text[2][32];

	doc_record(doc, NULL, NULL);
	doc_heading(doc, "PID: %-6d TASK: %016" PRIx64 "  CPU: %d  COMMAND: \"%s\"", task->pid,
		    task->address, task->cpu, task->comm);
	doc_field(doc, "pid", NULL, cell_dec(task->pid));
	doc_field(doc, "task", NULL, cell_address(task->address));
	doc_field(doc, "comm", NULL, cell_str(task->comm));
	doc_field(doc, "mm", "MM", task->mm ? cell_address(task->mm)
					    : cell_shown(cell_none(), "none: a kernel thread"));
	if (task->mm) {
		bool known = task_memory(s, task, &vsz, &rss);
		doc_field(doc, "pgd", "PGD", kread(s, task->mm, "mm_struct", "pgd", &pgd)
						     ? cell_address(pgd) : cell_none());
		doc_field(doc, "rss", "RSS", size_cell(known, rss, text[0], sizeof(text[0])));
		doc_field(doc, "vsz", "TOTAL", size_cell(known, vsz, text[1], sizeof(text[1])));
		doc_table(doc, "mappings", mapping_columns, array_size(mapping_columns));
		if (!mappings_each(s, task->mm, add_mapping, &run))
			doc_remark(doc, REMARK_HOLE, "PID %d: not all mappings can be read",
				   task->pid);
		doc_end(doc);
	}
	if (run.holes)
		doc_remark(doc, REMARK_HOLE, "PID %d: names of some mappings are not in the dump",
			   task->pid);
	doc_end(doc);
}

static struct error *run_vm(struct command_args *args)
{
	struct options options;
	const struct task *task;

	struct error *err = options_parse(args, NULL, 0, &options);
	if (err)
		return err;
	doc_array(args->doc, "address_spaces", NULL);
	for (int i = 0; i < options.word_count || i == 0; i++) {
		const char *word = options.word_count ? options.words[i] : NULL;
		err = task_or_current(args->session, word, &task);
		if (!err)
			add_task(args, task);
		else if (options.word_count > 1)
			doc_remark(args->doc, REMARK_ERROR, "%s", err->message);
		else
			break;
		error_free(err);
		err = NULL;
	}
	doc_end(args->doc);
	return err;
}

const struct command command_vm = {
	.name = "vm",
	.usage = "[PID|TASK ...]",
	.summary = "mappings of a task's address space",
	.help = "What is mapped where in the user space of tasks, by default of the current one:\n"
		"permissions (s: shared, p: private), offset in the file, and the file's path, [heap],\n"
		"[stack] and so on. FLAGS are those of the vm_area_struct.\n"
		"Examples: vm | vm 1",
	.run = run_vm,
};
