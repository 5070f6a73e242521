// SPDX-License-Identifier: LGPL-2.1-or-later
/* x86-64 instructions, through Zydis (why this decoder: docs/dependencies.md). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "code/code.h"
#include "code/x86.h"

static const uint8_t reg_of_zydis[16] = {
	X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI,
	X86_R8,  X86_R9,  X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15,
};

int x86_reg_number(ZydisRegister reg)
{
	ZydisRegister full = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

	if (full == ZYDIS_REGISTER_RIP)
		return X86_RIP;
	if (full < ZYDIS_REGISTER_RAX || full > ZYDIS_REGISTER_R15)
		return -1;
	return reg_of_zydis[full - ZYDIS_REGISTER_RAX];
}

bool x86_decode(const uint8_t *bytes, size_t size, ZydisDecodedInstruction *insn,
		ZydisDecodedOperand *operands)
{
	ZydisDecoder decoder;

	return ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
					     ZYDIS_STACK_WIDTH_64)) &&
	       ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, size, insn, operands));
}

static enum insn_kind kind_of(const ZydisDecodedInstruction *insn)
{
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_INT3:
		return INSN_TRAP;
	case ZYDIS_MNEMONIC_DIV:
	case ZYDIS_MNEMONIC_IDIV:
		return INSN_DIVIDE;
	default:
		break;
	}
	switch (insn->meta.category) {
	case ZYDIS_CATEGORY_CALL:
		return INSN_CALL;
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_COND_BR:
		return INSN_JUMP;
	case ZYDIS_CATEGORY_RET:
		return INSN_RETURN;
	case ZYDIS_CATEGORY_STRINGOP:
	case ZYDIS_CATEGORY_IOSTRINGOP:
		return INSN_STRING;
	default:
		return INSN_OTHER;
	}
}

static struct insn_memory memory_operand(const ZydisDecodedInstruction *insn,
					 const ZydisDecodedOperand *op, uint64_t next_pc)
{
	struct insn_memory m = {
		.present = true,
		.base = -1,
		.index = -1,
		.scale = op->mem.scale,
		.displacement = op->mem.disp.has_displacement ? op->mem.disp.value : 0,
		.per_cpu = op->mem.segment == ZYDIS_REGISTER_GS ||
			   op->mem.segment == ZYDIS_REGISTER_FS,
		.wraps = insn->address_width < 64,
		.size = (uint16_t)(op->size / 8),
		.read = op->actions & ZYDIS_OPERAND_ACTION_MASK_READ,
		.write = op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE,
	};

	if (op->mem.base == ZYDIS_REGISTER_RIP) {
		m.displacement = (int64_t)(next_pc + (uint64_t)m.displacement);
		m.absolute = true;
		return m;
	}
	if (op->mem.base != ZYDIS_REGISTER_NONE)
		m.base = x86_reg_number(op->mem.base);
	if (op->mem.index != ZYDIS_REGISTER_NONE)
		m.index = x86_reg_number(op->mem.index);
	m.absolute = m.base < 0 && m.index < 0;
	return m;
}

static void control_target(const ZydisDecodedOperand *op, uint64_t next_pc, struct insn *out)
{
	if (op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && op->imm.is_relative) {
		out->target = next_pc + (uint64_t)op->imm.value.s;
	} else if (op->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT) {
		out->indirect = true;
		if (op->type == ZYDIS_OPERAND_TYPE_REGISTER)
			out->target_reg = x86_reg_number(op->reg.value);
	}
}

/* Flags that conditions test. */
enum {
	TESTED_FLAGS = ZYDIS_CPUFLAG_CF | ZYDIS_CPUFLAG_PF | ZYDIS_CPUFLAG_ZF | ZYDIS_CPUFLAG_SF |
		       ZYDIS_CPUFLAG_OF,
};

static bool writes_flags(const ZydisDecodedInstruction *insn)
{
	const ZydisAccessedFlags *flags = insn->cpu_flags;

	return flags && (flags->modified | flags->set_0 | flags->set_1 | flags->undefined) &
				TESTED_FLAGS;
}

static void add_reg(uint64_t *set, int reg)
{
	if (reg >= 0)
		*set |= UINT64_C(1) << reg;
}

static void note_register(const ZydisDecodedOperand *op, struct insn *out)
{
	int reg = x86_reg_number(op->reg.value);

	if (op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
		add_reg(&out->writes, reg);
	if (op->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
		add_reg(&out->reads, reg);
}

static void note_memory(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *op,
			uint64_t next_pc, struct insn *out)
{
	struct insn_memory m = memory_operand(insn, op, next_pc);

	add_reg(&out->reads, m.base);
	add_reg(&out->reads, m.index);
	/* lea and nop name an address that they do not touch. */
	if (op->mem.type == ZYDIS_MEMOP_TYPE_AGEN) {
		out->address = m;
		out->address.read = out->address.write = false;
		return;
	}
	if (insn->meta.category == ZYDIS_CATEGORY_WIDENOP ||
	    insn->meta.category == ZYDIS_CATEGORY_NOP)
		return;
	if (!out->memory.present)
		out->memory = m;
	else
		out->memory2 = m;
}

bool code_decode(const uint8_t *bytes, size_t size, uint64_t pc, struct insn *out)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

	*out = (struct insn){ .target_reg = -1 };
	if (!x86_decode(bytes, size, &insn, operands))
		return false;
	out->length = insn.length;
	out->kind = kind_of(&insn);
	out->writes_flags = writes_flags(&insn);
	out->repeats = insn.attributes &
		       (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
	if (out->kind == INSN_CALL || out->kind == INSN_JUMP)
		control_target(&operands[0], pc + insn.length, out);
	for (unsigned i = 0; i < insn.operand_count; i++) {
		if (operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER)
			note_register(&operands[i], out);
		else if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
			note_memory(&insn, &operands[i], pc + insn.length, out);
	}
	/* Zydis 4.0 forgets that ins and outs move their pointers. */
	if (insn.meta.category == ZYDIS_CATEGORY_IOSTRINGOP)
		out->writes |= UINT64_C(1) << (out->memory.write ? X86_RDI : X86_RSI);
	x86_meaning(&insn, operands, out);
	return true;
}

enum remark {
	REMARK_NAME,     /* the address is in the text already */
	REMARK_ADDRESS,  /* it is not: say it */
	REMARK_IF_NAMED, /* it is in the text, but not where a name could follow it */
};

/* The address that the instruction names, for its remark; 0 when it names none. */
static uint64_t named_address(const struct insn *insn, const ZydisDecodedOperand *operands,
			      unsigned count, uint64_t next_pc, enum remark *remark)
{
	*remark = REMARK_NAME;
	if (insn->target)
		return insn->target;
	for (unsigned i = 0; i < count; i++) {
		if (operands[i].type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		if (operands[i].mem.base == ZYDIS_REGISTER_RIP) {
			*remark = REMARK_ADDRESS;
			return next_pc + (uint64_t)operands[i].mem.disp.value;
		}
		if (operands[i].mem.base == ZYDIS_REGISTER_NONE &&
		    operands[i].mem.index == ZYDIS_REGISTER_NONE) {
			*remark = REMARK_IF_NAMED;
			return (uint64_t)operands[i].mem.disp.value;
		}
	}
	return 0;
}

bool code_format(const uint8_t *bytes, size_t size, uint64_t pc, name_address_fn name_address,
		 void *ctx, char *buf, size_t buf_size)
{
	ZydisDecodedInstruction raw;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	struct insn insn;
	enum remark remark;

	snprintf(buf, buf_size, "(bad)");
	if (!x86_decode(bytes, size, &raw, operands) || !code_decode(bytes, size, pc, &insn))
		return false;
	x86_format_att(&raw, operands, bytes, pc, buf, buf_size);
	uint64_t named = named_address(&insn, operands, raw.operand_count_visible, pc + raw.length,
				       &remark);
	size_t len = strlen(buf);
	char name[256] = "";
	if (named && name_address)
		name_address(ctx, named, name, sizeof(name));
	if ((remark == REMARK_ADDRESS || (remark == REMARK_IF_NAMED && *name)) && len < buf_size) {
		snprintf(buf + len, buf_size - len, "  # 0x%" PRIx64, named);
		len = strlen(buf);
	}
	if (*name && len < buf_size)
		snprintf(buf + len, buf_size - len, " <%s>", name);
	return true;
}

bool code_memory_address(const struct insn_memory *memory, const struct regs *regs,
			 uint64_t *address)
{
	uint64_t at = (uint64_t)memory->displacement;

	if (!memory->present || memory->per_cpu)
		return false;
	if (memory->base >= 0) {
		if (!regs_known(regs, (unsigned)memory->base))
			return false;
		at += regs->value[memory->base];
	}
	if (memory->index >= 0) {
		if (!regs_known(regs, (unsigned)memory->index))
			return false;
		at += regs->value[memory->index] * memory->scale;
	}
	*address = at;
	return true;
}
