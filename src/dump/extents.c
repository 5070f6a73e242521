// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: flattened files write the same place more than once (makedumpfile goes back
 * to its headers when it is done), and ELF cores of kdump describe the kernel's text twice. Both
 * become a list of disjoint ranges here, by a sweep over the sorted starts. The ranges that cover
 * the position of the sweep are in a heap whose top is the one that was given last; ranges that
 * ended are dropped when they come to the top, so that each goes in and out once.
 */
#include "dump/extents.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/vec.h"

struct candidate {
	struct extent extent;
	size_t order; /* position in the list given: higher wins */
};

struct heap {
	vec_fields(const struct candidate *);
};

static int compare_starts(const void *va, const void *vb)
{
	const struct candidate *a = va, *b = vb;

	if (a->extent.start != b->extent.start)
		return a->extent.start < b->extent.start ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void heap_push(struct heap *heap, const struct candidate *c)
{
	vec_push(heap, c);
	size_t i = heap->count - 1;
	while (i && heap->data[(i - 1) / 2]->order < c->order) {
		heap->data[i] = heap->data[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap->data[i] = c;
}

static void heap_pop(struct heap *heap)
{
	const struct candidate *last = heap->data[--heap->count];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < heap->count) {
		if (child + 1 < heap->count &&
		    heap->data[child + 1]->order > heap->data[child]->order)
			child++;
		if (heap->data[child]->order < last->order)
			break;
		heap->data[i] = heap->data[child];
		i = child;
	}
	heap->data[i] = last;
}

static void emit(struct extents *list, uint64_t start, uint64_t end, const struct extent *source)
{
	uint64_t target = source->target + (start - source->start);

	if (list->count) {
		struct extent *prev = &list->data[list->count - 1];
		if (extent_end(prev) == start && prev->target + prev->size == target) {
			prev->size += end - start;
			return;
		}
	}
	vec_push(list, (struct extent){ .start = start, .size = end - start, .target = target });
}

static void sweep(struct extents *list, const struct candidate *sorted, size_t count)
{
	struct heap heap = { 0 };
	size_t next = 0;
	uint64_t pos = 0;

	list->count = 0;
	for (;;) {
		while (heap.count && extent_end(&heap.data[0]->extent) <= pos)
			heap_pop(&heap);
		if (!heap.count) {
			if (next == count)
				break;
			pos = max_u64(pos, sorted[next].extent.start);
		}
		while (next < count && sorted[next].extent.start <= pos)
			heap_push(&heap, &sorted[next++]);
		const struct extent *top = &heap.data[0]->extent;
		uint64_t end = extent_end(top);
		if (end <= pos)
			continue;
		if (next < count)
			end = min_u64(end, sorted[next].extent.start);
		emit(list, pos, end, top);
		pos = end;
	}
	vec_deinit(&heap);
}

/* The usual list is in order already: then nothing has to be allocated. */
static bool is_resolved(const struct extents *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!list->data[i].size)
			return false;
		if (i && list->data[i].start < extent_end(&list->data[i - 1]))
			return false;
	}
	return true;
}

void extents_resolve(struct extents *list)
{
	size_t count = 0;

	if (is_resolved(list))
		return;
	struct candidate *sorted = xcalloc(list->count, sizeof(*sorted));
	for (size_t i = 0; i < list->count; i++)
		if (list->data[i].size)
			sorted[count++] = (struct candidate){ list->data[i], i };
	qsort(sorted, count, sizeof(*sorted), compare_starts);
	sweep(list, sorted, count);
	free(sorted);
}

size_t extents_find(const struct extents *list, uint64_t pos)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (extent_end(&list->data[mid]) <= pos)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void extents_deinit(struct extents *list)
{
	vec_deinit(list);
}
