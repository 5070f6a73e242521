// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A pool of workers that has works waiting and has not begun one for long is stuck: a worker that
 * never sleeps keeps the others from running (a pool of a CPU runs one at a time), or all workers
 * wait. The pool keeps the time of its last progress; when the watchdog complains it is too late.
 *
 * Sources, in linux/: kernel/workqueue.c (struct worker_pool; watchdog_ts in jiffies is kept since
 * 4.5, and called last_progress_ts since 7.3).
 */
#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/diagnosis.h"
#include "diagnosis/starved.h"
#include "forensics/caught.h"
#include "kernel/anchors.h"
#include "kernel/cpus.h"
#include "kernel/task_sched.h"
#include "kernel/timekeeper.h"
#include "kernel/trees.h"

enum {
	LATE_SECONDS = 10, SURE_SECONDS = 30, /* the kernel's own watchdog takes 30 */
	POOLS_A_CPU = 2, BUSY_NAMED = 4, WORKS_MAX = 100000,
	PF_WQ_WORKER = 0x20,                  /* include/linux/sched.h */
	POOLS_MAX = 8192,
};

struct line {
	uint64_t count, first;
};

static bool count_work(void *ctx, uint64_t work)
{
	struct line *line = ctx;

	if (!line->count++)
		line->first = work;
	return line->count < WORKS_MAX;
}

static const char *function_name(const struct facts *facts, uint64_t work, const char *type,
				 const char *member, struct findings *out)
{
	struct symbol symbol;
	uint64_t function;

	if (!kread(facts->session, work, type, member, &function) || !function ||
	    !symbols_by_address(facts->session->symbols, function, &symbol))
		return "a function that is not known";
	return finding_text(out, "%s", symbol.name);
}

/*
 * The pool's workers that are in a work; the one that runs, or could, comes first. @woken: one that
 * could run and is in none yet.
 */
static const char *busy_words(const struct facts *facts, uint64_t pool, struct findings *out,
			      const struct task **runs, const struct task **woken)
{
	struct session *s = facts->session;
	size_t n, busy = 0;
	const struct task *all = tasks(s, &n);
	auto_strbuf text = { 0 };

	*runs = *woken = NULL;
	for (size_t i = 0; i < n; i++) {
		uint64_t function, worker, of, work = 0;
		if (!(all[i].flags & PF_WQ_WORKER) || !kthread_of(s, &all[i], &function, &worker) ||
		    !worker || !kread(s, worker, "worker", "pool", &of) || of != pool ||
		    !kread(s, worker, "worker", "current_work", &work))
			continue;
		const struct task **one = work ? runs : woken;
		if (task_state_letter(&all[i]) == 'R' && !*one)
			*one = &all[i];
		if (!work)
			continue;
		if (busy++ < BUSY_NAMED)
			strbuf_addf(&text, "%s%.*s (pid %d) in %s", text.len ? ", " : "",
				    (int)sizeof(all[i].comm), all[i].comm, all[i].pid,
				    function_name(facts, worker, "worker", "current_func", out));
	}
	if (busy > BUSY_NAMED)
		strbuf_addf(&text, " and %zu more", busy - BUSY_NAMED);
	return busy ? finding_text(out, "%s", strbuf_text(&text)) : NULL;
}

/* Who keeps the CPU: what it did when the interrupt came that stopped it. */
static void blame_culprit(const struct facts *facts, struct findings *out, struct finding *f,
			  const struct task *culprit)
{
	struct stack stack = { 0 };

	if (!culprit || culprit->road == ROAD_IDLE)
		return;
	task_stack(facts->session, culprit, &stack);
	size_t at = culprit->on_cpu ? stack_busy_at(facts->session, &stack, SIZE_MAX) : 0;
	if (stack_caught_user(facts->session, &stack))
		f->who = finding_text(out, "%.*s (pid %d), in its own code", (int)sizeof(culprit->comm),
				      culprit->comm, culprit->pid);
	else
		f->blame = facts_blame_stack(facts, &stack, at);
	f->blame.frame = SIZE_MAX; /* the number is one of that stack */
	f->blame.because = f->blame.known ? "it keeps the CPU that the works wait for" : NULL;
	finding_evidence(out, f, finding_text(out, "bt -A %d", culprit->pid),
			 "what %.*s (pid %d) does", (int)sizeof(culprit->comm), culprit->comm,
			 culprit->pid);
	stack_deinit(&stack);
}

static void look_at_pool(const struct facts *facts, struct findings *out, uint64_t pool, int cpu,
			 uint64_t jiffies, uint64_t rate)
{
	struct session *s = facts->session;
	struct line line = { 0 };
	uint64_t since, head;
	const struct task *runs, *woken, *late;
	const char *stamp = koffset(s, "worker_pool", "watchdog_ts", &since) ? "watchdog_ts"
									     : "last_progress_ts";

	if (!kread(s, pool, "worker_pool", stamp, &since) || since > jiffies ||
	    !koffset(s, "worker_pool", "worklist", &head))
		return;
	uint64_t seconds = (jiffies - since) / rate;
	if (!since || seconds < LATE_SECONDS)
		return;
	klist_each(s, pool + head, "work_struct", "entry", "works of a pool", count_work, &line);
	if (!line.count)
		return;
	/* Pools that are bound to no CPU have -1. */
	const char *whose = cpu >= 0 ? finding_text(out, "of CPU %d", cpu)
				     : "of a pool that is bound to no CPU";
	const char *first = function_name(facts, line.first, "work_struct", "func", out);
	const char *busy = busy_words(facts, pool, out, &runs, &woken);
	const struct cpu *on = cpu >= 0 ? cpu_by_id(s, (unsigned)cpu) : NULL;
	const struct task *current = on && on->current_task ? task_by_address(s, on->current_task)
							    : NULL;
	struct finding *f = finding_add(out, "workqueue-stall", "Work queue stall",
					RANK_FALLBACK + 5,
					seconds >= SURE_SECONDS ? CONFIDENCE_LIKELY
								: CONFIDENCE_POSSIBLE,
					"the workers %s have begun no work for %" PRIu64 " s, though %"
					PRIu64 " wait, the first one for %s", whose, seconds, line.count,
					first);
	struct starved starved;
	late = runs ? runs : woken;
	if (late && starved_find(s, late, run_queue_now(s), out, &starved) &&
	    starved.ns >= LATE_SECONDS * UINT64_C(1000000000)) {
		f->why = finding_text(out, "its worker %.*s (pid %d) could run and does not get CPU %d: %.*s "
				      "(pid %d) has it%s%s", (int)sizeof(late->comm), late->comm,
				      late->pid, late->cpu, (int)sizeof(starved.by->comm),
				      starved.by->comm, starved.by->pid,
				      starved.real_time ? ", with the real-time policy " : "",
				      starved.real_time ? starved.real_time : "");
		current = runs = starved.by;
	} else if (runs)
		f->why = finding_text(out, "%.*s (pid %d) runs or could run, and the others of the pool "
				      "wait until it ends or sleeps", (int)sizeof(runs->comm), runs->comm,
				      runs->pid);
	else if (current && current->road != ROAD_IDLE && !(current->flags & PF_WQ_WORKER))
		f->why = finding_text(out, "that CPU runs %.*s (pid %d), and the workers do not get it",
				      (int)sizeof(current->comm), current->comm, current->pid);
	else if (busy)
		f->why = finding_text(out, "all that work are in: %s", busy);
	blame_culprit(facts, out, f, runs ? runs : current);
	if (busy)
		finding_evidence(out, f, NULL, "workers of that pool: %s", busy);
	finding_evidence_shows(out, f,
			       finding_text(out, "struct worker_pool.%s,cpu,nr_workers %016" PRIx64,
					    stamp, pool), stamp,
			       "the pool's last progress was at %" PRIu64 ", now is %" PRIu64, since,
			       jiffies);
}

/* worker_pool_idr has all of them, also those that are bound to no CPU. */
static bool look_at_all_pools(const struct facts *facts, struct findings *out, uint64_t jiffies,
			      uint64_t rate)
{
	struct session *s = facts->session;
	uint64_t all = symbols_address(s->symbols, "worker_pool_idr"), root;
	struct tree_walk walk;
	struct tree_entry entry;

	if (!all || !koffset(s, "idr", "idr_rt", &root) ||
	    !tree_walk_init(&walk, s, TREE_XARRAY, all + root))
		return false;
	while (walk.count < POOLS_MAX && tree_walk_step(&walk, &entry)) {
		uint64_t cpu;
		if (entry.kind == TREE_POINTER &&
		    kread(s, entry.address, "worker_pool", "cpu", &cpu))
			look_at_pool(facts, out, entry.address, (int)(int32_t)cpu, jiffies, rate);
	}
	bool any = walk.count;
	tree_walk_fini(&walk);
	return any;
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	struct session *s = facts->session;
	uint64_t jiffies, size, rate;
	size_t n;

	if (!s->symbols || s->text || !s->types)
		return NULL;
	size = types_sizeof(s->types, "worker_pool");
	rate = size ? kernel_ticks(s, &jiffies) : 0;
	if (rate && look_at_all_pools(facts, out, jiffies, rate))
		return NULL;
	const struct cpu *all = cpus(s, &n);
	for (size_t i = 0; rate && i < n; i++) {
		uint64_t pools = all[i].online ? kpercpu(s, "cpu_worker_pools", all[i].id) : 0;
		for (unsigned p = 0; pools && p < POOLS_A_CPU; p++)
			look_at_pool(facts, out, pools + p * size, (int)all[i].id, jiffies, rate);
	}
	return NULL;
}

const struct detector detector_workqueue = {
	.name = "workqueue",
	.looks_for = "works that wait in a pool that has begun none for long",
	.run = run,
};
