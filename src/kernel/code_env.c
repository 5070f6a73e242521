// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The environment of code/ out of a dump, and the control-flow graphs of functions asked for.
 *
 * The exception table (include/asm-generic/extable.h; x86 has struct exception_table_entry {int
 * insn, fixup, ...}, distances from themselves) tells where the kernel goes on after a fault that
 * it expected. The kernel sorts it; modules have one each. Handlers that leave a function in
 * another way than by the fix-up address panic.
 */
#include "kernel/code_env.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/map.h"
#include "base/vec.h"
#include "kernel/bugs.h"

enum {
	ENTRY_SIZE_USUAL = 12, /* since 4.6; two numbers before */
	ENTRY_SIZE_MIN = 8,
	ENTRIES_MAX = 1 << 18,
	CACHED_MAX = 2048,
	KEPT_MAX = 256,
};

struct code_state {
	struct session *session;
	struct code_env env;
	struct code_fixup *fixups; /* the kernel's, by address */
	size_t fixup_count;
	struct map graphs; /* by entry: index in list + 1; 0: there is none */
	struct {
		vec_fields(struct cfg *);
	} list;
};

static void state_destroy(void *data)
{
	struct code_state *state = data;

	vec_for_each(cfg, &state->list)
		cfg_destroy(*cfg);
	vec_deinit(&state->list);
	map_deinit(&state->graphs);
	free(state->fixups);
	free(state);
}

static enum read_status env_read(void *ctx, uint64_t vaddr, void *buf, size_t size)
{
	struct code_state *state = ctx;

	return memory_read(state->session->memory, vaddr, buf, size);
}

static bool env_function(void *ctx, uint64_t address, struct symbol *symbol)
{
	struct code_state *state = ctx;

	return symbols_is_text(state->session->symbols, address) &&
	       symbols_by_address(state->session->symbols, address, symbol);
}

static bool env_by_name(void *ctx, const char *name, struct symbol *symbol)
{
	struct code_state *state = ctx;

	return symbols_by_name(state->session->symbols, name, symbol);
}

static bool env_trap_goes_on(void *ctx, uint64_t at)
{
	struct code_state *state = ctx;
	struct bug_site site;

	return bug_at(state->session, at, &site) && site.warning;
}

static uint64_t displaced(uint64_t at, const uint8_t *bytes)
{
	return at + (uint64_t)(int64_t)(int32_t)load_u32(bytes);
}

/* Reads @count entries at @table; how many of them lie in [@start, @end) into @fixups. */
static size_t read_table(struct session *s, uint64_t table, size_t count, uint64_t start,
			 uint64_t end, struct code_fixup *fixups, size_t max)
{
	uint64_t size = types_sizeof(s->types, "struct exception_table_entry");
	size_t found = 0;

	if (size < ENTRY_SIZE_MIN || size > 2 * ENTRY_SIZE_USUAL)
		size = ENTRY_SIZE_USUAL;
	if (!table || !count || count > ENTRIES_MAX)
		return 0;
	auto_free uint8_t *bytes = xcalloc(count, (size_t)size);
	if (memory_read(s->memory, table, bytes, count * (size_t)size) != READ_OK)
		return 0;
	for (size_t i = 0; i < count && found < max; i++) {
		const uint8_t *entry = bytes + i * size;
		uint64_t at = displaced(table + i * size, entry);
		if (at >= start && at < end)
			fixups[found++] = (struct code_fixup){
				.at = at,
				.target = displaced(table + i * size + 4, entry + 4),
			};
	}
	return found;
}

static int compare_fixups(const void *a, const void *b)
{
	const struct code_fixup *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static void read_kernel_table(struct code_state *state)
{
	struct session *s = state->session;
	uint64_t start = symbols_address(s->symbols, "__start___ex_table");
	uint64_t stop = symbols_address(s->symbols, "__stop___ex_table");

	if (!start || stop <= start || (stop - start) / ENTRY_SIZE_MIN > ENTRIES_MAX)
		return;
	size_t max = (size_t)(stop - start) / ENTRY_SIZE_USUAL;
	state->fixups = xcalloc(max + 1, sizeof(*state->fixups));
	state->fixup_count = read_table(s, start, max, 0, UINT64_MAX, state->fixups, max);
	qsort(state->fixups, state->fixup_count, sizeof(*state->fixups), compare_fixups);
}

static size_t env_fixups(void *ctx, uint64_t start, uint64_t end, struct code_fixup *fixups,
			 size_t max)
{
	struct code_state *state = ctx;
	struct session *s = state->session;
	const struct module *module = symbols_module_of(s->symbols, start);
	uint64_t table, count;
	size_t low = 0, high = state->fixup_count, found = 0;

	if (module)
		return kread(s, module->address, "module", "extable", &table) &&
				       kread(s, module->address, "module", "num_exentries", &count)
			       ? read_table(s, table, (size_t)count, start, end, fixups, max)
			       : 0;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (state->fixups[middle].at < start)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < state->fixup_count && state->fixups[low].at < end && found < max; low++)
		fixups[found++] = state->fixups[low];
	return found;
}

static struct code_state *code_state(struct session *s)
{
	struct code_state *state = s->slot[SLOT_CODE].data;

	if (state || !s->symbols)
		return state;
	state = xcalloc(1, sizeof(*state));
	state->session = s;
	state->env = (struct code_env){
		.ctx = state,
		.arch = s->arch,
		.read = env_read,
		.function = env_function,
		.by_name = env_by_name,
		.fixups = env_fixups,
		.trap_goes_on = env_trap_goes_on,
	};
	s->slot[SLOT_CODE].data = state;
	s->slot[SLOT_CODE].destroy = state_destroy;
	read_kernel_table(state);
	return state;
}

const struct code_env *code_env(struct session *s)
{
	struct code_state *state = code_state(s);

	return state ? &state->env : NULL;
}

const struct cfg *code_cfg(struct session *s, uint64_t pc, const char **why)
{
	struct code_state *state = code_state(s);
	struct symbol symbol;
	uint64_t index;
	struct cfg *cfg;

	*why = "no function is known there";
	if (!state || !env_function(state, pc, &symbol))
		return NULL;
	if (map_get(&state->graphs, symbol.address, &index))
		return state->list.data[index];
	*why = "too many functions were looked at";
	if (state->list.count >= CACHED_MAX || !cfg_create(&state->env, pc, &cfg, why))
		return NULL;
	map_set(&state->graphs, symbol.address, state->list.count);
	vec_push(&state->list, cfg);
	return cfg;
}

void code_cfg_trim(struct session *s)
{
	struct code_state *state = s->slot[SLOT_CODE].data;

	if (!state || state->list.count <= KEPT_MAX)
		return;
	vec_for_each(cfg, &state->list)
		cfg_destroy(*cfg);
	vec_deinit(&state->list);
	map_deinit(&state->graphs);
}
