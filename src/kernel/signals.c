// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Signals of a task. Numbers and names are x86's (arch/x86/include/uapi/asm/signal.h); real-time
 * signals count from the kernel's SIGRTMIN, 32 (glibc keeps two for itself, and begins at 34).
 *
 * What a process does with each is sighand->action[number - 1], shared by its threads. What waits
 * is task->pending for the thread and signal->shared_pending for the process: a set of bits and a
 * list of struct sigqueue, one for each signal that came with a siginfo (kernel/signal.c). Plain
 * signals are queued once, real-time ones each time.
 */
#include "kernel/signals.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/lists.h"

enum {
	SIG_RTMIN = 32,
	/* include/uapi/asm-generic/siginfo.h */
	CODE_USER = 0,
	CODE_KERNEL = 0x80,
	CODE_QUEUE = -1,
	CODE_TIMER = -2,
	CODE_MESGQ = -3,
	CODE_TKILL = -6,
	SIGNAL_CHILD = 17,
};

static const char *const names[SIG_RTMIN] = {
	"", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE",
	"SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT",
	"SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU",
	"SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
};

void signal_name(unsigned number, char *buf, size_t size)
{
	if (number < SIG_RTMIN)
		snprintf(buf, size, "%s", names[number]);
	else if (number == SIG_RTMIN)
		snprintf(buf, size, "SIGRTMIN");
	else if (number == SIGNALS_MAX)
		snprintf(buf, size, "SIGRTMAX");
	else
		snprintf(buf, size, "SIGRTMIN+%u", number - SIG_RTMIN);
}

const char *signal_code_name(int32_t code)
{
	static const struct {
		int32_t code;
		const char *name;
	} codes[] = {
		{ CODE_USER, "SI_USER" },   { CODE_KERNEL, "SI_KERNEL" }, { CODE_QUEUE, "SI_QUEUE" },
		{ CODE_TIMER, "SI_TIMER" }, { CODE_MESGQ, "SI_MESGQ" },   { -4, "SI_ASYNCIO" },
		{ -5, "SI_SIGIO" },         { CODE_TKILL, "SI_TKILL" },   { -7, "SI_DETHREAD" },
		{ -60, "SI_ASYNCNL" },
	};

	for (size_t i = 0; i < array_size(codes); i++) {
		if (codes[i].code == code)
			return codes[i].name;
	}
	return NULL;
}

void signal_flags_text(uint64_t flags, char *buf, size_t size)
{
	/* include/uapi/asm-generic/signal-defs.h, arch/x86/include/uapi/asm/signal.h */
	static const struct {
		uint64_t bit;
		const char *name;
	} all[] = {
		{ 0x1, "SA_NOCLDSTOP" },        { 0x2, "SA_NOCLDWAIT" },
		{ 0x4, "SA_SIGINFO" },          { 0x400, "SA_UNSUPPORTED" },
		{ 0x800, "SA_EXPOSE_TAGBITS" }, { 0x800000, "SA_IMMUTABLE" },
		{ 0x4000000, "SA_RESTORER" },   { 0x8000000, "SA_ONSTACK" },
		{ 0x10000000, "SA_RESTART" },   { 0x40000000, "SA_NODEFER" },
		{ 0x80000000, "SA_RESETHAND" },
	};
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < array_size(all); i++) {
		if (!(flags & all[i].bit) || used >= size)
			continue;
		int n = snprintf(buf + used, size - used, "%s%s", used ? "|" : "", all[i].name);
		used += n > 0 ? (size_t)n : 0;
		flags &= ~all[i].bit;
	}
	if (flags && used < size)
		snprintf(buf + used, size - used, "%s0x%" PRIx64, used ? "|" : "", flags);
}

/* A sigset_t: one word on 64-bit machines. */
static struct signal_set read_set(struct session *s, uint64_t object, const char *type,
				  const char *member)
{
	struct signal_set set = { 0 };

	set.known = object && kread(s, object, type, member, &set.bits);
	return set;
}

/* --- What waits. --- */

static void read_sender(struct session *s, struct signal_queued *q)
{
	uint64_t pid = 0;
	bool timer = q->code == CODE_TIMER, child = q->signal == SIGNAL_CHILD && q->code > 0;

	/* Positive codes are the signal's own: faults and polls have no sender. */
	if (q->code == CODE_KERNEL || (q->code > 0 && !child))
		return;
	if (!timer) {
		q->has_sender =
			kread(s, q->address, "sigqueue",
			      child ? "info._sifields._sigchld._pid" : "info._sifields._kill._pid",
			      &pid) &&
			kread(s, q->address, "sigqueue",
			      child ? "info._sifields._sigchld._uid" : "info._sifields._kill._uid",
			      &q->uid);
		q->pid = (int32_t)pid;
	}
	if (child)
		q->has_value = kread(s, q->address, "sigqueue", "info._sifields._sigchld._status",
				     &q->value);
	else if (timer)
		q->has_value = kread(s, q->address, "sigqueue", "info._sifields._timer._sigval",
				     &q->value);
	else if (q->code == CODE_QUEUE || q->code == CODE_MESGQ)
		q->has_value = kread(s, q->address, "sigqueue", "info._sifields._rt._sigval",
				     &q->value);
}

static void read_queued(struct session *s, struct signal_queued *q)
{
	uint64_t number, code, offset;

	if (!koffset(s, "sigqueue", "info", &offset))
		return;
	q->siginfo = q->address + offset;
	q->known = kread(s, q->address, "sigqueue", "info.si_signo", &number) &&
		   kread(s, q->address, "sigqueue", "info.si_code", &code);
	if (!q->known)
		return;
	q->signal = (int32_t)number;
	q->code = (int32_t)code;
	read_sender(s, q);
}

/* @at: the struct sigpending. */
static void read_queue(struct session *s, uint64_t at, struct signal_queue *queue)
{
	struct list_walk walk;
	uint64_t list, link, offset;

	queue->set = read_set(s, at, "sigpending", "signal");
	if (!koffset(s, "sigpending", "list", &list) || !koffset(s, "sigqueue", "list", &offset) ||
	    !queue->set.known)
		return;
	list_walk_from_head(&walk, s, LIST_DOUBLE, at + list);
	while (queue->count < SIGNALS_QUEUED_MAX && list_walk_step(&walk, &link)) {
		queue->queued = xreallocarray(queue->queued, queue->count + 1,
					      sizeof(*queue->queued));
		struct signal_queued *q = &queue->queued[queue->count++];
		*q = (struct signal_queued){ .address = link - offset };
		read_queued(s, q);
	}
	queue->trouble = walk.trouble;
	list_walk_fini(&walk);
}

/* --- What it does with them. --- */

static bool read_action(struct session *s, uint64_t address, struct signal_action *action)
{
	action->address = address;
	action->known = kread(s, address, "k_sigaction", "sa.sa_handler", &action->handler) &&
			kread(s, address, "k_sigaction", "sa.sa_flags", &action->flags) &&
			kread(s, address, "k_sigaction", "sa.sa_mask", &action->mask);
	return action->known;
}

static void read_actions(struct session *s, struct task_signals *signals)
{
	uint64_t offset, size = types_sizeof(s->types, "k_sigaction");

	if (!signals->sighand || !size || !koffset(s, "sighand_struct", "action", &offset))
		return;
	bool all = true;
	for (unsigned i = 1; i <= SIGNALS_MAX; i++) {
		struct signal_action *action = &signals->action[i];
		if (!read_action(s, signals->sighand + offset + (i - 1) * size, action)) {
			all = false;
			continue;
		}
		if (action->handler == SIGNAL_IGNORED)
			signals->ignored.bits |= UINT64_C(1) << (i - 1);
		else if (action->handler != SIGNAL_DEFAULT)
			signals->caught.bits |= UINT64_C(1) << (i - 1);
	}
	signals->ignored.known = signals->caught.known = all;
}

void task_signals_read(struct session *s, const struct task *task, struct task_signals *signals)
{
	uint64_t offset;

	*signals = (struct task_signals){ .count = SIGNALS_MAX };
	signals->signal_known =
		kread(s, task->address, "task_struct", "signal", &signals->signal);
	signals->sighand_known =
		kread(s, task->address, "task_struct", "sighand", &signals->sighand);
	signals->threads_known = signals->signal &&
				 kread(s, signals->signal, "signal_struct", "nr_threads",
				       &signals->threads);
	signals->blocked = read_set(s, task->address, "task_struct", "blocked");
	read_actions(s, signals);
	if (koffset(s, "task_struct", "pending", &offset))
		read_queue(s, task->address + offset, &signals->own);
	if (signals->signal && koffset(s, "signal_struct", "shared_pending", &offset))
		read_queue(s, signals->signal + offset, &signals->shared);
	signals->deliverable_known = signals->blocked.known && signals->own.set.known &&
				     signals->signal_known &&
				     (signals->shared.set.known || !signals->signal);
	signals->deliverable = ((signals->own.set.bits | signals->shared.set.bits) &
				~signals->blocked.bits) != 0;
}

void task_signals_deinit(struct task_signals *signals)
{
	free(signals->own.queued);
	free(signals->shared.queued);
	signals->own = signals->shared = (struct signal_queue){ 0 };
}
