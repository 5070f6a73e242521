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
/* Which RCU a task waits for: the address of rcu_state, rcu_tasks ...; 0: not known. */
uint64_t wait_rcu_flavour(struct session *s, const struct task *task, struct stack *stack,
			  const struct wait *wait);
/*
 * Can @task, which the owner word of the lock leads to, have taken it on its way to where it is?
 * False: it is as good as certain that it did not; it may have that task_struct of one that exited.
 */
bool owner_word_fits(struct session *s, const struct task *task, enum lock_kind kind,
		     uint64_t lock);
/* How the clocks of run queues and of tasks' starts are related; found on first use. */
struct owner_clocks {
	bool tried, known;
	int64_t ahead; /* by how many ns run queues' are */
};
/* Did @owner, which the lock's owner word leads to, begin when others waited for the lock already? */
bool owner_word_younger(struct session *s, const struct wait_graph *graph, size_t resource,
			const struct task *owner, struct owner_clocks *clocks);
