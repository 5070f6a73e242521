/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 5a: instruction bytes -> decoded instructions. (Control flow and value flow will live
 * here too.)
 *
 * In: bytes at an address. Out: one instruction: its text, its memory operand, what it reads and
 * writes there. Stateless. One file per architecture.
 */
#pragma once

#include "arch/arch.h"
#include "base/compiler.h"

enum { CODE_INSN_MAX = 15 };

enum insn_kind {
	INSN_OTHER,
	INSN_CALL,
	INSN_JUMP,
	INSN_RETURN,
	INSN_TRAP,   /* ud2 and its like: put there to stop */
	INSN_STRING, /* rep movs and its like: memory through rsi, rdi */
	INSN_DIVIDE,
};

/* A memory operand: base + index * scale + displacement; registers are arch numbers, -1 none. */
struct insn_memory {
	bool present;
	int base, index;
	uint8_t scale;
	int64_t displacement;
	bool absolute;      /* no base or pc-relative: address is already whole in displacement */
	bool per_cpu;       /* segment override: relative to a segment base that is not known here */
	uint16_t size;      /* bytes */
	bool read, write;
};

struct insn {
	uint8_t length;
	enum insn_kind kind;
	bool indirect;     /* call or jump through a register or memory */
	uint64_t target;   /* of a direct call or jump; 0 none */
	int target_reg;    /* of an indirect one through a register; -1 none */
	/* Bit n: general register n is written, wholly or in part, perhaps not always. */
	uint64_t writes;
	struct insn_memory memory; /* explicit or hidden (string instructions), the first one */
	struct insn_memory memory2; /* the second one of movs, push mem, ... */
};

/* Decodes the instruction at @pc; false when the bytes are none. */
bool code_decode(const uint8_t *bytes, size_t size, uint64_t pc, struct insn *insn);
/*
 * Its text in AT&T syntax, as objdump and crash print: "mov %rax,0x10(%rdi)". Targets and what lies
 * relative to the program counter get their names from @name_address when that is not NULL:
 * "call 0xffffffff81000010 <f>", "mov 0x10(%rip),%eax  # 0xffffffff82000000 <v>". False when the bytes are no instruction; @buf is then "(bad)".
 */
typedef void (*name_address_fn)(void *ctx, uint64_t address, char *buf, size_t size);
bool code_format(const uint8_t *bytes, size_t size, uint64_t pc, name_address_fn name_address,
		 void *ctx, char *buf, size_t buf_size);
/* The address of a memory operand, when all registers in it are known. */
bool code_memory_address(const struct insn_memory *memory, const struct regs *regs,
			 uint64_t *address);
