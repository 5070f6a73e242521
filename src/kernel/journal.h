/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Journals of file systems (jbd2: ext4, ocfs2), as far as tasks wait for them. One thread ends
 * ("commits") the transactions of a journal; before that each change that was begun in it (a handle)
 * must be whole.
 */
#pragma once

#include "kernel/session.h"
#include "kernel/tasks.h"

/* What a task that waits at one of a journal's queues waits for. */
enum journal_wait {
	JOURNAL_NEW_TRANSACTION, /* until one may be begun, or changes are let in again */
	JOURNAL_COMMIT,          /* the end of a commit */
	JOURNAL_HANDLES,         /* the ends of all changes that were begun */
	JOURNAL_ROOM,            /* room that others have reserved */
};

struct journal {
	uint64_t address;        /* of its struct journal_s */
	enum journal_wait wait;
	const struct task *task; /* its thread */
	char name[56];           /* "sda1-8" */
};

/* The journal that the wait_queue_head at @queue is one of. False: it is none's. */
bool journal_of_queue(struct session *s, uint64_t queue, struct journal *journal);
/* @queue itself where it is one of a journal's; 0. */
uint64_t journal_queue(struct session *s, uint64_t queue);
const char *journal_wait_name(enum journal_wait wait);
/* The address of the mutex by which somebody keeps all changes out of the journal; 0: nobody does. */
uint64_t journal_barrier(struct session *s, const struct journal *journal);
/* Has @task begun a change in the transaction that the journal ends, or is to end next? */
bool journal_has_handle(struct session *s, const struct journal *journal, const struct task *task);
