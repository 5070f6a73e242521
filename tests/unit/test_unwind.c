// SPDX-License-Identifier: LGPL-2.1-or-later
/* Unwinding: entries of all formats, the search, and walks over small stacks made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_unwind.h"

#define TEXT  UINT64_C(0xffffffff81000000)
#define STACK UINT64_C(0xffffc90000100000)
#define IRQ   UINT64_C(0xffffc90000200000)
#define IPS   UINT64_C(0xffffffff82000000)
#define ENTRIES UINT64_C(0xffffffff82100000)

/* flags in the numbering of 6.4 */
enum {
	CALL_SP = 0x205, CALL_BP = 0x214, REGS = 0xb05, IRET = 0xc05, END = 0x100, GAP = 0,
	CALL_SP_INDIRECT = 0x209, CALL_SP_SAVES_BP = 0x215, REGS_R10 = 0xb06,
};

struct world {
	struct fake_world fake;
	uint8_t text[4096];
	uint64_t stack[512], irq[64];
	int32_t ips[256];
	uint8_t entries[256 * ORC_ENTRY_SIZE];
	uint32_t count;
	struct unwinder *unwinder;
	struct stack result;
};

static void put_entry(uint8_t *raw, int sp_offset, int bp_offset, unsigned flags)
{
	int16_t offsets[] = { (int16_t)sp_offset, (int16_t)bp_offset };
	uint16_t bits = (uint16_t)flags;

	memcpy(raw, offsets, 4);
	memcpy(raw + 4, &bits, 2);
}

/* From @offset of the text on, the entry holds. Offsets must rise. */
static void orc(struct world *w, unsigned offset, int sp_offset, int bp_offset, unsigned flags)
{
	w->ips[w->count] = (int32_t)(TEXT + offset - (IPS + w->count * 4));
	put_entry(w->entries + w->count * ORC_ENTRY_SIZE, sp_offset, bp_offset, flags);
	w->count++;
}

/*
 * Function n at TEXT + n * 0x10, all code bytes 0xe8: a call ends before any address. Functions
 * 0-99 have the return address on top of the stack, and 16 bytes further up from byte 4 on.
 */
static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	memset(w->text, 0xe8, sizeof(w->text));
	for (unsigned n = 0; n < 100; n++) {
		orc(w, n * 16, 8, 0, CALL_SP);
		orc(w, n * 16 + 4, 24, 0, CALL_SP);
	}
	return w;
}

static void world_ready(struct world *w)
{
	struct unwind_env env = fake_env(&w->fake);

	orc(w, sizeof(w->text), 0, 0, GAP);
	fake_add(&w->fake, TEXT, w->text, sizeof(w->text), true, NULL);
	fake_add(&w->fake, STACK, w->stack, sizeof(w->stack), false, "task");
	fake_add(&w->fake, IRQ, w->irq, sizeof(w->irq), false, "irq");
	fake_add(&w->fake, IPS, w->ips, w->count * 4, false, NULL);
	fake_add(&w->fake, ENTRIES, w->entries, w->count * ORC_ENTRY_SIZE, false, NULL);
	fake_symbol(&w->fake, "__start_orc_unwind_ip", IPS);
	fake_symbol(&w->fake, "__stop_orc_unwind_ip", IPS + w->count * 4);
	fake_symbol(&w->fake, "__start_orc_unwind", ENTRIES);
	fake_symbol(&w->fake, "__stop_orc_unwind", ENTRIES + w->count * ORC_ENTRY_SIZE);
	w->unwinder = unwinder_create_env(&env);
}

static void world_free(struct world *w)
{
	stack_deinit(&w->result);
	unwinder_destroy(w->unwinder);
	free(w);
}

static void run(struct world *w, uint64_t pc, uint64_t sp, uint64_t bp)
{
	struct regs regs = { 0 };

	regs_set(&regs, X86_RIP, pc);
	regs_set(&regs, X86_RSP, sp);
	regs_set(&regs, X86_RBP, bp);
	unwind(w->unwinder, &regs, false, fake_limits, &w->fake, &w->result);
}

/* A struct pt_regs at stack[index]. */
static void put_regs(uint64_t *at, uint64_t pc, uint64_t sp, bool user)
{
	at[16] = pc;
	at[17] = user ? 0x33 : 0x10;
	at[18] = 0x246;
	at[19] = sp;
	at[20] = user ? 0x2b : 0x18;
}

static void test_decode(void **state unused_arg)
{
	static const struct {
		enum orc_format format;
		uint16_t flags;
		struct orc_entry want;
	} cases[] = {
		{ ORC_FORMAT_4_14, 0x0005, { 16, -16, ORC_BASE_SP, 0, ORC_TYPE_CALL, false } },
		{ ORC_FORMAT_4_14, 0x0000, { 16, -16, 0, 0, ORC_TYPE_END, false } },
		{ ORC_FORMAT_4_18, 0x0000, { 16, -16, 0, 0, ORC_TYPE_UNDEFINED, false } },
		{ ORC_FORMAT_4_18, 0x0400, { 16, -16, 0, 0, ORC_TYPE_END, false } },
		{ ORC_FORMAT_4_18, 0x0105, { 16, -16, ORC_BASE_SP, 0, ORC_TYPE_REGS, true } },
		{ ORC_FORMAT_4_18, 0x0014,
		  { 16, -16, ORC_BASE_BP, ORC_BASE_PREV_SP, ORC_TYPE_CALL, false } },
		{ ORC_FORMAT_6_3, 0x0605,
		  { 16, -16, ORC_BASE_SP, 0, ORC_TYPE_REGS_PARTIAL, true } },
		{ ORC_FORMAT_6_3, 0x0105, { 16, -16, ORC_BASE_SP, 0, ORC_TYPE_REGS, false } },
		{ ORC_FORMAT_6_3, 0x0800, { 16, -16, 0, 0, ORC_TYPE_END, false } },
		{ ORC_FORMAT_6_4, 0x0205, { 16, -16, ORC_BASE_SP, 0, ORC_TYPE_CALL, false } },
		{ ORC_FORMAT_6_4, 0x0b05, { 16, -16, ORC_BASE_SP, 0, ORC_TYPE_REGS, true } },
		{ ORC_FORMAT_6_4, 0x0219,
		  { 16, -16, ORC_BASE_SP_INDIRECT, ORC_BASE_PREV_SP, ORC_TYPE_CALL, false } },
		{ ORC_FORMAT_6_4, 0x0100, { 16, -16, 0, 0, ORC_TYPE_END, false } },
		{ ORC_FORMAT_6_4, 0x0705, { 16, -16, ORC_BASE_SP, 0, ORC_TYPE_UNKNOWN, false } },
		{ ORC_FORMAT_7_1, 0x0203, { 16, -16, ORC_BASE_SP, 0, ORC_TYPE_CALL, false } },
		{ ORC_FORMAT_7_1, 0x028a,
		  { 16, -16, ORC_BASE_BP_INDIRECT, ORC_BASE_PREV_SP, ORC_TYPE_CALL, false } },
		{ ORC_FORMAT_7_1, 0x020f, { 16, -16, ORC_BASE_UNKNOWN, 0, ORC_TYPE_CALL, false } },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct orc_entry got, want = cases[i].want;
		uint8_t raw[ORC_ENTRY_SIZE];

		put_entry(raw, 16, -16, cases[i].flags);
		orc_decode(cases[i].format, raw, &got);
		assert_int_equal(got.sp_offset, want.sp_offset);
		assert_int_equal(got.bp_offset, want.bp_offset);
		assert_int_equal(got.sp_base, want.sp_base);
		assert_int_equal(got.bp_base, want.bp_base);
		assert_int_equal(got.type, want.type);
		assert_int_equal(got.signal, want.signal);
	}
}

static enum orc_format format_of(unsigned call, unsigned regs, unsigned end)
{
	struct orc_census census = { 0 };
	uint8_t raw[ORC_ENTRY_SIZE];

	for (unsigned i = 0; i < 100; i++) {
		put_entry(raw, i % 2 ? 8 : 32, 0, call);
		orc_census_add(&census, raw, 1);
	}
	put_entry(raw, 0, 0, regs);
	orc_census_add(&census, raw, 1);
	put_entry(raw, 0, 0, end);
	orc_census_add(&census, raw, 1);
	return orc_census_format(&census);
}

static void test_format(void **state unused_arg)
{
	assert_int_equal(format_of(0x005, 0x105, 0x000), ORC_FORMAT_4_14);
	assert_int_equal(format_of(0x005, 0x105, 0x400), ORC_FORMAT_4_18);
	assert_int_equal(format_of(0x005, 0x505, 0x800), ORC_FORMAT_6_3);
	assert_int_equal(format_of(0x205, 0xb05, 0x100), ORC_FORMAT_6_4);
	assert_int_equal(format_of(0x203, 0xb03, 0x100), ORC_FORMAT_7_1);
	assert_int_equal(format_of(0xffff, 0, 0), ORC_FORMAT_NONE);
	assert_int_equal(format_of(0, 0, 0), ORC_FORMAT_NONE);
}

/* Against looking at each element, over tables even and uneven, with duplicates. */
static void test_search(void **state unused_arg)
{
	enum { COUNT = 5000 };
	int32_t *ips = calloc(COUNT, sizeof(*ips));
	unsigned seed = 1;

	for (unsigned uneven = 0; uneven < 3; uneven++) {
		struct fake_world w = { 0 };
		struct unwind_env env = fake_env(&w);
		struct orc_table table = { IPS, 0, COUNT };
		uint64_t ip = TEXT, address[COUNT];

		for (unsigned i = 0; i < COUNT; i++) {
			seed = seed * 1103515245 + 12345;
			ip += seed >> 16 & (uneven && i % 1000 > 900 ? 0xffff : 3);
			address[i] = ip;
			ips[i] = (int32_t)(ip - (IPS + i * 4));
		}
		fake_add(&w, IPS, ips, COUNT * sizeof(*ips), false, NULL);
		for (uint64_t pc = TEXT; pc < ip + 10; pc += uneven ? 61 : 1) {
			uint32_t want = UINT32_MAX, got = UINT32_MAX;

			for (uint32_t i = 0; i < COUNT && address[i] <= pc; i++)
				want = i;
			w.reads = 0;
			enum read_status status = orc_search(&table, &env, pc, &got);
			assert_int_equal(status, want == UINT32_MAX ? READ_UNMAPPED : READ_OK);
			assert_int_equal(got, want);
			assert_in_range(w.reads, 1, 20);
		}
	}
	free(ips);
}

static void test_call_bytes(void **state unused_arg)
{
	static const struct {
		uint8_t code[7];
		bool call;
	} cases[] = {
		{ { 0, 0, 0xe8, 1, 2, 3, 4 }, true },          /* call rel32 */
		{ { 0, 0, 0, 0, 0, 0xff, 0xd0 }, true },       /* call *%rax */
		{ { 0, 0, 0, 0, 0x41, 0xff, 0xd3 }, true },    /* call *%r11 */
		{ { 0, 0xff, 0x15, 1, 2, 3, 4 }, true },       /* call *x(%rip) */
		{ { 0, 0, 0, 0, 0xff, 0x50, 0x18 }, true },    /* call *0x18(%rax) */
		{ { 0, 0xff, 0x90, 1, 2, 3, 4 }, true },       /* call *x(%rax) */
		{ { 0, 0, 0, 0xff, 0x54, 0x24, 8 }, true },    /* call *8(%rsp) */
		{ { 0xff, 0x14, 0xc5, 1, 2, 3, 4 }, true },    /* call *table(,%rax,8) */
		{ { 0, 0, 0, 0, 0, 0xff, 0xe0 }, false },      /* jmp *%rax */
		{ { 0, 0, 0xe9, 1, 2, 3, 4 }, false },         /* jmp rel32 */
		{ { 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90 }, false },
	};

	for (size_t i = 0; i < array_size(cases); i++)
		assert_int_equal(x86_ends_with_call(cases[i].code, 7), cases[i].call);
	assert_false(x86_ends_with_call(cases[0].code, 0));
}

static void test_calls_to_user(void **state unused_arg)
{
	struct world *w = world_new();

	/* 0x700: entry code with saved registers on top of the stack */
	orc(w, 0x700, 0, 0, REGS);
	world_ready(w);
	w->stack[400] = 1, w->stack[401] = 2;
	w->stack[402] = TEXT + 0x109; /* function 0x10 */
	w->stack[403] = 1, w->stack[404] = 2;
	w->stack[405] = TEXT + 0x709;
	put_regs(&w->stack[406], 0x401000, 0x7ffc0000, true);
	run(w, TEXT + 0x208, STACK + 400 * 8, 0);
	assert_int_equal(w->result.end, STACK_END_USER);
	assert_int_equal(w->result.count, 3);
	assert_int_equal(w->result.user_regs.value[X86_RIP], 0x401000);
	const struct frame *f = w->result.frames;
	assert_int_equal(f[0].how, FRAME_START);
	assert_int_equal(f[0].cfa, STACK + 403 * 8);
	assert_int_equal(f[1].pc, TEXT + 0x109);
	assert_int_equal(f[1].how, FRAME_ORC);
	assert_true(f[1].is_call);
	assert_int_equal(f[1].retaddr_at, STACK + 402 * 8);
	assert_int_equal(f[2].pc, TEXT + 0x709);
	assert_string_equal(f[2].stack, "task");
	assert_string_equal(w->result.reason, "");
	world_free(w);
}

/* Interrupt: task stack -> saved registers on the IRQ stack's other side, back by SP_INDIRECT. */
static void test_stack_switch(void **state unused_arg)
{
	struct world *w = world_new();

	orc(w, 0x700, 8, 0, CALL_SP_INDIRECT); /* called on the IRQ stack; old sp is on its top */
	orc(w, 0x710, 0, 0, REGS);             /* asm_sysvec_... */
	orc(w, 0x720, 0, 0, END);              /* ret_from_fork */
	world_ready(w);
	w->irq[62] = TEXT + 0x705;             /* back into the caller on the IRQ stack */
	w->irq[63] = STACK + 100 * 8;          /* sp before the switch */
	w->stack[100] = TEXT + 0x715;
	put_regs(&w->stack[101], TEXT + 0x300, STACK + 130 * 8, false);
	w->stack[101 + 4] = 0x1234;            /* its rbp */
	w->stack[130] = TEXT + 0x725;
	run(w, TEXT + 0x200, IRQ + 62 * 8, 0);
	const struct frame *f = w->result.frames;
	assert_int_equal(w->result.end, STACK_END_KTHREAD);
	assert_int_equal(w->result.count, 5);
	assert_string_equal(f[1].stack, "irq");
	assert_string_equal(f[2].stack, "task");
	assert_int_equal(f[2].pc, TEXT + 0x715);
	assert_int_equal(f[3].pc, TEXT + 0x300);
	assert_int_equal(f[3].how, FRAME_EXCEPTION);
	assert_true(f[3].has_regs);
	assert_false(f[3].is_call);
	assert_int_equal(f[3].pt_regs_at, STACK + 101 * 8);
	assert_int_equal(f[3].regs.value[X86_RBP], 0x1234);
	assert_int_equal(f[4].pc, TEXT + 0x725);
	world_free(w);
}

/* Caught in the first instructions of entry code: only the CPU's part of the registers is there. */
static void test_partial_regs(void **state unused_arg)
{
	struct world *w = world_new();

	orc(w, 0x700, 0, 0, IRET);
	orc(w, 0x720, 0, 0, END);
	world_ready(w);
	uint64_t *iret = &w->stack[200 - 16];
	put_regs(iret, TEXT + 0x304, STACK + 300 * 8, false);
	w->stack[302] = TEXT + 0x728;
	run(w, TEXT + 0x700, STACK + 200 * 8, 0x77);
	const struct frame *f = w->result.frames;
	assert_int_equal(w->result.end, STACK_END_KTHREAD);
	assert_int_equal(w->result.count, 3);
	assert_true(f[1].has_regs);
	assert_false(regs_known(&f[1].regs, X86_RAX));
	assert_true(regs_known(&f[1].regs, X86_CS));
	assert_int_equal(f[1].regs.value[X86_RBP], 0x77);
	world_free(w);
}

static void test_frame_pointer_base(void **state unused_arg)
{
	struct world *w = world_new();

	orc(w, 0x700, 16, -16, CALL_BP);
	orc(w, 0x720, 0, 0, END);
	world_ready(w);
	w->stack[300] = 0xabc; /* saved rbp */
	w->stack[301] = TEXT + 0x728;
	run(w, TEXT + 0x708, STACK + 200 * 8, STACK + 300 * 8);
	assert_int_equal(w->result.end, STACK_END_KTHREAD);
	assert_int_equal(w->result.frames[1].regs.value[X86_RBP], 0xabc);
	assert_int_equal(w->result.frames[1].sp, STACK + 302 * 8);
	world_free(w);
}

static void test_call_of_nowhere(void **state unused_arg)
{
	static const uint64_t nowhere[] = { 0, 0xdeadbeef, UINT64_C(0x4141414141414141), STACK };

	for (size_t i = 0; i < array_size(nowhere); i++) {
		struct world *w = world_new();

		orc(w, 0x720, 0, 0, END);
		world_ready(w);
		w->stack[100] = TEXT + 0x728;
		run(w, nowhere[i], STACK + 100 * 8, 0);
		assert_int_equal(w->result.end, STACK_END_KTHREAD);
		assert_int_equal(w->result.count, 2);
		assert_int_equal(w->result.frames[1].how, FRAME_RETADDR);
		world_free(w);
	}
}

/* The stack pointer is below the stack, in the guard page; the return address is above it. */
static void test_guard_page(void **state unused_arg)
{
	struct world *w = world_new();

	orc(w, 0x700, 0x200, 0, CALL_SP);
	orc(w, 0x720, 0, 0, END);
	world_ready(w);
	w->stack[(0x200 - 0x100) / 8 - 1] = TEXT + 0x728;
	run(w, TEXT + 0x708, STACK - 0x100, 0);
	assert_int_equal(w->result.end, STACK_END_KTHREAD);
	assert_int_equal(w->result.count, 2);
	assert_string_equal(w->result.frames[0].stack, "task");
	world_free(w);
}

static void test_guess(void **state unused_arg)
{
	struct world *w = world_new();

	orc(w, 0x720, 0, 0, END);
	world_ready(w);
	w->stack[402] = 0x1111;       /* should be a return address */
	w->stack[410] = TEXT + 0x309; /* stale: leads nowhere */
	w->stack[412] = TEXT + 0x200; /* stale too */
	w->stack[450] = TEXT + 0x305; /* the one */
	w->stack[453] = TEXT + 0x728;
	run(w, TEXT + 0x208, STACK + 400 * 8, 0);
	const struct frame *f = w->result.frames;
	assert_int_equal(w->result.end, STACK_END_INCOMPLETE);
	assert_non_null(strstr(w->result.reason, "0x1111"));
	assert_int_equal(w->result.count, 3);
	assert_int_equal(f[1].pc, TEXT + 0x305);
	assert_int_equal(f[1].how, FRAME_SCAN);
	assert_int_equal(f[2].how, FRAME_ORC); /* it led to the end: sure again */
	world_free(w);
}

/* Return addresses everywhere: the walk ends, upwards only, and says that it is not complete. */
static void test_endless(void **state unused_arg)
{
	struct world *w = world_new();

	world_ready(w);
	for (size_t i = 0; i < array_size(w->stack); i++)
		w->stack[i] = TEXT + 0x101;
	run(w, TEXT + 0x101, STACK, 0);
	assert_int_equal(w->result.end, STACK_END_INCOMPLETE);
	assert_int_equal(w->result.count, array_size(w->stack) + 1);
	assert_string_not_equal(w->result.reason, "");
	world_free(w);
}

/* Saved registers that point back at themselves. */
static void test_loop(void **state unused_arg)
{
	struct world *w = world_new();

	orc(w, 0x700, 0, 0, REGS);
	world_ready(w);
	put_regs(&w->stack[100], TEXT + 0x708, STACK + 100 * 8, false);
	run(w, TEXT + 0x708, STACK + 100 * 8, 0);
	assert_int_equal(w->result.end, STACK_END_INCOMPLETE);
	assert_in_range(w->result.count, 1, 2); /* a guess may follow */
	assert_non_null(strstr(w->result.reason, "go back"));
	world_free(w);
}

/* No tables at all: the chain of frame pointers, with registers marked by the lowest bit. */
static void test_frame_pointers(void **state unused_arg)
{
	struct world *w = world_new();
	struct unwind_env env = fake_env(&w->fake);

	fake_add(&w->fake, TEXT, w->text, sizeof(w->text), true, NULL);
	fake_add(&w->fake, STACK, w->stack, sizeof(w->stack), false, "task");
	w->unwinder = unwinder_create_env(&env);
	w->stack[100] = STACK + 120 * 8, w->stack[101] = TEXT + 0x305;
	w->stack[120] = (STACK + 130 * 8) | 1, w->stack[121] = TEXT + 0x405;
	put_regs(&w->stack[130], TEXT + 0x505, STACK + 160 * 8, false);
	w->stack[130 + 4] = STACK + 160 * 8;
	w->stack[160] = 0, w->stack[161] = TEXT + 0x605;
	put_regs(&w->stack[162], 0x401000, 0x7ffc0000, true);
	run(w, TEXT + 0x205, STACK + 90 * 8, STACK + 100 * 8);
	assert_int_equal(w->result.end, STACK_END_USER);
	assert_int_equal(w->result.count, 5);
	assert_int_equal(w->result.frames[1].how, FRAME_FP);
	assert_int_equal(w->result.frames[3].how, FRAME_EXCEPTION);
	assert_int_equal(w->result.frames[4].pc, TEXT + 0x605);
	world_free(w);
}

/* No entry for the function, as for __crash_kexec(): its pushes tell, and its caller's call. */
static void test_function_code(void **state unused_arg)
{
	static const uint8_t prologue[] = { 0x55, 0x53, 0x48, 0x83, 0xec, 0x20, 0x90, 0x90 };

	for (unsigned right = 0; right < 2; right++) {
		struct world *w = world_new();
		int32_t distance = right ? 0x800 - 0x728 : 0x400;

		orc(w, 0x720, 0, 0, END);
		orc(w, 0x800, 0, 0, GAP);
		memcpy(w->text + 0x800, prologue, sizeof(prologue));
		memcpy(w->text + 0x724, &distance, 4); /* call 0x800, or another function */
		world_ready(w);
		w->stack[104] = 0x77;           /* rbx */
		w->stack[105] = 0x88;           /* rbp */
		w->stack[106] = TEXT + 0x728;
		run(w, TEXT + 0x807, STACK + 100 * 8, 0x99);
		const struct frame *f = w->result.frames;
		assert_int_equal(w->result.count, 2);
		assert_int_equal(f[1].pc, TEXT + 0x728);
		assert_int_equal(f[1].how, right ? FRAME_CODE : FRAME_SCAN);
		if (right) {
			assert_int_equal(w->result.end, STACK_END_KTHREAD);
			assert_int_equal(f[0].cfa, STACK + 107 * 8);
			assert_int_equal(f[1].regs.value[X86_RBP], 0x88);
		}
		world_free(w);
	}
}

static bool traced_function(void *ctx unused_arg, uint64_t address, struct symbol *symbol)
{
	*symbol = (struct symbol){ .address = address & ~UINT64_C(0xf), .name = "function" };
	if (symbol->address == TEXT + 0x900)
		symbol->name = "return_to_handler";
	return true;
}

static bool resolve(void *ctx unused_arg, uint64_t retaddr_at, uint64_t *pc)
{
	if (retaddr_at != STACK + 102 * 8)
		return false;
	*pc = TEXT + 0x728;
	return true;
}

static void test_traced_return(void **state unused_arg)
{
	for (unsigned known = 0; known < 2; known++) {
		struct world *w = world_new();

		orc(w, 0x720, 0, 0, END);
		world_ready(w);
		w->unwinder->env.function = traced_function;
		if (known)
			unwinder_set_resolver(w->unwinder, resolve);
		w->stack[102] = TEXT + 0x900;
		run(w, TEXT + 0x208, STACK + 100 * 8, 0);
		if (known) {
			assert_int_equal(w->result.end, STACK_END_KTHREAD);
			assert_int_equal(w->result.frames[1].pc, TEXT + 0x728);
		} else {
			assert_int_equal(w->result.end, STACK_END_INCOMPLETE);
			assert_non_null(strstr(w->result.reason, "tracer"));
		}
		world_free(w);
	}
}

static void test_inactive(void **state unused_arg)
{
	for (size_t skip = 0; skip < 2; skip++) {
		struct world *w = world_new();
		struct regs regs;
		bool in_call = false;

		world_ready(w);
		for (size_t i = 0; i < 6; i++)
			w->stack[10 + skip + i] = 0x100 + i;
		w->stack[10 + skip + 6] = TEXT + 0x305;
		assert_true(unwind_inactive_regs(w->unwinder, STACK + 80, &regs, &in_call));
		assert_true(in_call);
		assert_int_equal(regs.value[X86_R15], 0x100);
		assert_int_equal(regs.value[X86_RBX], 0x104);
		assert_int_equal(regs.value[X86_RBP], 0x105);
		assert_int_equal(regs.value[X86_RIP], TEXT + 0x305);
		assert_int_equal(regs.value[X86_RSP], STACK + (17 + skip) * 8);
		assert_false(unwind_inactive_regs(w->unwinder, 0x1000, &regs, &in_call));
		world_free(w);
	}
}

/* Debug files that say all functions have 32 bytes on the stack and rbx at the CFA - 24. */
static bool fake_cfi(void *ctx unused_arg, uint64_t address unused_arg, struct cfi_row *row)
{
	*row = (struct cfi_row){
		.cfa = { .how = CFI_VAL_OFFSET, .reg = X86_RSP, .offset = 24 },
		.ra = X86_RIP,
	};
	row->reg[X86_RIP] = (struct cfi_rule){ .how = CFI_OFFSET, .offset = -8 };
	row->reg[X86_RBX] = (struct cfi_rule){ .how = CFI_OFFSET, .offset = -24 };
	return true;
}

static void test_debug_files(void **state unused_arg)
{
	struct world *w = world_new();
	struct unwind_check check;
	struct frame *f;

	orc(w, 0x800, 0, 0, END);
	world_ready(w);
	w->unwinder->env.cfi = fake_cfi;
	/* Function 1, past its prologue, called by function 2, by the thread's first function. */
	w->stack[10] = 0xbbbb;
	w->stack[12] = TEXT + 0x28;
	w->stack[13] = 0xcccc;
	w->stack[15] = TEXT + 0x808;
	run(w, TEXT + 0x18, STACK + 80, 0x1000);
	assert_int_equal(w->result.count, 3);
	unwind_registers(w->unwinder, &w->result, &check);
	f = w->result.frames;
	assert_int_equal(check.checked, 2);
	assert_int_equal(check.disagreements, 0);
	assert_int_equal(f[1].how, FRAME_ORC);
	assert_int_equal(f[1].regs.value[X86_RBX], 0xbbbb);
	assert_int_equal(f[2].regs.value[X86_RBX], 0xcccc);
	assert_true(regs_known(&f[2].regs, X86_RBP)); /* preserved, and not touched */
	assert_false(regs_known(&f[2].regs, X86_RDI));
	stack_deinit(&w->result);
	/* At the start of the function ORC knows better. */
	w->stack[10] = TEXT + 0x28;
	run(w, TEXT + 0x10, STACK + 80, 0x1000);
	unwind_registers(w->unwinder, &w->result, &check);
	assert_int_equal(check.disagreements, 1);
	assert_non_null(strstr(check.first, "stack pointer"));
	assert_false(regs_known(&w->result.frames[1].regs, X86_RBX));
	stack_deinit(&w->result);
	/* Without ORC the debug files lead. */
	w->stack[10] = 0xbbbb;
	unwinder_forget_orc(w->unwinder);
	run(w, TEXT + 0x18, STACK + 80, 0x1000);
	assert_true(w->result.count >= 2);
	assert_int_equal(w->result.frames[1].how, FRAME_CFI);
	assert_int_equal(w->result.frames[1].regs.value[X86_RBX], 0xbbbb);
	world_free(w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_debug_files),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_call_bytes),
		cmocka_unit_test(test_calls_to_user),
		cmocka_unit_test(test_stack_switch),
		cmocka_unit_test(test_partial_regs),
		cmocka_unit_test(test_frame_pointer_base),
		cmocka_unit_test(test_call_of_nowhere),
		cmocka_unit_test(test_guard_page),
		cmocka_unit_test(test_guess),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_frame_pointers),
		cmocka_unit_test(test_function_code),
		cmocka_unit_test(test_traced_return),
		cmocka_unit_test(test_inactive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
