/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Was this word written by somebody who filled the object before it, and went too far? Then what
 * lies before it goes on over the border between the two: the same number over and over, numbers
 * that rise by one step, an array of small records. (Texts: see overrun.h.)
 *
 * In: the address of a word that should hold something else. Out: the run that it is part of, and
 * the object in which that begins.
 */
#pragma once

#include "kernel/slab.h"

struct overflow {
	uint64_t start, end;   /* of the run */
	unsigned period;       /* bytes of one record of it */
	bool constant;         /* every record is the same */
	struct slab_object from; /* where it begins */
	struct slab_object into; /* that the word is in */
};

bool overflow_find(struct session *s, uint64_t address, struct overflow *overflow);
