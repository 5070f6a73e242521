// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tasks that can run and do not get their CPU: the scheduler keeps when each was put on its run
 * queue and has waited since. Whoever has the CPU is a real-time task that does not let go, or
 * kernel code that never comes to where it could be put off.
 *
 * Sources, in linux/: include/linux/sched.h (struct sched_info; last_queued is 0 while a task
 * runs), include/uapi/linux/sched.h (policies), include/linux/sched/rt.h: prio below 100.
 */
#include <inttypes.h>

#include "diagnosis/starved.h"
#include "kernel/cpus.h"
#include "kernel/task_sched.h"

enum { STARVED_SECONDS = 10 };
#define NS_PER_S UINT64_C(1000000000)

/* Who waits for the CPU longest; how many do so for long. */
static size_t count_starved(struct session *s, unsigned cpu, uint64_t now, struct findings *out,
			    const struct task **worst, struct starved *longest)
{
	size_t n, count = 0;
	const struct task *all = tasks(s, &n);

	for (size_t i = 0; i < n; i++) {
		struct starved starved;
		if (all[i].cpu != (int)cpu || !starved_find(s, &all[i], now, out, &starved) ||
		    starved.ns < STARVED_SECONDS * NS_PER_S)
			continue;
		if (!count++ || starved.ns > longest->ns) {
			*longest = starved;
			*worst = &all[i];
		}
	}
	return count;
}

static void look_at_cpu(const struct facts *facts, struct findings *out, const struct cpu *cpu,
			uint64_t now)
{
	struct session *s = facts->session;
	const struct task *worst = NULL;
	struct starved longest = { 0 };
	size_t count = count_starved(s, cpu->id, now, out, &worst, &longest);

	if (!count)
		return;
	const struct task *current = longest.by;
	const char *real_time = longest.real_time;
	struct finding *f = finding_add(
		out, "starvation", "Starved tasks", RANK_FALLBACK + 4,
		real_time ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE,
		"%zu task%s could run on CPU %u and did not get it for more than %d s, %.*s (pid %d) not "
		"for %" PRIu64 " s", count, count == 1 ? "" : "s", cpu->id, STARVED_SECONDS,
		(int)sizeof(worst->comm), worst->comm, worst->pid, longest.ns / NS_PER_S);
	f->why = real_time
			 ? finding_text(out, "%.*s (pid %d) has it, with the real-time policy %s: it runs "
					"until it sleeps", (int)sizeof(current->comm), current->comm,
					current->pid, real_time)
			 : finding_text(out, "%.*s (pid %d) has it, in code that was not put off",
					(int)sizeof(current->comm), current->comm, current->pid);
	finding_evidence_shows(out, f, finding_text(out, "struct task_struct.sched_info %016" PRIx64,
						    worst->address), "last_queued",
			       "%.*s (pid %d) is on the run queue since sched_info.last_queued, %" PRIu64
			       " s before the end", (int)sizeof(worst->comm), worst->comm, worst->pid,
			       longest.ns / NS_PER_S);
	starved_blame(facts, &longest, out, f);
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	struct session *s = facts->session;
	size_t n;

	if (!s->symbols || s->text || !s->unwinder)
		return NULL;
	uint64_t now = run_queue_now(s);
	const struct cpu *all = cpus(s, &n);
	for (size_t i = 0; now && i < n; i++)
		look_at_cpu(facts, out, &all[i], now);
	return NULL;
}

const struct detector detector_starved = {
	.name = "starved",
	.looks_for = "tasks that can run and do not get their CPU",
	.run = run,
};
