// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * do_exit()'s code is what wait() gives: the signal in the low 7 bits, 0x80 when a core was to be
 * dumped, or the exit status in the second byte. Mounting the root file system fails for few
 * reasons, which the lines before the panic tell apart: the device was not found (no driver, wrong
 * name), or no file system that is built in can read it. Sources: kernel/exit.c, init/main.c,
 * init/do_mounts.c, block/genhd.c, arch/x86/mm/fault.c and kernel/traps.c (show_signal()).
 */
#include "diagnosis/init_death.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/panic_trace.h"

/* include/uapi/asm-generic/signal.h */
static const char *const signals[] = {
	NULL, "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE",
	"SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT",
	"SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU",
	"SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
};

enum { SIGNAL_KILL = 9, EXIT_SIGNAL = 0x7f, EXIT_CORE = 0x80, EXIT_STATUS_SHIFT = 8 };

void exit_code_words(uint32_t code, char *buf, size_t size)
{
	unsigned signal = code & EXIT_SIGNAL;

	if (!signal)
		snprintf(buf, size, "ended by itself with exit status %u",
			 code >> EXIT_STATUS_SHIFT & 0xff);
	else if (signal < array_size(signals))
		snprintf(buf, size, "was killed by signal %u (%s)%s", signal, signals[signal],
			 code & EXIT_CORE ? ", with a core dump" : "");
	else
		snprintf(buf, size, "was killed by signal %u", signal);
}

/* --- init ended. --- */

static bool exit_code(const char *message, uint32_t *code)
{
	const char *at = strstr(message, "exitcode=0x");
	char *end;

	if (!at)
		return false;
	at += strlen("exitcode=0x");
	unsigned long value = strtoul(at, &end, 16);
	if (end == at || value > UINT32_MAX)
		return false;
	*code = (uint32_t)value;
	return true;
}

/* What the kernel prints of a user program's exception: "init[1]: segfault at 0 ip ...". */
static const char *const fault_marks[] = {
	"[1]: segfault at ", "[1] trap ", "[1] general protection", "[1]: bad frame in ",
	"[1] bad frame in ", "[1] vsyscall",
};

static const struct log_record *fault_line(const struct facts *facts)
{
	for (size_t i = 0; i < array_size(fault_marks); i++) {
		const struct log_record *r = facts_log_find_last(facts, fault_marks[i]);
		if (r)
			return r;
	}
	return NULL;
}

/* An oops in a system call of init ends init, too: that is then the cause. */
static const struct anomaly *oops_before(const struct facts *facts)
{
	for (size_t i = facts->anomaly_count; i-- > 0;) {
		const struct anomaly *a = &facts->anomalies[i];
		if (a->weight == ANOMALY_FATAL && a->record < facts->panic_record &&
		    strcmp(a->kind, "panic") != 0)
			return a;
	}
	return NULL;
}

static bool of_the_kernel(const struct facts *facts)
{
	return trace_find(facts, "make_task_dead") || trace_find(facts, "rewind_stack_*") ||
	       trace_find(facts, "oops_end");
}

static void why_killed(const struct facts *facts, struct findings *out, struct finding *f,
		       unsigned signal)
{
	const struct log_record *line = fault_line(facts);
	const struct anomaly *oops = of_the_kernel(facts) ? oops_before(facts) : NULL;

	if (!oops)
		f->who = "the program that ran as process 1";
	if (oops) {
		f->why = finding_text(out, "the kernel itself oopsed while it worked for init: %s",
				      oops->kind);
		finding_evidence(out, f, "log", "%s", oops->record->text);
		f->against = "the oops is the cause; its registers are only in the log";
		return;
	}
	const struct log_record *oom = facts_log_find_last(facts, "Killed process 1 (");
	if (!oom)
		oom = facts_log_find_last(facts, "Kill process 1 (");
	if (signal == SIGNAL_KILL && oom) {
		f->why = "the out-of-memory killer chose it: memory had run out";
		f->next = "log: the report of the out-of-memory killer says who had the memory";
		finding_evidence(out, f, "log", "%s", oom->text);
		return;
	}
	if (signal && line) {
		f->why = "the program itself failed; nothing is wrong with the kernel because of "
			 "that";
		f->next = "the program that runs as process 1 and its libraries: were they "
			  "updated, or is their disk failing?";
		finding_evidence(out, f, "log", "%s", line->text);
	} else if (signal) {
		f->why = "process 1 is spared signals that it does not handle: this one was "
			 "forced on it by an exception in its own code, or by the kernel";
	} else {
		f->why = "init is a program or script that came to its end, or gave up because of "
			 "an error";
		f->next = "log: what init printed last; sys: init= and rdinit= on the command "
			  "line";
	}
}

void init_killed(const struct facts *facts, struct findings *out, struct finding *f)
{
	struct trace_task task = trace_task(facts);
	char words[80];
	uint32_t code;

	if (!exit_code(facts->panic_message, &code))
		return;
	exit_code_words(code, words, sizeof(words));
	f->title = "Process 1 ended";
	f->what = finding_text(out, "%s (pid %d) %s: exit code 0x%" PRIx32 "%s%s",
			       task.comm ? task.comm : "init", task.pid > 0 ? task.pid : 1, words,
			       code, facts->cpu >= 0 ? ", " : "", trace_cpu_words(facts));
	why_killed(facts, out, f, code & EXIT_SIGNAL);
}

/* --- No root file system. --- */

/* The word behind @option on the command line; NULL: it is not there. */
static const char *option_of(const struct facts *facts, const char *option)
{
	const char *line = facts->system.command_line, *found = NULL;
	size_t length = strlen(option);

	for (const char *at = line; (at = strstr(at, option)) != NULL; at += length) {
		if (at == line || at[-1] == ' ')
			found = at + length;
	}
	/* The last one counts. */
	return found ? arena_strndup(facts->arena, found, strcspn(found, " ")) : NULL;
}

enum { PARTITION_LINES = 64, NAMES_MAX = 8 };

/* "0800   8388608 sda  driver: sd": the line starts with the device's number, 4 hex digits. */
static bool is_partition_line(const char *text, char name[32])
{
	unsigned number;
	unsigned long blocks;

	return sscanf(text, " %4x %15lu %31s", &number, &blocks, name) == 3 &&
	       strspn(text + strspn(text, " "), "0123456789abcdef") >= 4;
}

/* The block devices that the kernel lists before it gives up: "sda, sda1"; "" none. */
static const char *known_disks(const struct facts *facts, const struct log_record **first)
{
	auto_strbuf text = { 0 };
	size_t end = facts_log_until_panic(facts);
	size_t from = end > PARTITION_LINES ? end - PARTITION_LINES : 0;
	unsigned count = 0;
	char name[32];

	*first = NULL;
	for (size_t i = from; i < end; i++) {
		if (!is_partition_line(facts->log[i].text, name) || ++count > NAMES_MAX)
			continue;
		if (!*first)
			*first = &facts->log[i];
		strbuf_addf(&text, "%s%s", text.len ? ", " : "", name);
	}
	if (count > NAMES_MAX)
		strbuf_addf(&text, " and %u more", count - NAMES_MAX);
	return arena_strdup(facts->arena, strbuf_text(&text));
}

static const struct log_record *root_line(const struct facts *facts)
{
	static const char *const texts[] = {
		"Cannot open root device", "No filesystem could mount root", "Please append a correct",
	};

	for (size_t i = 0; i < array_size(texts); i++) {
		const struct log_record *r = facts_log_find_last(facts, texts[i]);
		if (r)
			return r;
	}
	return NULL;
}

static const char *why_no_root(struct findings *out, const struct facts *facts, bool opened,
			       const char *root, const char *disks)
{
	bool initramfs = facts_log_find(facts, "Unpacking initramfs", 0) ||
			 facts_log_find(facts, "unpack rootfs image as initramfs", 0);
	const char *loaded = !facts->log_readable ? ""
			     : initramfs ? "; an initramfs was unpacked, but had no /init that took over"
					 : "; no initramfs was loaded";

	if (opened)
		return finding_text(out, "the device was found, but none of the file systems that "
				    "are built into the kernel could read it%s", loaded);
	if (!root)
		return finding_text(out, "the command line has no root=%s", loaded);
	if (*disks)
		return finding_text(out, "root=%s is none of the disks that the kernel knew then "
				    "(%s): a wrong name, or the driver of that disk is missing%s",
				    root, disks, loaded);
	return finding_text(out, "root=%s was not found, and the kernel knew no disk at all: the "
			    "disk's driver is missing (it is most often a module in the "
			    "initramfs)%s", root, loaded);
}

void init_no_root(const struct facts *facts, struct findings *out, struct finding *f)
{
	const char *root = option_of(facts, "root=");
	const struct log_record *line = root_line(facts), *partition;
	const char *disks = known_disks(facts, &partition);
	bool opened = line && strstr(line->text, "No filesystem could mount root");

	f->what = finding_text(out, "The kernel could not mount its root file system%s%s: \"%s\"",
			       root ? ", root=" : "", root ? root : "", facts->panic_message);
	f->why = why_no_root(out, facts, opened, root, disks);
	f->next = "make the initramfs anew with the disk's driver in it, and check root= against "
		  "the disk's UUID";
	if (line)
		finding_evidence(out, f, "log", "%s", line->text);
	if (partition)
		finding_evidence(out, f, "log", "disks that were known: %s", disks);
	if (root && facts->session->memory)
		finding_evidence_shows(out, f, "sys", finding_text(out, "root=%s", root),
				       "the command line has root=%s", root);
}

void init_none(const struct facts *facts, struct findings *out, struct finding *f)
{
	static const char *const texts[] = { "Failed to execute ", "error -" };

	for (size_t i = 0; i < array_size(texts); i++) {
		const struct log_record *r = facts_log_find_last(facts, texts[i]);
		if (!r || (facts->panic_record && r > facts->panic_record))
			continue;
		finding_evidence(out, f, "log", "%s", r->text);
		return;
	}
}
