/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's own symbol table, decoded out of a piece of memory that holds its tables. Pure: no
 * dump, no addresses to read, only bytes. See kallsyms.c for the format.
 */
#pragma once

#include "base/alloc.h"
#include "base/compiler.h"

/* How addresses are stored. */
enum kallsyms_encoding {
	KALLSYMS_ABSOLUTE, /* u64 each: before 4.6, or without CONFIG_KALLSYMS_BASE_RELATIVE */
	KALLSYMS_RELATIVE, /* u32 each, to be added to a base */
	KALLSYMS_PERCPU,   /* s32 each: >= 0 is the value itself, < 0 is base - 1 - value */
	KALLSYMS_PLACE,    /* s32 each, relative to the place of the entry itself: since 7.0 */
};

enum {
	KALLSYMS_MARKER_STEP = 256,
	KALLSYMS_TOKENS = 256,
	/* KSYM_NAME_LEN is 128, since 6.1 512. */
	KALLSYMS_NAME_MAX = 1024,
	KALLSYMS_COUNT_MAX = 1 << 24, /* a seq has 3 bytes */
};

/* Where the tables are in a window of bytes: offsets. NOWHERE: not there. */
#define KALLSYMS_NOWHERE SIZE_MAX
struct kallsyms_places {
	uint32_t count;
	size_t names, token_table, token_index;
	size_t addresses; /* kallsyms_addresses */
	size_t offsets;   /* kallsyms_offsets */
	size_t base;      /* kallsyms_relative_base */
};

/* Called before bytes [offset, offset + size) of the window are looked at, to fill them in. */
typedef void (*kallsyms_load_fn)(void *ctx, size_t offset, size_t size);

/* The window is borrowed and must outlive this; everything is checked, nothing is trusted. */
struct kallsyms {
	const uint8_t *window;
	size_t window_size;
	kallsyms_load_fn load; /* NULL: the window is whole */
	void *load_ctx;
	/* One for each 4 KiB of the window: not in the dump. NULL: all there. Filled by load(). */
	const uint8_t *missing;
	struct kallsyms_places places;
	uint32_t count;
	enum kallsyms_encoding encoding;
	const uint8_t *addresses;  /* u64[count] or u32[count] */
	uint64_t base;             /* of KALLSYMS_PLACE: address of the table itself */
	const uint8_t *names;
	uint32_t names_size;
	uint32_t *markers;         /* where name 256 * i starts */
	const uint8_t *seqs;       /* u8[3][count], symbol numbers in order of names; or NULL */
	const uint8_t *tokens;
	uint16_t token_at[KALLSYMS_TOKENS];
	uint8_t token_len[KALLSYMS_TOKENS];
};

/*
 * Decodes the tables at @places of @window, which stands at address @vaddr in the kernel (place-
 * relative addresses are relative to that). False when they do not fit together. Holes in the
 * window must be zeros. @k is zero but for load, load_ctx and missing.
 */
bool kallsyms_parse(struct kallsyms *k, const uint8_t *window, size_t size, uint64_t vaddr,
		    const struct kallsyms_places *places) must_check;
/* Are all addresses in order? For tables that were not found where the kernel says they are. */
bool kallsyms_check_order(const struct kallsyms *k);
void kallsyms_deinit(struct kallsyms *k);

uint64_t kallsyms_address(const struct kallsyms *k, uint32_t i);
/* False when the dump does not have what kallsyms_address() would need; it is then wrong. */
bool kallsyms_has_address(const struct kallsyms *k, uint32_t i);
/*
 * Name and type letter of symbol @i; false when its bytes are missing or make no sense.
 * @buf must have KALLSYMS_NAME_MAX bytes; the name is cut to fit.
 */
bool kallsyms_name(const struct kallsyms *k, uint32_t i, char *buf, char *type);
/* The last symbol at or below @address; count when there is none, or when it is in a hole. */
uint32_t kallsyms_at(const struct kallsyms *k, uint64_t address);
/*
 * The first symbol of each of @n names, or UINT32_MAX. By binary search where the kernel has an
 * index by name, else one pass over the compressed names.
 */
void kallsyms_find_names(const struct kallsyms *k, const char *const *names, size_t n,
			 uint32_t *found);

/* Calls @fn for each symbol in order, those with unreadable names left out; until it is false. */
typedef bool (*kallsyms_fn)(void *ctx, uint32_t i, char type, const char *name);
void kallsyms_each(const struct kallsyms *k, kallsyms_fn fn, void *ctx);

/* --- Finding the tables by their structure (kallsyms_find.c). --- */

/*
 * The next token_index table in @data at or after *@pos, with the token_table before it. Sets
 * *@pos to where to go on searching. Only places->token_* are set.
 */
bool kallsyms_find_tokens(const uint8_t *data, size_t size, size_t *pos,
			  struct kallsyms_places *places);
/*
 * The other tables around the tokens of @places, in the same window. @load (may be NULL) is called
 * before parts of the window are looked at, as in struct kallsyms.
 */
bool kallsyms_find_tables(const uint8_t *data, size_t size, kallsyms_load_fn load, void *load_ctx,
			  struct kallsyms_places *places);
/* Is there the token_table of @index before it? Sets *@table. */
bool kallsyms_check_tokens(const uint8_t *data, size_t size, size_t index, size_t *table);
/* Can @value, a pair of words, be the start of a token_index? A quick test, right only to deny. */
static inline bool kallsyms_maybe_token_index(uint64_t value)
{
	uint16_t a = (uint16_t)(value >> 16), b = (uint16_t)(value >> 32);
	uint16_t c = (uint16_t)(value >> 48);

	/* The first is 0, the next three are small: nearly everything fails this. */
	if ((value & UINT64_C(0xff00ff00ff00ffff)) || !value)
		return false;
	return a && a < 64 && b > a && b < 128 && c > b && c < 192;
}
