/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The views of kmem: one option, one function. A new view is a constant here, its option and its
 * function in the tables of kmem.c.
 */
#pragma once

#include "commands/args.h"

enum kmem_option {
	KMEM_CACHES,      /* -s */
	KMEM_SLABS,       /* -S */
	KMEM_ROOT_CACHES, /* -r */
	KMEM_IGNORE,      /* -I, goes with the others */
	KMEM_CHECK,       /* --check */
	KMEM_VMALLOC,     /* -v */
	KMEM_INFO,        /* -i */
	KMEM_FREE,        /* -f */
	KMEM_FREE_PAGES,  /* -F */
	KMEM_NODES,       /* -n */
	KMEM_ZONES,       /* -z */
	KMEM_COUNTERS,    /* -V */
	KMEM_CPU_OFFSETS, /* -o */
	KMEM_HUGE_PAGES,  /* -h */
	KMEM_PAGES,       /* -p */
	KMEM_MEMBERS,     /* -m, goes with -p */
	KMEM_FLAGS,       /* -g */
	KMEM_PHYSICAL,    /* -P, goes with addresses */
	KMEM_HASH,        /* -c */
	KMEM_HASH_PAGES,  /* -C */
	KMEM_OPTIONS,
};

/* @options holds what was given, set[] and value[] by enum kmem_option. */
typedef struct error *(*kmem_view_fn)(struct command_args *args, const struct options *options);

/* kmem_slab.c */
struct error *kmem_caches(struct command_args *args, const struct options *options) must_check;
struct error *kmem_slabs(struct command_args *args, const struct options *options) must_check;
struct error *kmem_root_caches(struct command_args *args, const struct options *options) must_check;

/* kmem_check.c */
struct error *kmem_check(struct command_args *args, const struct options *options) must_check;
/* kmem_vmalloc.c */
struct error *kmem_vmalloc(struct command_args *args, const struct options *options) must_check;

/* kmem_zone.c */
struct error *kmem_free(struct command_args *args, const struct options *options) must_check;
struct error *kmem_free_pages(struct command_args *args, const struct options *options) must_check;
struct error *kmem_zones(struct command_args *args, const struct options *options) must_check;
struct error *kmem_nodes(struct command_args *args, const struct options *options) must_check;

/* kmem_info.c */
struct error *kmem_info(struct command_args *args, const struct options *options) must_check;
struct error *kmem_counters(struct command_args *args, const struct options *options) must_check;
struct error *kmem_cpu_offsets(struct command_args *args, const struct options *options) must_check;
struct error *kmem_huge_pages(struct command_args *args, const struct options *options) must_check;

/* kmem_page.c; the first is what kmem does without options. */
struct error *kmem_addresses(struct command_args *args, const struct options *options) must_check;
struct error *kmem_pages(struct command_args *args, const struct options *options) must_check;
struct error *kmem_flags(struct command_args *args, const struct options *options) must_check;
/* -f with addresses: the free block that each is in. */
struct error *kmem_free_blocks(struct command_args *args, const struct options *options) must_check;
/* The record "page" of a page frame, in the current record; nothing where it has no struct page. */
void add_page_record(struct command_args *args, uint64_t pfn);
/* A remark on page frames whose struct page is not in the dump, if there are any. */
void add_missing_pages(struct doc *doc, uint64_t count);
