/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What bt shows in place of frames: private to bt*.c. */
#pragma once

#include "base/vec.h"
#include "commands/args.h"
#include "commands/bt.h"

struct bt_tasks {
	vec_fields(const struct task *);
};

/* What a stack must hold to be shown. */
struct bt_ref {
	const char *symbol; /* a function's name with * and ?, or any symbol's; NULL: an address */
	const char *module; /* frames in this module; NULL: any */
	bool has_range;     /* it is data or an address: words in [low, high) count too */
	uint64_t low, high;
	bool any;           /* nothing was asked for */
};

struct error *bt_ref_parse(struct session *s, const char *word, const char *module,
			   struct bt_ref *ref) must_check;
bool bt_ref_holds(struct session *s, const struct bt_ref *ref, const struct task *task,
		  const struct stack *stack);

/* -u: stacks that are the same, once. */
void bt_unique(struct command_args *args, const struct bt_tasks *of, const struct bt_ref *ref,
	       const struct bt_options *options);
/* -r: the words of the whole stack; -t, -T: its text symbols from the frame or the base on. */
enum bt_whole { BT_RAW, BT_TEXT, BT_TEXT_ALL };
void bt_whole_stack(struct session *s, struct doc *doc, const struct task *task,
		    enum bt_whole how, const struct bt_options *options);
/* -e: the registers that exceptions left on a task's stack. */
void bt_exceptions(struct session *s, struct doc *doc, const struct task *task,
		   const struct bt_options *options);
/* -E: the same of the stacks that belong to CPUs; @wanted NULL: of all CPUs. */
struct error *bt_cpu_exceptions(struct command_args *args, const bool *wanted) must_check;
/* -v: which stacks have overflowed. */
void bt_check(struct command_args *args, const struct bt_tasks *of);
