// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Died inside the slab allocator, of its own data: somebody wrote to memory that was not theirs
 * any more, or not at all, and the allocator tripped over it, most often for a caller that has
 * nothing to do with it. The slabs that it had in hand are checked, no others: that costs
 * milliseconds, "kmem --check" of all memory more the more there is.
 */
#include "diagnosis/diagnosis.h"
#include "forensics/slab_check.h"

/* Damage that an access by the allocator itself trips over. */
static bool is_fatal(const struct slab_damage *damage)
{
	return damage->kind <= DAMAGE_DOUBLE_FREE && damage->busy_cpu < 0;
}

/* Who is next to it in memory, and so may have written too far. */
static void add_neighbour(const struct facts *facts, struct findings *out, struct finding *f,
			  const struct slab_damage *d)
{
	struct slab_object before;
	uint64_t at = d->object - d->cache->size;

	if (!d->object || !slab_object_at(facts->session, at, &before) || before.kfence ||
	    before.address != at || before.slab.page != d->slab.page)
		return;
	finding_evidence(out, f, finding_text(out, "rd -a 0x%lx %u", (unsigned long)at,
					      d->cache->size / 8 + 2),
			 "the object before it is %016lx: what it holds may run over",
			 (unsigned long)at);
}

static void report_damage(const struct facts *facts, struct findings *out,
			  const struct slab_damage *d)
{
	const char *site = facts_frame_text(facts, facts->fault.frame);
	struct finding *f;

	if (d->object)
		f = finding_add(out, "slab-damage", "Slab freelist overwritten", RANK_SPECIAL,
				CONFIDENCE_LIKELY,
				"%s tripped over the freelist of %s, which is damaged in object "
				"%016lx, %s", site, d->cache->name, (unsigned long)d->object,
				facts_where(facts));
	else
		f = finding_add(out, "slab-damage", "Slab freelist damaged", RANK_SPECIAL,
				CONFIDENCE_LIKELY, "%s tripped over the freelist of %s, which is damaged, %s",
				site, d->cache->name, facts_where(facts));
	f->why = d->kind == DAMAGE_DOUBLE_FREE
			 ? "an object was freed twice"
			 : "something wrote to an object after it was freed, or ran over the end of "
			   "the one before it";
	f->against = "who wrote is not known; the caller most likely has nothing to do with it";
	f->next = "see what was written, whose objects lie around it, and whether there is more: "
		  "kmem --check; then boot with slub_debug=FZPU or KASAN to catch the writer";
	f->blame = facts_blame(facts, facts->fault.frame);
	f->object = d->object;
	finding_evidence(out, f, finding_text(out, "kmem --check %s", d->cache->name), "%s", d->text);
	add_neighbour(facts, out, f, d);
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	struct slab_check check;
	struct symbol symbol;

	if (facts->fault.trap == TRAP_NONE || !facts->task ||
	    !facts_frame_symbol(facts, facts->fault.frame, &symbol) ||
	    !slab_check_is_allocator(symbol.name) ||
	    !slab_check_at_hand(facts->session, facts->task, &check))
		return NULL;
	for (size_t i = 0; i < check.count; i++) {
		if (is_fatal(&check.damages[i])) {
			report_damage(facts, out, &check.damages[i]);
			break;
		}
	}
	slab_check_deinit(&check);
	return NULL;
}

const struct detector detector_slab = {
	.name = "slab",
	.looks_for = "crashes inside the slab allocator, of freelists that were overwritten",
	.run = run,
};
