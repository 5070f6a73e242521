// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Per-CPU memory (mm/percpu.c). It comes in chunks; each chunk has a part for every CPU, at
 *
 *	chunk->base_addr + pcpu_unit_offsets[cpu],	pcpu_unit_size bytes apart at least
 *
 * The static variables are in front of the first chunk, whose struct pcpu_chunk describes only
 * what is behind them. Which bytes are handed out is in alloc_map, where allocations begin in
 * bound_map, a bit for every 4 bytes (PCPU_MIN_ALLOC_SIZE). All chunks hang on the lists of the
 * array pcpu_chunk_lists (pcpu_slot before 5.14), or are the reserved one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "forensics/what.h"
#include "kernel/modules.h"

enum {
	UNIT_MAX = 1 << 27,
	CHUNKS_MAX = 1 << 16,
	RANGES_MAX = 1 << 20,
	SLOTS_MAX = 1024,
	BLOCK = 4, /* bytes for each bit: PCPU_MIN_ALLOC_SIZE, since 4.14 */
};

static int compare_ranges(const void *va, const void *vb)
{
	const struct percpu_range *a = va, *b = vb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->chunk < b->chunk ? -1 : a->chunk > b->chunk;
}

/* The range of the first chunk that holds the static variables, as symbols have it. */
static void find_static(struct session *s, struct whatis_state *state)
{
	struct symbol start, end;

	if (symbols_by_name(s->symbols, "__per_cpu_start", &start) &&
	    symbols_by_name(s->symbols, "__per_cpu_end", &end) && end.address > start.address &&
	    end.address - start.address < UNIT_MAX) {
		state->percpu.static_start = start.address;
		state->percpu.static_size = end.address - start.address;
	}
}

struct chunk_walk {
	struct session *s;
	struct whatis_state *state;
	uint64_t unit_size;
};

static bool add_chunk(void *ctx, uint64_t address)
{
	struct chunk_walk *walk = ctx;
	struct session *s = walk->s;
	struct percpu_chunk chunk = { .address = address };
	uint64_t pages;

	if (!kread(s, address, "pcpu_chunk", "base_addr", &chunk.base) || !chunk.base)
		return true;
	if (!kread(s, address, "pcpu_chunk", "nr_pages", &pages) ||
	    pages > walk->unit_size >> PAGE_SHIFT)
		pages = walk->unit_size >> PAGE_SHIFT;
	chunk.size = pages << PAGE_SHIFT;
	kread(s, address, "pcpu_chunk", "alloc_map", &chunk.alloc_map);
	kread(s, address, "pcpu_chunk", "bound_map", &chunk.bound_map);
	vec_push(&walk->state->percpu.chunks, chunk);
	return walk->state->percpu.chunks.count < CHUNKS_MAX;
}

static void find_chunks(struct chunk_walk *walk)
{
	struct session *s = walk->s;
	uint64_t lists, slots, reserved;

	if (!types_sizeof(s->types, "pcpu_chunk") ||
	    (!kglobal(s, "pcpu_chunk_lists", 8, &lists) && !kglobal(s, "pcpu_slot", 8, &lists)) ||
	    !kglobal(s, "pcpu_nr_slots", 4, &slots) || !lists)
		return;
	for (uint64_t i = 0; i < slots && i < SLOTS_MAX; i++)
		klist_each(s, lists + i * 16, "pcpu_chunk", "list", "per-CPU chunks", add_chunk,
			   walk);
	if (kglobal(s, "pcpu_reserved_chunk", 8, &reserved) && reserved)
		add_chunk(walk, reserved);
}

static void add_ranges(struct chunk_walk *walk)
{
	struct session *s = walk->s;
	struct whatis_state *state = walk->state;
	uint64_t offsets, base, unit;
	size_t count;
	const struct cpu *all = cpus(s, &count);
	bool has_units = kglobal(s, "pcpu_unit_offsets", 8, &offsets) && offsets &&
			 kglobal(s, "pcpu_base_addr", 8, &base) && base;

	for (size_t i = 0; i < count; i++) {
		/* The first chunk: by the CPU's own offset, which is known also without units. */
		uint64_t first = all[i].percpu_offset + state->percpu.static_start;
		for (uint32_t j = 0; j < state->percpu.chunks.count; j++) {
			const struct percpu_chunk *chunk = &state->percpu.chunks.data[j];
			if (state->percpu.count >= RANGES_MAX)
				return;
			if (!chunk->address)
				unit = first;
			else if (has_units && memory_u64(s->memory, offsets + all[i].id * 8,
							 &unit) == READ_OK)
				unit += chunk->base;
			else
				continue;
			vec_push(&state->percpu, (struct percpu_range){ .start = unit, .chunk = j,
									.cpu = (int)all[i].id });
		}
	}
}

static void add_modules(struct session *s, struct whatis_state *state)
{
	size_t count;
	const struct module_info *all = modules(s, &count);

	for (size_t i = 0; i < count; i++) {
		const struct module *module = &all[i].module;
		uint64_t start, size;
		if (kread(s, module->address, "module", "percpu", &start) && start &&
		    kread(s, module->address, "module", "percpu_size", &size) && size &&
		    size < UNIT_MAX)
			vec_push(&state->percpu.modules,
				 (struct whatis_module_percpu){ module, start, size });
	}
}

void what_percpu_prepare(struct session *s, struct whatis_state *state)
{
	struct chunk_walk walk = { .s = s, .state = state };

	pthread_mutex_lock(&state->lock);
	if (!state->percpu.known && s->symbols) {
		find_static(s, state);
		if (!kglobal(s, "pcpu_unit_size", 4, &walk.unit_size) || walk.unit_size > UNIT_MAX)
			walk.unit_size = 0;
		if (state->percpu.static_size)
			vec_push(&state->percpu.chunks,
				 (struct percpu_chunk){ .size = state->percpu.static_size });
		if (walk.unit_size)
			find_chunks(&walk);
		add_ranges(&walk);
		add_modules(s, state);
		if (state->percpu.count)
			qsort(state->percpu.data, state->percpu.count, sizeof(*state->percpu.data),
			      compare_ranges);
	}
	state->percpu.known = true;
	pthread_mutex_unlock(&state->lock);
}

/* The parts of chunks are apart, but that of the first begins in the page where variables end. */
static const struct percpu_range *find_range(const struct what_ask *ask)
{
	const struct percpu_range *all, *found = NULL;
	const struct percpu_chunk *chunks;
	size_t low = 0, high;

	what_percpu_prepare(ask->s, ask->state);
	all = ask->state->percpu.data;
	chunks = ask->state->percpu.chunks.data;
	high = ask->state->percpu.count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (all[mid].start <= ask->address)
			low = mid + 1;
		else
			high = mid;
	}
	for (size_t back = 0; low && back < 3; low--, back++) {
		const struct percpu_range *range = &all[low - 1];
		if (ask->address - range->start >= chunks[range->chunk].size)
			continue;
		if (!found || !chunks[range->chunk].address)
			found = range;
	}
	return found;
}

static void static_variable(const struct what_ask *ask, const struct percpu_range *range)
{
	struct session *s = ask->s;
	uint64_t offset = ask->address - range->start + ask->state->percpu.static_start;
	struct symbol symbol;
	char place[160], member[320];

	if (!symbols_per_cpu(s->symbols, offset, &symbol) &&
	    !symbols_by_address(s->symbols, offset, &symbol)) {
		what_set(ask, WHAT_PERCPU, range->start, ask->state->percpu.static_size);
		what_textf(ask, "per-CPU data of CPU %d", range->cpu);
		return;
	}
	what_set(ask, WHAT_PERCPU, ask->address - (offset - symbol.address), symbol.size);
	what_plus(place, sizeof(place), symbol.name, offset - symbol.address);
	if (ask->brief) {
		what_textf(ask, "%s (CPU %d)", place, range->cpu);
		return;
	}
	what_variable_member(ask, symbol.name, symbol.address, offset - symbol.address, member,
			     sizeof(member));
	bool show = *member && offset != symbol.address;
	what_textf(ask, "%s of CPU %d (per-CPU data%s%s)", place, range->cpu, show ? ": " : "",
		   show ? member : "");
}

static bool test_bit(struct session *s, uint64_t map, uint64_t bit, bool *set)
{
	uint8_t byte;

	if (memory_u8(s->memory, map + bit / 8, &byte) != READ_OK)
		return false;
	*set = byte >> bit % 8 & 1;
	return true;
}

/* The allocation that the block at @bit belongs to: its bits are [*first, *end). */
static bool find_allocation(struct session *s, const struct percpu_chunk *chunk, uint64_t bit,
			    uint64_t *first, uint64_t *end)
{
	uint64_t bits = chunk->size / BLOCK;
	bool bound;

	for (*first = bit;; (*first)--) {
		if (!test_bit(s, chunk->bound_map, *first, &bound))
			return false;
		if (bound || !*first)
			break;
	}
	for (*end = bit + 1; *end < bits; (*end)++) {
		if (!test_bit(s, chunk->bound_map, *end, &bound))
			return false;
		if (bound)
			break;
	}
	return true;
}

/* As the kernel keeps it: what this_cpu_ptr() adds the CPU's offset to. 0: unknown. */
static uint64_t pointer_of(const struct what_ask *ask, int id)
{
	const struct cpu *cpu = cpu_by_id(ask->s, (unsigned)id);

	return cpu ? ask->address - cpu->percpu_offset : 0;
}

/* The per-CPU variable of a module that a per-CPU pointer is in. */
struct module_search {
	const struct whatis_module_percpu *module;
	uint64_t pointer;
	struct symbol found;
};

static bool is_nearer(void *ctx, const struct symbol *symbol)
{
	struct module_search *search = ctx;

	if (symbol->address >= search->module->start && symbol->address <= search->pointer &&
	    (!search->found.name || symbol->address > search->found.address))
		search->found = *symbol;
	return true;
}

/* Static per-CPU variables of a module lie in an allocation of its own; its symbols name them. */
static bool module_variable(const struct what_ask *ask, uint64_t pointer, int cpu)
{
	char place[160];

	vec_for_each (m, &ask->state->percpu.modules) {
		struct module_search search = { .module = m, .pointer = pointer };
		if (pointer - m->start >= m->size)
			continue;
		symbols_module_each(ask->s->symbols, m->module, is_nearer, &search);
		if (!search.found.name)
			return false;
		what_plus(place, sizeof(place), search.found.name, pointer - search.found.address);
		if (ask->brief)
			what_textf(ask, "%s (CPU %d) [%s]", place, cpu, m->module->name);
		else
			what_textf(ask, "%s of CPU %d (per-CPU data of module %s)", place, cpu,
				   m->module->name);
		return true;
	}
	return false;
}

static void dynamic_memory(const struct what_ask *ask, const struct percpu_range *range)
{
	const struct percpu_chunk *chunk = &ask->state->percpu.chunks.data[range->chunk];
	uint64_t offset = ask->address - range->start, first = 0, end = 0;
	bool used = true;

	what_set(ask, WHAT_PERCPU, range->start, chunk->size);
	ask->what->object = chunk->address;
	bool known = chunk->alloc_map && test_bit(ask->s, chunk->alloc_map, offset / BLOCK, &used);
	bool bounded = !ask->brief && known && used && chunk->bound_map &&
		       find_allocation(ask->s, chunk, offset / BLOCK, &first, &end);
	if (bounded)
		what_set(ask, WHAT_PERCPU, range->start + first * BLOCK, (end - first) * BLOCK);
	ask->what->freed = known && !used;
	if (module_variable(ask, pointer_of(ask, range->cpu), range->cpu))
		return;
	if (ask->brief) {
		what_textf(ask, "%sper-CPU (CPU %d)", ask->what->freed ? "free " : "", range->cpu);
	} else if (known && !used) {
		what_textf(ask, "free dynamic per-CPU memory of CPU %d", range->cpu);
	} else if (bounded) {
		what_textf(ask, "dynamic per-CPU memory of CPU %d: 0x%lx in an allocation of %lu "
			   "bytes", range->cpu, (unsigned long)(offset - first * BLOCK),
			   (unsigned long)((end - first) * BLOCK));
	} else {
		what_textf(ask, "dynamic per-CPU memory of CPU %d", range->cpu);
	}
}

static void add_pointer(const struct what_ask *ask)
{
	uint64_t pointer = pointer_of(ask, ask->what->cpu);

	if (pointer)
		what_detailf(ask, "per-CPU pointer 0x%lx, CPU %d's offset 0x%lx",
			     (unsigned long)pointer, ask->what->cpu,
			     (unsigned long)(ask->address - pointer));
}

/* Since 6.15 the variables have addresses like others, where they only were at boot. */
static bool without_offset(const struct what_ask *ask)
{
	struct symbol symbol;
	char place[160];

	if (!ask->state->percpu.static_start ||
	    ask->address - ask->state->percpu.static_start >= ask->state->percpu.static_size ||
	    !symbols_by_address(ask->s->symbols, ask->address, &symbol))
		return false;
	what_set(ask, WHAT_PERCPU, symbol.address, symbol.size);
	what_plus(place, sizeof(place), symbol.name, ask->address - symbol.address);
	what_textf(ask, ask->brief ? "%s (per-CPU)" : "%s (per-CPU data, without a CPU's offset)",
		   place);
	return true;
}

bool what_percpu(const struct what_ask *ask)
{
	const struct percpu_range *range;

	if (!ask->s->symbols || !ask->s->arch->is_kernel_address(ask->address))
		return false;
	range = find_range(ask);
	if (!range)
		return without_offset(ask);
	ask->what->cpu = range->cpu;
	if (ask->state->percpu.chunks.data[range->chunk].address)
		dynamic_memory(ask, range);
	else
		static_variable(ask, range);
	ask->what->cpu = range->cpu;
	if (!ask->brief)
		add_pointer(ask);
	return true;
}
