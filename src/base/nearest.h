/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "Did you mean": the name that is most like one that does not exist. */
#pragma once

#include "base/compiler.h"

/* Letters to insert, delete, change or swap; longer names are as far away as can be. */
enum { NAME_COMPARED_MAX = 40 };
unsigned name_distance(const char *a, const char *b);

struct nearest {
	const char *name;
	unsigned distance; /* a name must be nearer than that */
	const char *best;  /* NULL: none is near */
};

struct nearest nearest_to(const char *name);
/* Takes @candidate when it is the nearest yet; it must live as long as @n. */
void nearest_consider(struct nearest *n, const char *candidate);
