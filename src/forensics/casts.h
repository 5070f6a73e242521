/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pointers that the kernel makes by adding two members of a struct: their types are casts. */
#pragma once

#include "kernel/session.h"

/*
 * The sum of the members at offsets @a and @b (in any order) of a struct @object is a pointer to:
 * *@target. False: nothing is known of such a sum.
 */
bool cast_of_sum(struct session *s, struct type object, uint64_t a, uint64_t b,
		 struct type *target);
