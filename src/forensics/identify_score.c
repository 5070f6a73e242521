// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Each probe of a struct adds the logarithm of a likelihood ratio: how often such a member holds
 * such a word, against how often a word of any object is such. The numbers are rough frequencies in
 * kernel memory: half of all words are zero, and so are half of all pointers, which says nothing;
 * one word in fifty is the start of a function, but of pointers to functions every second, and with
 * the right prototype; a list_head whose neighbours do not point back hardly exists.
 *
 * Zeros count a little against a type, since a larger struct of which the rest is zero always fits
 * as well: of two, the smaller is likelier.
 */
#include "forensics/identify_score.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "forensics/poison.h"

enum {
	CHECKED_TEXT_MAX = 64,
	DEEP_SIZE_MAX = 2048,
	NUMBERS_MAX = 4,
	LIST_POISON = 0x100, /* LIST_POISON1, _2: include/linux/poison.h, plus POISON_POINTER_DELTA */
};

/* What a contradiction costs where others may have written since. */
#define CLIPPED_LOSS -0.15

struct scoring {
	const struct id_view *view;
	struct id_context *ctx;
	const struct id_struct *st;
	uint32_t id;
	uint64_t base;
	enum id_depth depth;
	unsigned numbers;      /* small ones that counted */
	uint32_t last_target;  /* of the pointer before, which fitted */
	struct id_evidences *evidence;
};

static bool is_filling(uint64_t value)
{
	uint8_t bytes[8];

	memcpy(bytes, &value, sizeof(bytes));
	return value && poison_of_fill(bytes, sizeof(bytes));
}

void id_view_init(struct id_view *view, struct id_context *ctx, uint64_t start, uint64_t size)
{
	*view = (struct id_view){ .ctx = ctx, .start = start, .count = size / 8 };
	view->words = xcalloc(view->count, sizeof(view->words[0]));
	for (size_t i = 0; i < view->count; i++)
		view->words[i] = id_word_at(ctx, start + i * 8);
	/* What allocators fill memory with says nothing of a type. */
	for (size_t i = 0; i < view->count; i++) {
		if (view->words[i] && is_filling(view->words[i]->value))
			view->words[i] = NULL;
	}
}

void id_view_deinit(struct id_view *view)
{
	free(view->words);
	view->words = NULL;
}

static const struct id_word *word_at(const struct scoring *sc, uint64_t offset)
{
	uint64_t i = (sc->base + offset - sc->view->start) / 8;

	return i < sc->view->count ? sc->view->words[i] : NULL;
}

static uint64_t part(const struct id_word *w, uint64_t offset, unsigned size)
{
	uint64_t v = w->value >> (offset % 8 * 8);

	return size >= 8 ? v : v & ((UINT64_C(1) << size * 8) - 1);
}

/* --- Pointers --- */

/* Pointer to a struct, by class of the word; slab objects and variables are looked at closer. */
static const float pointer_score[WORD_CLASSES] = {
	[WORD_ZERO] = -0.1f,  [WORD_SMALL] = -3.5f,   [WORD_NUMBER] = -2.5f, [WORD_ASCII] = -4,
	[WORD_USER] = -2,     [WORD_FUNCTION] = -4,   [WORD_TEXT] = -4,      [WORD_RODATA] = 0.3f,
	[WORD_DATA] = 0.8f,   [WORD_SLAB] = 0.7f,     [WORD_STACK] = 0.2f,   [WORD_PAGE] = -3,
	[WORD_DIRECT] = -0.5f, [WORD_BAD] = -2,
};

static const float function_score[WORD_CLASSES] = {
	[WORD_ZERO] = -0.1f, [WORD_SMALL] = -3,   [WORD_NUMBER] = -4, [WORD_ASCII] = -4,
	[WORD_USER] = -1,    [WORD_FUNCTION] = 2, [WORD_TEXT] = -1,   [WORD_RODATA] = -4,
	[WORD_DATA] = -4,    [WORD_SLAB] = -4,    [WORD_STACK] = -3,  [WORD_PAGE] = -4,
	[WORD_DIRECT] = -4,  [WORD_BAD] = -3,
};

static const float void_score[WORD_CLASSES] = {
	[WORD_ZERO] = -0.05f, [WORD_SMALL] = -0.7f,   [WORD_NUMBER] = -0.7f, [WORD_ASCII] = -1.5f,
	[WORD_USER] = -0.2f,  [WORD_FUNCTION] = -0.7f, [WORD_TEXT] = -1,     [WORD_RODATA] = 0.2f,
	[WORD_DATA] = 0.3f,   [WORD_SLAB] = 0.4f,     [WORD_STACK] = 0.2f,   [WORD_PAGE] = 0.1f,
	[WORD_DIRECT] = 0.3f, [WORD_BAD] = -0.3f,
};

static const float string_score[WORD_CLASSES] = {
	[WORD_ZERO] = -0.1f,  [WORD_SMALL] = -3,    [WORD_NUMBER] = -2.5f, [WORD_ASCII] = -3.5f,
	[WORD_USER] = -0.7f,  [WORD_FUNCTION] = -4, [WORD_TEXT] = -4,      [WORD_RODATA] = -1,
	[WORD_DATA] = -0.5f,  [WORD_SLAB] = -0.3f,  [WORD_STACK] = -0.3f,  [WORD_PAGE] = -2.5f,
	[WORD_DIRECT] = 0,    [WORD_BAD] = -1.5f,
};

static const float other_score[WORD_CLASSES] = {
	[WORD_ZERO] = -0.1f, [WORD_SMALL] = -1.5f,  [WORD_NUMBER] = -1, [WORD_ASCII] = -3,
	[WORD_USER] = -0.5f, [WORD_FUNCTION] = -3.5f, [WORD_TEXT] = -3.5f, [WORD_RODATA] = 0.2f,
	[WORD_DATA] = 0.2f,  [WORD_SLAB] = 0.3f,    [WORD_STACK] = 0.3f, [WORD_PAGE] = -1.5f,
	[WORD_DIRECT] = 0.3f, [WORD_BAD] = -1.5f,
};

static bool is_page_type(const char *name)
{
	return strcmp(name, "page") == 0 || strcmp(name, "folio") == 0 ||
	       strcmp(name, "slab") == 0 || strcmp(name, "ptdesc") == 0;
}

/* What the struct at the other end adds, where nothing else tells its type. */
static double deep_score(const struct scoring *sc, uint32_t target, uint64_t address)
{
	double score = id_score_at(sc->ctx, target, address);

	if (score >= 15)
		return 4.5;
	if (score >= 6)
		return 3;
	if (score >= 3)
		return 1.5;
	if (score <= -6)
		return -3;
	return score <= -3 ? -1.5 : 0;
}

static double score_slab_pointer(const struct scoring *sc, const struct probe *p,
				 const struct id_word *w)
{
	const struct id_struct *target = id_struct_at(id_context_types(sc->ctx), p->target);

	if (w->type != ID_NONE)
		return id_struct_holds(id_context_types(sc->ctx), w->type, w->offset, p->target)
			       ? 4.5
			       : -3.5;
	if (w->freed)
		return -2;
	if (w->room && w->room < target->size && target->size > 64)
		return -2.5;
	return 0.7;
}

static double score_pointer(const struct scoring *sc, const struct probe *p,
			    const struct id_word *w)
{
	double score = pointer_score[w->class];
	uint64_t inside = w->value - sc->base;

	if (w->class < WORD_FUNCTION || w->class == WORD_FUNCTION || w->class == WORD_TEXT ||
	    w->class == WORD_BAD)
		return score;
	if (p->target == ID_NONE)
		return w->class == WORD_PAGE ? -2 : 0.2;
	const struct id_struct *target = id_struct_at(id_context_types(sc->ctx), p->target);
	if (w->class == WORD_PAGE)
		return is_page_type(target->name) ? 4 : -3;
	if (inside < sc->st->size) {
		/* Heads of lists that are not list_head (sk_buff_head) point to themselves too. */
		if (w->here || w->prev_back)
			return 1.5;
		return id_struct_holds(id_context_types(sc->ctx), sc->id, inside, p->target) ? 3
											     : -2;
	}
	if (target->size == 16 && target->probe_count == 1 && /* hlist_head.first */
	    target->probes[0].kind == PROBE_HNODE)
		return w->next_back ? 3.5 : -1.5;
	if (w->class == WORD_SLAB) {
		score = score_slab_pointer(sc, p, w);
		if (w->type != ID_NONE || w->freed)
			return score;
	}
	if ((w->class == WORD_DATA || w->class == WORD_RODATA) && w->room &&
	    w->room < target->size && target->size > 64)
		return -1.5;
	if (w->class == WORD_RODATA && p->is_const)
		score += 1.2;
	if (sc->depth == ID_DEEP)
		score += deep_score(sc, p->target, w->value);
	return score;
}

static double score_function(const struct scoring *sc, const struct probe *p,
			     const struct id_word *w)
{
	if (w->value == 1) /* SIG_IGN and its like */
		return -0.7;
	if (w->class != WORD_FUNCTION || !w->prototype)
		return function_score[w->class];
	if (w->prototype != p->target)
		return -2.5;
	double rarity = log(25 / id_prototype_share(id_context_types(sc->ctx), p->target));
	return fmin(fmax(rarity, 3), 8);
}

/* --- Nodes --- */

static bool is_poison(uint64_t value)
{
	return value >> 48 == 0xdead && (value & 0xffff) >= LIST_POISON &&
	       (value & 0xffff) <= LIST_POISON + 0x300;
}

static double score_list(const struct id_word *next, const struct id_word *prev)
{
	if (next->next_back && prev->prev_back)
		return next->here ? 4.5 : 6;
	if (!next->value && !prev->value)
		return -0.8;
	if (is_poison(next->value) && is_poison(prev->value))
		return 5;
	if ((next->next_back || word_is_pointer(next)) && is_poison(prev->value))
		return 2; /* list_del_rcu() */
	return next->next_back || prev->prev_back ? -1.5 : -5;
}

static double score_hnode(const struct id_word *next, const struct id_word *pprev)
{
	bool end = !next->value || next->next_back || next->value & 1;

	if (!next->value && !pprev->value)
		return -0.3;
	if (end && pprev->prev_back)
		return 4;
	if (is_poison(pprev->value) && (end || word_is_pointer(next)))
		return 3;
	return -4;
}

static double score_rb(const struct id_word *parent, const struct id_word *right,
		       const struct id_word *left)
{
	if (left && left->value && (!word_is_pointer(left) || !left->readable))
		return -4;
	if (parent->here)
		return 4;
	if (parent->tree)
		return 4.5;
	if (parent->value <= 1) {
		if (!right->value)
			return parent->value ? 0 : -0.3;
		return right->prev_back ? 1.5 : -2;
	}
	return -4;
}

/* --- Numbers --- */

/* Small numbers are commoner in numbers than elsewhere; the first few count, not a table of them. */
static double score_nonzero(struct scoring *sc, const struct id_word *w)
{
	if (w->class != WORD_SMALL || sc->numbers >= NUMBERS_MAX)
		return 0.03;
	sc->numbers++;
	return 0.25;
}

static double score_int(struct scoring *sc, const struct probe *p, const struct id_word *w)
{
	if (w->class == WORD_ZERO)
		return -0.02;
	if (p->size < 8) {
		if (word_is_pointer(w) && w->class != WORD_BAD)
			return p->size == 4 ? -2.5 : -1.2;
		return part(w, p->offset, p->size) ? score_nonzero(sc, w) : -0.02;
	}
	if (w->class == WORD_FUNCTION)
		return -2;
	return word_is_pointer(w) ? -0.8 : score_nonzero(sc, w);
}

static double score_small(const struct scoring *sc, const struct probe *p,
			  const struct id_word *w)
{
	uint64_t v = part(w, p->offset, p->size);
	const struct enum_range *range;

	if (word_is_pointer(w) && w->class != WORD_BAD && v)
		return -3;
	switch (p->kind) {
	case PROBE_SPINLOCK:
		return v ? -2 : 0.1;
	case PROBE_REFCOUNT:
		if (!v)
			return -0.3;
		return v <= 4096 ? 1.2 : v >> 30 == 3 ? -1 : -2.5;
	case PROBE_BOOL:
		return v > 1 ? -4 : v ? 0.4 : -0.02;
	default:
		range = id_enum(id_context_types(sc->ctx), p->target);
		int64_t value = p->size == 4 ? (int32_t)v : p->size == 1 ? (int8_t)v : (int64_t)v;
		if (value >= range->low && value <= range->high)
			return value ? 0.6 : -0.02;
		if (range->flags && !(v & ~range->bits))
			return 0.2;
		return v ? -3 : -0.1;
	}
}

static double score_text(const struct scoring *sc, const struct probe *p)
{
	uint64_t n = min_u64(p->size, CHECKED_TEXT_MAX), i = 0;
	bool zero = true;

	for (; i < n; i++) {
		const struct id_word *w = word_at(sc, p->offset + i);
		unsigned char c = w ? (unsigned char)part(w, sc->base + p->offset + i, 1) : 0;
		if (!c)
			break;
		zero = false;
		if (!isprint(c) && !isspace(c))
			return -3;
	}
	if (zero)
		return -0.1;
	return i >= 3 ? 2.5 : 0.3;
}

/* --- All of a struct --- */

/*
 * Memory that holds one pointer to a page holds more of them, of whatever type it is: in a row of
 * pointers of one type the later ones say little.
 */
static double score_in_row(struct scoring *sc, const struct probe *p, double score)
{
	bool again = score > 0 && p->target == sc->last_target;

	if (score > 0)
		sc->last_target = p->target;
	return again ? score * 0.2 : score;
}

static double score_simple(struct scoring *sc, const struct probe *p)
{
	const struct id_word *w = word_at(sc, p->offset), *next;

	if (!w)
		return 0;
	switch (p->kind) {
	case PROBE_LIST:
	case PROBE_HNODE:
	case PROBE_RB:
		next = word_at(sc, p->offset + 8);
		if (!next || p->offset % 8)
			return 0;
		return p->kind == PROBE_LIST    ? score_list(w, next)
		       : p->kind == PROBE_HNODE ? score_hnode(w, next)
						: score_rb(w, next,
							   word_at(sc, p->offset + 16));
	case PROBE_TEXT:
		return score_text(sc, p);
	case PROBE_INT:
		return score_int(sc, p, w);
	case PROBE_SPINLOCK:
	case PROBE_REFCOUNT:
	case PROBE_BOOL:
	case PROBE_ENUM:
		return score_small(sc, p, w);
	default:
		break;
	}
	if (p->offset % 8)
		return 0; /* packed: rare, and its word is two words */
	switch (p->kind) {
	case PROBE_POINTER:
		return score_in_row(sc, p, score_pointer(sc, p, w));
	case PROBE_FUNCTION:
		return score_function(sc, p, w);
	case PROBE_VOID:
		return void_score[w->class];
	case PROBE_STRING:
		return w->string ? 2 : string_score[w->class];
	case PROBE_OTHER:
		return other_score[w->class];
	default:
		return 0;
	}
}

static double score_probes(struct scoring *sc, uint32_t from, uint32_t to, double floor);

static double score_union(struct scoring *sc, uint32_t at, uint32_t end)
{
	double best = -INFINITY;
	unsigned cases = 0;
	uint32_t best_at = 0;
	struct scoring quiet = *sc;

	quiet.evidence = NULL;
	for (uint32_t i = at + 1; i < end; cases++) {
		uint32_t next = sc->st->probes[i].target;
		if (sc->st->probes[i].kind != PROBE_CASE || next <= i || next > end)
			break;
		double score = score_probes(&quiet, i + 1, next, -INFINITY);
		if (score > best) {
			best = score;
			best_at = i;
		}
		i = next;
	}
	if (!cases)
		return 0;
	if (sc->evidence)
		score_probes(sc, best_at + 1, sc->st->probes[best_at].target, -INFINITY);
	return best > 0 && cases > 1 ? best - fmin(best, 0.3) : best;
}

static double score_probes(struct scoring *sc, uint32_t from, uint32_t to, double floor)
{
	double sum = 0;

	for (uint32_t i = from; i < to && sum > floor; i++) {
		const struct probe *p = &sc->st->probes[i];
		if (p->kind == PROBE_UNION) {
			uint32_t end = p->target > i && p->target <= to ? p->target : to;
			sum += score_union(sc, i, end);
			i = end - 1;
			continue;
		}
		double score = score_simple(sc, p);
		if (sc->view->clipped)
			score = score < 0 ? fmax(score, CLIPPED_LOSS) : score < 2 ? 0 : score;
		sum += score;
		if (sc->evidence && fabs(score) >= 0.2)
			vec_push(sc->evidence,
				 (struct id_evidence){ p->offset, p->kind, (float)score,
						       word_at(sc, p->offset) });
	}
	return sum;
}

double id_score(const struct id_view *view, uint32_t id, uint64_t base, enum id_depth depth,
		double floor, struct id_evidences *evidence)
{
	struct scoring sc = {
		.view = view,
		.ctx = view->ctx,
		.st = id_struct_at(id_context_types(view->ctx), id),
		.id = id,
		.last_target = ID_NONE,
		.base = base,
		.depth = depth,
		.evidence = evidence,
	};

	return score_probes(&sc, 0, sc.st->probe_count, floor);
}

double id_score_at(struct id_context *ctx, uint32_t id, uint64_t address)
{
	const struct id_struct *st = id_struct_at(id_context_types(ctx), id);
	struct id_view view;
	double score;

	if (address % 8 || id_context_score(ctx, id, address, &score))
		return address % 8 ? 0 : score;
	id_view_init(&view, ctx, address, min_u64((st->size + 7) & ~7u, DEEP_SIZE_MAX));
	score = id_score(&view, id, address, ID_SHALLOW, -20, NULL);
	id_view_deinit(&view);
	id_context_keep_score(ctx, id, address, score);
	return score;
}
