/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What do these bytes look like? In: bytes, and somebody who knows pointers. Out: runs, one after
 * the other without gaps: text, zeroes, poison, pointers, page-table entries, packets, code,
 * compressed data, arrays of records ... Nothing is guessed: what looks like nothing known is
 * CONTENT_DATA, described by the share of its words that are pointers, numbers or zero.
 *
 * A recogniser that can tell at a position what begins there is a function and a line in
 * recognisers[] (content.c); what shows only in bulk is in content_bulk.c.
 */
#pragma once

#include "base/compiler.h"

enum content_kind {
	CONTENT_MISSING,  /* not in the dump; made by content_read(), not by content_runs() */
	CONTENT_DATA,     /* structured or unknown: numbers, pointers, zeroes */
	CONTENT_ZERO,
	CONTENT_FILL,     /* one byte or word over and over */
	CONTENT_POISON,   /* the same, a value that says something: freed, red zone ... */
	CONTENT_TEXT,
	CONTENT_UTF16,
	CONTENT_POINTERS,
	CONTENT_PTES,     /* page-table entries */
	CONTENT_NUMBERS,  /* words that rise or fall by a constant step */
	CONTENT_RECORDS,  /* an array of structures */
	CONTENT_PACKET,   /* network headers */
	CONTENT_ELF,
	CONTENT_FILE,     /* the start of a file of another known format */
	CONTENT_CODE,
	CONTENT_RANDOM,   /* compressed, encrypted or random */
	CONTENT_COUNT,
};

/* What a word that is a pointer points to. */
enum pointer_kind {
	POINTER_NONE,
	POINTER_CODE,
	POINTER_IMAGE,   /* data of the kernel or a module */
	POINTER_MEMORY,  /* the direct map */
	POINTER_VMALLOC, /* the area of vmalloc() and vmapped stacks */
	POINTER_PAGE,    /* a struct page */
	POINTER_USER,    /* looks like an address of a process */
	POINTER_COUNT,
};

struct content_env {
	/* NULL: no pointers are known. */
	enum pointer_kind (*pointer)(void *ctx, uint64_t value);
	void *ctx;
	uint64_t max_pfn; /* page-table entries point below it */
};

struct content_run {
	uint64_t address, size;
	enum content_kind kind;
	uint64_t count;   /* lines of text, words, records ...: by kind; 0 */
	unsigned stride;  /* CONTENT_RECORDS: bytes of one */
	char text[256];   /* what it is, in words */
};

struct content {
	struct content_run *data;
	size_t count, capacity;
};

/* The runs of @size bytes that lie at @address (which tells where words begin). */
void content_runs(const struct content_env *env, uint64_t address, const uint8_t *bytes,
		  size_t size, struct content *content);
void content_deinit(struct content *content);
const char *content_kind_name(enum content_kind kind); /* "text", "page-table entries" ... */
const char *pointer_kind_name(enum pointer_kind kind); /* "code", "memory" ... */

/* Is it a byte of text? Printable ASCII, tab, line end, the start of a colour. */
bool content_is_text(uint8_t byte);
/* Puts @size bytes of text at @from into @buf in quotes, cut with "..." where it does not fit. */
void content_quote(const uint8_t *from, size_t size, char *buf, size_t buf_size);
