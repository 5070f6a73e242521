/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unique stacks: tasks whose stacks have the same return addresses from the innermost frame to the
 * outermost fall into one group. Groups are sorted, that of most tasks first; of as many, that of
 * the lowest pid.
 */
#pragma once

#include "kernel/tasks.h"

struct stack_group {
	const struct task *const *tasks; /* by pid */
	size_t count;
	struct frame *frames;            /* of the first task; stack pointers are its own */
	size_t depth;                    /* 0: these tasks have no kernel stack, see reason */
	enum stack_end end;
	const char *reason;              /* with STACK_END_INCOMPLETE; "" otherwise */
};

struct stack_fold {
	struct stack_group *groups;
	size_t count;
	size_t tasks, incomplete; /* of all groups: tasks, and those not followed to the end */
	bool stopped;             /* the user had enough: these are not all */
	struct arena arena;       /* owns all of the above */
};

/* Follows the stacks of @count tasks on all cores and folds them. Free with stack_fold_deinit(). */
void stack_fold_create(struct session *s, const struct task *const *of, size_t count,
		       struct stack_fold *fold);
void stack_fold_deinit(struct stack_fold *fold);

/*
 * Does a frame of the group lie in a function of that name (with * and ?; what compilers add to
 * names, ".isra.0", may be left out), in that module ("vmlinux": the kernel itself)? NULL: any. Both
 * must hold for the same frame.
 */
bool stack_group_has(struct session *s, const struct stack_group *group, const char *function,
		     const char *module);
