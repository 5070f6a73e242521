/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every detector wants to know, gathered once: who died where, at which instruction, and what
 * the log says. All strings live as long as the facts. */
#pragma once

#include "base/alloc.h"
#include "code/code.h"
#include "kernel/log.h"
#include "kernel/oops.h"
#include "kernel/session.h"
#include "kernel/system.h"
#include "kernel/tasks.h"

/* The CPU exceptions that end in a crash, told by the entry point's name on the stack. */
enum trap {
	TRAP_NONE,
	TRAP_PAGE_FAULT,
	TRAP_GENERAL_PROTECTION,
	TRAP_INVALID_OPCODE,
	TRAP_DIVIDE,
	TRAP_DOUBLE_FAULT,
	TRAP_STACK_SEGMENT,
	TRAP_BREAKPOINT,
	TRAP_ALIGNMENT,
	TRAP_NMI,
	TRAP_MACHINE_CHECK,
};

const char *trap_name(enum trap trap);

/* The instruction at which the CPU stopped. */
struct fault_site {
	enum trap trap;          /* TRAP_NONE: it did not; the rest is empty then */
	size_t frame;            /* in the crash stack */
	const struct regs *regs; /* at that instruction */
	uint64_t pc;
	bool has_insn;
	struct insn insn;
	char insn_text[192];
	/* The address that could not be accessed. */
	bool has_address;
	uint64_t address;
	const char *address_source; /* "log", "registers", "log and registers", "CR2" */
	bool access_known, write, execute;
	/* The address is that of KASAN's shadow, looked at before an access to @shadow_of. */
	bool is_shadow;
	uint64_t shadow_of;
	/* By the error code: the page was there, and the access was forbidden; or it was not there. */
	bool page_forbids, page_absent;
	unsigned access_size;    /* bytes; 0 unknown */
	/* The register that the bad address was made from; -1: none or unknown. */
	int base_reg;
	uint64_t base_value;
	/* The call, jump or return at pc was to go to @target, which is no address at all. */
	bool has_target;
	uint64_t target;
	bool pc_is_wild;         /* no instruction there: a call or jump to nowhere */
};

struct fault_view;

enum anomaly_weight {
	ANOMALY_NOTABLE, /* worth a line when somebody looks for causes */
	ANOMALY_SERIOUS, /* something broke, the machine went on */
	ANOMALY_FATAL,   /* the machine's last words begin */
};

/* A log line that should alarm. */
struct anomaly {
	const struct log_record *record;
	const char *kind; /* "page allocation failure", "kernel BUG" ... */
	enum anomaly_weight weight;
	size_t repeats;   /* further ones like it that were folded into this one */
	uint64_t last_ns; /* time of the last of those */
	const struct oops_report *report; /* the lines around it, taken apart; NULL: a lone line */
	/* What it has to do with the crash, a sentence ("its failure left group->number unset"); NULL. */
	const char *related;
	unsigned relation; /* enum confidence of that (diagnosis.h) */
	bool cause;        /* the crash is its consequence */
};

struct facts {
	struct session *session;
	struct arena *arena;
	struct system_info system;
	int cpu;                  /* that crashed; -1 unknown */
	const struct task *task;  /* on that CPU; NULL unknown */
	struct stack stack;       /* of that task */
	struct fault_site fault;
	const struct fault_view *view; /* that instruction by value flow; NULL: not looked at */
	const struct log_record *log;
	size_t log_count;
	const struct oops_report *reports; /* of the log, taken apart, in order of time */
	size_t report_count;
	struct anomaly *anomalies; /* in order of time */
	size_t anomaly_count;
	/* Behind "Kernel panic - not syncing: ", or NULL: it never came to panic(). */
	const char *panic_message;
	const struct log_record *panic_record;
	bool log_readable;        /* false: nothing can be concluded from its silence */
	/* The frame that called panic(), or SIZE_MAX. */
	size_t panic_caller;
};

void facts_gather(struct facts *facts, struct session *session, struct arena *arena);
void facts_deinit(struct facts *facts);

/* The first log line that contains @text, at or after record @from; NULL when there is none. */
const struct log_record *facts_log_find(const struct facts *facts, const char *text, size_t from);
/* The last one. */
const struct log_record *facts_log_find_last(const struct facts *facts, const char *text);
/* How many log lines there are up to the panic's: what follows it are accidents on the way down. */
size_t facts_log_until_panic(const struct facts *facts);

/* The symbol of frame @i of the crash stack, with the return address taken into account. */
bool facts_frame_symbol(const struct facts *facts, size_t i, struct symbol *symbol);
bool facts_frame_symbol_of(const struct facts *facts, const struct frame *frame,
			   struct symbol *symbol);
/* "name+0x12 [module]" of that frame. */
const char *facts_frame_text(const struct facts *facts, size_t i);
const char *facts_text_of_frame(const struct facts *facts, const struct frame *frame);
/* "in COMM (pid N) on CPU M", as much of it as is known. */
const char *facts_where(const struct facts *facts);

/* Who is to blame, as far as the stack tells. */
struct blame {
	bool known;
	size_t frame;          /* in the crash stack */
	const char *function;  /* without the compiler's suffixes (".cold", ".isra.0") */
	const char *module;    /* NULL: the kernel itself */
	bool out_of_tree, unsigned_module, proprietary;
	bool unloaded;         /* the module is not there any more; which function it was is not known */
	const char *skipped;   /* helpers that only tripped over it: "memcpy, list_del"; or NULL */
	uint64_t pc;           /* in that function; 0 not known */
	const char *file;      /* by debug info, of the verdict alone; NULL */
	unsigned line;
	/* By value flow, not by the stack: what the function did with the bad value; NULL */
	const char *because;
	const char *unsure;    /* why it may well be another; NULL: nothing says so */
	bool on_no_stack;      /* by what it has done, not by where it is */
	bool deduced;          /* helpers were skipped, whether or not @skipped names them */
};

/*
 * The first frame at or below @frame whose function is not a general helper (copying, lists,
 * slabs, locks, reference counts ...): it handed in what the helper tripped over.
 */
struct blame facts_blame(const struct facts *facts, size_t frame);
/* Fills in file and line, where debug info is at hand. */
void blame_place(const struct facts *facts, struct blame *blame);
/* The same in the stack of another task. */
struct blame facts_blame_stack(const struct facts *facts, const struct stack *stack,
			       size_t frame);
/* A function that is on no stack that is looked at: that allocated something, for instance. */
struct blame facts_blame_symbol(const struct facts *facts, const struct symbol *symbol);
/* The same by names, as the log has them; @module "": the kernel itself. */
struct blame facts_blame_name(const struct facts *facts, const char *function,
			      const char *module);
/* Is @function (without the compiler's suffixes) such a general helper? */
bool blame_is_helper(const char *function);
/*
 * The frame that the interrupt or NMI which led to the crash interrupted: what the CPU was busy
 * with when a watchdog looked (forensics/caught.h). SIZE_MAX when there is none.
 */
size_t facts_interrupted(const struct facts *facts);
