/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A region of the dump that is looked at in few places: bytes at fixed addresses, read on demand.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "memory/memory.h"

struct blob_page {
	_Atomic uint8_t state;
};

struct blob {
	struct memory *mem; /* NULL: all bytes are at @data already */
	uint64_t vaddr;
	const uint8_t *data;
	uint8_t *memory; /* owned */
	uint8_t *buffer; /* in @memory; page-aligned */
	size_t skew;     /* @data - @buffer: offset of @vaddr in its page */
	size_t size;
	size_t page_count;
	struct blob_page *page; /* one for each page of @buffer */
	pthread_mutex_t lock;
};

void blob_init(struct blob *blob, struct memory *mem, uint64_t vaddr, const void *data,
	       size_t size);
void blob_deinit(struct blob *blob);
/* @size bytes at @offset; NULL when they are outside or not in the dump. Thread-safe. */
const uint8_t *blob_at(struct blob *blob, size_t offset, size_t size);
/*
 * The NUL-terminated string at @offset, which must end before @end and within BLOB_STRING_MAX.
 * NULL when it does not, or is not in the dump. @length may be NULL.
 */
const char *blob_string(struct blob *blob, size_t offset, size_t end, size_t *length);

/* KSYM_NAME_LEN is 512 since 6.1 (include/linux/kallsyms.h); type names are bound by it too. */
#define BLOB_STRING_MAX 4096
