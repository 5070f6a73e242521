// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Storms: what interrupts ask for comes faster than a CPU can do it. Softirqs: ksoftirqd/N takes
 * over when there are too many, so one that has had its CPU for long shows it, and the scheduler
 * knows since when. Timers: very many of one function are long overdue. Interrupts: a line that the
 * kernel turned off as nobody cared for it, or that came at a rate that no device has for long.
 *
 * Sources, in linux/: include/linux/interrupt.h (softirq numbers, struct irqaction),
 * kernel/irq/internals.h (IRQS_SPURIOUS_DISABLED), include/linux/irqdesc.h, kernel/irq/irqdesc.c,
 * kernel/time/timer.c (struct timer_base: at least two for each CPU, the last one for timers that
 * may be late).
 */
#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/diagnosis.h"
#include "forensics/caught.h"
#include "kernel/cpus.h"
#include "kernel/irqs.h"
#include "kernel/timekeeper.h"

enum {
	RANK_STORM = RANK_FALLBACK + 3, LONG_SECONDS = 10,
	SOFTIRQS = 10, SHARE = 3, /* a third of the time since boot */
	TIMERS_MANY = 1000, TIMERS_MAX = 200000, WHEEL_MAX = 1024, FUNCTIONS_MAX = 16,
	IRQ_RATE = 50000, IRQ_ACTIONS_MAX = 8,
	SPURIOUS_DISABLED = 2,
	CLK_BEHIND_SECONDS = 3600,
};
#define NS_PER_S UINT64_C(1000000000)

struct storms {
	const struct facts *facts;
	struct session *session;
	struct findings *out;
	uint64_t jiffies, rate, uptime; /* uptime in seconds */
};

/* --- Softirqs. --- */

static const char *const softirq_names[SOFTIRQS] = {
	"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU",
};

static bool softirqs_pending(struct session *s, unsigned cpu, uint64_t *bits)
{
	uint64_t at = kpercpu(s, "irq_stat", cpu);
	uint32_t word;

	if (at && kread(s, at, "irq_cpustat_t", "__softirq_pending", bits))
		return true;
	at = kpercpu(s, "pcpu_hot", cpu);
	if (at && kread(s, at, "pcpu_hot", "softirq_pending", bits))
		return true;
	at = kpercpu(s, "__softirq_pending", cpu);
	if (!at || memory_read(s->memory, at, &word, sizeof(word)) != READ_OK)
		return false;
	*bits = word & 0xffff;
	return true;
}

static const char *softirq_words(uint64_t bits, struct findings *out)
{
	auto_strbuf text = { 0 };

	for (unsigned i = 0; i < SOFTIRQS; i++) {
		if (bits >> i & 1)
			strbuf_addf(&text, "%s%s", text.len ? ", " : "", softirq_names[i]);
	}
	return text.len ? finding_text(out, "%s", strbuf_text(&text)) : NULL;
}

/* What the task did when it was stopped. */
static void blame_current(const struct storms *storms, struct finding *f, const struct task *task)
{
	struct stack stack = { 0 };

	task_stack(storms->session, task, &stack);
	size_t at = stack_busy_at(storms->session, &stack, SIZE_MAX);
	f->blame = facts_blame_stack(storms->facts, &stack, at);
	f->blame.frame = SIZE_MAX; /* the number is one of that stack */
	f->blame.because = f->blame.known ? "the softirqs' thread was in it at the end" : NULL;
	f->blame.unsure = "that is one look at one of many";
	stack_deinit(&stack);
}

static void look_at_softirqs(const struct storms *storms, const struct cpu *cpu)
{
	struct session *s = storms->session;
	uint64_t thread = kpercpu(s, "ksoftirqd", cpu->id), rq = kpercpu(s, "runqueues", cpu->id);
	uint64_t address, since, clock, bits, used;
	struct findings *out = storms->out;

	if (!thread || !rq || memory_u64(s->memory, thread, &address) != READ_OK)
		return;
	const struct task *task = task_by_address(s, address);
	if (!task || !task->on_cpu || cpu->current_task != address ||
	    !kread(s, address, "task_struct", "sched_info.last_arrival", &since) ||
	    !kread(s, address, "task_struct", "se.sum_exec_runtime", &used) ||
	    !kread(s, rq, "rq", "clock", &clock) || !since || clock < since)
		return;
	/* Where others get their turns in between, its share of all time tells. */
	uint64_t turn = (clock - since) / NS_PER_S, ran = used / NS_PER_S;
	bool long_turn = turn >= LONG_SECONDS;
	if (!long_turn && (ran < LONG_SECONDS || ran * SHARE < storms->uptime || !storms->uptime))
		return;
	const char *words = softirqs_pending(s, cpu->id, &bits) ? softirq_words(bits, out) : NULL;
	struct finding *f = finding_add(out, "softirq-storm", "Softirqs that keep a CPU", RANK_STORM,
					long_turn ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE,
					"%.*s (pid %d) runs on CPU %u and had it for %" PRIu64 " s%s",
					(int)sizeof(task->comm), task->comm, task->pid, cpu->id,
					long_turn ? turn : ran, long_turn ? " at one go"
					: finding_text(out, " of the %" PRIu64 " since boot",
						       storms->uptime));
	f->apart = true;
	if (words)
		f->why = finding_text(out, "further softirqs were asked for: %s", words);
	f->against = "one of them that does not end would look the same";
	blame_current(storms, f, task);
	finding_evidence(out, f, finding_text(out, "bt -A %d", task->pid), "what %.*s (pid %d) does",
			 (int)sizeof(task->comm), task->comm, task->pid);
	finding_evidence_shows(out, f, finding_text(out, "struct task_struct.se.sum_exec_runtime %016"
						    PRIx64, address), "sum_exec_runtime",
			       "it has run for %" PRIu64 " s in all, and now since %" PRIu64 " s", ran,
			       turn);
}

/* --- Timers. --- */

struct overdue {
	struct {
		uint64_t function, count;
	} of[FUNCTIONS_MAX];
	unsigned functions;
	uint64_t seen;
};

static void count_overdue(struct overdue *overdue, uint64_t function)
{
	unsigned i = 0;

	while (i < overdue->functions && overdue->of[i].function != function)
		i++;
	if (i == FUNCTIONS_MAX)
		return;
	if (i == overdue->functions)
		overdue->of[overdue->functions++].function = function;
	overdue->of[i].count++;
}

static void look_at_base(const struct storms *storms, uint64_t base, struct overdue *overdue)
{
	struct session *s = storms->session;
	uint64_t heads[WHEEL_MAX], expires, function, entry;
	struct member vectors;

	if (!types_member(s->types, "timer_base", "vectors", &vectors) ||
	    !koffset(s, "timer_list", "entry", &entry))
		return;
	uint64_t n = min_u64(type_array_length(type_strip(vectors.type)), WHEEL_MAX);
	if (memory_read(s->memory, base + vectors.offset, heads, n * sizeof(heads[0])) != READ_OK)
		return;
	for (uint64_t i = 0; i < n; i++) {
		for (uint64_t node = heads[i], timer; node && overdue->seen < TIMERS_MAX;
		     overdue->seen++) {
			timer = node - entry;
			if (!s->arch->is_kernel_address(node) ||
			    !kread(s, timer, "timer_list", "expires", &expires) ||
			    !kread(s, timer, "timer_list", "function", &function))
				break;
			if (expires + storms->rate < storms->jiffies)
				count_overdue(overdue, function);
			if (memory_u64(s->memory, node, &node) != READ_OK)
				break;
		}
	}
}

/* Is there one of that CPU's bases, and not what lies behind them? */
static bool is_base(const struct storms *storms, uint64_t base, unsigned cpu)
{
	uint64_t id, clk, behind = CLK_BEHIND_SECONDS * storms->rate;

	return kread(storms->session, base, "timer_base", "cpu", &id) && id == cpu &&
	       kread(storms->session, base, "timer_base", "clk", &clk) &&
	       clk <= storms->jiffies + 1 && clk + behind > storms->jiffies;
}

static void look_at_timers(const struct storms *storms, const struct cpu *cpu)
{
	struct session *s = storms->session;
	uint64_t bases = kpercpu(s, "timer_bases", cpu->id);
	uint64_t size = types_sizeof(s->types, "timer_base");
	struct overdue overdue = { 0 };
	struct symbol symbol;
	unsigned best = 0;

	if (!bases || !size || !storms->rate)
		return;
	/* The last one's timers may be late. */
	for (unsigned i = 0; i < 2 && is_base(storms, bases + (i + 1) * size, cpu->id); i++)
		look_at_base(storms, bases + i * size, &overdue);
	for (unsigned i = 1; i < overdue.functions; i++)
		best = overdue.of[i].count > overdue.of[best].count ? i : best;
	if (!overdue.functions || overdue.of[best].count < TIMERS_MANY ||
	    !symbols_by_address(s->symbols, overdue.of[best].function, &symbol))
		return;
	struct finding *f = finding_add(storms->out, "timer-storm", "Overdue timers", RANK_STORM,
					CONFIDENCE_POSSIBLE, "%" PRIu64 " timers of %s() are overdue for "
					"more than a second on CPU %u", overdue.of[best].count,
					symbol.name, cpu->id);
	f->apart = true;
	f->against = "a CPU that did not take its timer's interrupts leaves them overdue, too";
	finding_evidence(storms->out, f, finding_text(storms->out, "dis %s", symbol.name),
			 "%s() is what they are to call", symbol.name);
}

/* --- Interrupts. --- */

struct handlers {
	struct session *s;
	struct strbuf text; /* "ahci_single_level_irq_intr() of "ahci", ..." */
	struct symbol last;
	unsigned count, named;
};

static void add_handler(void *ctx, const struct irq_handler *handler)
{
	struct handlers *h = ctx;

	if (++h->count > IRQ_ACTIONS_MAX ||
	    !symbols_by_address(h->s->symbols, handler->handler, &h->last))
		return;
	h->named++;
	strbuf_addf(&h->text, "%s%s() of \"%s\"", h->text.len ? ", " : "", h->last.name,
		    handler->name);
}

/* Who is to handle the line; one alone is to blame. */
static void tell_handlers(const struct storms *storms, uint64_t action, struct finding *f)
{
	struct irq_line line = { .action = action };
	struct handlers h = { .s = storms->session };
	bool all = irq_handlers_each(storms->session, &line, add_handler, &h);

	if (h.text.len)
		f->why = finding_text(storms->out, "its handlers: %s%s", strbuf_text(&h.text),
				      all && h.named == h.count ? "" : " and others");
	else
		f->why = all && !h.count ? "it has no handler" : "who handles it cannot be read";
	if (all && h.count == 1 && h.named) {
		f->blame = facts_blame_symbol(storms->facts, &h.last);
		f->blame.because = f->blame.known ? "it is the line's only handler" : NULL;
		f->blame.unsure = "the device, or another one on the same line, may be at fault";
	}
	strbuf_deinit(&h.text);
}

static bool look_at_irq(void *ctx, const struct irq_line *line)
{
	const struct storms *storms = ctx;
	struct session *s = storms->session;
	uint64_t desc = line->desc, total, state, action, number;

	if (!kread(s, desc, "irq_desc", "irq_data.irq", &number) || number != line->irq ||
	    !kread(s, desc, "irq_desc", "tot_count", &total) ||
	    !kread(s, desc, "irq_desc", "core_internal_state__do_not_mess_with_it|istate", &state) ||
	    !kread(s, desc, "irq_desc", "action", &action))
		return true;
	bool off = state & SPURIOUS_DISABLED;
	bool fast = storms->uptime >= LONG_SECONDS && total / storms->uptime >= IRQ_RATE;
	if (!off && !fast)
		return true;
	struct finding *f = finding_add(storms->out, "irq-storm", "Interrupt storm", RANK_STORM,
					off ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE, off
					? "interrupt %u came again and again, no handler was in "
					  "charge, and the kernel turned the line off (%" PRIu64 " in all)"
					: "interrupt %u came %" PRIu64 " times since boot", line->irq,
					total);
	f->apart = true;
	if (!off)
		f->what = finding_text(storms->out, "%s, on average %" PRIu64 " times a second", f->what,
				       total / storms->uptime);
	tell_handlers(storms, action, f);
	finding_evidence_shows(storms->out, f, finding_text(storms->out, "struct irq_desc.tot_count,"
							    "irqs_unhandled %016" PRIx64, desc),
			       "tot_count", "interrupt %u was counted %" PRIu64 " times", line->irq,
			       total);
	return true;
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	struct session *s = facts->session;
	struct storms storms = { .facts = facts, .session = s, .out = out };
	struct walk_trouble unread = { .count = 0 }; /* irq tells it */
	struct kernel_time now;
	size_t n;

	if (!s->symbols || s->text || !s->types || !s->unwinder)
		return NULL;
	storms.rate = kernel_ticks(s, &storms.jiffies);
	kernel_time(s, &now);
	storms.uptime = now.uptime_ns / NS_PER_S;
	const struct cpu *all = cpus(s, &n);
	for (size_t i = 0; i < n && !session_stopped(s); i++) {
		if (!all[i].online)
			continue;
		look_at_softirqs(&storms, &all[i]);
		look_at_timers(&storms, &all[i]);
	}
	irqs_each(s, &unread, look_at_irq, &storms);
	return NULL;
}

const struct detector detector_storms = {
	.name = "storms",
	.looks_for = "softirqs, timers or interrupts that come faster than a CPU can do them",
	.run = run,
};
