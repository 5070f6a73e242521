// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Evidence in words: which members fit, and to what they point; which contradict. And the heads of
 * sk_buffs, which are no struct: a buffer of bytes with a skb_shared_info at its end.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "forensics/identify_search.h"

enum { EVIDENCE_MAX = 12 };
#define WORTH_TELLING 1.0

static int by_weight(const void *a, const void *b)
{
	float x = fabsf(((const struct id_evidence *)a)->weight);
	float y = fabsf(((const struct id_evidence *)b)->weight);

	return x > y ? -1 : x < y;
}

static void describe_target(struct search *q, const struct id_word *w, struct strbuf *text)
{
	struct session *s = q->id->session;
	char name[192];

	switch (w->class) {
	case WORD_FUNCTION:
	case WORD_TEXT:
	case WORD_RODATA:
	case WORD_DATA:
		symbols_format(s->symbols, w->value, name, sizeof(name));
		strbuf_addf(text, " -> %s", name);
		return;
	case WORD_SLAB:
		if (w->type != ID_NONE)
			strbuf_addf(text, " -> %s", id_struct_at(q->id->types, w->type)->name);
		else
			strbuf_addf(text, " -> slab object");
		if (w->freed)
			strbuf_add(text, " (free)");
		return;
	case WORD_PAGE:
		strbuf_add(text, " -> struct page");
		return;
	case WORD_ZERO:
		strbuf_add(text, " = 0");
		return;
	default:
		strbuf_addf(text, " = 0x%llx", (unsigned long long)w->value);
		return;
	}
}

static void word_evidence(struct search *q, const struct id_struct *st,
			  const struct id_evidence *e, struct strbuf *text)
{
	char path[160] = "";

	type_path_at(st->type, e->offset, path, sizeof(path));
	strbuf_addf(text, "+0x%llx %s", (unsigned long long)e->offset, path);
	if (!e->word)
		return;
	switch (e->kind) {
	case PROBE_LIST:
	case PROBE_HNODE:
	case PROBE_RB:
		strbuf_add(text, e->weight < 0	     ? ": the neighbours do not point back"
				 : e->word->here     ? ": empty list, points to itself"
						     : ": linked, the neighbours point back");
		return;
	case PROBE_POINTER:
	case PROBE_FUNCTION:
	case PROBE_VOID:
	case PROBE_STRING:
	case PROBE_OTHER:
		describe_target(q, e->word, text);
		if (e->kind == PROBE_FUNCTION && e->weight < 0 && e->word->class == WORD_FUNCTION)
			strbuf_add(text, ": another prototype");
		return;
	case PROBE_TEXT:
		strbuf_add(text, e->weight < 0 ? ": not text" : ": text");
		return;
	default:
		strbuf_addf(text, e->weight < 0 ? ": impossible value" : ": sensible value");
		return;
	}
}

static void add_refs(struct search *q, const struct candidate *c, struct arena *arena,
		     struct identify_evidence *list, size_t *count)
{
	const struct id_struct *st = id_struct_at(q->id->types, c->type);
	char path[160];

	for (size_t i = 0; i < q->refs.count && *count < EVIDENCE_MAX / 2; i++) {
		const struct search_ref *r = &q->refs.data[i];
		if (r->to - c->base >= st->size ||
		    !id_struct_holds(q->id->types, c->type, r->to - c->base, r->target))
			continue;
		const struct id_struct *from = id_struct_at(q->id->types, r->source);
		path[0] = '\0';
		type_path_at(from->type, r->offset, path, sizeof(path));
		list[(*count)++] = (struct identify_evidence){
			.offset = r->to - c->base,
			.weight = 4.5,
			.text = arena_printf(arena, "pointed to by %s.%s, as a %s (%u times)",
					     from->name, path,
					     id_struct_at(q->id->types, r->target)->name,
					     r->count),
		};
	}
}

void identify_explain(struct search *q, struct arena *arena, const struct candidate *c,
		      struct identify_hypothesis *h)
{
	const struct id_struct *st = id_struct_at(q->id->types, c->type);
	struct id_evidences all = { 0 };
	struct identify_evidence *fits = arena_zalloc(arena, EVIDENCE_MAX * sizeof(*fits));
	struct identify_evidence *denies = arena_zalloc(arena, EVIDENCE_MAX * sizeof(*denies));

	h->fits = fits;
	h->contradicts = denies;
	add_refs(q, c, arena, fits, &h->fit_count);
	id_score(&q->view, c->type, c->base, ID_DEEP, -INFINITY, &all);
	if (all.count)
		qsort(all.data, all.count, sizeof(all.data[0]), by_weight);
	vec_for_each (e, &all) {
		auto_strbuf text = { 0 };
		bool fit = e->weight > 0;
		size_t *count = fit ? &h->fit_count : &h->contradict_count;
		if (fabsf(e->weight) < WORTH_TELLING || *count >= EVIDENCE_MAX)
			continue;
		word_evidence(q, st, e, &text);
		(fit ? fits : denies)[(*count)++] = (struct identify_evidence){
			.offset = e->offset,
			.weight = e->weight,
			.text = arena_strdup(arena, strbuf_text(&text)),
		};
	}
	vec_deinit(&all);
}

/* --- Heads of sk_buffs --- */

/* The sk_buff whose head begins at the view's start; its `end` is an offset from there. */
bool identify_is_skb_head(struct search *q, const struct id_ref *refs, size_t count,
			  struct identify_result *result, struct arena *arena)
{
	struct session *s = q->id->session;
	uint32_t skb = id_struct_named(q->id->types, "sk_buff");
	uint64_t head, end, size = types_sizeof(s->types, "skb_shared_info");
	uint64_t room = q->view.count * 8;

	if (skb == ID_NONE || !koffset(s, "sk_buff", "head", &head) || !size)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (refs[i].source != skb || refs[i].offset != head ||
		    refs[i].to != q->view.start ||
		    !kread(s, refs[i].from, "sk_buff", "end", &end))
			continue;
		end = end >= q->view.start ? end - q->view.start : end; /* once a pointer */
		if (!range_fits(end, size, room))
			continue;
		struct identify_hypothesis *parts = arena_zalloc(arena, 2 * sizeof(*parts));
		parts[0] = (struct identify_hypothesis){ .type = "sk_buff data",
							 .base = q->view.start, .size = end,
							 .confidence = IDENTIFY_CERTAIN };
		parts[1] = (struct identify_hypothesis){ .type = "skb_shared_info",
							 .base = q->view.start + end, .size = size,
							 .confidence = IDENTIFY_CERTAIN };
		result->parts = parts;
		result->part_count = 2;
		return true;
	}
	return false;
}
