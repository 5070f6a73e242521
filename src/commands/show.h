/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to commands/: small things that commands about subsystems show alike. */
#pragma once

#include "commands/args.h"
#include "kernel/walk.h"

/*
 * The whole @type ("struct mm_struct") at @address as `struct` shows it, as a record of the current
 * node: "type", "address", "size", "members". What is not in the dump becomes a remark.
 */
struct error *show_object(struct command_args *args, const char *type, uint64_t address, bool hex,
			  bool decimal) must_check;
/* The heading that crash has above what belongs to a task; keys "pid", "task", "comm". */
void show_task_line(struct doc *doc, const struct task *task);
/* Its pid, its CPU; nothing where that is not in the dump. */
struct cell pid_cell(const struct task *task);
struct cell cpu_cell(const struct task *task);
/* A remark on tasks of which it is not known whether they are the kernel's own, if there are any. */
void show_unknown_kinds(struct doc *doc, const struct task *all, size_t count);
/* A remark on what a walk met, if it met anything: "@what: ...". */
void show_trouble(struct doc *doc, const struct walk_trouble *trouble, const char *what);
/* Bytes as "12k" in text. */
struct cell size_cell(bool known, uint64_t bytes, char *buf, size_t size);
