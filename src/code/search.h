/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 5b: finding instructions of some kind in a lot of code: who stores this, who calls that.
 *
 * In: code bytes, of which most are of no interest. A search goes in two steps, since decoding all
 * code of a kernel takes a second: code_might_*() looks at the bytes alone and says for nearly
 * every place "surely not"; what remains is decoded from the start of its function. Stateless.
 */
#pragma once

#include "code/code.h"

/* Length of the instruction in bytes, and nothing else: faster. 0: it is none. */
unsigned code_length(const uint8_t *bytes, size_t size);

enum store_source {
	STORE_OTHER,    /* of what is not told: string, vector and flag instructions ... */
	STORE_CONSTANT,
	STORE_REGISTER, /* a register's value (also by exchanging it) */
	STORE_CHANGE,   /* memory is read, changed and written: add, inc, bts, cmpxchg ... */
};

/* What an instruction writes to the memory operand that it names. */
struct insn_store {
	struct insn_memory memory; /* .size is that of the store */
	enum store_source source;
	uint64_t constant; /* extended to 64 bits by its sign */
	int reg;           /* with STORE_REGISTER */
};

/* False: it writes no memory, or only by a push or a call. */
bool code_store(const struct insn *insn, struct insn_store *store);

enum register_source {
	SET_NOT,      /* no general register is set, or in a way that is not told */
	SET_CONSTANT, /* to a number, or an address relative to the instruction */
	SET_REGISTER, /* to the whole value of another register */
	SET_LOAD,     /* to 8 bytes of memory */
};

struct insn_set {
	enum register_source source;
	int reg, from;
	uint64_t constant;
	struct insn_memory memory;
};

/* What a plain move, or its like, does to a whole register; SET_NOT for all else. */
struct insn_set code_set_register(const struct insn *insn);
/* Does the next instruction follow, at least sometimes? (Not behind jumps, returns, ud2.) */
bool code_falls_through(const struct insn *insn);
/*
 * The code address that the instruction names without reading memory, as what it calls or jumps to
 * (insn.target) or as a number (the address of a function that it passes on). False: none.
 */
bool code_named_address(const struct insn *insn, uint64_t *address);

/* Which stores are looked for. */
struct store_wish {
	bool has_value;
	uint64_t value;         /* as a store of any size up to 8 bytes would have it */
	bool has_displacement;
	int64_t low, high;      /* of the displacement: [low, high) */
};

/*
 * Can the instruction whose opcode is at @bytes (behind its prefixes) be such a store, or set a
 * register to the value that a later one stores? @pc is the address of @bytes.
 */
bool code_might_store(const struct store_wish *wish, const uint8_t *bytes, size_t size,
		      uint64_t pc);
/* Is @constant, stored in @bytes_stored bytes, the value looked for? */
bool code_same_value(uint64_t wanted, uint64_t constant, unsigned bytes_stored);

/* Can the 4 bytes at @bytes, which stand at @pc, be a part of an instruction that names @address? */
static inline bool code_might_name(uint32_t word, uint64_t pc, uint64_t address)
{
	return word == (uint32_t)address || (uint32_t)(word + pc + 4) == (uint32_t)address;
}
