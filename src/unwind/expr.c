// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The stack machine of DWARF expressions, operation by operation as DWARF 5, 2.5.1 and 2.6.1 have
 * them; GNU's: https://gcc.gnu.org/wiki/DebugFission, gcc/dwarf2out.c's names in elfutils' dwarf.h.
 *
 * An element of the stack has a type: the generic one (8 bytes, compared and divided as signed,
 * remainders unsigned) or a base type of integers of up to 8 bytes. Its value is kept extended to
 * 64 bits as its type says. Floating point and operands of different types are refused.
 *
 * A location is finished by the end of the expression or DW_OP_piece. What is on the stack then is
 * an address, unless an operation said otherwise.
 */
#include "unwind/expr.h"

#include <dwarf.h>
#include <string.h>

#include "base/leb128.h"

enum { STACK_MAX = 64, STEPS_MAX = 4096 };

struct element {
	uint64_t value;
	struct expr_type type;
};

struct machine {
	const struct dwarf_expr_env *env;
	struct bytes code;
	struct element stack[STACK_MAX];
	unsigned depth;
	struct expr_piece found; /* a location that is no address on the stack */
	bool has_found;
	struct expr_location *location;
	struct expr_trouble *trouble;
};

static const struct expr_type generic = { .size = 8, .generic = true };

static bool fail(struct machine *m, enum expr_status status, uint64_t detail)
{
	if (m->trouble->status == EXPR_OK)
		*m->trouble = (struct expr_trouble){ .status = status, .detail = detail };
	return false;
}

static bool damaged(struct machine *m)
{
	return fail(m, EXPR_DAMAGED, 0);
}

/* @value as a number of @type, extended to 64 bits. */
static uint64_t normal(uint64_t value, struct expr_type type)
{
	unsigned unused = 64 - type.size * 8u;

	if (!unused)
		return value;
	if (type.is_signed)
		return (uint64_t)((int64_t)(value << unused) >> unused);
	return value << unused >> unused;
}

static bool push_typed(struct machine *m, uint64_t value, struct expr_type type)
{
	if (m->depth == STACK_MAX)
		return damaged(m);
	m->stack[m->depth++] = (struct element){ normal(value, type), type };
	return true;
}

static bool push(struct machine *m, uint64_t value)
{
	return push_typed(m, value, generic);
}

static bool pop(struct machine *m, struct element *e)
{
	if (!m->depth)
		return damaged(m);
	*e = m->stack[--m->depth];
	return true;
}

/* The element @n below the top. */
static bool pick(struct machine *m, uint64_t n)
{
	if (n >= m->depth)
		return damaged(m);
	const struct element *e = &m->stack[m->depth - 1 - n];
	return push_typed(m, e->value, e->type);
}

static bool push_register(struct machine *m, uint64_t reg, int64_t offset, struct expr_type type)
{
	uint64_t value;

	if (reg > UINT32_MAX || !m->env->reg || !m->env->reg(m->env->ctx, (unsigned)reg, &value))
		return fail(m, EXPR_REGISTER_LOST, reg);
	return push_typed(m, value + (uint64_t)offset, type);
}

static bool read_memory(struct machine *m, uint64_t address, void *buf, size_t size)
{
	enum read_status status = READ_UNMAPPED;

	if (m->env->read)
		status = m->env->read(m->env->ctx, address, buf, size);
	if (status == READ_OK)
		return true;
	(void)fail(m, EXPR_NO_MEMORY, address);
	m->trouble->read = status;
	return false;
}

static bool deref(struct machine *m, unsigned size, struct expr_type type)
{
	struct element at;
	uint64_t value = 0;

	if (!size || size > 8)
		return damaged(m);
	return pop(m, &at) && read_memory(m, at.value, &value, size) && push_typed(m, value, type);
}

static bool take_type(struct machine *m, uint64_t offset, struct expr_type *type)
{
	*type = generic;
	if (!offset) /* the generic type, as operand of convert */
		return true;
	if (m->code.bad)
		return damaged(m);
	if (!m->env->base_type || !m->env->base_type(m->env->ctx, offset, type) || !type->size ||
	    type->size > 8)
		return fail(m, EXPR_UNSUPPORTED, DW_OP_convert);
	return true;
}

/* --- Arithmetic. --- */

static bool same_type(struct expr_type a, struct expr_type b)
{
	return a.size == b.size && a.generic == b.generic && a.is_signed == b.is_signed;
}

static bool divide(struct machine *m, uint8_t op, const struct element *a, const struct element *b,
		   uint64_t *result)
{
	/* The generic type divides signed, but takes remainders unsigned. */
	bool is_signed = op == DW_OP_div ? a->type.is_signed || a->type.generic : a->type.is_signed;

	if (!b->value)
		return damaged(m);
	if (!is_signed)
		*result = op == DW_OP_div ? a->value / b->value : a->value % b->value;
	else if (b->value == UINT64_MAX) /* -1: the one quotient that may not fit */
		*result = op == DW_OP_div ? 0 - a->value : 0;
	else
		*result = (uint64_t)(op == DW_OP_div ? (int64_t)a->value / (int64_t)b->value
						     : (int64_t)a->value % (int64_t)b->value);
	return true;
}

static uint64_t shift(uint8_t op, const struct element *a, uint64_t by)
{
	unsigned width = a->type.size * 8u;
	struct expr_type as = a->type;

	as.is_signed = op == DW_OP_shra;
	uint64_t value = normal(a->value, as);
	if (op == DW_OP_shl)
		return by < width ? value << by : 0;
	if (op == DW_OP_shr)
		return by < width ? value >> by : 0;
	return (uint64_t)((int64_t)value >> (by < 64 ? by : 63));
}

static bool compare(uint8_t op, const struct element *a, const struct element *b)
{
	bool is_signed = a->type.is_signed || a->type.generic;
	bool less = is_signed ? (int64_t)a->value < (int64_t)b->value : a->value < b->value;
	bool equal = a->value == b->value;

	switch (op) {
	case DW_OP_eq:
		return equal;
	case DW_OP_ne:
		return !equal;
	case DW_OP_lt:
		return less;
	case DW_OP_le:
		return less || equal;
	case DW_OP_gt:
		return !less && !equal;
	default: /* DW_OP_ge */
		return !less;
	}
}

static bool binary(struct machine *m, uint8_t op)
{
	struct element a, b;
	uint64_t value = 0;

	if (!pop(m, &b) || !pop(m, &a))
		return false;
	bool is_shift = op == DW_OP_shl || op == DW_OP_shr || op == DW_OP_shra;
	if (!is_shift && !same_type(a.type, b.type))
		return damaged(m);
	switch (op) {
	case DW_OP_and:
		value = a.value & b.value;
		break;
	case DW_OP_or:
		value = a.value | b.value;
		break;
	case DW_OP_xor:
		value = a.value ^ b.value;
		break;
	case DW_OP_plus:
		value = a.value + b.value;
		break;
	case DW_OP_minus:
		value = a.value - b.value;
		break;
	case DW_OP_mul:
		value = a.value * b.value;
		break;
	case DW_OP_div:
	case DW_OP_mod:
		if (!divide(m, op, &a, &b, &value))
			return false;
		break;
	case DW_OP_shl:
	case DW_OP_shr:
	case DW_OP_shra:
		value = shift(op, &a, b.value);
		break;
	default:
		return push(m, compare(op, &a, &b));
	}
	return push_typed(m, value, a.type);
}

static bool unary(struct machine *m, uint8_t op)
{
	struct element e;

	if (!pop(m, &e))
		return false;
	switch (op) {
	case DW_OP_abs:
		if ((e.type.is_signed || e.type.generic) && (int64_t)e.value < 0)
			e.value = 0 - e.value;
		break;
	case DW_OP_neg:
		e.value = 0 - e.value;
		break;
	case DW_OP_not:
		e.value = ~e.value;
		break;
	default: /* DW_OP_plus_uconst */
		e.value += bytes_uleb(&m->code);
	}
	return push_typed(m, e.value, e.type);
}

/* --- Operands in the code. --- */

static bool constant(struct machine *m, uint8_t op)
{
	struct bytes *b = &m->code;

	switch (op) {
	case DW_OP_addr:
		return push(m, bytes_u64(b) + m->env->bias);
	case DW_OP_const1u:
		return push(m, bytes_u8(b));
	case DW_OP_const1s:
		return push(m, (uint64_t)(int64_t)(int8_t)bytes_u8(b));
	case DW_OP_const2u:
		return push(m, bytes_u16(b));
	case DW_OP_const2s:
		return push(m, (uint64_t)(int64_t)(int16_t)bytes_u16(b));
	case DW_OP_const4u:
		return push(m, bytes_u32(b));
	case DW_OP_const4s:
		return push(m, (uint64_t)(int64_t)(int32_t)bytes_u32(b));
	case DW_OP_const8u:
	case DW_OP_const8s:
		return push(m, bytes_u64(b));
	case DW_OP_constu:
		return push(m, bytes_uleb(b));
	default: /* DW_OP_consts */
		return push(m, (uint64_t)bytes_sleb(b));
	}
}

static bool indexed(struct machine *m, bool is_address)
{
	uint64_t value, index = bytes_uleb(&m->code);

	if (!m->env->indexed || !m->env->indexed(m->env->ctx, index, &value))
		return fail(m, EXPR_UNSUPPORTED, DW_OP_addrx);
	return push(m, value + (is_address ? m->env->bias : 0));
}

static bool typed(struct machine *m, uint8_t op)
{
	struct bytes *b = &m->code;
	struct expr_type type;
	struct element e;
	uint64_t reg = 0, value = 0;
	uint8_t size = 0;

	if (op == DW_OP_regval_type || op == DW_OP_GNU_regval_type)
		reg = bytes_uleb(b);
	else if (op == DW_OP_deref_type || op == DW_OP_GNU_deref_type)
		size = bytes_u8(b);
	if (!take_type(m, bytes_uleb(b), &type))
		return false;
	switch (op) {
	case DW_OP_const_type:
	case DW_OP_GNU_const_type: {
		size = bytes_u8(b);
		const uint8_t *bytes = bytes_take(b, size);
		if (!bytes || size != type.size)
			return damaged(m);
		memcpy(&value, bytes, size);
		return push_typed(m, value, type);
	}
	case DW_OP_regval_type:
	case DW_OP_GNU_regval_type:
		return push_register(m, reg, 0, type);
	case DW_OP_deref_type:
	case DW_OP_GNU_deref_type:
		return size == type.size ? deref(m, size, type) : damaged(m);
	case DW_OP_reinterpret:
	case DW_OP_GNU_reinterpret:
		if (!pop(m, &e))
			return false;
		return e.type.size == type.size ? push_typed(m, e.value, type) : damaged(m);
	default: /* DW_OP_convert */
		return pop(m, &e) && push_typed(m, e.value, type);
	}
}

static bool entry_value(struct machine *m)
{
	uint64_t value, size = bytes_uleb(&m->code);
	const uint8_t *expr = size <= bytes_left(&m->code) ? bytes_take(&m->code, size) : NULL;

	if (!expr)
		return damaged(m);
	if (!m->env->entry_value)
		return fail(m, EXPR_NO_ENTRY_VALUE, 0);
	if (!m->env->entry_value(m->env->ctx, expr, size, &value, m->trouble))
		return fail(m, EXPR_NO_ENTRY_VALUE, 0);
	*m->trouble = (struct expr_trouble){ 0 }; /* of what was tried in vain before */
	m->location->by_entry = true;
	return push(m, value);
}

static bool parameter(struct machine *m)
{
	uint64_t value, offset = bytes_u32(&m->code);

	if (m->code.bad)
		return damaged(m);
	if (!m->env->parameter || !m->env->parameter(m->env->ctx, offset, &value, m->trouble))
		return fail(m, EXPR_NO_ENTRY_VALUE, 0);
	*m->trouble = (struct expr_trouble){ 0 }; /* of what was tried in vain before */
	m->location->by_entry = true;
	return push(m, value);
}

/* --- Locations. --- */

static bool found(struct machine *m, struct expr_piece piece)
{
	if (m->has_found)
		return damaged(m);
	m->found = piece;
	m->has_found = true;
	return true;
}

static bool implicit(struct machine *m, uint8_t op)
{
	struct bytes *b = &m->code;

	if (op == DW_OP_implicit_value) {
		uint64_t size = bytes_uleb(b);
		const uint8_t *bytes = size <= bytes_left(b) ? bytes_take(b, size) : NULL;
		if (!bytes)
			return damaged(m);
		return found(m, (struct expr_piece){
					.place = EXPR_BYTES, .bytes = bytes, .size = size });
	}
	uint64_t die = m->env->offset_size == 8 ? bytes_u64(b) : bytes_u32(b);
	uint64_t offset = (uint64_t)bytes_sleb(b);
	return found(m, (struct expr_piece){ .place = EXPR_POINTER, .die = die, .value = offset });
}

static bool stack_value(struct machine *m)
{
	struct element e;

	return pop(m, &e) && found(m, (struct expr_piece){ .place = EXPR_VALUE, .value = e.value });
}

/* What describes the object, or the piece of it, up to here. */
static bool finish_piece(struct machine *m, uint64_t bits, uint64_t bit_offset)
{
	struct expr_location *l = m->location;
	struct expr_piece piece = m->found;
	struct element e;

	if (l->count == EXPR_PIECES_MAX)
		return damaged(m);
	if (!m->has_found && m->depth && pop(m, &e))
		piece = (struct expr_piece){ .place = EXPR_MEMORY, .value = e.value };
	else if (!m->has_found)
		piece = (struct expr_piece){ .place = EXPR_EMPTY };
	piece.bits = bits;
	piece.bit_offset = bit_offset;
	l->piece[l->count++] = piece;
	m->has_found = false;
	m->found = (struct expr_piece){ 0 };
	return true;
}

static bool take_piece(struct machine *m, uint8_t op)
{
	uint64_t size = bytes_uleb(&m->code), bit_offset = 0;

	if (op == DW_OP_bit_piece)
		bit_offset = bytes_uleb(&m->code);
	else if (__builtin_mul_overflow(size, 8, &size))
		return damaged(m);
	if (m->code.bad || !size)
		return damaged(m);
	return finish_piece(m, size, bit_offset);
}

/* --- The machine. --- */

static bool jump(struct machine *m, uint8_t op)
{
	int16_t by = (int16_t)bytes_u16(&m->code);
	struct element e = { .value = 1 };

	if (m->code.bad || (op == DW_OP_bra && !pop(m, &e)))
		return damaged(m);
	if (!e.value)
		return true;
	int64_t to = (int64_t)m->code.pos + by;
	if (to < 0 || (uint64_t)to > m->code.size)
		return damaged(m);
	m->code.pos = (size_t)to;
	return true;
}

static bool move(struct machine *m, uint8_t op)
{
	unsigned turn = op == DW_OP_rot ? 3 : 2;

	if (m->depth < turn)
		return damaged(m);
	struct element *e = &m->stack[m->depth - turn], top = m->stack[m->depth - 1];
	memmove(e + 1, e, (turn - 1) * sizeof(*e));
	*e = top;
	return true;
}

static bool frame_value(struct machine *m, uint8_t op)
{
	int64_t offset = op == DW_OP_fbreg ? bytes_sleb(&m->code) : 0;
	uint64_t value;

	if (op == DW_OP_fbreg) {
		if (!m->env->frame_base || !m->env->frame_base(m->env->ctx, &value, m->trouble))
			return fail(m, EXPR_NO_FRAME, 0);
	} else if (!m->env->cfa || !m->env->cfa(m->env->ctx, &value)) {
		return fail(m, EXPR_NO_FRAME, 0);
	}
	return push(m, value + (uint64_t)offset);
}

/* Operations on the stack alone. */
static bool run_stack(struct machine *m, uint8_t op)
{
	struct element e;

	switch (op) {
	case DW_OP_dup:
		return pick(m, 0);
	case DW_OP_drop:
		return pop(m, &e);
	case DW_OP_over:
		return pick(m, 1);
	case DW_OP_pick:
		return pick(m, bytes_u8(&m->code));
	case DW_OP_swap:
	case DW_OP_rot:
		return move(m, op);
	case DW_OP_abs:
	case DW_OP_neg:
	case DW_OP_not:
	case DW_OP_plus_uconst:
		return unary(m, op);
	case DW_OP_deref:
		return deref(m, 8, generic);
	case DW_OP_deref_size:
		return deref(m, bytes_u8(&m->code), generic);
	case DW_OP_skip:
	case DW_OP_bra:
		return jump(m, op);
	case DW_OP_nop:
		return true;
	default:
		return binary(m, op);
	}
}

/* Operations that came with DWARF 3 to 5 and GNU's. */
static bool run_late(struct machine *m, uint8_t op)
{
	switch (op) {
	case DW_OP_call_frame_cfa:
		return frame_value(m, op);
	case DW_OP_piece:
	case DW_OP_bit_piece:
		return take_piece(m, op);
	case DW_OP_implicit_value:
	case DW_OP_implicit_pointer:
	case DW_OP_GNU_implicit_pointer:
		return implicit(m, op);
	case DW_OP_stack_value:
		return stack_value(m);
	case DW_OP_addrx:
	case DW_OP_GNU_addr_index:
		return indexed(m, true);
	case DW_OP_constx:
	case DW_OP_GNU_const_index:
		return indexed(m, false);
	case DW_OP_entry_value:
	case DW_OP_GNU_entry_value:
		return entry_value(m);
	case DW_OP_GNU_parameter_ref:
		return parameter(m);
	case DW_OP_const_type:
	case DW_OP_regval_type:
	case DW_OP_deref_type:
	case DW_OP_convert:
	case DW_OP_reinterpret:
	case DW_OP_GNU_const_type:
	case DW_OP_GNU_regval_type:
	case DW_OP_GNU_deref_type:
	case DW_OP_GNU_convert:
	case DW_OP_GNU_reinterpret:
		return typed(m, op);
	default: /* other address spaces, thread-local storage, calls of other DIEs */
		return fail(m, EXPR_UNSUPPORTED, op);
	}
}

static bool run_op(struct machine *m, uint8_t op)
{
	struct bytes *b = &m->code;

	if (op >= DW_OP_lit0 && op <= DW_OP_lit31)
		return push(m, (uint64_t)op - DW_OP_lit0);
	if (op >= DW_OP_reg0 && op <= DW_OP_reg31)
		return found(m, (struct expr_piece){ .place = EXPR_REGISTER,
						     .value = (uint64_t)op - DW_OP_reg0 });
	if (op >= DW_OP_breg0 && op <= DW_OP_breg31)
		return push_register(m, (uint64_t)op - DW_OP_breg0, bytes_sleb(b), generic);
	switch (op) {
	case DW_OP_addr:
	case DW_OP_const1u ... DW_OP_consts:
		return constant(m, op);
	case DW_OP_deref:
	case DW_OP_dup ... DW_OP_swap:
	case DW_OP_rot:
	case DW_OP_abs ... DW_OP_skip: /* the arithmetic, bra, eq to ne */
	case DW_OP_deref_size:
	case DW_OP_nop:
		return run_stack(m, op);
	case DW_OP_regx:
		return found(m,
			     (struct expr_piece){ .place = EXPR_REGISTER, .value = bytes_uleb(b) });
	case DW_OP_bregx: {
		uint64_t reg = bytes_uleb(b);
		return push_register(m, reg, bytes_sleb(b), generic);
	}
	case DW_OP_fbreg:
		return frame_value(m, op);
	default:
		return run_late(m, op);
	}
}

static bool run(struct machine *m)
{
	unsigned steps = 0;

	while (m->code.pos < m->code.size) {
		uint8_t op = bytes_u8(&m->code);
		/* Between a location that is no address and its piece nothing may stand. */
		if (m->has_found && op != DW_OP_piece && op != DW_OP_bit_piece && op != DW_OP_nop &&
		    op != DW_OP_GNU_uninit)
			return damaged(m);
		if (op == DW_OP_GNU_uninit)
			return fail(m, EXPR_OPTIMISED_OUT, 0);
		if (++steps > STEPS_MAX)
			return damaged(m);
		if (!run_op(m, op))
			return false;
		if (m->code.bad)
			return damaged(m);
	}
	return true;
}

bool expr_locate(const struct dwarf_expr_env *env, const uint8_t *expr, size_t size,
		 struct expr_location *location, struct expr_trouble *trouble)
{
	struct machine m;

	*trouble = (struct expr_trouble){ 0 };
	location->count = 0;
	location->by_entry = false;
	m.env = env;
	m.code = bytes_of(expr, size);
	m.depth = 0;
	m.found = (struct expr_piece){ 0 };
	m.has_found = false;
	m.location = location;
	m.trouble = trouble;
	if (!size)
		return fail(&m, EXPR_OPTIMISED_OUT, 0);
	if (!run(&m))
		return false;
	if (location->count && !m.has_found && !m.depth)
		return true;
	/* Pieces followed by what is none. */
	if (location->count || (!m.has_found && !m.depth))
		return damaged(&m);
	return finish_piece(&m, 0, 0);
}

bool expr_value(const struct dwarf_expr_env *env, const uint8_t *expr, size_t size,
		const uint64_t *initial, uint64_t *value, struct expr_trouble *trouble)
{
	struct expr_location location = { .count = 0 };
	struct machine m;
	struct element e;

	*trouble = (struct expr_trouble){ 0 };
	m.env = env;
	m.code = bytes_of(expr, size);
	m.depth = 0;
	m.found = (struct expr_piece){ 0 };
	m.has_found = false;
	m.location = &location;
	m.trouble = trouble;
	if (initial && !push(&m, *initial))
		return false;
	if (!run(&m))
		return false;
	if (location.count)
		return damaged(&m);
	if (m.has_found && m.found.place == EXPR_REGISTER &&
	    !push_register(&m, m.found.value, 0, generic))
		return false;
	if (m.has_found && m.found.place == EXPR_VALUE && !push(&m, m.found.value))
		return false;
	if (m.has_found && m.found.place != EXPR_REGISTER && m.found.place != EXPR_VALUE)
		return fail(&m, EXPR_UNSUPPORTED, DW_OP_implicit_value);
	if (!pop(&m, &e))
		return false;
	*value = e.value;
	return true;
}

/* --- What is there. --- */

static bool trouble_is(struct expr_trouble *trouble, enum expr_status status, uint64_t detail)
{
	*trouble = (struct expr_trouble){ .status = status, .detail = detail };
	return false;
}

/* Bytes [@skip, @skip + @size) of what a piece refers to. */
static bool load_piece(const struct dwarf_expr_env *env, const struct expr_piece *piece,
		       size_t skip, uint8_t *buf, size_t size, struct expr_trouble *trouble)
{
	uint64_t value = piece->value;

	switch (piece->place) {
	case EXPR_MEMORY: {
		enum read_status status = READ_UNMAPPED;
		if (env->read)
			status = env->read(env->ctx, value + skip, buf, size);
		if (status == READ_OK)
			return true;
		*trouble = (struct expr_trouble){ .status = EXPR_NO_MEMORY,
						  .read = status,
						  .detail = value + skip };
		return false;
	}
	case EXPR_REGISTER:
		if (piece->value > UINT32_MAX || !env->reg ||
		    !env->reg(env->ctx, (unsigned)piece->value, &value))
			return trouble_is(trouble, EXPR_REGISTER_LOST, piece->value);
		break;
	case EXPR_VALUE:
		break;
	case EXPR_BYTES:
		if (skip > piece->size || size > piece->size - skip)
			return trouble_is(trouble, EXPR_DAMAGED, 0);
		memcpy(buf, piece->bytes + skip, size);
		return true;
	case EXPR_POINTER:
		return trouble_is(trouble, EXPR_UNSUPPORTED, DW_OP_implicit_pointer);
	case EXPR_EMPTY:
		return trouble_is(trouble, EXPR_OPTIMISED_OUT, 0);
	}
	if (skip > sizeof(value) || size > sizeof(value) - skip)
		return trouble_is(trouble, EXPR_DAMAGED, 0);
	memcpy(buf, (const uint8_t *)&value + skip, size);
	return true;
}

enum { BIT_PIECE_MAX = 64 }; /* bytes of a piece that is not whole bytes */

/* Copies @bits bits from bit @from of @src to bit @to of @dst, least significant first. */
static void copy_bits(uint8_t *dst, uint64_t to, const uint8_t *src, uint64_t from, uint64_t bits)
{
	for (uint64_t i = 0; i < bits; i++) {
		unsigned bit = src[(from + i) / 8] >> ((from + i) % 8) & 1;
		unsigned shift_by = (unsigned)((to + i) % 8);
		dst[(to + i) / 8] =
			(uint8_t)((dst[(to + i) / 8] & ~(1u << shift_by)) | bit << shift_by);
	}
}

/* Notes that bytes are not known; false when that is not tolerated. */
static bool add_gap(struct expr_gaps *gaps, uint64_t start, uint64_t end)
{
	if (!gaps)
		return false;
	if (gaps->count && gaps->gap[gaps->count - 1].end == start)
		gaps->gap[gaps->count - 1].end = end;
	else if (gaps->count < EXPR_PIECES_MAX)
		gaps->gap[gaps->count++] = (struct expr_gap){ start, end };
	else
		return false;
	return true;
}

bool expr_load(const struct dwarf_expr_env *env, const struct expr_location *location, void *buf,
	       size_t size, struct expr_gaps *gaps, struct expr_trouble *trouble)
{
	uint64_t done = 0, all = (uint64_t)size * 8;

	*trouble = (struct expr_trouble){ 0 };
	memset(buf, 0, size);
	if (gaps)
		gaps->count = 0;
	for (unsigned i = 0; i < location->count && done < all; i++) {
		const struct expr_piece *piece = &location->piece[i];
		uint64_t bits = piece->bits ? min_u64(piece->bits, all - done) : all;
		uint8_t whole[BIT_PIECE_MAX];

		if (piece->bit_offset % 8 == 0 && bits % 8 == 0 && done % 8 == 0) {
			if (!load_piece(env, piece, piece->bit_offset / 8,
					(uint8_t *)buf + done / 8, bits / 8, trouble) &&
			    !add_gap(gaps, done / 8, (done + bits) / 8))
				return false;
		} else {
			uint64_t first = piece->bit_offset / 8, shift_by = piece->bit_offset % 8;
			uint64_t need = (shift_by + bits + 7) / 8;
			if (need > sizeof(whole))
				return trouble_is(trouble, EXPR_UNSUPPORTED, DW_OP_bit_piece);
			if (!load_piece(env, piece, first, whole, need, trouble))
				return false;
			copy_bits(buf, done, whole, shift_by, bits);
		}
		done += bits;
	}
	if (done < all && (done % 8 || !add_gap(gaps, done / 8, size)))
		return trouble_is(trouble, EXPR_OPTIMISED_OUT, 0);
	if (gaps && gaps->count == 1 && !gaps->gap[0].start && gaps->gap[0].end == size)
		return trouble->status ? false : trouble_is(trouble, EXPR_OPTIMISED_OUT, 0);
	return true;
}
