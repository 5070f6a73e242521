/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Page frames, decompressed once and kept while they are used; private to this folder. */
#pragma once

#include "dump/dump.h"

struct page_cache;

struct page_cache *page_cache_create(const struct dump *dump);
void page_cache_destroy(struct page_cache *cache);
/* Of no page does it keep anything any more. Not while others read. */
void page_cache_forget(struct page_cache *cache);

/*
 * Copies @size bytes at @offset of page frame @pfn; the range must lie inside the page. Any number
 * of threads at once.
 */
enum read_status page_cache_read(struct page_cache *cache, uint64_t pfn, unsigned offset, void *buf,
				 size_t size);
