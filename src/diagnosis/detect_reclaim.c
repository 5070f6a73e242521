// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A live lock in memory reclaim: hardly more is free than the kernel always wants to be, and some
 * tasks at once look for pages to free, or are made to wait until others have. The few that they
 * find come and go, so that at one instant some more may be free. How long they have been at it is
 * not kept, so this is no more than possible. Out of memory has its own account.
 *
 * Sources, in linux/: mm/vmscan.c, mm/page_alloc.c (functions below __alloc_pages_slowpath()).
 */
#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/diagnosis.h"
#include "kernel/vmstat.h"
#include "kernel/zones.h"

enum { TASKS_WANTED = 3, TASKS_MAX_LOOKED_AT = 4096, NAMED = 4, FRAMES = 40,
       WATERMARK_MIN = 0, WATERMARK_HIGH = 2 };

static const char *const in_reclaim[] = {
	"try_to_free_pages", "do_try_to_free_pages", "throttle_direct_reclaim", "reclaim_throttle",
};

static bool is_reclaiming(const struct facts *facts, const struct task *task)
{
	struct stack stack = { 0 };
	struct symbol symbol;
	bool found = false;

	task_stack(facts->session, task, &stack);
	for (size_t i = 0; i < stack.count && i < FRAMES && !found; i++) {
		if (!facts_frame_symbol_of(facts, &stack.frames[i], &symbol))
			continue;
		for (size_t n = 0; n < array_size(in_reclaim) && !found; n++)
			found = !strcmp(symbol.name, in_reclaim[n]);
	}
	stack_deinit(&stack);
	return found;
}

/* @min, @high: pages, the sums of the zones' watermarks. */
static bool memory_is_low(struct session *s, uint64_t *available, uint64_t *min, uint64_t *high)
{
	size_t n;
	const struct zone_info *all = zones(s, &n);

	*min = *high = 0;
	for (size_t i = 0; i < n; i++) {
		if (!all[i].has_watermarks || !all[i].managed)
			continue;
		*min += all[i].watermark[WATERMARK_MIN];
		*high += all[i].watermark[WATERMARK_HIGH];
	}
	return *high && vm_counter(s, "NR_FREE_PAGES", available) && *available <= 2 * *high;
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	struct session *s = facts->session;
	uint64_t available, min, high;
	size_t n, count = 0, looked_at = 0;
	auto_strbuf names = { 0 };

	if (!s->symbols || s->text || !s->types || !s->unwinder ||
	    (facts->panic_message && strstr(facts->panic_message, "of memory")) ||
	    !memory_is_low(s, &available, &min, &high))
		return NULL;
	const struct task *all = tasks(s, &n), *first = NULL;
	for (size_t i = 0; i < n && looked_at < TASKS_MAX_LOOKED_AT && !session_stopped(s); i++) {
		if (!strchr("RD", task_state_letter(&all[i])) || all[i].road == ROAD_IDLE)
			continue;
		looked_at++;
		if (!is_reclaiming(facts, &all[i]))
			continue;
		first = first ? first : &all[i];
		if (count++ < NAMED)
			strbuf_addf(&names, "%s%.*s (pid %d)", names.len ? ", " : "",
				    (int)sizeof(all[i].comm), all[i].comm, all[i].pid);
	}
	if (count < TASKS_WANTED)
		return NULL;
	struct finding *f = finding_add(out, "reclaim-livelock", "Tasks caught in memory reclaim",
					RANK_FALLBACK + 3, CONFIDENCE_POSSIBLE,
					"%zu tasks look for memory to free, or wait until others have: "
					"%s%s", count, strbuf_text(&names), count > NAMED ? " ..." : "");
	f->apart = true;
	f->why = finding_text(out, "%" PRIu64 " pages are free; the kernel wants %" PRIu64 " to be, and "
			      "keeps %" PRIu64 " for emergencies", available, high, min);
	f->against = "for how long they have been at it is not known";
	finding_evidence(out, f, finding_text(out, "bt -A %d", first->pid), "%.*s (pid %d) is one",
			 (int)sizeof(first->comm), first->comm, first->pid);
	finding_evidence(out, f, "kmem -i", "%s", f->why);
	return NULL;
}

const struct detector detector_reclaim = {
	.name = "reclaim",
	.looks_for = "many tasks that look for memory to free where there is almost none",
	.run = run,
};
