// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * bt -v: tasks whose kernel stack has overflowed, by what is left of its low end, its stack pointer
 * and its CPU number; and which stack has the least room left that was never used. JSON has all.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/strbuf.h"
#include "commands/bt_views.h"
#include "kernel/stack_look.h"

static const struct column columns[] = {
	{ .key = "pid" }, { .key = "task" }, { .key = "comm" }, { .key = "stack" },
	{ .key = "size" }, { .key = "overflowed" }, { .key = "magic" }, { .key = "sp" },
	{ .key = "unused" }, { .key = "trouble" },
};

struct check_run {
	struct command_args *args;
	size_t checked, unknown, troubled;
	const struct task *tightest;
	int64_t least; /* bytes that tightest never used */
};

static void trouble_text(const struct stack_check *check, struct strbuf *text)
{
	if (check->trouble & STACK_MAGIC_LOST)
		strbuf_addf(text, "%sthe mark at the low end is gone: %016" PRIx64 " in its place",
			    text->len ? "; " : "", check->magic);
	if (check->trouble & STACK_SP_OUTSIDE)
		strbuf_addf(text, "%sthe stack pointer %016" PRIx64 " is not on it",
			    text->len ? "; " : "", check->sp);
	if (check->trouble & STACK_CPU_INVALID)
		strbuf_addf(text, "%sits CPU does not exist", text->len ? "; " : "");
	if (check->trouble & STACK_BACKLINK)
		strbuf_addf(text, "%sthread_info does not point to the task", text->len ? "; " : "");
}

static void check_task(struct check_run *run, const struct task *task)
{
	struct session *s = run->args->session;
	struct doc *doc = run->args->doc;
	struct stack_check check;
	auto_strbuf trouble = { 0 };
	char *comm = arena_strndup(&doc->arena, task->comm, sizeof(task->comm));

	task_stack_check(s, task, &check);
	if (check.freed)
		return;
	run->checked++;
	run->unknown += !check.known;
	if (check.unused >= 0 && (!run->tightest || check.unused < run->least)) {
		run->tightest = task;
		run->least = check.unused;
	}
	trouble_text(&check, &trouble);
	doc_row(doc, task_is_named(task) ? cell_dec(task->pid) : cell_none(),
		cell_hex(task->address), cell_str(comm),
		check.low ? cell_hex(check.low) : cell_none(),
		check.size ? cell_udec(check.size) : cell_none(), cell_bool(check.trouble != 0),
		check.known ? cell_hex(check.magic) : cell_none(),
		check.has_sp ? cell_hex(check.sp) : cell_none(),
		check.unused >= 0 ? cell_dec(check.unused) : cell_none(),
		cell_str(trouble.len ? trouble.data : NULL));
	doc_row_hide(doc);
	if (!check.trouble)
		return;
	run->troubled++;
	doc_textf(doc, STYLE_BAD, "PID: %d  TASK: %016" PRIx64 "  CPU: %d  COMMAND: \"%s\"  STACK: %016"
		  PRIx64 ": %s", task->pid, task->address, task->cpu, comm, check.low, trouble.data);
}

void bt_check(struct command_args *args, const struct bt_tasks *of)
{
	struct check_run run = { .args = args };
	struct doc *doc = args->doc;

	doc_table(doc, "stack_checks", columns, array_size(columns));
	doc_bare(doc);
	for (size_t i = 0; i < of->count && !session_stopped(args->session); i++)
		check_task(&run, of->data[i]);
	doc_end(doc);
	doc_textf(doc, run.troubled ? STYLE_BAD : STYLE_PLAIN, "%zu of %zu stacks have overflowed",
		  run.troubled, run.checked);
	if (run.tightest)
		doc_textf(doc, STYLE_PLAIN, "the least room left: %" PRId64 " bytes never used on the "
			  "stack of task %d (%.*s)", run.least, run.tightest->pid,
			  (int)sizeof(run.tightest->comm), run.tightest->comm);
	if (run.unknown)
		doc_remark(doc, REMARK_HOLE, "the low ends of %zu stack%s are not in the dump",
			   run.unknown, run.unknown == 1 ? "" : "s");
}
