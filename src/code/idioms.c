// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Kernel functions known by name that are called or jumped to in a way of their own: the thunks
 * against Spectre (arch/x86/lib/retpoline.S), functions that never return (what the kernel's own
 * objtool keeps as tools/objtool/noreturns.h), assembly that keeps or destroys other registers than
 * the calling convention says.
 *
 * A function missing here costs precision, never truth, but for IDIOM_CLOBBERS.
 */
#include <string.h>

#include "arch/arch.h"
#include "code/code.h"
#include "code/env.h"
#include "code/idioms.h"

static const char *const thunks[] = {
	"__x86_indirect_thunk_",
	"__x86_indirect_call_thunk_", /* counting the depth of calls, 6.2 on */
	"__x86_indirect_jump_thunk_",
	"__x86_indirect_its_thunk_",
};

static const char *const return_thunks[] = {
	"__x86_return_thunk",     "srso_return_thunk", "srso_alias_return_thunk",
	"retbleed_return_thunk",  "its_return_thunk",  "call_depth_return_thunk",
	"__x86_return_skl",       "zen_return_thunk",
};

static const char *const neutral[] = {
	"__fentry__",
	"preempt_schedule_thunk", /* arch/x86/entry/thunk*.S: saves what a call destroys */
	"preempt_schedule_notrace_thunk",
	"trace_hardirqs_on_thunk",
	"trace_hardirqs_off_thunk",
};

static const char *const no_return[] = {
	"panic",
	"nmi_panic",
	"do_exit",
	"make_task_dead",
	"do_group_exit",
	"__stack_chk_fail",
	"stack_chk_fail",
	"__module_put_and_kthread_exit",
	"__module_put_and_exit",
	"kthread_exit",
	"kthread_complete_and_exit",
	"complete_and_exit",
	"rewind_stack_and_make_dead",
	"rewind_stack_do_exit",
	"do_task_dead",
	"__fortify_panic",
	"fortify_panic",
	"usercopy_abort",
	"__ubsan_handle_builtin_unreachable",
	"machine_real_restart",
	"cpu_startup_entry",
	"start_kernel",
	"x86_64_start_kernel",
	"x86_64_start_reservations",
	"arch_call_rest_init",
	"rest_init",
	"mce_panic",
	"snp_abort",
	"sev_es_terminate",
	"stop_this_cpu",
	"hlt_play_dead",
	"play_dead",
	"arch_cpu_idle_dead",
	"cpu_bringup_and_idle",
	"xen_cpu_bringup_again",
	"xen_start_kernel",
	"ex_handler_msr_mce",
	"__invalid_creds",
	"lbug_with_loc",
	"acpi_processor_ffh_play_dead",
	"mpt_halt_firmware",
	"rust_begin_unwind",
};

static const struct {
	const char *prefix;
	uint64_t destroys;
} clobbers[] = {
	/* arch/x86/lib/putuser.S computes the limit of user space in rbx. */
	{ "__put_user_", UINT64_C(1) << X86_RBX },
};

/* The register that a thunk is named after. The first of them all is where their array begins. */
static int thunk_register(const char *name)
{
	if (strcmp(name, "array") == 0)
		return X86_RAX;
	for (unsigned reg = 0; reg <= X86_R15; reg++) {
		if (strcmp(name, arch_x86_64.reg_names[reg]) == 0)
			return (int)reg;
	}
	return -1;
}

static bool in_list(const char *name, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(name, list[i]) == 0)
			return true;
	}
	return false;
}

struct idiom_info idiom_of(const char *name)
{
	struct idiom_info info = { .idiom = IDIOM_NONE, .reg = -1 };

	for (size_t i = 0; i < array_size(thunks); i++) {
		size_t length = strlen(thunks[i]);
		if (strncmp(name, thunks[i], length) == 0) {
			info.reg = thunk_register(name + length);
			info.idiom = info.reg >= 0 ? IDIOM_THUNK : IDIOM_NONE;
			return info;
		}
	}
	for (size_t i = 0; i < array_size(clobbers); i++) {
		if (strncmp(name, clobbers[i].prefix, strlen(clobbers[i].prefix)) == 0) {
			info.idiom = IDIOM_CLOBBERS;
			info.destroys = clobbers[i].destroys;
			return info;
		}
	}
	if (in_list(name, return_thunks, array_size(return_thunks)))
		info.idiom = IDIOM_RETURN_THUNK;
	else if (in_list(name, neutral, array_size(neutral)))
		info.idiom = IDIOM_NEUTRAL;
	else if (in_list(name, no_return, array_size(no_return)))
		info.idiom = IDIOM_NO_RETURN;
	return info;
}

/* endbr64, or what the kernel overwrites it with where nothing calls the function by a pointer. */
static const uint8_t endbrs[][ENDBR_SIZE] = {
	{ 0xf3, 0x0f, 0x1e, 0xfa },
	{ 0x66, 0x0f, 0x1f, 0x00 }, /* gen_endbr_poison() of arch/x86/include/asm/ibt.h */
	{ 0x0f, 0x1f, 0x40, 0xd6 }, /* the same, 6.15 on */
};

bool code_has_endbr(const struct code_env *env, uint64_t entry)
{
	uint8_t start[ENDBR_SIZE];

	if (env->read(env->ctx, entry, start, sizeof(start)) != READ_OK)
		return false;
	for (size_t i = 0; i < array_size(endbrs); i++) {
		if (memcmp(start, endbrs[i], ENDBR_SIZE) == 0)
			return true;
	}
	return false;
}

bool code_calls_tracer(const struct code_env *env, uint64_t entry, uint64_t at,
		       const struct insn *call)
{
	struct symbol symbol;

	if (call->kind != INSN_CALL || call->indirect ||
	    (at != entry && (at != entry + ENDBR_SIZE || !code_has_endbr(env, entry))))
		return false;
	return !env->function(env->ctx, call->target, &symbol) ||
	       strncmp(symbol.name, "ftrace_", 7) == 0 || strcmp(symbol.name, "__fentry__") == 0;
}
