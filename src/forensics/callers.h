/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who calls a function, and what does it call: read out of the code as it is in the dump. */
#pragma once

#include "code/search.h"
#include "forensics/text.h"

enum reference_kind {
	REFERENCE_CALL,
	REFERENCE_JUMP,    /* a tail call: a jump into it from another function */
	REFERENCE_ADDRESS, /* its address is put in a register or in memory */
	REFERENCE_DATA,    /* a function pointer that lies in the kernel's or a module's data */
};

struct reference {
	enum reference_kind kind;
	uint64_t at;             /* the instruction, or the pointer */
	uint64_t function;       /* the start of the function that it is in; 0 for data */
	const struct module *module; /* NULL: the kernel */
	uint64_t through;        /* a static call's trampoline; 0: none */
};

struct references {
	struct reference *data;  /* by kind, then by module (tainting ones first), then address */
	size_t count, capacity;
	struct text_scan scan;
	uint64_t data_bytes, data_holes;
	bool interrupted;
};

/* Who names the function that starts at @function; free with references_deinit(). */
void callers_find(struct session *s, uint64_t function, struct references *references);
void references_deinit(struct references *references);

struct callee {
	uint64_t at;         /* the call or jump */
	bool jump;           /* a tail call */
	bool indirect;
	uint64_t target;     /* where it goes; 0: not told by the code */
	uint64_t through;    /* a static call's trampoline, or the variable that holds the pointer */
	int reg;             /* of an indirect one through a register; -1 */
	bool has_memory;     /* the pointer is read from there, just before or by the call */
	struct insn_memory memory;
};

struct callees {
	struct callee *data; /* in order of address, those of the cold part last */
	size_t count, capacity;
	uint64_t start, end, cold_start, cold_end; /* what was looked at; cold: 0 for none */
	bool holes;          /* not all of its code is in the dump */
};

/* What the function that covers @address calls; free with callees_deinit(). */
struct error *callees_find(struct session *s, uint64_t address, struct callees *callees)
	must_check;
void callees_deinit(struct callees *callees);

/* Where a static call's trampoline jumps to; false when @address is none. */
bool static_call_target(struct session *s, uint64_t address, uint64_t *target);
