/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes kallsyms tables as scripts/kallsyms.c lays them out, of any version, for tests. Written
 * from the description in src/symbols/kallsyms.c, by hand: names that say what they are.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "symbols/kallsyms.h"

struct kallsyms_style {
	const char *what;
	enum kallsyms_encoding encoding;
	bool addresses_last; /* since 6.4 */
	bool seqs;           /* since 6.2 */
	unsigned align;      /* 8, since 7.0 4 */
	unsigned wide;       /* size of num_syms and markers: 8, since 4.20 4 */
};

struct blob {
	vec_fields(uint8_t);
};

struct made {
	struct blob blob;
	struct kallsyms_places places;
	uint32_t count;
	uint64_t *address;
	char **name; /* the first character is the type letter */
	uint64_t vaddr;
};

#define MADE_TEXT  UINT64_C(0xffffffff81000000)
#define MADE_VADDR UINT64_C(0xffffffff82000000)

static void blob_add(struct blob *blob, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		vec_push(blob, (uint8_t)(value >> (8 * i)));
}

static size_t blob_label(struct blob *blob, unsigned align)
{
	while (blob->count % align)
		vec_push(blob, 0);
	return blob->count;
}

/* Tokens: every printable character is its own, some of the others stand for whole words. */
static const char *token_text(unsigned token, char *buf)
{
	static const char *const words[] = { "Tsys_", "read", "write", "__", "t", "_of_", "dev_",
					     "Dinit", "get_", "put_" };

	if (token > ' ' && token < 0x7f)
		snprintf(buf, 4, "%c", token);
	else if (token >= 0x80 && token - 0x80 < array_size(words))
		return words[token - 0x80];
	else
		snprintf(buf, 16, "x%uy", token);
	return buf;
}

static void add_name(struct blob *blob, const char *name)
{
	struct blob tokens = { 0 };

	for (const char *p = name; *p;) {
		unsigned best = (uint8_t)*p;
		size_t len = 1;
		for (unsigned t = 0x80; t < 0x8a; t++) {
			char buf[16];
			const char *text = token_text(t, buf);
			if (strncmp(p, text, strlen(text)) == 0 && strlen(text) > len) {
				best = t;
				len = strlen(text);
			}
		}
		vec_push(&tokens, (uint8_t)best);
		p += len;
	}
	if (tokens.count < 0x80) {
		blob_add(blob, tokens.count, 1);
	} else {
		blob_add(blob, (tokens.count & 0x7f) | 0x80, 1);
		blob_add(blob, tokens.count >> 7, 1);
	}
	for (size_t i = 0; i < tokens.count; i++)
		vec_push(blob, tokens.data[i]);
	vec_deinit(&tokens);
}

static void make_symbols(struct made *m, const struct kallsyms_style *style, uint32_t count)
{
	static const struct {
		const char *before, *after;
	} forms[] = { { "Tsys_read", "" }, { "t__put_dev_", "" }, { "Dinit_get_of_", "" },
		      { "tvery.cold.", "" }, { "Wx", "" },	  { "t_", ".llvm.77" } };

	m->count = count;
	m->address = xcalloc(count, sizeof(*m->address));
	m->name = xcalloc(count, sizeof(*m->name));
	for (uint32_t i = 0; i < count; i++) {
		/* Two of three have an address of their own. */
		m->address[i] = MADE_TEXT + (i - (i % 3 == 2)) * 64;
		if (style->encoding == KALLSYMS_PERCPU && i < 20)
			m->address[i] = i * 16;
		m->name[i] = xasprintf("%s%u%s", forms[i % array_size(forms)].before, i,
				       forms[i % array_size(forms)].after);
	}
	free(m->name[7]);
	m->name[7] = xasprintf("t%0300u", 7); /* a big symbol */
}

static void make_addresses(struct made *m, const struct kallsyms_style *style)
{
	struct blob *b = &m->blob;
	size_t at = blob_label(b, style->align);

	if (style->encoding == KALLSYMS_ABSOLUTE)
		m->places.addresses = at;
	else
		m->places.offsets = at;
	for (uint32_t i = 0; i < m->count; i++) {
		uint64_t a = m->address[i];
		switch (style->encoding) {
		case KALLSYMS_ABSOLUTE:
			blob_add(b, a, 8);
			break;
		case KALLSYMS_RELATIVE:
			blob_add(b, a - MADE_TEXT, 4);
			break;
		case KALLSYMS_PERCPU:
			blob_add(b, a < MADE_TEXT ? a : MADE_TEXT - 1 - a, 4);
			break;
		case KALLSYMS_PLACE:
			blob_add(b, a - (m->vaddr + b->count), 4);
			break;
		}
	}
	if (style->encoding != KALLSYMS_RELATIVE && style->encoding != KALLSYMS_PERCPU)
		return;
	m->places.base = blob_label(b, style->align);
	blob_add(b, MADE_TEXT, 8);
}

static struct made *made_sorting;

static int compare_made(const void *a, const void *b)
{
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	int c = strcmp(made_sorting->name[i] + 1, made_sorting->name[j] + 1);

	return c ? c : (i > j) - (i < j);
}

static void make_seqs(struct made *m, const struct kallsyms_style *style)
{
	uint32_t *order = xcalloc(m->count, sizeof(*order));

	if (style->seqs) {
		for (uint32_t i = 0; i < m->count; i++)
			order[i] = i;
		made_sorting = m;
		qsort(order, m->count, sizeof(*order), compare_made);
		(void)blob_label(&m->blob, style->align);
		for (uint32_t i = 0; i < m->count; i++) {
			blob_add(&m->blob, order[i] >> 16, 1);
			blob_add(&m->blob, order[i] >> 8 & 0xff, 1);
			blob_add(&m->blob, order[i] & 0xff, 1);
		}
	}
	free(order);
}

static void make_names(struct made *m, const struct kallsyms_style *style)
{
	struct blob *b = &m->blob, markers = { 0 };

	(void)blob_label(b, style->align);
	blob_add(b, m->count, style->wide);
	m->places.names = blob_label(b, style->align);
	for (uint32_t i = 0; i < m->count; i++) {
		if (i % KALLSYMS_MARKER_STEP == 0)
			blob_add(&markers, b->count - m->places.names, style->wide);
		add_name(b, m->name[i]);
	}
	(void)blob_label(b, style->align);
	for (size_t i = 0; i < markers.count; i++)
		vec_push(b, markers.data[i]);
	vec_deinit(&markers);
}

static void make_tokens(struct made *m, const struct kallsyms_style *style)
{
	struct blob *b = &m->blob;
	uint16_t index[KALLSYMS_TOKENS];
	char buf[16];

	m->places.token_table = blob_label(b, style->align);
	for (unsigned t = 0; t < KALLSYMS_TOKENS; t++) {
		index[t] = (uint16_t)(b->count - m->places.token_table);
		for (const char *p = token_text(t, buf); *p; p++)
			vec_push(b, (uint8_t)*p);
		vec_push(b, 0);
	}
	m->places.token_index = blob_label(b, style->align);
	for (unsigned t = 0; t < KALLSYMS_TOKENS; t++)
		blob_add(b, index[t], 2);
}

/* Tables of @count symbols with @lead bytes of something else before them. */
static inline void make_kallsyms(struct made *m, const struct kallsyms_style *style,
				 uint32_t count, size_t lead)
{
	*m = (struct made){ .vaddr = MADE_VADDR };
	m->places.addresses = m->places.offsets = m->places.base = KALLSYMS_NOWHERE;
	m->places.count = count;
	for (size_t i = 0; i < lead; i++)
		vec_push(&m->blob, (uint8_t)(i * 7 + 1));
	make_symbols(m, style, count);
	if (!style->addresses_last)
		make_addresses(m, style);
	make_names(m, style);
	if (!style->addresses_last)
		make_seqs(m, style);
	make_tokens(m, style);
	if (style->addresses_last) {
		make_addresses(m, style);
		make_seqs(m, style);
	}
	blob_add(&m->blob, UINT64_C(0x1122334455667788), 8);
}

static inline void made_free(struct made *m)
{
	for (uint32_t i = 0; i < m->count; i++)
		free(m->name[i]);
	free(m->name);
	free(m->address);
	vec_deinit(&m->blob);
}

/* What kernels have, or had. */
static const struct kallsyms_style made_styles[] = {
	{ "4.4", KALLSYMS_ABSOLUTE, false, false, 8, 8 },
	{ "4.15", KALLSYMS_PERCPU, false, false, 8, 8 },
	{ "4.15 without SMP", KALLSYMS_RELATIVE, false, false, 8, 8 },
	{ "5.10", KALLSYMS_PERCPU, false, false, 8, 4 },
	{ "5.10 absolute", KALLSYMS_ABSOLUTE, false, false, 8, 4 },
	{ "6.2", KALLSYMS_PERCPU, false, true, 8, 4 },
	{ "6.4", KALLSYMS_PERCPU, true, true, 8, 4 },
	{ "6.4 absolute", KALLSYMS_ABSOLUTE, true, true, 8, 4 },
	{ "6.15", KALLSYMS_RELATIVE, true, true, 8, 4 },
	{ "7.0", KALLSYMS_PLACE, true, true, 4, 4 },
};
