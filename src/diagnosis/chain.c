// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names instead of addresses. A stack that ends in a dump has two parts: what the kernel was doing,
 * and above it what it did to die. The second is the same in every crash of a kind and differs
 * between kernels, so that it is left out. Names of the second are those of kernel/{panic,
 * crash_core,kexec_core}.c, arch/x86/kernel/{dumpstack,traps,crash,machine_kexec_64}.c,
 * arch/x86/mm/fault.c and arch/x86/entry/entry_64.S.
 */
#include "diagnosis/chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

static const char *const crash_path[] = {
	"machine_kexec*", "crash_kexec", "__crash_kexec", "panic", "vpanic", "nmi_panic",
	"native_machine_crash_shutdown", "machine_crash_shutdown", "crash_setup_regs",
	"oops_begin", "oops_end", "oops_exit", "die", "die_addr", "__die", "__die_body", "no_context",
	"__bad_area*", "bad_area*", "page_fault_oops", "kernelmode_fixup_or_oops",
	"do_kern_addr_fault", "do_user_addr_fault", "__do_page_fault", "do_page_fault",
	"exc_*", "asm_exc_*", "do_error_trap", "do_trap*", "do_invalid_op", "do_divide_error",
	"do_general_protection", "do_double_fault", "handle_bug", "handle_invalid_op",
	"report_bug", "fixup_bug*", "page_fault", "async_page_fault", "trace_page_fault",
	"general_protection", "invalid_op", "divide_error", "double_fault", "error_entry",
	"spurious_kernel_fault", "show_regs", "show_stack*", "dump_stack*", "dump_trace",
	"print_context_stack*", "__warn", "__warn_printk", "warn_slowpath_*", "check_panic_on_warn",
	"rewind_stack_do_exit", "rewind_stack_and_make_dead", "__stack_chk_fail", "handle_exception*",
	"bust_spinlocks", "relocate_kernel",
};

bool chain_is_crash_path(const char *function)
{
	for (size_t i = 0; i < array_size(crash_path); i++) {
		if (glob_match(crash_path[i], function))
			return true;
	}
	return false;
}

const char *chain_source_name(struct arena *arena, const char *symbol)
{
	return arena_strndup(arena, symbol, strcspn(symbol, "."));
}

/* Where the kernel's trouble begins in its stack. */
static size_t first_frame(const struct facts *facts)
{
	if (facts->fault.trap != TRAP_NONE)
		return facts->fault.frame + facts->fault.pc_is_wild;
	if (facts->panic_caller < facts->stack.count)
		return facts->panic_caller;
	return 0;
}

struct chain chain_of_crash(const struct facts *facts)
{
	struct chain_link *links =
		arena_alloc(facts->arena, (facts->stack.count + 1) * sizeof(*links));
	size_t count = 0;
	bool dying = true; /* still on the way down from the trouble */

	for (size_t i = first_frame(facts); i < facts->stack.count; i++) {
		const struct frame *f = &facts->stack.frames[i];
		struct symbol sym;
		if (f->how == FRAME_SCAN || !facts_frame_symbol_of(facts, f, &sym))
			continue;
		const char *name = chain_source_name(facts->arena, sym.name);
		if (dying && !sym.module && chain_is_crash_path(name))
			continue;
		dying = false;
		links[count++] = (struct chain_link){
			.function = name,
			.module = sym.module ? sym.module->name : NULL,
			.frame = i,
			.interrupted = f->has_regs,
		};
	}
	return (struct chain){ links, count };
}

static void add_place(const struct facts *facts, const struct oops_place *place,
		      struct chain_link *links, size_t *count)
{
	if (!place->function)
		return;
	links[(*count)++] = (struct chain_link){
		.function = chain_source_name(facts->arena, place->function),
		.module = place->module,
	};
}

struct chain chain_of_report(const struct facts *facts, const char *kind)
{
	const struct oops_report *report = NULL;
	size_t count = 0;

	for (size_t i = 0; i < facts->anomaly_count; i++) {
		if (strcmp(facts->anomalies[i].kind, kind) == 0 && facts->anomalies[i].report)
			report = facts->anomalies[i].report;
	}
	if (!report)
		return (struct chain){ 0 };
	struct chain_link *links =
		arena_alloc(facts->arena, (report->frame_count + 1) * sizeof(*links));
	add_place(facts, &report->pc, links, &count);
	for (size_t i = 0; i < report->frame_count; i++) {
		if (!report->frames[i].guess)
			add_place(facts, &report->frames[i].place, links, &count);
	}
	return (struct chain){ links, count };
}

const char *chain_watchdog(const char *finding_kind)
{
	static const struct {
		const char *finding, *report;
	} watchdogs[] = {
		{ "softlockup", "soft lockup" },
		{ "hardlockup", "hard lockup" },
		{ "rcu-stall", "RCU stall" },
		{ "hung-task", "hung task" },
		{ "deadlock", "hung task" },
	};

	for (size_t i = 0; i < array_size(watchdogs); i++) {
		if (strcmp(watchdogs[i].finding, finding_kind) == 0)
			return watchdogs[i].report;
	}
	return NULL;
}
