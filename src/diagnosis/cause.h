/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The origin of a bad value (forensics/origin.h) as the verdict tells it: one or two sentences, the
 * function that brought it in, the memory cell that it was read from.
 */
#pragma once

#include "diagnosis/diagnosis.h"

struct cause {
	bool known;
	/* "was read by f() from s->p at ffff..., which still holds it": goes behind the value's name. */
	const char *sentence;
	const char *name;   /* of the value in C, where it has one: "channel"; NULL */
	size_t frame;       /* of the function that brought it in: read it, made it, passed it */
	size_t from;        /* of the function that had it when it failed */
	const char *verb;   /* what that function did: "it read it and passed it on"; NULL */
	enum confidence confidence;
	uint64_t at;        /* the instruction that read it; 0 */
	uint64_t cell;      /* that it was read from; 0: none or not known */
	unsigned cell_size;
	const char *member; /* "sk_buff.head": what that cell is; NULL: not known */
	bool cell_holds;    /* it is there still */
	bool cell_named;    /* by its member: "session->channel" */
	bool value_told;    /* `origin` prints the value; else only the register */
	bool walked;        /* found beside the code, by the list: no step of `origin` */
};

/*
 * Of register @reg of frame @frame, which held @value; the reader knows it as @subject
 * (NULL: by the register).
 * Strings live as long as the facts.
 */
void cause_find(struct facts *facts, size_t frame, unsigned reg, uint64_t value,
		const char *subject, struct cause *cause);
/*
 * What the memory at @address is, short: "kmalloc-32 object ffff... + 0x8, freed"; with what it
 * means where that is known: "file ffff... (/dev/null)".
 */
const char *place_words(const struct facts *facts, uint64_t address);
/* A name or condition of value flow, if a person can read it; NULL: it is a formula, or too long. */
const char *readable_name(const char *name);
