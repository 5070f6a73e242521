// SPDX-License-Identifier: LGPL-2.1-or-later
/* mount: the mounted file systems, with what is dirty or open in them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "commands/show.h"
#include "commands/table.h"
#include "kernel/mappings.h"
#include "kernel/mounts.h"
#include "kernel/open_files.h"

enum { OPT_FILES, OPT_INODES, OPT_NAMESPACE };

static const struct option mount_option_table[] = {
	[OPT_FILES] = { "f", false }, [OPT_INODES] = { "i", false },
	[OPT_NAMESPACE] = { "n", true },
};

static const struct column mount_columns[] = {
	{ .key = "mount", .title = "MOUNT" },
	{ .key = "super_block", .title = "SUPERBLK" },
	{ .key = "type", .title = "TYPE" },
	{ .key = "source", .title = "DEVNAME" },
	{ .key = "place", .title = "DIRNAME", .style = STYLE_STRONG },
	{ .key = "options", .title = "OPTIONS" },
	{ .key = "subtree" },
	{ .key = "id" },
	{ .key = "parent" },
	{ .key = "device" },
};

static const struct column inode_columns[] = {
	{ .key = "inode", .title = "DIRTY INODE" },
	{ .key = "type", .title = "TYPE" },
	{ .key = "path", .title = "PATH" },
};

static const struct column open_columns[] = {
	{ .key = "pid", .title = "PID", .right = true },
	{ .key = "fd", .title = "FD", .right = true },
	{ .key = "file", .title = "OPEN FILE" },
	{ .key = "path", .title = "PATH" },
};

struct mount_run {
	struct command_args *args;
	struct options options;
	uint64_t number;   /* of the filter, when it is one */
	const char *word;
	size_t shown, incomplete, partial_paths;
	uint64_t super_block; /* whose files or inodes are being listed */
	const struct task *task;
	struct walk_trouble trouble;
};

static bool is_wanted(const struct mount_run *run, const struct mount_info *m)
{
	uint64_t inode = 0;

	if (!run->word)
		return true;
	if (strcmp(run->word, m->source) == 0 || strcmp(run->word, m->place) == 0)
		return true;
	if (!run->number)
		return false;
	kread(run->args->session, m->root, "dentry", "d_inode", &inode);
	return run->number == m->mount || run->number == m->vfsmount ||
	       run->number == m->super_block || run->number == m->root ||
	       run->number == m->mountpoint || run->number == inode;
}

/* --- -i --- */

static bool add_inode(void *ctx, uint64_t inode)
{
	struct mount_run *run = ctx;
	struct session *s = run->args->session;
	uint64_t mode;
	char path[4096];

	bool typed = kread(s, inode, "inode", "i_mode", &mode);
	if (!inode_path(s, inode, path, sizeof(path)) && path[0])
		run->partial_paths++;
	doc_row(run->args->doc, cell_address(inode),
		typed ? cell_str(inode_type_name(mode)) : cell_none(),
		path[0] ? cell_str(path) : cell_none());
	return true;
}

static void add_inodes(struct mount_run *run, const struct mount_info *m)
{
	doc_table(run->args->doc, "dirty_inodes", inode_columns, array_size(inode_columns));
	dirty_inodes_each(run->args->session, m->super_block, &run->trouble, add_inode, run);
	doc_end(run->args->doc);
}

/* --- -f --- */

static bool add_open(void *ctx, const struct open_file *f)
{
	struct mount_run *run = ctx;
	uint64_t sb;

	if (!kread(run->args->session, f->dentry, "dentry", "d_sb", &sb)) {
		walk_trouble_hole(&run->trouble, "in which file system descriptor %" PRId64 " of PID "
				  "%d is, is not in the dump", f->fd, run->task->pid);
		return true;
	}
	if (sb != run->super_block)
		return true;
	run->partial_paths += f->incomplete && f->path[0];
	doc_row(run->args->doc, pid_cell(run->task), cell_dec(f->fd), cell_address(f->file),
		f->path[0] ? cell_str(f->path) : cell_none());
	return true;
}

static void add_files(struct mount_run *run, const struct mount_info *m)
{
	struct session *s = run->args->session;
	size_t count;
	const struct task *all = tasks(s, &count);

	run->super_block = m->super_block;
	doc_table(run->args->doc, "open_files", open_columns, array_size(open_columns));
	for (size_t i = 0; i < count && !session_stopped(s); i++) {
		run->task = &all[i];
		if (all[i].pid == all[i].tgid)
			open_files_each(s, &all[i], &run->trouble, add_open, run);
	}
	doc_end(run->args->doc);
}

/* --- The list --- */

static struct cell text_or_none(const char *text)
{
	return text[0] ? cell_str(text) : cell_none();
}

static bool add_mount(void *ctx, const struct mount_info *m)
{
	struct mount_run *run = ctx;
	char device[32];

	if (!is_wanted(run, m))
		return true;
	run->shown++;
	run->incomplete += m->incomplete;
	/* 12 bits of major and 20 of minor, include/linux/kdev_t.h. No file system has 0:0. */
	snprintf(device, sizeof(device), "%" PRIu64 ":%" PRIu64, m->device >> 20,
		 m->device & 0xfffff);
	doc_row(run->args->doc, cell_address(m->mount),
		m->super_block ? cell_address(m->super_block) : cell_none(), text_or_none(m->type),
		text_or_none(m->source), text_or_none(m->place), text_or_none(m->options),
		text_or_none(m->subtree), m->id < 0 ? cell_none() : cell_dec(m->id),
		m->parent_id < 0 ? cell_none() : cell_dec(m->parent_id),
		m->device ? cell_str(device) : cell_none());
	if (!run->options.set[OPT_INODES] && !run->options.set[OPT_FILES])
		return true;
	doc_detail(run->args->doc);
	if (run->options.set[OPT_INODES])
		add_inodes(run, m);
	if (run->options.set[OPT_FILES])
		add_files(run, m);
	doc_end(run->args->doc);
	return !session_stopped(run->args->session);
}

static struct error *find_namespace(struct mount_run *run, uint64_t *namespace)
{
	const struct task *task;
	char title[TASK_TITLE_MAX];

	struct error *err = parse_task_option(run->args->session,
					      run->options.value[OPT_NAMESPACE], &task);
	if (err)
		return err;
	*namespace = mount_namespace(run->args->session, task);
	if (*namespace)
		return NULL;
	if (task)
		return error_new(ERROR_MISSING, "%s has no mount namespace any more, or it is not "
				 "in the dump", task_title(task, title));
	return error_new(ERROR_MISSING, "the mount namespace of process 1 is not in the dump");
}

static struct error *run_mount(struct command_args *args)
{
	struct mount_run run = { .args = args };
	struct walk_trouble trouble = { .count = 0 };
	uint64_t namespace;

	struct error *err = options_parse(args, mount_option_table, array_size(mount_option_table),
					  &run.options);
	if (!err && run.options.word_count > 1)
		err = error_new(ERROR_USAGE, "one filter at a time");
	if (!err)
		err = find_namespace(&run, &namespace);
	if (err)
		return err;
	if (run.options.word_count) {
		run.word = run.options.words[0];
		error_free(parse_address(args->session, run.word, &run.number));
	}
	doc_table(args->doc, "mounts", mount_columns, array_size(mount_columns));
	mounts_each(args->session, namespace, &trouble, add_mount, &run);
	doc_end(args->doc);
	show_trouble(args->doc, &trouble, "mounts");
	show_trouble(args->doc, &run.trouble, run.options.set[OPT_FILES] ? "open files" : "inodes");
	if (run.incomplete)
		doc_remark(args->doc, REMARK_HOLE, "%zu mounts are only partly in the dump",
			   run.incomplete);
	if (run.partial_paths)
		doc_remark(args->doc, REMARK_HOLE, "%zu paths are not wholly in the dump",
			   run.partial_paths);
	if (run.options.set[OPT_FILES])
		doc_remark(args->doc, REMARK_NOTE, "open files are those in tasks' tables; the kernel "
			   "keeps no list of a file system's own since 3.19");
	if (run.word && !run.shown && !trouble.count)
		return error_new(ERROR_NOT_FOUND, "nothing is mounted there, or from there: %s",
				 run.word);
	return NULL;
}

const struct command command_mount = {
	.name = "mount",
	.usage = "[-f] [-i] [-n PID|TASK] [MOUNT|VFSMOUNT|SUPERBLOCK|DEVICE|PATH|DENTRY|INODE]",
	.summary = "mounted file systems",
	.help = "What is mounted, by default in the mount namespace of process 1: struct mount, super\n"
		"block, type, what it was mounted from, where, and options. With a name or address only\n"
		"that: a mount, its vfsmount, super block, device name, mount point, or the dentry or\n"
		"inode of its root.\n"
		"  -n PID  in the namespace of this task\n"
		"  -i      with its dirty inodes\n"
		"  -f      with the files that tasks have open there\n"
		"Examples: mount | mount /proc | mount -n 1 | mount -i /tmp",
	.run = run_mount,
};
