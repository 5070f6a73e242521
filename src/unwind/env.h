/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What unwinding needs of the world, as a table of functions: the dump's memory and symbols in the
 * program (env.c), a few bytes of hostile memory in unit tests and fuzzing.
 */
#pragma once

#include "arch/arch.h"
#include "base/compiler.h"
#include "code/env.h"
#include "symbols/symbols.h"
#include "unwind/cfi.h"
#include "unwind/unwind.h"

struct unwind_env {
	void *ctx;
	const struct arch *arch;
	/* Kernel virtual bytes, all or nothing. */
	enum read_status (*read)(void *ctx, uint64_t vaddr, void *buf, size_t size);
	/* Text of the kernel or of a module. */
	bool (*is_text)(void *ctx, uint64_t address);
	/* Executable memory that is no such text: BPF programs, ftrace trampolines, kprobe slots. */
	bool (*is_generated)(void *ctx, uint64_t address);
	/* Where the function around @address starts; false when there is no symbol. */
	bool (*function)(void *ctx, uint64_t address, struct symbol *symbol);
	const struct module *(*module)(void *ctx, uint64_t address);
	/* Address of a symbol, 0 when there is none. */
	uint64_t (*symbol)(void *ctx, const char *name);
	/* What debug files say on unwinding at @address; NULL: there are none. */
	bool (*cfi)(void *ctx, uint64_t address, struct cfi_row *row);
};

/* The environment of a real dump; @world is borrowed and must outlive it. */
struct unwind_world {
	struct memory *mem;
	struct symbols *symbols;
	struct cfi_files *cfi; /* NULL: no debug files */
};

/* unwinder_create() over any environment, which is copied. */
struct unwinder *unwinder_create_env(const struct unwind_env *env);

static inline bool env_is_code(const struct unwind_env *env, uint64_t address)
{
	return env->is_text(env->ctx, address) || env->is_generated(env->ctx, address);
}

/* Is the instruction at @at a call of the tracer at the start of the function at @entry? */
static inline bool env_calls_tracer(const struct unwind_env *env, uint64_t entry, uint64_t at,
				    const struct insn *insn)
{
	const struct code_env code = {
		.ctx = env->ctx, .arch = env->arch, .read = env->read, .function = env->function
	};

	return code_calls_tracer(&code, entry, at, insn);
}

static inline enum read_status env_u64(const struct unwind_env *env, uint64_t vaddr,
				       uint64_t *value)
{
	return env->read(env->ctx, vaddr, value, sizeof(*value));
}
