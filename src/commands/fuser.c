// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * fuser: who uses a file, as open file, root, working folder, program or mapping. A file is one
 * inode: a path stands for all inodes that somebody uses under it, and every name of those counts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/strbuf.h"
#include "commands/show.h"
#include "commands/table.h"
#include "kernel/mappings.h"
#include "kernel/open_files.h"

enum { USE_ROOT = 1, USE_CWD = 2, USE_EXE = 4, USE_FD = 8, USE_MMAP = 16 };

static const struct column fuser_columns[] = {
	{ .key = "pid", .title = "PID", .right = true },
	{ .key = "task", .title = "TASK" },
	{ .key = "comm", .title = "COMM", .style = STYLE_STRONG },
	{ .key = "usage", .title = "USAGE" },
	{ .key = "fds", .title = "FDS" },
	{ .key = "path", .title = "PATH" },
};

struct fuser_run {
	struct command_args *args;
	const char *path;   /* NULL: an inode was named */
	struct map inodes;  /* those that the path stands for */
	bool collecting;
	size_t holes, users;
	/* Of the task that is looked at. */
	unsigned usage;
	struct strbuf fds, name;
};

static void see(struct fuser_run *run, const struct open_file *f, unsigned usage)
{
	uint64_t one;

	run->holes += run->collecting && f->incomplete;
	if (run->collecting) {
		if (run->path && f->inode && strcmp(f->path, run->path) == 0)
			map_set(&run->inodes, f->inode, 1);
		return;
	}
	if (!f->inode || !map_get(&run->inodes, f->inode, &one))
		return;
	if (usage == USE_FD)
		strbuf_addf(&run->fds, "%s%" PRId64, run->fds.len ? "," : "", f->fd);
	run->usage |= usage;
	if (!run->name.len)
		strbuf_add(&run->name, f->path);
}

static bool see_open(void *ctx, const struct open_file *f)
{
	see(ctx, f, USE_FD);
	return true;
}

static bool see_mapping(void *ctx, const struct mapping *m)
{
	struct fuser_run *run = ctx;
	struct open_file f;

	if (m->file) {
		open_file_read(run->args->session, m->file, &f);
		see(run, &f, USE_MMAP);
	}
	return true;
}

static void look_at_task(struct fuser_run *run, const struct task *task)
{
	static const struct {
		enum task_place place;
		unsigned usage;
	} places[] = { { PLACE_ROOT, USE_ROOT }, { PLACE_CWD, USE_CWD }, { PLACE_EXE, USE_EXE } };
	struct session *s = run->args->session;
	struct walk_trouble trouble = { .count = 0 };
	struct open_file f;

	for (size_t i = 0; i < array_size(places); i++) {
		if (task_place(s, task, places[i].place, &f))
			see(run, &f, places[i].usage);
	}
	open_files_each(s, task, &trouble, see_open, run);
	if (!task_has_no_memory(task) &&
	    (!task->mm || !mappings_each(s, task->mm, see_mapping, run)))
		trouble.count++;
	run->holes += run->collecting ? trouble.count : 0;
}

static void add_user(struct fuser_run *run, const struct task *task)
{
	static const char *const names[] = { "root", "cwd", "exe", "fd", "mmap" };
	char usage[64] = "";

	for (size_t i = 0; i < array_size(names); i++) {
		if (run->usage >> i & 1) {
			size_t at = strlen(usage);
			snprintf(usage + at, sizeof(usage) - at, "%s%s", at ? " " : "", names[i]);
		}
	}
	char comm[17];
	snprintf(comm, sizeof(comm), "%.16s", task->comm);
	doc_row(run->args->doc, pid_cell(task), cell_address(task->address), cell_str(comm),
		cell_str(usage), cell_str(strbuf_text(&run->fds)),
		cell_str(strbuf_text(&run->name)));
	run->users++;
}

/* Threads share all that is asked for, but for those that took files or folders of their own. */
static bool is_same_as_leader(struct session *s, const struct task *task)
{
	const struct task *leader = task->pid == task->tgid ? NULL : task_by_pid(s, task->tgid);
	uint64_t fs, leaders_fs;

	return leader && open_files_table(s, task) == open_files_table(s, leader) &&
	       kread(s, task->address, "task_struct", "fs", &fs) &&
	       kread(s, leader->address, "task_struct", "fs", &leaders_fs) && fs == leaders_fs;
}

static void each_task(struct fuser_run *run)
{
	struct session *s = run->args->session;
	size_t count;
	const struct task *all = tasks(s, &count);
	struct progress *p = progress_start(&s->progress, "tasks", count);

	for (size_t i = 0; i < count && !session_stopped(s); i++, progress_add(p, 1)) {
		if (is_same_as_leader(s, &all[i]))
			continue;
		run->usage = 0;
		strbuf_clear(&run->fds);
		strbuf_clear(&run->name);
		look_at_task(run, &all[i]);
		if (!run->collecting && run->usage)
			add_user(run, &all[i]);
	}
	progress_stop(p);
}

static struct error *run_fuser(struct command_args *args)
{
	struct fuser_run run = { .args = args, .collecting = true };
	struct options options;

	struct error *err = options_parse(args, NULL, 0, &options);
	if (err)
		return err;
	if (options.word_count != 1)
		return error_new(ERROR_USAGE, "give one path, or the address of one inode");
	if (options.words[0][0] == '/') {
		run.path = options.words[0];
	} else {
		uint64_t inode;
		err = parse_address(args->session, options.words[0], &inode);
		if (err)
			return err;
		map_set(&run.inodes, inode, 1);
	}
	each_task(&run);
	run.collecting = false;
	doc_table(args->doc, "users", fuser_columns, array_size(fuser_columns));
	if (run.inodes.count)
		each_task(&run);
	doc_end(args->doc);
	map_deinit(&run.inodes);
	strbuf_deinit(&run.fds);
	strbuf_deinit(&run.name);
	if (!run.users)
		doc_remark(args->doc, REMARK_NOTE, "no task uses %s", options.words[0]);
	if (run.holes)
		doc_remark(args->doc, REMARK_HOLE, "of %zu files in use the path or inode is not in "
			   "the dump: there may be more users", run.holes);
	return NULL;
}

const struct command command_fuser = {
	.name = "fuser",
	.usage = "PATH|INODE",
	.summary = "tasks that use a file",
	.help = "Tasks that have the file open (fd), mapped (mmap), or as their program (exe), root or\n"
		"working folder (cwd). A PATH is whole, from the root of the mounts; every name of the\n"
		"same file counts, and PATH is the one that the task uses. Threads count with their\n"
		"process. Paths as files and vm show them: \"/tmp/x (deleted)\", quoted, is one, too.\n"
		"Examples: fuser /dev/null | fuser /",
	.run = run_fuser,
};
