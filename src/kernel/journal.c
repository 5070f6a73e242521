// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A journal's wait queues lie in its struct journal_s; that it is one is seen by its thread, which
 * is called "jbd2/" and the journal's name. A task keeps the handle of what it changes in
 * task_struct.journal_info, as other file systems do with theirs.
 *
 * Source, in linux/: include/linux/jbd2.h (struct journal_s, jbd2_journal_handle, transaction_s),
 * fs/jbd2/transaction.c, commit.c.
 */
#include "kernel/journal.h"

#include <string.h>

#include "base/strbuf.h"

enum { BARRIERS_MAX = 1 << 20 };

static const struct {
	const char *queue;
	enum journal_wait wait;
} queues[] = {
	{ "j_wait_transaction_locked", JOURNAL_NEW_TRANSACTION },
	{ "j_wait_done_commit", JOURNAL_COMMIT },
	{ "j_wait_updates", JOURNAL_HANDLES },
	{ "j_wait_reserved", JOURNAL_ROOM },
};

bool journal_of_queue(struct session *s, uint64_t queue, struct journal *journal)
{
	for (size_t i = 0; i < array_size(queues); i++) {
		uint64_t offset, task;
		if (!koffset(s, "journal_s", queues[i].queue, &offset))
			continue;
		*journal = (struct journal){ .address = queue - offset, .wait = queues[i].wait };
		if (!kread(s, journal->address, "journal_s", "j_task", &task) || !task)
			continue;
		journal->task = task_by_address(s, task);
		if (!journal->task || !starts_with(journal->task->comm, "jbd2/"))
			continue;
		kread_string(s, journal->address, "journal_s", "j_devname", journal->name,
			     sizeof(journal->name));
		return true;
	}
	return false;
}

uint64_t journal_queue(struct session *s, uint64_t queue)
{
	struct journal journal;

	return journal_of_queue(s, queue, &journal) ? queue : 0;
}

const char *journal_wait_name(enum journal_wait wait)
{
	static const char *const names[] = {
		[JOURNAL_NEW_TRANSACTION] = "its next transaction",
		[JOURNAL_COMMIT] = "the end of a commit",
		[JOURNAL_HANDLES] = "the end of the changes begun in it",
		[JOURNAL_ROOM] = "room in it",
	};

	return names[wait];
}

uint64_t journal_barrier(struct session *s, const struct journal *journal)
{
	uint64_t count, offset;

	return kread(s, journal->address, "journal_s", "j_barrier_count", &count) && count &&
			       count < BARRIERS_MAX && koffset(s, "journal_s", "j_barrier", &offset)
		       ? journal->address + offset : 0;
}

bool journal_has_handle(struct session *s, const struct journal *journal, const struct task *task)
{
	uint64_t handle, transaction, running = 0, committing = 0;

	if (!kread(s, task->address, "task_struct", "journal_info", &handle) || !handle ||
	    !kread(s, handle, "jbd2_journal_handle", "h_transaction", &transaction) || !transaction)
		return false;
	(void)kread(s, journal->address, "journal_s", "j_running_transaction", &running);
	(void)kread(s, journal->address, "journal_s", "j_committing_transaction", &committing);
	return transaction == running || transaction == committing;
}
