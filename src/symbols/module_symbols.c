// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Symbols of modules. The kernel keeps for each module an ELF symbol table with absolute addresses,
 * and its strings (struct mod_kallsyms). The type letter of nm is in an array of its own since
 * 5.2, before that it was written over st_info.
 *
 * Which symbol names an address: the nearest below it, of several at one address the first in the
 * table; it ends at the next symbol above or where the module's text ends. Undefined symbols, empty
 * names and the markers that assemblers put between code and data do not count
 * (find_kallsyms_symbol() in kernel/module/kallsyms.c).
 */
#include "symbols/module_symbols.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/compiler.h"

enum {
	SYMBOLS_MAX = 1 << 20,
	STRINGS_MAX = 32 << 20,
	NAME_MAX_LEN = 1024,
};

void module_symbols_deinit(struct module_symbols *ms)
{
	free(ms->sym);
	free(ms->types);
	free(ms->strings);
	free(ms->order);
}

/* is_mapping_symbol() in include/linux/module_symbol.h */
static bool is_mapping_symbol(const char *name)
{
	if (name[0] == '.' && name[1] == 'L')
		return true;
	if (name[0] == 'L' && name[1] == '0')
		return true;
	return name[0] == '$' && name[1] && strchr("axtd", name[1]) &&
	       (name[2] == '\0' || name[2] == '.');
}

static const char *name_of(const struct module_symbols *ms, uint32_t i)
{
	uint32_t at = ms->sym[i].st_name;

	return at < ms->strings_size ? ms->strings + at : "";
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '?';
}

static char type_of(const struct module_symbols *ms, uint32_t i)
{
	if (ms->types && is_letter(ms->types[i]))
		return ms->types[i];
	if (is_letter((char)ms->sym[i].st_info))
		return (char)ms->sym[i].st_info;
	return '?';
}

static int compare_values(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/*
 * Letters of what the module exports are capital ones in /proc/kallsyms (is_exported(), s_show() in
 * kernel/kallsyms.c). Values come first in a struct kernel_symbol (kernel/module/internal.h).
 */
static void mark_exports(struct module_symbols *ms, struct memory *mem)
{
	const struct module *m = ms->module;
	size_t bytes = (size_t)m->export_count * m->export_size;

	if (!m->exports || !ms->types || !bytes)
		return;
	uint8_t *table = xcalloc(1, bytes);
	uint64_t *values = xcalloc(m->export_count, sizeof(*values));
	size_t n = memory_read_some(mem, m->exports, table, bytes) / m->export_size;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *at = table + i * m->export_size;
		uint64_t offset = (uint64_t)(int64_t)(int32_t)load_u32(at);
		values[i] = m->export_relative ? m->exports + (uint64_t)(at - table) + offset
					       : load_u64(at);
	}
	qsort(values, n, sizeof(*values), compare_values);
	for (uint32_t i = 0; i < ms->count; i++) {
		if (ms->types[i] >= 'a' && ms->types[i] <= 'z' &&
		    bsearch(&ms->sym[i].st_value, values, n, sizeof(*values), compare_values))
			ms->types[i] -= 'a' - 'A';
	}
	free(values);
	free(table);
}

/* Reads the symbols up to the first hole. */
static void read_table(struct module_symbols *ms, struct memory *mem)
{
	const struct module *m = ms->module;
	size_t n = min_u64(m->symbol_count, SYMBOLS_MAX);
	size_t strings = 1;

	if (!m->symtab || !m->strtab || !n)
		return;
	ms->sym = xcalloc(n, sizeof(*ms->sym));
	n = memory_read_some(mem, m->symtab, ms->sym, n * sizeof(*ms->sym)) / sizeof(*ms->sym);
	for (size_t i = 0; i < n; i++) {
		if (ms->sym[i].st_name < STRINGS_MAX)
			strings = max_u64(strings, ms->sym[i].st_name + 1);
	}
	/* Up to the last string's start, and that string. */
	strings += NAME_MAX_LEN;
	ms->strings = xcalloc(1, strings + 1);
	ms->strings_size = memory_read_some(mem, m->strtab, ms->strings, strings);
	ms->strings[ms->strings_size] = '\0';
	if (m->typetab) {
		ms->types = xcalloc(1, n + 1);
		(void)memory_read_some(mem, m->typetab, ms->types, n);
	}
	ms->count = (uint32_t)n;
	mark_exports(ms, mem);
}

static int compare_order(const void *a, const void *b, void *ctx)
{
	const struct module_symbols *ms = ctx;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	uint64_t x = ms->sym[i].st_value, y = ms->sym[j].st_value;

	if (x != y)
		return x < y ? -1 : 1;
	return i < j ? -1 : i > j;
}

static void load(struct module_symbols *ms, struct memory *mem)
{
	if (ms->loaded)
		return;
	ms->loaded = true;
	read_table(ms, mem);
	ms->order = xcalloc(ms->count + 1, sizeof(*ms->order));
	/* Symbol 0 is ELF's empty one. */
	for (uint32_t i = 1; i < ms->count; i++) {
		const char *name = name_of(ms, i);
		if (ms->sym[i].st_shndx != SHN_UNDEF && *name && !is_mapping_symbol(name))
			ms->order[ms->order_count++] = i;
	}
	qsort_r(ms->order, ms->order_count, sizeof(*ms->order), compare_order, ms);
}

/* Where the last symbol of the part of the module that @address is in ends. */
static uint64_t end_of_area(const struct module *m, uint64_t address)
{
	if (address - m->text_start < m->text_size)
		return m->text_start + m->text_size;
	for (unsigned i = 0; i < m->area_count && i < array_size(m->area); i++) {
		if (address - m->area[i].start < m->area[i].size)
			return m->area[i].start + m->area[i].size;
	}
	return 0;
}

/* How many in order[] are at or below @address. */
static uint32_t count_to(const struct module_symbols *ms, uint64_t address)
{
	uint32_t low = 0, high = ms->order_count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (ms->sym[ms->order[mid]].st_value <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void fill(const struct module_symbols *ms, uint32_t i, uint32_t next, struct symbol *symbol)
{
	uint64_t value = ms->sym[i].st_value, end = end_of_area(ms->module, value);

	if (next < ms->order_count && (!end || ms->sym[ms->order[next]].st_value < end))
		end = ms->sym[ms->order[next]].st_value;
	*symbol = (struct symbol){
		.address = value,
		.size = end > value ? end - value : 0,
		.name = name_of(ms, i),
		.type = type_of(ms, i),
		.module = ms->module,
	};
}

bool module_symbols_at(struct module_symbols *ms, struct memory *mem, uint64_t address,
		       struct symbol *symbol)
{
	load(ms, mem);
	uint32_t next = count_to(ms, address), first = next;
	if (!next)
		return false;
	uint64_t value = ms->sym[ms->order[next - 1]].st_value;
	while (first && ms->sym[ms->order[first - 1]].st_value == value)
		first--;
	/* A symbol of another area, far below: the kernel would print it, we would rather not. */
	if (end_of_area(ms->module, value) == 0)
		return false;
	fill(ms, ms->order[first], next, symbol);
	return true;
}

bool module_symbols_find(struct module_symbols *ms, struct memory *mem, const char *name,
			 struct symbol *symbol)
{
	load(ms, mem);
	for (uint32_t i = 0; i < ms->order_count; i++) {
		if (strcmp(name_of(ms, ms->order[i]), name) != 0)
			continue;
		fill(ms, ms->order[i], count_to(ms, ms->sym[ms->order[i]].st_value), symbol);
		return true;
	}
	return false;
}

bool module_symbols_each(struct module_symbols *ms, struct memory *mem, symbol_fn fn, void *ctx)
{
	struct symbol symbol;

	load(ms, mem);
	for (uint32_t i = 0; i < ms->order_count; i++) {
		fill(ms, ms->order[i], count_to(ms, ms->sym[ms->order[i]].st_value), &symbol);
		if (!fn(ctx, &symbol))
			return false;
	}
	return true;
}
