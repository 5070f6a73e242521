/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What reasoning about code needs of the world, as a table of functions: a dump's memory, symbols
 * and exception table in the program (kernel/code_env.h), a few bytes in unit tests and fuzzing.
 */
#pragma once

#include "arch/arch.h"
#include "memory/memory.h"
#include "symbols/symbols.h"

/* An exception at the instruction at @at goes on at @target (the kernel's exception table). */
struct code_fixup {
	uint64_t at, target;
};

struct code_env {
	void *ctx;
	const struct arch *arch;
	/* Kernel virtual bytes, all or nothing. */
	enum read_status (*read)(void *ctx, uint64_t vaddr, void *buf, size_t size);
	/* The symbol that covers @address; its size tells where the function ends. */
	bool (*function)(void *ctx, uint64_t address, struct symbol *symbol);
	/* Any symbol of that name; NULL: not asked for. */
	bool (*by_name)(void *ctx, const char *name, struct symbol *symbol);
	/* The fix-ups of [@start, @end), any order; how many of them (at most @max). NULL: none. */
	size_t (*fixups)(void *ctx, uint64_t start, uint64_t end, struct code_fixup *fixups,
			 size_t max);
	/* The trap at @at is a WARN(), behind which the kernel goes on. NULL: not known. */
	bool (*trap_goes_on)(void *ctx, uint64_t at);
};

enum { ENDBR_SIZE = 4 };
/* Does the function at @entry begin with endbr64, or with what the kernel makes of it? */
bool code_has_endbr(const struct code_env *env, uint64_t entry);

struct insn;
/*
 * Is the call at @at one to the tracer (ftrace)? That is the first instruction of the function at
 * @entry but for endbr64, leads to generated code without symbols or to functions of ftrace, and
 * preserves all registers.
 */
bool code_calls_tracer(const struct code_env *env, uint64_t entry, uint64_t at,
		       const struct insn *call);
