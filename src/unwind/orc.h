/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ORC, the x86-64 kernel's own unwind tables: a code address -> how to find the caller's stack
 * pointer, frame pointer and return address. Internal to unwind/.
 */
#pragma once

#include <stdatomic.h>

#include "unwind/env.h"

/* The register that an address is computed from. */
enum orc_base {
	ORC_BASE_UNDEFINED,
	ORC_BASE_PREV_SP, /* the caller's stack pointer */
	ORC_BASE_SP,
	ORC_BASE_BP,
	ORC_BASE_DX,
	ORC_BASE_DI,
	ORC_BASE_R10,
	ORC_BASE_R13,
	ORC_BASE_SP_INDIRECT,
	ORC_BASE_BP_INDIRECT,
	ORC_BASE_AX,
	ORC_BASE_UNKNOWN, /* a number that this format does not use */
};

enum orc_type {
	ORC_TYPE_UNDEFINED, /* no unwind information: gaps between objects, odd assembly */
	ORC_TYPE_END,       /* the outermost frame of a stack */
	ORC_TYPE_CALL,
	ORC_TYPE_REGS,         /* a struct pt_regs */
	ORC_TYPE_REGS_PARTIAL, /* only what the CPU pushes: ip, cs, flags, sp, ss */
	ORC_TYPE_UNKNOWN,
};

/* An entry, the same for all formats. */
struct orc_entry {
	int16_t sp_offset, bp_offset;
	uint8_t sp_base, bp_base; /* enum orc_base */
	uint8_t type;             /* enum orc_type */
	bool signal; /* the next frame's pc is where it was interrupted, not a return address */
};

/* How entries are laid out; named after the first kernel with it. See orc_format.c. */
enum orc_format {
	ORC_FORMAT_NONE,
	ORC_FORMAT_4_14,
	ORC_FORMAT_4_18,
	ORC_FORMAT_6_3,
	ORC_FORMAT_6_4,
	ORC_FORMAT_7_1,
};

enum { ORC_ENTRY_SIZE = 6, ORC_IP_SIZE = 4 };

/* Decodes the ORC_ENTRY_SIZE bytes at @raw. */
void orc_decode(enum orc_format format, const uint8_t *raw, struct orc_entry *entry);
const char *orc_format_name(enum orc_format format);

/* What entries of unknown format look like; filled from any number of samples. */
struct orc_census {
	unsigned total;
	unsigned calls_old, calls_6_4, calls_7_1; /* "return address on top of the stack" as written
						     by each numbering */
	unsigned bit10_end, bit10_signal, bit11;
};
void orc_census_add(struct orc_census *census, const uint8_t *raw, size_t count);
/* ORC_FORMAT_NONE: the samples are not ORC entries of any format known. */
enum orc_format orc_census_format(const struct orc_census *census);

/* Two parallel arrays in the dump, sorted by address. */
struct orc_table {
	uint64_t ips;     /* int32_t[count]: address of the code, relative to the element */
	uint64_t entries; /* ORC_ENTRY_SIZE bytes each */
	uint32_t count;
};

enum { ORC_CACHE_SLOTS = 1024 };

struct orc {
	enum orc_format format;
	struct orc_table kernel;
	uint64_t low, high; /* addresses that the kernel's table covers: [low, high) */
	/* Entries found lately. check is pc ^ value, so that a torn pair is seen and not used. */
	struct {
		_Atomic uint64_t check, value;
	} cache[ORC_CACHE_SLOTS];
};

/* False when there are no tables that make sense; @why (may be NULL) then says what is wrong. */
bool orc_init(struct orc *orc, const struct unwind_env *env, const char **why);

/*
 * The entry for @pc. False when there is none: @why (static text) says why. An entry of
 * ORC_TYPE_UNDEFINED is found and returned.
 */
bool orc_find(struct orc *orc, const struct unwind_env *env, uint64_t pc, struct orc_entry *entry,
	      const char **why);
/* The same in one table; @index is the entry's place. */
enum read_status orc_search(const struct orc_table *table, const struct unwind_env *env,
			    uint64_t pc, uint32_t *index);
