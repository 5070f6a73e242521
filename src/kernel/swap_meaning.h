/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a page-table entry says whose page is not there: swapped out, or something else. */
#pragma once

#include "kernel/swap.h"

enum swap_entry_kind {
	SWAP_ENTRY_NONE,      /* a present entry, or none at all */
	SWAP_ENTRY_PAGE,      /* on swap device @type, at page @offset */
	SWAP_ENTRY_MIGRATION, /* being moved: @offset holds the page frame @pfn */
	SWAP_ENTRY_DEVICE,    /* a page of a device's private memory, @pfn */
	SWAP_ENTRY_HWPOISON,  /* a page that the hardware lost, @pfn */
	SWAP_ENTRY_MARKER,    /* no page: a mark that the kernel left (userfaultfd, guard, poison) */
	SWAP_ENTRY_UNKNOWN,   /* one of these, but which cannot be told */
};

struct swap_entry {
	enum swap_entry_kind kind;
	unsigned type;
	uint64_t offset;
	uint64_t pfn;         /* where @kind says so */
	bool writable;        /* a migration or device entry for writing */
};

/*
 * Does a walk end at an entry that maps nothing and still is not empty: a page that is away? Only
 * of levels that have such entries; above them one is damage.
 */
bool walk_is_away(const struct walk *walk, uint64_t *entry);
/* What a page-table entry that is not present says. */
void swap_entry_of(struct session *s, uint64_t pte, struct swap_entry *entry);
/* "swap /dev/vda1, page 5", "hardware poison, page frame 1a2b" ... */
void swap_entry_text(struct session *s, const struct swap_entry *entry, char *buf, size_t size);
