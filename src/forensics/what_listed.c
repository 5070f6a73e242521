// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Objects that come from the general caches (kmalloc-2k), where the cache tells nothing of their
 * type, but that the kernel has on a list of all of their kind: super blocks (fs/super.c), work
 * queues (kernel/workqueue.c); disks, which block devices lead to. Where a list is torn, what
 * stands behind the hole is not known here; who asks what an address is needs no word of it.
 */
#include <stdlib.h>

#include "forensics/what.h"
#include "kernel/devices.h"

enum { LISTED_MAX = 65536 };

static const struct {
	const char *head, *type, *link;
} lists[] = {
	{ "super_blocks", "super_block", "s_list" },
	{ "workqueues", "workqueue_struct", "list" },
};

static int compare(const void *a, const void *b)
{
	const struct listed_object *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static void add_disk(void *ctx, const struct disk *disk)
{
	struct whatis_state *state = ctx;
	struct listed_object object = { disk->gendisk, "gendisk" };

	if (disk->gendisk && state->listed.count < LISTED_MAX)
		vec_push(&state->listed, object);
}

void what_listed_prepare(struct session *s, struct whatis_state *state)
{
	pthread_mutex_lock(&state->lock);
	for (size_t i = 0; i < array_size(lists) && !state->listed.known && s->symbols; i++) {
		uint64_t head = symbols_address(s->symbols, lists[i].head), at = head, link;
		if (!head || !koffset(s, lists[i].type, lists[i].link, &link))
			continue;
		while (state->listed.count < LISTED_MAX &&
		       memory_u64(s->memory, at, &at) == READ_OK && at != head &&
		       s->arch->is_kernel_address(at)) {
			struct listed_object object = { at - link, lists[i].type };
			vec_push(&state->listed, object);
		}
	}
	struct walk_trouble trouble = { .count = 0 };
	if (!state->listed.known && s->symbols && s->types)
		disks_each(s, false, &trouble, add_disk, state);
	if (!state->listed.known && state->listed.count)
		qsort(state->listed.data, state->listed.count, sizeof(struct listed_object),
		      compare);
	state->listed.known = true;
	pthread_mutex_unlock(&state->lock);
}

const char *what_listed_type(const struct what_ask *ask, uint64_t object)
{
	if (!ask->state->listed.known)
		what_listed_prepare(ask->s, ask->state);
	const struct listed_object key = { object, NULL };
	const struct listed_object *found =
		ask->state->listed.count
			? bsearch(&key, ask->state->listed.data, ask->state->listed.count,
				  sizeof(key), compare)
			: NULL;

	return found ? found->type : NULL;
}
