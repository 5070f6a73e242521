/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Nodes and zones of memory: their page frames, and the lists of free pages that each keeps.
 *
 * In: the session. Out: zones in order of node and kind. They live as long as the session.
 */
#pragma once

#include "kernel/session.h"

enum { ZONE_ORDERS_MAX = 16, ZONE_TYPES_MAX = 8 };

struct zone_info {
	uint64_t address;       /* of the struct zone */
	uint64_t pgdat;         /* of its struct pglist_data */
	int node;
	unsigned index;         /* in the node: ZONE_DMA ... */
	char name[16];
	uint64_t start_pfn, spanned, present, managed; /* pages */
	uint64_t watermark[3];  /* min, low, high */
	bool has_watermarks;
};

/* All zones that have page frames or could have (spanned may be 0). */
const struct zone_info *zones(struct session *s, size_t *count);
/* The zone whose span holds @pfn, when only one does; NULL. */
const struct zone_info *zone_of_pfn(struct session *s, uint64_t pfn);

/* Free blocks that the zone says it has of @order; false when that cannot be read. */
bool zone_free_count(struct session *s, const struct zone_info *zone, unsigned order,
		     uint64_t *blocks);
/* Orders and migrate types of the zones' lists. */
unsigned zone_orders(struct session *s);
unsigned zone_migrate_types(struct session *s);
/*
 * The blocks on the zone's list of @order and @migrate_type: @pfn is the first page of each. A list
 * that is damaged or leaves the dump ends there, with a problem noted. False from @fn stops.
 */
typedef bool (*zone_block_fn)(void *ctx, uint64_t pfn);
void zone_free_list(struct session *s, const struct zone_info *zone, unsigned order,
		    unsigned migrate_type, zone_block_fn fn, void *ctx);
