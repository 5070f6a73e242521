// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A CPU's struct kfree_rcu_cpu has what came last, and two works with what waits for a grace
 * period already. In each of the three: blocks of pointers, one list for objects of slabs and one
 * for those of vmalloc(), and a chain of rcu_heads for when there was no page for a block. Blocks
 * are linked by pointers (bkvhead), since 6.4 in lists (bulk_head).
 *
 * Sources, in linux/: kernel/rcu/tree.c, since 6.14 mm/slab_common.c (struct kfree_rcu_cpu,
 * kfree_rcu_cpu_work, kvfree_rcu_bulk_data; KFREE_N_BATCHES, FREE_N_CHANNELS).
 */
#include "kernel/kfree_rcu.h"

#include "kernel/lists.h"

enum {
	LISTS_MAX = 2, WORKS_MAX = 4, BLOCKS_MAX = 20000,
	RECORDS_MAX = 512, /* a block is a page */
};

struct gathering {
	struct session *s;
	uint64_t count;
	bool partly; /* there are more, which could not be counted */
	kfree_rcu_fn fn;
	void *ctx;
};

static bool count_block(struct gathering *g, uint64_t block)
{
	uint64_t records, offset, object;

	if (!kread(g->s, block, "kvfree_rcu_bulk_data", "nr_records", &records) ||
	    records > RECORDS_MAX || !koffset(g->s, "kvfree_rcu_bulk_data", "records", &offset))
		return false;
	g->count += records;
	for (uint64_t i = 0; g->fn && i < records; i++) {
		if (memory_u64(g->s->memory, block + offset + i * 8, &object) != READ_OK)
			break;
		if (!g->fn(g->ctx, object))
			g->fn = NULL;
	}
	return true;
}

/* How many lists hold that run in a circle nobody knows: these count nothing. */
static void count_blocks(struct gathering *g, struct list_walk *walk, uint64_t member)
{
	uint64_t before = g->count, link;

	while (!session_stopped(g->s) && walk->count < BLOCKS_MAX && list_walk_step(walk, &link) &&
	       count_block(g, link - member))
		;
	if (walk->ended == LIST_LOOP)
		g->count = before;
	g->partly |= walk->ended != LIST_DONE;
	list_walk_fini(walk);
}

static void count_linked(struct gathering *g, uint64_t block)
{
	struct list_walk walk;

	list_walk_from_link(&walk, g->s, LIST_SINGLE, block);
	walk.only_null_ends = true;
	koffset(g->s, "kvfree_rcu_bulk_data", "next", &walk.next_offset);
	count_blocks(g, &walk, 0);
}

static void count_listed(struct gathering *g, uint64_t head, uint64_t member)
{
	struct list_walk walk;

	list_walk_from_head(&walk, g->s, LIST_DOUBLE, head);
	count_blocks(g, &walk, member);
}

static void count_chain(struct gathering *g, uint64_t head)
{
	struct list_walk walk;
	uint64_t link;

	list_walk_from_link(&walk, g->s, LIST_SINGLE, head);
	walk.only_null_ends = walk.no_memory = true;
	while (!session_stopped(g->s) && list_walk_step(&walk, &link))
		;
	if (walk.ended != LIST_LOOP)
		g->count += walk.count;
	g->partly |= walk.ended != LIST_DONE;
	list_walk_fini(&walk);
}

/* The blocks and the chain of the @type at @address. */
static void count_part(struct gathering *g, uint64_t address, const char *type, const char *lists,
		       const char *linked, const char *chain)
{
	uint64_t offset, member, head;

	if (koffset(g->s, type, lists, &offset) &&
	    koffset(g->s, "kvfree_rcu_bulk_data", "list", &member)) {
		for (unsigned i = 0; i < LISTS_MAX; i++)
			count_listed(g, address + offset + i * 16ull, member);
	} else if (koffset(g->s, type, linked, &offset)) {
		for (unsigned i = 0; i < LISTS_MAX; i++) {
			if (memory_u64(g->s->memory, address + offset + i * 8ull, &head) == READ_OK)
				count_linked(g, head);
			else
				g->partly = true;
		}
	} else {
		g->partly = true;
	}
	if (kread(g->s, address, type, chain, &head))
		count_chain(g, head);
	else
		g->partly = true;
}

bool kfree_rcu_count(struct session *s, unsigned cpu, struct kfree_rcu *found, kfree_rcu_fn fn,
		     void *ctx)
{
	struct gathering g = { .s = s, .fn = fn, .ctx = ctx };
	uint64_t at, set_up, size = types_sizeof(s->types, "kfree_rcu_cpu_work");
	struct member works;

	at = kpercpu(s, "krc", cpu);
	if (!at || !kread(s, at, "kfree_rcu_cpu", "initialized", &set_up) || !set_up)
		return false;
	/* The oldest first. */
	if (size && types_member(s->types, "kfree_rcu_cpu", "krw_arr", &works)) {
		uint64_t n = min_u64(type_array_length(type_strip(works.type)), WORKS_MAX);
		for (uint64_t i = 0; i < n; i++)
			count_part(&g, at + works.offset + i * size, "kfree_rcu_cpu_work",
				   "bulk_head_free", "bkvhead_free", "head_free");
	}
	count_part(&g, at, "kfree_rcu_cpu", "bulk_head", "bkvhead", "head");
	*found = (struct kfree_rcu){ .at = at, .count = g.count, .partly = g.partly };
	return true;
}
