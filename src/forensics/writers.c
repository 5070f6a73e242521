// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Each byte of code is first looked at as if it were an opcode (code_might_store()); only functions
 * in which that finds something are decoded, from their start up to the last such byte, since
 * instructions have no marks at which they begin.
 *
 * A constant that was put in a register is followed as long as the code is straight: over branches
 * that may be taken and over calls (which keep some registers), up to the jump or return that ends
 * the run. That the store is reached from elsewhere with another value does not matter: this path
 * stores the constant.
 */
#include "forensics/writers.h"

#include <stdlib.h>

#include "base/parallel.h"
#include "base/vec.h"
#include "kernel/modules.h"

enum { WORKERS = 64, REGS = 16 };

struct found {
	vec_fields(struct writer);
};

struct search {
	struct session *session;
	const struct store_wish *wish;
	struct found worker[WORKERS];
};

/* What is known at one instruction of a function. */
struct run {
	struct search *search;
	const struct text_chunk *chunk;
	struct found *found;
	uint64_t function;
	/* Register n holds the constant looked for; it was put there by the instruction at set[n]. */
	uint64_t set[REGS];
	unsigned holding; /* bit n */
};

/* The first place in [@from, @end) at which an opcode of interest may be; @end: none. */
static size_t next_hint(const struct search *search, const struct text_chunk *chunk, size_t from,
			size_t end)
{
	for (; from < end; from++) {
		if (code_might_store(search->wish, chunk->bytes + from, end - from,
				     chunk->start + from))
			return from;
	}
	return end;
}

static void add(struct run *run, uint64_t pc, const struct insn_store *store, uint64_t set_at)
{
	vec_push(run->found, (struct writer){
		.pc = pc, .function = run->function, .module = run->chunk->module, .store = *store,
		.set_at = set_at,
		.in_frame = store->memory.base == (int)run->search->session->arch->sp,
	});
}

static bool right_place(const struct store_wish *wish, const struct insn_memory *m)
{
	return !wish->has_displacement ||
	       (!m->absolute && m->displacement >= wish->low && m->displacement < wish->high);
}

static void check_store(struct run *run, uint64_t pc, const struct insn_store *store)
{
	const struct store_wish *wish = run->search->wish;
	unsigned size = store->memory.size;

	if (!right_place(wish, &store->memory) || size > 8)
		return;
	if (!wish->has_value)
		add(run, pc, store, 0);
	else if (store->source == STORE_CONSTANT &&
		 code_same_value(wish->value, store->constant, size))
		add(run, pc, store, 0);
	else if (store->source == STORE_REGISTER && run->holding >> store->reg & 1 && size == 8)
		add(run, pc, store, run->set[store->reg]);
	else if (store->source == STORE_REGISTER && run->holding >> store->reg & 1 &&
		 wish->value >> size * 8 == 0)
		add(run, pc, store, run->set[store->reg]);
}

/* After the instruction at @pc: which registers hold the constant now? */
static void follow_registers(struct run *run, uint64_t pc, const struct insn *insn)
{
	struct insn_set set = code_set_register(insn);
	bool copies = set.source == SET_REGISTER && set.from < REGS &&
		      run->holding >> set.from & 1;
	uint64_t set_at = copies ? run->set[set.from] : pc;

	if (insn->kind == INSN_CALL)
		run->holding &= (unsigned)run->search->session->arch->preserved;
	else if (!code_falls_through(insn))
		run->holding = 0;
	run->holding &= ~(unsigned)insn->writes;
	if (set.reg >= REGS || !(copies || (set.source == SET_CONSTANT &&
					     set.constant == run->search->wish->value)))
		return;
	run->holding |= 1u << set.reg;
	run->set[set.reg] = set_at;
}

static void search_function(struct search *search, const struct text_chunk *chunk, unsigned worker,
			    size_t start, size_t end)
{
	struct run run = { .search = search, .chunk = chunk, .found = &search->worker[worker],
			   .function = chunk->start + start };
	size_t hint = next_hint(search, chunk, start, end);

	for (size_t at = start; hint < end || run.holding;) {
		const uint8_t *bytes = chunk->bytes + at;
		uint64_t pc = chunk->start + at;
		unsigned length = at < end ? code_length(bytes, end - at) : 0;
		if (at >= end)
			break;
		if (!length) {
			run.holding = 0;
			length = 1;
		} else if (hint < at + length || run.holding) {
			struct insn insn;
			struct insn_store store;
			bool valid = code_decode(bytes, end - at, pc, &insn);
			if (valid && code_store(&insn, &store))
				check_store(&run, pc, &store);
			if (valid && search->wish->has_value)
				follow_registers(&run, pc, &insn);
		}
		at += length;
		if (hint < at)
			hint = next_hint(search, chunk, at, end);
	}
}

static void search_chunk(void *ctx, unsigned worker, const struct text_chunk *chunk)
{
	for (size_t i = 0; i < chunk->function_count; i++)
		search_function(ctx, chunk, worker, chunk->functions[i] - chunk->start,
				text_function_end(chunk, i) - chunk->start);
}

unsigned module_suspicion(struct session *s, const struct module *module)
{
	size_t count;
	const struct module_info *all = modules(s, &count);

	if (!module)
		return 2;
	for (size_t i = 0; i < count; i++) {
		if (all[i].module.address == module->address)
			return all[i].taints ? 0 : 1;
	}
	return 1;
}

struct ranked {
	struct writer writer;
	unsigned suspicion;
};

static int by_suspicion(const void *va, const void *vb)
{
	const struct ranked *a = va, *b = vb;

	if (a->suspicion != b->suspicion)
		return a->suspicion < b->suspicion ? -1 : 1;
	return a->writer.pc < b->writer.pc ? -1 : a->writer.pc > b->writer.pc;
}

static void merge(struct search *search, struct writers *writers)
{
	struct {
		vec_fields(struct ranked);
	} all = { 0 };

	for (size_t i = 0; i < WORKERS; i++) {
		vec_for_each(w, &search->worker[i])
			vec_push(&all, (struct ranked){
				*w, module_suspicion(search->session, w->module) });
		vec_deinit(&search->worker[i]);
	}
	if (all.count)
		qsort(all.data, all.count, sizeof(*all.data), by_suspicion);
	vec_for_each(r, &all)
		vec_push(writers, r->writer);
	vec_deinit(&all);
}

void writers_find(struct session *s, const struct store_wish *wish, struct writers *writers)
{
	struct search search = { .session = s, .wish = wish };

	*writers = (struct writers){ 0 };
	writers->interrupted = !text_scan(s, search_chunk, &search, &writers->scan);
	merge(&search, writers);
}

void writers_deinit(struct writers *writers)
{
	vec_deinit(writers);
}
