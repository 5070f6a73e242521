/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A growable array of any type: `struct vec_of_int { vec_fields(int); }`, or in place
 * `struct { vec_fields(struct foo); } foos`. Zero-initialise; vec_deinit() frees the array.
 */
#pragma once

#include <stdlib.h>

#include "base/alloc.h"

#define vec_fields(type) \
	type *data;      \
	size_t count;    \
	size_t capacity

#define vec_reserve(v, n)                                                                      \
	do {                                                                                   \
		if ((v)->capacity < (n)) {                                                     \
			size_t vec_cap_ = (v)->capacity ? (v)->capacity * 2 : 8;               \
			(v)->capacity = vec_cap_ < (n) ? (n) : vec_cap_;                       \
			(v)->data = xreallocarray((v)->data, (v)->capacity, sizeof(*(v)->data)); \
		}                                                                              \
	} while (0)

#define vec_push(v, ...)                                  \
	do {                                              \
		vec_reserve((v), (v)->count + 1);         \
		(v)->data[(v)->count++] = (__VA_ARGS__);  \
	} while (0)

#define vec_for_each(it, v) \
	for (__typeof__((v)->data) it = (v)->data; (v)->count && it < (v)->data + (v)->count; it++)

#define vec_deinit(v)                    \
	do {                             \
		free((v)->data);         \
		(v)->data = NULL;        \
		(v)->count = 0;          \
		(v)->capacity = 0;       \
	} while (0)
