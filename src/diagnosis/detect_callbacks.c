// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A flood of RCU callbacks: a CPU has very many that wait for readers, and what they are to free
 * stays allocated till then. Each CPU keeps how many it has; the first ones of its list tell by
 * their functions what they are. Either somebody queues them faster than they can be called, or a
 * grace period does not end. What kfree_rcu() is to free is gathered elsewhere, in
 * kernel/kfree_rcu.h; of that the slab caches tell what it is.
 *
 * Sources, in linux/: kernel/rcu/tree.h (struct rcu_data, rcu_state), kernel/rcu/tree.c (qhimark,
 * 10,000: more than that is many to RCU itself), include/linux/rcu_segcblist.h,
 * include/linux/rcupdate.h (a function below 4096 is kfree_rcu()'s offset).
 */
#include <inttypes.h>

#include "diagnosis/diagnosis.h"
#include "kernel/cpus.h"
#include "kernel/kfree_rcu.h"
#include "kernel/slab.h"
#include "kernel/timekeeper.h"

enum {
	MANY_CALLBACKS = 100000, LONG_SECONDS = 10,
	LOOKED_AT = 2000, FUNCTIONS_MAX = 16,
	KFREE_OFFSET_MAX = 4096, GP_STATE_MASK = 3, /* RCU_SEQ_STATE_MASK */
};

/* What the callbacks that were looked at are to call. */
struct tally {
	struct {
		uint64_t function;
		unsigned count;
	} of[FUNCTIONS_MAX];
	unsigned functions, looked_at;
};

static void count_function(struct tally *tally, uint64_t function)
{
	unsigned i = 0;

	while (i < tally->functions && tally->of[i].function != function)
		i++;
	if (i == FUNCTIONS_MAX)
		return;
	if (i == tally->functions)
		tally->of[tally->functions++].function = function;
	tally->of[i].count++;
}

/* The oldest callbacks of a list; one whose link leads nowhere ends it. */
static void look_at_list(struct session *s, uint64_t head, struct tally *tally)
{
	uint64_t function;

	while (head && tally->looked_at < LOOKED_AT && s->arch->is_kernel_address(head) &&
	       kread(s, head, "callback_head", "func", &function)) {
		tally->looked_at++;
		count_function(tally, function);
		if (!kread(s, head, "callback_head", "next", &head))
			return;
	}
}

static unsigned most_frequent(const struct tally *tally)
{
	unsigned best = 0;

	for (unsigned i = 1; i < tally->functions; i++)
		best = tally->of[i].count > tally->of[best].count ? i : best;
	return best;
}

/* For how long the grace period that is under way has been; 0: none is, or it is not known. */
static uint64_t grace_period_seconds(struct session *s, uint64_t *began)
{
	uint64_t state = symbols_address(s->symbols, "rcu_state"), sequence, jiffies, rate;

	if (!state || !kread(s, state, "rcu_state", "gp_seq", &sequence) ||
	    !(sequence & GP_STATE_MASK) || !kread(s, state, "rcu_state", "gp_start", began))
		return 0;
	rate = kernel_ticks(s, &jiffies);
	return rate && *began && jiffies > *began ? (jiffies - *began) / rate : 0;
}

/* The function that is most of them is not at fault by that; but it tells whose they are. */
static void name_function(const struct facts *facts, struct findings *out, struct finding *f,
			  const struct tally *tally)
{
	unsigned best = most_frequent(tally);
	uint64_t function = tally->functions ? tally->of[best].function : 0;
	unsigned count = tally->functions ? tally->of[best].count : 0;
	struct symbol symbol;

	/* Of no function are there enough to speak of. */
	if (count * 2 < tally->looked_at || !count)
		return;
	if (function < KFREE_OFFSET_MAX) {
		finding_evidence(out, f, NULL, "%u of the %u oldest are of kfree_rcu()", count,
				 tally->looked_at);
		return;
	}
	if (!symbols_by_address(facts->session->symbols, function, &symbol))
		return;
	f->what = finding_text(out, "%s, most of them for %s()", f->what, symbol.name);
	finding_evidence(out, f, finding_text(out, "dis %s", symbol.name),
			 "%u of the %u oldest are to call %s()", count, tally->looked_at, symbol.name);
	struct blame blame = facts_blame_symbol(facts, &symbol);
	/* The kernel's own ones free things for everybody. */
	if (!blame.known || !blame.module)
		return;
	f->blame = blame;
	f->blame.because = "the callbacks are to call it";
	f->blame.unsure = "who queues them, or whom they wait for, may be others";
}

/* --- What kfree_rcu() is to free. --- */

struct caches {
	struct session *s;
	struct {
		const struct slab_cache *cache;
		unsigned count;
	} of[FUNCTIONS_MAX];
	unsigned n, looked_at;
};

static bool count_cache(void *ctx, uint64_t address)
{
	struct caches *c = ctx;
	struct slab_object object;
	unsigned i = 0;

	if (++c->looked_at > LOOKED_AT)
		return false;
	if (!slab_object_at(c->s, address, &object) || object.address != address)
		return true;
	while (i < c->n && c->of[i].cache != object.slab.cache)
		i++;
	if (i == FUNCTIONS_MAX)
		return true;
	if (i == c->n)
		c->of[c->n++].cache = object.slab.cache;
	c->of[i].count++;
	return true;
}

static void add_grace_period(const struct facts *facts, struct findings *out, struct finding *f)
{
	uint64_t began, seconds = grace_period_seconds(facts->session, &began);

	if (seconds < LONG_SECONDS) {
		f->against = "no grace period is under way for long: they may have been on the way out";
		return;
	}
	f->confidence = CONFIDENCE_LIKELY;
	f->why = finding_text(out, "the grace period that they wait for has not ended for %" PRIu64
			      " s: a CPU or task is in a reader's section, or RCU's thread does not run",
			      seconds);
	finding_evidence(out, f, "p rcu_state.gp_start", "the grace period began at jiffies %" PRIu64
			 ", %" PRIu64 " s before the end", began, seconds);
}

static void look_at_frees(const struct facts *facts, struct findings *out, unsigned cpu)
{
	struct caches caches = { .s = facts->session };
	struct kfree_rcu found;
	unsigned best = 0;

	if (!kfree_rcu_count(facts->session, cpu, &found, NULL, NULL) ||
	    found.count < MANY_CALLBACKS)
		return;
	kfree_rcu_count(facts->session, cpu, &found, count_cache, &caches);
	const char *bound = found.partly ? "at least " : "";
	for (unsigned i = 1; i < caches.n; i++)
		best = caches.of[i].count > caches.of[best].count ? i : best;
	struct finding *f = finding_add(out, "callback-flood", "Flood of RCU callbacks",
					RANK_FALLBACK + 3, CONFIDENCE_POSSIBLE, "%s%" PRIu64
					" objects that kfree_rcu() is to free wait on CPU %u",
					bound, found.count, cpu);
	f->apart = true;
	finding_evidence(out, f, finding_text(out, "struct kfree_rcu_cpu %016" PRIx64, found.at),
			 "CPU %u has gathered %s%" PRIu64 " of them", cpu, bound, found.count);
	if (caches.n && caches.of[best].count * 2 > min_u64(caches.looked_at, LOOKED_AT)) {
		const char *name = caches.of[best].cache->name;
		f->what = finding_text(out, "%s, most of them of slab cache %s", f->what, name);
		finding_evidence(out, f, finding_text(out, "kmem -s %s", name),
				 "%u of the %" PRIu64 " that were looked at are of %s",
				 caches.of[best].count, min_u64(caches.looked_at, LOOKED_AT), name);
	}
	add_grace_period(facts, out, f);
}

static void report(const struct facts *facts, struct findings *out, unsigned cpu, uint64_t data,
		   uint64_t count, const struct tally *tally)
{
	struct finding *f = finding_add(out, "callback-flood", "Flood of RCU callbacks",
					RANK_FALLBACK + 3, CONFIDENCE_POSSIBLE, "%" PRIu64
					" RCU callbacks wait on CPU %u", count, cpu);

	f->apart = true;
	name_function(facts, out, f, tally);
	finding_evidence_shows(out, f, finding_text(out, "struct rcu_data.cblist %016" PRIx64, data),
			       "len", "CPU %u has %" PRIu64 " callbacks in rcu_data.cblist", cpu, count);
	add_grace_period(facts, out, f);
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	struct session *s = facts->session;
	uint64_t most = 0, most_data = 0, head;
	struct tally tally = { 0 };
	unsigned cpu = 0;
	size_t n;

	if (!s->symbols || s->text || !s->types)
		return NULL;
	const struct cpu *all = cpus(s, &n);
	for (size_t i = 0; i < n; i++) {
		uint64_t data = kpercpu(s, "rcu_data", all[i].id), count;
		look_at_frees(facts, out, all[i].id);
		if (!data || !kread(s, data, "rcu_data", "cblist.len.counter|cblist.len", &count) ||
		    count <= most || (int64_t)count < 0)
			continue;
		most = count;
		most_data = data;
		cpu = all[i].id;
	}
	if (most < MANY_CALLBACKS)
		return NULL;
	if (kread(s, most_data, "rcu_data", "cblist.head", &head))
		look_at_list(s, head, &tally);
	report(facts, out, cpu, most_data, most, &tally);
	return NULL;
}

const struct detector detector_callbacks = {
	.name = "callbacks",
	.looks_for = "a CPU with very many RCU callbacks that wait",
	.run = run,
};
