/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is the code in memory what was built? The dump's code is compared with the file's, instruction by
 * instruction. What the kernel patches by itself (text_patches.h) is left out.
 *
 * In: functions, or all code. Out: what differs. One single bit is what failing memory does; more
 * is a probe, a live patch, a debugger, or somebody who wrote to code.
 */
#pragma once

#include "code/code.h"
#include "forensics/text_patches.h"

struct text_difference {
	uint64_t address; /* of the instruction as it is in the file */
	uint8_t size;
	uint8_t file[CODE_INSN_MAX], dump[CODE_INSN_MAX];
	unsigned bits;    /* how many differ */
	unsigned bit;     /* number of the first one, from @address on */
	bool probed;      /* there is a kprobe */
};

struct text_check {
	struct text_difference *data; /* by address */
	size_t count, capacity;
	uint64_t bytes;      /* compared */
	uint64_t holes;      /* not in the dump */
	size_t functions;
	size_t left_out;     /* differences beyond the first thousands */
	const char *why;     /* nothing could be compared: why; NULL */
};

/*
 * Of the functions at these addresses (any order; doubles are looked at once); those of which there
 * is no file are passed over. Free with text_check_deinit().
 */
void text_check_functions(struct session *s, const uint64_t *functions, size_t count,
			  struct text_check *check);
/* Of all code of the kernel and of modules that have a file. */
void text_check_all(struct session *s, struct text_check *check);
void text_check_deinit(struct text_check *check);
