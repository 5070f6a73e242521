/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 5: a thread's registers and stack -> frames; each says how it was found.
 *
 * In: memory, symbols, modules (for their ORC tables), starting registers. Out: a `struct stack`.
 * Methods are tried in the order of a table (unwind.c): ORC first, scan last. A new method
 * is one file and one line there.
 */
#pragma once

#include "base/compiler.h"
#include "base/error.h"
#include "symbols/debuginfo.h"
#include "symbols/symbols.h"

enum frame_how {
	FRAME_START,     /* the registers we began with */
	FRAME_ORC,       /* by the kernel's own unwind tables */
	FRAME_CFI,       /* by the unwind information of a debug file */
	FRAME_FP,        /* by the frame pointer chain */
	FRAME_EXCEPTION, /* by a struct pt_regs on the stack */
	FRAME_RETADDR,   /* return address at the top of the stack, after a call to nowhere */
	FRAME_CODE,      /* by the pushes in the function's code, where it has no tables */
	FRAME_SCAN,      /* a guess: a text address on the stack. Shown with '?' */
};

struct frame {
	uint64_t pc;
	uint64_t sp;         /* value of the stack pointer in this frame */
	uint64_t cfa;        /* stack pointer of the caller before its call; 0 when unknown */
	uint64_t retaddr_at; /* stack address of the word that holds this frame's pc (or a tracer's
				trampoline instead, see unwinder_set_resolver()); 0: in registers */
	enum frame_how how;
	bool is_call;        /* pc is a return address: look it up as pc - 1 */
	/*
	 * regs come from registers saved by an exception or interrupt, in a struct pt_regs at
	 * pt_regs_at. Caught early in entry code only what the CPU pushes is there: the rest
	 * is then not known (regs_known()).
	 */
	bool has_regs;
	uint64_t pt_regs_at;
	struct regs regs;    /* what is known of the registers in this frame; pc, sp at least */
	const char *stack;   /* "task", "irq", "nmi", "double-fault" ... (static), or NULL */
};

enum stack_end {
	STACK_END_USER,      /* reached the registers saved on entry from user mode */
	STACK_END_KTHREAD,   /* reached ret_from_fork of a kernel thread, or an idle task's start */
	STACK_END_INCOMPLETE, /* cannot be followed further, or frames are guessed: see reason */
};

struct stack {
	struct frame *frames;
	size_t count, capacity;
	enum stack_end end;
	char reason[160];     /* with STACK_END_INCOMPLETE, one sentence */
	struct regs user_regs; /* with STACK_END_USER; else known == 0, or found after a guess */
	bool truncated;       /* stopped at the frame limit */
};

/* The limits of the stack around an address: given by the kernel station, used to stay inside. */
struct stack_limits {
	uint64_t low, high;   /* [low, high) */
	const char *name;     /* static: "task", "irq", "nmi", "double-fault", "entry" ... */
};
/* @task: address of the task_struct (0 unknown), @cpu: -1 unknown. False: @sp is on no stack. */
typedef bool (*stack_limits_fn)(void *ctx, uint64_t sp, struct stack_limits *limits);

struct unwinder;

/*
 * Finds the kernel's ORC tables by symbol (__start_orc_unwind ...) and their version by structure.
 * Never fails: without ORC the other methods remain. Says what it has with unwinder_source().
 */
struct unwinder *unwinder_create(struct memory *mem, struct symbols *symbols);
void unwinder_destroy(struct unwinder *unwinder);
const char *unwinder_source(const struct unwinder *unwinder);

/* Use the unwind information of these debug files as well (borrowed; NULL: of none). */
void unwinder_set_debuginfo(struct unwinder *unwinder, struct debuginfo *debug);
/* Do without the ORC tables, to test what replaces them. */
void unwinder_forget_orc(struct unwinder *unwinder);

/*
 * While a kretprobe or the function graph tracer follows a function, its return address on the
 * stack is that of a trampoline, and the real one is kept elsewhere. @resolve finds it: *@pc is the
 * trampoline on entry, @ctx what unwind() was given. Without a resolver such a stack is guessed on.
 */
typedef bool (*unwind_resolve_fn)(void *ctx, uint64_t retaddr_at, uint64_t *pc);
void unwinder_set_resolver(struct unwinder *unwinder, unwind_resolve_fn resolve);

/*
 * Unwinds from @start (at least pc and sp known; in_call: pc is a return address). @limits may be
 * NULL. Thread-safe. @stack is initialised here; free with stack_deinit(). Bounded: at most
 * UNWIND_FRAMES_MAX frames, each step must move on.
 */
enum { UNWIND_FRAMES_MAX = 4096 };
void unwind(struct unwinder *unwinder, const struct regs *start, bool in_call,
	    stack_limits_fn limits, void *ctx, struct stack *stack);
void stack_deinit(struct stack *stack);

/*
 * Registers of a task that is not running, from its saved stack pointer @saved_sp (thread.sp), to
 * start unwind() with: those that a function call preserves, pc and sp. @in_call is for unwind().
 * False: nothing usable is there.
 */
bool unwind_inactive_regs(struct unwinder *unwinder, uint64_t saved_sp, struct regs *regs,
			  bool *in_call) must_check;

/* How the debug files' unwind information and the walk compare. */
struct unwind_check {
	size_t checked, disagreements; /* frames */
	char first[256];               /* the first disagreement, one sentence; "" for none */
};

/*
 * Adds to the frames the registers that their functions preserve, as far as debug files tell where
 * they were saved. Where these and the walk disagree nothing is added. @check may be NULL.
 */
void unwind_registers(struct unwinder *unwinder, struct stack *stack, struct unwind_check *check);

/*
 * Where the function of frame @index has saved registers of its caller, as far as a debug file or
 * its first instructions tell: sets at[register], returns which (bit n: register n). For frames of
 * unwind_registers().
 */
uint64_t unwind_saved_at(struct unwinder *unwinder, const struct stack *stack, size_t index,
			 uint64_t at[ARCH_REGS_MAX]);

/* Frames that repeat: recursion. */
struct stack_cycle {
	size_t first, length, turns; /* frames [first, first + length * turns) */
};

/*
 * Does a cycle of return addresses begin at frame @from, at least @turns_min times over? The
 * shortest one is given.
 */
bool stack_find_cycle(const struct stack *stack, size_t from, size_t turns_min,
		      struct stack_cycle *cycle);
