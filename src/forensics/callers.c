// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A function is called at its start, or behind the ENDBR there (direct calls skip it under IBT), or
 * at the padding before it (call depth tracking; the symbol __pfx_NAME), or by way of a static
 * call's trampoline __SCT__NAME, which is one jump (include/linux/static_call.h). All these are
 * looked for at once: four bytes that are such an address, or lead to it from where they stand. The
 * few functions in which that is so are decoded.
 *
 * Function pointers in data are words of the kernel's and the modules' own data; those in allocated
 * memory are not looked for here.
 */
#include "forensics/callers.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/parallel.h"
#include "base/vec.h"
#include "forensics/writers.h"
#include "kernel/code_env.h"
#include "kernel/modules.h"

enum {
	WORKERS = 64,
	TARGETS_MAX = 16,
	TRAMPOLINES_MAX = 1 << 14,
	DATA_CHUNK = 256 << 10,
	DATA_MAX = 512 << 20, /* of one range */
	HOLE = 4096,
	SHORT_JUMP = 136, /* bytes, to either side */
};

struct trampolines {
	vec_fields(uint64_t);
};

struct found {
	vec_fields(struct reference);
};

struct range {
	uint64_t start, end;
	const struct module *module;
};

struct search {
	struct session *session;
	uint64_t function;
	struct target {
		uint64_t address, through;
	} target[TARGETS_MAX];
	unsigned target_count;
	struct found worker[WORKERS];
	struct {
		uint64_t bytes, holes;
		uint8_t *buffer;
	} data[WORKERS];
	struct {
		vec_fields(struct range);
	} ranges;
};

/* --- Addresses that mean the function. --- */

static bool add_trampoline(void *ctx, const struct symbol *symbol)
{
	struct trampolines *all = ctx;

	if (strncmp(symbol->name, "__SCT__", 7) == 0 && all->count < TRAMPOLINES_MAX)
		vec_push(all, symbol->address);
	return true;
}

static bool jumps_to(struct session *s, uint64_t address, uint64_t *target)
{
	uint8_t bytes[CODE_INSN_MAX];
	struct insn insn;
	size_t got = memory_read_some(s->memory, address, bytes, sizeof(bytes));

	if (!code_decode(bytes, got, address, &insn) || insn.kind != INSN_JUMP || !insn.target)
		return false;
	*target = insn.target;
	return true;
}

bool static_call_target(struct session *s, uint64_t address, uint64_t *target)
{
	struct symbol symbol;

	return symbols_by_address(s->symbols, address, &symbol) && symbol.address == address &&
	       strncmp(symbol.name, "__SCT__", 7) == 0 && jumps_to(s, address, target);
}

static void add_target(struct search *search, uint64_t address, uint64_t through)
{
	if (search->target_count < TARGETS_MAX)
		search->target[search->target_count++] = (struct target){ address, through };
}

static void find_targets(struct search *search)
{
	struct session *s = search->session;
	struct trampolines all = { 0 };
	struct symbol before;
	uint64_t to;

	add_target(search, search->function, 0);
	if (code_env(s) && code_has_endbr(code_env(s), search->function))
		add_target(search, search->function + ENDBR_SIZE, 0);
	if (symbols_by_address(s->symbols, search->function - 1, &before) &&
	    strncmp(before.name, "__pfx_", 6) == 0)
		add_target(search, before.address, 0);
	symbols_each(s->symbols, add_trampoline, &all);
	vec_for_each(at, &all) {
		if (jumps_to(s, *at, &to) && to == search->function)
			add_target(search, *at, *at);
	}
	vec_deinit(&all);
}

/* --- Code. --- */

static bool might_name(const struct search *search, const uint8_t *bytes, uint64_t pc)
{
	uint32_t word = load_u32(bytes);

	for (unsigned i = 0; i < search->target_count; i++) {
		uint64_t address = search->target[i].address;
		/* Neighbours may jump with a distance of one byte. */
		if (code_might_name(word, pc, address) ||
		    pc - address + SHORT_JUMP < 2 * SHORT_JUMP)
			return true;
	}
	return false;
}

static size_t next_hint(const struct search *search, const struct text_chunk *chunk, size_t from,
			size_t end)
{
	for (; from + 4 <= end; from++) {
		if (might_name(search, chunk->bytes + from, chunk->start + from))
			return from;
	}
	return SIZE_MAX;
}

static void check_insn(struct search *search, struct found *found, const struct text_chunk *chunk,
		       uint64_t function, uint64_t pc, size_t end)
{
	const uint8_t *bytes = chunk->bytes + (pc - chunk->start);
	size_t left = end - (pc - chunk->start);
	uint64_t address;
	struct insn insn;

	if (!code_decode(bytes, left, pc, &insn) || !code_named_address(&insn, &address))
		return;
	/* A function's own jumps are loops, and a trampoline's jump is what it is for. */
	if (insn.kind == INSN_JUMP && (function == search->function || address == function))
		return;
	for (unsigned i = 0; i < search->target_count; i++) {
		const struct target *t = &search->target[i];
		if (t->address == function)
			return;
		if (t->address != address)
			continue;
		vec_push(found, (struct reference){
			.kind = insn.kind == INSN_CALL ? REFERENCE_CALL
			      : insn.kind == INSN_JUMP ? REFERENCE_JUMP
						       : REFERENCE_ADDRESS,
			.at = pc, .function = function, .module = chunk->module,
			.through = t->through });
		return;
	}
}

static void search_function(struct search *search, struct found *found,
			    const struct text_chunk *chunk, size_t start, size_t end)
{
	size_t hint = next_hint(search, chunk, start, end);

	for (size_t at = start; at < end && hint < end;) {
		unsigned length = code_length(chunk->bytes + at, end - at);
		length = length ? length : 1;
		if (hint >= at && hint < at + length)
			check_insn(search, found, chunk, chunk->start + start, chunk->start + at,
				   end);
		at += length;
		if (hint < at)
			hint = next_hint(search, chunk, at, end);
	}
}

static void search_chunk(void *ctx, unsigned worker, const struct text_chunk *chunk)
{
	struct search *search = ctx;

	for (size_t i = 0; i < chunk->function_count; i++)
		search_function(search, &search->worker[worker], chunk,
				chunk->functions[i] - chunk->start,
				text_function_end(chunk, i) - chunk->start);
}

/* --- Data. --- */

static void add_range(struct search *search, uint64_t start, uint64_t end,
		      const struct module *module)
{
	if (!start || end <= start || end - start > DATA_MAX)
		return;
	for (uint64_t at = start & ~UINT64_C(7); at < end; at += DATA_CHUNK)
		vec_push(&search->ranges,
			 (struct range){ at, min_u64(end, at + DATA_CHUNK), module });
}

static void find_ranges(struct search *search)
{
	static const char *const bounds[][2] = {
		{ "__start_rodata", "__end_rodata" }, { "_sdata", "_edata" },
		{ "__bss_start", "__bss_stop" },
	};
	struct session *s = search->session;
	size_t count;
	const struct module_info *all = modules(s, &count);

	for (size_t i = 0; i < array_size(bounds); i++)
		add_range(search, symbols_address(s->symbols, bounds[i][0]),
			  symbols_address(s->symbols, bounds[i][1]), NULL);
	for (size_t i = 0; i < count; i++) {
		const struct module *m = &all[i].module;
		for (unsigned n = 0; n < m->area_count; n++) {
			if (!m->area[n].text)
				add_range(search, m->area[n].start,
					  m->area[n].start + m->area[n].size, m);
		}
	}
}

static void search_words(struct search *search, struct found *found, const struct range *range,
			 uint64_t start, const uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at + 8 <= size; at += 8) {
		if (load_u64(bytes + at) == search->function)
			vec_push(found, (struct reference){ .kind = REFERENCE_DATA,
							    .at = start + at,
							    .module = range->module });
	}
}

static void search_data(void *ctx, unsigned worker, size_t i)
{
	struct search *search = ctx;
	const struct range *range = &search->ranges.data[i];
	struct memory *mem = search->session->memory;

	if (!search->data[worker].buffer)
		search->data[worker].buffer = xmalloc(DATA_CHUNK);
	for (uint64_t at = range->start; at < range->end;) {
		uint8_t *buffer = search->data[worker].buffer;
		size_t got = memory_read_some(mem, at, buffer, range->end - at);
		search_words(search, &search->worker[worker], range, at, buffer, got);
		search->data[worker].bytes += got;
		at += got;
		if (at >= range->end)
			break;
		uint64_t skip = min_u64(HOLE - (at & (HOLE - 1)), range->end - at);
		search->data[worker].holes += skip;
		at += skip;
	}
}

/* --- Together. --- */

struct ranked {
	struct reference reference;
	unsigned suspicion;
};

static int compare_ranked(const void *va, const void *vb)
{
	const struct ranked *a = va, *b = vb;
	bool data_a = a->reference.kind == REFERENCE_DATA;
	bool data_b = b->reference.kind == REFERENCE_DATA;

	if (data_a != data_b)
		return data_a ? 1 : -1;
	if (a->suspicion != b->suspicion)
		return a->suspicion < b->suspicion ? -1 : 1;
	return a->reference.at < b->reference.at ? -1 : a->reference.at > b->reference.at;
}

static void merge(struct search *search, struct references *references)
{
	struct {
		vec_fields(struct ranked);
	} all = { 0 };

	for (size_t i = 0; i < WORKERS; i++) {
		vec_for_each(r, &search->worker[i])
			vec_push(&all, (struct ranked){
				*r, module_suspicion(search->session, r->module) });
		vec_deinit(&search->worker[i]);
		free(search->data[i].buffer);
		references->data_bytes += search->data[i].bytes;
		references->data_holes += search->data[i].holes;
	}
	if (all.count)
		qsort(all.data, all.count, sizeof(*all.data), compare_ranked);
	vec_for_each(r, &all)
		vec_push(references, r->reference);
	vec_deinit(&all);
}

void callers_find(struct session *s, uint64_t function, struct references *references)
{
	struct search search = { .session = s, .function = function };

	*references = (struct references){ 0 };
	if (!s->symbols)
		return;
	find_targets(&search);
	find_ranges(&search);
	references->interrupted = !text_scan(s, search_chunk, &search, &references->scan) ||
				  !parallel_for(search.ranges.count, s->stop, search_data, &search);
	vec_deinit(&search.ranges);
	merge(&search, references);
}

void references_deinit(struct references *references)
{
	vec_deinit(references);
}
