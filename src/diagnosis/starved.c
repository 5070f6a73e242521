// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The scheduler keeps when a task was put on its run queue and has waited since. Who has the CPU
 * may be a program of its own right: then no function of the kernel is to blame.
 *
 * Sources, in linux/: include/linux/sched.h (struct sched_info; last_queued is 0 while a task
 * runs), include/uapi/linux/sched.h (policies).
 */
#include "diagnosis/starved.h"

#include "forensics/caught.h"
#include "kernel/cpus.h"
#include "kernel/task_sched.h"

enum { POLICY_FIFO = 1, POLICY_RR = 2, POLICY_IDLE = 5, POLICY_DEADLINE = 6 };

const char *starved_real_time(struct session *s, const struct task *task, struct findings *out)
{
	struct task_sched sched;

	if (!task_sched(s, task, &sched))
		return NULL;
	if (sched.policy == POLICY_DEADLINE)
		return "SCHED_DEADLINE";
	if (sched.policy != POLICY_FIFO && sched.policy != POLICY_RR)
		return NULL;
	return finding_text(out, "SCHED_%s, priority %u", sched.policy == POLICY_FIFO ? "FIFO" : "RR",
			    sched.rt_priority);
}

bool starved_find(struct session *s, const struct task *task, uint64_t now, struct findings *out,
		  struct starved *starved)
{
	const struct cpu *cpu = task->cpu >= 0 ? cpu_by_id(s, (unsigned)task->cpu) : NULL;
	struct task_sched sched;
	uint64_t queued;

	if (task->on_cpu || task->road == ROAD_IDLE || task_state_letter(task) != 'R' || !cpu ||
	    !cpu->current_task ||
	    !kread(s, task->address, "task_struct", "sched_info.last_queued", &queued) || !queued ||
	    queued >= now)
		return false;
	/* One of SCHED_IDLE is to have only what all others leave. */
	if (task_sched(s, task, &sched) && sched.policy == POLICY_IDLE)
		return false;
	*starved = (struct starved){ .ns = now - queued,
				     .by = task_by_address(s, cpu->current_task) };
	if (!starved->by || starved->by->road == ROAD_IDLE)
		return false;
	starved->real_time = starved_real_time(s, starved->by, out);
	return true;
}

void starved_blame(const struct facts *facts, const struct starved *starved, struct findings *out,
		   struct finding *f)
{
	const struct task *by = starved->by;
	struct stack stack = { 0 };

	task_stack(facts->session, by, &stack);
	f->blame = (struct blame){ 0 };
	if (stack_caught_user(facts->session, &stack)) {
		f->who = finding_text(out, "%.*s (pid %d), in its own code%s%s",
				      (int)sizeof(by->comm), by->comm, by->pid,
				      starved->real_time ? ", with the real-time policy " : "",
				      starved->real_time ? starved->real_time : "");
	} else {
		size_t at = stack_busy_at(facts->session, &stack, SIZE_MAX);
		f->blame = facts_blame_stack(facts, &stack, at);
		f->blame.frame = SIZE_MAX; /* the number is one of that stack */
		f->blame.because = f->blame.known ? "it has the CPU that the others wait for" : NULL;
	}
	finding_evidence(out, f, finding_text(out, "bt -A %d", by->pid), "what %.*s (pid %d) does",
			 (int)sizeof(by->comm), by->comm, by->pid);
	stack_deinit(&stack);
}
