// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Control flow and value flow over any bytes: three functions (one of them a moved part of another)
 * that call and jump to each other at will, with fix-ups and traps that are passed or not; then
 * every question at some of their addresses, with facts that need not fit together.
 *
 * Input: bounds of the functions (3 times 2 bytes), an address (2), switches (1), then the code.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "code/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 9, FUNCTIONS = 3, CODE_MAX = 4096 };

static const uint64_t base = UINT64_C(0xffffffff81000000);

struct world {
	const uint8_t *code;
	size_t size;
	uint16_t bounds[FUNCTIONS];
	uint8_t switches;
};

static enum read_status world_read(void *ctx, uint64_t vaddr, void *buf, size_t size)
{
	const struct world *w = ctx;

	if (vaddr < base || vaddr - base > w->size || size > w->size - (vaddr - base))
		return READ_UNMAPPED;
	memcpy(buf, w->code + (vaddr - base), size);
	return READ_OK;
}

static const char *const names[FUNCTIONS] = { "f", "g", "f.cold" };

static void fill(const struct world *w, unsigned i, struct symbol *symbol)
{
	uint64_t start = w->bounds[i] % (w->size + 1);
	uint64_t next = w->bounds[(i + 1) % FUNCTIONS] % (w->size + 1);

	*symbol = (struct symbol){ .address = base + start,
				   .size = next > start ? next - start : w->size - start,
				   .name = w->switches & 1 && i == 1 ? "__x86_return_thunk"
								     : names[i] };
}

static bool world_function(void *ctx, uint64_t address, struct symbol *symbol)
{
	for (unsigned i = 0; i < FUNCTIONS; i++) {
		fill(ctx, i, symbol);
		if (address >= symbol->address && address - symbol->address < symbol->size)
			return true;
	}
	return false;
}

static bool world_by_name(void *ctx, const char *name, struct symbol *symbol)
{
	fill(ctx, 0, symbol);
	return strcmp(name, "f") == 0;
}

static size_t world_fixups(void *ctx, uint64_t start, uint64_t end, struct code_fixup *fixups,
			   size_t max)
{
	const struct world *w = ctx;
	size_t count = 0;

	for (uint64_t at = start; at + 4 < end && count < max && w->switches & 2; at += 7)
		fixups[count++] = (struct code_fixup){ at, base + at % (w->size + 1) };
	return count;
}

static bool world_trap(void *ctx, uint64_t at)
{
	const struct world *w = ctx;

	return w->switches & 4 && at & 1;
}

static bool count_ways(void *ctx, uint64_t from, flow_id value)
{
	unsigned *count = ctx;

	(void)from;
	(void)value;
	return ++*count < 1000;
}

static void ask(const struct code_env *env, struct flow *flow, struct flow_facts *facts)
{
	const struct flow_slot *slots;
	size_t count;
	int64_t last = INT64_MIN;
	char text[64];

	slots = flow_slots(flow, &count);
	for (size_t i = 0; i < count; i++) {
		/* In order, none over another. */
		if (slots[i].offset < last || !slots[i].size || slots[i].size > 8)
			abort();
		last = slots[i].offset + slots[i].size;
	}
	for (unsigned reg = 0; reg < 16; reg++) {
		flow_id id = flow_register(flow, reg);
		struct flow_value value;
		unsigned ways = 0;
		flow_format(flow, id, env->arch, text, sizeof(text));
		flow_merged(flow, id, count_ways, &ways);
		if (flow_eval(facts, id, true, &value) && (!value.bits || value.bits > 64))
			abort();
		if (flow_eval(facts, flow_entry(flow, reg), false, &value) && value.memory)
			abort();
	}
}

static void question(const struct code_env *env, const struct cfg *cfg, uint64_t at,
		     const uint8_t *bytes, size_t size)
{
	struct flow *flow = NULL, *sharper = NULL;
	struct regs regs = { 0 };
	const char *why = NULL;

	if (!flow_create(env, cfg, at, NULL, &flow, &why)) {
		if (!why)
			abort();
		return;
	}
	for (unsigned reg = 0; reg < 16 && size >= (reg + 1) * 8; reg++) {
		if (bytes[reg] & 1)
			regs_set(&regs, reg, load_u64(bytes + reg * 8));
	}
	struct flow_facts *facts = flow_facts_create(env, flow);
	flow_know_frame(facts, &regs, bytes[0] & 2 ? base + size / 2 : 0);
	(void)!flow_solve(facts);
	ask(env, flow, facts);
	if (flow_create(env, cfg, at, facts, &sharper, &why)) {
		struct flow_facts *more = flow_facts_create(env, sharper);
		flow_know_frame(more, &regs, 0);
		(void)!flow_solve(more);
		ask(env, sharper, more);
		flow_facts_destroy(more);
	}
	flow_facts_destroy(facts);
	flow_destroy(sharper);
	flow_destroy(flow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w;
	struct cfg *cfg;
	const char *why = NULL;
	struct code_env env = { .ctx = &w,
				.arch = &arch_x86_64,
				.read = world_read,
				.function = world_function,
				.by_name = world_by_name,
				.fixups = world_fixups,
				.trap_goes_on = world_trap };

	if (size <= HEADER || size > HEADER + CODE_MAX)
		return 0;
	w = (struct world){ .code = data + HEADER, .size = size - HEADER, .switches = data[8] };
	for (unsigned i = 0; i < FUNCTIONS; i++)
		w.bounds[i] = load_u16(data + i * 2);
	uint64_t at = base + load_u16(data + 6) % (w.size + 1);
	if (!cfg_create(&env, at, &cfg, &why)) {
		if (!why)
			abort();
		return 0;
	}
	/* Each instruction is in one block, and edges lead to blocks. */
	for (uint32_t i = 0; i < cfg->edge_count; i++) {
		if (cfg->edges[i].from >= cfg->block_count || cfg->edges[i].to >= cfg->block_count)
			abort();
	}
	for (uint32_t i = 0; i < cfg->block_count; i++) {
		if (!cfg->blocks[i].count || cfg_block_of(cfg, cfg->blocks[i].first) != i)
			abort();
	}
	question(&env, cfg, at, data, size);
	for (uint32_t i = 0; i < cfg->insn_count; i += 1 + cfg->insn_count / 4)
		question(&env, cfg, cfg->insns[i].at, data, size);
	cfg_destroy(cfg);
	return 0;
}
