/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory. Running out of it ends the program with a message: sizes that come from a dump are
 * bounded before they get here, so that a failure means the machine is out of memory and not that
 * the dump is bad. Things that live as long as the session go to an arena and are freed together.
 */
#pragma once

#include "base/compiler.h"

/* Like their namesakes, but never return NULL; @size 0 gives a valid pointer. */
void *xmalloc(size_t size) __attribute__((malloc));
void *xcalloc(size_t count, size_t size) __attribute__((malloc));
void *xrealloc(void *ptr, size_t size);
/* realloc to @count elements of @size bytes, checked for overflow. */
void *xreallocarray(void *ptr, size_t count, size_t size);
char *xstrdup(const char *s) __attribute__((malloc));
char *xstrndup(const char *s, size_t n) __attribute__((malloc));
/* printf into a new string, which the caller frees. */
char *xasprintf(const char *fmt, ...) printf_like(1, 2) __attribute__((malloc));

/* For cleanup_with(): frees what a pointer variable points to. */
void free_ptr(void *ptr_to_ptr);
#define auto_free cleanup_with(free_ptr)

/* A bump allocator; everything in it is freed by arena_deinit(). Zero-initialise it. */
struct arena {
	struct arena_block *block;
};

void *arena_alloc(struct arena *arena, size_t size);
/* Zeroed memory. */
void *arena_zalloc(struct arena *arena, size_t size);
char *arena_strdup(struct arena *arena, const char *s);
char *arena_strndup(struct arena *arena, const char *s, size_t n);
char *arena_printf(struct arena *arena, const char *fmt, ...) printf_like(2, 3);
void arena_deinit(struct arena *arena);
