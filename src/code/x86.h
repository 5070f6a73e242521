/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the x86 files of this station share. */
#pragma once

#include <Zydis/Zydis.h>

#include "base/compiler.h"

/* One instruction of 64-bit code; @operands has room for ZYDIS_MAX_OPERAND_COUNT. */
bool x86_decode(const uint8_t *bytes, size_t size, ZydisDecodedInstruction *insn,
		ZydisDecodedOperand *operands);
/* The text of the instruction at @bytes as GNU's tools print it, without names for addresses. */
void x86_format_att(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands,
		    const uint8_t *bytes, uint64_t pc, char *buf, size_t size);

struct insn;
/* The general register that @reg is a part of, as the arch numbers it; -1: none. X86_RIP too. */
int x86_reg_number(ZydisRegister reg);
/* Fills in what the instruction does and its visible operands. */
void x86_meaning(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands,
		 struct insn *out);
