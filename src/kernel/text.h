/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A session on a text: what the kernel printed when it died takes the place of its memory. Whoever
 * asks a session for the log, the task that crashed, its stack, modules or the machine gets what
 * the text says; all that needs memory is unknown.
 *
 * Functions have the addresses that the text prints. Where it prints none, they are put at made-up
 * ones, which no kernel uses (text_is_made_up()) and which are never shown.
 */
#pragma once

#include "kernel/cpus.h"
#include "kernel/log.h"
#include "kernel/modules.h"
#include "kernel/oops.h"
#include "kernel/session.h"
#include "kernel/system.h"
#include "kernel/tasks.h"

/* What the banner of crash says, for texts that hold one of its sessions; NULL: not there. */
struct text_banner {
	const char *panic, *release, *version, *machine, *nodename, *uptime, *load, *cpus, *memory,
		*date;
};

/* What a text has of a session of crash. */
struct text_crash {
	struct text_banner banner;
	const struct oops_report *stacks; /* of its `bt` */
	size_t stack_count;
	/* The instruction of the exception as its `dis` prints it; NULL. */
	const char *instruction;
};

/* A stack in the text. Its task's address is a number of ours. */
struct text_thread {
	struct task task;
	const struct oops_report *report;
	struct regs regs;         /* with rip */
	uint64_t pc;
	const uint64_t *frame_pc; /* of report->frames; 0: not known */
};

struct text {
	const struct log_record *log;
	size_t log_count;
	const struct oops_report *reports;
	size_t report_count;
	/*
	 * The report of the death: the first that the kernel did not survive; NULL: there is none.
	 */
	const struct oops_report *death;
	bool from_crash;      /* it is from a session of crash and not from the log */
	struct text_crash crash;
	uint64_t pc;          /* of the death; 0: none was printed */
	bool pc_is_wild;      /* it was printed as a number only: no code of the kernel */
	struct text_thread *threads; /* whose stacks are printed; the death's is the first */
	size_t thread_count;
	struct cpu *cpus;     /* of those, in order of their numbers */
	size_t cpu_count;
	struct module_info *modules;
	size_t module_count;
	struct symbol_place *places;
	size_t place_count;
};

/*
 * The upper 2 GB of the address space but one: a hole of the kernel's map, in all versions
 * (Documentation/arch/x86/x86_64/mm.rst).
 */
#define TEXT_MADE_UP UINT64_C(0xffffffff00000000)
#define TEXT_MADE_UP_END UINT64_C(0xffffffff40000000)

/* Reads the text of session->dump; sets session->text. */
void text_open(struct session *s);
void text_close(struct session *s);
/*
 * Places the text's functions, and completes session->symbols with them. @vmlinux: those are of a
 * file, not empty.
 */
void text_place(struct session *s, bool vmlinux);
/*
 * How far the kernel of a vmlinux, whose symbols are the session's and not moved yet, was from
 * where it was linked.
 */
uint64_t text_image_offset(struct session *s);
/* Is all code of the function that the death was in known, from a vmlinux? */
bool text_has_function(const struct session *s);
/* Has the vmlinux the functions that the text names? Says so when it has others of these names. */
bool text_fits(struct session *s);
static inline bool text_is_made_up(const struct session *s, uint64_t address)
{
	return s->text && address >= TEXT_MADE_UP && address < TEXT_MADE_UP_END;
}

/*
 * May @address, which code at the fault names, be looked up? Code at a made-up address names
 * nothing but what is in its own function.
 */
bool text_may_name(const struct session *s, uint64_t address);
/*
 * Takes made-up addresses out of an instruction's text, or gives them their names; it only becomes
 * shorter.
 */
void text_hide_made_up(const struct session *s, char *words);

const struct task *text_task(const struct session *s, uint64_t address);
const struct task *text_task_by_pid(const struct session *s, int32_t pid);
/* The stack that is printed for a task. Free with stack_deinit(). */
void text_stack(const struct session *s, const struct task *task, struct stack *stack);
void text_system(struct session *s, struct system_info *info);

/* --- For the files of texts. --- */

bool text_has_stack(const struct oops_report *report);
/* All that has a stack: the death's first (may be NULL), the log's reports, what crash showed. */
const struct oops_report *text_report_at(const struct text *text, size_t i);
size_t text_reports_with_stacks(const struct text *text);
const struct module *text_module(const struct text *text, const char *name);

/* --- text_crash.c: sessions of crash. --- */

struct text_lines;
/* Returns the stack of the task that panicked; NULL: there is none. */
const struct oops_report *text_crash_read(const struct text_lines *lines, struct arena *arena,
					  struct text_crash *crash);
