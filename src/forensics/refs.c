// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: one pass over all memory gathers the words that point into a target, by
 * physical address. Each then gets the address by which the kernel knows it, and the page frame's
 * use decides cheaply where it can be wanted at all: most pages belong to processes and files, or
 * to nobody. What is left is asked of whatis(), ranked and sorted.
 *
 * A pointer is a word at a multiple of 8 with the full address; what the kernel packs (pointers
 * with a tag in the low bits still point into the target) or scrambles is not found.
 */
#include "forensics/refs.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "kernel/vmalloc.h"
#include "memory/find_words.h"

enum {
	HITS_MAX = 1 << 20,   /* words kept of a pass */
	ASKED_MAX = 1 << 14,  /* of these, asked of whatis() */
};

struct gather {
	pthread_mutex_t lock;
	struct {
		vec_fields(struct word_hit);
	} hits;
	uint64_t total;
};

static void gather_hit(void *ctx, unused_arg unsigned worker, const struct word_hit *hit)
{
	struct gather *g = ctx;

	pthread_mutex_lock(&g->lock);
	g->total++;
	if (g->hits.count < HITS_MAX)
		vec_push(&g->hits, *hit);
	pthread_mutex_unlock(&g->lock);
}

static int compare_hits(const void *va, const void *vb)
{
	const struct word_hit *a = va, *b = vb;

	return a->at.v < b->at.v ? -1 : a->at.v > b->at.v;
}

/* --- Physical to virtual. --- */

/* The kernel image's part that stays: init memory is given to others after boot. */
struct image {
	uint64_t start, end, init_start, init_end;
	int64_t phys_base;
	uint64_t base;
	bool known;
};

static void find_image(struct session *s, struct image *image)
{
	static const char *const names[] = { "_text", "_end", "__init_begin", "__init_end" };
	const struct kernel_layout *layout = memory_layout(s->memory);
	uint64_t at[array_size(names)];

	*image = (struct image){ .base = s->arch->image_base, .phys_base = layout->phys_base };
	if (!s->symbols || !layout->has_phys_base)
		return;
	symbols_addresses(s->symbols, names, array_size(names), at);
	image->start = at[0];
	image->end = at[1];
	image->init_start = at[2];
	image->init_end = at[3];
	image->known = at[0] && at[1] > at[0];
}

static uint64_t image_address(struct session *s, const struct image *image, struct paddr phys)
{
	uint64_t vaddr = phys.v - (uint64_t)image->phys_base + image->base;
	struct page_info info;

	if (!image->known || vaddr - image->start >= image->end - image->start ||
	    vaddr - image->init_start < image->init_end - image->init_start)
		return 0;
	/* Gaps between the image's sections are freed too. */
	if (page_info(s, phys.v >> PAGE_SHIFT, &info) && info.kind != PAGE_KIND_KERNEL &&
	    info.kind != PAGE_KIND_RESERVED)
		return 0;
	return vaddr;
}

void virtual_addresses(struct session *s, const struct paddr *phys, size_t count, uint64_t *vaddr)
{
	struct image image;
	uint64_t page;

	find_image(s, &image);
	for (size_t i = 0; i < count; i++) {
		vaddr[i] = image_address(s, &image, phys[i]);
		if (!vaddr[i] && vmalloc_area_of_pfn(s, phys[i].v >> PAGE_SHIFT, &page))
			vaddr[i] = page + (phys[i].v & (PAGE_SIZE - 1));
		if (!vaddr[i])
			vaddr[i] = direct_map_of(s, phys[i]);
	}
}

/* --- How much a reference tells. --- */

const char *ref_rank_name(enum ref_rank rank)
{
	static const char *const names[REF_RANKS] = {
		[REF_NAMED] = "variable",     [REF_OBJECT] = "object", [REF_STACK] = "stack",
		[REF_MEMORY] = "memory",      [REF_INSIDE] = "itself", [REF_FREE] = "stale",
		[REF_USER] = "process or file",
	};

	return rank < REF_RANKS ? names[rank] : "?";
}

/* By the use of its page alone; false: whatis() must tell. */
static bool rank_of_page(const struct page_info *info, enum ref_rank *rank)
{
	switch (info->kind) {
	case PAGE_KIND_ANON:
	case PAGE_KIND_FILE:
	case PAGE_KIND_KSM:
	case PAGE_KIND_SWAP_CACHE:
	case PAGE_KIND_HUGETLB:
		*rank = REF_USER;
		return true;
	case PAGE_KIND_BUDDY:
	case PAGE_KIND_PCP:
	case PAGE_KIND_OFFLINE:
		*rank = REF_FREE;
		return true;
	default:
		return false;
	}
}

static enum ref_rank rank_of(const struct ref *ref, const struct ref_target *target)
{
	const struct what *what = &ref->what;

	if (ref->at - target->start < target->size)
		return REF_INSIDE;
	if (what->freed || what->left_behind)
		return REF_FREE;
	switch (what->kind) {
	case WHAT_DATA:
	case WHAT_RODATA:
	case WHAT_TEXT:
	case WHAT_MODULE:
	case WHAT_PERCPU:
		return REF_NAMED;
	case WHAT_SLAB:
	case WHAT_KFENCE:
	case WHAT_PAGE_STRUCT:
	case WHAT_BPF:
		return REF_OBJECT;
	case WHAT_STACK:
		return REF_STACK;
	default:
		return REF_MEMORY;
	}
}

static int compare_refs(const void *va, const void *vb)
{
	const struct ref *a = va, *b = vb;
	bool frame_a = a->what.frame >= 0, frame_b = b->what.frame >= 0;

	if (a->target != b->target)
		return a->target < b->target ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	/* Known members and frames before the rest, pointers to the start before those inside. */
	if (!*a->what.member != !*b->what.member)
		return *a->what.member ? -1 : 1;
	if (frame_a != frame_b)
		return frame_a ? -1 : 1;
	if (!a->offset != !b->offset)
		return a->offset ? 1 : -1;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* What is known without asking: the page's use is all that there is to say. */
static void describe_page(struct session *s, struct ref *ref)
{
	struct page_info info;

	ref->what.address = ref->at;
	ref->what.pid = ref->what.cpu = ref->what.frame = -1;
	ref->what.kind = WHAT_PAGE;
	ref->what.freed = ref->rank == REF_FREE;
	if (page_info(s, ref->phys.v >> PAGE_SHIFT, &info))
		snprintf(ref->what.text, sizeof(ref->what.text), "page frame 0x%llx: %s",
			 (unsigned long long)info.pfn, page_kind_name(info.kind));
}

/* The rank by the page frame's use, a page after the other: hits are sorted. */
static void rank_by_page(struct session *s, const struct gather *g, enum ref_rank *ranks)
{
	uint64_t last = UINT64_MAX;
	bool known = false;
	enum ref_rank rank = REF_MEMORY;

	for (size_t i = 0; i < g->hits.count; i++) {
		uint64_t pfn = g->hits.data[i].at.v >> PAGE_SHIFT;
		struct page_info info;
		if (pfn != last)
			known = page_info(s, pfn, &info) && rank_of_page(&info, &rank);
		last = pfn;
		ranks[i] = known ? rank : REF_MEMORY;
	}
}

/* Keeps those hits that whatis() must tell (or the others) as references, at most @max. */
static void keep(const struct gather *g, const enum ref_rank *ranks, bool others, size_t max,
		 const struct ref_target *targets, struct refs *refs)
{
	size_t end = refs->count + max;

	for (size_t i = 0; i < g->hits.count && refs->count < end; i++) {
		const struct word_hit *hit = &g->hits.data[i];
		if ((ranks[i] != REF_MEMORY) != others)
			continue;
		refs->data[refs->count++] = (struct ref){
			.phys = hit->at,
			.value = hit->value,
			.target = hit->range,
			.offset = hit->value - targets[hit->range].start,
			.rank = ranks[i],
		};
	}
}

static void find_addresses(struct session *s, struct refs *refs)
{
	auto_free struct paddr *phys = xcalloc(refs->count, sizeof(*phys));
	auto_free uint64_t *vaddr = xcalloc(refs->count, sizeof(*vaddr));

	for (size_t i = 0; i < refs->count; i++)
		phys[i] = refs->data[i].phys;
	virtual_addresses(s, phys, refs->count, vaddr);
	for (size_t i = 0; i < refs->count; i++)
		refs->data[i].at = vaddr[i];
}

/* Asks what holds each of the first @asked, many at once. */
static void rank_by_what(struct session *s, const struct ref_target *targets, size_t asked,
			 struct refs *refs)
{
	auto_free uint64_t *at = xcalloc(asked, sizeof(*at));
	auto_free struct what *whats = xcalloc(asked, sizeof(*whats));

	for (size_t i = 0; i < asked; i++)
		at[i] = refs->data[i].at;
	whatis_many(s, NULL, at, asked, whats);
	for (size_t i = 0; i < asked; i++) {
		refs->data[i].what = whats[i];
		refs->data[i].rank = rank_of(&refs->data[i], &targets[refs->data[i].target]);
	}
}

/* From words of memory to references with ranks, the interesting ones described. */
static void rank_hits(struct session *s, const struct gather *g, const struct ref_target *targets,
		      struct refs *refs)
{
	auto_free enum ref_rank *ranks = xcalloc(g->hits.count, sizeof(*ranks));
	size_t asked = 0, others = 0;

	rank_by_page(s, g, ranks);
	for (size_t i = 0; i < g->hits.count; i++) {
		bool ask = ranks[i] == REF_MEMORY;
		asked += ask;
		others += !ask;
		refs->ranks[ranks[i]] += !ask;
	}
	refs->capped |= asked > ASKED_MAX;
	asked = min_u64(asked, ASKED_MAX);
	others = min_u64(others, ASKED_MAX);
	refs->data = xcalloc(asked + others, sizeof(*refs->data));
	keep(g, ranks, false, asked, targets, refs);
	keep(g, ranks, true, others, targets, refs);
	find_addresses(s, refs);
	rank_by_what(s, targets, asked, refs);
	for (size_t i = 0; i < asked; i++)
		refs->ranks[refs->data[i].rank]++;
}

/* Leaves out what was not asked for, and what is beyond the limit of each target. */
static void select_wanted(const struct refs_options *options, struct refs *refs)
{
	size_t kept = 0, of_target = 0;

	for (size_t i = 0; i < refs->count; i++) {
		const struct ref *ref = &refs->data[i];
		if (!i || ref->target != refs->data[i - 1].target)
			of_target = 0;
		if (ref->rank == REF_USER && !options->user)
			continue;
		if (!options->limit || of_target++ < options->limit)
			refs->data[kept++] = *ref;
	}
	refs->count = kept;
}

void refs_find(struct session *s, const struct ref_target *targets, size_t count,
	       const struct refs_options *options, struct refs *refs)
{
	struct gather g = { 0 };
	auto_free struct word_range *ranges = xcalloc(count, sizeof(*ranges));

	*refs = (struct refs){ 0 };
	for (size_t i = 0; i < count; i++)
		ranges[i] = (struct word_range){ targets[i].start, targets[i].size };
	struct word_query query = { .ranges = ranges, .count = count, .width = 8 };
	pthread_mutex_init(&g.lock, NULL);
	refs->partial = !memory_find_words(s->memory, s->stop, &query, gather_hit, &g,
					   &refs->holes);
	pthread_mutex_destroy(&g.lock);
	if (g.hits.count)
		qsort(g.hits.data, g.hits.count, sizeof(*g.hits.data), compare_hits);
	refs->capped = g.total > g.hits.count;
	rank_hits(s, &g, targets, refs);
	refs->total = g.total;
	vec_deinit(&g.hits);
	if (refs->count)
		qsort(refs->data, refs->count, sizeof(*refs->data), compare_refs);
	select_wanted(options, refs);
	for (size_t i = 0; i < refs->count; i++) {
		if (!refs->data[i].what.text[0])
			describe_page(s, &refs->data[i]);
	}
}

void refs_deinit(struct refs *refs)
{
	free(refs->data);
	*refs = (struct refs){ 0 };
}
