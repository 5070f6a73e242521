/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has what others wait for: a part of wait_graph.c. */
#pragma once

#include "forensics/wait_graph.h"

/* Fills the owners of all resources of @graph. */
void wait_owners_find(struct session *s, struct wait_graph *graph);
/*
 * Does the running @task spin until another CPU has answered a call? Then @wait says so; its object
 * is that CPU's number plus 1.
 */
void wait_for_cpu(struct session *s, const struct task *task, struct stack *stack,
		  struct wait *wait, struct arena *arena);
/*
 * Can @task, which a lock's owner word leads to, have taken such a lock on its way to where it is?
 * False: it is as good as certain that it did not; it may have that task_struct of one that exited.
 */
bool owner_word_fits(struct session *s, const struct task *task, enum lock_kind kind);
