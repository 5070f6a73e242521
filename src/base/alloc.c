// SPDX-License-Identifier: LGPL-2.1-or-later
/* Memory that cannot fail, and arenas: a list of blocks, the newest first, that is freed at once. */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void out_of_memory(void)
{
	fputs("inquest: out of memory\n", stderr);
	abort();
}

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);
	if (!p)
		out_of_memory();
	return p;
}

void *xcalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);
	if (!p)
		out_of_memory();
	return p;
}

void *xrealloc(void *ptr, size_t size)
{
	void *p = realloc(ptr, size ? size : 1);
	if (!p)
		out_of_memory();
	return p;
}

void *xreallocarray(void *ptr, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		out_of_memory();
	return xrealloc(ptr, bytes);
}

char *xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = xmalloc(len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *xstrdup(const char *s)
{
	return xstrndup(s, PTRDIFF_MAX);
}

static char *printf_like(3, 0)
	vformat(void *(*alloc)(void *, size_t), void *ctx, const char *fmt, va_list args)
{
	va_list again;
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, fmt, args);
	if (len < 0)
		out_of_memory();
	char *s = alloc(ctx, (size_t)len + 1);
	vsnprintf(s, (size_t)len + 1, fmt, again);
	va_end(again);
	return s;
}

static void *alloc_heap(void *ctx unused_arg, size_t size)
{
	return xmalloc(size);
}

static void *alloc_arena(void *ctx, size_t size)
{
	return arena_alloc(ctx, size);
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	char *s = vformat(alloc_heap, NULL, fmt, args);
	va_end(args);
	return s;
}

void free_ptr(void *ptr_to_ptr)
{
	free(*(void **)ptr_to_ptr);
}

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(max_align_t) unsigned char data[];
};

enum { ARENA_BLOCK_SIZE = 32 * 1024, HUGE_PAGE = 2 << 20, ARENA_BLOCK_MAX = 2 * HUGE_PAGE };

/*
 * Blocks of an arena that grows are larger each time. Large ones are of huge pages, where the
 * system has any: the arena is filled from front to back, and a fault for each 4 KiB costs more
 * than filling them does.
 */
static struct arena_block *block_new(size_t size)
{
	struct arena_block *block;

	if (size < ARENA_BLOCK_MAX) {
		block = xmalloc(sizeof(*block) + size);
	} else {
		size_t whole = (sizeof(*block) + size + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
		block = aligned_alloc(HUGE_PAGE, whole);
		if (!block)
			out_of_memory();
		(void)madvise(block, whole, MADV_HUGEPAGE);
		size = whole - sizeof(*block);
	}
	block->used = 0;
	block->size = size;
	return block;
}

static size_t next_size(const struct arena_block *last, size_t size)
{
	size_t want = last ? last->size * 2 : ARENA_BLOCK_SIZE;

	want = want > ARENA_BLOCK_MAX ? ARENA_BLOCK_MAX : want;
	return size > want ? size : want;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t align = _Alignof(max_align_t);
	struct arena_block *block = arena->block;

	if (size > SIZE_MAX / 2)
		out_of_memory();
	size = (size + align - 1) & ~(align - 1);
	if (!block || block->size - block->used < size) {
		bool large = size > ARENA_BLOCK_SIZE / 4;
		struct arena_block *fresh = block_new(large ? size : next_size(block, size));
		/* A large object must not retire a block that still has room for small ones. */
		if (block && large) {
			fresh->next = block->next;
			block->next = fresh;
		} else {
			fresh->next = block;
			arena->block = fresh;
		}
		block = fresh;
	}
	void *p = block->data + block->used;
	block->used += size;
	return p;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
	return memset(arena_alloc(arena, size), 0, size);
}

char *arena_strndup(struct arena *arena, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = arena_alloc(arena, len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return arena_strndup(arena, s, PTRDIFF_MAX);
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	char *s = vformat(alloc_arena, arena, fmt, args);
	va_end(args);
	return s;
}

void arena_deinit(struct arena *arena)
{
	struct arena_block *next;

	for (struct arena_block *b = arena->block; b; b = next) {
		next = b->next;
		free(b);
	}
	arena->block = NULL;
}
