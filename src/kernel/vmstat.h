/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's own counters of memory: vm_zone_stat[] and so on, by the names of their enumerators,
 * and the sums that /proc/meminfo makes of them.
 */
#pragma once

#include "kernel/session.h"

enum vm_counter_set {
	VM_ZONE_COUNTERS, /* enum zone_stat_item */
	VM_NODE_COUNTERS,
	VM_NUMA_COUNTERS,
	VM_EVENT_COUNTERS, /* since boot */
	VM_COUNTER_SETS,
};

/*
 * A zone or node counter ("NR_FREE_PAGES"), what CPUs have counted and not yet added included; so
 * it may differ a little from what the kernel shows. Pages, but where the name says otherwise.
 */
bool vm_counter(struct session *s, const char *name, uint64_t *value);
/* All of a set in order. False when the set cannot be read, or this kernel has no such set. */
typedef void (*vm_counter_fn)(void *ctx, const char *name, uint64_t value);
bool vm_counters_each(struct session *s, enum vm_counter_set set, vm_counter_fn fn, void *ctx);
/* The counters of the struct zone at @zone alone, what its CPUs have not added included. */
bool vm_zone_counters_each(struct session *s, uint64_t zone, vm_counter_fn fn, void *ctx);
/* What the set is called: the variable. */
const char *vm_counter_set_name(enum vm_counter_set set);

/* The lines of /proc/meminfo that can be told, in its order. @bytes is 0 where not @known. */
struct meminfo_line {
	const char *name;
	uint64_t bytes;
	bool known;
};
enum { MEMINFO_LINES_MAX = 48 };
/* Returns how many. */
size_t meminfo(struct session *s, struct meminfo_line lines[MEMINFO_LINES_MAX]);
