/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The values in the words of the kernel's checkers: which cell of a list is corrupt and what it
 * should hold, how long a copy was and how long the buffer, whose object it was. From the log
 * alone; where there is memory, the cell and its object are looked at.
 */
#pragma once

#include "diagnosis/diagnosis.h"

enum { CHECK_SENTENCE_MAX = 480 };

/* A function, as traces name it. */
struct check_place {
	char function[96], module[64]; /* module "": the kernel itself */
};

struct check_words {
	char sentence[CHECK_SENTENCE_MAX]; /* what it says, without the full stop; "" */
	uint64_t object;   /* an address in the object at stake, as printed; 0: none */
	uint64_t cell;     /* the memory cell that is wrong; 0 */
	uint64_t found;    /* what was in it */
	bool has_found;
	const char *next;  /* what to do; NULL */
	/* Who may have done it, by who had the object last; function "": nobody is named. */
	struct check_place suspect;
	const char *suspect_why;
};

/*
 * Takes the line @text apart, with those behind it (@lines of them, at @more) that belong to the
 * report. False: it is none of those that are known.
 */
bool check_decode(const char *text, const struct log_record *more, size_t lines,
		  struct check_words *words);

/* The same of @record, told in the finding: WHY, evidence, the object. */
void check_explain(const struct facts *facts, const struct log_record *record,
		   struct findings *out, struct finding *f);

/* What "Poison overwritten" and the like, somewhere in @text, mean; NULL: it has none of them. */
const char *check_slab_title(const char *text);

/* "f+0x12/0x34 [m]" at @text: the function and the module; false: it is no such place. */
bool check_place(const char *text, struct check_place *place);
