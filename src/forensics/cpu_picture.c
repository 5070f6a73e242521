// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A CPU's stack is cut into layers where an interrupt or exception left its registers. Two CPUs
 * tell the same story when the functions of their layers are the same, without those layers in
 * which the crash began, or that stopped the CPU for it.
 *
 * Sources, in linux/: include/linux/preempt.h (bits of the count), arch/x86/include/asm/preempt.h
 * (the top bit is upside down: 0 says that somebody else should run), kernel/watchdog.c
 * (watchdog_touch_ts counts in units of 2^30 ns, set by a thread that each CPU must schedule).
 */
#include "forensics/cpu_picture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "forensics/caught.h"

enum {
	NAMES_PER_LAYER = 4,
	PREEMPT_MASK = 0xff,
	SOFTIRQ_SHIFT = 8, SOFTIRQ_MASK = 0xff,
	HARDIRQ_SHIFT = 16, HARDIRQ_MASK = 0xf,
	NMI_SHIFT = 20, NMI_MASK = 0xf,
	WATCHDOG_SHIFT = 30, WATCHDOG_USUAL = 10,
	UNSCHEDULED_MAX = 1 << 24, /* seconds; more is "do not report", not a time */
	RFLAGS_IF = 1 << 9,        /* Intel SDM vol. 3, 2.3 */
};

const char *cpu_context_words(uint32_t count, struct arena *arena)
{
	auto_strbuf text = { 0 };
	unsigned softirq = count >> SOFTIRQ_SHIFT & SOFTIRQ_MASK;

	if (count >> NMI_SHIFT & NMI_MASK)
		strbuf_add(&text, "in an NMI");
	if (count >> HARDIRQ_SHIFT & HARDIRQ_MASK)
		strbuf_addf(&text, "%sin an interrupt", text.len ? ", " : "");
	/* Disabling adds 2, running them 1 (SOFTIRQ_DISABLE_OFFSET). */
	if (softirq & 1)
		strbuf_addf(&text, "%sin a softirq", text.len ? ", " : "");
	if (softirq / 2)
		strbuf_addf(&text, "%ssoftirqs off", text.len ? ", " : "");
	if (count & PREEMPT_MASK)
		strbuf_addf(&text, "%spreemption off (%u)", text.len ? ", " : "",
			    count & PREEMPT_MASK);
	return arena_strdup(arena, strbuf_text(&text));
}

static const char *function_of(struct session *s, const struct frame *frame, struct arena *arena)
{
	struct symbol symbol;

	if (!s->symbols ||
	    !symbols_by_address(s->symbols, frame->is_call ? frame->pc - 1 : frame->pc, &symbol))
		return frame->is_call ? NULL : "user code or none that is known";
	return arena_strndup(arena, symbol.name, strcspn(symbol.name, "."));
}

static void add_layer(struct session *s, struct cpu_picture *p, const struct stack *stack,
		      size_t from, size_t to, struct arena *arena)
{
	auto_strbuf names = { 0 };
	unsigned count = 0;

	for (size_t i = from; i < to; i++) {
		const char *name = stack->frames[i].how == FRAME_SCAN
					   ? NULL : function_of(s, &stack->frames[i], arena);
		if (name && count < NAMES_PER_LAYER)
			strbuf_addf(&names, "%s%s", count++ ? " < " : "", name);
	}
	if (p->layer_count == CPU_LAYERS_MAX || !count)
		return;
	p->layers[p->layer_count++] = (struct cpu_layer){
		.stack = stack->frames[from].stack,
		.frame = from,
		.names = arena_strdup(arena, strbuf_text(&names)),
		.of_crash = stack_layer_of_crash(s, stack, from, to),
	};
}

static void find_layers(struct session *s, struct cpu_picture *p, const struct stack *stack,
			struct arena *arena)
{
	size_t from = 0;

	for (size_t i = 1; i <= stack->count; i++) {
		if (i < stack->count && !stack->frames[i].has_regs)
			continue;
		add_layer(s, p, stack, from, i, arena);
		from = i;
	}
	if (stack_caught_user(s, stack) && p->layer_count < CPU_LAYERS_MAX)
		p->layers[p->layer_count++] = (struct cpu_layer){
			.stack = "user", .frame = stack->count, .names = "the program's own code",
		};
}

/* The first layer that was there before the crash. */
static unsigned first_own(const struct cpu_picture *p)
{
	unsigned first = 0;

	for (unsigned i = 0; i + 1 < p->layer_count; i++)
		first = p->layers[i].of_crash ? i + 1 : first;
	return first;
}

/* Of the code that was caught before the crash began; else of the CPU's own registers. */
static void find_interrupts(struct session *s, struct cpu_picture *p, const struct stack *stack)
{
	size_t at = p->layer_count ? p->layers[first_own(p)].frame : 0;

	/* A program cannot turn them off. */
	if (at >= stack->count && at)
		p->interrupts = INTERRUPTS_ON;
	/* Whoever panics turns interrupts off itself. */
	if (at >= stack->count || (!at && (int)p->cpu->id == cpu_crashed(s)))
		return;
	const struct regs *regs = &stack->frames[at].regs;
	if (regs_known(regs, X86_RFLAGS))
		p->interrupts = regs->value[X86_RFLAGS] & RFLAGS_IF ? INTERRUPTS_ON
								     : INTERRUPTS_OFF;
}

static void find_counters(struct session *s, struct cpu_picture *p, uint64_t newest,
			  struct arena *arena)
{
	uint64_t rq = kpercpu(s, "runqueues", p->cpu->id), clock, touched;
	uint64_t hot = kpercpu(s, "pcpu_hot", p->cpu->id), at, count;

	p->has_running = rq && kread(s, rq, "rq", "nr_running", &p->running);
	if (rq && kread(s, rq, "rq", "clock", &clock) && clock && clock <= newest) {
		p->has_lag = true;
		p->lag_ns = newest - clock;
	}
	if (hot && kread(s, hot, "pcpu_hot", "preempt_count", &count)) {
		p->has_preempt_count = true;
		p->preempt_count = (uint32_t)count;
	} else if ((at = kpercpu(s, "__preempt_count", p->cpu->id)) != 0) {
		p->has_preempt_count =
			memory_u32(s->memory, at, &p->preempt_count) == READ_OK;
	}
	p->context = p->has_preempt_count ? cpu_context_words(p->preempt_count, arena) : "";
	at = kpercpu(s, "watchdog_touch_ts", p->cpu->id);
	if (at && memory_u64(s->memory, at, &touched) == READ_OK && touched &&
	    touched <= newest >> WATCHDOG_SHIFT &&
	    (newest >> WATCHDOG_SHIFT) - touched < UNSCHEDULED_MAX) {
		p->has_unscheduled = true;
		p->unscheduled_s = (newest >> WATCHDOG_SHIFT) - touched;
		/* It comes round within 2/5 of the threshold. */
		uint64_t thresh;
		if (!kglobal(s, "watchdog_thresh", 4, &thresh) || !thresh)
			thresh = WATCHDOG_USUAL;
		p->watchdog_late = p->unscheduled_s > thresh;
	}
}

static uint64_t newest_clock(struct session *s, const struct cpu *all, size_t n)
{
	uint64_t newest = 0, clock;

	for (size_t i = 0; i < n; i++) {
		uint64_t rq = kpercpu(s, "runqueues", all[i].id);
		if (rq && kread(s, rq, "rq", "clock", &clock) && clock > newest)
			newest = clock;
	}
	return newest;
}

static bool is_idle(const struct cpu_picture *p)
{
	return p->task && p->task->road == ROAD_IDLE;
}

static bool same_story(const struct cpu_picture *a, const struct cpu_picture *b)
{
	unsigned skip_a = first_own(a), skip_b = first_own(b);

	if (is_idle(a) != is_idle(b) || !a->task != !b->task ||
	    a->layer_count - skip_a != b->layer_count - skip_b)
		return false;
	for (unsigned i = skip_a; i < a->layer_count; i++) {
		if (strcmp(a->layers[i].names, b->layers[i - skip_a + skip_b].names) != 0)
			return false;
	}
	return true;
}

/* CPUs that do the same. */
struct crowd {
	size_t count;
	bool waits;
};

/*
 * Of two that are alone, one that waits for another may only just have been interrupted: it comes
 * after the one that waits for nobody.
 */
static int compare(const void *left, const void *right, void *ctx)
{
	const struct cpu_picture *a = left, *b = right;
	const struct crowd *crowds = ctx, *x = &crowds[a->story], *y = &crowds[b->story];

	if (is_idle(a) != is_idle(b))
		return is_idle(a) ? 1 : -1;
	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	if (x->waits != y->waits)
		return x->waits ? 1 : -1;
	if (a->story != b->story)
		return a->story < b->story ? -1 : 1;
	return a->cpu->id < b->cpu->id ? -1 : a->cpu->id > b->cpu->id;
}

static void tell_stories(struct cpu_pictures *pictures)
{
	struct crowd *crowds = xcalloc(pictures->count + 1, sizeof(*crowds));
	unsigned stories = 0;

	for (size_t i = 0; i < pictures->count; i++) {
		struct cpu_picture *p = &pictures->cpus[i];
		p->story = UINT32_MAX;
		for (size_t j = 0; j < i && p->story == UINT32_MAX; j++) {
			if (same_story(p, &pictures->cpus[j]))
				p->story = pictures->cpus[j].story;
		}
		if (p->story == UINT32_MAX)
			p->story = stories++;
		crowds[p->story].count++;
		crowds[p->story].waits |= p->node && wait_node_blocked(p->node);
	}
	qsort_r(pictures->cpus, pictures->count, sizeof(*pictures->cpus), compare, crowds);
	free(crowds);
}

void cpu_pictures_make(struct session *s, struct cpu_pictures *pictures)
{
	size_t n;
	const struct cpu *all = cpus(s, &n);
	const struct wait_graph *graph = s->symbols && s->unwinder && n ? wait_graph(s) : NULL;
	uint64_t newest = newest_clock(s, all, n);

	*pictures = (struct cpu_pictures){ .cpus = xcalloc(n + 1, sizeof(*pictures->cpus)) };
	for (size_t i = 0; i < n && !session_stopped(s); i++) {
		struct stack stack = { 0 };
		if (!all[i].online && !all[i].has_regs)
			continue;
		struct cpu_picture *p = &pictures->cpus[pictures->count++];
		p->cpu = &all[i];
		p->context = "";
		p->task = all[i].current_task ? task_by_address(s, all[i].current_task) : NULL;
		find_counters(s, p, newest, &pictures->arena);
		if (!p->task)
			continue;
		task_stack(s, p->task, &stack);
		find_layers(s, p, &stack, &pictures->arena);
		find_interrupts(s, p, &stack);
		stack_deinit(&stack);
		size_t node = graph ? wait_graph_node_of(graph, p->task) : SIZE_MAX;
		p->node = node == SIZE_MAX ? NULL : &graph->nodes[node];
	}
	tell_stories(pictures);
}

void cpu_pictures_deinit(struct cpu_pictures *pictures)
{
	free(pictures->cpus);
	arena_deinit(&pictures->arena);
}
