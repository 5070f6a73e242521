// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * panic() was called: by request, by a policy (watchdogs, limits), or by code that could not go
 * on. The message tells which; texts are those of the kernel's panic() calls.
 */
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/checks.h"
#include "diagnosis/hardware.h"
#include "diagnosis/init_death.h"
#include "diagnosis/oom.h"
#include "diagnosis/panic_reasons.h"
#include "diagnosis/request.h"
#include "diagnosis/settings.h"
#include "diagnosis/waiting.h"
#include "diagnosis/watched.h"

/* "INFO: task NAME:PID blocked for more than": the last one. @end: of the PID; NULL where none is. */
static const struct log_record *hung_record(const struct facts *facts, const char **end)
{
	/* The second since 7.3. */
	static const char *const words[] = { " blocked for more than",
					     " blocked in I/O wait for more than" };
	const struct log_record *last = NULL;

	*end = NULL;
	for (size_t i = 0; i < array_size(words); i++) {
		const struct log_record *r = facts_log_find_last(facts, words[i]);
		if (r && (!last || r > last)) {
			last = r;
			*end = strstr(r->text, words[i]);
		}
	}
	return last;
}

/* The log line of the watchdog that speaks of the policy, for evidence: the last of its kind. */
static const struct log_record *policy_line(const struct facts *facts, const char *kind)
{
	static const struct {
		const char *kind, *text;
	} lines[] = {
		{ "softlockup", "soft lockup - CPU#" }, { "hardlockup", "hard LOCKUP on cpu" },
		{ "rcu-stall", "detected stalls on CPUs/tasks" },
		{ "rcu-stall", "self-detected stall" },
		{ "oom", "invoked oom-killer" },
		{ "file-system-panic", "-fs error (device" },
		{ "file-system-panic", "BTRFS error" },
		{ "file-system-panic", "BTRFS: error" },
		{ "file-system-panic", "JBD2: " },
		{ "file-system-panic", "OCFS2: ERROR" },
		{ "file-system-panic", "OCFS2: error" },
		{ "file-system-panic", ": fatal: " },
		{ "file-system-panic", "device-mapper: verity: " },
	};

	const char *end;
	if (strcmp(kind, "hung-task") == 0)
		return hung_record(facts, &end);
	for (size_t i = 0; i < array_size(lines); i++) {
		if (strcmp(lines[i].kind, kind) != 0)
			continue;
		const struct log_record *r = facts_log_find_last(facts, lines[i].text);
		if (r)
			return r;
	}
	return NULL;
}

static struct finding *from_message(const struct facts *facts, struct findings *out)
{
	const char *message = facts->panic_message;
	const struct panic_reason *reason = panic_reason(message);

	if (!reason)
		return finding_add(out, "panic", "Kernel panic", RANK_CONSEQUENCE + 10,
				   CONFIDENCE_CERTAIN, "The kernel panicked %s: \"%s\"",
				   facts_where(facts), message);
	struct finding *f = finding_add(out, reason->kind, reason->title, reason->rank,
					CONFIDENCE_CERTAIN, "The kernel panicked %s: \"%s\"",
					facts_where(facts), message);
	f->why = reason->why;
	f->next = reason->next;
	const struct log_record *line = policy_line(facts, reason->kind);
	if (line)
		finding_evidence(out, f, "log", "%s", line->text);
	for (size_t i = 0; i < PANIC_SETTINGS_MAX && reason->setting[i]; i++)
		setting_evidence(facts, out, f, reason->setting[i]);
	return f;
}

/* The task that the last hung-task report names. */
static const struct task *hung_task(const struct facts *facts)
{
	const char *end, *at;
	const struct log_record *last = hung_record(facts, &end);
	char digits[12];
	uint64_t pid;

	at = end;
	while (at && at > last->text && at[-1] != ':')
		at--;
	if (!at || (size_t)(end - at) >= sizeof(digits))
		return NULL;
	memcpy(digits, at, (size_t)(end - at));
	digits[end - at] = '\0';
	return parse_u64(digits, &pid) && pid <= INT32_MAX
		       ? task_by_pid(facts->session, (int32_t)pid) : NULL;
}

static void blame_hung_task(const struct facts *facts, struct findings *out, struct finding *f)
{
	const struct task *task = hung_task(facts);
	struct stack stack = { 0 };

	if (!task || waiting_blame(facts, task, out, f))
		return;
	task_stack(facts->session, task, &stack);
	f->task = task;
	f->blame = facts_blame_stack(facts, &stack, 0);
	/* The frame's number is one of that stack; and it waited, rather than tripped, there. */
	f->blame.frame = SIZE_MAX;
	f->blame.skipped = NULL;
	f->blame.unsure = "it waits there, and who keeps it waiting is not known";
	f->what = finding_text(out, "%.*s (pid %d) was blocked for too long%s%s, and the hung-task "
			       "watchdog panicked: \"%s\"", (int)sizeof(task->comm), task->comm,
			       task->pid, f->blame.known ? " in " : "",
			       f->blame.known ? f->blame.function : "", facts->panic_message);
	if (f->blame.known)
		finding_evidence(out, f, finding_text(out, "bt %d", task->pid),
				 "%.*s (pid %d) waits in %s", (int)sizeof(task->comm), task->comm,
				 task->pid, f->blame.function);
	stack_deinit(&stack);
}

/* Is disk @line (behind "dev ") the one that the file system of the panic's "(device sda1)" is on? */
static bool same_disk(const char *message, const char *line)
{
	const char *device = strstr(message, "(device "), *disk = strstr(line, "dev ");

	if (!device || !disk)
		return false;
	device += strlen("(device ");
	disk += strlen("dev ");
	size_t n = strcspn(disk, ", ");
	return n && strncmp(device, disk, n) == 0;
}

/* The function whose canary it was is named by the panic itself. */
static void blame_canary(const struct facts *facts, struct findings *out unused_arg,
			 struct finding *f)
{
	static const char marker[] = "corrupted in: ";
	const char *at = strstr(facts->panic_message, marker);
	struct check_place place;

	if (facts->panic_caller < facts->stack.count)
		f->blame = facts_blame(facts, facts->panic_caller);
	if (!f->blame.known && at && check_place(at + strlen(marker), &place))
		f->blame = facts_blame_name(facts, place.function, place.module);
}

/* The disk below, where it complained before the file system did. */
static void blame_disk(const struct facts *facts, struct findings *out, struct finding *f)
{
	static const char *const lines[] = {
		"critical medium error, dev ", "Unrecovered read error", "I/O error, dev ",
		"Buffer I/O error on dev",
	};

	for (size_t i = 0; i < array_size(lines); i++) {
		const struct log_record *r = facts_log_find(facts, lines[i], 0);
		if (!r || (facts->panic_record && r > facts->panic_record))
			continue;
		finding_evidence(out, f, "log", "%.*s", (int)strcspn(r->text, "\n"), r->text);
		if (!same_disk(facts->panic_message, r->text))
			return;
		f->why = finding_text(out, "%s. The disk below had failed requests before", f->why);
		f->next = "replace the disk, or find out why it failed: the file system's error "
			  "is likely a consequence";
		return;
	}
}

/* Whom the policies accuse: not the watchdog that panicked, but what it watched. */
static const struct {
	const char *kind;
	void (*blame)(const struct facts *facts, struct findings *out, struct finding *f);
} accusers[] = {
	{ "softlockup", watched_blame },
	{ "hardlockup", watched_blame },
	{ "rcu-stall", watched_blame },
	{ "hung-task", blame_hung_task },
	{ "sysrq", request_sysrq },
	{ "oom", oom_explain },
	{ "no-root", init_no_root },
	{ "no-init", init_none },
	{ "init-killed", init_killed },
	{ "nmi", request_nmi },
	{ "machine-check", hardware_explain },
	{ "file-system-panic", blame_disk },
	{ "stack-corruption", blame_canary },
	{ "watchdog", NULL },
	{ "boot-failure", NULL },
	{ "audit", NULL },
	{ "hypervisor", NULL },
};

static void accuse(const struct facts *facts, struct findings *out, struct finding *f)
{
	for (size_t i = 0; i < array_size(accusers); i++) {
		if (strcmp(accusers[i].kind, f->kind) != 0)
			continue;
		if (accusers[i].blame)
			accusers[i].blame(facts, out, f);
		return;
	}
	if (facts->panic_caller < facts->stack.count)
		f->blame = facts_blame(facts, facts->panic_caller);
}

/* panic() without its message: the log is not in the dump, but the stack is. */
static void from_stack(const struct facts *facts, struct findings *out)
{
	if (facts->panic_caller >= facts->stack.count)
		return;
	struct finding *f = finding_add(out, "panic", "Kernel panic", RANK_CONSEQUENCE + 10,
					CONFIDENCE_LIKELY, "%s called panic(), %s",
					facts_frame_text(facts, facts->panic_caller),
					facts_where(facts));
	f->against = "the panic message was not found: the log is not in the dump";
	f->blame = facts_blame(facts, facts->panic_caller);
}

/* Before 5.4 sysrq-c wrote through a NULL pointer instead of calling panic(). */
static bool sysrq_by_fault(const struct facts *facts, struct findings *out)
{
	struct symbol sym;

	if (facts->fault.trap != TRAP_PAGE_FAULT ||
	    !facts_frame_symbol(facts, facts->fault.frame, &sym) ||
	    strcmp(sym.name, "sysrq_handle_crash") != 0)
		return false;
	struct finding *f = finding_add(out, "sysrq", "Crash by request", RANK_SPECIAL + 1,
					CONFIDENCE_CERTAIN,
					"Somebody asked for a crash through magic SysRq, %s",
					facts_where(facts));
	finding_evidence(out, f, "bt", "the fault is in sysrq_handle_crash(): sysrq c of this "
			 "kernel writes to NULL on purpose");
	request_sysrq(facts, out, f);
	return true;
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	if (sysrq_by_fault(facts, out))
		return NULL;
	if (!facts->panic_message) {
		from_stack(facts, out);
		return NULL;
	}
	struct finding *f = from_message(facts, out);
	finding_evidence(out, f, "log", "%s", facts->panic_record->text);
	/* A fault has its own detector, which knows the blame; a machine check is nobody's. */
	if (facts->fault.trap != TRAP_NONE && facts->fault.trap != TRAP_MACHINE_CHECK)
		return NULL;
	if (facts->panic_caller < facts->stack.count)
		finding_evidence(out, f, "bt", "panic() was called by %s",
				 facts_frame_text(facts, facts->panic_caller));
	accuse(facts, out, f);
	return NULL;
}

const struct detector detector_panic = {
	.name = "panic",
	.looks_for = "panic by request (sysrq, NMI), by a policy (lockups, hung tasks, out of "
		     "memory), by code that could not go on",
	.run = run,
};
