// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Value flow over small functions, as compilers write them. Each is assembled here and lies in this
 * program; the stack that they are said to have run on is an array.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "code/flow.h"
#include "own_code.h"

/* Functions @name ... @name_end, and a place `name_at` in them. */
#define FUNCTION(name, code)                                                       \
	extern const uint8_t name[], name##_at[], name##_end[];                    \
	__asm__(".pushsection .rodata\n.globl " #name "," #name "_at," #name "_end\n" #name \
		":\n" code "\n" #name "_end:\n.popsection\n")

FUNCTION(saved, "push %rbp\n mov %rsp,%rbp\n push %r13\n push %rbx\n mov %rdi,%r13\n"
		"lea 0x18(%rsi),%rbx\n mov %edx,%r12d\n call . + 0x1000\n saved_at:\n"
		"pop %rbx\n pop %r13\n pop %rbp\n ret");
FUNCTION(spilled, "sub $0x28,%rsp\n mov %rdi,0x8(%rsp)\n mov %esi,0x4(%rsp)\n"
		  "lea 0x10(%rsp),%rdi\n mov %rdx,0x10(%rsp)\n call . + 0x1000\n spilled_at:\n"
		  "add $0x28,%rsp\n ret");
/* r13 holds the argument, but in one branch it is used for something else. */
FUNCTION(reused, "push %r13\n push %rbx\n mov %rdi,%r13\n mov %rsi,%rbx\n test %rbx,%rbx\n"
		 "je 1f\n mov 0x20(%rdi),%r13\n 1: call . + 0x1000\n reused_at:\n"
		 "pop %rbx\n pop %r13\n ret");
FUNCTION(looping, "push %rbp\n push %rbx\n mov %rdi,%rbp\n mov (%rdi),%rbx\n"
		  "1: mov %rbx,%rdi\n call . + 0x1000\n looping_at:\n mov (%rbx),%rbx\n"
		  "cmp %rbp,%rbx\n jne 1b\n pop %rbx\n pop %rbp\n ret");
FUNCTION(member, "push %rbx\n mov 0xd0(%rdi),%rax\n mov 0xbc(%rdi),%ecx\n add %rcx,%rax\n"
		 "mov 0x8(%rax),%rbx\n member_at:\n mov (%rbx),%rax\n pop %rbx\n ret");
FUNCTION(tested, "cmp $7,%edi\n jne 1f\n cmp $5,%rsi\n jbe 1f\n tested_at: nop\n 1: ret");
FUNCTION(flags_kept, "push %rbx\n mov %rdi,%rbx\n pushf\n pop %rax\n cli\n call . + 0x1000\n"
		     "flags_kept_at:\n pop %rbx\n ret");
/* Four bytes into a function, as a tracer's call behind endbr64 would be; but it is none. */
FUNCTION(early_call, "sub $8,%rsp\n call callee\n early_call_at:\n add $8,%rsp\n ret");
FUNCTION(callee, "callee_at: ret");
/* The kernel made nops of endbr64, and the tracer has its call there. */
FUNCTION(traced, ".byte 0x66, 0x0f, 0x1f, 0x00\n call . + 0x1000\n traced_at: nop\n ret");
FUNCTION(endless, "1: jmp 1b\n endless_at: nop");
FUNCTION(through_memory, "push %rbx\n mov %rsp,%rbx\n mov %rdi,-8(%rsp,%rsi,8)\n"
			 "call . + 0x1000\n through_memory_at:\n pop %rbx\n ret");

/* --- The world: this program's own memory. --- */

struct place {
	struct own_function function;
	const uint8_t *at;
};

#define PLACE(name) { { #name, name, name##_end }, name##_at }

static const struct place places[] = {
	PLACE(saved),  PLACE(spilled),    PLACE(reused),  PLACE(looping),        PLACE(member),
	PLACE(tested), PLACE(flags_kept), PLACE(endless), PLACE(through_memory),
	PLACE(early_call), PLACE(callee), PLACE(traced),
};

static uint64_t stack[64];
enum { ENTRY_SP = 48 }; /* index of the return address */

static bool world_function(void *ctx, uint64_t address, struct symbol *symbol)
{
	(void)ctx;
	for (size_t i = 0; i < array_size(places); i++) {
		if (own_function_has(&places[i].function, address, symbol))
			return true;
	}
	return false;
}

static const struct code_env env = {
	.arch = &arch_x86_64,
	.read = own_read,
	.function = world_function,
};

struct run {
	struct cfg *cfg;
	struct flow *flow;
	struct flow_facts *facts;
};

static struct run start(const uint8_t *function, const uint8_t *at)
{
	struct run run;
	const char *why = NULL;

	assert_true(cfg_create(&env, (uintptr_t)function, &run.cfg, &why));
	assert_null(run.cfg->incomplete);
	assert_true(flow_create(&env, run.cfg, (uintptr_t)at, NULL, &run.flow, &why));
	run.facts = flow_facts_create(&env, run.flow);
	return run;
}

static void end(struct run *run)
{
	flow_facts_destroy(run->facts);
	flow_destroy(run->flow);
	cfg_destroy(run->cfg);
}

#define START(name) start(name, name##_at)

static uint64_t entry_sp(void)
{
	return (uintptr_t)&stack[ENTRY_SP];
}

/* What register @reg was on entry; the bits that are known must be @bits. */
static uint64_t entry_value(struct run *run, unsigned reg, unsigned bits)
{
	struct flow_value value;
	bool known = flow_eval(run->facts, flow_entry(run->flow, reg), false, &value);

	assert_int_equal(known, bits != 0);
	assert_int_equal(value.bits, bits);
	return value.value;
}

static void arguments_kept_in_registers(void **state)
{
	(void)state;
	struct run run = START(saved);
	struct regs regs = { 0 };

	stack[ENTRY_SP - 1] = 0xb9; /* rbp */
	stack[ENTRY_SP - 2] = 0x13;
	stack[ENTRY_SP - 3] = 0xb0; /* rbx */
	regs_set(&regs, X86_R13, 0x1111);
	regs_set(&regs, X86_RBX, 0x2218);
	regs_set(&regs, X86_R12, 0x3333);
	regs_set(&regs, X86_RSP, entry_sp() - 24);
	flow_know_frame(run.facts, &regs, 0);
	assert_true(flow_solve(run.facts));
	assert_int_equal(entry_value(&run, X86_RDI, 64), 0x1111);
	assert_int_equal(entry_value(&run, X86_RSI, 64), 0x2200);
	assert_int_equal(entry_value(&run, X86_RDX, 32), 0x3333);
	/* The caller's, from where they were pushed. */
	assert_int_equal(entry_value(&run, X86_RBP, 64), 0xb9);
	assert_int_equal(entry_value(&run, X86_R13, 64), 0x13);
	assert_int_equal(entry_value(&run, X86_RBX, 64), 0xb0);
	entry_value(&run, X86_RCX, 0);
	end(&run);
}

static void slots(void **state)
{
	(void)state;
	struct run run = START(spilled);
	struct regs regs = { 0 };

	stack[ENTRY_SP - 4] = 0x1234;                       /* 8(%rsp) */
	stack[ENTRY_SP - 5] = UINT64_C(0x5678) << 32 | 0x99; /* 4(%rsp) */
	stack[ENTRY_SP - 3] = 0xbad;                        /* the callee may have written here */
	flow_know_frame(run.facts, &regs, entry_sp());
	assert_true(flow_solve(run.facts));
	assert_int_equal(entry_value(&run, X86_RDI, 64), 0x1234);
	assert_int_equal(entry_value(&run, X86_RSI, 32), 0x5678);
	entry_value(&run, X86_RDX, 0);
	end(&run);
}

static void a_register_reused_in_one_branch_is_unknown(void **state)
{
	(void)state;
	struct run run = START(reused);
	struct regs regs = { 0 };
	const char *why;

	regs_set(&regs, X86_R13, 0x1111);
	flow_know_frame(run.facts, &regs, entry_sp());
	assert_true(flow_solve(run.facts));
	entry_value(&run, X86_RDI, 0);
	assert_int_equal(flow_node(run.flow, flow_register(run.flow, X86_R13))->kind, FLOW_MERGE);
	end(&run);
	/* When the branch's condition is known, so is the path. */
	for (uint64_t condition = 0; condition < 2; condition++) {
		struct flow *sharper;
		run = START(reused);
		regs_set(&regs, X86_RBX, condition);
		flow_know_frame(run.facts, &regs, entry_sp());
		assert_true(flow_solve(run.facts));
		assert_true(flow_create(&env, run.cfg, (uintptr_t)reused_at, run.facts, &sharper,
					&why));
		flow_facts_destroy(run.facts);
		flow_destroy(run.flow);
		run.flow = sharper;
		run.facts = flow_facts_create(&env, sharper);
		flow_know_frame(run.facts, &regs, entry_sp());
		assert_true(flow_solve(run.facts));
		uint64_t rdi = entry_value(&run, X86_RDI, condition ? 0 : 64);
		assert_int_equal(rdi, condition ? 0 : 0x1111);
		end(&run);
	}
}

static void loops(void **state)
{
	(void)state;
	struct run run = START(looping);
	struct regs regs = { 0 };

	regs_set(&regs, X86_RBX, 0x1111);
	regs_set(&regs, X86_RBP, 0x2222);
	flow_know_frame(run.facts, &regs, entry_sp());
	assert_true(flow_solve(run.facts));
	assert_int_equal(entry_value(&run, X86_RDI, 64), 0x2222);
	assert_int_equal(flow_node(run.flow, flow_register(run.flow, X86_RBX))->kind, FLOW_MERGE);
	assert_false(flow_is_once(run.flow, (uintptr_t)looping_at));
	assert_true(flow_is_once(run.flow, (uintptr_t)looping));
	assert_false(flow_node_is_once(run.flow, flow_register(run.flow, X86_RBX)));
	assert_true(flow_node_is_once(run.flow, flow_entry(run.flow, X86_RDI)));
	end(&run);
}

static void origin_of_a_loaded_value(void **state)
{
	(void)state;
	struct run run = START(member);
	char text[200];

	flow_format(run.flow, flow_register(run.flow, X86_RBX), &arch_x86_64, text, sizeof(text));
	assert_string_equal(text, "load64(((load64((rdi@entry + 0xd0)) + "
				  "load32((rdi@entry + 0xbc))) + 8))");
	end(&run);
}

static void conditions(void **state)
{
	(void)state;
	struct run run = START(tested);
	size_t count;
	const struct flow_condition *c = flow_conditions(run.flow, &count);

	assert_int_equal(count, 2);
	assert_int_equal(c[0].condition, COND_ABOVE);
	assert_int_equal(c[1].condition, COND_EQUAL);
	assert_true(flow_condition_holds(&c[0], 5, 4));
	assert_false(flow_condition_holds(&c[0], 4, 4));
	assert_true(flow_condition_holds(&c[1], 7, 7));
	assert_false(flow_condition_holds(&c[1], 7, 8));
	assert_true(flow_solve(run.facts));
	assert_int_equal(entry_value(&run, X86_RDI, 32), 7);
	end(&run);
}

static void flags_on_the_stack(void **state)
{
	(void)state;
	struct run run = START(flags_kept);
	int64_t depth;

	assert_true(flow_stack_depth(run.flow, &depth));
	assert_int_equal(depth, -8);
	assert_int_equal(flow_register(run.flow, X86_RBX), flow_entry(run.flow, X86_RDI));
	end(&run);
}

static void a_call_near_the_entry_is_a_call(void **state)
{
	(void)state;
	struct run run = START(early_call);
	struct regs regs = { 0 };

	regs_set(&regs, X86_RDI, 0x1111);
	flow_know_frame(run.facts, &regs, entry_sp());
	assert_true(flow_solve(run.facts));
	entry_value(&run, X86_RDI, 0);
	end(&run);
}

static void a_tracer_preserves_all(void **state)
{
	(void)state;
	struct run run = START(traced);
	struct regs regs = { 0 };

	regs_set(&regs, X86_RDI, 0x1111);
	flow_know_frame(run.facts, &regs, entry_sp());
	assert_true(flow_solve(run.facts));
	assert_int_equal(entry_value(&run, X86_RDI, 64), 0x1111);
	end(&run);
}

static void contradictions_end_it(void **state)
{
	(void)state;
	struct run run = START(saved);
	struct regs regs = { 0 };
	struct flow_value value;

	/* r12 was written in four bytes: it cannot have more. */
	regs_set(&regs, X86_R12, UINT64_C(1) << 40);
	regs_set(&regs, X86_R13, 0x1111);
	flow_know_frame(run.facts, &regs, 0);
	assert_false(flow_solve(run.facts));
	assert_false(flow_eval(run.facts, flow_entry(run.flow, X86_RDI), false, &value));
	end(&run);
}

static void code_that_is_not_reached(void **state)
{
	(void)state;
	struct cfg *cfg;
	struct flow *flow;
	const char *why = NULL;

	assert_true(cfg_create(&env, (uintptr_t)endless, &cfg, &why));
	assert_false(flow_create(&env, cfg, (uintptr_t)endless_at, NULL, &flow, &why));
	assert_non_null(why);
	cfg_destroy(cfg);
	assert_false(cfg_create(&env, 1, &cfg, &why));
}

static void stores_at_unknown_places_of_the_stack(void **state)
{
	(void)state;
	struct run run = START(through_memory);
	struct regs regs = { 0 };

	stack[ENTRY_SP - 1] = 0xb0;
	flow_know_frame(run.facts, &regs, entry_sp());
	assert_true(flow_solve(run.facts));
	/* What the prologue pushed is the compiler's own. */
	assert_int_equal(entry_value(&run, X86_RBX, 64), 0xb0);
	entry_value(&run, X86_RDI, 0);
	end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_kept_in_registers),
		cmocka_unit_test(slots),
		cmocka_unit_test(a_register_reused_in_one_branch_is_unknown),
		cmocka_unit_test(loops),
		cmocka_unit_test(origin_of_a_loaded_value),
		cmocka_unit_test(conditions),
		cmocka_unit_test(flags_on_the_stack),
		cmocka_unit_test(a_call_near_the_entry_is_a_call),
		cmocka_unit_test(a_tracer_preserves_all),
		cmocka_unit_test(contradictions_end_it),
		cmocka_unit_test(code_that_is_not_reached),
		cmocka_unit_test(stores_at_unknown_places_of_the_stack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
