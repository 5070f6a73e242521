// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Words of 8 bytes: pointers of one kind in a row, page-table entries, numbers that rise by one
 * step; arrays of structures by their period; and for what is none of these, the shares.
 *
 * Page-table entries of x86-64 (arch/x86/include/asm/pgtable_types.h): bit 0 present, bits 12 to 51
 * the page frame, 63 no-execute; entries of one table mostly differ in the page frame alone.
 */
#include <stdio.h>

#include "forensics/content_part.h"
#include "forensics/poison.h"

enum {
	ROW_MIN = 8,     /* words of one kind that make a run of their own */
	SMALL_MAX = 1 << 20,
	RECORDS_MIN = 6, /* periods that make an array */
	STRIDE_MAX = 1024,
	WORDS_MAX = 4096, /* looked at for a period */
	FLAG_SORTS = 4,   /* of page-table entries that one table has */
};

#define PTE_PRESENT  UINT64_C(1)
#define PTE_PFN_MASK UINT64_C(0x000ffffffffff000)
/* Bits 52-58 are the software's, 59-62 a protection key. */
#define PTE_FLAGS    UINT64_C(0x8000000000000ffb) /* without accessed and dirty */

enum word_class {
	WORD_ZERO,
	WORD_SMALL,
	WORD_OTHER,
	WORD_POISON,
	WORD_POINTER, /* + enum pointer_kind */
};

static unsigned class_of(const struct content_view *v, uint64_t word)
{
	if (!word)
		return WORD_ZERO;
	enum pointer_kind kind =
		v->env->pointer ? v->env->pointer(v->env->ctx, word) : POINTER_NONE;
	if (kind != POINTER_NONE)
		return WORD_POINTER + kind;
	if (poison_of(word))
		return WORD_POISON;
	return word < SMALL_MAX || word > UINT64_MAX - SMALL_MAX ? WORD_SMALL : WORD_OTHER;
}

static uint64_t word_at(const struct content_view *v, size_t at)
{
	return load_u64(v->bytes + at);
}

/* The end of the pointers of one kind from @from on, one other word in ten allowed within. */
static size_t row_of_pointers(const struct content_view *v, size_t from, size_t to,
			      struct content_run *run)
{
	unsigned kind = class_of(v, word_at(v, from));
	size_t end = from, words = 0, strangers = 0, last = from;

	if (kind <= WORD_POINTER)
		return from;
	for (; end + 8 <= to; end += 8) {
		if (class_of(v, word_at(v, end)) == kind) {
			words++;
			last = end + 8;
		} else if (++strangers * 10 > words) {
			break;
		}
	}
	if (words < ROW_MIN)
		return from;
	run->kind = CONTENT_POINTERS;
	run->count = words;
	snprintf(run->text, sizeof(run->text), "%zu pointers to %s", words,
		 pointer_kind_name((enum pointer_kind)(kind - WORD_POINTER)));
	return last;
}

static bool is_entry(const struct content_view *v, uint64_t word)
{
	uint64_t pfn = (word & PTE_PFN_MASK) >> 12;

	return word & PTE_PRESENT && pfn && pfn < v->env->max_pfn;
}

/* How often which flags: a table of modules has code, constants and data in turn. */
struct flag_counts {
	uint64_t flags[FLAG_SORTS];
	size_t count[FLAG_SORTS];
};

static void count_flags(struct flag_counts *c, uint64_t flags)
{
	for (size_t i = 0; i < FLAG_SORTS; i++) {
		if (!c->count[i])
			c->flags[i] = flags;
		if (c->flags[i] == flags) {
			c->count[i]++;
			return;
		}
	}
}

static size_t row_of_entries(const struct content_view *v, size_t from, size_t to,
			     struct content_run *run)
{
	uint64_t first = word_at(v, from);
	size_t end = from, entries = 0, counted = 0, most = 0, last = from;
	struct flag_counts c = { 0 };

	/* An entry without flags but the present one is an odd number that just fits. */
	if (!is_entry(v, first) || !(first & 0xffe))
		return from;
	for (; end + 8 <= to; end += 8) {
		uint64_t word = word_at(v, end);
		if (!word)
			continue;
		if (!is_entry(v, word))
			break;
		entries++;
		count_flags(&c, word & PTE_FLAGS);
		last = end + 8;
	}
	for (size_t i = 0; i < FLAG_SORTS; i++) {
		counted += c.count[i];
		most = c.count[i] > c.count[most] ? i : most;
	}
	/* Odd numbers of another meaning have all sorts of low bits. */
	if (entries < ROW_MIN || counted * 4 < entries * 3)
		return from;
	uint64_t flags = c.flags[most];
	run->kind = CONTENT_PTES;
	run->count = entries;
	/* NX, user, writable */
	snprintf(run->text, sizeof(run->text), "%zu entries: page frame 0x%llx ..., %s%s%s%s", entries,
		 (unsigned long long)((first & PTE_PFN_MASK) >> 12),
		 c.count[most] < entries ? "mostly " : "", flags & 4 ? "user" : "kernel",
		 flags & 2 ? ", writable" : ", read-only", flags >> 63 ? ", not executable" : "");
	return last;
}

static size_t row_of_numbers(const struct content_view *v, size_t from, size_t to,
			     struct content_run *run)
{
	if (to - from < 8 * ROW_MIN)
		return from;
	uint64_t first = word_at(v, from), step = word_at(v, from + 8) - first;
	size_t end = from + 8;

	/* Bytes of text and tables of bytes have steps too, but not small ones. */
	if (class_of(v, first) > WORD_POINTER || !step ||
	    (step > SMALL_MAX && step < -(uint64_t)SMALL_MAX))
		return from;
	while (end + 8 <= to && word_at(v, end) - word_at(v, end - 8) == step)
		end += 8;
	if (end - from < 8 * ROW_MIN)
		return from;
	bool falls = step > SMALL_MAX;
	run->kind = CONTENT_NUMBERS;
	run->count = (end - from) / 8;
	snprintf(run->text, sizeof(run->text), "%zu words from 0x%llx on, each %s by 0x%llx",
		 (end - from) / 8, (unsigned long long)first, falls ? "less" : "more",
		 (unsigned long long)(falls ? -step : step));
	return end;
}

void content_words(const struct content_view *v, size_t from, size_t to, content_rest_fn rest,
		   struct content *content)
{
	size_t open = from;
	size_t at = from + (-(v->address + from) & 7);

	while (at + 8 <= to) {
		struct content_run run = { 0 };
		size_t end = row_of_entries(v, at, to, &run);
		if (end == at)
			end = row_of_numbers(v, at, to, &run);
		if (end == at)
			end = row_of_pointers(v, at, to, &run);
		if (end == at) {
			at += 8;
			continue;
		}
		rest(v, open, at, content);
		content_add(v, at, end, &run, content);
		at = open = end;
	}
	rest(v, open, to, content);
}

/* --- Arrays of structures. --- */

struct period {
	uint8_t class[WORDS_MAX];
	size_t count;
};

/*
 * Of the words that are more than zero, how many (of 1000) have the class of the word one stride
 * on? A word that is zero in one record may be set in the next: that speaks little against it.
 */
static unsigned agreement(const struct period *p, size_t stride)
{
	size_t same = 0, all = 0;

	for (size_t i = 0; i + stride < p->count; i++) {
		unsigned a = p->class[i], b = p->class[i + stride];
		if (a == WORD_ZERO && b == WORD_ZERO)
			continue;
		all++;
		same += a == b ? 4 : a == WORD_ZERO || b == WORD_ZERO ? 3 : 0;
	}
	return all >= 2 * RECORDS_MIN ? (unsigned)(same * 250 / all) : 0;
}

unsigned content_stride(const struct content_view *v, size_t from, size_t to)
{
	enum { GOOD = 900, BETTER_BY = 250 };
	static const size_t words_min = 3 * RECORDS_MIN;
	struct period p = { 0 };

	for (size_t at = from + (-(v->address + from) & 7); at + 8 <= to && p.count < WORDS_MAX;
	     at += 8)
		p.class[p.count++] = (uint8_t)class_of(v, word_at(v, at));
	if (p.count < words_min)
		return 0;
	/* What agrees with itself one word on is a row, not an array of structures. */
	unsigned next = agreement(&p, 1);
	for (size_t stride = 2; stride <= STRIDE_MAX / 8 && stride * RECORDS_MIN <= p.count;
	     stride++) {
		unsigned good = agreement(&p, stride);
		if (good >= GOOD && good >= next + BETTER_BY)
			return (unsigned)stride * 8;
	}
	return 0;
}

/* --- Everything else. --- */

/* The first string of some length in it: a name helps the reader more than all shares. */
static void add_string(const struct content_view *v, size_t from, size_t to, char *buf, size_t size)
{
	enum { NAME_MIN = 6 };
	size_t start = from;

	for (size_t at = from; at <= to; at++) {
		if (at < to && content_is_text(v->bytes[at]) && v->bytes[at] != 0x1b)
			continue;
		if (at - start >= NAME_MIN && at < to && !v->bytes[at]) {
			size_t n = strlen(buf);
			if (n + 12 >= size)
				return;
			snprintf(buf + n, size - n, "; text ");
			n = strlen(buf);
			content_quote(v->bytes + start, at - start, buf + n, min_u64(size - n, 40));
			return;
		}
		start = at + 1;
	}
}

void content_describe(const struct content_view *v, size_t from, size_t to, char *buf, size_t size)
{
	size_t counts[WORD_POINTER + POINTER_COUNT] = { 0 }, words = 0, n;
	static const char *const names[] = { "zero", "small numbers", "other", "poison" };
	const struct poison *poison = NULL;

	for (size_t at = from + (-(v->address + from) & 7); at + 8 <= to; at += 8, words++) {
		unsigned class = class_of(v, word_at(v, at));
		counts[class]++;
		if (class == WORD_POISON && !poison)
			poison = poison_of(word_at(v, at));
	}
	if (!words) {
		snprintf(buf, size, "%zu bytes", to - from);
		return;
	}
	n = (size_t)snprintf(buf, size, "%zu word%s", words, words == 1 ? "" : "s");
	for (unsigned i = array_size(counts); i-- > 0 && n < size;) {
		if (!counts[i] || i == WORD_POINTER)
			continue;
		enum pointer_kind kind = i < WORD_POINTER ? POINTER_NONE
							  : (enum pointer_kind)(i - WORD_POINTER);
		const char *name = i < WORD_POINTER ? names[i] : pointer_kind_name(kind);
		n += (size_t)snprintf(buf + n, size - n, "%s%zu %s%s",
				      strchr(buf, ':') ? ", " : ": ", counts[i],
				      i > WORD_POINTER ? "pointing to " : "", name);
		if (i == WORD_POISON && poison && n < size)
			n += (size_t)snprintf(buf + n, size - n, " (%s)", poison->name);
	}
	if (n < size)
		add_string(v, from, to, buf, size);
}
