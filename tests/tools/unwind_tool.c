// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Unwinds each CPU of a dump from its saved registers, with nothing but symbols: no types, no
 * tasks, no modules. For work on the unwinder itself.
 *
 *	unwind_tool VMCORE [REPEATS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/strbuf.h"
#include "unwind/unwind.h"

static void fail(struct error *err)
{
	fprintf(stderr, "%s\n", err->message);
	exit(1);
}

static void print_stack(struct symbols *symbols, const struct stack *stack)
{
	static const char *const how[] = {
		[FRAME_START] = "start",
		[FRAME_ORC] = "orc",
		[FRAME_CFI] = "cfi",
		[FRAME_FP] = "fp",
		[FRAME_EXCEPTION] = "exception",
		[FRAME_RETADDR] = "retaddr",
		[FRAME_CODE] = "code",
		[FRAME_SCAN] = "scan",
	};
	static const char *const ends[] = { "user", "kthread", "incomplete" };

	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *f = &stack->frames[i];
		char text[256];

		symbols_format(symbols, f->pc, text, sizeof(text));
		printf("  %2zu %016llx %c %s [%s]\n", i, (unsigned long long)f->sp,
		       f->how == FRAME_SCAN ? '?' : ' ', text, how[f->how]);
	}
	printf("  end: %s %s\n", ends[stack->end], stack->reason);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	const struct arch *arch;
	struct symbols *symbols;
	struct error *err;
	struct dump *dump;
	uint64_t repeats = 1;

	if (argc < 2 || (argc > 2 && !parse_u64(argv[2], &repeats)))
		return 2;
	const char *path = argv[1];
	if ((err = dump_open(&path, 1, &dump)) || (err = arch_of_dump(dump, &arch)))
		fail(err);
	struct memory *mem = memory_create(dump, arch);
	if ((err = symbols_create(mem, NULL, &symbols)))
		fail(err);
	double start = now_ms();
	struct unwinder *u = unwinder_create(mem, symbols);
	printf("%s (%.3f ms)\n", unwinder_source(u), now_ms() - start);
	const struct dump_info *info = dump_info(dump);
	for (size_t i = 0; i < info->note_count; i++) {
		struct stack stack;
		struct regs regs;

		if (!arch->note_regs(&info->notes[i], &regs))
			continue;
		for (uint64_t n = 0; n < repeats; n++) {
			start = now_ms();
			unwind(u, &regs, false, NULL, NULL, &stack);
			if (n == 0 || n == repeats - 1)
				printf("CPU note %u (%.3f ms)\n", info->notes[i].cpu,
				       now_ms() - start);
			if (n == repeats - 1)
				print_stack(symbols, &stack);
			stack_deinit(&stack);
		}
	}
	unwinder_destroy(u);
	symbols_destroy(symbols);
	memory_destroy(mem);
	dump_close(dump);
	return 0;
}
