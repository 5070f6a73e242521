// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Counters of pages (mm/vmstat.c): one global array for zones, one for nodes, indexed by
 * enumerators whose numbers differ from kernel to kernel, so they are looked up by name. A CPU
 * first counts for itself, in a signed byte for each zone or node, and adds that to the global
 * counter once in a while. Events are only counted per CPU.
 */
#include "kernel/vmstat.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kernel/cpus.h"
#include "kernel/zones.h"

enum { COUNTERS_MAX = 1024 };

static const struct {
	const char *type, *variable, *end;
	const char *old_variable, *old_end; /* before 5.14, where they were others */
} sets[VM_COUNTER_SETS] = {
	[VM_ZONE_COUNTERS] = { "enum zone_stat_item", "vm_zone_stat", "NR_VM_ZONE_STAT_ITEMS",
			       NULL, NULL },
	[VM_NODE_COUNTERS] = { "enum node_stat_item", "vm_node_stat", "NR_VM_NODE_STAT_ITEMS",
			       NULL, NULL },
	[VM_NUMA_COUNTERS] = { "enum numa_stat_item", "vm_numa_event", "NR_VM_NUMA_EVENT_ITEMS",
			       "vm_numa_stat", "NR_VM_NUMA_STAT_ITEMS" },
	[VM_EVENT_COUNTERS] = { "enum vm_event_item", "vm_event_states", "NR_VM_EVENT_ITEMS",
				NULL, NULL },
};

static uint64_t set_address(struct session *s, enum vm_counter_set set)
{
	uint64_t at = s->symbols ? symbols_address(s->symbols, sets[set].variable) : 0;

	return at || !s->symbols || !sets[set].old_variable
		       ? at : symbols_address(s->symbols, sets[set].old_variable);
}

/* How many counters the set has. */
static bool set_end(struct session *s, enum vm_counter_set set, int64_t *end)
{
	return types_enumerator(s->types, sets[set].end, end) ||
	       (sets[set].old_end && types_enumerator(s->types, sets[set].old_end, end));
}

const char *vm_counter_set_name(enum vm_counter_set set)
{
	return sets[set].variable;
}

/* Where each CPU keeps what it has not added yet: an array behind a per-CPU pointer of a zone or
 * node. */
struct per_cpu_part {
	const char *owner, *pointer, *type, *array;
	unsigned width; /* of a counter, bytes; those of one byte have a sign */
};

static const struct per_cpu_part parts[VM_COUNTER_SETS][2] = {
	[VM_ZONE_COUNTERS] = {
		{ "zone", "per_cpu_zonestats", "per_cpu_zonestat", "vm_stat_diff", 1 },
		{ "zone", "pageset", "per_cpu_pageset", "vm_stat_diff", 1 }, /* before 5.14 */
	},
	[VM_NODE_COUNTERS] = {
		{ "pglist_data", "per_cpu_nodestats", "per_cpu_nodestat", "vm_node_stat_diff", 1 },
	},
	[VM_NUMA_COUNTERS] = {
		{ "zone", "per_cpu_zonestats", "per_cpu_zonestat", "vm_numa_event", 8 },
		{ "zone", "pageset", "per_cpu_pageset", "vm_numa_stat_diff", 2 }, /* 4.14 to 5.13 */
	},
};

static const struct per_cpu_part *find_part(struct session *s, enum vm_counter_set set,
					    uint64_t *offset)
{
	for (size_t i = 0; i < array_size(parts[set]); i++) {
		const struct per_cpu_part *part = &parts[set][i];
		if (part->owner && koffset(s, part->owner, part->pointer, offset) &&
		    koffset(s, part->type, part->array, offset))
			return part;
	}
	return NULL;
}

static void lose_part(struct session *s, unsigned cpu)
{
	session_problem(s, "what CPU %u counted of pages and events is not wholly in the dump", cpu);
}

static bool read_counter(struct session *s, const struct per_cpu_part *part, uint64_t array,
			 unsigned index, int64_t *value)
{
	uint8_t raw[sizeof(uint64_t)] = { 0 };

	array += index * (uint64_t)part->width;
	if (memory_read(s->memory, array, raw, part->width) != READ_OK)
		return false;
	*value = part->width == 1 ? (int8_t)raw[0] : (int64_t)load_u64(raw);
	return true;
}

/* What counter @index is more than its global value. */
static int64_t per_cpu_sum(struct session *s, enum vm_counter_set set, unsigned index)
{
	size_t zone_count, cpu_count;
	const struct zone_info *zone = zones(s, &zone_count);
	const struct cpu *cpu = cpus(s, &cpu_count);
	uint64_t offset, pointer;
	int64_t value, sum = 0;

	const struct per_cpu_part *part = find_part(s, set, &offset);
	for (size_t i = 0; part && i < zone_count; i++) {
		bool of_node = strcmp(part->owner, "zone") != 0;
		if (of_node && i && zone[i].pgdat == zone[i - 1].pgdat)
			continue;
		if (!kread(s, of_node ? zone[i].pgdat : zone[i].address, part->owner,
			   part->pointer, &pointer))
			session_problem(s, "zones and nodes are only partly in the dump: so are the "
					"counters of their pages");
		if (!pointer)
			continue;
		for (size_t n = 0; n < cpu_count; n++) {
			if (read_counter(s, part, pointer + cpu[n].percpu_offset + offset, index,
					 &value))
				sum += value;
			else
				lose_part(s, cpu[n].id);
		}
	}
	return sum;
}

static bool event_value(struct session *s, unsigned index, uint64_t *value)
{
	size_t count;
	const struct cpu *cpu = cpus(s, &count);
	uint64_t one;
	bool any = false;

	*value = 0;
	for (size_t i = 0; i < count; i++) {
		uint64_t at = kpercpu(s, "vm_event_states", cpu[i].id);
		if (at && memory_u64(s->memory, at + index * 8ul, &one) == READ_OK) {
			*value += one;
			any = true;
		} else {
			lose_part(s, cpu[i].id);
		}
	}
	return any;
}

static bool counter_value(struct session *s, enum vm_counter_set set, unsigned index,
			  uint64_t *value)
{
	uint64_t at;

	if (set == VM_EVENT_COUNTERS)
		return event_value(s, index, value);
	at = set_address(s, set);
	if (at && memory_u64(s->memory, at + index * 8ul, value) != READ_OK) {
		session_problem(s, "%s is not wholly in the dump", sets[set].variable);
		return false;
	}
	if (!at)
		return false;
	int64_t sum = (int64_t)*value + per_cpu_sum(s, set, index);
	/* The kernel shows negative ones, which are races, as 0 too. */
	*value = sum < 0 && set != VM_NUMA_COUNTERS ? 0 : (uint64_t)sum;
	return true;
}

bool vm_counter(struct session *s, const char *name, uint64_t *value)
{
	struct type type;
	const char *each;
	int64_t index;

	*value = 0;
	for (enum vm_counter_set set = VM_ZONE_COUNTERS; set <= VM_NODE_COUNTERS; set++) {
		if (!types_find(s->types, sets[set].type, &type))
			continue;
		for (unsigned i = 0; type_enumerator_at(type, i, &each, &index); i++) {
			if (strcmp(each, name) == 0 && index >= 0 && index < COUNTERS_MAX)
				return counter_value(s, set, (unsigned)index, value);
		}
	}
	return false;
}

/* Of several names for a number, the marks where a group begins are not its own. */
static bool is_mark(const char *name)
{
	size_t length = strlen(name);

	return length > 5 && strcmp(name + length - 5, "_BASE") == 0;
}

bool vm_counters_each(struct session *s, enum vm_counter_set set, vm_counter_fn fn, void *ctx)
{
	struct type type;
	const char *name;
	int64_t index, end;
	uint64_t value;
	bool any = false;

	if (!types_find(s->types, sets[set].type, &type) || !set_end(s, set, &end))
		return false;
	for (unsigned i = 0; type_enumerator_at(type, i, &name, &index); i++) {
		if (index < 0 || index >= end || index >= COUNTERS_MAX || is_mark(name) ||
		    !counter_value(s, set, (unsigned)index, &value))
			continue;
		fn(ctx, name, value);
		any = true;
	}
	return any;
}

/* What the zone's CPUs count in @index and have not added. */
static int64_t zone_cpu_sum(struct session *s, uint64_t zone, unsigned index)
{
	uint64_t offset, pointer;
	size_t count;
	const struct cpu *cpu = cpus(s, &count);
	const struct per_cpu_part *part = find_part(s, VM_ZONE_COUNTERS, &offset);
	int64_t value, sum = 0;

	if (!part || !kread(s, zone, part->owner, part->pointer, &pointer) || !pointer)
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (read_counter(s, part, pointer + cpu[i].percpu_offset + offset, index, &value))
			sum += value;
		else
			lose_part(s, cpu[i].id);
	}
	return sum;
}

bool vm_zone_counters_each(struct session *s, uint64_t zone, vm_counter_fn fn, void *ctx)
{
	const char *name;
	struct type type;
	uint64_t array, value;
	int64_t index, end;
	bool any = false;

	if (!types_find(s->types, sets[VM_ZONE_COUNTERS].type, &type) ||
	    !set_end(s, VM_ZONE_COUNTERS, &end) ||
	    !koffset(s, "zone", "vm_stat", &array))
		return false;
	for (unsigned i = 0; type_enumerator_at(type, i, &name, &index); i++) {
		if (index < 0 || index >= end || index >= COUNTERS_MAX || is_mark(name) ||
		    memory_u64(s->memory, zone + array + (uint64_t)index * 8, &value) != READ_OK)
			continue;
		int64_t sum = (int64_t)value + zone_cpu_sum(s, zone, (unsigned)index);
		fn(ctx, name, sum < 0 ? 0 : (uint64_t)sum);
		any = true;
	}
	return any;
}
