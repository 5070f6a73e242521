// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The five layouts of struct orc_entry (arch/x86/include/asm/orc_types.h), made into one.
 *
 * All are six bytes: s16 sp_offset, s16 bp_offset, u16 of bit-fields. The bit-fields:
 *
 *	since	bits 0-3	4-7	8-9	10	11
 *	4.14	sp_reg		bp_reg	type	-	-	ee9f8fce9964
 *	4.18	sp_reg		bp_reg	type	end	-
 *	6.3	sp_reg		bp_reg	type	signal	end	ffb1b4a41016
 *	6.4	sp_reg		bp_reg	type: bits 8-10	signal	fb799447ae29
 *	7.1	the same, registers numbered anew		1735858caa4b
 *
 * Up to 6.3, sp_reg 0 means that there is no unwind information, or, with `end`, that this is the
 * outermost frame; without the `end` bit (4.14) both look the same and mean the end. Since 6.4 both
 * are types. Up to 4.18 a frame after saved registers is always an interrupted one ("signal").
 *
 * Distributions carry newer layouts back to older kernels (RHEL 9.6: 5.14 with that of 6.4), and
 * the section with the layout's hash (.orc_header, 6.4) is not there in all of these, so the layout
 * is told by what entries look like. By far the most frequent entry says "the return address is on
 * top of the stack" (every function's first instruction); it is written 0x0005 up to 6.3, 0x0205
 * since 6.4 and 0x0203 since 7.1. Between 4.18 and 6.3, entries of the assembly entry code decide:
 * bit 10 together with a stack register is `signal`, without one it is `end`.
 */
#include <string.h>

#include "base/bytes.h"
#include "unwind/orc.h"

static const uint8_t bases_until_7_0[16] = {
	ORC_BASE_UNDEFINED,   ORC_BASE_PREV_SP,     ORC_BASE_DX,      ORC_BASE_DI,
	ORC_BASE_BP,          ORC_BASE_SP,          ORC_BASE_R10,     ORC_BASE_R13,
	ORC_BASE_BP_INDIRECT, ORC_BASE_SP_INDIRECT, ORC_BASE_UNKNOWN, ORC_BASE_UNKNOWN,
	ORC_BASE_UNKNOWN,     ORC_BASE_UNKNOWN,     ORC_BASE_UNKNOWN, ORC_BASE_UNKNOWN,
};

static const uint8_t bases_since_7_1[16] = {
	ORC_BASE_UNDEFINED, ORC_BASE_AX,          ORC_BASE_DX,          ORC_BASE_SP,
	ORC_BASE_BP,        ORC_BASE_DI,          ORC_BASE_R10,         ORC_BASE_R13,
	ORC_BASE_PREV_SP,   ORC_BASE_SP_INDIRECT, ORC_BASE_BP_INDIRECT, ORC_BASE_UNKNOWN,
	ORC_BASE_UNKNOWN,   ORC_BASE_UNKNOWN,     ORC_BASE_UNKNOWN,     ORC_BASE_UNKNOWN,
};

static const uint8_t types_until_6_3[4] = {
	ORC_TYPE_CALL, ORC_TYPE_REGS, ORC_TYPE_REGS_PARTIAL, ORC_TYPE_UNKNOWN,
};

static const uint8_t types_since_6_4[8] = {
	ORC_TYPE_UNDEFINED,    ORC_TYPE_END,     ORC_TYPE_CALL,    ORC_TYPE_REGS,
	ORC_TYPE_REGS_PARTIAL, ORC_TYPE_UNKNOWN, ORC_TYPE_UNKNOWN, ORC_TYPE_UNKNOWN,
};

static void decode_until_6_3(enum orc_format format, uint16_t flags, struct orc_entry *entry)
{
	bool bit10 = flags >> 10 & 1, bit11 = flags >> 11 & 1;
	bool end = format == ORC_FORMAT_4_14 ? true : format == ORC_FORMAT_4_18 ? bit10 : bit11;

	entry->type = types_until_6_3[flags >> 8 & 3];
	entry->signal = format == ORC_FORMAT_6_3 ? bit10 : entry->type != ORC_TYPE_CALL;
	if (entry->sp_base == ORC_BASE_UNDEFINED)
		entry->type = end ? ORC_TYPE_END : ORC_TYPE_UNDEFINED;
}

void orc_decode(enum orc_format format, const uint8_t *raw, struct orc_entry *entry)
{
	uint16_t flags = load_u16(raw + 4);
	const uint8_t *bases = format >= ORC_FORMAT_7_1 ? bases_since_7_1 : bases_until_7_0;

	entry->sp_offset = (int16_t)load_u16(raw);
	entry->bp_offset = (int16_t)load_u16(raw + 2);
	entry->sp_base = bases[flags & 15];
	entry->bp_base = bases[flags >> 4 & 15];
	if (format >= ORC_FORMAT_6_4) {
		entry->type = types_since_6_4[flags >> 8 & 7];
		entry->signal = flags >> 11 & 1;
	} else {
		decode_until_6_3(format, flags, entry);
	}
}

const char *orc_format_name(enum orc_format format)
{
	static const char *const names[] = {
		[ORC_FORMAT_NONE] = "none", [ORC_FORMAT_4_14] = "4.14", [ORC_FORMAT_4_18] = "4.18",
		[ORC_FORMAT_6_3] = "6.3",   [ORC_FORMAT_6_4] = "6.4",   [ORC_FORMAT_7_1] = "7.1",
	};

	return names[format];
}

void orc_census_add(struct orc_census *census, const uint8_t *raw, size_t count)
{
	for (; count; count--, raw += ORC_ENTRY_SIZE) {
		uint16_t flags = load_u16(raw + 4);

		census->total++;
		if (load_u16(raw) == 8) {
			/* Whatever says bp_reg: only sp_reg and type matter here. */
			census->calls_old += (flags & 0x070f) == 0x0005;
			census->calls_6_4 += (flags & 0x070f) == 0x0205;
			census->calls_7_1 += (flags & 0x070f) == 0x0203;
		}
		census->bit11 += flags >> 11 & 1;
		if (flags >> 10 & 1)
			(flags & 15 ? &census->bit10_signal : &census->bit10_end)[0]++;
	}
}

enum orc_format orc_census_format(const struct orc_census *census)
{
	unsigned best = census->calls_old;

	if (best < census->calls_6_4)
		best = census->calls_6_4;
	if (best < census->calls_7_1)
		best = census->calls_7_1;
	/* It is a quarter of all in every kernel looked at; anything much rarer is not ORC. */
	if (!best || best < census->total / 32)
		return ORC_FORMAT_NONE;
	if (best == census->calls_7_1)
		return ORC_FORMAT_7_1;
	if (best == census->calls_6_4)
		return ORC_FORMAT_6_4;
	if (census->bit11 || census->bit10_signal)
		return ORC_FORMAT_6_3;
	return census->bit10_end ? ORC_FORMAT_4_18 : ORC_FORMAT_4_14;
}
