/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to search: what is looked for, where, and what was found. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/vec.h"
#include "commands/args.h"
#include "memory/find_words.h"

enum search_option {
	SEARCH_KERNEL, SEARCH_NO_VMALLOC, SEARCH_NO_DIRECT, SEARCH_USER, SEARCH_PHYS, SEARCH_STACKS,
	SEARCH_ACTIVE, SEARCH_START, SEARCH_END, SEARCH_LENGTH, SEARCH_MASK, SEARCH_32, SEARCH_16,
	SEARCH_STRINGS, SEARCH_CONTEXT,
};

enum { SEARCH_VALUES_MAX = 256, SEARCH_HITS_MAX = 100000 };

struct search_hit {
	uint64_t address, value; /* value: with -c the number of the string */
	uint32_t which;          /* the number of the word on the command line */
	const struct task *task; /* -u, -t, -T: whose; else NULL */
};

struct search {
	struct command_args *args;
	struct options options;
	struct word_range values[SEARCH_VALUES_MAX];
	const char *strings[SEARCH_VALUES_MAX]; /* the words as they were given */
	size_t lengths[SEARCH_VALUES_MAX];
	size_t count;
	struct word_query query;
	struct word_finder *finder;
	bool physical;       /* hits are physical addresses */
	bool ranged;
	uint64_t start, end; /* with ranged: [start, end] */
	uint64_t context;
	bool by_task;            /* -u, -t, -T: hits are somebody's */
	const struct task *task; /* -u: whose memory */
	struct page_root root;   /* of that */
	pthread_mutex_t lock;
	struct {
		vec_fields(struct search_hit);
	} hits, edges; /* edges: a string's first bytes at the end of a page, which may go on in the next */
	uint64_t total;
	struct progress *progress; /* pages looked at; NULL: nobody counts */
	/* Pages that could not be looked at, by enum read_status. */
	_Atomic uint64_t missing[READ_CORRUPT + 1];
	uint64_t away; /* pages of user space that are swapped out or the like */
};

/* Looks where the options say. Hits are in no order. */
struct error *search_look(struct search *search) must_check;
/* Memory in the address space that hits are in. */
enum read_status search_fetch(struct search *search, uint64_t address, void *buf, size_t size);
