// SPDX-License-Identifier: LGPL-2.1-or-later
/* timer: what is due when: the timers of each CPU's wheel or, with -r, of its clocks, by time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "commands/args.h"
#include "commands/table.h"
#include "commands/task_text.h"
#include "kernel/cpus.h"
#include "kernel/timekeeper.h"
#include "kernel/timers.h"

enum { OPT_HIGH, OPT_CPUS };

static const struct option timer_option_table[] = {
	[OPT_HIGH] = { "r", false },
	[OPT_CPUS] = { "C", true },
};

struct timer_run {
	struct command_args *args;
	struct options options;
	uint64_t jiffies, hz; /* 0: unknown */
	struct kernel_time time;
	struct {
		vec_fields(struct timer);
	} found;
	uint64_t now;         /* to which the timers at hand are compared */
	size_t shown, incomplete;
};

static bool keep(void *ctx, const struct timer *timer)
{
	struct timer_run *run = ctx;

	vec_push(&run->found, *timer);
	return true;
}

static int by_time(const void *a, const void *b, void *ctx)
{
	const struct timer_run *run = ctx;
	const struct timer *x = a, *y = b;
	int64_t first = (int64_t)(x->expires - run->now), second = (int64_t)(y->expires - run->now);

	if (first != second)
		return first < second ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

static void sort(struct timer_run *run)
{
	if (run->found.count)
		qsort_r(run->found.data, run->found.count, sizeof(*run->found.data), by_time, run);
}

/* "-1.500 s" of ns */
static const char *seconds_text(struct arena *arena, int64_t ns)
{
	uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

	return arena_printf(arena, "%s%" PRIu64 ".%03" PRIu64 " s", ns < 0 ? "-" : "",
			    size / 1000000000, size % 1000000000 / 1000000);
}

/* Whom or what it is for; "" when its function does not tell. */
static const char *purpose_text(struct timer_run *run, const struct timer *timer,
				struct timer_purpose *purpose)
{
	struct session *s = run->args->session;
	struct arena *arena = &run->args->doc->arena;
	char name[256];

	if (!timer_purpose(s, timer, purpose))
		return timer->incomplete || purpose->incomplete ? NULL : "";
	if (purpose->work) {
		address_name(s, purpose->work, name, sizeof(name));
		return arena_printf(arena, "work %s", name);
	}
	const struct task *task = task_by_address(s, purpose->task);
	return task ? arena_printf(arena, "%s (pid %s)", task_comm(arena, task),
				   task_pid_text(arena, task)) : NULL;
}

static struct cell address_cell(uint64_t address)
{
	return address ? cell_address(address) : cell_none();
}

static struct cell function_cell(struct timer_run *run, uint64_t function)
{
	char name[256];

	if (!function)
		return cell_none();
	address_name(run->args->session, function, name, sizeof(name));
	return cell_str(name[0] ? arena_strdup(&run->args->doc->arena, name) : NULL);
}

static const char *flags_text(uint32_t flags)
{
	bool deferrable = flags & TIMER_FLAG_DEFERRABLE, pinned = flags & TIMER_FLAG_PINNED;

	return deferrable ? pinned ? "deferrable pinned" : "deferrable" : pinned ? "pinned" : "";
}

static void add_wheel_timers(struct timer_run *run)
{
	static const struct column columns[] = {
		{ .key = "expires", .title = "EXPIRES", .right = true },
		{ .key = "tte", .title = "TTE", .right = true },
		{ .key = "tte_ns", .title = "", .right = true },
		{ .key = "timer", .title = "TIMER_LIST" },
		{ .key = "function_address" },
		{ .key = "function", .title = "FUNCTION", .style = STYLE_STRONG },
		{ .key = "for", .title = "FOR" },
		{ .key = "flags", .title = "FLAGS" },
		{ .key = "task" },
		{ .key = "work" },
	};
	struct doc *doc = run->args->doc;

	doc_table(doc, "timers", columns, array_size(columns));
	vec_for_each(timer, &run->found) {
		struct timer_purpose purpose;
		const char *purpose_words = purpose_text(run, timer, &purpose);
		int64_t tte = (int64_t)(timer->expires - run->now);
		bool whole = !timer->incomplete, has_ns;
		run->incomplete += !whole || !purpose_words;
		int64_t ns = 0;
		/* What waits for MAX_JIFFY_OFFSET is too far away for ns. */
		has_ns = run->hz && whole &&
			 !__builtin_mul_overflow(tte, (int64_t)(1000000000 / run->hz), &ns);
		doc_row(doc, whole ? cell_udec(timer->expires) : cell_none(),
			run->jiffies && whole ? cell_dec(tte) : cell_none(),
			has_ns ? cell_shown(cell_dec(ns), seconds_text(&doc->arena, ns))
			       : cell_none(),
			cell_address(timer->address), address_cell(timer->function),
			function_cell(run, timer->function), cell_str(purpose_words),
			cell_str(whole ? flags_text(timer->flags) : NULL),
			purpose.task ? cell_address(purpose.task) : cell_none(),
			purpose.work ? cell_address(purpose.work) : cell_none());
	}
	doc_end(doc);
}

static void remark_trouble(struct timer_run *run, const struct timer_base *base,
			   const struct walk_trouble *trouble)
{
	if (trouble->count)
		doc_remark(run->args->doc, REMARK_HOLE, "timers of CPU %u: %s; %zu such", base->cpu,
			   trouble->text, trouble->count);
}

static void add_wheel(struct timer_run *run, const struct timer_base *base)
{
	struct doc *doc = run->args->doc;
	struct walk_trouble trouble = { 0 };

	run->found.count = 0;
	run->now = run->jiffies;
	timer_base_each(run->args->session, base, keep, run, &trouble);
	remark_trouble(run, base, &trouble);
	sort(run);
	doc_record(doc, NULL, NULL);
	doc_heading(doc, "TIMER_BASES[%u][%s]: %016" PRIx64 "%s", base->cpu, base->name,
		    base->address, run->found.count ? "" : "  (none)");
	doc_field(doc, "cpu", NULL, cell_udec(base->cpu));
	doc_field(doc, "base", NULL, cell_str(base->name));
	doc_field(doc, "address", NULL, cell_address(base->address));
	doc_field(doc, "clock", NULL, base->known ? cell_udec(base->clock) : cell_none());
	if (run->found.count) {
		add_wheel_timers(run);
	} else {
		doc_table(doc, "timers", NULL, 0);
		doc_end(doc);
	}
	doc_end(doc);
}

static void show_wheels(struct timer_run *run, const unsigned *chosen, size_t count)
{
	struct doc *doc = run->args->doc;
	struct timer_base bases[TIMER_BASES_MAX];

	doc_field(doc, "jiffies", "JIFFIES",
		  run->jiffies ? cell_udec(run->jiffies) : cell_none());
	doc_field(doc, "hz", "HZ", run->hz ? cell_udec(run->hz) : cell_none());
	doc_array(doc, "bases", NULL);
	for (size_t i = 0; i < count; i++) {
		size_t found = timer_bases(run->args->session, chosen[i], bases);
		for (size_t k = 0; k < found && !session_stopped(run->args->session); k++)
			add_wheel(run, &bases[k]);
		if (!found)
			doc_remark(run->args->doc, REMARK_HOLE, "the timers of CPU %u cannot be found",
				   chosen[i]);
		run->shown += found;
	}
	doc_end(doc);
}

static void add_high_timers(struct timer_run *run)
{
	static const struct column columns[] = {
		{ .key = "soft_expires", .title = "SOFTEXPIRES", .right = true },
		{ .key = "expires", .title = "EXPIRES", .right = true },
		{ .key = "tte_ns", .title = "TTE", .right = true },
		{ .key = "timer", .title = "HRTIMER" },
		{ .key = "function_address" },
		{ .key = "function", .title = "FUNCTION", .style = STYLE_STRONG },
		{ .key = "for", .title = "FOR" },
		{ .key = "task" },
	};
	struct doc *doc = run->args->doc;

	doc_table(doc, "timers", columns, array_size(columns));
	vec_for_each(timer, &run->found) {
		struct timer_purpose purpose;
		const char *purpose_words = purpose_text(run, timer, &purpose);
		int64_t tte = (int64_t)(timer->expires - run->now);
		bool whole = !timer->incomplete;
		run->incomplete += !whole || !purpose_words;
		doc_row(doc, whole ? cell_dec((int64_t)timer->soft_expires) : cell_none(),
			whole ? cell_dec((int64_t)timer->expires) : cell_none(),
			run->now && whole ? cell_shown(cell_dec(tte),
						       seconds_text(&doc->arena, tte))
					  : cell_none(),
			cell_address(timer->address), address_cell(timer->function),
			function_cell(run, timer->function), cell_str(purpose_words),
			purpose.task ? cell_address(purpose.task) : cell_none());
	}
	doc_end(doc);
}

/* Empty ones are left out: there are eight for each CPU. */
static void add_clock(struct timer_run *run, const struct timer_base *base, uint64_t cpu_base)
{
	struct doc *doc = run->args->doc;
	struct walk_trouble trouble = { 0 };

	run->found.count = 0;
	run->now = run->time.monotonic_ns && base->known ? run->time.monotonic_ns + base->offset
							 : 0;
	hrtimer_base_each(run->args->session, base, keep, run, &trouble);
	remark_trouble(run, base, &trouble);
	if (!run->found.count)
		return;
	sort(run);
	doc_record(doc, NULL, NULL);
	doc_heading(doc, "CPU: %u  CLOCK: %u  HRTIMER_CLOCK_BASE: %016" PRIx64 "  [%s%s]",
		    base->cpu, base->index, base->address, base->name ? base->name : "?",
		    base->soft ? ", softirq" : "");
	doc_field(doc, "cpu", NULL, cell_udec(base->cpu));
	doc_field(doc, "cpu_base", NULL, cell_address(cpu_base));
	doc_field(doc, "index", NULL, cell_udec(base->index));
	doc_field(doc, "clock", NULL, cell_str(base->name));
	doc_field(doc, "soft", NULL, cell_bool(base->soft));
	doc_field(doc, "address", NULL, cell_address(base->address));
	doc_field(doc, "offset_ns", NULL,
		  base->known ? cell_dec((int64_t)base->offset) : cell_none());
	doc_field(doc, "now_ns", "NOW", run->now ? cell_dec((int64_t)run->now) : cell_none());
	add_high_timers(run);
	doc_end(doc);
}

static void show_clocks(struct timer_run *run, const unsigned *chosen, size_t count)
{
	struct timer_base bases[HRTIMER_BASES_MAX];
	uint64_t cpu_base;

	doc_array(run->args->doc, "clocks", NULL);
	for (size_t i = 0; i < count; i++) {
		size_t found = hrtimer_bases(run->args->session, chosen[i], bases, &cpu_base);
		for (size_t k = 0; k < found && !session_stopped(run->args->session); k++)
			add_clock(run, &bases[k], cpu_base);
		if (!found)
			doc_remark(run->args->doc, REMARK_HOLE, "the timers of CPU %u cannot be found",
				   chosen[i]);
		run->shown += found;
	}
	doc_end(run->args->doc);
}

/* The CPUs that were asked for, of those that there are. Returns how many. */
static size_t choose_cpus(struct timer_run *run, const bool *wanted, unsigned **chosen)
{
	size_t count, found = 0;
	const struct cpu *cpu = cpus(run->args->session, &count);

	*chosen = arena_alloc(&run->args->doc->arena, (count + 1) * sizeof(**chosen));
	for (size_t i = 0; i < count; i++) {
		/* A CPU that is off may have timers left. */
		if (wanted && (cpu[i].id >= CPU_LIST_MAX || !wanted[cpu[i].id]))
			continue;
		(*chosen)[found++] = cpu[i].id;
	}
	return found;
}

static struct error *run_timer(struct command_args *args)
{
	struct timer_run run = { .args = args };
	bool *wanted = NULL;
	unsigned *chosen;
	struct error *err = options_parse(args, timer_option_table, array_size(timer_option_table),
					  &run.options);

	if (!err && run.options.word_count)
		err = error_new(ERROR_USAGE, "unexpected word: %s", run.options.words[0]);
	if (!err)
		err = parse_cpu_option(args, run.options.value[OPT_CPUS], &wanted);
	if (err)
		return err;
	size_t count = choose_cpus(&run, wanted, &chosen);
	if (!count && wanted)
		return error_new(ERROR_NOT_FOUND, "there is no such CPU");
	run.hz = kernel_ticks(args->session, &run.jiffies);
	kernel_time(args->session, &run.time);
	if (run.options.set[OPT_HIGH])
		show_clocks(&run, chosen, count);
	else
		show_wheels(&run, chosen, count);
	vec_deinit(&run.found);
	if (run.incomplete)
		doc_remark(args->doc, REMARK_HOLE, "%zu timers, or whom they are for, are only partly "
			   "in the dump", run.incomplete);
	return run.shown ? NULL : error_new(ERROR_MISSING, "the kernel's timers cannot be found: "
					    "their types or symbols are missing, or of a kernel "
					    "before 4.8");
}

const struct command command_timer = {
	.name = "timer",
	.usage = "[-r] [-C CPUS]",
	.summary = "timers that are due, by time",
	.help = "The timers of each CPU's wheel by the time when they are due: in jiffies, how many\n"
		"those are from now (TTE) and as seconds, the function that is called then, and whom it\n"
		"is for where that can be told: a task that sleeps, a work.\n"
		"  -r        timers of high resolution (hrtimers): SOFTEXPIRES and EXPIRES in ns by the\n"
		"            clock named; clocks without a timer are left out\n"
		"  -C CPUS   of these CPUs only: 3, 0,2-4\n"
		"A TTE below zero is overdue: a CPU that does not get to its timers.\n"
		"Examples: timer | timer -r | timer -C 0",
	.run = run_timer,
};
