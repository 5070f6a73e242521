// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Two deaths are the same when the same thing went wrong in the same function on the same way
 * there. What differs from build to build (addresses, offsets, inlining as far as it can be seen,
 * suffixes of the compiler), from machine to machine (how an interrupt came in, KASLR) and between
 * a dump and the console's text of the same crash (what only memory tells) stays out.
 *
 * Three levels, each finer: class and guilty function; the way there; what the bad value was.
 */
#include "diagnosis/signature.h"

#include <string.h>
#include <xxhash.h>

#include "base/strbuf.h"
#include "diagnosis/chain.h"
#include "diagnosis/rules.h"
#include "forensics/fault.h"
#include "forensics/poison.h"

enum {
	STACK_LINKS = 5,     /* farther down, kernels differ in what they put into each other */
	CYCLE_MAX = 12,      /* functions of one turn of a recursion */
	CYCLE_SKIP = 32,     /* how far above the recursion its last call may have gone */
	CYCLE_TURNS = 4,
	NULL_LIMIT = 0x10000, /* as in detect_address.c */
	MAX_ERRNO = 4095,    /* include/linux/err.h */
};

/* --- Names. --- */

/* Longest first: "__x64_sys_" before "sys_". arch/x86/include/asm/syscall_wrapper.h. */
static const char *const wrappers[] = {
	"__ia32_compat_sys_", "__x64_compat_sys_", "__do_compat_sys_", "__se_compat_sys_",
	"__x32_compat_sys_", "__arm64_sys_", "compat_sys_", "compat_SyS_", "__ia32_sys_",
	"__x64_sys_", "__x32_sys_", "__do_sys_", "__se_sys_", "ksys_", "SyS_", "SYSC_", "sys_",
};

const char *signature_name(struct arena *arena, const char *symbol)
{
	const char *name = chain_source_name(arena, symbol);

	for (size_t i = 0; i < array_size(wrappers); i++) {
		if (starts_with(name, wrappers[i]))
			return arena_printf(arena, "sys_%s", name + strlen(wrappers[i]));
	}
	return name;
}

/*
 * Where a stack's common part begins: entry code (arch/x86/entry, kernel/fork.c), and those who
 * call what others gave them: softirqs, timers, work queues, kernel threads, initcalls.
 */
static const char *const ends[] = {
	"entry_*", "do_syscall_64", "x64_sys_call", "ia32_sys_call", "do_int80_*", "do_fast_syscall_32",
	"__do_fast_syscall_32", "do_SYSENTER_32", "system_call_fastpath", "sysenter_*", "tracesys",
	"asm_*", "sysvec_*", "__sysvec_*", "exc_*", "common_interrupt", "__common_interrupt",
	"do_IRQ", "smp_*_interrupt", "apic_timer_interrupt", "reschedule_interrupt",
	"call_function_*interrupt", "ret_from_intr", "handle_irq*", "__handle_irq*",
	"handle_edge_irq", "handle_level_irq", "handle_fasteoi_irq",
	"hrtimer_interrupt", "local_apic_timer_interrupt", "irq_exit*", "__irq_exit_rcu",
	"call_softirq", "do_softirq*", "__do_softirq", "handle_softirqs", "invoke_softirq",
	"run_ksoftirqd", "__local_bh_enable*", "smpboot_thread_fn",
	"call_timer_fn", "expire_timers", "__run_timers*", "run_timer_*", "timer_expire_remote",
	"__hrtimer_run_queues", "hrtimer_run_*", "tasklet_action*", "tasklet_hi_action",
	/* threads of interrupts and softirqs */
	"irq_thread*", "irq_forced_thread_fn", "run_timersd", "rcu_cpu_kthread*",
	"rcu_do_batch", "rcu_core*", "rcu_process_callbacks", "__rcu_process_callbacks",
	"generic_smp_call_function*", "__flush_smp_call_function_queue",
	"flush_smp_call_function_queue",
	"process_one_work", "process_scheduled_works", "worker_thread", "rescuer_thread", "kthread",
	"kthread_worker_fn", "task_work_run", "exit_to_user_mode*", "syscall_exit_*",
	"do_notify_resume", "int_signal", "do_one_initcall", "do_init_module", "kernel_init*",
	"ret_from_fork*", "kernel_thread_helper", "child_rip", "start_kernel", "rest_init",
	"x86_64_start_*", "secondary_startup_64*", "start_secondary", "cpu_startup_entry", "cpu_idle",
	"do_idle", "cpu_idle_loop",
};

bool signature_ends_at(const char *function)
{
	for (size_t i = 0; i < array_size(ends); i++) {
		if (glob_match(ends[i], function))
			return true;
	}
	return false;
}

/* --- Class. --- */

/* Nobody's code did it, or everybody's: neither function nor stack tells one from another. */
static const char *const placeless[] = {
	"sysrq", "hypervisor", "oom", "no-root", "no-init", "init-killed", "machine-check", "nmi",
	"watchdog", "audit", "boot-failure", "fencing", "taint", "oops-limit", "debugger", "alive",
	"unknown",
};

static bool is_placeless(const char *kind)
{
	for (size_t i = 0; i < array_size(placeless); i++) {
		if (strcmp(placeless[i], kind) == 0)
			return true;
	}
	return false;
}

/*
 * Which kind of bad pointer it was is often told by memory alone: a text cannot know it, and the
 * next crash of the same bug finds another value in the same place. It is the third level's.
 */
static const char *class_of(const struct facts *facts, const struct finding *verdict)
{
	const char *kind = verdict->kind;

	/* A text does not tell which lock the others have: there it is a hung task only. */
	if (strcmp(kind, "deadlock") == 0)
		return "hung-task";
	if (is_placeless(kind) || verdict->rank < RANK_FAULT || starts_with(kind, "stack-"))
		return kind;
	/* Not an address but what was to be done was refused. */
	if (facts->fault.trap == TRAP_GENERAL_PROTECTION && !facts->fault.has_address &&
	    strcmp(kind, "bad-address") != 0 && !facts->fault.has_target)
		return kind;
	switch (facts->fault.trap) {
	case TRAP_PAGE_FAULT:
	case TRAP_GENERAL_PROTECTION:
	case TRAP_STACK_SEGMENT:
		return facts->fault.pc_is_wild || facts->fault.has_target ? "bad-jump" : "bad-pointer";
	case TRAP_INVALID_OPCODE:
		return facts->fault.has_insn && facts->fault.insn.kind != INSN_TRAP ? "invalid-opcode"
		       : strcmp(kind, "warning") == 0				      ? kind : "bug";
	default:
		return kind;
	}
}

/* --- The stack that tells. --- */

static struct chain chain_from(struct chain chain, size_t frame)
{
	while (chain.count && chain.links[0].frame < frame) {
		chain.links++;
		chain.count--;
	}
	return chain;
}

static struct chain telling_chain(const struct facts *facts, const char *class)
{
	const char *watchdog = chain_watchdog(class);
	struct chain chain;

	if (is_placeless(class))
		return (struct chain){ 0 };
	/* The log has the stack of who did not answer: both a dump and a text know it. */
	chain = watchdog ? chain_of_report(facts, watchdog) : chain_of_crash(facts);
	if (watchdog && !chain.count && facts_interrupted(facts) != SIZE_MAX)
		chain = chain_from(chain_of_crash(facts), facts_interrupted(facts));
	return chain;
}

/* --- Recursion. --- */

struct cycle {
	size_t start, length; /* of one turn */
};

static bool repeats(const struct chain *chain, size_t start, size_t length)
{
	size_t end = start + length * (CYCLE_TURNS - 1);

	if (end + length > chain->count)
		return false;
	for (size_t i = start; i < end; i++) {
		if (strcmp(chain->links[i].function, chain->links[i + length].function) != 0)
			return false;
	}
	return true;
}

static bool find_cycle(const struct chain *chain, struct cycle *cycle)
{
	for (size_t start = 0; start < CYCLE_SKIP && start < chain->count; start++) {
		for (size_t length = 1; length <= CYCLE_MAX; length++) {
			if (!repeats(chain, start, length))
				continue;
			*cycle = (struct cycle){ start, length };
			return true;
		}
	}
	return false;
}

/*
 * One turn, from the function whose name comes first: in which of them the stack ended, and how
 * far it had gone from there, is chance.
 */
static struct chain one_turn(const struct facts *facts, const struct chain *chain,
			     const struct cycle *cycle)
{
	struct chain_link *links = arena_alloc(facts->arena, cycle->length * sizeof(*links));
	const struct chain_link *turn = chain->links + cycle->start;
	size_t first = 0;

	for (size_t i = 1; i < cycle->length; i++) {
		if (strcmp(turn[i].function, turn[first].function) < 0)
			first = i;
	}
	for (size_t i = 0; i < cycle->length; i++)
		links[i] = turn[(first + i) % cycle->length];
	return (struct chain){ links, cycle->length };
}

/* --- Putting it together. --- */

/* What general helpers tripped over was handed in by the first that is none (blame.c). */
static struct chain below_helpers(struct chain chain)
{
	const struct chain whole = chain;

	while (chain.count && !chain.links[0].module && blame_is_helper(chain.links[0].function)) {
		chain.links++;
		chain.count--;
	}
	return chain.count && !signature_ends_at(chain.links[0].function) ? chain : whole;
}

/* "a<b<c"; a function that stands on itself (a wrapper of a system call) counts once. */
static const char *stack_text(const struct facts *facts, const struct chain *chain)
{
	auto_strbuf text = { 0 };
	const char *last = "";
	unsigned links = 0;

	for (size_t i = 0; i < chain->count && links < STACK_LINKS; i++) {
		if (i && signature_ends_at(chain->links[i].function))
			break;
		const char *name = signature_name(facts->arena, chain->links[i].function);
		if (strcmp(name, last) == 0)
			continue;
		strbuf_addf(&text, "%s%s", links++ ? "<" : "", name);
		last = name;
	}
	return text.len ? arena_strdup(facts->arena, text.data) : NULL;
}

/* --- The bad value. --- */

static const char *pointer_kind(const struct facts *facts, uint64_t pointer)
{
	unsigned levels = memory_layout(facts->session->memory)->root.levels;
	const struct poison *poison = poison_of(pointer);
	char text[9];

	if (!pointer)
		return "NULL";
	if (pointer < NULL_LIMIT)
		return "small";
	if (-pointer <= MAX_ERRNO)
		return arena_printf(facts->arena, "errno:%ld", (long)(int64_t)pointer);
	if (poison)
		return arena_printf(facts->arena, "poison:%s", poison->name);
	if (number_as_text(pointer, text))
		return "text";
	/* A text does not tell how many levels the page tables have: 4 forbid most. */
	if (!facts->session->arch->canonical(pointer, levels ? levels : 4))
		return "non-canonical";
	return facts->session->arch->is_kernel_address(pointer) ? "kernel" : "user";
}

/* The name of the file in "kernel BUG at FILE:LINE!": its line moves from build to build. */
static const char *bug_file(const struct facts *facts)
{
	static const char *const markers[] = { "kernel BUG at ", "WARNING: at ", " at " };
	const struct log_record *r = facts_log_find_last(facts, "kernel BUG at ");

	if (!r)
		r = facts_log_find_last(facts, "WARNING: ");
	for (size_t i = 0; r && i < array_size(markers); i++) {
		const char *at = strstr(r->text, markers[i]);
		if (!at)
			continue;
		at += strlen(markers[i]);
		size_t length = strcspn(at, ": !");
		const char *name = at + length;
		while (name > at && name[-1] != '/')
			name--;
		return arena_strndup(facts->arena, name, (size_t)(at + length - name));
	}
	return NULL;
}

static const char *value_text(const struct facts *facts, const struct finding *verdict,
			      const char *class)
{
	const struct fault_site *fault = &facts->fault;
	uint64_t pointer = fault->has_target	 ? fault->target
			   : fault->base_reg >= 0 ? fault->base_value
						  : fault->address;
	struct rule_words members;

	if (strcmp(class, "bug") == 0 || strcmp(class, "warning") == 0)
		return bug_file(facts);
	if (strcmp(class, "bad-jump") == 0)
		return pointer_kind(facts, fault->has_target ? fault->target : fault->pc);
	if (strcmp(class, "bad-pointer") != 0 || verdict->rank < RANK_FAULT || !fault->has_address)
		return NULL;
	/* Without the register: an address below a page is a member of a structure at NULL. */
	if (fault->base_reg < 0 && pointer < 4096)
		pointer = 0;
	rule_members(facts, facts->arena, &members);
	const char *kind = pointer_kind(facts, pointer);
	return members.count ? arena_printf(facts->arena, "%s %s", kind, members.data[0]) : kind;
}

static void hash(const char *text, char hex[9])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t value = XXH3_64bits(text, strlen(text));

	for (unsigned i = 0; i < 8; i++)
		hex[i] = digits[value >> (28 - i * 4) & 15];
	hex[8] = '\0';
}

void signature_make(struct diagnosis *diagnosis)
{
	const struct facts *facts = &diagnosis->facts;
	const struct finding *verdict = &diagnosis->findings[0];
	const char *class = class_of(facts, verdict);
	struct chain chain = telling_chain(facts, class);
	struct signature *sign = &diagnosis->signature;
	struct cycle cycle;

	if (starts_with(class, "stack-") && find_cycle(&chain, &cycle))
		chain = one_turn(facts, &chain, &cycle);
	else
		chain = below_helpers(chain);
	const char *function = chain.count ? chain.links[0].function : verdict->blame.function;
	if (!function || is_placeless(verdict->kind))
		sign->guilty = class;
	else
		sign->guilty = arena_printf(facts->arena, "%s:%s", class,
					    signature_name(facts->arena, function));
	/* Below a frame that was overwritten, who finds what is chance. */
	if (strcmp(class, "stack-corruption") == 0 && chain.count)
		chain.count = 1;
	const char *stack = stack_text(facts, &chain);
	sign->stack = stack ? arena_printf(facts->arena, "%s:%s", class, stack) : NULL;
	const char *value = value_text(facts, verdict, class);
	sign->value = value ? arena_printf(facts->arena, "%s %s", sign->guilty, value) : NULL;
	hash(sign->stack ? sign->stack : sign->guilty, sign->hash);
}
