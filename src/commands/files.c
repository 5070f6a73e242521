// SPDX-License-Identifier: LGPL-2.1-or-later
/* files: what tasks have open and where they are; dentries, and the cached pages of files. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/show.h"
#include "commands/table.h"
#include "kernel/mappings.h"
#include "kernel/open_files.h"
#include "kernel/pages.h"

enum { OPT_DENTRY, OPT_PAGES, OPT_NODES, OPT_CACHED, OPT_REFERENCE };

static const struct option files_option_table[] = {
	[OPT_DENTRY] = { "d", true },     [OPT_PAGES] = { "p", true }, [OPT_NODES] = { "n", true },
	[OPT_CACHED] = { "c", false },    [OPT_REFERENCE] = { "R", true },
};

static const struct column file_columns[] = {
	{ .key = "fd", .title = "FD", .right = true },
	{ .key = "file", .title = "FILE" },
	{ .key = "dentry", .title = "DENTRY" },
	{ .key = "inode", .title = "INODE" },
	{ .key = "type", .title = "TYPE" },
	{ .key = "path", .title = "PATH", .style = STYLE_STRONG },
};

static const struct column cached_columns[] = {
	{ .key = "fd", .title = "FD", .right = true },
	{ .key = "inode", .title = "INODE" },
	{ .key = "mapping", .title = "I_MAPPING" },
	{ .key = "cached_pages", .title = "NRPAGES", .right = true },
	{ .key = "type", .title = "TYPE" },
	{ .key = "path", .title = "PATH", .style = STYLE_STRONG },
};

struct files_run {
	struct command_args *args;
	struct options options;
	uint64_t number; /* of -R; 0: none */
	size_t rows, incomplete;
};

static struct cell known_address(uint64_t address)
{
	return address ? cell_address(address) : cell_none();
}

static bool is_wanted(const struct files_run *run, const struct open_file *f)
{
	const char *word = run->options.value[OPT_REFERENCE];
	const char *last = strrchr(f->path, '/');
	char *end;

	if (!word)
		return true;
	if (f->path[0] && (glob_match(word, f->path) || (last && glob_match(word, last + 1))))
		return true;
	if (run->number && (run->number == f->file || run->number == f->dentry ||
			    run->number == f->inode))
		return true;
	long fd = strtol(word, &end, 10);
	return *word && !*end && f->fd >= 0 && fd == f->fd;
}

static bool add_file(void *ctx, const struct open_file *f)
{
	struct files_run *run = ctx;
	struct session *s = run->args->session;
	uint64_t mapping, pages;
	struct cell type = f->mode ? cell_str(inode_type_name(f->mode))
				   : f->inode && !f->incomplete ? cell_str("UNKN") : cell_none();
	struct cell path = f->path[0] ? cell_str(f->path) : cell_none();

	if (!is_wanted(run, f))
		return true;
	run->rows++;
	if (!run->options.set[OPT_CACHED]) {
		run->incomplete += f->incomplete;
		doc_row(run->args->doc, cell_dec(f->fd), cell_address(f->file),
			known_address(f->dentry), known_address(f->inode), type, path);
		return true;
	}
	bool has_mapping = f->inode && kread(s, f->inode, "inode", "i_mapping", &mapping);
	bool has_pages = has_mapping && kread(s, mapping, "address_space", "nrpages", &pages);
	run->incomplete += f->incomplete || (f->inode && !has_pages);
	doc_row(run->args->doc, cell_dec(f->fd), known_address(f->inode),
		has_mapping ? cell_address(mapping) : cell_none(),
		has_pages ? cell_udec(pages) : cell_none(), type, path);
	return true;
}

static void add_place(struct files_run *run, const struct task *task, enum task_place which,
		      const char *key, const char *title)
{
	struct open_file place;
	bool known = task_place(run->args->session, task, which, &place) && place.path[0];

	/* A task that has ended has given them up. */
	uint64_t fs;
	bool lost = !known && (!kread(run->args->session, task->address, "task_struct", "fs", &fs) ||
			       fs);
	run->incomplete += lost || (known && place.incomplete);
	doc_field(run->args->doc, key, title, known ? cell_str(place.path) : cell_none());
}

static void add_task(struct files_run *run, const struct task *task)
{
	struct doc *doc = run->args->doc;
	struct walk_trouble trouble = { .count = 0 };
	bool cached = run->options.set[OPT_CACHED];
	char what[64], title[TASK_TITLE_MAX];

	run->rows = run->incomplete = 0;
	doc_record(doc, NULL, NULL);
	show_task_line(doc, task);
	add_place(run, task, PLACE_ROOT, "root", "ROOT");
	add_place(run, task, PLACE_CWD, "cwd", "CWD");
	doc_field(doc, "files_struct", NULL,
		  known_address(open_files_table(run->args->session, task)));
	doc_table(doc, "files", cached ? cached_columns : file_columns, array_size(file_columns));
	open_files_each(run->args->session, task, &trouble, add_file, run);
	if (!run->rows)
		doc_hidden(doc);
	doc_end(doc);
	if (!run->rows && !trouble.count)
		doc_textf(doc, STYLE_FAINT, run->options.set[OPT_REFERENCE] ? "None of its files."
									    : "No open files.");
	doc_end(doc);
	snprintf(what, sizeof(what), "open files of %s", task_title(task, title));
	show_trouble(doc, &trouble, what);
	if (run->incomplete)
		doc_remark(doc, REMARK_HOLE, "%s: of %zu files or folders the dentry, inode or "
			   "path is not wholly in the dump", what, run->incomplete);
}

/* --- -d --- */

static const struct column dentry_columns[] = {
	{ .key = "dentry", .title = "DENTRY" },
	{ .key = "inode", .title = "INODE" },
	{ .key = "super_block", .title = "SUPERBLK" },
	{ .key = "type", .title = "TYPE" },
	{ .key = "path", .title = "PATH", .style = STYLE_STRONG },
};

static struct error *show_dentry(struct command_args *args, const char *word)
{
	struct session *s = args->session;
	uint64_t dentry, inode, sb, mode = 0;
	char path[4096];

	struct error *err = parse_address(s, word, &dentry);
	if (err)
		return err;
	if (!kread(s, dentry, "dentry", "d_inode", &inode) || !kread(s, dentry, "dentry", "d_sb", &sb))
		return error_new(ERROR_MISSING, "the dentry %" PRIx64 " cannot be read", dentry);
	bool whole = mounted_dentry_path(s, dentry, path, sizeof(path));
	bool typed = inode && kread(s, inode, "inode", "i_mode", &mode);
	doc_table(args->doc, "dentries", dentry_columns, array_size(dentry_columns));
	doc_row(args->doc, cell_address(dentry),
		inode ? cell_address(inode) : cell_shown(cell_none(), "(none: negative)"),
		known_address(sb), typed ? cell_str(inode_type_name(mode)) : cell_none(),
		path[0] ? cell_str(path) : cell_none());
	doc_end(args->doc);
	if (!whole)
		doc_remark(args->doc, REMARK_HOLE, "parts of its path are not in the dump");
	return NULL;
}

/* --- -p, -n --- */

static const struct column page_columns[] = {
	{ .key = "page", .title = "PAGE" },
	{ .key = "physical", .title = "PHYSICAL", .right = true },
	{ .key = "mapping", .title = "MAPPING" },
	{ .key = "index", .title = "INDEX", .right = true },
	{ .key = "pages", .title = "PAGES", .right = true },
	{ .key = "refcount", .title = "CNT", .right = true },
	{ .key = "flags", .title = "FLAGS", .right = true },
	{ .key = "flag_names", .title = "" },
};

enum { NODES_MAX = 1024 };

struct page_run {
	struct command_args *args;
	uint64_t on_node[NODES_MAX];
	size_t unknown;
	bool rows;
};

static bool add_page(void *ctx, const struct cached_page *cached)
{
	struct page_run *run = ctx;
	struct session *s = run->args->session;
	struct page_info info;
	char flags[256];
	uint64_t pfn, pages = cached->last - cached->index + 1;

	bool known = pfn_of_page(s, cached->page, &pfn) && page_info(s, pfn, &info);
	if (known && info.node >= 0 && info.node < NODES_MAX)
		run->on_node[info.node] += pages;
	else
		run->unknown += pages;
	if (!run->rows)
		return true;
	if (known)
		page_flags_text(s, info.flags, flags, sizeof(flags));
	doc_row(run->args->doc, cell_address(cached->page),
		known ? cell_hex(pfn << PAGE_SHIFT) : cell_none(),
		known ? cell_address(info.mapping) : cell_none(), cell_hex(cached->index),
		cell_udec(pages), known ? cell_dec(info.refcount) : cell_none(),
		known ? cell_hex(info.flags) : cell_none(), known ? cell_str(flags) : cell_none());
	return true;
}

static const struct column node_columns[] = {
	{ .key = "node", .title = "NODE", .right = true },
	{ .key = "pages", .title = "PAGES", .right = true },
};

static struct error *show_pages(struct command_args *args, const char *word, bool nodes)
{
	struct session *s = args->session;
	struct page_run run = { .args = args, .rows = !nodes };
	struct walk_trouble trouble = { .count = 0 };
	uint64_t inode, mapping, pages;
	char path[4096];

	struct error *err = parse_address(s, word, &inode);
	if (err)
		return err;
	if (!kread(s, inode, "inode", "i_mapping", &mapping) ||
	    !kread(s, mapping, "address_space", "nrpages", &pages))
		return error_new(ERROR_MISSING, "the inode %" PRIx64 " cannot be read", inode);
	doc_record(args->doc, "inode", NULL);
	doc_field(args->doc, "address", "INODE", cell_address(inode));
	bool whole = inode_path(s, inode, path, sizeof(path)) || !path[0];
	doc_field(args->doc, "path", "PATH", path[0] ? cell_str(path) : cell_none());
	doc_field(args->doc, "mapping", "MAPPING", cell_address(mapping));
	doc_field(args->doc, "cached_pages", "NRPAGES", cell_udec(pages));
	doc_table(args->doc, nodes ? "nodes" : "pages", nodes ? node_columns : page_columns,
		  nodes ? array_size(node_columns) : array_size(page_columns));
	cached_pages_each(s, inode, &trouble, add_page, &run);
	for (int i = 0; nodes && i < NODES_MAX; i++) {
		if (run.on_node[i])
			doc_row(args->doc, cell_dec(i), cell_udec(run.on_node[i]));
	}
	doc_end(args->doc);
	doc_end(args->doc);
	if (!whole)
		doc_remark(args->doc, REMARK_HOLE, "parts of its path are not in the dump");
	show_trouble(args->doc, &trouble, "pages of the file");
	if (run.unknown)
		doc_remark(args->doc, REMARK_HOLE, "%zu struct pages are not in the dump",
			   run.unknown);
	return NULL;
}

/* --- The command --- */

static struct error *show_tasks(struct files_run *run)
{
	struct command_args *args = run->args;
	const struct task *task;
	struct error *err = NULL;

	for (int i = 0; i < run->options.word_count || i == 0; i++) {
		const char *word = run->options.word_count ? run->options.words[i] : NULL;
		err = task_or_current(args->session, word, &task);
		if (!err)
			add_task(run, task);
		else if (run->options.word_count > 1)
			doc_remark(args->doc, REMARK_ERROR, "%s", err->message);
		else
			return err;
		error_free(err);
	}
	return NULL;
}

static struct error *run_files(struct command_args *args)
{
	struct files_run run = { .args = args };

	struct error *err = options_parse(args, files_option_table, array_size(files_option_table),
					  &run.options);
	if (err)
		return err;
	if (run.options.set[OPT_DENTRY])
		return show_dentry(args, run.options.value[OPT_DENTRY]);
	if (run.options.set[OPT_PAGES])
		return show_pages(args, run.options.value[OPT_PAGES], false);
	if (run.options.set[OPT_NODES])
		return show_pages(args, run.options.value[OPT_NODES], true);
	if (run.options.set[OPT_REFERENCE])
		error_free(parse_address(args->session, run.options.value[OPT_REFERENCE],
					 &run.number));
	doc_array(args->doc, "open_files", NULL);
	err = show_tasks(&run);
	doc_end(args->doc);
	return err;
}

const struct command command_files = {
	.name = "files",
	.usage = "[-c] [-R REF] [PID|TASK ...] | -d DENTRY | -p INODE | -n INODE",
	.summary = "open files of tasks",
	.help = "The root and working folder of tasks and the files they have open, by default of the\n"
		"current one. TYPE UNKN: an inode without a type, as of eventfd().\n"
		"  -c         in place of FILE and DENTRY the address_space, and how many pages of the\n"
		"             file are in the page cache\n"
		"  -R REF     only the descriptor, file, dentry, inode or path (or its last part; * and ?\n"
		"             may be in it) that this names\n"
		"  -d DENTRY  a dentry's inode, super block and path\n"
		"  -p INODE   the pages of a file that are in the page cache; -n  how many on which node\n"
		"Examples: files | files 1 | files -c 1 | files -R null",
	.run = run_files,
};
