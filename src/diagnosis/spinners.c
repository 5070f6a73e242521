// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A watchdog names a CPU that got stuck; when it spins for a lock it is a victim, like the others
 * that spin for the same one. The odd one out is the CPU whose code took that lock and has not
 * given it back (forensics/held_locks.h): what that one is busy with is what holds up all.
 */
#include "diagnosis/spinners.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/cause.h"
#include "diagnosis/loops.h"
#include "forensics/caught.h"
#include "forensics/held_locks.h"
#include "kernel/cpus.h"

enum { CPUS_LOOKED_AT = 512, WAITERS_NAMED = 8,
       SPINNING = 1 << LOCK_SPIN | 1 << LOCK_READ_WRITE };

/* What one CPU does. */
struct busy {
	unsigned cpu;
	const struct task *task;
	struct stack stack;
	struct stack_locks locks;
};

struct crowd {
	struct busy *cpus;
	size_t count;
};

static void crowd_look(const struct facts *facts, struct crowd *crowd)
{
	struct session *s = facts->session;
	size_t n;
	const struct cpu *all = cpus(s, &n);

	crowd->cpus = xcalloc(n + 1, sizeof(*crowd->cpus));
	for (size_t i = 0; i < n && crowd->count < CPUS_LOOKED_AT; i++) {
		const struct task *task = all[i].current_task
						  ? task_by_address(s, all[i].current_task) : NULL;
		/* An idle CPU holds nothing; but an interrupt on it may. */
		if (!task || session_stopped(s))
			continue;
		struct busy *busy = &crowd->cpus[crowd->count++];
		busy->cpu = all[i].id;
		busy->task = task;
		task_stack(s, task, &busy->stack);
		stack_locks_find(s, task, &busy->stack, SPINNING, &busy->locks);
	}
}

static void crowd_deinit(struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->count; i++) {
		stack_locks_deinit(&crowd->cpus[i].locks);
		stack_deinit(&crowd->cpus[i].stack);
	}
	free(crowd->cpus);
}

static const struct busy *crowd_cpu(const struct crowd *crowd, int cpu)
{
	for (size_t i = 0; i < crowd->count; i++) {
		if (cpu >= 0 && crowd->cpus[i].cpu == (unsigned)cpu)
			return &crowd->cpus[i];
	}
	return NULL;
}

static bool waits_for(const struct busy *busy, uint64_t lock)
{
	return busy->locks.waits && busy->locks.wait.lock == lock;
}

/* Surer ones first: held on every way, and not found by reading memory again. */
static unsigned strength(const struct held_lock *held)
{
	return (held->all_ways ? 2u : 0) + (held->memory ? 0 : 1u);
}

/* Who holds the lock; who waits for it may hold it already: then it waits for itself. */
static const struct busy *find_holder(const struct crowd *crowd, uint64_t lock,
				      const struct held_lock **how)
{
	const struct busy *holder = NULL;

	*how = NULL;
	for (size_t i = 0; i < crowd->count; i++) {
		const struct busy *busy = &crowd->cpus[i];
		for (size_t h = 0; h < busy->locks.held_count; h++) {
			const struct held_lock *held = &busy->locks.held[h];
			if (held->lock != lock ||
			    (*how && strength(held) <= strength(*how)))
				continue;
			*how = held;
			holder = busy;
		}
	}
	return holder;
}

static const char *thread_words(struct findings *out, const struct busy *busy)
{
	if (!task_is_named(busy->task))
		return finding_text(out, "CPU %u", busy->cpu);
	if (busy->task->pid == 0)
		return finding_text(out, "the idle task on CPU %u", busy->cpu);
	return finding_text(out, "%.*s (pid %d) on CPU %u", (int)sizeof(busy->task->comm),
			    busy->task->comm, busy->task->pid, busy->cpu);
}

static const char *waiters_words(const struct crowd *crowd, uint64_t lock, struct findings *out,
				 unsigned *count)
{
	auto_strbuf text = { 0 };

	*count = 0;
	for (size_t i = 0; i < crowd->count; i++) {
		if (!waits_for(&crowd->cpus[i], lock))
			continue;
		if (++*count <= WAITERS_NAMED)
			strbuf_addf(&text, "%s%u", *count > 1 ? ", " : "", crowd->cpus[i].cpu);
	}
	if (*count > WAITERS_NAMED)
		strbuf_addf(&text, " and %u more", *count - WAITERS_NAMED);
	return finding_text(out, "%s", strbuf_text(&text));
}

static struct blame blame_holder(const struct facts *facts, const struct busy *holder,
				 const struct held_lock *how, const struct busy *stuck,
				 struct findings *out, const char *lock)
{
	size_t from = stack_busy_at(facts->session, &holder->stack, how->frame);
	struct blame blame;

	if (holder == stuck && stuck->locks.wait.frame + 1 < holder->stack.count)
		from = stuck->locks.wait.frame;
	blame = facts_blame_stack(facts, &holder->stack, from);
	blame.skipped = NULL;
	if (blame.known)
		blame.because =
			holder == stuck
				? finding_text(out, "it wants the %s that the code which it "
					       "interrupted, or that called it, has", lock)
				: finding_text(out, "it runs while its CPU holds the %s that the "
					       "others wait for", lock);
	/* The number is one of that stack. */
	if (holder->cpu != (unsigned)facts->cpu)
		blame.frame = SIZE_MAX;
	return blame;
}

static void tell(const struct facts *facts, const struct crowd *crowd, const struct busy *stuck,
		 const struct busy *holder, const struct held_lock *how, struct findings *out,
		 struct finding *f)
{
	const struct lock_wait *wait = &stuck->locks.wait;
	const char *kind = lock_kind_name(wait->kind), *place = place_words(facts, wait->lock);
	const char *taker = facts_text_of_frame(facts, &holder->stack.frames[how->frame]);
	size_t caught = stack_busy_at(facts->session, &holder->stack, how->frame);
	const char *now = facts_text_of_frame(facts, &holder->stack.frames[caught]);
	const char *bt = finding_text(out, "bt -A -c %u", holder->cpu);
	unsigned waiters;
	const char *list = waiters_words(crowd, wait->lock, out, &waiters);
	struct symbol taken;
	const char *taker_name =
		facts_frame_symbol_of(facts, &holder->stack.frames[how->frame], &taken)
			? finding_text(out, "%.*s", (int)strcspn(taken.name, "."), taken.name)
			: taker;

	/* The watchdog looked at the holder itself. */
	if (holder != stuck && holder->cpu == (unsigned)facts->cpu)
		f->what = finding_text(out, "%s held a %s for longer than the watchdog allows; CPU%s %s "
				       "wait%s for it", thread_words(out, holder), kind,
				       waiters > 1 ? "s" : "", list, waiters > 1 ? "" : "s");
	else
		f->what = finding_text(out, "%s waited for a %s for longer than the watchdog allows%s",
			       thread_words(out, stuck), kind,
			       holder == stuck ? ", and had taken it itself"
			       : waiters > 1   ? finding_text(out, "; CPUs %s wait for the same one", list)
					       : "");
	f->why = finding_text(out, "the %s at %016" PRIx64 "%s%s is held by %s: %s took it and was %s%s",
			      kind, wait->lock, place ? ", " : "", place ? place : "",
			      holder == stuck ? "the very one that waits" : thread_words(out, holder),
			      taker_name,
			      holder == stuck ? "interrupted or called on, to where it is wanted again"
					      : "in ",
			      holder == stuck ? "" : now);
	bool sure = how->all_ways && !how->memory && !wait->memory;
	f->confidence = sure ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	f->origin_of = "who is to blame";
	f->origin_confidence = confidence_name(sure ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);
	f->against = sure ? "such a lock keeps no owner: that it is held follows from the holder's code"
			  : "such a lock keeps no owner; the holder's code may have given it back";
	f->blame = blame_holder(facts, holder, how, stuck, out, kind);
	f->object = 0;
	f->task = holder->task;
	finding_evidence_shows(out, f, finding_text(out, "bt -A -c %u", stuck->cpu), wait->function,
			       "CPU %u waits in %s, lock = %016" PRIx64, stuck->cpu, wait->function,
			       wait->lock);
	finding_evidence_shows(out, f, bt, taker_name,
			       "CPU %u is in %s; %s had called %s for that lock, and no way from there to "
			       "where it is gives it back%s", holder->cpu, now, taker_name, how->function,
			       sure ? "" : " for certain");
	if (holder != stuck)
		loops_tell(facts, &holder->stack, caught, how->frame, bt, out, f);
	if (waiters > 1)
		finding_evidence(out, f, "bt -a", "CPUs that wait for it: %s", list);
}

/* One that waits for what @holder has; NULL: nobody does. */
static const struct busy *waiter_of(const struct crowd *crowd, const struct busy *holder)
{
	for (size_t h = 0; h < holder->locks.held_count; h++) {
		for (size_t i = 0; i < crowd->count; i++) {
			if (&crowd->cpus[i] != holder &&
			    waits_for(&crowd->cpus[i], holder->locks.held[h].lock))
				return &crowd->cpus[i];
		}
	}
	return NULL;
}

/*
 * The CPU in question; where that does not wait, one that waits for what it has; else for the lock
 * that most CPUs wait for.
 */
static const struct busy *find_stuck(const struct crowd *crowd, int cpu)
{
	const struct busy *stuck = crowd_cpu(crowd, cpu), *best = NULL;
	size_t most = 1;

	if (stuck && stuck->locks.waits && stuck->locks.wait.lock)
		return stuck;
	const struct busy *behind = stuck ? waiter_of(crowd, stuck) : NULL;
	if (behind)
		return behind;
	for (size_t i = 0; i < crowd->count; i++) {
		size_t others = 0;
		const struct busy *busy = &crowd->cpus[i];
		if (!busy->locks.waits || !busy->locks.wait.lock)
			continue;
		for (size_t j = 0; j < crowd->count; j++)
			others += waits_for(&crowd->cpus[j], busy->locks.wait.lock);
		if (others > most) {
			most = others;
			best = busy;
		}
	}
	return best;
}

bool spinners_blame(const struct facts *facts, int cpu, struct findings *out, struct finding *f)
{
	struct crowd crowd = { 0 };
	const struct held_lock *how = NULL;

	if (facts->session->text)
		return spinners_blame_by_names(facts, out, f);
	if (!facts->session->symbols || !facts->session->unwinder)
		return false;
	crowd_look(facts, &crowd);
	const struct busy *stuck = find_stuck(&crowd, cpu >= 0 ? cpu : facts->cpu);
	const struct busy *holder = stuck && (stuck->locks.wait.kind == LOCK_SPIN ||
					      stuck->locks.wait.kind == LOCK_READ_WRITE)
					    ? find_holder(&crowd, stuck->locks.wait.lock, &how)
					    : NULL;
	if (holder)
		tell(facts, &crowd, stuck, holder, how, out, f);
	crowd_deinit(&crowd);
	return holder != NULL;
}
