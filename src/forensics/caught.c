// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A layer is of the crash when a function is in it that panics, watches, or stops a CPU for the
 * crash. There may be several: a CPU whose own watchdog panicked at the same time waits in panic()
 * until the first one's NMI stops it (panic_smp_self_stop()); one whose panic() is over takes
 * interrupts again.
 *
 * Sources, in linux/: kernel/{panic,watchdog}.c, arch/x86/kernel/{nmi,reboot,smp,crash}.c,
 * arch/x86/include/asm/idtentry.h (names of the entries).
 */
#include "forensics/caught.h"

#include "base/strbuf.h"

static bool is_one_of(const char *name, const char *const *globs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (glob_match(globs[i], name))
			return true;
	}
	return false;
}

static const char *const of_crash[] = {
	"panic", "vpanic", "nmi_panic*", "panic_smp_self_stop", "stop_this_cpu", "crash_nmi_callback",
	"smp_stop_nmi_callback", "__crash_kexec", "crash_kexec", "watchdog_timer_fn",
	"nmi_shootdown*", "kdump_nmi_callback", "sysvec_reboot", "*smp_reboot_interrupt*",
};

static const char *const ticks[] = {
	"*sysvec_apic_timer_interrupt*", "*smp_apic_timer_interrupt*", "apic_timer_interrupt*",
	"*sysvec_reschedule_ipi*", "*sysvec_call_function*", "*smp_call_function*interrupt*",
	"call_function*_interrupt*", "reschedule_interrupt*", "*sysvec_irq_work*",
};

static const char *const softirqs[] = { "__do_softirq", "do_softirq*", "handle_softirqs" };

/* On the way out of an interrupt: somebody else is to run. */
static const char *const put_off[] = { "preempt_schedule_irq*", "raw_irqentry_exit_cond_resched*" };

/* What the kernel does for a program: what it asked for, its memory, its signals and its end. */
static const char *const for_program[] = {
	"*SYSCALL*", "*syscall*", "*sysenter*", "*int80*", "*page_fault*", "do_user_addr_fault",
	"*exit_to_user*mode*", "get_signal", "do_exit",
};

enum layer_is { LAYER_OF_CRASH = 1, LAYER_TICK = 2, LAYER_SOFTIRQ = 4, LAYER_MODULE = 8,
		LAYER_PUT_OFF = 16, LAYER_FOR_PROGRAM = 32 };

static unsigned look_at_layer(struct session *s, const struct stack *stack, size_t from, size_t to)
{
	unsigned is = 0;

	for (size_t i = from; i < to; i++) {
		const struct frame *f = &stack->frames[i];
		struct symbol symbol;
		if (f->how == FRAME_SCAN ||
		    !symbols_by_address(s->symbols, f->is_call ? f->pc - 1 : f->pc, &symbol))
			continue;
		if (is_one_of(symbol.name, of_crash, array_size(of_crash)))
			is |= LAYER_OF_CRASH;
		if (is_one_of(symbol.name, ticks, array_size(ticks)))
			is |= LAYER_TICK;
		/* Between two of them, where it lets interrupts in, none keeps it. */
		if (i != from && is_one_of(symbol.name, softirqs, array_size(softirqs)))
			is |= LAYER_SOFTIRQ;
		if (is_one_of(symbol.name, put_off, array_size(put_off)))
			is |= LAYER_PUT_OFF;
		if (is_one_of(symbol.name, for_program, array_size(for_program)))
			is |= LAYER_FOR_PROGRAM;
		if (symbol.module)
			is |= LAYER_MODULE;
	}
	return is;
}

/* The first frame of the layer behind that of frame @from; the stack's end: there is none. */
static size_t next_layer(const struct stack *stack, size_t from)
{
	size_t i = from + 1;

	while (i < stack->count && !stack->frames[i].has_regs)
		i++;
	return i < stack->count ? i : stack->count;
}

size_t stack_caught_at(struct session *s, const struct stack *stack)
{
	size_t caught = SIZE_MAX;

	for (size_t i = 0, next; s->symbols && i < stack->count; i = next) {
		next = next_layer(stack, i);
		if (look_at_layer(s, stack, i, next) & LAYER_OF_CRASH)
			caught = next;
	}
	if (caught == SIZE_MAX)
		caught = stack->count ? next_layer(stack, 0) : 0;
	return caught < stack->count ? caught : 0;
}

size_t stack_busy_at(struct session *s, const struct stack *stack, size_t most)
{
	size_t at = stack_caught_at(s, stack);

	while (s->symbols && at < stack->count) {
		size_t next = next_layer(stack, at);
		if (next >= stack->count || next > most ||
		    look_at_layer(s, stack, at, next) != LAYER_TICK)
			break;
		at = next;
	}
	return at;
}

bool stack_layer_of_crash(struct session *s, const struct stack *stack, size_t from, size_t to)
{
	return s->symbols && look_at_layer(s, stack, from, to) & LAYER_OF_CRASH;
}

bool stack_caught_user(struct session *s, const struct stack *stack)
{
	if (!s->symbols || !stack->count || stack->end != STACK_END_USER)
		return false;
	size_t last = 0, at = stack_caught_at(s, stack);
	for (size_t i = next_layer(stack, 0); i < stack->count; i = next_layer(stack, i))
		last = i;
	unsigned is = look_at_layer(s, stack, last, stack->count);
	if (is & LAYER_FOR_PROGRAM)
		return false;
	/* In a tick, or in one that the crash came upon. */
	if (is == LAYER_TICK)
		return stack_busy_at(s, stack, SIZE_MAX) == last;
	return !at && is & LAYER_OF_CRASH;
}

size_t stack_asleep_at(struct session *s, const struct stack *stack)
{
	size_t next = stack->count ? next_layer(stack, 0) : 0;

	return s->symbols && next < stack->count &&
			       look_at_layer(s, stack, 0, next) & LAYER_PUT_OFF
		       ? next : 0;
}
