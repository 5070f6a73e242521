// SPDX-License-Identifier: LGPL-2.1-or-later
/* Instructions as they stand in kernels; the texts are what objdump prints for these bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "code/code.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(memory_operands),
		cmocka_unit_test(meanings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
