/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Call frame information, the unwind tables of debug files (.debug_frame, .eh_frame): a code
 * address -> how to find the caller's stack pointer (the CFA) and the registers that the function
 * has saved. Internal to unwind/.
 *
 * Own code and not libdw's, since .debug_frame has no index: libdw makes an object of each entry on
 * the way to the one wanted, this reads the headers of all once. Nothing here keeps state after
 * cfi_init(), so that many threads may ask.
 */
#pragma once

#include "base/vec.h"

enum { CFI_REGS = 32 };

enum cfi_how {
	CFI_UNSPECIFIED,    /* as the ABI has it */
	CFI_UNDEFINED,      /* lost */
	CFI_SAME,           /* the caller's value is still in it */
	CFI_OFFSET,         /* saved at CFA + offset */
	CFI_VAL_OFFSET,     /* is CFA + offset */
	CFI_REGISTER,       /* in another register */
	CFI_EXPRESSION,     /* saved where an expression says */
	CFI_VAL_EXPRESSION, /* is what an expression says */
};

struct cfi_rule {
	uint8_t how; /* enum cfi_how */
	uint8_t reg; /* CFI_REGISTER; of the CFA: its base */
	int64_t offset;
	const uint8_t *expr; /* in the section */
	size_t expr_size;
};

/* What holds at one address. */
struct cfi_row {
	struct cfi_rule cfa; /* CFI_VAL_OFFSET: reg + offset, or CFI_VAL_EXPRESSION */
	struct cfi_rule reg[CFI_REGS];
	unsigned ra;        /* the column of the return address */
	bool signal;        /* the frame was interrupted: its caller's pc is no return address */
	uint64_t low, high; /* of the function's part that the entry is for, run-time addresses */
};

/* A range of code and where its entry is. */
struct cfi_range {
	uint64_t start;
	uint32_t length, offset;
};

struct cfi {
	const uint8_t *data; /* borrowed */
	size_t size;
	uint64_t bias;    /* run-time address - address in the section */
	bool eh;          /* .eh_frame */
	uint64_t address; /* of the section, as its code addresses count (for .eh_frame) */
	struct {
		vec_fields(struct cfi_range); /* by start, once the index is made */
	} ranges;
};

/*
 * Makes the index; entries that make no sense are left out. @cfi has data, size, bias, eh, address
 * set. Free with cfi_deinit().
 */
void cfi_init(struct cfi *cfi);
void cfi_deinit(struct cfi *cfi);
/* What holds at @pc (run-time). False when no entry covers it, or it is damaged: @why (static). */
bool cfi_find(const struct cfi *cfi, uint64_t pc, struct cfi_row *row, const char **why);
