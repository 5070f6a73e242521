// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An allocation of many pages in one piece fails for two reasons: there is no memory, or there is
 * enough of it in smaller pieces. The lists of free blocks that the kernel prints tell which.
 */
#include "diagnosis/timeline_words.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"

static const uint64_t ns_per_ms = 1000 * 1000, ns_per_s = UINT64_C(1000) * 1000 * 1000;

const char *timeline_ago(struct findings *out, const struct anomaly *a,
			 const struct log_record *record)
{
	uint64_t then = max_u64(a->record->time_ns, a->repeats ? a->last_ns : 0), ns;

	if (!record || !record->time_ns || !then || then > record->time_ns)
		return NULL;
	ns = record->time_ns - then;
	if (ns < ns_per_ms)
		return "less than a millisecond";
	if (ns < 2 * ns_per_s)
		return finding_text(out, "%" PRIu64 " ms", ns / ns_per_ms);
	if (ns < 180 * ns_per_s)
		return finding_text(out, "%" PRIu64 " s", (ns + ns_per_s / 2) / ns_per_s);
	if (ns < 2 * 3600 * ns_per_s)
		return finding_text(out, "%" PRIu64 " minutes", ns / (60 * ns_per_s));
	if (ns < 48 * 3600 * ns_per_s)
		return finding_text(out, "%" PRIu64 " hours", ns / (3600 * ns_per_s));
	return finding_text(out, "%" PRIu64 " days", ns / (24 * 3600 * ns_per_s));
}

static const char *who(struct findings *out, const struct oops_report *r)
{
	if (!r || !r->comm)
		return "";
	return finding_text(out, " in %s", r->comm);
}

const char *timeline_event(struct findings *out, const struct anomaly *a,
			   const struct log_record *death)
{
	const struct oops_report *r = a->report;
	const char *ago = timeline_ago(out, a, death);
	const char *when = ago ? finding_text(out, " %s earlier", ago) : " earlier";

	if (r && strcmp(a->kind, "page allocation failure") == 0 && r->order >= 0)
		return finding_text(out, "the page allocation of order %d that failed%s%s", r->order,
				    when, who(out, r));
	if (strstr(a->kind, "failure"))
		return finding_text(out, "the %s%s%s", a->kind, when, who(out, r));
	if (r && r->pc.function)
		return finding_text(out, "the %s in %s()%s", a->kind,
				    finding_text(out, "%.*s", (int)strcspn(r->pc.function, "."),
						 r->pc.function), when);
	return finding_text(out, "the %s%s%s", a->kind, when, who(out, r));
}

static uint64_t pages_below(const struct oops_zone *zone, unsigned order)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < order && i < zone->orders; i++)
		pages += zone->free_blocks[i] << i;
	return pages;
}

static uint64_t blocks_from(const struct oops_zone *zone, unsigned order)
{
	uint64_t blocks = 0;

	for (unsigned i = order; i < zone->orders; i++)
		blocks += zone->free_blocks[i];
	return blocks;
}

/* The zone with the most free memory: those for old devices are small. */
static const struct oops_zone *main_zone(const struct oops_report *r)
{
	const struct oops_zone *best = NULL;
	uint64_t most = 0;

	for (size_t i = 0; i < r->zone_count; i++) {
		uint64_t pages = pages_below(&r->zones[i], OOPS_ORDERS_MAX);
		if (pages > most) {
			most = pages;
			best = &r->zones[i];
		}
	}
	return best;
}

/* Few blocks that large, and much in smaller ones: that many of them would make one. */
enum { FEW = 8, ENOUGH = 8 };

const char *timeline_fragmentation(struct findings *out, const struct oops_report *r,
				   const struct oops_zone **zone)
{
	const struct oops_zone *z = r->order > 0 ? main_zone(r) : NULL;
	uint64_t blocks, rest;

	if (!z || (unsigned)r->order >= z->orders)
		return NULL;
	*zone = z;
	blocks = blocks_from(z, (unsigned)r->order);
	rest = pages_below(z, (unsigned)r->order);
	if (blocks > FEW)
		return NULL;
	/* Pages are of 4 kB here: the lists begin with "4kB". */
	const char *left = blocks ? finding_text(out, "only %" PRIu64 " free block%s of order %d or "
						 "more %s", blocks, blocks == 1 ? "" : "s", r->order,
						 blocks == 1 ? "was" : "were")
				  : finding_text(out, "no free block of order %d or more was", r->order);
	if (rest >> r->order < ENOUGH)
		return finding_text(out, "%s left in zone %s, and %" PRIu64 " kB in smaller ones: "
				    "memory was short", left, z->name, rest * 4);
	return finding_text(out, "%s left in zone %s, beside %" PRIu64 " %s in smaller ones: "
			    "fragmentation", left, z->name,
			    rest >= 2560 ? rest / 256 : rest * 4, rest >= 2560 ? "MiB" : "kB");
}
