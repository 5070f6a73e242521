// SPDX-License-Identifier: LGPL-2.1-or-later
/* Instructions as they stand in kernels; the texts are what objdump prints for these bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "code/search.h"

static void name_it(void *ctx, uint64_t address, char *buf, size_t size)
{
	(void)ctx;
	if (address == 0x1010 && size > 2)
		buf[0] = 'f', buf[1] = '\0';
}

static void texts(void **state)
{
	(void)state;
	static const struct {
		uint8_t bytes[12];
		size_t size;
		const char *text;
	} cases[] = {
		{ { 0x48, 0x89, 0x47, 0x10 }, 4, "mov %rax,0x10(%rdi)" },
		{ { 0xff, 0xd0 }, 2, "call *%rax" },
		{ { 0x0f, 0x0b }, 2, "ud2" },
		{ { 0xe8, 0x0b, 0, 0, 0 }, 5, "call 0x1010 <f>" },
		{ { 0xf0, 0xff, 0x4f, 0x1c }, 4, "lock decl 0x1c(%rdi)" },
		{ { 0x0f, 0x1f, 0x44, 0x00, 0x00 }, 5, "nopl 0x0(%rax,%rax,1)" },
		{ { 0x66, 0x90 }, 2, "xchg %ax,%ax" },
		{ { 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 }, 11,
		  "data16 cs nopw 0x0(%rax,%rax,1)" },
		{ { 0x48, 0x98 }, 2, "cltq" },
		{ { 0x0f, 0xb6, 0x07 }, 3, "movzbl (%rdi),%eax" },
		{ { 0x48, 0x63, 0xd0 }, 3, "movslq %eax,%rdx" },
		{ { 0x48, 0xb8, 0, 1, 0, 0, 0, 0, 0xad, 0xde }, 10,
		  "movabs $0xdead000000000100,%rax" },
		{ { 0x48, 0x83, 0xe4, 0xf0 }, 4, "and $0xfffffffffffffff0,%rsp" },
		{ { 0x83, 0xf8, 0xff }, 3, "cmp $0xffffffff,%eax" },
		{ { 0x48, 0x8b, 0x45, 0xf8 }, 4, "mov -0x8(%rbp),%rax" },
		{ { 0xf3, 0x48, 0xab }, 3, "rep stos %rax,%es:(%rdi)" },
		{ { 0xf3, 0xa4 }, 2, "rep movsb %ds:(%rsi),%es:(%rdi)" },
		{ { 0x48, 0xd1, 0xe8 }, 3, "shr %rax" },
		{ { 0x74, 0x0e }, 2, "je 0x1010 <f>" },
		{ { 0x8b, 0x05, 0x0a, 0, 0, 0 }, 6, "mov 0xa(%rip),%eax  # 0x1010 <f>" },
		{ { 0x65, 0x48, 0x8b, 0x04, 0x25, 0x10, 0x10, 0, 0 }, 9,
		  "mov %gs:0x1010,%rax  # 0x1010 <f>" },
		{ { 0x8e, 0xd8 }, 2, "mov %eax,%ds" },
		{ { 0x48, 0x0f, 0x07 }, 3, "sysretq" },
		{ { 0xf3, 0x0f, 0x01, 0xd9 }, 4, "vmgexit" },
	};
	for (size_t i = 0; i < array_size(cases); i++) {
		char buf[128];
		assert_true(code_format(cases[i].bytes, cases[i].size, 0x1000, name_it, NULL, buf,
					sizeof(buf)));
		assert_string_equal(buf, cases[i].text);
	}
}

static void memory_operands(void **state)
{
	(void)state;
	const uint8_t store[] = { 0x48, 0x89, 0x44, 0xcf, 0x10 }; /* mov %rax,0x10(%rdi,%rcx,8) */
	struct insn insn;
	struct regs regs = { 0 };
	uint64_t at;

	assert_true(code_decode(store, sizeof(store), 0, &insn));
	assert_true(insn.memory.present && insn.memory.write && !insn.memory.read);
	assert_int_equal(insn.memory.size, 8);
	regs_set(&regs, X86_RDI, 0x1000);
	assert_false(code_memory_address(&insn.memory, &regs, &at));
	regs_set(&regs, X86_RCX, 2);
	assert_true(code_memory_address(&insn.memory, &regs, &at));
	assert_int_equal(at, 0x1020);
	const uint8_t lea[] = { 0x48, 0x8d, 0x47, 0x10 };
	assert_true(code_decode(lea, sizeof(lea), 0, &insn));
	assert_false(insn.memory.present);
	const uint8_t bad[] = { 0x06 };
	assert_false(code_decode(bad, sizeof(bad), 0, &insn));
}

/* What value flow is built on: the result first, then what it is made of. */
static void meanings(void **state)
{
	(void)state;
	static const struct {
		uint8_t bytes[8];
		size_t size;
		enum insn_does does;
		int result, source;  /* registers; -1: something else */
		uint64_t writes, reads; /* general registers */
	} cases[] = {
#define BIT(r) (UINT64_C(1) << X86_##r)
		{ { 0x49, 0x89, 0xfd }, 3, INSN_DOES_MOVE, X86_R13, X86_RDI, BIT(R13), BIT(RDI) },
		{ { 0x8b, 0x47, 0x10 }, 3, INSN_DOES_MOVE, X86_RAX, -1, BIT(RAX), BIT(RDI) },
		{ { 0x48, 0x8d, 0x47, 0x10 }, 4, INSN_DOES_ADDRESS, X86_RAX, -1, BIT(RAX),
		  BIT(RDI) },
		{ { 0x0f, 0xb6, 0xc9 }, 3, INSN_DOES_ZERO_EXTEND, X86_RCX, X86_RCX, BIT(RCX),
		  BIT(RCX) },
		{ { 0x48, 0x98 }, 2, INSN_DOES_SIGN_EXTEND, X86_RAX, X86_RAX, BIT(RAX), BIT(RAX) },
		{ { 0x48, 0x0f, 0x44, 0xc2 }, 4, INSN_DOES_SELECT, X86_RAX, X86_RDX, BIT(RAX),
		  BIT(RDX) },
		{ { 0x48, 0x0f, 0xaf, 0xc7 }, 4, INSN_DOES_MUL, X86_RAX, X86_RDI, BIT(RAX),
		  BIT(RAX) | BIT(RDI) },
		{ { 0x48, 0xf7, 0xe7 }, 3, INSN_DOES_OTHER, X86_RDI, -1, BIT(RAX) | BIT(RDX),
		  BIT(RAX) | BIT(RDI) },
		{ { 0x85, 0xff }, 2, INSN_DOES_TEST, X86_RDI, X86_RDI, 0, BIT(RDI) },
		{ { 0x53 }, 1, INSN_DOES_PUSH, X86_RBX, -1, BIT(RSP), BIT(RBX) | BIT(RSP) },
		{ { 0x66, 0x90 }, 2, INSN_DOES_OTHER, X86_RAX, X86_RAX, 0, 0 },
	};
	for (size_t i = 0; i < array_size(cases); i++) {
		struct insn insn;
		assert_true(code_decode(cases[i].bytes, cases[i].size, 0, &insn));
		assert_int_equal(insn.does, cases[i].does);
		assert_int_equal(insn.writes & 0xffff, cases[i].writes);
		if (cases[i].reads)
			assert_int_equal(insn.reads & 0xffff, cases[i].reads);
		assert_int_equal(insn.operand[0].reg, cases[i].result);
		if (cases[i].source >= 0)
			assert_int_equal(insn.operand[1].reg, cases[i].source);
	}
}

/* What the quick look lets through, the exact one must not have missed. */
static void stores(void **state)
{
	(void)state;
	static const struct {
		uint8_t bytes[12];
		size_t size;
		unsigned opcode; /* where it is, behind the prefixes */
		bool store;
		enum store_source source;
		uint64_t constant;
		int64_t displacement;
		unsigned bytes_stored;
	} cases[] = {
		{ { 0xc7, 0x80, 0x80, 1, 0, 0, 6, 1, 0, 0 }, 10, 0, true, STORE_CONSTANT, 0x106,
		  0x180, 4 },
		{ { 0x66, 0xc7, 0x47, 0x08, 6, 1 }, 6, 1, true, STORE_CONSTANT, 0x106, 8, 2 },
		{ { 0xc6, 0x44, 0x24, 0x10, 5 }, 5, 0, true, STORE_CONSTANT, 5, 0x10, 1 },
		{ { 0x48, 0xc7, 0x43, 0x18, 0xfe, 0xff, 0xff, 0xff }, 8, 1, true, STORE_CONSTANT,
		  (uint64_t)-2, 0x18, 8 },
		{ { 0x83, 0x60, 0x20, 0 }, 4, 0, true, STORE_CONSTANT, 0, 0x20, 4 },
		{ { 0x48, 0x89, 0x47, 0x10 }, 4, 1, true, STORE_REGISTER, 0, 0x10, 8 },
		{ { 0x83, 0x40, 0x20, 1 }, 4, 0, true, STORE_CHANGE, 0, 0x20, 4 },
		{ { 0x48, 0x8b, 0x47, 0x10 }, 4, 1, false, STORE_OTHER, 0, 0, 0 },
		{ { 0x83, 0x78, 0x20, 1 }, 4, 0, false, STORE_OTHER, 0, 0, 0 },
	};
	for (size_t i = 0; i < array_size(cases); i++) {
		struct store_wish any = { 0 }, place = { .has_displacement = true,
							 .low = cases[i].displacement,
							 .high = cases[i].displacement + 1 };
		struct store_wish value = place;
		struct insn_store store;
		struct insn insn;
		const uint8_t *opcode = cases[i].bytes + cases[i].opcode;
		size_t left = cases[i].size - cases[i].opcode;
		assert_int_equal(code_length(cases[i].bytes, cases[i].size), cases[i].size);
		assert_true(code_decode(cases[i].bytes, cases[i].size, 0, &insn));
		assert_int_equal(code_store(&insn, &store), cases[i].store);
		if (!cases[i].store)
			continue;
		assert_int_equal(store.source, cases[i].source);
		assert_int_equal(store.memory.size, cases[i].bytes_stored);
		assert_int_equal(store.memory.displacement, cases[i].displacement);
		assert_true(code_might_store(&any, opcode, left, 0));
		assert_true(code_might_store(&place, opcode, left, 0));
		if (cases[i].source != STORE_CONSTANT)
			continue;
		assert_int_equal(store.constant, cases[i].constant);
		value.has_value = true;
		value.value = cases[i].constant;
		assert_true(code_might_store(&value, opcode, left, 0));
		place.low = ++place.high;
		assert_false(code_might_store(&place, opcode, left, 0));
	}
}

static void names_in_code(void **state)
{
	(void)state;
	static const uint8_t call[] = { 0xe8, 0x0b, 0, 0, 0 };
	static const uint8_t lea[] = { 0x48, 0x8d, 0x3d, 0x09, 0, 0, 0 };
	static const uint8_t immediate[] = { 0x48, 0xc7, 0xc7, 0, 0x10, 0, 0x81 };
	static const uint8_t jump[] = { 0xeb, 0x0e };
	uint64_t address;
	struct insn insn;

	assert_true(code_decode(call, sizeof(call), 0x1000, &insn));
	assert_true(code_named_address(&insn, &address));
	assert_int_equal(address, 0x1010);
	assert_true(code_might_name(0x0b, 0x1001, 0x1010));
	assert_true(code_falls_through(&insn));
	assert_true(code_decode(lea, sizeof(lea), 0x1000, &insn));
	assert_true(code_named_address(&insn, &address));
	assert_int_equal(address, 0x1010);
	assert_int_equal(code_set_register(&insn).source, SET_CONSTANT);
	assert_true(code_decode(immediate, sizeof(immediate), 0x1000, &insn));
	assert_true(code_named_address(&insn, &address));
	assert_int_equal(address, 0xffffffff81001000);
	assert_true(code_decode(jump, sizeof(jump), 0x1000, &insn));
	assert_false(code_falls_through(&insn));
	assert_true(code_same_value(0x106, 0x106, 2));
	assert_false(code_same_value(0x106, 0x106, 1));
	assert_true(code_same_value((uint64_t)-1, 0xffffffff, 4));
}

/* No byte string makes the quick look read beyond its end (under the sanitizers). */
static void short_code(void **state)
{
	(void)state;
	static const uint8_t starts[] = { 0xc7, 0xc6, 0x83, 0xb8, 0x8d, 0x0f, 0xc4, 0xc5, 0x89 };

	for (size_t i = 0; i < array_size(starts); i++) {
		for (unsigned second = 0; second < 256; second++) {
			for (size_t size = 0; size <= 4; size++) {
				struct store_wish wish = { .has_value = second & 1,
							   .has_displacement = true,
							   .high = 0x1000 };
				uint8_t *bytes = malloc(size ? size : 1);
				assert_non_null(bytes);
				memset(bytes, (int)second, size);
				if (size)
					bytes[0] = starts[i];
				(void)code_might_store(&wish, bytes, size, 0);
				(void)code_length(bytes, size);
				free(bytes);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores),
		cmocka_unit_test(names_in_code),
		cmocka_unit_test(short_code),
		cmocka_unit_test(texts),
		cmocka_unit_test(memory_operands),
		cmocka_unit_test(meanings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
