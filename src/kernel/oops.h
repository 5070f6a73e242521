/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel prints when something goes wrong: oopses, BUG(), WARN(), stalls, failed page
 * allocations, OOM kills, reports of its checkers. One report is several lines of the log; here it
 * becomes one struct: who, where, registers, code, stack.
 *
 * In: log lines, from a dump or out of a text. Out: reports in order of the log. Only what the
 * lines say is filled; nothing is looked up. Formats from 2.6.32 to 7.x are known: the sources are
 * arch/x86/kernel/{dumpstack,dumpstack_64,process_64,traps}.c, arch/x86/mm/fault.c, kernel/panic.c,
 * lib/dump_stack.c, mm/{page_alloc,oom_kill,slub,show_mem}.c of those versions.
 *
 * Lines of several CPUs may be mixed: where the log tells who printed a line, each report gets its
 * own lines only.
 */
#pragma once

#include "arch/arch.h"
#include "base/alloc.h"
#include "kernel/log.h"

enum { OOPS_CODE_MAX = 128, OOPS_ORDERS_MAX = 16 };

/* A place in code as the kernel prints it: "func+0x12/0x34 [module]". */
struct oops_place {
	const char *function; /* NULL: no name was printed */
	const char *module;   /* NULL: the kernel itself */
	uint64_t offset, size; /* size of the function; 0: not printed */
	uint64_t address;     /* "[<ffffffff8118a075>]"; 0: not printed */
	/* Of a trace that decode_stacktrace.sh or syzbot added to; NULL, 0: not there. */
	const char *file;
	unsigned line;
};

struct oops_frame {
	struct oops_place place;
	bool guess;            /* marked '?': found on the stack, not by unwinding */
	bool inlined;          /* "[inline]", of a decoded trace */
	const char *stack;     /* "IRQ", "NMI", "#DF" ...: the stack it is on; NULL: the task's */
	/* Registers printed in the middle of a trace: this frame was interrupted by an exception. */
	const struct regs *regs; /* NULL: none */
};

struct oops_module {
	const char *name;
	const char *taints;  /* letters in the brackets behind it: "OE"; "" */
	const char *version; /* where the line tells; NULL */
};

/* Another stack that the report shows: who allocated, freed, raced. */
struct oops_track {
	const char *what;    /* the line above it: "Allocated by task 12:", "INFO: Freed in f+0x1/0x2" */
	bool allocated, freed;
	int cpu, pid;        /* -1: not printed */
	const struct oops_frame *frames;
	size_t frame_count;
};

/* Free blocks of a memory zone by order, of a "Mem-Info:". */
struct oops_zone {
	int node;
	const char *name;    /* "Normal" */
	unsigned orders;     /* how many of the following were printed */
	uint64_t free_blocks[OOPS_ORDERS_MAX];
};

/* A report of the kernel about one trouble. Strings live in the arena. */
struct oops_report {
	size_t first, count;      /* its lines in the log: record and number of records */
	size_t at;                /* the record of the line that announces it */
	const char *kind;         /* as anomaly_of_line() calls it: "kernel BUG", "hung task" ... */
	const char *header;       /* the line that announces it */
	/*
	 * What a check said beside it: "list_del corruption. ...", the text of a WARN(); for a panic
	 * or a slab report, what stands behind the colon; NULL.
	 */
	const char *message;
	const char *file;         /* of "kernel BUG at FILE:LINE!", "WARNING: ... at FILE:LINE"; NULL */
	unsigned line;
	int cpu;                  /* -1: not printed */
	int pid;                  /* -1 */
	const char *comm;         /* NULL */
	const char *taint;        /* letters as printed, without blanks: "GOE"; "" not tainted; NULL */
	const char *release;      /* "3.10.0-693.2.1.el7.x86_64"; NULL */
	const char *hardware;     /* NULL */
	const char *workqueue;    /* "events foo_work [mod]"; NULL */
	bool arm64;               /* recognised, not taken apart: only header, pc and trace */
	unsigned number;          /* of "[#1]": how many oopses there were; 0: not printed */
	struct oops_place pc;     /* of RIP; function NULL: not printed or no name */
	bool has_pc;              /* pc was printed: as a name, or as a number in pc.address */
	struct regs regs;         /* as many as were printed */
	bool has_cr2, has_error_code;
	uint64_t cr2, error_code;
	bool has_address;         /* the address of the header line, that could not be accessed */
	uint64_t address;
	uint8_t code[OOPS_CODE_MAX]; /* "Code:" */
	size_t code_count;
	size_t code_pc;  /* index of the byte that RIP points to ("<48>"); SIZE_MAX: not marked */
	const struct oops_frame *frames; /* the call trace, from the top, without pc's own */
	size_t frame_count;
	const struct oops_module *modules; /* "Modules linked in:" */
	size_t module_count;
	const char *last_unloaded; /* module; NULL */

	/* A failed allocation, or out of memory. */
	int order;                /* of the pages asked for; -1: not printed */
	const char *gfp;          /* "0x10c0d0", "0xcc0(GFP_KERNEL)"; NULL */
	const struct oops_zone *zones;
	size_t zone_count;
	const char *victim;       /* whom the OOM killer killed; NULL */
	int victim_pid;           /* -1 */

	/* A slab object: SLUB's own checks, KASAN, KFENCE. */
	const char *cache;        /* "kmalloc-1k"; NULL */
	uint64_t object;          /* 0: not printed */
	const struct oops_track *tracks;
	size_t track_count;
};

/* All reports in the log; they and their strings live in @arena. Never fails. */
void oops_parse(const struct log_record *log, size_t log_count, struct arena *arena,
		const struct oops_report **reports, size_t *report_count);
/*
 * The kind of trouble that this line announces, as in oops_report.kind; NULL: none that is a report
 * of several lines. For single lines: it looks at every kind in turn.
 */
const char *oops_kind_of_line(const char *line);
