// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Each kind of anchor is a row of a table: it is asked for the frame's function, and says what the
 * registers were on entry. Sources, in linux/: kernel/kthread.c (struct kthread),
 * kernel/workqueue.c (process_one_work() passes worker->current_work on), kernel/time/timer.c
 * (timer_base.running_timer), kernel/time/hrtimer.c (hrtimer_clock_base.running),
 * kernel/irq/handle.c (action->handler(irq, dev_id)), arch/x86/entry/ (what entry code passes).
 */
#include "kernel/anchors.h"

#include <stdio.h>
#include <string.h>

#include "kernel/cpus.h"

enum {
	PF_KTHREAD = 0x00200000, /* include/linux/sched.h */
	TIMER_BASES_MAX = 3,     /* NR_BASES, kernel/time/timer.c */
	HRTIMER_BASES = 8,       /* HRTIMER_MAX_CLOCK_BASES */
	VECTORS = 256,           /* NR_VECTORS, arch/x86/include/asm/irq_vectors.h */
	ACTIONS_MAX = 64,        /* handlers that share one interrupt */
	ENTRY_FRAMES = 3,        /* between an entry function and the registers it is given */
	SYSCALL_MAX = 4096,
};

struct ask {
	struct session *s;
	const struct task *task;
	const struct stack *stack;
	size_t frame;
	struct symbol function;
	struct anchor *anchors;
	size_t count;
};

static void add(struct ask *a, unsigned arg, uint64_t value, const char *why)
{
	if (a->count < ANCHORS_MAX && arg < a->s->arch->arg_reg_count)
		a->anchors[a->count++] = (struct anchor){ a->s->arch->arg_regs[arg], value, why };
}

static bool named(const struct ask *a, const char *name)
{
	size_t length = strlen(name);

	/* The compiler's variants with changed parameters are not meant: ".isra.0". */
	return strncmp(a->function.name, name, length) == 0 && !a->function.name[length];
}

static bool starts(const struct ask *a, const char *prefix)
{
	return strncmp(a->function.name, prefix, strlen(prefix)) == 0;
}

/* --- System calls and exceptions: pt_regs. --- */

/* The frame that user space's registers were saved by; they are at its stack pointer. */
static bool user_regs_at(struct session *s, const struct stack *stack, uint64_t *at)
{
	uint8_t bytes[256];
	struct regs regs;
	const struct arch *arch = s->arch;

	if (stack->end != STACK_END_USER || !stack->count || arch->pt_regs_size > sizeof(bytes))
		return false;
	const struct frame *last = &stack->frames[stack->count - 1];
	for (unsigned i = 0; i < 2; i++) {
		*at = i ? last->cfa : last->sp;
		if (!*at || memory_read(s->memory, *at, bytes, arch->pt_regs_size) != READ_OK)
			continue;
		arch->pt_regs(bytes, &regs);
		if (arch->from_user(&regs) &&
		    regs.value[arch->pc] == stack->user_regs.value[arch->pc] &&
		    regs.value[arch->sp] == stack->user_regs.value[arch->sp])
			return true;
	}
	return false;
}

static bool frame_symbol(struct session *s, const struct frame *frame, struct symbol *symbol)
{
	return s->symbols && symbols_by_address(s->symbols, frame->pc - frame->is_call, symbol);
}

/* "read" of a frame's __x64_sys_read, else of the table of system calls. */
static void find_name(struct session *s, const struct stack *stack, struct syscall_entry *e)
{
	static const char *const prefixes[] = { "__x64_sys_", "__ia32_compat_sys_", "__ia32_sys_",
						"__do_sys_", "__se_sys_" };
	struct symbol symbol;
	uint64_t table, function;

	for (size_t i = stack->count; i-- > 0;) {
		if (!frame_symbol(s, &stack->frames[i], &symbol))
			continue;
		for (size_t p = 0; p < array_size(prefixes); p++) {
			size_t length = strlen(prefixes[p]);
			if (strncmp(symbol.name, prefixes[p], length) != 0)
				continue;
			snprintf(e->name, sizeof(e->name), "%s", symbol.name + length);
			return;
		}
	}
	table = symbols_address(s->symbols, e->compat ? "ia32_sys_call_table" : "sys_call_table");
	if (!table || e->number < 0 || e->number >= SYSCALL_MAX ||
	    memory_u64(s->memory, table + 8 * (uint64_t)e->number, &function) != READ_OK ||
	    !symbols_by_address(s->symbols, function, &symbol) || symbol.address != function)
		return;
	for (size_t p = 0; p < array_size(prefixes); p++) {
		if (strncmp(symbol.name, prefixes[p], strlen(prefixes[p])) == 0)
			snprintf(e->name, sizeof(e->name), "%s",
				 symbol.name + strlen(prefixes[p]));
	}
}

bool syscall_of(struct session *s, const struct task *task, const struct stack *stack,
		struct syscall_entry *e)
{
	/* The kernel's own order differs from functions': r10 for rcx, which syscall overwrites. */
	static const uint8_t order[SYSCALL_ARGS] = { X86_RDI, X86_RSI, X86_RDX,
						     X86_R10, X86_R8,  X86_R9 };
	static const uint8_t order32[SYSCALL_ARGS] = { X86_RBX, X86_RCX, X86_RDX,
						       X86_RSI, X86_RDI, X86_RBP };
	const struct regs *regs = &stack->user_regs;
	struct symbol symbol;

	(void)task;
	*e = (struct syscall_entry){ .number = -1, .arg_count = SYSCALL_ARGS };
	if (!user_regs_at(s, stack, &e->regs_at) || !regs_known(regs, X86_ORIG_RAX) ||
	    !frame_symbol(s, &stack->frames[stack->count - 1], &symbol))
		return false;
	bool native = strncmp(symbol.name, "entry_SYSCALL_64", 16) == 0;
	e->compat = strstr(symbol.name, "compat") || strncmp(symbol.name, "entry_INT80", 11) == 0;
	e->number = (int32_t)regs->value[X86_ORIG_RAX];
	if ((!native && !e->compat) || e->number < 0)
		return false;
	for (unsigned i = 0; i < SYSCALL_ARGS; i++) {
		e->args[i] = regs->value[e->compat ? order32[i] : order[i]];
		if (e->compat)
			e->args[i] &= UINT32_MAX;
	}
	find_name(s, stack, e);
	return true;
}

static void anchor_syscall(struct ask *a)
{
	static const char why[] = "entry code passes the registers of user space";
	uint64_t at;

	if (!user_regs_at(a->s, a->stack, &at))
		return;
	if (starts(a, "__x64_sys_") || starts(a, "__ia32_sys_") ||
	    starts(a, "__ia32_compat_sys_")) {
		add(a, 0, at, why);
	} else if (named(a, "do_syscall_64")) {
		/* Since 4.20-odd with the number second; before, it was the first. */
		struct type type;
		struct member first;
		if (types_function(a->s->types, "do_syscall_64", &type) &&
		    type_member_at(type, 0, &first) &&
		    type_kind(type_strip(first.type)) == TYPE_POINTER) {
			add(a, 0, at, why);
			if (regs_known(&a->stack->user_regs, X86_ORIG_RAX))
				add(a, 1,
				    (uint64_t)(int32_t)a->stack->user_regs.value[X86_ORIG_RAX],
				    "user space's orig_ax");
		}
	}
}

/* exc_page_fault(regs, code), sysvec_apic_timer_interrupt(regs), common_interrupt(regs, code) ... */
static void anchor_exception(struct ask *a)
{
	static const char *const prefixes[] = { "exc_", "sysvec_", "fred_exc_", "fred_sysvec_" };
	bool is_entry = named(a, "common_interrupt") || named(a, "spurious_interrupt");
	uint64_t at;

	for (size_t i = 0; i < array_size(prefixes); i++)
		is_entry |= starts(a, prefixes[i]);
	if (!is_entry)
		return;
	for (size_t i = a->frame + 1; i < a->stack->count && i <= a->frame + ENTRY_FRAMES; i++) {
		if (a->stack->frames[i].has_regs && a->stack->frames[i].pt_regs_at) {
			add(a, 0, a->stack->frames[i].pt_regs_at,
			    "entry code passes the registers of what was interrupted");
			return;
		}
	}
	if (a->frame + ENTRY_FRAMES >= a->stack->count && user_regs_at(a->s, a->stack, &at))
		add(a, 0, at, "entry code passes the registers of user space");
}

/* --- Kernel threads and workers. --- */

bool kthread_of(struct session *s, const struct task *task, uint64_t *function, uint64_t *data)
{
	uint64_t kthread;

	/* worker_private since 5.17; before, a kernel thread's set_child_tid was used for it. */
	return task && task->flags & PF_KTHREAD &&
	       kread(s, task->address, "task_struct", "worker_private|set_child_tid", &kthread) &&
	       kthread && kread(s, kthread, "kthread", "threadfn", function) && *function &&
	       kread(s, kthread, "kthread", "data", data);
}

static void anchor_kthread(struct ask *a)
{
	uint64_t function, data;

	if (kthread_of(a->s, a->task, &function, &data) && function == a->function.address)
		add(a, 0, data, "data of the kernel thread");
}

/* The struct worker of a thread that runs work. */
static bool worker_of(struct ask *a, uint64_t *worker)
{
	uint64_t function;
	struct symbol symbol;

	return kthread_of(a->s, a->task, &function, worker) &&
	       symbols_by_address(a->s->symbols, function, &symbol) &&
	       (strcmp(symbol.name, "worker_thread") == 0 ||
		strcmp(symbol.name, "rescuer_thread") == 0);
}

static void anchor_work(struct ask *a)
{
	uint64_t worker, work, function;

	if (!worker_of(a, &worker) || !kread(a->s, worker, "worker", "current_work", &work) ||
	    !work)
		return;
	if (named(a, "process_one_work")) {
		add(a, 0, worker, "data of the worker's thread");
		add(a, 1, work, "worker.current_work");
	} else if (kread(a->s, worker, "worker", "current_func", &function) &&
		   function == a->function.address) {
		add(a, 0, work, "worker.current_work");
	}
}

/* --- Timers. --- */

/* The timer in whose function some CPU is now, when that is this frame's; 0: none, or several. */
static uint64_t running(struct ask *a, const char *variable, const char *element,
			const char *const *paths, size_t path_count, const char *type,
			uint64_t *function)
{
	struct session *s = a->s;
	uint64_t size = types_sizeof(s->types, element), found = 0, timer;
	size_t count;
	const struct cpu *all = cpus(s, &count);

	for (size_t c = 0; c < count; c++) {
		uint64_t bases = kpercpu(s, variable, all[c].id);
		for (size_t i = 0; bases && size && i < path_count; i++) {
			/* Some have an array of bases, some a base with an array. */
			uint64_t base = paths[0] == paths[path_count - 1] ? bases + i * size
									  : bases;
			if (!kread(s, base, element, paths[i], &timer) || !timer ||
			    !kread(s, timer, type, "function", function) ||
			    *function != a->function.address || timer == found)
				continue;
			if (found)
				return 0;
			found = timer;
		}
	}
	return found;
}

static void anchor_timer(struct ask *a)
{
	static const char *const in_base[TIMER_BASES_MAX] = { "running_timer", "running_timer",
							      "running_timer" };
	static const char *const in_clock[HRTIMER_BASES] = {
		"clock_base[0].running", "clock_base[1].running", "clock_base[2].running",
		"clock_base[3].running", "clock_base[4].running", "clock_base[5].running",
		"clock_base[6].running", "clock_base[7].running",
	};
	uint64_t function, timer;
	struct symbol caller;

	if (a->frame + 1 >= a->stack->count ||
	    !frame_symbol(a->s, &a->stack->frames[a->frame + 1], &caller))
		return;
	/* Only who is called by the timers' code: others may call such a function, too. */
	if (strcmp(caller.name, "call_timer_fn") == 0 ||
	    strncmp(caller.name, "__run_timers", 12) == 0 ||
	    strncmp(caller.name, "expire_timers", 13) == 0) {
		timer = running(a, "timer_bases", "struct timer_base", in_base, TIMER_BASES_MAX,
				"timer_list", &function);
		if (timer)
			add(a, 0, timer, "timer_base.running_timer");
	} else if (strncmp(caller.name, "__hrtimer_run_queues", 20) == 0 ||
		   strncmp(caller.name, "__run_hrtimer", 13) == 0) {
		timer = running(a, "hrtimer_bases", "struct hrtimer_cpu_base", in_clock,
				HRTIMER_BASES, "hrtimer", &function);
		if (timer)
			add(a, 0, timer, "hrtimer_clock_base.running");
	}
}

/* --- Interrupts. --- */

struct handler {
	uint64_t irq, dev;
	unsigned found;
};

static void look_at_actions(struct ask *a, uint64_t desc, struct handler *h)
{
	uint64_t action, handler, irq, dev;

	if (!kread(a->s, desc, "irq_desc", "action", &action))
		return;
	for (unsigned n = 0; action && n < ACTIONS_MAX; n++) {
		if (!kread(a->s, action, "irqaction", "handler", &handler) ||
		    !kread(a->s, action, "irqaction", "irq", &irq) ||
		    !kread(a->s, action, "irqaction", "dev_id", &dev))
			return;
		bool same = h->found && h->irq == irq && h->dev == dev;
		if (handler == a->function.address && !same) {
			h->irq = irq;
			h->dev = dev;
			h->found++;
		}
		if (!kread(a->s, action, "irqaction", "next", &action))
			return;
	}
}

/* Who handles interrupts: all that the CPUs' vectors lead to. */
static void anchor_irq(struct ask *a)
{
	struct handler h = { 0 };
	struct symbol caller;
	uint64_t desc;
	size_t count;

	if (a->frame + 1 >= a->stack->count ||
	    !frame_symbol(a->s, &a->stack->frames[a->frame + 1], &caller) ||
	    strncmp(caller.name, "__handle_irq_event_percpu", 25) != 0)
		return;
	const struct cpu *all = cpus(a->s, &count);
	for (size_t c = 0; c < count; c++) {
		uint64_t vectors = kpercpu(a->s, "vector_irq", all[c].id);
		for (unsigned v = 0; vectors && v < VECTORS; v++) {
			if (memory_u64(a->s->memory, vectors + 8 * v, &desc) == READ_OK &&
			    a->s->arch->is_kernel_address(desc) && -desc > VECTORS)
				look_at_actions(a, desc, &h);
		}
	}
	if (h.found != 1)
		return;
	add(a, 0, h.irq & UINT32_MAX, "irqaction.irq");
	add(a, 1, h.dev, "irqaction.dev_id");
}

static void (*const kinds[])(struct ask *a) = {
	anchor_syscall, anchor_exception, anchor_kthread, anchor_work, anchor_timer, anchor_irq,
};

size_t anchors_of(struct session *s, const struct task *task, const struct stack *stack, size_t i,
		  struct anchor anchors[ANCHORS_MAX])
{
	struct ask a = { .s = s, .task = task, .stack = stack, .frame = i, .anchors = anchors };

	if (i >= stack->count || stack->frames[i].how == FRAME_SCAN ||
	    !frame_symbol(s, &stack->frames[i], &a.function))
		return 0;
	for (size_t k = 0; k < array_size(kinds) && !a.count; k++)
		kinds[k](&a);
	return a.count;
}

/* --- Calls. --- */

static uint64_t called_by_worker(struct ask *a)
{
	uint64_t worker, work, function;

	if (!named(a, "process_one_work") || !worker_of(a, &worker) ||
	    !kread(a->s, worker, "worker", "current_work", &work) || !work ||
	    !kread(a->s, worker, "worker", "current_func", &function))
		return 0;
	add(a, 0, work, "worker.current_work");
	return function;
}

static uint64_t called_by_kthread(struct ask *a)
{
	uint64_t function, data;

	if (!named(a, "kthread") || !kthread_of(a->s, a->task, &function, &data))
		return 0;
	add(a, 0, data, "data of the kernel thread");
	return function;
}

uint64_t anchored_call(struct session *s, const struct task *task, const struct stack *stack,
		       size_t i, struct anchor anchors[ANCHORS_MAX], size_t *count)
{
	static uint64_t (*const callers[])(struct ask *a) = {
		called_by_worker, called_by_kthread,
	};
	struct ask a = { .s = s, .task = task, .stack = stack, .frame = i, .anchors = anchors };
	uint64_t target = 0;

	*count = 0;
	if (i >= stack->count || stack->frames[i].how == FRAME_SCAN ||
	    !frame_symbol(s, &stack->frames[i], &a.function))
		return 0;
	for (size_t k = 0; k < array_size(callers) && !target; k++) {
		a.count = 0;
		target = callers[k](&a);
	}
	*count = target ? a.count : 0;
	return target;
}
