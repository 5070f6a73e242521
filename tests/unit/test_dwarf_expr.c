// SPDX-License-Identifier: LGPL-2.1-or-later
/* DWARF expressions, location lists and call frame information, written by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dwarf.h>

#include "base/bytes.h"
#include "unwind/cfi.h"
#include "unwind/expr.h"
#include "unwind/loclist.h"

#define STACK UINT64_C(0xffffc90000100000)

static const uint64_t memory[] = { 0x1122334455667788, 0xffffffff80000001, STACK + 8 };

/* Registers n < 8 hold 100 + n; the others are lost. */
static bool reg(void *ctx unused_arg, unsigned n, uint64_t *value)
{
	*value = 100 + n;
	return n < 8;
}

static enum read_status read_memory(void *ctx unused_arg, uint64_t at, void *buf, size_t size)
{
	if (at < STACK || !range_fits(at - STACK, size, sizeof(memory)))
		return READ_EXCLUDED;
	memcpy(buf, (const uint8_t *)memory + (at - STACK), size);
	return READ_OK;
}

static bool frame_base(void *ctx unused_arg, uint64_t *value,
		       struct expr_trouble *trouble unused_arg)
{
	*value = STACK + 16;
	return true;
}

static bool cfa(void *ctx unused_arg, uint64_t *value)
{
	*value = STACK + 24;
	return true;
}

/* Only what was in rdi is known. */
static bool entry_value(void *ctx unused_arg, const uint8_t *expr, size_t size, uint64_t *value,
			struct expr_trouble *trouble)
{
	*value = 4242;
	if (size == 1 && expr[0] == DW_OP_reg5)
		return true;
	*trouble = (struct expr_trouble){ .status = EXPR_NO_ENTRY_VALUE, .why = "no" };
	return false;
}

static bool parameter(void *ctx unused_arg, uint64_t offset, uint64_t *value,
		      struct expr_trouble *trouble unused_arg)
{
	*value = offset + 1;
	return true;
}

static bool indexed(void *ctx unused_arg, uint64_t index, uint64_t *value)
{
	*value = 0x1000 * index;
	return index < 4;
}

enum { TYPE_S32 = 0x10, TYPE_U32 = 0x11, TYPE_S8 = 0x12, TYPE_U64 = 0x13 };

static bool base_type(void *ctx unused_arg, uint64_t offset, struct expr_type *type)
{
	static const struct expr_type types[] = {
		{ 4, true, false }, { 4, false, false }, { 1, true, false }, { 8, false, false }
	};

	if (offset < TYPE_S32 || offset > TYPE_U64)
		return false;
	*type = types[offset - TYPE_S32];
	return true;
}

static const struct dwarf_expr_env env = {
	.bias = 0x100,
	.offset_size = 4,
	.reg = reg,
	.read = read_memory,
	.frame_base = frame_base,
	.cfa = cfa,
	.entry_value = entry_value,
	.parameter = parameter,
	.indexed = indexed,
	.base_type = base_type,
};

#define CODE(...) ((const uint8_t[]){ __VA_ARGS__ }), sizeof((const uint8_t[]){ __VA_ARGS__ })

static void value_is(uint64_t wanted, const uint8_t *code, size_t size)
{
	struct expr_trouble trouble;
	uint64_t value = 0;

	assert_true(expr_value(&env, code, size, NULL, &value, &trouble));
	assert_int_equal(trouble.status, EXPR_OK);
	assert_int_equal(value, wanted);
}

static struct expr_trouble fails(enum expr_status wanted, const uint8_t *code, size_t size)
{
	struct expr_location location;
	struct expr_trouble trouble;
	uint64_t buf;

	if (expr_locate(&env, code, size, &location, &trouble))
		assert_false(expr_load(&env, &location, &buf, 8, NULL, &trouble));
	assert_int_equal(trouble.status, wanted);
	return trouble;
}

/* The object of @n bytes at a location. */
static void object_is(const void *wanted, size_t n, const uint8_t *code, size_t size)
{
	struct expr_location location;
	struct expr_trouble trouble;
	uint8_t buf[32];

	assert_true(expr_locate(&env, code, size, &location, &trouble));
	assert_true(expr_load(&env, &location, buf, n, NULL, &trouble));
	assert_memory_equal(buf, wanted, n);
}

static void test_constants(void **state unused_arg)
{
	value_is(0, CODE(DW_OP_lit0));
	value_is(31, CODE(DW_OP_lit31));
	value_is(0xff, CODE(DW_OP_const1u, 0xff));
	value_is(UINT64_MAX, CODE(DW_OP_const1s, 0xff));
	value_is(0x8001, CODE(DW_OP_const2u, 1, 0x80));
	value_is(0xffffffffffff8001, CODE(DW_OP_const2s, 1, 0x80));
	value_is(0x80000001, CODE(DW_OP_const4u, 1, 0, 0, 0x80));
	value_is(0xffffffff80000001, CODE(DW_OP_const4s, 1, 0, 0, 0x80));
	value_is(0x8000000000000001, CODE(DW_OP_const8u, 1, 0, 0, 0, 0, 0, 0, 0x80));
	value_is(0x8000000000000001, CODE(DW_OP_const8s, 1, 0, 0, 0, 0, 0, 0, 0x80));
	value_is(624485, CODE(DW_OP_constu, 0xe5, 0x8e, 0x26));
	value_is((uint64_t)-123456, CODE(DW_OP_consts, 0xc0, 0xbb, 0x78));
	value_is(0x1234 + 0x100, CODE(DW_OP_addr, 0x34, 0x12, 0, 0, 0, 0, 0, 0));
	value_is(0x2000 + 0x100, CODE(DW_OP_addrx, 2));
	value_is(0x2000, CODE(DW_OP_constx, 2));
	fails(EXPR_UNSUPPORTED, CODE(DW_OP_addrx, 7));
	fails(EXPR_DAMAGED, CODE(DW_OP_const4u, 1, 2));
}

static void test_registers_and_frames(void **state unused_arg)
{
	value_is(103 - 1, CODE(DW_OP_breg3, 0x7f));
	value_is(105, CODE(DW_OP_bregx, 5, 0));
	value_is(106, CODE(DW_OP_reg6));
	value_is(STACK + 16 - 8, CODE(DW_OP_fbreg, 0x78));
	value_is(STACK + 24, CODE(DW_OP_call_frame_cfa));
	assert_int_equal(fails(EXPR_REGISTER_LOST, CODE(DW_OP_breg9, 0)).detail, 9);
	assert_int_equal(fails(EXPR_REGISTER_LOST, CODE(DW_OP_reg12)).detail, 12);
	assert_int_equal(fails(EXPR_REGISTER_LOST, CODE(DW_OP_regx, 60)).detail, 60);
	object_is("\x65\0\0\0\0\0\0\0", 8, CODE(DW_OP_reg1));
	object_is("\x65\0\0\0", 4, CODE(DW_OP_regx, 1));
}

static void test_stack(void **state unused_arg)
{
	value_is(3, CODE(DW_OP_lit3, DW_OP_dup, DW_OP_drop));
	value_is(1, CODE(DW_OP_lit1, DW_OP_lit2, DW_OP_over));
	value_is(1, CODE(DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_pick, 2));
	value_is(1, CODE(DW_OP_lit1, DW_OP_lit2, DW_OP_swap));
	/* rot: the top goes third. */
	value_is(2, CODE(DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_rot));
	value_is(3, CODE(DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_rot, DW_OP_drop, DW_OP_drop));
	fails(EXPR_DAMAGED, CODE(DW_OP_dup));
	fails(EXPR_DAMAGED, CODE(DW_OP_lit1, DW_OP_swap));
	fails(EXPR_DAMAGED, CODE(DW_OP_lit1, DW_OP_pick, 1));
	value_is(9, CODE(DW_OP_lit9, DW_OP_nop));
}

static void test_arithmetic(void **state unused_arg)
{
	value_is(7, CODE(DW_OP_const1s, 0xf9, DW_OP_abs));
	value_is((uint64_t)-7, CODE(DW_OP_lit7, DW_OP_neg));
	value_is(~UINT64_C(7), CODE(DW_OP_lit7, DW_OP_not));
	value_is(2, CODE(DW_OP_lit6, DW_OP_lit3, DW_OP_and));
	value_is(7, CODE(DW_OP_lit6, DW_OP_lit3, DW_OP_or));
	value_is(5, CODE(DW_OP_lit6, DW_OP_lit3, DW_OP_xor));
	value_is(9, CODE(DW_OP_lit6, DW_OP_lit3, DW_OP_plus));
	value_is(3, CODE(DW_OP_lit6, DW_OP_lit3, DW_OP_minus));
	value_is(18, CODE(DW_OP_lit6, DW_OP_lit3, DW_OP_mul));
	value_is(6 + 300, CODE(DW_OP_lit6, DW_OP_plus_uconst, 0xac, 0x02));
	value_is((uint64_t)-3, CODE(DW_OP_const1s, 0xf9, DW_OP_lit2, DW_OP_div));
	value_is(1, CODE(DW_OP_const1s, 0xff, DW_OP_lit2, DW_OP_mod)); /* unsigned */
	value_is(24, CODE(DW_OP_lit3, DW_OP_lit3, DW_OP_shl));
	value_is(0, CODE(DW_OP_lit3, DW_OP_const1u, 64, DW_OP_shl));
	value_is(UINT64_MAX >> 4, CODE(DW_OP_const1s, 0xff, DW_OP_lit4, DW_OP_shr));
	value_is(UINT64_MAX, CODE(DW_OP_const1s, 0xff, DW_OP_const1u, 200, DW_OP_shra));
	fails(EXPR_DAMAGED, CODE(DW_OP_lit1, DW_OP_lit0, DW_OP_div));
	fails(EXPR_DAMAGED, CODE(DW_OP_lit1, DW_OP_lit0, DW_OP_mod));
	/* The one quotient that overflows. */
	value_is(UINT64_C(1) << 63,
		 CODE(DW_OP_const8u, 0, 0, 0, 0, 0, 0, 0, 0x80, DW_OP_const1s, 0xff, DW_OP_div));
}

static void test_comparison_and_jumps(void **state unused_arg)
{
	value_is(1, CODE(DW_OP_const1s, 0xff, DW_OP_lit0, DW_OP_lt)); /* signed */
	value_is(1, CODE(DW_OP_lit1, DW_OP_lit1, DW_OP_le));
	value_is(0, CODE(DW_OP_lit1, DW_OP_lit1, DW_OP_gt));
	value_is(1, CODE(DW_OP_lit1, DW_OP_lit1, DW_OP_ge));
	value_is(1, CODE(DW_OP_lit1, DW_OP_lit1, DW_OP_eq));
	value_is(0, CODE(DW_OP_lit1, DW_OP_lit1, DW_OP_ne));
	value_is(2, CODE(DW_OP_lit1, DW_OP_bra, 1, 0, DW_OP_lit9, DW_OP_lit2));
	value_is(5, CODE(DW_OP_lit5, DW_OP_lit0, DW_OP_bra, 1, 0, DW_OP_nop));
	value_is(5, CODE(DW_OP_lit5, DW_OP_skip, 1, 0, DW_OP_lit9));
	/* A loop without end is ended. */
	fails(EXPR_DAMAGED, CODE(DW_OP_skip, 0xfd, 0xff));
	fails(EXPR_DAMAGED, CODE(DW_OP_skip, 0xf0, 0xff));
	fails(EXPR_DAMAGED, CODE(DW_OP_lit1, DW_OP_skip, 0xfc, 0xff));
}

static void test_memory(void **state unused_arg)
{
	value_is(0x1122334455667788, CODE(DW_OP_fbreg, 0x70, DW_OP_deref));
	value_is(0x88, CODE(DW_OP_fbreg, 0x70, DW_OP_deref_size, 1));
	value_is(0x55667788, CODE(DW_OP_fbreg, 0x70, DW_OP_deref_size, 4));
	struct expr_trouble trouble = fails(EXPR_NO_MEMORY, CODE(DW_OP_lit0, DW_OP_deref));
	assert_int_equal(trouble.detail, 0);
	assert_int_equal(trouble.read, READ_EXCLUDED);
	fails(EXPR_DAMAGED, CODE(DW_OP_fbreg, 0x70, DW_OP_deref_size, 9));
	object_is(memory, 16, CODE(DW_OP_fbreg, 0x70));
	assert_int_equal(fails(EXPR_NO_MEMORY, CODE(DW_OP_lit16)).detail, 16);
}

static void test_typed(void **state unused_arg)
{
	value_is(0xffffffff80000001, CODE(DW_OP_fbreg, 0x78, DW_OP_deref_type, 4, TYPE_S32));
	value_is(0x80000001, CODE(DW_OP_fbreg, 0x78, DW_OP_deref_type, 4, TYPE_U32));
	value_is((uint64_t)-2, CODE(DW_OP_const_type, TYPE_S8, 1, 0xfe));
	value_is(107, CODE(DW_OP_regval_type, 7, TYPE_U32));
	/* Unsigned division and comparison by type. */
	value_is(0x7fffffff, CODE(DW_OP_const_type, TYPE_U32, 4, 0xfe, 0xff, 0xff, 0xff,
				  DW_OP_const_type, TYPE_U32, 4, 2, 0, 0, 0, DW_OP_div));
	value_is(0, CODE(DW_OP_const_type, TYPE_U32, 4, 0xfe, 0xff, 0xff, 0xff, DW_OP_const_type,
			 TYPE_U32, 4, 2, 0, 0, 0, DW_OP_lt));
	/* Conversions truncate, then extend by the new type. */
	value_is((uint64_t)-1, CODE(DW_OP_const2u, 0xff, 0x12, DW_OP_convert, TYPE_S8));
	value_is(0xffffffff, CODE(DW_OP_const1s, 0xff, DW_OP_convert, TYPE_U32, DW_OP_convert, 0));
	value_is((uint64_t)-1,
		 CODE(DW_OP_const1s, 0xff, DW_OP_convert, TYPE_U32, DW_OP_reinterpret, TYPE_S32));
	value_is((uint64_t)-1, CODE(DW_OP_const1s, 0xff, DW_OP_GNU_convert, TYPE_U64));
	fails(EXPR_DAMAGED, CODE(DW_OP_lit1, DW_OP_convert, TYPE_U32, DW_OP_lit1, DW_OP_plus));
	fails(EXPR_DAMAGED, CODE(DW_OP_lit1, DW_OP_convert, TYPE_U32, DW_OP_reinterpret, TYPE_S8));
	fails(EXPR_UNSUPPORTED, CODE(DW_OP_lit1, DW_OP_convert, 0x77));
	fails(EXPR_DAMAGED, CODE(DW_OP_const_type, TYPE_S8, 2, 1, 1));
	/* A shift in a small type. */
	value_is(0xfe, CODE(DW_OP_const1u, 0xff, DW_OP_convert, TYPE_U32, DW_OP_lit1, DW_OP_shl,
			    DW_OP_convert, 0, DW_OP_const1u, 0xff, DW_OP_and));
}

static void test_entry_values(void **state unused_arg)
{
	struct expr_location location;
	struct expr_trouble trouble;

	value_is(4242, CODE(DW_OP_entry_value, 1, DW_OP_reg5));
	value_is(4243, CODE(DW_OP_GNU_entry_value, 1, DW_OP_reg5, DW_OP_plus_uconst, 1));
	assert_string_equal(fails(EXPR_NO_ENTRY_VALUE, CODE(DW_OP_entry_value, 1, DW_OP_reg4)).why,
			    "no");
	value_is(0x1235, CODE(DW_OP_GNU_parameter_ref, 0x34, 0x12, 0, 0));
	assert_true(expr_locate(&env, CODE(DW_OP_entry_value, 1, DW_OP_reg5, DW_OP_stack_value),
				&location, &trouble));
	assert_true(location.by_entry);
	assert_int_equal(location.piece[0].place, EXPR_VALUE);
	fails(EXPR_DAMAGED, CODE(DW_OP_entry_value, 9, DW_OP_reg5));
}

static void test_locations(void **state unused_arg)
{
	struct expr_location location;
	struct expr_trouble trouble;

	object_is("\x07\0\0\0", 4, CODE(DW_OP_lit7, DW_OP_stack_value));
	object_is("abc", 3, CODE(DW_OP_implicit_value, 3, 'a', 'b', 'c'));
	/* Pieces: a register, a constant, memory. */
	object_is("\x64\0\0\0\x05\0\x88\x77", 8,
		  CODE(DW_OP_reg0, DW_OP_piece, 4, DW_OP_lit5, DW_OP_stack_value, DW_OP_piece, 2,
		       DW_OP_fbreg, 0x70, DW_OP_piece, 2));
	/* Bits 4 to 7 of rcx (102) and then 4 zero bits. */
	object_is("\x06", 1,
		  CODE(DW_OP_reg2, DW_OP_bit_piece, 4, 4, DW_OP_lit0, DW_OP_stack_value,
		       DW_OP_bit_piece, 4, 0));
	assert_true(expr_locate(&env, CODE(DW_OP_implicit_pointer, 1, 2, 0, 0, 0x7f), &location,
				&trouble));
	assert_int_equal(location.piece[0].place, EXPR_POINTER);
	assert_int_equal(location.piece[0].die, 0x201);
	assert_int_equal(location.piece[0].value, (uint64_t)-1);
	assert_false(expr_locate(&env, NULL, 0, &location, &trouble));
	assert_int_equal(trouble.status, EXPR_OPTIMISED_OUT);
	fails(EXPR_OPTIMISED_OUT, CODE(DW_OP_reg0, DW_OP_piece, 4, DW_OP_piece, 4));
	fails(EXPR_OPTIMISED_OUT, CODE(DW_OP_reg0, DW_OP_piece, 4));
	fails(EXPR_DAMAGED, CODE(DW_OP_reg0, DW_OP_lit1));
	fails(EXPR_DAMAGED, CODE(DW_OP_reg0, DW_OP_piece, 4, DW_OP_lit1));
	fails(EXPR_DAMAGED, CODE(DW_OP_nop));
	fails(EXPR_UNSUPPORTED, CODE(DW_OP_lit1, DW_OP_form_tls_address));
	fails(EXPR_UNSUPPORTED, CODE(DW_OP_lit1, DW_OP_lit1, DW_OP_xderef));
	fails(EXPR_UNSUPPORTED, CODE(DW_OP_push_object_address));
	fails(EXPR_UNSUPPORTED, CODE(DW_OP_call4, 0, 0, 0, 0));
	fails(EXPR_UNSUPPORTED, CODE(0xe5));
}

static void test_gaps(void **state unused_arg)
{
	static const uint8_t code[] = { DW_OP_reg0, DW_OP_piece, 8,           DW_OP_piece,
					4,          DW_OP_reg9,  DW_OP_piece, 4 };
	struct expr_location location;
	struct expr_trouble trouble;
	struct expr_gaps gaps;
	uint8_t buf[16];

	assert_true(expr_locate(&env, code, sizeof(code), &location, &trouble));
	assert_true(expr_load(&env, &location, buf, sizeof(buf), &gaps, &trouble));
	assert_int_equal(load_u64(buf), 100);
	assert_int_equal(gaps.count, 1);
	assert_int_equal(gaps.gap[0].start, 8);
	assert_int_equal(gaps.gap[0].end, 16);
	/* All of it missing is no value. */
	assert_true(expr_locate(&env, CODE(DW_OP_reg9, DW_OP_piece, 8), &location, &trouble));
	assert_false(expr_load(&env, &location, buf, 8, &gaps, &trouble));
	assert_int_equal(trouble.status, EXPR_REGISTER_LOST);
}

/* --- Location lists. --- */

static void test_loclists(void **state unused_arg)
{
	static const uint8_t list[] = {
		DW_LLE_offset_pair,
		0x10,
		0x20,
		1,
		DW_OP_reg1,
		DW_LLE_base_address,
		0,
		0x20,
		0,
		0,
		0,
		0,
		0,
		0,
		DW_LLE_offset_pair,
		0x10,
		0x20,
		1,
		DW_OP_reg2,
		9,
		1,
		2, /* a pair of views */
		DW_LLE_start_length,
		0,
		0x30,
		0,
		0,
		0,
		0,
		0,
		0,
		0x10,
		1,
		DW_OP_reg3,
		DW_LLE_startx_length,
		1,
		8,
		1,
		DW_OP_reg4,
		DW_LLE_default_location,
		1,
		DW_OP_reg5,
		DW_LLE_end_of_list,
	};
	struct loclist l = {
		.data = list, .size = sizeof(list), .version = 5, .base = 0x1000, .indexed = indexed
	};
	const uint8_t *expr;
	size_t size;
	bool bad;

	assert_true(loclist_find(&l, 0, 0x1010, &expr, &size, &bad));
	assert_int_equal(expr[0], DW_OP_reg1);
	assert_true(loclist_find(&l, 0, 0x201f, &expr, &size, &bad));
	assert_int_equal(expr[0], DW_OP_reg2);
	assert_true(loclist_find(&l, 0, 0x3000, &expr, &size, &bad));
	assert_int_equal(expr[0], DW_OP_reg3);
	assert_true(loclist_find(&l, 0, 0x1007, &expr, &size, &bad));
	assert_int_equal(expr[0], DW_OP_reg4);
	assert_true(loclist_find(&l, 0, 0x1020, &expr, &size, &bad));
	assert_int_equal(expr[0], DW_OP_reg5);
	/* Cut off, or elsewhere. */
	l.size -= 1;
	assert_false(loclist_find(&l, 0, 0x9999, &expr, &size, &bad));
	assert_true(bad);
	assert_false(loclist_find(&l, 1000, 0x9999, &expr, &size, &bad));
	assert_true(bad);
}

static void test_old_loclists(void **state unused_arg)
{
	static const uint64_t ranges[] = { 0x10, 0x20, UINT64_MAX, 0x5000, 0x10, 0x20, 0, 0 };
	uint8_t list[128];
	size_t n = 0;
	struct loclist l = { .data = list, .version = 4, .base = 0x1000 };
	const uint8_t *expr;
	size_t size;

	for (size_t i = 0; i < array_size(ranges); i += 2) {
		memcpy(list + n, ranges + i, 16);
		n += 16;
		if (i == 0 || i == 4) {
			memcpy(list + n, "\1\0", 2);
			list[n + 2] = (uint8_t)(DW_OP_reg0 + i);
			n += 3;
		}
	}
	l.size = n;
	assert_true(loclist_find(&l, 0, 0x1015, &expr, &size, NULL));
	assert_int_equal(expr[0], DW_OP_reg0);
	assert_true(loclist_find(&l, 0, 0x5015, &expr, &size, NULL));
	assert_int_equal(expr[0], DW_OP_reg4);
	assert_false(loclist_find(&l, 0, 0x1020, &expr, &size, NULL));
}

/* --- Call frame information. --- */

struct writer {
	uint8_t data[512];
	size_t n;
};

static void put(struct writer *w, const void *bytes, size_t size)
{
	memcpy(w->data + w->n, bytes, size);
	w->n += size;
}

static void put_record(struct writer *w, uint32_t id, const void *head, size_t head_size,
		       const uint8_t *code, size_t size)
{
	uint32_t length = (uint32_t)(4 + head_size + size);

	put(w, &length, 4);
	put(w, &id, 4);
	put(w, head, head_size);
	put(w, code, size);
}

static void put_cie(struct writer *w)
{
	/* version 1, no augmentation, code 1, data -8, return address 16 */
	put_record(w, 0xffffffff, "\1\0\1\x78\x10", 5,
		   CODE(DW_CFA_def_cfa, 7, 8, DW_CFA_offset | 16, 1));
}

static void put_fde(struct writer *w, uint64_t start, uint64_t size, const uint8_t *code, size_t n)
{
	uint64_t head[2] = { start, size };

	put_record(w, 0, head, sizeof(head), code, n);
}

static void test_cfi(void **state unused_arg)
{
	struct writer w = { .n = 0 };
	struct cfi_row row;
	const char *why;

	put_cie(&w);
	put_fde(&w, 0x2000, 0x100, CODE(DW_CFA_undefined, 3));
	put_fde(&w, 0x1000, 0x100,
		CODE(DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 16, DW_CFA_offset | 3, 2,
		     DW_CFA_advance_loc1, 0x1f, DW_CFA_remember_state, DW_CFA_def_cfa_register, 6,
		     DW_CFA_advance_loc2, 0x10, 0, DW_CFA_restore_state, DW_CFA_advance_loc | 1,
		     DW_CFA_restore | 3, DW_CFA_same_value, 12, DW_CFA_register, 13, 0,
		     DW_CFA_val_offset, 14, 2, DW_CFA_expression, 15, 1, DW_OP_lit1));
	struct cfi cfi = { .data = w.data, .size = w.n, .bias = 0x500000 };
	cfi_init(&cfi);
	assert_int_equal(cfi.ranges.count, 2);
	assert_false(cfi_find(&cfi, 0x1000, &row, &why));
	assert_false(cfi_find(&cfi, 0x501100, &row, &why));
	assert_true(cfi_find(&cfi, 0x501000, &row, &why));
	assert_int_equal(row.cfa.reg, 7);
	assert_int_equal(row.cfa.offset, 8);
	assert_int_equal(row.ra, 16);
	assert_int_equal(row.reg[16].how, CFI_OFFSET);
	assert_int_equal(row.reg[16].offset, -8);
	assert_int_equal(row.reg[3].how, CFI_UNSPECIFIED);
	assert_true(cfi_find(&cfi, 0x501001, &row, &why));
	assert_int_equal(row.cfa.offset, 16);
	assert_int_equal(row.reg[3].offset, -16);
	assert_true(cfi_find(&cfi, 0x501020, &row, &why));
	assert_int_equal(row.cfa.reg, 6);
	assert_true(cfi_find(&cfi, 0x501030, &row, &why));
	assert_int_equal(row.cfa.reg, 7);
	assert_int_equal(row.reg[3].how, CFI_OFFSET);
	assert_true(cfi_find(&cfi, 0x501031, &row, &why));
	assert_int_equal(row.reg[3].how, CFI_UNSPECIFIED);
	assert_int_equal(row.reg[12].how, CFI_SAME);
	assert_int_equal(row.reg[13].how, CFI_REGISTER);
	assert_int_equal(row.reg[14].offset, -16);
	assert_int_equal(row.reg[15].expr_size, 1);
	assert_true(cfi_find(&cfi, 0x502000, &row, &why));
	assert_int_equal(row.reg[3].how, CFI_UNDEFINED);
	cfi_deinit(&cfi);
}

static void test_damaged_cfi(void **state unused_arg)
{
	struct writer w = { .n = 0 };
	struct cfi_row row;
	const char *why;

	put_cie(&w);
	put_fde(&w, 0x1000, 0x100, CODE(DW_CFA_restore_state));
	put_fde(&w, 0x2000, 0x100, CODE(0x3f));
	put_fde(&w, 0x3000, 0x100, CODE(DW_CFA_def_cfa_expression, 100));
	put_fde(&w, 0x4000, 0x100, CODE(DW_CFA_def_cfa, 200, 1, 8));
	struct cfi cfi = { .data = w.data, .size = w.n };
	cfi_init(&cfi);
	for (uint64_t pc = 0x1000; pc <= 0x4000; pc += 0x1000) {
		assert_false(cfi_find(&cfi, pc, &row, &why));
		assert_string_equal(why, "its entry is damaged");
	}
	cfi_deinit(&cfi);
	/* Cut off anywhere. */
	for (size_t n = 0; n < w.n; n++) {
		struct cfi cut = { .data = w.data, .size = n };
		cfi_init(&cut);
		(void)cfi_find(&cut, 0x1000, &row, &why);
		cfi_deinit(&cut);
	}
}

static void test_eh_frame(void **state unused_arg)
{
	struct writer w = { .n = 0 };
	struct cfi_row row;
	const char *why;

	/* "zRS": addresses relative to where they stand, 4 bytes; a signal frame. */
	put_record(&w, 0, "\1zRS\0\1\x78\x10\1\x1b", 10, CODE(DW_CFA_def_cfa, 7, 8));
	uint32_t cie_pointer = (uint32_t)w.n + 4;
	int32_t head[2] = { (int32_t)(0x1000 - (0x9000 + (int)w.n + 8)), 0x100 };
	put_record(&w, cie_pointer, head, 8, CODE(0, DW_CFA_def_cfa_offset, 24));
	struct cfi cfi = { .data = w.data, .size = w.n, .eh = true, .address = 0x9000 };
	cfi_init(&cfi);
	assert_int_equal(cfi.ranges.count, 1);
	assert_true(cfi_find(&cfi, 0x10ff, &row, &why));
	assert_int_equal(row.low, 0x1000);
	assert_int_equal(row.cfa.offset, 24);
	assert_true(row.signal);
	cfi_deinit(&cfi);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_registers_and_frames),
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_arithmetic),
		cmocka_unit_test(test_comparison_and_jumps),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_typed),
		cmocka_unit_test(test_entry_values),
		cmocka_unit_test(test_locations),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_loclists),
		cmocka_unit_test(test_old_loclists),
		cmocka_unit_test(test_cfi),
		cmocka_unit_test(test_damaged_cfi),
		cmocka_unit_test(test_eh_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
