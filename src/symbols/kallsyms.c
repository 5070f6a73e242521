// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * kallsyms: how the kernel stores its own symbols, for its stack traces and /proc/kallsyms.
 * Made by scripts/kallsyms.c at build time, read by kernel/kallsyms.c.
 *
 *   num_syms      how many: unsigned long before 4.20, then u32
 *   addresses     u64 each (KALLSYMS_ABSOLUTE), or
 *   offsets       s32 each + relative_base u64 (since 4.6; gone since 7.0, see the encodings)
 *   names         for each symbol: a length, then that many token numbers. Lengths of 128 and
 *                 more take two bytes since 6.1, the low seven bits first with bit 7 set. Expanded,
 *                 the first character is the type letter, the others are the name.
 *   markers       offset in names of every 256th symbol: unsigned long before 4.20, then u32
 *   seqs_of_names symbol numbers in order of names, 3 bytes each, big-endian (since 6.2)
 *   token_table   256 strings, token_index their offsets (u16)
 *
 * Symbols are in order of addresses. Their order in memory, each aligned to 8 (since 7.0: 4):
 *   before 6.4    addresses|offsets relative_base num_syms names markers [seqs] tokens index
 *   since 6.4     num_syms names markers tokens index offsets [relative_base] seqs
 *
 * Since VMCOREINFO gives only some of the places, markers and seqs are derived from the others
 * and believed if they agree with the names; markers that do not are computed instead.
 */
#include "symbols/kallsyms.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "symbols/kallsyms_names.h"

static size_t align_up(size_t value, size_t align)
{
	return (value + align - 1) & ~(align - 1);
}

/* Where symbol @i starts in names. */
static bool seek(const struct kallsyms *k, uint32_t i, uint32_t *at)
{
	uint32_t block = i / KALLSYMS_MARKER_STEP, pos = k->markers[block];
	uint32_t end = (block + 1) * KALLSYMS_MARKER_STEP < k->count ? k->markers[block + 1] :
								       k->names_size;
	uint32_t data, len;

	kallsyms_need(k, k->names + pos, end - pos);

	for (uint32_t n = i % KALLSYMS_MARKER_STEP; n; n--) {
		len = kallsyms_entry(k, pos, &data);
		if (!len)
			return false;
		pos = data + len;
	}
	*at = pos;
	return true;
}

/* Type letter and name of the entry at @data. The length of the name, 0 for nonsense. */
static size_t expand(const struct kallsyms *k, uint32_t data, uint32_t len, char *buf, char *type)
{
	size_t done = 0;
	bool first = true;

	for (uint32_t i = 0; i < len; i++) {
		unsigned token = k->names[data + i];
		const char *text = (const char *)k->tokens + k->token_at[token];
		size_t n = k->token_len[token];

		if (first && n) {
			*type = *text++;
			n--;
			first = false;
		}
		if (n > KALLSYMS_NAME_MAX - 1 - done)
			n = KALLSYMS_NAME_MAX - 1 - done;
		memcpy(buf + done, text, n);
		done += n;
	}
	buf[done] = '\0';
	return done;
}

bool kallsyms_name(const struct kallsyms *k, uint32_t i, char *buf, char *type)
{
	uint32_t at, data, len;

	if (i >= k->count || !seek(k, i, &at))
		return false;
	len = kallsyms_entry(k, at, &data);
	return len && kallsyms_there(k, k->names + data, len) && expand(k, data, len, buf, type);
}

uint64_t kallsyms_address(const struct kallsyms *k, uint32_t i)
{
	if (k->encoding == KALLSYMS_ABSOLUTE) {
		kallsyms_need(k, k->addresses + (size_t)i * 8, 8);
		return load_u64(k->addresses + (size_t)i * 8);
	}
	kallsyms_need(k, k->addresses + (size_t)i * 4, 4);
	uint32_t raw = load_u32(k->addresses + (size_t)i * 4);
	int64_t value = (int32_t)raw;
	switch (k->encoding) {
	case KALLSYMS_PLACE:
		return k->base + (uint64_t)i * 4 + (uint64_t)value;
	case KALLSYMS_PERCPU:
		return value >= 0 ? (uint64_t)value : k->base - 1 - (uint64_t)value;
	default:
		return k->base + raw;
	}
}

bool kallsyms_has_address(const struct kallsyms *k, uint32_t i)
{
	size_t size = k->encoding == KALLSYMS_ABSOLUTE ? 8 : 4;

	return kallsyms_there(k, k->addresses + i * size, size);
}

uint32_t kallsyms_at(const struct kallsyms *k, uint64_t address)
{
	uint32_t low = 0, high = k->count;

	if (!k->count || kallsyms_address(k, 0) > address)
		return k->count;
	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;
		if (kallsyms_address(k, mid) <= address)
			low = mid;
		else
			high = mid;
	}
	/* Holes lead astray. */
	if (!kallsyms_has_address(k, low) || kallsyms_address(k, low) > address ||
	    (high < k->count &&
	     (!kallsyms_has_address(k, high) || kallsyms_address(k, high) <= address)))
		return k->count;
	return low;
}

void kallsyms_each(const struct kallsyms *k, kallsyms_fn fn, void *ctx)
{
	char name[KALLSYMS_NAME_MAX];
	uint32_t at = 0, data, len;
	bool good = false;
	char type = 0;

	kallsyms_need(k, k->names, k->names_size);
	for (uint32_t i = 0; i < k->count; i++) {
		if (i % KALLSYMS_MARKER_STEP == 0) {
			at = k->markers[i / KALLSYMS_MARKER_STEP];
			good = true;
		}
		len = good ? kallsyms_entry(k, at, &data) : 0;
		if (!len) {
			/* A hole: nothing is known of the names up to the next marker. */
			good = false;
			continue;
		}
		at = data + len;
		if (kallsyms_there(k, k->names + data, len) && kallsyms_has_address(k, i) &&
		    expand(k, data, len, name, &type) && !fn(ctx, i, type, name))
			return;
	}
}

/* --- By name, with the index. --- */

static uint32_t seq(const struct kallsyms *k, uint32_t i)
{
	const uint8_t *p = k->seqs + (size_t)i * 3;

	kallsyms_need(k, p, 3);
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

/*
 * The order of the index, up to the first dot: kernels built by clang with LTO sort by names cut
 * there, all others by whole names, which is the same order as far as this function looks.
 */
static int compare_stems(const char *a, const char *b)
{
	while (*a && *a != '.' && *a == *b) {
		a++;
		b++;
	}
	int x = *a == '.' ? 0 : (uint8_t)*a, y = *b == '.' ? 0 : (uint8_t)*b;
	return x - y;
}

/* Is @name @wanted with the suffix that LTO gives to promoted local symbols? */
static bool is_promoted(const char *name, const char *wanted)
{
	size_t len = strlen(wanted);

	return strncmp(name, wanted, len) == 0 && strncmp(name + len, ".llvm.", 6) == 0;
}

enum { SAME_STEM_MAX = 8192 };

static uint32_t search_name(const struct kallsyms *k, const char *wanted)
{
	char name[KALLSYMS_NAME_MAX], type;
	uint32_t low = 0, high = k->count, found = UINT32_MAX;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (!kallsyms_name(k, seq(k, mid), name, &type) || compare_stems(name, wanted) >= 0)
			high = mid;
		else
			low = mid + 1;
	}
	for (uint32_t n = 0; low < k->count && n < SAME_STEM_MAX; low++, n++) {
		if (!kallsyms_name(k, seq(k, low), name, &type) || compare_stems(name, wanted))
			break;
		if (strcmp(name, wanted) == 0)
			return seq(k, low);
		if (found == UINT32_MAX && is_promoted(name, wanted))
			found = seq(k, low);
	}
	return found;
}

/* With an index an absent name costs as little as another, so it is believed. */
void kallsyms_find_names(const struct kallsyms *k, const char *const *names, size_t n,
			 uint32_t *found)
{
	for (size_t i = 0; i < n; i++)
		found[i] = k->seqs ? search_name(k, names[i]) : UINT32_MAX;
	if (!k->seqs)
		kallsyms_pass_names(k, names, n, found);
	for (size_t i = 0; i < n; i++) {
		if (found[i] != UINT32_MAX && !kallsyms_has_address(k, found[i]))
			found[i] = UINT32_MAX;
	}
}

/* --- Putting the tables together. --- */

static bool parse_tokens(struct kallsyms *k)
{
	size_t table = k->places.token_table, index = k->places.token_index;
	unsigned empty = 0;

	if (!range_fits(index, KALLSYMS_TOKENS * 2, k->window_size) || table >= index)
		return false;
	k->tokens = k->window + table;
	kallsyms_need(k, k->tokens, index + KALLSYMS_TOKENS * 2 - table);
	for (unsigned i = 0; i < KALLSYMS_TOKENS; i++) {
		size_t at = load_u16(k->window + index + i * 2);
		size_t room = index - table;
		const uint8_t *end = at < room ? memchr(k->tokens + at, '\0', room - at) : NULL;

		if (!end || end - (k->tokens + at) > UINT8_MAX)
			return false;
		k->token_at[i] = (uint16_t)at;
		k->token_len[i] = (uint8_t)(end - (k->tokens + at));
		empty += end == k->tokens + at;
	}
	/* Few tables have unused tokens; one in a hole has nothing else. */
	return empty < KALLSYMS_TOKENS / 2;
}

/* A table of markers at @at, @width bytes each, that says what the names say. */
static bool read_markers(struct kallsyms *k, size_t at, unsigned width)
{
	uint32_t n = (k->count + KALLSYMS_MARKER_STEP - 1) / KALLSYMS_MARKER_STEP;
	uint64_t last = 0;
	uint32_t pos;

	if (at > k->window_size || (k->window_size - at) / width < n)
		return false;
	kallsyms_need(k, k->window + at, (size_t)n * width);
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *p = k->window + at + (size_t)i * width;
		uint64_t value = width == 8 ? load_u64(p) : load_u32(p);
		/* 256 names have at least two bytes each. */
		if (i ? value < last + KALLSYMS_MARKER_STEP * 2 : value != 0)
			return false;
		if (value >= k->names_size)
			return false;
		k->markers[i] = (uint32_t)value;
		last = value;
	}
	/* One that is easily checked; if its names are in a hole the rest has to do. */
	return n < 2 || !seek(k, KALLSYMS_MARKER_STEP - 1, &pos) ||
	       (pos < k->markers[1] && k->markers[1] - pos <= 0x3fff + 2);
}

/* The markers without their table. A hole ends what is known: what follows has no names. */
static bool compute_markers(struct kallsyms *k)
{
	uint32_t at = 0, data, len;

	kallsyms_need(k, k->names, k->names_size);
	for (uint32_t i = 0; i < k->count; i++) {
		if (i % KALLSYMS_MARKER_STEP == 0)
			k->markers[i / KALLSYMS_MARKER_STEP] = at;
		len = kallsyms_entry(k, at, &data);
		at = len ? data + len : k->names_size;
		if (!len && i < KALLSYMS_MARKER_STEP)
			return false;
	}
	return true;
}

/* Do the names follow each other as the sorted index says? A few are enough: it is all or none. */
static bool check_seqs(struct kallsyms *k)
{
	enum { SAMPLES = 12 };
	char name[KALLSYMS_NAME_MAX], last[KALLSYMS_NAME_MAX] = "", type;
	unsigned good = 0;

	for (unsigned i = 0; i < SAMPLES; i++) {
		uint32_t s = seq(k, (uint32_t)((uint64_t)(k->count - 1) * i / (SAMPLES - 1)));
		if (s >= k->count)
			return false;
		if (!kallsyms_name(k, s, name, &type))
			return false;
		if (compare_stems(last, name) > 0)
			return false;
		good += strcmp(last, name) != 0;
		memcpy(last, name, sizeof(last));
	}
	return good > 1;
}

static bool try_seqs(struct kallsyms *k, size_t at)
{
	if (at > k->window_size || (k->window_size - at) / 3 < k->count)
		return false;
	k->seqs = k->window + at;
	if (check_seqs(k))
		return true;
	k->seqs = NULL;
	return false;
}

/* markers and seqs stand at places that follow from the others; which, differs (see above). */
static void find_markers_and_seqs(struct kallsyms *k)
{
	uint32_t n = (k->count + KALLSYMS_MARKER_STEP - 1) / KALLSYMS_MARKER_STEP;
	size_t end = k->places.token_table, start = k->places.names, offsets = k->places.offsets;
	bool have = false;

	if (end <= start) /* an order we do not know */
		end = 0;
	for (unsigned align = 4; align <= 8 && !have; align += 4) {
		size_t m4 = align_up((size_t)n * 4, align), m8 = (size_t)n * 8;
		size_t s = align_up((size_t)k->count * 3, align);

		if (end >= start + m4)
			have = read_markers(k, end - m4, 4);
		if (!have && end >= start + m8)
			have = read_markers(k, end - m8, 8);
		if (!have && end >= start + m4 + s)
			have = read_markers(k, end - s - m4, 4);
	}
	if (!have && !compute_markers(k))
		k->names_size = 0;
	for (unsigned align = 4; align <= 8 && !k->seqs; align += 4) {
		size_t s = align_up((size_t)k->count * 3, align);
		if (end >= start + s)
			(void)try_seqs(k, end - s);
		if (!k->seqs && k->encoding == KALLSYMS_PLACE)
			(void)try_seqs(k, align_up(offsets + (size_t)k->count * 4, align));
		else if (!k->seqs && k->encoding == KALLSYMS_ABSOLUTE)
			(void)try_seqs(k, k->places.addresses + (size_t)k->count * 8);
		else if (!k->seqs)
			(void)try_seqs(k, k->places.base + 8);
	}
}

/* In order, with breaks by holes (zeros) at most here and there. */
static bool in_order(const struct kallsyms *k, uint32_t step, uint32_t breaks_max)
{
	uint64_t first = kallsyms_address(k, 0), last = first;
	uint32_t breaks = 0;

	for (uint64_t i = 0; i < k->count; i += step) {
		uint64_t address = kallsyms_address(k, (uint32_t)i);
		breaks += address < last;
		last = address;
	}
	/* More than the places themselves grow: place-relative zeros would be in order, too. */
	return breaks <= breaks_max && last > first && last - first > (uint64_t)k->count * 5;
}

bool kallsyms_check_order(const struct kallsyms *k)
{
	return in_order(k, 1, 8 + k->count / 32);
}

enum { SAMPLES = 32 };

static bool is_kernel_address(uint64_t address)
{
	return address >> 56 == 0xff;
}

/* Without per-CPU symbols offsets are unsigned and far below 2 GiB; with them the last are not. */
static enum kallsyms_encoding encoding_of(const struct kallsyms *k)
{
	for (uint32_t i = 0; i < SAMPLES; i++) {
		size_t which = (size_t)((uint64_t)(k->count - 1) * i / (SAMPLES - 1));
		kallsyms_need(k, k->addresses + which * 4, 4);
		if (load_u32(k->addresses + which * 4) >> 31)
			return KALLSYMS_PERCPU;
	}
	return KALLSYMS_RELATIVE;
}

static bool parse_addresses(struct kallsyms *k, uint64_t vaddr)
{
	const struct kallsyms_places *p = &k->places;
	uint32_t step = k->count / SAMPLES + 1;
	size_t at = p->offsets;

	if (p->addresses != KALLSYMS_NOWHERE) {
		if (!range_fits(p->addresses, (uint64_t)k->count * 8, k->window_size))
			return false;
		k->encoding = KALLSYMS_ABSOLUTE;
		k->addresses = k->window + p->addresses;
		return in_order(k, step, SAMPLES / 2) &&
		       is_kernel_address(kallsyms_address(k, k->count - 1));
	}
	if (at == KALLSYMS_NOWHERE || !range_fits(at, (uint64_t)k->count * 4, k->window_size))
		return false;
	k->addresses = k->window + at;
	if (p->base == KALLSYMS_NOWHERE) {
		k->encoding = KALLSYMS_PLACE;
		k->base = vaddr + at;
		return in_order(k, step, SAMPLES / 2);
	}
	if (!range_fits(p->base, 8, k->window_size))
		return false;
	kallsyms_need(k, k->window + p->base, 8);
	k->base = load_u64(k->window + p->base);
	k->encoding = encoding_of(k);
	return is_kernel_address(k->base) && in_order(k, step, SAMPLES / 2);
}

bool kallsyms_parse(struct kallsyms *k, const uint8_t *window, size_t size, uint64_t vaddr,
		    const struct kallsyms_places *places)
{
	k->window = window;
	k->window_size = size;
	k->places = *places;
	k->count = places->count;
	if (!k->count || k->count > KALLSYMS_COUNT_MAX || places->names >= size ||
	    !parse_tokens(k) || !parse_addresses(k, vaddr))
		return false;
	size_t end = places->token_table > places->names ? places->token_table : size;
	k->names = window + places->names;
	k->names_size = (uint32_t)min_u64(end - places->names, UINT32_MAX);
	/* The shortest name has a length and a token. */
	if (k->names_size / 2 < k->count)
		return false;
	k->markers = xcalloc(k->count / KALLSYMS_MARKER_STEP + 1, sizeof(*k->markers));
	find_markers_and_seqs(k);
	if (!k->names_size) {
		kallsyms_deinit(k);
		return false;
	}
	return true;
}

void kallsyms_deinit(struct kallsyms *k)
{
	free(k->markers);
	k->markers = NULL;
	k->count = 0;
}
