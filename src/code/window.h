/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Some bytes of code around an instruction, as an oops prints them ("Code:"), and nothing of the
 * rest of the function.
 *
 * Where instructions begin before it is found by decoding from every byte: chains that meet stay
 * together, and what all of them agree on is believed. When the function's entry is among the
 * bytes, nothing has to be found. Values are followed back in the straight line: what a register
 * held, and what it was made from. That somebody jumped into the middle of the line cannot be
 * excluded from within a window, but for the jumps that are seen.
 */
#pragma once

#include "code/code.h"

enum { WINDOW_INSNS_MAX = 128 };

struct code_window {
	const uint8_t *bytes; /* borrowed */
	size_t size;
	uint64_t address;     /* of the first byte */
	uint64_t pc;
	bool from_entry;      /* the function begins at start[0] */
	uint16_t start[WINDOW_INSNS_MAX]; /* offsets in bytes, to the end of the window */
	size_t count;
	size_t at;            /* the number of the instruction at pc */
};

/*
 * @pc is the address of bytes[@pc_index]; @offset: its distance from the function's entry.
 * False: there is no instruction at pc.
 */
bool code_window(const uint8_t *bytes, size_t size, size_t pc_index, uint64_t pc, uint64_t offset,
		 struct code_window *window);
/* Decodes instruction @i. */
bool code_window_insn(const struct code_window *window, size_t i, struct insn *insn);

enum window_origin_kind {
	WINDOW_LOST,      /* it was made in a way that is not followed, or the line is broken */
	WINDOW_UNCHANGED, /* as it was where the window begins */
	WINDOW_ENTRY,     /* as it was when the function was entered, in @reg */
	WINDOW_LOADED,    /* read from memory at @at */
	WINDOW_CONSTANT,  /* of the instruction at @at */
	WINDOW_RESULT,    /* of the call at @at */
};

struct window_origin {
	enum window_origin_kind kind;
	unsigned reg;             /* where it was first: with ENTRY, UNCHANGED */
	uint64_t at;
	struct insn_memory cell;  /* with LOADED */
	bool has_cell_address;    /* the registers in it are the same still, and known */
	uint64_t cell_address;
	uint8_t size;             /* bytes that were read; 0: all */
	uint64_t value;           /* with CONSTANT */
	int64_t added;            /* to what it was there */
	bool jumped_over;         /* a jump that is seen leads into the line behind @at */
};

/* Where the value of register @reg before instruction @i came from. @regs: as they were at pc. */
void code_window_origin(const struct code_window *window, size_t i, unsigned reg,
			const struct regs *regs, struct window_origin *origin);

/*
 * The comparison that decided that the instruction at pc was reached: the last conditional jump in
 * the window that leads there, or falls through to it; its number and the compare's. False: none.
 */
bool code_window_condition(const struct code_window *window, size_t *jump, size_t *compare,
			   bool *taken);
