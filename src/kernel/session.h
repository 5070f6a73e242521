/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 6, root: an opened dump with everything that hangs on it. There is no global mutable
 * state anywhere, so that several sessions can be open at once.
 *
 * Each subsystem of the kernel is a file here with a cached result hanging on the session, filled
 * on first use and freed with it (a slot in enum session_slot).
 */
#pragma once

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/progress.h"
#include "dump/dump.h"
#include "memory/memory.h"
#include "symbols/symbols.h"
#include "symbols/debuginfo.h"
#include "types/types.h"
#include "unwind/unwind.h"

struct text;

struct session_options {
	const char *const *paths; /* the dump, or the pieces of a split one */
	size_t path_count;
	const char *namelist;     /* vmlinux, System.map, or a folder of debug files; NULL: none */
	struct debug_options debug;
	const char *source;       /* a folder of the kernel's sources; NULL: none given */
	bool no_btf, no_orc;      /* do without what the dump carries (to test what replaces it) */
	bool text;                /* the paths are texts, whatever is in them (see kernel/text.h) */
	bool verify;              /* compare what is known from several sources, and say so */
	const char *fail_detector; /* this detector is to fail (to test the report); NULL */
	const char *rules;        /* a folder of the user's rules of known issues; NULL */
};

/* Subsystems that keep something on the session. */
enum session_slot {
	SLOT_MODULES,
	SLOT_CPUS,
	SLOT_SLABS,
	SLOT_TASKS,
	SLOT_LOG,
	SLOT_CACHE_TYPES,
	SLOT_IDENTIFY,
	SLOT_PAGES,
	SLOT_ZONES,
	SLOT_WHATIS,
	SLOT_VMALLOC,
	SLOT_CODE,
	SLOT_CONFIG,
	SLOT_WAITS,
	SLOT_CHANGES,
	SLOT_ALIASES,
	SLOT_COUNT,
};

/* The user's variables (`set -v`), each a row of the table in commands/set_variables.c. */
struct session_settings {
	uint64_t radix;     /* of numbers: 10, 16; 0: as each command likes best */
	uint64_t print_max; /* elements shown of an array; 0: usual */
	bool print_array;   /* each element of an array on a line of its own */
	bool null_stop;     /* character arrays up to the first NUL only */
	bool no_pager;      /* set scroll off */
	bool silent;        /* no greeting */
	bool vi;            /* line editing as vi's */
	const char *errors; /* where errors go: a file, "redirect": where the output goes; NULL: usual */
	const char *console; /* what gets the output, too; NULL: none */
};

/* What the user looks at: commands that are given no task or frame use these (kernel/context.h). */
struct session_context {
	uint64_t task; /* address of a task_struct; 0: the task that crashed */
	size_t frame;  /* in its stack, as bt numbers them */
	bool quit;     /* no further commands are wanted */
	struct session_settings settings;
};

struct session {
	const char *source;      /* a folder of the kernel's sources; NULL */
	const char *path;        /* of the dump (its first piece), as the user gave it */
	struct dump *dump;
	struct text *text;       /* a text in place of a dump (kernel/text.h); NULL: a dump */
	bool opened;             /* opening is over: a text's gaps are no news from here on */
	const struct arch *arch;
	struct memory *memory;
	struct symbols *symbols; /* NULL when none were found: see problems */
	struct debuginfo *debuginfo; /* NULL without symbols */
	struct types *types;
	struct unwinder *unwinder; /* NULL without symbols */
	bool verify;               /* as in the options */
	const char *fail_detector, *rules; /* the same; borrowed */
	struct arena arena;        /* lives as long as the session */
	struct session_context context;
	/* Set from outside (Ctrl-C): long loops stop. Borrowed; NULL: never. See session_stopped(). */
	const atomic_bool *stop;
	/* How far the current command is; who draws it only looks. */
	struct progress progress;
	/* What is wrong or missing, one sentence each, in order of discovery. */
	struct {
		const char **data;
		size_t count, capacity;
	} problems;
	/* Of those, how many are of debug files, without which every answer is as good. */
	size_t debug_problems, debug_problems_seen;
	struct {
		void *data;
		void (*destroy)(void *data);
	} slot[SLOT_COUNT];
};

/*
 * Opens a dump and finds symbols, types and unwind tables. Fails only when the dump itself cannot
 * be opened; whatever else is missing becomes a problem and the session does what it can.
 */
struct error *session_open(const struct session_options *options, struct session **session)
	must_check;
void session_close(struct session *session);
/*
 * Memory was changed: what was read out of it is forgotten, but for symbols, types and unwind
 * tables. What the caller got from this session's subsystems (tasks, caches, zones ...) is gone.
 */
void session_forget(struct session *session);
/* Notes a problem (said once, however often it is noted). */
void session_problem(struct session *session, const char *fmt, ...) printf_like(2, 3);
/* Notes what went wrong with debug files since they were last asked for something. */
void session_debug_problems(struct session *session);

/* Has the user had enough? Asked by loops that may take seconds; the command then ends early. */
static inline bool session_stopped(const struct session *session)
{
	return session->stop && atomic_load_explicit(session->stop, memory_order_relaxed);
}

/* --- Reading kernel structures by member name. --- */

/*
 * Reads member @path of the @struct_name at @address, as an unsigned number of up to 8 bytes
 * (bit-fields too; signed members are sign-extended). False when the member does not exist or
 * cannot be read; @value is then 0. "a|b" tries renamed members in order.
 */
bool kread(struct session *s, uint64_t address, const char *struct_name, const char *path,
	   uint64_t *value);
/* The same, why it failed told apart. */
enum kread_status { KREAD_OK, KREAD_NO_MEMBER, KREAD_HOLE };
enum kread_status kread_status(struct session *s, uint64_t address, const char *struct_name,
			       const char *path, uint64_t *value);
/* Reads a char array member (or a char pointer's string); "" when it cannot be read. */
bool kread_string(struct session *s, uint64_t address, const char *struct_name, const char *path,
		  char *buf, size_t size);
/* Offset of a member; false when there is no such member. */
bool koffset(struct session *s, const char *struct_name, const char *path, uint64_t *offset);
/* Address of the object that contains the member at @member_address (container_of); 0 unknown. */
uint64_t kcontainer(struct session *s, uint64_t member_address, const char *struct_name,
		    const char *path);
/* Reads the global variable @name as an unsigned number of @size bytes (1, 2, 4, 8). */
bool kglobal(struct session *s, const char *name, unsigned size, uint64_t *value);
/* Is it a variable of which each CPU has its own? */
bool symbol_is_percpu(struct session *s, const struct symbol *symbol);
/* A per-CPU variable's address on @cpu; 0 when unknown. */
uint64_t kpercpu(struct session *s, const char *symbol, unsigned cpu);

/*
 * Walks a circular struct list_head: calls @fn with the address of each containing @struct_name.
 * Bounded; stops at a hole or a loop with a problem noted under @what.
 */
typedef bool (*klist_fn)(void *ctx, uint64_t object);
void klist_each(struct session *s, uint64_t head, const char *struct_name, const char *member,
		const char *what, klist_fn fn, void *ctx);
