/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals: what a task does with each, which it blocks, which wait for it. */
#pragma once

#include "kernel/tasks.h"
#include "kernel/walk.h"

enum { SIGNALS_MAX = 64, SIGNALS_QUEUED_MAX = 4096 };

/* include/uapi/asm-generic/signal-defs.h */
enum { SIGNAL_DEFAULT = 0, SIGNAL_IGNORED = 1 };

struct signal_action {
	uint64_t address; /* of the struct k_sigaction */
	uint64_t handler; /* SIGNAL_DEFAULT, SIGNAL_IGNORED, or an address of user space */
	uint64_t mask, flags;
	bool known;
};

/* A struct sigqueue: a signal that was sent with more than its number. */
struct signal_queued {
	uint64_t address;
	uint64_t siginfo;  /* address of its kernel_siginfo */
	int32_t signal, code;
	int32_t pid;       /* the sender, where the code says that there is one */
	uint64_t uid, value; /* value: of sigqueue(), a timer or a message queue; the child's status */
	bool known, has_sender, has_value;
};

/* Signals are bit (number - 1) of a set. A set that cannot be read is not known. */
struct signal_set {
	uint64_t bits;
	bool known;
};

struct signal_queue {
	struct signal_set set;
	struct signal_queued *queued; /* in order of arrival */
	size_t count;
	struct walk_trouble trouble;
};

struct task_signals {
	uint64_t signal, sighand; /* addresses; 0: the task has none any more, or not known */
	bool signal_known, sighand_known;
	uint64_t threads;         /* of its process */
	bool threads_known;
	unsigned count;           /* of signals: 64 */
	struct signal_action action[SIGNALS_MAX + 1]; /* by number */
	struct signal_set blocked, ignored, caught;
	struct signal_queue own, shared; /* for this thread, for any of the process */
	/* Is one there that is not blocked? Only with all sets known. */
	bool deliverable, deliverable_known;
};

/* Reads all of it; what cannot be read is not known. Free with task_signals_deinit(). */
void task_signals_read(struct session *s, const struct task *task, struct task_signals *signals);
void task_signals_deinit(struct task_signals *signals);

/* "SIGHUP", "SIGRTMIN+2"; @size of 16 is enough. */
void signal_name(unsigned number, char *buf, size_t size);
/* Of a siginfo's code: "SI_USER", "SI_QUEUE"; NULL when it is one that belongs to the signal. */
const char *signal_code_name(int32_t code);
/* "SA_RESTART|SA_SIGINFO", "" for none; bits without a name as a number. */
void signal_flags_text(uint64_t flags, char *buf, size_t size);
