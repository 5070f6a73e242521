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
#include <string.h>

#include "diagnosis/diagnosis.h"
#include "forensics/caught.h"
#include "kernel/cpus.h"

enum { STARVED_SECONDS = 10, POLICY_FIFO = 1, POLICY_RR = 2, POLICY_DEADLINE = 6 };
#define NS_PER_S UINT64_C(1000000000)

static uint64_t clock_of(struct session *s, unsigned cpu)
{
	uint64_t rq = kpercpu(s, "runqueues", cpu), clock;

	return rq && kread(s, rq, "rq", "clock", &clock) ? clock : 0;
}

static const char *policy_name(uint64_t policy)
{
	return policy == POLICY_FIFO	   ? "SCHED_FIFO"
	       : policy == POLICY_RR	   ? "SCHED_RR"
	       : policy == POLICY_DEADLINE ? "SCHED_DEADLINE"
					   : NULL;
}

/* Who waits for the CPU longest; how many do so for long. */
static size_t count_starved(struct session *s, unsigned cpu, uint64_t now,
			    const struct task **worst, uint64_t *longest)
{
	size_t n, count = 0;
	const struct task *all = tasks(s, &n);

	*longest = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t queued;
		if (all[i].cpu != (int)cpu || all[i].on_cpu || all[i].road == ROAD_IDLE ||
		    task_state_letter(&all[i]) != 'R' ||
		    !kread(s, all[i].address, "task_struct", "sched_info.last_queued", &queued) ||
		    !queued || queued >= now || now - queued < STARVED_SECONDS * NS_PER_S)
			continue;
		count++;
		if (now - queued > *longest) {
			*longest = now - queued;
			*worst = &all[i];
		}
	}
	return count;
}

static void blame(const struct facts *facts, struct findings *out, struct finding *f,
		  const struct task *task)
{
	struct stack stack = { 0 };

	task_stack(facts->session, task, &stack);
	size_t at = stack_busy_at(facts->session, &stack, SIZE_MAX);
	f->blame = facts_blame_stack(facts, &stack, at);
	f->blame.frame = SIZE_MAX; /* the number is one of that stack */
	f->blame.because = f->blame.known ? "it has the CPU that the others wait for" : NULL;
	finding_evidence(out, f, finding_text(out, "bt -A %d", task->pid), "what %.*s (pid %d) does",
			 (int)sizeof(task->comm), task->comm, task->pid);
	stack_deinit(&stack);
}

static void look_at_cpu(const struct facts *facts, struct findings *out, const struct cpu *cpu,
			uint64_t now)
{
	struct session *s = facts->session;
	const struct task *current = cpu->current_task ? task_by_address(s, cpu->current_task)
						       : NULL;
	const struct task *worst = NULL;
	uint64_t longest, policy = 0;
	size_t count = count_starved(s, cpu->id, now, &worst, &longest);

	if (!count || !current || current->road == ROAD_IDLE)
		return;
	kread(s, current->address, "task_struct", "policy", &policy);
	const char *real_time = policy_name(policy);
	struct finding *f = finding_add(
		out, "starvation", "Starved tasks", RANK_FALLBACK + 4,
		real_time ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE,
		"%zu task%s could run on CPU %u and did not get it for more than %d s, %.*s (pid %d) not "
		"for %" PRIu64 " s", count, count == 1 ? "" : "s", cpu->id, STARVED_SECONDS,
		(int)sizeof(worst->comm), worst->comm, worst->pid, longest / NS_PER_S);
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
			       longest / NS_PER_S);
	blame(facts, out, f, current);
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	struct session *s = facts->session;
	uint64_t now = 0;
	size_t n;

	if (!s->symbols || s->text || !s->unwinder)
		return NULL;
	const struct cpu *all = cpus(s, &n);
	for (size_t i = 0; i < n; i++) {
		uint64_t clock = clock_of(s, all[i].id);
		now = clock > now ? clock : now;
	}
	for (size_t i = 0; now && i < n; i++)
		look_at_cpu(facts, out, &all[i], now);
	return NULL;
}

const struct detector detector_starved = {
	.name = "starved",
	.looks_for = "tasks that can run and do not get their CPU",
	.run = run,
};
