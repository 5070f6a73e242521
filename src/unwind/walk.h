/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the methods of unwinding share: the walk up one thread's stacks. Internal to unwind/.
 *
 * A method is a function that, given the walk at a frame (walk->now), finds the frame of its
 * caller, or the end of the stack, or fails and says why (walk_fail()). The loop in unwind.c tries
 * the methods in order, and checks what they find (the stack pointer must move on).
 */
#pragma once

#include "unwind/orc.h"

struct unwinder {
	struct unwind_env env;
	struct unwind_world world; /* of a real dump; env.ctx points here then */
	struct orc orc;
	bool has_orc;
	struct debuginfo *debug;  /* may be NULL */
	unwind_resolve_fn resolve; /* may be NULL */
	uint64_t init_low, init_high; /* .init.text, which is freed but stays on the first stack */
	char source[96];
};

/* A stack that the walk has been on, and how far up it got there. */
struct stack_seen {
	uint64_t low;
	uint64_t reached;
};

enum { STACKS_MAX = 16, PT_REGS_MAX = 256 };

struct walk_state {
	struct unwinder *unwinder;
	const struct unwind_env *env;
	stack_limits_fn limits;
	void *limits_ctx;
	struct frame now;         /* the frame whose caller is wanted */
	struct regs entry_regs;   /* registers that entry code had not touched yet: see orc_step() */
	struct stack_limits stack; /* that now.sp is on; high 0: not known */
	struct stack_seen seen[STACKS_MAX];
	unsigned seen_count;
	unsigned went_down;       /* times that sp went down among stacks that are not known */
	unsigned scanned;         /* words looked at by the scan, over all the walk */
	struct regs user_regs;    /* with STEP_END_USER */
	char why[160];            /* why the last method failed */
};

enum step {
	STEP_FAILED,  /* walk->why says why */
	STEP_CALLER,  /* @next is set; also now.cfa when known */
	STEP_END_USER, /* entered from user mode with walk->user_regs */
	STEP_END_KTHREAD,
};

/* @next comes zeroed. A method may set walk->now.cfa, and nothing else of walk->now. */
typedef enum step (*step_fn)(struct walk_state *walk, struct frame *next);

enum step orc_step(struct walk_state *walk, struct frame *next);
enum step cfi_step(struct walk_state *walk, struct frame *next);
enum step retaddr_step(struct walk_state *walk, struct frame *next);
enum step code_step(struct walk_state *walk, struct frame *next);
enum step fp_step(struct walk_state *walk, struct frame *next);
enum step iret_step(struct walk_state *walk, struct frame *next);
enum step scan_step(struct walk_state *walk, struct frame *next);

/*
 * The stack pointer of a frame as its function's code counts, which differs where inline assembly
 * has switched to another stack: see step_cfi.c.
 */
uint64_t unwind_code_sp(const struct unwinder *unwinder, const struct stack *stack, size_t index);

/* Notes why a method failed; returns STEP_FAILED. */
enum step walk_fail(struct walk_state *walk, const char *fmt, ...) printf_like(2, 3);
/* The same after a read that failed at @vaddr. */
enum step walk_fail_read(struct walk_state *walk, const char *what, uint64_t vaddr,
			 enum read_status status);

/* The stack that @address is on, asking the caller of unwind(). */
bool walk_limits(const struct walk_state *walk, uint64_t address, struct stack_limits *limits);

/* A caller's frame: its return address was at @at, its registers are pc, sp and maybe fp. */
void walk_call_frame(const struct walk_state *walk, struct frame *next, enum frame_how how,
		     uint64_t pc, uint64_t at);
/*
 * The frame that a struct pt_regs at @at interrupted, or the end if that was user mode. With
 * @partial only the part pushed by the CPU is there.
 */
enum step walk_pt_regs(struct walk_state *walk, uint64_t at, bool partial, struct frame *next);
/* Sane registers of user mode in the place at the top of this task's stack, into user_regs. */
bool walk_user_regs_on_top(struct walk_state *walk);

/* May @pc be a return address: is there code just before it? */
bool walk_is_return(const struct walk_state *walk, uint64_t pc);
/*
 * The return address at @at: the real one, if a tracer has put another there. STEP_FAILED with
 * walk->why when there is none.
 */
enum step walk_read_return(struct walk_state *walk, uint64_t at, uint64_t *pc);
/* Does a call instruction end at @pc? Unreadable code: false. */
bool walk_after_call(const struct walk_state *walk, uint64_t pc);
/* Is the instruction before @pc a direct call of @function? */
bool walk_called_from(const struct walk_state *walk, uint64_t pc, uint64_t function);
/* Is @pc in a retpoline (arch/x86/lib/retpoline.S)? Those are also jumped to, as a last call. */
bool walk_is_retpoline(const struct walk_state *walk, uint64_t pc);
/* Is there a call instruction in @code that ends with its last byte, at @size? */
bool x86_ends_with_call(const uint8_t *code, size_t size);
