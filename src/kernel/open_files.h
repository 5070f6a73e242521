/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files that a task has open, where it is, and pages of files. */
#pragma once

#include "kernel/session.h"
#include "kernel/tasks.h"
#include "kernel/walk.h"

/* An open file, or with fd -1 another thing that a path leads to. 0: unknown, or there is none. */
struct open_file {
	int64_t fd;
	uint64_t file, dentry, inode;
	uint64_t mode;       /* inode.i_mode; 0 unknown */
	bool incomplete;     /* some of it, or of its path, is not in the dump */
	char path[4096];     /* "" unknown */
};

/*
 * The open files of @task in order of their descriptors. What of the table is not in the dump is
 * told in @trouble. Threads of one process have one table.
 */
typedef bool (*open_file_fn)(void *ctx, const struct open_file *file);
void open_files_each(struct session *s, const struct task *task, struct walk_trouble *trouble,
		     open_file_fn fn, void *ctx);
/* The same, the struct files alone. @task: address of a task_struct. */
typedef bool (*open_slot_fn)(void *ctx, int64_t fd, uint64_t file);
void open_slots_each(struct session *s, uint64_t task, struct walk_trouble *trouble,
		     open_slot_fn fn, void *ctx);
/* The table itself, a struct files_struct; 0: none, or unknown. */
uint64_t open_files_table(struct session *s, const struct task *task);
/* The file at @file, as an entry of a table. */
void open_file_read(struct session *s, uint64_t file, struct open_file *out);

enum task_place { PLACE_ROOT, PLACE_CWD, PLACE_EXE };
/* Where the task's root and working folder are, and what it executes. False: unknown, or none. */
bool task_place(struct session *s, const struct task *task, enum task_place which,
		struct open_file *place);

/* "REG", "DIR", "CHR", "BLK", "FIFO", "SOCK", "LNK"; "UNKN" of an inode without a type (eventfd). */
const char *inode_type_name(uint64_t mode);

/* Pages of the page cache of an inode: from its address_space. */
struct cached_page {
	uint64_t page; /* struct page or folio */
	uint64_t index, last; /* in pages of the file, for all that it covers */
};
typedef bool (*cached_page_fn)(void *ctx, const struct cached_page *page);
bool cached_pages_each(struct session *s, uint64_t inode, struct walk_trouble *trouble,
		       cached_page_fn fn, void *ctx);
