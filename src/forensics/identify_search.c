// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Two rounds over all structs of BTF: the object's own words first; what these point to for the
 * best of them only. In both, typed pointers into the object speak for the structs that have such a
 * struct there, and against the others.
 */
#include "forensics/identify_search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "base/vec.h"

enum {
	KEPT = 64,   /* after the first round */
	POINTERS_SHOWN = 3,
};

/* One pointer from an object of known type; more of the same kind add little. */
#define REF_FITS 4.5
#define REF_AGAIN 0.3
#define REF_DENIES -2.5
#define SMALLER_COST 2.5
#define MAYBE_GAIN 2.0
#define FLOOR -25
#define TAIL_COST 0.6

static int by_score(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->base != y->base)
		return x->base < y->base ? -1 : 1;
	return x->type < y->type ? -1 : x->type > y->type;
}

void candidates_sort(struct candidates *all)
{
	if (all->count)
		qsort(all->data, all->count, sizeof(all->data[0]), by_score);
}

/* --- Pointers into the view --- */

static void add_ref(struct search *q, const struct id_ref *r)
{
	vec_for_each (old, &q->refs) {
		if (old->to == r->to && old->target == r->target && old->source == r->source &&
		    old->offset == r->offset) {
			old->count++;
			return;
		}
	}
	vec_push(&q->refs, (struct search_ref){ .to = r->to, .target = r->target,
						.source = r->source, .offset = r->offset,
						.count = 1 });
}

static void name_ref(struct search *q, struct strbuf *text, const struct id_ref *r)
{
	const struct id_struct *st = id_struct_at(q->id->types, r->source);
	char path[128] = "";

	type_path_at(st->type, r->offset, path, sizeof(path));
	strbuf_addf(text, "%s%s.%s of %016llx", text->len ? ", " : "", st->name, path,
		    (unsigned long long)r->from);
	if (r->to != q->view.start)
		strbuf_addf(text, " (at +0x%llx)", (unsigned long long)(r->to - q->view.start));
}

void identify_gather_refs(struct search *q, struct arena *arena, struct identify_result *result)
{
	auto_strbuf text = { 0 };
	size_t count, shown = 0;
	uint64_t hidden = id_context_hidden(q->id->ctx);
	const struct id_ref *refs =
		id_refs_into(q->id->refs, q->view.start, q->view.count * 8, &count);

	for (size_t i = 0; i < count; i++) {
		if (hidden && id_refs_cache(q->id->refs, refs[i].cache) == hidden)
			continue;
		if (refs[i].from - q->view.start < q->view.count * 8)
			continue; /* from within */
		if (q->refs.count < 64 && refs[i].target != ID_NONE)
			add_ref(q, &refs[i]);
		if (shown++ < POINTERS_SHOWN)
			name_ref(q, &text, &refs[i]);
	}
	if (shown > POINTERS_SHOWN)
		strbuf_addf(&text, " and %zu more", shown - POINTERS_SHOWN);
	q->buffer = identify_is_skb_head(q, refs, count, result, arena);
	if (text.len)
		result->pointed_by = arena_strdup(arena, text.data);
}

static double score_refs(const struct search *q, uint32_t id, uint64_t base)
{
	const struct id_struct *st = id_struct_at(q->id->types, id);
	double sum = 0;

	for (size_t i = 0; i < q->refs.count; i++) {
		const struct search_ref *r = &q->refs.data[i];
		if (r->to - base >= st->size)
			continue;
		bool holds = id_struct_holds(q->id->types, id, r->to - base, r->target);
		sum += holds ? REF_FITS + fmin(REF_AGAIN * (r->count - 1), 1.5)
		       : q->clipped ? 0 : REF_DENIES;
	}
	return sum;
}

/* --- Scores --- */

static double prior(const struct search *q, uint32_t id, const struct id_struct *st, uint64_t base)
{
	double p = fmin(log1p(st->pointed) * 0.2, 0.8);

	/* Tried at every word of a range, something fits somewhere by chance. */
	if (!q->whole && base != q->view.start)
		p -= log((double)q->view.count);
	if (id == q->maybe)
		p += MAYBE_GAIN;
	if (st->size <= q->size_low)
		p -= SMALLER_COST;
	return p;
}

/*
 * What lies behind the struct in an object that is longer: in most kernels zeros, as in the rest of
 * what kzalloc() gave and nobody used. Numbers there speak for a longer struct.
 */
static double score_tail(const struct search *q, const struct id_struct *st, uint64_t base)
{
	uint64_t end = q->view.start + q->view.count * 8, used = 0;

	if (q->blind || !q->whole || q->clipped)
		return 0;
	for (uint64_t at = base + ((st->size + 7) & ~UINT64_C(7)); at < end; at += 8) {
		const struct id_word *w = q->view.words[(at - q->view.start) / 8];
		used += w && w->class != WORD_ZERO;
	}
	return -TAIL_COST * (double)min_u64(used, 6);
}

static double score(struct search *q, uint32_t id, uint64_t base, enum id_depth depth)
{
	const struct id_struct *st = id_struct_at(q->id->types, id);

	return id_score(&q->view, id, base, depth, FLOOR, NULL) + score_refs(q, id, base) +
	       identify_size_told(q, id, base) + score_tail(q, st, base) + prior(q, id, st, base);
}

/* Keeps the best KEPT in a heap of which the root is the worst. */
static void keep(struct candidates *all, struct candidate c)
{
	size_t i;

	if (all->count < KEPT) {
		vec_push(all, c);
		for (i = all->count - 1; i && all->data[(i - 1) / 2].score > all->data[i].score;
		     i = (i - 1) / 2) {
			struct candidate t = all->data[i];
			all->data[i] = all->data[(i - 1) / 2];
			all->data[(i - 1) / 2] = t;
		}
		return;
	}
	if (c.score <= all->data[0].score)
		return;
	for (i = 0;;) {
		size_t child = 2 * i + 1;
		if (child >= KEPT)
			break;
		if (child + 1 < KEPT && all->data[child + 1].score < all->data[child].score)
			child++;
		if (all->data[child].score >= c.score)
			break;
		all->data[i] = all->data[child];
		i = child;
	}
	all->data[i] = c;
}

/*
 * Of a struct and another that is nothing but it (the same size, or one more member at most), what
 * is allocated is the outer one, unless something says otherwise.
 */
static void prefer_outer(struct search *q, struct candidates *found)
{
	if (!found->count)
		return;
	struct candidate *first = &found->data[0];
	for (size_t i = 1; i < found->count && first->score - found->data[i].score <= 1; i++) {
		struct candidate *c = &found->data[i];
		if (c->base != first->base || c->type == first->type ||
		    id_struct_at(q->id->types, c->type)->size !=
			    id_struct_at(q->id->types, first->type)->size ||
		    !id_struct_holds(q->id->types, c->type, 0, first->type))
			continue;
		uint32_t inner = first->type;
		first->type = c->type;
		c->type = inner;
		return;
	}
}

void identify_deepen(struct search *q, struct candidates *found)
{
	for (size_t i = 0; i < found->count; i++)
		found->data[i].score = score(q, found->data[i].type, found->data[i].base, ID_DEEP);
	candidates_sort(found);
	prefer_outer(q, found);
}

void identify_try(struct search *q, uint32_t id, uint64_t base, struct candidates *found)
{
	keep(found, (struct candidate){ base, id, score(q, id, base, ID_SHALLOW) });
}

void identify_search_at(struct search *q, uint64_t base, struct candidates *found)
{
	uint64_t room = q->view.start + q->view.count * 8 - base;
	size_t count = id_types_count(q->id->types);

	found->count = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct id_struct *st = id_struct_at(q->id->types, i);
		if (st->least <= room && st->probe_count)
			identify_try(q, i, base, found);
	}
	identify_deepen(q, found);
}

bool identify_has_pointers(const struct search *q, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at += 8) {
		size_t i = (size_t)((at - q->view.start) / 8);
		const struct id_word *w = i < q->view.count ? q->view.words[i] : NULL;
		if (w && word_is_pointer(w) && w->class != WORD_BAD)
			return true;
	}
	return false;
}
