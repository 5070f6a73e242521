/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 5a: instruction bytes -> decoded instructions (this header) -> the blocks of a function
 * (cfg.h) -> what its registers and stack slots hold at an address (flow.h).
 *
 * In: bytes at an address. Out: one instruction: its text, what it does, its operands, all that it
 * reads and writes. Stateless. One file per architecture; what such a file does not understand it
 * calls INSN_DOES_OTHER, and then only `reads` and `writes` tell of it.
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
	bool wraps;         /* the address is cut to 32 bits */
	uint16_t size;      /* bytes; of a string instruction, of one element */
	bool read, write;
};

/* What an instruction does with its operands; the first is where the result goes. */
enum insn_does {
	INSN_DOES_OTHER, /* what its read and write sets say, and no more is known */
	INSN_DOES_MOVE,
	INSN_DOES_ADDRESS, /* lea: the result is the address of the memory operand */
	INSN_DOES_ZERO_EXTEND,
	INSN_DOES_SIGN_EXTEND,
	INSN_DOES_ADD, /* of two operands the first is also read; of three it is not */
	INSN_DOES_SUB,
	INSN_DOES_AND,
	INSN_DOES_OR,
	INSN_DOES_XOR,
	INSN_DOES_SHL,
	INSN_DOES_SHR,
	INSN_DOES_SAR,
	INSN_DOES_MUL, /* the low half of the product */
	INSN_DOES_NEG,
	INSN_DOES_NOT,
	INSN_DOES_INC,
	INSN_DOES_DEC,
	INSN_DOES_COMPARE, /* like SUB, the result goes to the flags only */
	INSN_DOES_TEST,    /* like AND, the same */
	INSN_DOES_EXCHANGE,
	INSN_DOES_SELECT, /* cmov: a move under a condition */
	INSN_DOES_SET,    /* setcc: 1 under a condition, else 0 */
	INSN_DOES_PUSH,
	INSN_DOES_POP,
	INSN_DOES_LEAVE, /* sp = fp, then pop fp */
};

/* Of branches, moves and sets; in pairs: condition ^ 1 is the opposite. */
enum insn_condition {
	COND_BELOW,
	COND_NOT_BELOW,
	COND_EQUAL,
	COND_NOT_EQUAL,
	COND_NOT_ABOVE,
	COND_ABOVE,
	COND_NEGATIVE,
	COND_NOT_NEGATIVE,
	COND_LESS,
	COND_NOT_LESS,
	COND_NOT_GREATER,
	COND_GREATER,
	COND_OTHER,  /* overflow, parity, a counter: true or false, who knows */
	COND_ALWAYS, /* no condition */
};

enum insn_operand_kind {
	OPERAND_NONE,
	OPERAND_REGISTER,  /* a general register or a part of one */
	OPERAND_IMMEDIATE,
	OPERAND_MEMORY,    /* insn.memory */
	OPERAND_OTHER,     /* vector, segment, control registers */
};

struct insn_operand {
	enum insn_operand_kind kind;
	int reg;       /* arch number */
	bool high;     /* its bits 8..15 (%ah and its like) */
	uint16_t size; /* bytes */
	int64_t value; /* of an immediate, sign-extended */
};

enum { INSN_OPERANDS_MAX = 3 };

struct insn {
	uint8_t length;
	enum insn_kind kind;
	enum insn_does does;
	enum insn_condition condition;
	/* As written in the text, result first; those that are understood by `does` beside. */
	struct insn_operand operand[INSN_OPERANDS_MAX];
	uint8_t operand_count;
	bool repeats;      /* rep: as often as rcx says, perhaps not at all */
	bool writes_flags; /* any of those that conditions look at */
	bool leaves;       /* for other code, not to come back: iret, sysret */
	bool indirect;     /* call or jump through a register or memory */
	uint64_t target;   /* of a direct call or jump; 0 none */
	int target_reg;    /* of an indirect one through a register; -1 none */
	/* Bit n: general register n is written, wholly or in part, perhaps not always. */
	uint64_t writes;
	uint64_t reads; /* bit n: it is read, for its value or for an address */
	struct insn_memory memory; /* explicit or hidden (string instructions), the first one */
	struct insn_memory memory2; /* the second one of movs, push mem, ... */
	struct insn_memory address; /* what lea computes, and does not touch */
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
