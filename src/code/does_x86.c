// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What an x86-64 instruction does with its operands: the forms that compilers use to move values
 * about, named alike for value flow. Everything else stays INSN_DOES_OTHER, where the read and
 * write sets tell what it spoils. Source: Intel SDM volume 2.
 */
#include "arch/arch.h"
#include "code/code.h"
#include "code/x86.h"

struct meaning {
	ZydisMnemonic mnemonic;
	uint8_t does;
};

static const struct meaning meanings[] = {
	{ ZYDIS_MNEMONIC_MOV, INSN_DOES_MOVE },
	{ ZYDIS_MNEMONIC_MOVNTI, INSN_DOES_MOVE },
	{ ZYDIS_MNEMONIC_LEA, INSN_DOES_ADDRESS },
	{ ZYDIS_MNEMONIC_MOVZX, INSN_DOES_ZERO_EXTEND },
	{ ZYDIS_MNEMONIC_MOVSX, INSN_DOES_SIGN_EXTEND },
	{ ZYDIS_MNEMONIC_MOVSXD, INSN_DOES_SIGN_EXTEND },
	{ ZYDIS_MNEMONIC_ADD, INSN_DOES_ADD },
	{ ZYDIS_MNEMONIC_SUB, INSN_DOES_SUB },
	{ ZYDIS_MNEMONIC_AND, INSN_DOES_AND },
	{ ZYDIS_MNEMONIC_OR, INSN_DOES_OR },
	{ ZYDIS_MNEMONIC_XOR, INSN_DOES_XOR },
	{ ZYDIS_MNEMONIC_SHL, INSN_DOES_SHL },
	{ ZYDIS_MNEMONIC_SHR, INSN_DOES_SHR },
	{ ZYDIS_MNEMONIC_SAR, INSN_DOES_SAR },
	{ ZYDIS_MNEMONIC_NEG, INSN_DOES_NEG },
	{ ZYDIS_MNEMONIC_NOT, INSN_DOES_NOT },
	{ ZYDIS_MNEMONIC_INC, INSN_DOES_INC },
	{ ZYDIS_MNEMONIC_DEC, INSN_DOES_DEC },
	{ ZYDIS_MNEMONIC_CMP, INSN_DOES_COMPARE },
	{ ZYDIS_MNEMONIC_TEST, INSN_DOES_TEST },
	{ ZYDIS_MNEMONIC_XCHG, INSN_DOES_EXCHANGE },
	{ ZYDIS_MNEMONIC_PUSH, INSN_DOES_PUSH },
	{ ZYDIS_MNEMONIC_POP, INSN_DOES_POP },
	{ ZYDIS_MNEMONIC_PUSHFQ, INSN_DOES_PUSH }, /* of no operand that we name */
	{ ZYDIS_MNEMONIC_POPFQ, INSN_DOES_POP },
	{ ZYDIS_MNEMONIC_LEAVE, INSN_DOES_LEAVE },
};

struct condition {
	ZydisMnemonic jump, move, set;
	uint8_t condition;
};

static const struct condition conditions[] = {
	{ ZYDIS_MNEMONIC_JB, ZYDIS_MNEMONIC_CMOVB, ZYDIS_MNEMONIC_SETB, COND_BELOW },
	{ ZYDIS_MNEMONIC_JNB, ZYDIS_MNEMONIC_CMOVNB, ZYDIS_MNEMONIC_SETNB, COND_NOT_BELOW },
	{ ZYDIS_MNEMONIC_JZ, ZYDIS_MNEMONIC_CMOVZ, ZYDIS_MNEMONIC_SETZ, COND_EQUAL },
	{ ZYDIS_MNEMONIC_JNZ, ZYDIS_MNEMONIC_CMOVNZ, ZYDIS_MNEMONIC_SETNZ, COND_NOT_EQUAL },
	{ ZYDIS_MNEMONIC_JBE, ZYDIS_MNEMONIC_CMOVBE, ZYDIS_MNEMONIC_SETBE, COND_NOT_ABOVE },
	{ ZYDIS_MNEMONIC_JNBE, ZYDIS_MNEMONIC_CMOVNBE, ZYDIS_MNEMONIC_SETNBE, COND_ABOVE },
	{ ZYDIS_MNEMONIC_JS, ZYDIS_MNEMONIC_CMOVS, ZYDIS_MNEMONIC_SETS, COND_NEGATIVE },
	{ ZYDIS_MNEMONIC_JNS, ZYDIS_MNEMONIC_CMOVNS, ZYDIS_MNEMONIC_SETNS, COND_NOT_NEGATIVE },
	{ ZYDIS_MNEMONIC_JL, ZYDIS_MNEMONIC_CMOVL, ZYDIS_MNEMONIC_SETL, COND_LESS },
	{ ZYDIS_MNEMONIC_JNL, ZYDIS_MNEMONIC_CMOVNL, ZYDIS_MNEMONIC_SETNL, COND_NOT_LESS },
	{ ZYDIS_MNEMONIC_JLE, ZYDIS_MNEMONIC_CMOVLE, ZYDIS_MNEMONIC_SETLE, COND_NOT_GREATER },
	{ ZYDIS_MNEMONIC_JNLE, ZYDIS_MNEMONIC_CMOVNLE, ZYDIS_MNEMONIC_SETNLE, COND_GREATER },
};

/* False: none of these. Sets what the instruction does where the condition is of a move or set. */
static bool find_condition(const ZydisDecodedInstruction *insn, struct insn *out)
{
	for (size_t i = 0; i < array_size(conditions); i++) {
		const struct condition *c = &conditions[i];
		if (insn->mnemonic != c->jump && insn->mnemonic != c->move &&
		    insn->mnemonic != c->set)
			continue;
		out->condition = c->condition;
		if (insn->mnemonic == c->move)
			out->does = INSN_DOES_SELECT;
		else if (insn->mnemonic == c->set)
			out->does = INSN_DOES_SET;
		return true;
	}
	return false;
}

static struct insn_operand operand(const ZydisDecodedOperand *op)
{
	struct insn_operand out = { .kind = OPERAND_OTHER, .reg = -1, .size = op->size / 8 };

	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		out.reg = x86_reg_number(op->reg.value);
		out.high = op->reg.value >= ZYDIS_REGISTER_AH && op->reg.value <= ZYDIS_REGISTER_BH;
		if (out.reg >= 0 && out.reg != X86_RIP)
			out.kind = OPERAND_REGISTER;
		break;
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		out.kind = OPERAND_IMMEDIATE;
		out.value = op->imm.is_signed ? op->imm.value.s : (int64_t)op->imm.value.u;
		break;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		out.kind = OPERAND_MEMORY;
		break;
	default:
		break;
	}
	return out;
}

/* Both operands of cltq and its like are hidden: rax, from its lower half. */
static bool widens_rax(const ZydisDecodedInstruction *insn, struct insn *out)
{
	uint16_t to = insn->mnemonic == ZYDIS_MNEMONIC_CDQE  ? 8
		      : insn->mnemonic == ZYDIS_MNEMONIC_CWDE ? 4
							       : 0;

	if (!to)
		return false;
	out->does = INSN_DOES_SIGN_EXTEND;
	out->operand_count = 2;
	for (unsigned i = 0; i < 2; i++)
		out->operand[i] = (struct insn_operand){ .kind = OPERAND_REGISTER,
							 .reg = X86_RAX,
							 .size = (uint16_t)(to >> i) };
	return true;
}

static enum insn_does does(const ZydisDecodedInstruction *insn, const struct insn *out)
{
	/* imul r, r/m[, imm] is a plain product; the form of one operand writes two registers. */
	if (insn->mnemonic == ZYDIS_MNEMONIC_IMUL)
		return out->operand_count >= 2 ? INSN_DOES_MUL : INSN_DOES_OTHER;
	/* xchg %rax,%rax and its like are no-operations of several lengths. */
	if (insn->meta.category == ZYDIS_CATEGORY_NOP ||
	    insn->meta.category == ZYDIS_CATEGORY_WIDENOP)
		return INSN_DOES_OTHER;
	for (size_t i = 0; i < array_size(meanings); i++) {
		if (meanings[i].mnemonic == insn->mnemonic)
			return meanings[i].does;
	}
	return INSN_DOES_OTHER;
}

static bool leaves_for_good(const ZydisDecodedInstruction *insn)
{
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_IRET:
	case ZYDIS_MNEMONIC_IRETD:
	case ZYDIS_MNEMONIC_IRETQ:
	case ZYDIS_MNEMONIC_SYSRET:
	case ZYDIS_MNEMONIC_SYSEXIT:
		return true;
	default:
		return false;
	}
}

void x86_meaning(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands,
		 struct insn *out)
{
	out->condition = COND_ALWAYS;
	out->leaves = leaves_for_good(insn);
	for (unsigned i = 0; i < insn->operand_count_visible && i < INSN_OPERANDS_MAX; i++)
		out->operand[out->operand_count++] = operand(&operands[i]);
	if (widens_rax(insn, out) || find_condition(insn, out))
		return;
	if (insn->meta.category == ZYDIS_CATEGORY_COND_BR)
		out->condition = COND_OTHER;
	if (insn->meta.category == ZYDIS_CATEGORY_CMOV ||
	    insn->meta.category == ZYDIS_CATEGORY_SETCC) {
		out->does = insn->meta.category == ZYDIS_CATEGORY_CMOV ? INSN_DOES_SELECT
								       : INSN_DOES_SET;
		out->condition = COND_OTHER;
		return;
	}
	out->does = does(insn, out);
}
