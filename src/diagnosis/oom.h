/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Out of memory: what memory was used for, who had most of it, what the request was. Private to
 * the oom_*.c files, but for oom_explain().
 */
#pragma once

#include "diagnosis/diagnosis.h"

/* Completes the finding of a panic for want of memory. */
void oom_explain(const struct facts *facts, struct findings *out, struct finding *f);

/* --- What memory is used for. --- */

enum use_kind {
	USE_FREE,
	USE_ANON,        /* processes' own */
	USE_FILE,        /* page cache but for shmem */
	USE_SHMEM,       /* tmpfs, shared memory */
	USE_SLAB_FIXED,  /* slab that cannot be reclaimed */
	USE_SLAB_CACHE,
	USE_VMALLOC,
	USE_STACKS,
	USE_TABLES,
	USE_PERCPU,
	USE_HUGE,        /* reserved for huge pages */
	USE_UNCOUNTED,   /* the rest: alloc_pages() of drivers */
	USE_KINDS,
};

struct memory_use {
	bool known;
	bool from_report;     /* of the log, which does not count vmalloc() */
	const char *command;  /* that shows it */
	uint64_t total;       /* bytes; of the machine, or the cgroup's limit */
	uint64_t bytes[USE_KINDS];
};

const char *use_kind_words(const struct memory_use *use, enum use_kind kind);
/* By the kernel's counters in memory. */
void use_from_memory(const struct facts *facts, struct memory_use *use);

/* --- What the log's report of the out-of-memory killer says. --- */

struct oom_log {
	const struct log_record *head;   /* "NAME invoked oom-killer: ..."; NULL: none */
	const struct log_record *tasks;  /* "[  pid  ] ...", the table's head; NULL */
	const struct log_record *end;    /* behind the report's last line */
	const char *comm;                /* who asked for memory; NULL */
	int order;                       /* -1: not told */
	bool cgroup;                     /* a memory cgroup's limit */
	const char *path;                /* of that cgroup; NULL: not told */
	const char *constraint;          /* "CONSTRAINT_CPUSET"; NULL */
	uint64_t usage, limit;           /* of the cgroup, bytes */
};

void oom_log_parse(const struct facts *facts, struct oom_log *report);
/* From "Mem-Info:", or from the cgroup's statistics. */
void use_from_log(const struct facts *facts, const struct oom_log *report, struct memory_use *use);

/* The processes of one name. */
struct oom_eater {
	const char *comm;
	int pid;              /* of the biggest */
	unsigned count;
	uint64_t bytes, biggest;
};

/* Who has most in the report's table of tasks; false: it has none. */
bool oom_log_eater(const struct facts *facts, const struct oom_log *report,
		   struct oom_eater *eater);

/* The slab cache that the report's "Unreclaimable slab info:" has most of; false: it has none. */
bool oom_log_slab(const struct facts *facts, const struct oom_log *report, const char **name,
		  uint64_t *bytes);

/* --- Who has it. --- */

/* Says who has most of @use's @kind. What it finds goes into @f: evidence, blame. */
struct oom_answer {
	const char *who;       /* "worker (pid 9)"; NULL: not known */
	uint64_t bytes;        /* that it has */
	const char *more;      /* a further sentence; NULL */
	const char *next;      /* NULL */
};
void oom_who(const struct facts *facts, const struct memory_use *use, enum use_kind kind,
	     struct findings *out, struct finding *f, struct oom_answer *answer);
/* The processes with most resident memory in the dump; false: none can be read. */
bool oom_task_eater(const struct facts *facts, bool anon_only, struct oom_eater *eater);
const char *oom_eater_words(const struct facts *facts, const struct oom_eater *eater);

/*
 * What most objects of @cache, or (@cache 0) most pages that no counter has, hold: a pointer to
 * one symbol at one offset. False: nothing in common.
 */
struct oom_sample {
	unsigned looked_at, agree;
	unsigned offset;         /* in the object */
	uint64_t value, example; /* the pointer; an object that holds it */
	struct symbol symbol;
	bool by_track;           /* symbol is who allocated them (slub_debug=U) */
};
bool oom_sample_objects(const struct facts *facts, uint64_t cache, struct oom_sample *sample);

/* "12.3 MiB" */
const char *bytes_words(struct arena *arena, uint64_t bytes);
unsigned percent_of(uint64_t part, uint64_t total);

/*
 * The zones' free blocks of at least @order, as a sentence ("zone Normal has 80.1 MiB free, but no
 * block of order 6 or more"); NULL: the zones cannot be read.
 */
const char *free_blocks_words(const struct facts *facts, unsigned order);
