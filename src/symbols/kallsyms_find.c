// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Finding kallsyms in bytes that nobody has told us anything about: kernels before 6.0 do not say
 * in VMCOREINFO where the tables are, and some dumps have no VMCOREINFO.
 *
 * The anchor is token_index: 256 ascending 16-bit offsets from 0 on, right behind the 256 strings
 * that they point to. From there backwards, names are found by their count: a word N after which N
 * names stand, followed by markers that say where every 256th of them starts. No accident passes
 * that. Addresses stand right before N or right behind token_index (the orders are in kallsyms.c);
 * kallsyms_parse() says whether they are ones. Since nothing else is assumed, a change of
 * the format that keeps the parts still works.
 *
 * Where names are damaged or missing that fails. Then the markers are looked for, right before
 * token_table: a chain of numbers that descends to 0. The last says about how long the names are,
 * and a part of the blocks between them must be as long as they say.
 *
 * Cost is bounded: walks over names have a budget for each call.
 */
#include <string.h>

#include "base/bytes.h"
#include "symbols/kallsyms.h"

enum {
	COUNT_MIN = 256,
	/* How far before token_table num_syms is looked for; names of 16 M symbols would be more. */
	REACH = 64 << 20,
	WALK_BUDGET = 64 << 20,
	MARKER_ALIGN = 4,
};

/* Somewhere to stand while the window's address is not known: place-relative sums stay positive. */
#define ANY_ADDRESS (UINT64_C(1) << 62)

static size_t align_up(size_t value, size_t align)
{
	return (value + align - 1) & ~(align - 1);
}

/* --- token_table and token_index. --- */

/* Do the 256 offsets at @index point to consecutive strings of a table at @table? */
static bool strings_fit(const uint8_t *data, size_t index, size_t table)
{
	for (unsigned i = 0; i < KALLSYMS_TOKENS; i++) {
		size_t at = table + load_u16(data + index + i * 2);
		size_t next = i + 1 < KALLSYMS_TOKENS ?
				      table + load_u16(data + index + i * 2 + 2) :
				      at + strnlen((const char *)data + at, index - at) + 1;

		if (next > index || memchr(data + at, '\0', next - at) != data + next - 1)
			return false;
		for (size_t j = at; j + 1 < next; j++) {
			if (data[j] <= ' ' || data[j] >= 0x7f)
				return false;
		}
	}
	return true;
}

static bool ascending(const uint8_t *index)
{
	for (unsigned i = 1; i < KALLSYMS_TOKENS; i++) {
		unsigned step = (unsigned)load_u16(index + i * 2) - load_u16(index + i * 2 - 2);
		if (step == 0 || step > 200)
			return false;
	}
	return load_u16(index) == 0;
}

bool kallsyms_check_tokens(const uint8_t *data, size_t size, size_t index, size_t *table)
{
	if (!range_fits(index, KALLSYMS_TOKENS * 2, size) || !ascending(data + index))
		return false;
	size_t last = load_u16(data + index + (KALLSYMS_TOKENS - 1) * 2);
	/* The last string is at least a NUL; padding up to 7 bytes follows it. */
	for (size_t len = 1; len < 200; len++) {
		size_t back = align_up(last + len, 4);
		if (back > index)
			return false;
		if (len > 1 && back == align_up(last + len - 1, 4))
			continue;
		if (strings_fit(data, index, index - back)) {
			*table = index - back;
			return true;
		}
	}
	return false;
}

bool kallsyms_find_tokens(const uint8_t *data, size_t size, size_t *pos,
			  struct kallsyms_places *places)
{
	for (size_t at = align_up(*pos, 4); size >= 512 && at <= size - 512; at += 4) {
		if (!kallsyms_maybe_token_index(load_u64(data + at)) ||
		    !kallsyms_check_tokens(data, size, at, &places->token_table))
			continue;
		places->token_index = at;
		*pos = at + KALLSYMS_TOKENS * 2;
		return true;
	}
	*pos = size;
	return false;
}

/* --- num_syms, names, markers. --- */

struct finder {
	const uint8_t *data;
	size_t size;
	size_t table, index;
	size_t budget;
	kallsyms_load_fn load;
	void *load_ctx;
	size_t loaded; /* from here to index all is loaded */
	bool letter[256]; /* does this token start with a type letter? */
};

static void learn_tokens(struct finder *f)
{
	for (unsigned i = 0; i < KALLSYMS_TOKENS; i++) {
		uint8_t c = f->data[f->table + load_u16(f->data + f->index + i * 2)];
		f->letter[i] = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '?';
	}
}

/* The entry after the one at @at, or 0. */
static inline size_t next_entry(const struct finder *f, size_t at)
{
	if (at + 3 > f->table)
		return 0;
	size_t len = f->data[at++];
	if (len & 0x80)
		len = (len & 0x7f) | (size_t)f->data[at++] << 7;
	if (!len || len >= f->table - at || !f->letter[f->data[at]])
		return 0;
	return at + len;
}

/* A few names, to tell quickly that there are none. */
static bool few_names(const struct finder *f, size_t at)
{
	for (unsigned i = 0; i < 8; i++) {
		at = next_entry(f, at);
		if (!at)
			return false;
	}
	return true;
}

static bool marker_is(const struct finder *f, size_t at, unsigned width, uint32_t i, size_t value)
{
	const uint8_t *p = f->data + at + (size_t)i * width;

	return (width == 8 ? load_u64(p) : load_u32(p)) == value;
}

/* Do @count names at @names end where markers start that agree with them? */
static bool names_fit(struct finder *f, size_t names, uint32_t count)
{
	uint32_t n = (count + KALLSYMS_MARKER_STEP - 1) / KALLSYMS_MARKER_STEP;
	size_t at = names, end;

	for (uint32_t i = 0; i < count; i++) {
		if (!f->budget)
			return false;
		f->budget--;
		at = next_entry(f, at);
		if (!at)
			return false;
	}
	for (unsigned align = MARKER_ALIGN; align <= 8; align += 4) {
		for (unsigned width = 4; width <= 8; width += 4) {
			size_t markers = align_up(at, align);
			uint32_t i;

			if (markers > f->table || (f->table - markers) / width < n)
				continue;
			end = names;
			for (i = 0; i < n && marker_is(f, markers, width, i, end - names); i++) {
				if (i + 1 == n)
					return true;
				for (unsigned j = 0; j < KALLSYMS_MARKER_STEP; j++)
					end = next_entry(f, end);
			}
		}
	}
	return false;
}

/* The number of symbols that a num_syms just before @names would say, or 0. */
static uint32_t count_before(const struct finder *f, size_t names, size_t back)
{
	uint32_t count = load_u32(f->data + names - back);

	if (count < COUNT_MIN || count > KALLSYMS_COUNT_MAX)
		return 0;
	/* 8: the upper half of an unsigned long, or padding. */
	if (back == 8 && load_u32(f->data + names - 4))
		return 0;
	return count < (f->table - names) / 2 ? count : 0;
}

/* Loads downwards, a piece at a time. */
static void load_down_to(struct finder *f, size_t at)
{
	enum { PIECE = 256 << 10 };

	while (f->load && f->loaded > at) {
		size_t n = f->loaded < PIECE ? f->loaded : PIECE;
		f->loaded -= n;
		f->load(f->load_ctx, f->loaded, n);
	}
}

static bool find_names(struct finder *f, struct kallsyms_places *places, size_t *num_syms)
{
	size_t low = f->table > REACH ? f->table - REACH : 0;

	for (size_t names = f->table & ~(size_t)3; names >= low + 8 && f->budget; names -= 4) {
		load_down_to(f, names - 8);
		for (size_t back = 4; back <= 8; back += 4) {
			uint32_t count = count_before(f, names, back);
			if (!count || !few_names(f, names) || !names_fit(f, names, count))
				continue;
			places->names = names;
			places->count = count;
			*num_syms = names - back;
			return true;
		}
	}
	return false;
}

/* --- Damaged names. --- */

struct chain {
	size_t start;
	unsigned width;
	uint32_t count, last;
};

static uint64_t marker_at(const struct finder *f, size_t at, unsigned width)
{
	return width == 8 ? load_u64(f->data + at) : load_u32(f->data + at);
}

/* Markers that end at @end: each at least 256 short names and at most 256 long ones apart. */
static bool find_chain(struct finder *f, size_t end, unsigned width, struct chain *chain)
{
	enum { BLOCK_MIN = KALLSYMS_MARKER_STEP * 2, BLOCK_MAX = KALLSYMS_MARKER_STEP * 600 };
	uint64_t value = UINT64_MAX, next;
	size_t at = end;

	*chain = (struct chain){ .width = width };
	while (at >= width && chain->count < KALLSYMS_COUNT_MAX / KALLSYMS_MARKER_STEP) {
		at -= width;
		load_down_to(f, at);
		next = value;
		value = marker_at(f, at, width);
		if (chain->count == 0)
			chain->last = (uint32_t)value;
		else if (value >= next || next - value < BLOCK_MIN || next - value > BLOCK_MAX)
			return false;
		if (value >= f->table)
			return false;
		chain->count++;
		chain->start = at;
		if (value == 0)
			return chain->count > 1;
	}
	return false;
}

/* How many blocks of names are as long as the markers say. */
static uint32_t good_blocks(struct finder *f, size_t names, const struct chain *chain)
{
	uint32_t good = 0;

	for (uint32_t i = 0; i + 1 < chain->count; i++) {
		size_t marker = chain->start + (size_t)i * chain->width;
		size_t at = names + marker_at(f, marker, chain->width);
		size_t end = names + marker_at(f, marker + chain->width, chain->width);

		for (unsigned j = 0; j < KALLSYMS_MARKER_STEP && at && at < end; j++) {
			if (!f->budget)
				return 0;
			f->budget--;
			at = next_entry(f, at);
		}
		good += at == end;
	}
	return good;
}

static bool find_names_by_chain(struct finder *f, const struct chain *chain,
				struct kallsyms_places *places, size_t *num_syms)
{
	enum { LAST_BLOCK_MAX = KALLSYMS_MARKER_STEP * 130 };
	size_t high = (chain->start - min_u64(chain->start, chain->last)) & ~(size_t)3;
	size_t low = high > LAST_BLOCK_MAX ? high - LAST_BLOCK_MAX : 0;

	for (size_t names = high; names >= low + 8; names -= 4) {
		load_down_to(f, names - 8);
		for (size_t back = 4; back <= 8; back += 4) {
			uint32_t count = count_before(f, names, back);
			if (!count || (count - 1) / KALLSYMS_MARKER_STEP + 1 != chain->count ||
			    good_blocks(f, names, chain) < (chain->count + 3) / 4)
				continue;
			places->names = names;
			places->count = count;
			*num_syms = names - back;
			return true;
		}
	}
	return false;
}

static bool find_damaged_names(struct finder *f, struct kallsyms_places *places, size_t *num_syms)
{
	struct chain chain;

	for (unsigned width = 4; width <= 8; width += 4) {
		for (size_t pad = 0; pad <= 4 && pad < f->table; pad += 4) {
			if (find_chain(f, f->table - pad, width, &chain) &&
			    find_names_by_chain(f, &chain, places, num_syms))
				return true;
		}
	}
	return false;
}

/* --- Addresses. --- */

static bool try_places(const struct finder *f, struct kallsyms_places *places)
{
	struct kallsyms k = { .load = f->load, .load_ctx = f->load_ctx };

	bool ok = kallsyms_parse(&k, f->data, f->size, ANY_ADDRESS, places) &&
		  kallsyms_check_order(&k);
	kallsyms_deinit(&k);
	return ok;
}

/* Offsets at @at, with a base behind them or none. */
static bool try_offsets(const struct finder *f, size_t at, struct kallsyms_places *places)
{
	places->offsets = at;
	places->base = align_up(at + (size_t)places->count * 4, 8);
	if (try_places(f, places))
		return true;
	places->base = KALLSYMS_NOWHERE;
	return try_places(f, places);
}

static bool find_addresses(const struct finder *f, size_t num_syms, struct kallsyms_places *places)
{
	size_t count = places->count;

	places->addresses = KALLSYMS_NOWHERE;
	if (try_offsets(f, f->index + KALLSYMS_TOKENS * 2, places))
		return true;
	places->offsets = KALLSYMS_NOWHERE;
	places->addresses = align_up(f->index + KALLSYMS_TOKENS * 2, 8);
	if (try_places(f, places))
		return true;
	places->addresses = KALLSYMS_NOWHERE;
	size_t back = align_up(count * 4, 8) + 8;
	if (num_syms >= back) {
		places->offsets = num_syms - back;
		places->base = num_syms - 8;
		if (try_places(f, places))
			return true;
	}
	places->offsets = places->base = KALLSYMS_NOWHERE;
	if (num_syms < count * 8)
		return false;
	places->addresses = num_syms - count * 8;
	return try_places(f, places);
}

bool kallsyms_find_tables(const uint8_t *data, size_t size, kallsyms_load_fn load, void *load_ctx,
			  struct kallsyms_places *places)
{
	struct finder f = { .data = data, .size = size, .budget = WALK_BUDGET };
	size_t num_syms;

	f.table = places->token_table;
	f.index = places->token_index;
	f.load = load;
	f.load_ctx = load_ctx;
	places->names = places->offsets = places->base = KALLSYMS_NOWHERE;
	places->addresses = KALLSYMS_NOWHERE;
	if (!range_fits(f.index, KALLSYMS_TOKENS * 2, size) || f.table >= f.index)
		return false;
	f.loaded = f.index + KALLSYMS_TOKENS * 2;
	load_down_to(&f, f.table);
	if (!ascending(data + f.index) || !strings_fit(data, f.index, f.table))
		return false;
	learn_tokens(&f);
	if (!find_names(&f, places, &num_syms)) {
		f.budget = WALK_BUDGET;
		if (!find_damaged_names(&f, places, &num_syms))
			return false;
	}
	return find_addresses(&f, num_syms, places);
}
