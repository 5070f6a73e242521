// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The panic is often only the last consequence. Each earlier anomaly is compared with the crash:
 * was an object of the crash printed in it; do both stacks run through the same function or
 * module, or handle the same kind of thing; was it the same task? The best one that explains it is
 * told with the verdict. A crash by request has no cause in the log.
 */
#include "diagnosis/timeline.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/anomalies.h"
#include "diagnosis/chain.h"
#include "diagnosis/explain.h"
#include "diagnosis/timeline_crash.h"

/* --- Policies: the panic was ordered to follow. --- */

static const struct {
	const char *message; /* in the panic's */
	const char *kind;    /* glob */
} policies[] = {
	{ "hung_task: blocked tasks", "hung task" },
	{ "softlockup: hung tasks", "soft lockup" },
	{ "RCU Stall", "RCU stall" },
	{ "ard LOCKUP", "hard lockup" },
	{ "ut of memory", "out of memory" },
	{ "achine check", "hardware error" }, /* "Fatal machine check", "Fatal local machine check" */
	{ "kasan.fault=panic", "KASAN report" },
	{ "KASAN: panic_on_warn", "KASAN report" },
	{ "KFENCE: panic_on_warn", "KFENCE report" },
	{ "KMSAN: panic_on_warn", "KMSAN report" },
	{ "kmsan.panic set", "KMSAN report" },
	{ "panic_on_kmsan set", "KMSAN report" },
	{ "scheduling while atomic", "scheduling while atomic" },
	{ "UBSAN: panic_on_warn", "undefined behaviour" },
	{ "KCSAN: panic_on_warn", "data race" },
	{ "panic_on_warn set", "*" },
};

/* The last one before the panic is what it followed. */
static bool by_policy(const struct crash *c)
{
	const struct facts *facts = c->facts;
	size_t end = facts_log_until_panic(facts), row = 0;

	while (facts->panic_message && row < array_size(policies) &&
	       !strstr(facts->panic_message, policies[row].message))
		row++;
	if (!facts->panic_message || row == array_size(policies))
		return false;
	for (size_t i = facts->anomaly_count; i-- > 0;) {
		struct anomaly *a = &facts->anomalies[i];
		if (anomaly_position(facts, a) >= end || !a->report ||
		    !glob_match(policies[row].kind, a->kind) || a->weight == ANOMALY_FATAL)
			continue;
		a->related = "the panic was set to follow it";
		a->relation = CONFIDENCE_CERTAIN;
		a->cause = true;
		return true;
	}
	return false;
}

/* --- Telling. --- */

enum { SHOWN = 60 };

static const char *start_of_line(struct findings *out, const struct log_record *r)
{
	return finding_text(out, "%.*s", (int)min_u64(strcspn(r->text, "\n"), SHOWN), r->text);
}

static void add_evidence(const struct crash *c, const struct anomaly *a)
{
	const struct oops_zone *zone = NULL;
	const char *why = a->report ? timeline_fragmentation(c->out, a->report, &zone) : NULL;

	finding_evidence_shows(c->out, c->finding, "log", start_of_line(c->out, a->record),
			       "earlier in the log: %s%s",
			       start_of_line(c->out, a->record),
			       strcspn(a->record->text, "\n") > SHOWN ? " ..." : "");
	if (why)
		finding_evidence_shows(c->out, c->finding, "log",
				       finding_text(c->out, "%s: %" PRIu64 "*4kB", zone->name,
						    zone->free_blocks[0]),
				       "%s", why);
}

/* What a checker saw is nearer to the cause than who tripped over it, within one module. */
static void blame_caught(const struct crash *c, const struct anomaly *a)
{
	struct blame *blame = &c->finding->blame;
	const struct oops_report *r = a->report;

	if (timeline_sort(a) != SORT_DAMAGE || !r || !r->pc.function || !r->pc.module ||
	    !blame->known || !blame->module || strcmp(blame->module, r->pc.module) != 0)
		return;
	blame->function = chain_source_name(c->facts->arena, r->pc.function);
	blame->because = finding_text(c->out, "%s named it before", a->kind);
}

/* Behind the first sentence of WHY, before what value flow has to say: it explains more. */
static void tell_second(const struct crash *c, const char *sentence)
{
	struct finding *f = c->finding;
	const char *rest = f->why ? strstr(f->why, ". ") : NULL;

	if (!rest) {
		explain_why(c->out, f, "%s", sentence);
		return;
	}
	f->why = finding_text(c->out, "%.*s. %s%s", (int)(rest - f->why), f->why, sentence, rest);
}

/* A detector may have told of it already. */
static bool is_told(const struct crash *c, const struct anomaly *a)
{
	const char *line = start_of_line(c->out, a->record);

	for (unsigned i = 0; i < c->finding->evidence_count; i++) {
		const struct evidence *e = &c->finding->evidence[i];
		if ((e->text && strstr(e->text, line)) || (e->shows && strstr(e->shows, line)))
			return true;
	}
	return false;
}

static void tell_cause(const struct crash *c, const struct anomaly *a, const struct relation *r)
{
	static const char doubt[] = "that the earlier trouble led to this is told by names and "
				    "times; it was not seen";
	struct finding *f = c->finding;

	tell_second(c, finding_text(c->out, "Most likely %s %s", timeline_event(c->out, a, c->record),
				    r->so));
	add_evidence(c, a);
	blame_caught(c, a);
	f->against = f->against ? finding_text(c->out, "%s; %s", f->against, doubt) : doubt;
	if (!f->origin_confidence)
		f->origin_confidence = confidence_name(r->confidence);
}

/* An earlier death is named even where nothing relates it. */
static void tell_death(const struct crash *c, const struct anomaly *a)
{
	add_evidence(c, a);
	explain_why(c->out, c->finding, "The kernel had died before (%s) and gone on; this may be a "
		    "consequence", timeline_event(c->out, a, c->record) + strlen("the "));
}

/* --- All. --- */

/* Nobody reads more, and comparing stacks takes time. */
enum { COMPARED_MAX = 256 };

static bool is_explained(const struct finding *f)
{
	return strcmp(f->kind, "sysrq") == 0 || strcmp(f->kind, "alive") == 0 ||
	       f->rank <= RANK_FALLBACK;
}

void timeline_relate(struct facts *facts, struct findings *out, struct finding *finding)
{
	struct crash c = { .facts = facts, .out = out, .finding = finding };
	const struct anomaly *best = NULL, *death = NULL;
	struct relation of_best = { 0 };
	size_t compared = 0;
	bool ordered;

	if (is_explained(finding))
		return;
	ordered = by_policy(&c);
	crash_find(&c);
	/* From the last: of several equally strong ones the first in time stays. */
	for (size_t i = facts->anomaly_count; i-- > 0 && compared < COMPARED_MAX;) {
		struct anomaly *a = &facts->anomalies[i];
		if (anomaly_position(facts, a) >= c.begin || a->related)
			continue;
		compared++;
		struct relation r = timeline_relation(&c, a);
		if (!r.sentence)
			continue;
		a->related = r.sentence;
		a->relation = r.confidence;
		if (timeline_sort(a) == SORT_DEATH)
			death = a;
		if (r.cause && (!best || r.confidence >= of_best.confidence)) {
			best = a;
			of_best = r;
		}
	}
	if (best && !ordered)
		facts->anomalies[best - facts->anomalies].cause = true;
	if (ordered || (best && is_told(&c, best)))
		return;
	if (best)
		tell_cause(&c, best, &of_best);
	else if (death && !is_told(&c, death))
		tell_death(&c, death);
}
