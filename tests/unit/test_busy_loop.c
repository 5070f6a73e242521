// SPDX-License-Identifier: LGPL-2.1-or-later
/* Loops as compilers write them, assembled here: their bounds, what counts turns, what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "forensics/busy_loop.h"
#include "own_code.h"

/* Functions @name ... @name_end, a loop from `name_top` to `name_jump`, the place `name_at`. */
#define FUNCTION(name, code)                                                                      \
	extern const uint8_t name[], name##_top[], name##_at[], name##_jump[], name##_end[];      \
	__asm__(".pushsection .rodata\n.globl " #name "," #name "_top," #name "_at," #name        \
		"_jump," #name "_end\n" #name ":\n" code "\n" #name "_end:\n.popsection\n")

FUNCTION(table, "push %rbx\n xor %ebx,%ebx\n table_top: nop\n table_at: add $0x10,%rbx\n"
		"cmp $0x2000,%rbx\n table_jump: jne table_top\n pop %rbx\n ret");
/* "<= 7", tested at the end, where the loop is entered. */
FUNCTION(entered_below, "mov $1,%ebx\n jmp 1f\n entered_below_top: mov (%rsi,%rbx),%eax\n"
			"entered_below_at: inc %ebx\n 1: cmp $7,%ebx\n"
			"entered_below_jump: jbe entered_below_top\n ret");
FUNCTION(downwards, "mov $-1,%ebx\n downwards_top: nop\n downwards_at: sub $4,%ebx\n"
		    "cmp %r12d,%ebx\n downwards_jump: jae downwards_top\n ret");
/* The compiler moved a part behind the end, and that sets the register anew. */
FUNCTION(moved, "xor %ebx,%ebx\n moved_top: test %rdi,%rdi\n je 1f\n 2: nop\n"
		"moved_at: add $1,%rbx\n cmp $9,%rbx\n moved_jump: jne moved_top\n ret\n"
		"1: mov (%rsi),%rbx\n jmp 2b");
/* Two ways back to the start, with steps of their own. */
FUNCTION(two_ways, "xor %ebx,%ebx\n two_ways_top: test %rdi,%rdi\n two_ways_at: je 1f\n"
		   "add $1,%rbx\n two_ways_jump: jmp two_ways_top\n"
		   "1: add $2,%rbx\n cmp $9,%rbx\n jne two_ways_top\n ret");
/* Counted in some turns only. */
FUNCTION(now_and_then, "xor %ebx,%ebx\n now_and_then_top: cmp %rdi,(%rsi)\n"
		       "now_and_then_at: je 1f\n add $1,%rbx\n 1: test %rax,%rax\n"
		       "now_and_then_jump: jne now_and_then_top\n ret");
/* It counts what the loop inside does. */
FUNCTION(inside, "xor %ebx,%ebx\n inside_top: nop\n inside_at: xor %ecx,%ecx\n"
		 "1: add $1,%rbx\n cmp %rdi,(%rsi)\n jne 1b\n test %rax,%rax\n"
		 "inside_jump: jne inside_top\n ret");
/* The 5 is no limit: the loop goes on from there. */
FUNCTION(no_limit, "xor %ebx,%ebx\n no_limit_top: nop\n no_limit_at: add $1,%rbx\n cmp $5,%rbx\n"
		   "jne 1f\n nop\n 1: cmp $9,%rbx\n no_limit_jump: jne no_limit_top\n ret");
FUNCTION(list, "list_top: mov 0x8(%rbx),%rbx\n list_at: cmp %rbp,%rbx\n list_jump: jne list_top\n"
	       "ret");
/* In the midst of the inner loop's addresses, but it is in the outer one alone. */
FUNCTION(between, "between_top: xor %ebx,%ebx\n 1: test %rdi,%rdi\n jne 2f\n between_at: nop\n"
		  "call . + 0x1000\n between_jump: jmp between_top\n 2: add $1,%rbx\n jmp 1b");
FUNCTION(straight, "straight_top: nop\n straight_at: nop\n straight_jump: ret");

struct place {
	struct own_function function;
	const uint8_t *top, *at, *jump;
};

#define PLACE(name) { { #name, name, name##_end }, name##_top, name##_at, name##_jump }

static const struct place places[] = {
	PLACE(table),	     PLACE(entered_below), PLACE(downwards), PLACE(moved), PLACE(two_ways),
	PLACE(now_and_then), PLACE(inside),	   PLACE(no_limit),  PLACE(list),  PLACE(between),
	PLACE(straight),
};

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
	.arch = &arch_x86_64, .read = own_read, .function = world_function,
};

static bool find(const char *name, struct busy_loop *loop)
{
	const struct place *place = places;
	const char *why = NULL;
	struct cfg *cfg;
	uint32_t insn;

	while (strcmp(place->function.name, name) != 0)
		place++;
	assert_true(cfg_create(&env, (uintptr_t)place->at, &cfg, &why));
	assert_null(cfg->incomplete);
	assert_true(cfg_find(cfg, (uintptr_t)place->at, &insn));
	bool found = busy_loop_of_code(&arch_x86_64, cfg, insn, loop);
	if (found) {
		assert_int_equal(loop->first, (uintptr_t)place->top);
		assert_int_equal(loop->last, (uintptr_t)place->jump);
	}
	cfg_destroy(cfg);
	return found;
}

/* What is told of a loop whose counter has @value. */
static void assert_words(const char *name, uint64_t value, const char *words)
{
	struct session s = { .arch = &arch_x86_64 };
	struct busy_loop loop;
	char buf[160];

	assert_true(find(name, &loop));
	loop.value = value;
	loop.value_known = true;
	busy_loop_words(&s, &loop, buf, sizeof(buf));
	assert_string_equal(buf, words);
}

static void turns_are_counted(void **state)
{
	(void)state;
	assert_words("table", 0x17d0,
		     "rbx = 0x17d0, 0x10 more in each turn, compared with 0x2000: turn 381 of 512");
	assert_words("entered_below", 3,
		     "rbx = 0x3, 0x1 more in each turn, compared with 0x7: turn 2 of 7");
	assert_words("no_limit", 3, "rbx = 0x3, 0x1 more in each turn, compared with 0x9: turn 3 of 9");
}

static void numbers_of_four_bytes(void **state)
{
	(void)state;
	struct busy_loop loop;
	assert_true(find("downwards", &loop));
	assert_int_equal(loop.counter, X86_RBX);
	assert_int_equal(loop.step, -4);
	assert_true(loop.start_known && loop.start == 0xffffffff);
	assert_true(loop.limit_reg == X86_R12 && loop.limit_size == 4 && loop.at_limit);
}

static void what_is_no_counter(void **state)
{
	static const char *const names[] = { "moved", "two_ways", "now_and_then", "inside" };

	(void)state;
	for (size_t i = 0; i < array_size(names); i++) {
		struct busy_loop loop;
		assert_true(find(names[i], &loop));
		assert_int_equal(loop.counter, -1);
	}
}

static void a_list_is_followed(void **state)
{
	(void)state;
	assert_words("list", 0, "it follows the pointers at +0x8 of what rbx points to");
}

static void a_loop_around_another(void **state)
{
	(void)state;
	struct busy_loop loop;
	assert_true(find("between", &loop));
}

static void no_loop(void **state)
{
	(void)state;
	struct busy_loop loop;
	assert_false(find("straight", &loop));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turns_are_counted),   cmocka_unit_test(numbers_of_four_bytes),
		cmocka_unit_test(what_is_no_counter),  cmocka_unit_test(a_list_is_followed),
		cmocka_unit_test(a_loop_around_another), cmocka_unit_test(no_loop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
