// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One step up the stack by the function's own instructions, where tables have nothing: how far its
 * pushes and subtractions have moved the stack pointer from the entry to pc.
 *
 * This matters in every kdump: the crash note's registers are from inside __crash_kexec(), which is
 * marked STACK_FRAME_NON_STANDARD (kernel/kexec_core.c) and so has no ORC entries.
 *
 * Instructions are read once, in order of address, as compilers put the prologue first; after a
 * return or jump the stack is as deep as it has been at most. That is a guess for some functions,
 * so the word found must be the return address of a call that can have led here: a direct call
 * must be of this very function. Functions that realign the stack are given up.
 *
 * Retpolines (__x86_indirect_thunk_*, arch/x86/lib/retpoline.S) have no ORC entries either: they
 * call a place a few bytes ahead in themselves, and never return from that call.
 */
#include <string.h>

#include "code/code.h"
#include "base/bytes.h"
#include "unwind/walk.h"

enum { FUNCTION_MAX = 8192, CHUNK = 256, DEPTH_MAX = 8192, CALL_REL32 = 0xe8,
       RETPOLINE_MAX = 32 };

struct depth {
	int64_t now, most;
	int64_t fp;      /* depth right after rbp was pushed; 0: it still is the caller's */
	int64_t fp_most; /* the same in the function's body */
	bool lost;       /* the stack pointer was changed in a way not followed */
};

/* add or sub of a constant with rsp: 48 83 /n ib, 48 81 /n id. */
static bool adjusts_sp(const uint8_t *code, size_t length, unsigned n, int64_t *by)
{
	if (length < 4 || code[0] != 0x48 || code[2] != (0xc4 | n << 3))
		return false;
	if (code[1] == 0x83)
		*by = (int8_t)code[3];
	else if (code[1] == 0x81 && length >= 7)
		*by = (int32_t)load_u32(code + 3);
	else
		return false;
	return true;
}

/* push or pop of a register, 50+r and 58+r with an optional REX.B. */
static bool is_push_pop(const uint8_t *code, size_t length, uint8_t opcode)
{
	return (length == 1 && (code[0] & 0xf8) == opcode) ||
	       (length == 2 && code[0] == 0x41 && (code[1] & 0xf8) == opcode);
}

static void apply(const uint8_t *code, const struct insn *insn, uint64_t pc, struct depth *depth)
{
	int64_t by;

	if (is_push_pop(code, insn->length, 0x50) || (code[0] == 0x9c && insn->length == 1)) {
		depth->now += 8;
		if (code[0] == 0x55 && !depth->fp)
			depth->fp = depth->fp_most = depth->now;
	} else if (is_push_pop(code, insn->length, 0x58) || (code[0] == 0x8f))
		depth->now -= 8; /* 8f: pop to memory */
	else if (insn->kind == INSN_CALL && insn->target > pc && insn->target - pc < RETPOLINE_MAX)
		depth->now += 8;
	else if (adjusts_sp(code, insn->length, 5, &by))
		depth->now += by;
	else if (adjusts_sp(code, insn->length, 0, &by))
		depth->now -= by;
	else if (adjusts_sp(code, insn->length, 4, &by) || (code[0] == 0xc9 && insn->length == 1))
		depth->lost = true; /* and: realigned; leave */
	else if (insn->kind == INSN_RETURN || (insn->kind == INSN_JUMP && insn->indirect) ||
		 code[0] == 0xe9 || code[0] == 0xeb) {
		depth->now = depth->most;
		depth->fp = depth->fp_most;
	}
	if (depth->now < depth->fp)
		depth->fp = 0;
	if (depth->now > depth->most)
		depth->most = depth->now;
	if (depth->now < 0 || depth->now > DEPTH_MAX)
		depth->lost = true;
}

/* How far below its return address the stack pointer is when the instruction at @pc is next. */
static bool depth_at(const struct walk_state *walk, uint64_t function, uint64_t pc,
		     struct depth *depth)
{
	uint8_t code[CHUNK + CODE_INSN_MAX];
	uint64_t at = function;

	while (at < pc) {
		size_t have = (size_t)min_u64(sizeof(code), pc - at), used = 0;

		if (walk->env->read(walk->env->ctx, at, code, have) != READ_OK)
			return false;
		/* Instructions at the end of a chunk may be cut: decoded with the next one. */
		while (used < have && (used < CHUNK || have < sizeof(code))) {
			struct insn insn;

			if (!code_decode(code + used, have - used, at + used, &insn) ||
			    !insn.length)
				return false;
			apply(code + used, &insn, at + used, depth);
			if (depth->lost)
				return false;
			used += insn.length;
		}
		at += used;
	}
	return at == pc;
}

bool walk_called_from(const struct walk_state *walk, uint64_t pc, uint64_t function)
{
	uint8_t code[5];

	if (walk->env->read(walk->env->ctx, pc - sizeof(code), code, sizeof(code)) != READ_OK)
		return false;
	return code[0] == CALL_REL32 &&
	       pc + (uint64_t)(int64_t)(int32_t)load_u32(code + 1) == function;
}

/* The caller's rbp: pushed by this function, or not touched. */
static void restore_fp(const struct walk_state *walk, const struct depth *depth, uint64_t at,
		       struct frame *next)
{
	uint64_t fp;

	if (depth->fp && env_u64(walk->env, at - (uint64_t)depth->fp, &fp) == READ_OK)
		regs_set(&next->regs, X86_RBP, fp);
	else if (!depth->fp && regs_known(&walk->now.regs, X86_RBP))
		regs_set(&next->regs, X86_RBP, walk->now.regs.value[X86_RBP]);
}

enum step code_step(struct walk_state *walk, struct frame *next)
{
	const struct frame *now = &walk->now;
	struct depth depth = { 0 };
	uint64_t pc, at;
	struct symbol symbol;
	uint8_t code[5];

	if (!walk->env->function(walk->env->ctx, now->pc - now->is_call, &symbol) ||
	    now->pc - symbol.address > FUNCTION_MAX || !env_is_code(walk->env, symbol.address))
		return walk_fail(walk, "no function is known around 0x%llx",
				 (unsigned long long)now->pc);
	if (!depth_at(walk, symbol.address, now->pc, &depth))
		return walk_fail(walk, "the instructions up to 0x%llx cannot be followed",
				 (unsigned long long)now->pc);
	at = now->sp + (uint64_t)depth.now;
	if (walk_read_return(walk, at, &pc) != STEP_CALLER || !walk_after_call(walk, pc) ||
	    walk->env->read(walk->env->ctx, pc - 5, code, sizeof(code)) != READ_OK ||
	    (code[0] == CALL_REL32 && !walk_called_from(walk, pc, symbol.address) &&
	     !walk_is_retpoline(walk, now->pc)))
		return walk_fail(walk, "no caller of %s is at 0x%llx", symbol.name,
				 (unsigned long long)at);
	walk_call_frame(walk, next, FRAME_CODE, pc, at);
	restore_fp(walk, &depth, at, next);
	walk->now.cfa = next->sp;
	return STEP_CALLER;
}
