// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The lines below a report's first one, tried from the most particular to the least. Which text
 * begins a line tells what it is; only frames and words of a stack depend on what came before.
 */
#include <string.h>

#include "base/strbuf.h"
#include "kernel/oops_parse.h"

static bool is_trace_head(const char *line)
{
	return starts_with(line, "Call Trace:") || starts_with(line, "Call trace:") ||
	       starts_with(line, "Backtrace:") || starts_with(line, "backtrace:") ||
	       starts_with(line, "backtrace (crc ");
}

static void begin_trace(struct oops_draft *draft, struct arena *arena)
{
	bool over = draft->section == SECTION_OVER;

	oops_end_track(draft, arena);
	draft->user = false;
	draft->stack = NULL;
	if (over)
		return;
	draft->section = SECTION_TRACE;
	if (draft->headless)
		draft->frames.count = 0;
	draft->headless = false;
	/* A second trace is of another task. */
	if (!draft->frames.count || draft->tracks.count == OOPS_TRACKS_MAX)
		return;
	vec_push(&draft->tracks, (struct oops_track){ .what = "Call Trace:", .cpu = -1, .pid = -1 });
	draft->section = SECTION_TRACK;
}

/* "ffff8800743e1000 0000000000000400 ...": nothing but words of 16 digits. */
static bool is_stack_words(const char *line)
{
	size_t words = 0;

	for (;; words++) {
		size_t n;
		skip_blanks(&line);
		take_text(&line, "Stack: ");
		skip_blanks(&line);
		if (!*line)
			return words > 0;
		n = strspn(line, "0123456789abcdef");
		if (n != 16 || (line[n] && line[n] != ' '))
			return false;
		line += n;
	}
}

static void take_ip(struct oops_draft *draft, struct arena *arena, const char *at)
{
	struct oops_place place;

	if (draft->report.has_pc || !take_place(&at, arena, &place))
		return;
	draft->report.pc = place;
	draft->report.has_pc = true;
	draft->pc_of_header = true;
}

/* "Process x (pid: 1, threadinfo ffff..., task ffff...)", up to 3.x. */
static void take_process(struct oops_report *r, struct arena *arena, const char *at)
{
	const char *brackets = strstr(at, " (pid: ");
	uint64_t pid;

	if (!brackets || !number_behind(brackets, "(pid: ", &pid) || pid > INT32_MAX)
		return;
	if (!r->comm)
		r->comm = trimmed(arena, at, brackets);
	if (r->pid < 0)
		r->pid = (int)pid;
}

static const char *rest_of(struct arena *arena, const char *line, const char *start)
{
	return trimmed(arena, line + strlen(start), line + strlen(line));
}

/* Lines with one value. */
static bool simple_line(struct oops_draft *draft, struct arena *arena, const char *line)
{
	struct oops_report *r = &draft->report;
	const char *at = line;
	uint64_t n;

	if (starts_with(line, "Hardware name: ")) {
		if (!r->hardware)
			r->hardware = rest_of(arena, line, "Hardware name: ");
		return true;
	}
	if (starts_with(line, "Workqueue: ")) {
		if (!r->workqueue)
			r->workqueue = rest_of(arena, line, "Workqueue: ");
		return true;
	}
	if (take_text(&at, "IP: ")) {
		take_ip(draft, arena, at);
		return true;
	}
	if (take_text(&at, "Process ")) {
		take_process(r, arena, at);
		return strstr(line, "(pid: ") != NULL;
	}
	if (starts_with(line, "#PF: ")) {
		if (!r->has_error_code && hex_behind(line, "error_code(", &n)) {
			r->has_error_code = true;
			r->error_code = n;
		}
		return true;
	}
	/* 2.6.32: a line "CPU 3" of its own. */
	if (take_text(&at, "CPU ") && take_number(&at, &n) && !at[strspn(at, " \t\r")]) {
		if (r->cpu < 0 && n < INT32_MAX)
			r->cpu = (int)n;
		return true;
	}
	return false;
}

/* Lines that belong to a report and tell nothing that it has room for. */
static bool known_line(const struct oops_draft *draft, const char *line)
{
	static const char *const starts[] = {
		"PGD ", "PUD ", "BAD", "task: ", "Stack:", "last sysfs file:", "Dumping ftrace",
		"Kernel Offset: ", "note: ", "Fixing recursive fault", "Sending NMI", "rcu: ", "(detected by",
		"(t=", "irq event stamp", "hardirqs last", "softirqs last", "Preemption disabled at",
		"INFO: lockdep is turned off", "in_atomic()", "preempt_count:", "RCU nest depth", "#",
		"no locks held", "KASAN: ", "Tainted:", "SMP", "Thread ", "Modules linked in",
		"exc: ", "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "lr : ", "sp : ",
		"pstate: ", "Mem abort info", "ESR = ", "EC = ", "SET = ", "EA = ", "FSC = ", "Data abort info",
		"ISV = ", "CM = ", "swapper pgtable", "user pgtable", "[0000", "[ffff", "[dead", "pmr_save",
		"Internal error", "Dumping ", "Shutting down cpus", "Rebooting in ", "end trace",
		"CPU: ", "<0>", "Task dump for CPU", "task:", "page:", "flags:", "raw:", "page dumped", "addr:",
		"file:", "page->", "bad because", "vma->", "lock: ", ".magic", "PREEMPT", "Uhhuh", "Do you have",
		"Dazed and confused", "pool ", "workqueue ", "in-flight:", "pending:", "pwq ", "Showing ",
	};

	for (size_t i = 0; i < array_size(starts); i++) {
		if (starts_with(line, starts[i]))
			return true;
	}
	return draft->section == SECTION_STACK && is_stack_words(line);
}

static bool hung_line(const char *line)
{
	return starts_with(line, "\"echo 0 >") || starts_with(line, "INFO: task ") ||
	       strstr(line, " D ") || strstr(line, " S ") || strstr(line, " R ");
}

static bool lockdep_line(const struct oops_draft *draft, const char *line)
{
	static const char *const inside[] = {
		"is trying to acquire lock", "but task is already holding", "which lock already depends",
		"dependency chain", "other info that might help", "Possible unsafe locking", "CPU0",
		"lock(", "*** DEADLOCK", "locks held by", "lock held by", "stack backtrace", "-> #", "----",
		"but now in", "is trying to release", "and this task is already holding", "at: ",
		"{", "rcu_scheduler_active", "which would create", "[ BUG:", "usage!", "because",
	};

	for (size_t i = 0; i < array_size(inside); i++) {
		if (strstr(line, inside[i]))
			return true;
	}
	/* Stacks of who took the locks before, and "comm/12 is trying to ..." */
	const char *plus = strstr(line, "+0x");
	return draft->section == SECTION_HEAD &&
	       ((plus && strchr(plus, '/')) || (strchr(line, '/') && strchr(line, ':')));
}

static bool by_form(struct oops_draft *draft, struct arena *arena, const char *line)
{
	switch (draft->form) {
	case FORM_HUNG:
		return hung_line(line);
	case FORM_LOCKDEP:
		return oops_object_line(draft, arena, line) || lockdep_line(draft, line);
	case FORM_MEMORY:
		return oops_memory_line(draft, arena, line);
	case FORM_SLAB:
	case FORM_CHECKER:
	case FORM_OTHER:
		return oops_object_line(draft, arena, line);
	default:
		return false;
	}
}

bool oops_body(struct oops_draft *draft, struct arena *arena, const char *line)
{
	bool code_follows = draft->code_follows;
	bool taken = true;

	if (oops_code_more(draft, line))
		return true;
	draft->in_code = false;
	if (is_trace_head(line)) {
		begin_trace(draft, arena);
		return true;
	}
	if (oops_frame_line(draft, arena, line))
		return true;
	if (draft->section == SECTION_TRACK)
		oops_end_track(draft, arena);
	if (oops_code_line(draft, line) || oops_rip_line(draft, arena, line)) {
		/* A RIP has said whether code follows it; behind "Code:" none does. */
		draft->code_follows = draft->code_follows && !starts_with(line, "Code: ");
		return true;
	}
	draft->code_follows = false;
	if (draft->section == SECTION_OVER)
		return oops_regs_line(draft, line) || starts_with(line, "note: ") ||
		       starts_with(line, "Kernel Offset: ") || oops_modules_line(draft, arena, line);
	if (draft->section != SECTION_STACK && is_stack_words(line))
		draft->section = SECTION_STACK;
	taken = oops_task_line(draft, arena, line) || oops_regs_line(draft, line) ||
		oops_modules_line(draft, arena, line) || simple_line(draft, arena, line) ||
		by_form(draft, arena, line) || known_line(draft, line);
	if (taken && starts_with(line, "Stack:"))
		draft->section = SECTION_STACK;
	if (!taken)
		draft->code_follows = code_follows;
	return taken;
}
