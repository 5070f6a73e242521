/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The crash as the timeline sees it, and how an anomaly is related to it; private to the timeline. */
#pragma once

#include "diagnosis/timeline_side.h"
#include "diagnosis/timeline_words.h"

enum sort {
	SORT_OTHER,
	SORT_FAILURE,  /* something could not be had */
	SORT_DAMAGE,   /* memory or a count was found damaged */
	SORT_WARNING,  /* a state that should not be */
	SORT_DEATH,    /* an oops, which the kernel survived */
	SORT_HARDWARE,
	SORT_IO,
};

enum sort timeline_sort(const struct anomaly *a);

/* The crash as the timeline sees it. */
struct crash {
	struct facts *facts;
	struct findings *out;
	struct finding *finding;
	const struct oops_report *report; /* its own; NULL: none was found */
	size_t begin;                    /* the first record of that */
	const struct log_record *record; /* that one; NULL: the log does not have it */
	struct side side;
	struct {
		uint64_t from, to;
		const char *what;
	} address[3]; /* objects at stake */
	size_t address_count;
	const char *unset; /* the bad value, if it looks like one that was never set: "-1"; NULL */
	bool unset_guess;  /* by a register alone */
};

/* How an anomaly is related. */
struct relation {
	const char *sentence; /* NULL: not at all */
	enum confidence confidence;
	bool cause;
	const char *so; /* behind the event, in WHY: "left it unset" */
};

/* Fills what is behind @finding: where the crash begins in the log, what is at stake. */
void crash_find(struct crash *c);
/* The first address of the crash that the lines of the anomaly show: what it is; NULL: none. */
const char *crash_same_address(const struct crash *c, const struct anomaly *a, uint64_t *address);
/* A word of 16 hexadecimal digits at or behind *at, which moves behind it. */
bool crash_hex_word(const char **at, uint64_t *value);
struct relation timeline_relation(const struct crash *c, const struct anomaly *a);
