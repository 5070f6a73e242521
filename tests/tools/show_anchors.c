// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * show_anchors DUMP: for every frame of every task what the kernel must have passed, which is what
 * kernel/anchors.h tells: "anchor PID FUNCTION ENTRY-SP REGISTER VALUE WHY", and "syscall PID NUMBER
 * NAME ARG..."; for the tests, which know the truth.
 */
#include <inttypes.h>
#include <stdio.h>

#include "kernel/anchors.h"

static void show_stack(struct session *s, const struct task *task)
{
	struct anchor anchors[ANCHORS_MAX];
	struct syscall_entry call;
	struct stack stack;
	struct symbol symbol;

	task_stack(s, task, &stack);
	for (size_t i = 0; i < stack.count; i++) {
		const struct frame *f = &stack.frames[i];
		size_t n = anchors_of(s, task, &stack, i, anchors);
		for (size_t k = 0; k < n; k++) {
			if (symbols_by_address(s->symbols, f->pc - f->is_call, &symbol))
				printf("anchor %d %s %" PRIx64 " %s %" PRIx64 " %s\n", task->pid,
				       symbol.name, f->cfa - 8,
				       s->arch->reg_names[anchors[k].reg], anchors[k].value,
				       anchors[k].why);
		}
	}
	if (syscall_of(s, task, &stack, &call)) {
		printf("syscall %d %" PRId64 " %s", task->pid, call.number,
		       *call.name ? call.name : "?");
		for (unsigned i = 0; i < call.arg_count; i++)
			printf(" %" PRIx64, call.args[i]);
		printf("\n");
	}
	stack_deinit(&stack);
}

int main(int argc, char **argv)
{
	struct session_options options = { .paths = (const char *const *)argv + 1,
					   .path_count = 1, .debug = { .off = true } };
	struct session *s;
	size_t count;

	if (argc != 2)
		return 2;
	struct error *err = session_open(&options, &s);
	if (err) {
		fprintf(stderr, "%s\n", err->message);
		error_free(err);
		return 1;
	}
	const struct task *all = tasks(s, &count);
	for (size_t i = 0; i < count; i++)
		show_stack(s, &all[i]);
	session_close(s);
	return 0;
}
