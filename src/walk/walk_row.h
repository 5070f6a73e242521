/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to walk/: the tables, and what walkers share. */
#pragma once

#include "kernel/tasks.h"
#include "walk/walk.h"

struct walker_table {
	const struct walker *rows;
	size_t count;
};
struct field_table {
	const struct walk_field *rows;
	size_t count;
};

extern const struct walker_table walkers_tasks, walkers_memory, walkers_files, walkers_lists;
extern const struct field_table fields_tasks, fields_memory, fields_files, fields_lists;

/* Gives @fn the object at @address. */
bool walk_give(walk_fn fn, void *ctx, uint64_t address);
/* The number or address that word @i is. */
struct error *walk_address(const struct walk_input *input, int i, uint64_t *address) must_check;
/* A PID, or what gives the address of a task_struct; without the word the chosen task. */
struct error *walk_task(const struct walk_input *input, int i, const struct task **task) must_check;
/* "task_struct" or "struct task_struct". */
struct error *walk_type(struct session *s, const char *word, struct type *type) must_check;
/* "TYPE.MEMBER" */
struct error *walk_type_member(struct session *s, const char *word, struct type *type,
			       struct member *member) must_check;
