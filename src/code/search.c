// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a search wants to know of one instruction, told from what decoding tells: see search.h. */
#include "code/search.h"

static uint64_t extended(uint64_t value, unsigned bytes)
{
	if (!bytes || bytes >= 8)
		return value;
	unsigned shift = 64 - bytes * 8;
	return (uint64_t)((int64_t)(value << shift) >> shift);
}

bool code_same_value(uint64_t wanted, uint64_t constant, unsigned bytes)
{
	uint64_t mask = bytes >= 8 ? UINT64_MAX : (UINT64_C(1) << bytes * 8) - 1;

	return wanted == (constant & mask) || wanted == extended(constant & mask, bytes);
}

static void store_of_immediate(const struct insn *insn, struct insn_store *store)
{
	uint64_t constant = extended((uint64_t)insn->operand[1].value, store->memory.size);

	/* "and $0" and "or $-1" are short ways to store these. */
	if (insn->does != INSN_DOES_MOVE && !(insn->does == INSN_DOES_AND && constant == 0) &&
	    !(insn->does == INSN_DOES_OR && constant == UINT64_MAX))
		return;
	store->source = STORE_CONSTANT;
	store->constant = constant;
}

bool code_store(const struct insn *insn, struct insn_store *store)
{
	const struct insn_operand *to = &insn->operand[0], *from = &insn->operand[1];

	*store = (struct insn_store){ .reg = -1 };
	if (insn->kind == INSN_CALL || insn->does == INSN_DOES_PUSH)
		return false;
	store->memory = insn->memory.write ? insn->memory : insn->memory2;
	if (!store->memory.write)
		return false;
	store->source = store->memory.read ? STORE_CHANGE : STORE_OTHER;
	if (insn->kind == INSN_STRING || insn->operand_count < 2)
		return true;
	/* xchg may name the register first. */
	if (insn->does == INSN_DOES_EXCHANGE && to->kind == OPERAND_REGISTER)
		from = to;
	else if (to->kind != OPERAND_MEMORY)
		return true;
	if (from->kind == OPERAND_IMMEDIATE) {
		store_of_immediate(insn, store);
	} else if (from->kind == OPERAND_REGISTER && !from->high &&
		   (insn->does == INSN_DOES_MOVE || insn->does == INSN_DOES_EXCHANGE)) {
		store->source = STORE_REGISTER;
		store->reg = from->reg;
	}
	return true;
}

static void set_by_move(const struct insn *insn, struct insn_set *set)
{
	const struct insn_operand *to = &insn->operand[0], *from = &insn->operand[1];

	if (from->kind == OPERAND_IMMEDIATE) {
		set->source = SET_CONSTANT;
		set->constant = (uint64_t)from->value;
		if (to->size == 4)
			set->constant &= UINT32_MAX;
	} else if (from->kind == OPERAND_REGISTER && to->size == 8) {
		set->source = SET_REGISTER;
		set->from = from->reg;
	} else if (from->kind == OPERAND_MEMORY && to->size == 8) {
		set->source = SET_LOAD;
		set->memory = insn->memory;
	}
}

struct insn_set code_set_register(const struct insn *insn)
{
	const struct insn_operand *to = &insn->operand[0], *from = &insn->operand[1];
	struct insn_set set = { .source = SET_NOT };

	/* What writes less than 4 bytes leaves the rest of the register as it was. */
	if (insn->operand_count != 2 || to->kind != OPERAND_REGISTER || to->size < 4)
		return set;
	set.reg = to->reg;
	if (insn->does == INSN_DOES_MOVE) {
		set_by_move(insn, &set);
	} else if (insn->does == INSN_DOES_XOR || insn->does == INSN_DOES_SUB) {
		if (from->kind == OPERAND_REGISTER && from->reg == to->reg)
			set.source = SET_CONSTANT;
	} else if (insn->does == INSN_DOES_ADDRESS && to->size == 8 && insn->address.absolute) {
		set.source = SET_CONSTANT;
		set.constant = (uint64_t)insn->address.displacement;
	}
	return set;
}

bool code_falls_through(const struct insn *insn)
{
	if (insn->kind == INSN_RETURN || insn->kind == INSN_TRAP || insn->leaves)
		return false;
	return insn->kind != INSN_JUMP || insn->condition != COND_ALWAYS;
}

bool code_named_address(const struct insn *insn, uint64_t *address)
{
	if (insn->target) {
		*address = insn->target;
		return true;
	}
	if (insn->does == INSN_DOES_ADDRESS && insn->address.absolute) {
		*address = (uint64_t)insn->address.displacement;
		return true;
	}
	for (unsigned i = 0; i < insn->operand_count; i++) {
		if (insn->operand[i].kind == OPERAND_IMMEDIATE) {
			*address = (uint64_t)insn->operand[i].value;
			return true;
		}
	}
	return false;
}
