// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Searching x86-64 code. The quick look parses what follows an opcode byte (ModRM, SIB,
 * displacement, immediate; Intel SDM volume 2, chapter 2) without knowing whether an instruction
 * begins there: it may be wrong by saying yes too often, never by saying no.
 */
#include "code/search.h"

#include "base/bytes.h"
#include "code/x86.h"

unsigned code_length(const uint8_t *bytes, size_t size)
{
	ZydisDecodedInstruction insn;
	ZydisDecoder decoder;

	if (!ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
					   ZYDIS_STACK_WIDTH_64)) ||
	    !ZYAN_SUCCESS(ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_MINIMAL, true)) ||
	    !ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, bytes, size, &insn)))
		return 0;
	return insn.length;
}

struct modrm {
	uint8_t reg, rm;      /* the fields, without prefixes' bits */
	bool is_reg;          /* no memory operand */
	bool pc_relative;
	unsigned length;      /* with SIB and displacement */
	int32_t displacement;
};

static bool parse_modrm(const uint8_t *p, size_t size, struct modrm *m)
{
	if (size < 1)
		return false;
	unsigned mod = p[0] >> 6;
	*m = (struct modrm){ .reg = p[0] >> 3 & 7, .rm = p[0] & 7, .is_reg = mod == 3,
			     .length = 1 };
	if (m->is_reg)
		return true;
	bool wide = mod == 2;
	if (m->rm == 4) {
		if (size < 2)
			return false;
		m->length = 2;
		wide |= mod == 0 && (p[1] & 7) == 5;
	} else if (mod == 0 && m->rm == 5) {
		wide = m->pc_relative = true;
	}
	unsigned bytes = wide ? 4 : mod == 1;
	if (size < m->length + bytes)
		return false;
	if (wide)
		m->displacement = (int32_t)load_u32(p + m->length);
	else if (bytes)
		m->displacement = (int8_t)p[m->length];
	m->length += bytes;
	return true;
}

static bool might_be_at(const struct store_wish *wish, const struct modrm *m)
{
	if (m->is_reg)
		return false;
	return !wish->has_displacement ||
	       (!m->pc_relative && m->displacement >= wish->low && m->displacement < wish->high);
}

/* Is an immediate of 1, 2 or 4 bytes at @p the value? */
static bool might_be_immediate(uint64_t value, const uint8_t *p, size_t size)
{
	if (size >= 4 && code_same_value(value, load_u32(p), 4))
		return true;
	if (size >= 2 && code_same_value(value, load_u16(p), 2))
		return true;
	return size >= 1 && code_same_value(value, p[0], 1);
}

/* An instruction that sets a register to the value. */
static bool might_set(uint64_t value, const uint8_t *p, size_t size, uint64_t pc)
{
	uint8_t op = p[0];

	if (op >= 0xb8 && op <= 0xbf)
		return (size >= 5 && load_u32(p + 1) == (uint32_t)value) ||
		       (size >= 9 && load_u64(p + 1) == value);
	if (op == 0xc7)
		return size >= 6 && p[1] >= 0xc0 && load_u32(p + 2) == (uint32_t)value;
	if (op == 0x31 || op == 0x33 || op == 0x29 || op == 0x2b)
		return !value && size >= 2 && p[1] >= 0xc0 && (p[1] >> 3 & 7) == (p[1] & 7);
	if (op == 0x8d)
		return size >= 6 && (p[1] & 0xc7) == 5 &&
		       pc + 6 + (uint64_t)(int32_t)load_u32(p + 2) == value;
	return false;
}

static bool might_store_constant(const struct store_wish *wish, const uint8_t *p, size_t size)
{
	struct modrm m;
	uint64_t v = wish->value;

	switch (p[0]) {
	case 0xc6:
	case 0xc7:
		return parse_modrm(p + 1, size - 1, &m) && might_be_at(wish, &m) &&
		       might_be_immediate(v, p + 1 + m.length, size - 1 - m.length);
	case 0x80:
	case 0x81:
	case 0x83: /* and $0, or $-1 */
		return parse_modrm(p + 1, size - 1, &m) && might_be_at(wish, &m) &&
		       (m.reg == 4 || m.reg == 1) && size > 1 + m.length &&
		       (p[1 + m.length] == 0 || p[1 + m.length] == 0xff);
	default:
		return false;
	}
}

/* Opcodes whose ModRM operand is written, or may be. */
static bool opcode_may_write(uint8_t op)
{
	if (op < 0x40)
		return (op & 7) <= 1 && op < 0x38;
	switch (op) {
	case 0x80: case 0x81: case 0x83: case 0x86: case 0x87: case 0x88: case 0x89: case 0x8c:
	case 0x8f: case 0xc0: case 0xc1: case 0xc6: case 0xc7: case 0xd0: case 0xd1: case 0xd2:
	case 0xd3: case 0xd9: case 0xdb: case 0xdd: case 0xdf: case 0xf6: case 0xf7: case 0xfe:
	case 0xff:
		return true;
	default:
		return false;
	}
}

/* The same behind 0x0f, or a VEX prefix. */
static bool opcode2_may_write(uint8_t op)
{
	if (op >= 0x90 && op <= 0x9f) /* setcc */
		return true;
	switch (op) {
	case 0x11: case 0x13: case 0x17: case 0x29: case 0x2b: case 0x7e: case 0x7f: case 0xa4:
	case 0xa5: case 0xab: case 0xac: case 0xad: case 0xae: case 0xb0: case 0xb1: case 0xb3:
	case 0xba: case 0xbb: case 0xc0: case 0xc1: case 0xc3: case 0xc7: case 0xd6: case 0xe7:
		return true;
	default:
		return false;
	}
}

bool code_might_store(const struct store_wish *wish, const uint8_t *p, size_t size, uint64_t pc)
{
	struct modrm m;
	unsigned at;

	if (size < 2)
		return false;
	if (wish->has_value)
		return might_store_constant(wish, p, size) || might_set(wish->value, p, size, pc);
	if (opcode_may_write(p[0]) && parse_modrm(p + 1, size - 1, &m) && might_be_at(wish, &m))
		return true;
	if (p[0] == 0x0f && opcode2_may_write(p[1]))
		at = 2;
	else if (p[0] == 0x0f && p[1] == 0x38 && size > 2 && (p[2] == 0xf1 || p[2] == 0xf0))
		at = 3;
	else if (p[0] == 0xc5 && size > 2 && opcode2_may_write(p[2]))
		at = 3;
	else if (p[0] == 0xc4 && size > 3 && opcode2_may_write(p[3]))
		at = 4;
	else
		return false;
	return at < size && parse_modrm(p + at, size - at, &m) && might_be_at(wish, &m);
}
