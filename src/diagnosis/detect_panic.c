// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * panic() was called: by request, by a policy (watchdogs, limits), or by code that could not go
 * on. The message tells which; texts are those of the kernel's panic() calls.
 */
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/watched.h"

/* What a panic message means. Earlier rows win. */
static const struct {
	const char *message; /* contained in the panic message */
	const char *kind, *title, *why, *next;
	unsigned rank;
} reasons[] = {
	{ "sysrq triggered crash", "sysrq", "Crash by request (sysrq)",
	  "somebody asked for it: a 'c' was written to /proc/sysrq-trigger or typed as magic SysRq",
	  NULL, RANK_POLICY },
	{ "softlockup: hung tasks", "softlockup", "Soft lockup",
	  "a CPU did not get to run other tasks for longer than the watchdog allows, and "
	  "kernel.softlockup_panic is set",
	  "bt -a: what does each CPU do, and which one differs?", RANK_POLICY },
	{ "Hard LOCKUP", "hardlockup", "Hard lockup",
	  "a CPU did not even take timer interrupts for longer than the watchdog allows",
	  "bt -a: which CPU runs with interrupts off?", RANK_POLICY },
	{ "hard LOCKUP", "hardlockup", "Hard lockup",
	  "a CPU did not even take timer interrupts for longer than the watchdog allows",
	  "bt -a: which CPU runs with interrupts off?", RANK_POLICY },
	{ "hung_task: blocked tasks", "hung-task", "Hung task",
	  "a task waited uninterruptibly for longer than kernel.hung_task_timeout_secs, and "
	  "kernel.hung_task_panic is set",
	  "ps, then bt of the tasks in state D: what do they wait for?", RANK_POLICY },
	{ "RCU Stall", "rcu-stall", "RCU stall",
	  "a CPU or task held up an RCU grace period for too long, and kernel.panic_on_rcu_stall "
	  "is set",
	  "bt -a: the log names the CPUs and tasks that stalled", RANK_POLICY },
	{ "panic_on_oom is enabled", "oom", "Out of memory",
	  "the kernel ran out of memory, and vm.panic_on_oom is set",
	  "log: the memory report says who used it", RANK_POLICY },
	{ "System is deadlocked on memory", "oom", "Out of memory",
	  "the kernel ran out of memory and no process was left to kill",
	  "log: the memory report says who used it", RANK_POLICY },
	{ "panic_on_warn set", "warning", "Kernel warning",
	  "a WARN() fired, and kernel.panic_on_warn is set", NULL, RANK_POLICY },
	{ "Attempted to kill init", "init-killed", "init was killed",
	  "process 1 ended; a system cannot live without it",
	  "log: what came before; the exit code tells a signal in its low 7 bits", RANK_POLICY },
	{ "Attempted to kill the idle task", "idle-killed", "Idle task was killed", NULL, NULL,
	  RANK_CONSEQUENCE },
	{ "Unable to mount root fs", "no-root", "No root file system",
	  "the kernel found no root file system: a missing driver, a wrong root=, or no initramfs",
	  "sys: the command line's root=; log: which disks were found", RANK_POLICY },
	{ "No working init found", "no-init", "No init program",
	  "the root file system has no program to start as process 1", NULL, RANK_POLICY },
	{ "Requested init", "no-init", "No init program",
	  "the program named by init= could not be started", NULL, RANK_POLICY },
	{ "stack-protector", "stack-corruption", "Stack corruption",
	  "a function found its stack canary overwritten: something wrote past a local array", NULL,
	  RANK_SPECIAL },
	{ "corrupted stack end", "stack-overflow", "Kernel stack overflow",
	  "the magic word at the end of a kernel stack was overwritten", NULL, RANK_SPECIAL },
	{ "kernel stack overflow", "stack-overflow", "Kernel stack overflow", NULL, NULL,
	  RANK_SPECIAL },
	{ "achine check", "machine-check", "Machine check",
	  "the hardware reported an error that cannot be corrected",
	  "log: lines marked [Hardware Error]", RANK_SPECIAL },
	{ "NMI", "nmi", "Non-maskable interrupt",
	  "a non-maskable interrupt asked for it: hardware error, watchdog device, or an "
	  "operator's NMI button",
	  NULL, RANK_POLICY },
	{ "Fatal exception", "oops", "Fatal exception",
	  "an oops that the kernel could not survive", NULL, RANK_CONSEQUENCE },
	{ "Aiee, killing interrupt handler", "oops", "Fatal exception in an interrupt", NULL, NULL,
	  RANK_CONSEQUENCE },
};

/* The log line of the watchdog that speaks of the policy, for evidence: the last of its kind. */
static const struct log_record *policy_line(const struct facts *facts, const char *kind)
{
	static const struct {
		const char *kind, *text;
	} lines[] = {
		{ "softlockup", "soft lockup - CPU#" }, { "hardlockup", "hard LOCKUP on cpu" },
		{ "hung-task", "blocked for more than" },
		{ "rcu-stall", "detected stalls on CPUs/tasks" },
		{ "rcu-stall", "self-detected stall" },
		{ "oom", "invoked oom-killer" },
	};

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

	for (size_t i = 0; i < array_size(reasons); i++) {
		if (!strstr(message, reasons[i].message))
			continue;
		struct finding *f =
			finding_add(out, reasons[i].kind, reasons[i].title, reasons[i].rank,
				    CONFIDENCE_CERTAIN, "The kernel panicked %s: \"%s\"",
				    facts_where(facts), message);
		f->why = reasons[i].why;
		f->next = reasons[i].next;
		const struct log_record *line = policy_line(facts, reasons[i].kind);
		if (line)
			finding_evidence(out, f, "log", "%s", line->text);
		return f;
	}
	struct finding *f = finding_add(out, "panic", "Kernel panic", RANK_CONSEQUENCE + 10,
					CONFIDENCE_CERTAIN, "The kernel panicked %s: \"%s\"",
					facts_where(facts), message);
	return f;
}

/* The task that the last hung-task report names: "INFO: task NAME:PID blocked for more than". */
static const struct task *hung_task(const struct facts *facts)
{
	const struct log_record *r = facts_log_find_last(facts, "blocked for more than");
	const char *end = r ? strstr(r->text, " blocked for more than") : NULL;
	const char *at = end;
	char digits[12];
	uint64_t pid;

	while (at && at > r->text && at[-1] != ':')
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

	if (!task)
		return;
	task_stack(facts->session, task, &stack);
	f->blame = facts_blame_stack(facts, &stack, 0);
	/* The frame's number is one of that stack; and it waited, rather than tripped, there. */
	f->blame.frame = SIZE_MAX;
	f->blame.skipped = NULL;
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

static bool on_stack(const struct facts *facts, const char *function)
{
	struct symbol sym;

	for (size_t i = 0; i < facts->stack.count; i++) {
		if (facts_frame_symbol(facts, i, &sym) && strcmp(sym.name, function) == 0)
			return true;
	}
	return false;
}

static void blame_requester(const struct facts *facts, struct findings *out, struct finding *f)
{
	if (!on_stack(facts, "write_sysrq_trigger") || !facts->task)
		return;
	finding_evidence(out, f, "bt", "%.*s (pid %d) wrote to /proc/sysrq-trigger",
			 (int)sizeof(facts->task->comm), facts->task->comm, facts->task->pid);
}

/* Whom the policies accuse: not the watchdog that panicked, but what it watched. */
static const struct {
	const char *kind;
	void (*blame)(const struct facts *facts, struct findings *out, struct finding *f);
} accusers[] = {
	{ "softlockup", watched_blame },     { "hardlockup", watched_blame },
	{ "rcu-stall", watched_blame },      { "hung-task", blame_hung_task },
	{ "sysrq", blame_requester },        { "oom", NULL },
	{ "no-root", NULL },                 { "no-init", NULL },
	{ "nmi", watched_blame },            { "machine-check", NULL },
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
	struct finding *f = finding_add(out, "sysrq", "Crash by request (sysrq)", RANK_SPECIAL + 1,
					CONFIDENCE_CERTAIN,
					"Somebody asked for a crash through magic SysRq, %s",
					facts_where(facts));
	f->why = "sysrq-c of this kernel crashes by writing to NULL on purpose";
	finding_evidence(out, f, "bt", "the fault is in sysrq_handle_crash");
	blame_requester(facts, out, f);
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
	/* A fault has its own detector, which knows the blame. */
	if (facts->fault.trap != TRAP_NONE || facts->panic_caller >= facts->stack.count)
		return NULL;
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
