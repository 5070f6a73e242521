// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The tables (include/asm-generic/vmlinux.lds.h, arch/x86/kernel/vmlinux.lds.S). In a vmlinux some
 * are sections, others lie in larger ones between two symbols; a module has a section of each. Most
 * are arrays of 32-bit distances from the entry itself; alternatives and static keys have more in
 * an entry; __mcount_loc and .parainstructions hold whole addresses, which KASLR moves.
 *
 * A place is an instruction's start, except where the table tells a length. Whoever compares does
 * so by instructions, so the start is enough.
 */
#include "forensics/text_patches.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/strbuf.h"
#include "base/vec.h"

enum { TABLE_MAX = 32 << 20 };

enum place_kind {
	PLACE_DISTANCE, /* s32 from the field */
	PLACE_ADDRESS,  /* u64 */
};

static const struct patch_table {
	const char *section; /* or how its name begins */
	const char *by;
	enum place_kind kind;
	unsigned stride;
	const char *start, *stop; /* symbols around it in a vmlinux; NULL: it is a section there too */
} tables[] = {
	{ ".altinstructions", "alternatives", PLACE_DISTANCE, 0, NULL, NULL }, /* stride by the types */
	{ ".retpoline_sites", "retpoline", PLACE_DISTANCE, 4, NULL, NULL },
	{ ".return_sites", "return thunk", PLACE_DISTANCE, 4, NULL, NULL },
	{ ".call_sites", "call depth tracking", PLACE_DISTANCE, 4, NULL, NULL },
	{ ".cfi_sites", "control-flow integrity", PLACE_DISTANCE, 4, NULL, NULL },
	{ ".ibt_endbr_seal", "sealed endbr", PLACE_DISTANCE, 4, NULL, NULL },
	{ ".smp_locks", "lock prefix", PLACE_DISTANCE, 4, NULL, NULL },
	{ ".static_call_sites", "static call", PLACE_DISTANCE, 8,
	  "__start_static_call_sites", "__stop_static_call_sites" },
	{ "__jump_table", "jump label", PLACE_DISTANCE, 16, "__start___jump_table",
	  "__stop___jump_table" },
	{ "__mcount_loc", "ftrace", PLACE_ADDRESS, 8, "__start_mcount_loc",
	  "__stop_mcount_loc" },
	{ ".parainstructions", "paravirt", PLACE_ADDRESS, 16, NULL, NULL },
	{ "runtime_", "constant of this boot", PLACE_DISTANCE, 4, NULL, NULL },
};

struct collect {
	struct session *s;
	const struct text_range *ranges;
	size_t count;
	bool module;
	struct text_patches *out;
	/* struct alt_instr */
	uint64_t alt_size, alt_offset, alt_length;
	bool has_alternatives;
};

static bool wanted(const struct collect *c, uint64_t address, unsigned size)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (c->ranges[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->count && address + size > c->ranges[low].start;
}

static void add(struct collect *c, uint64_t address, unsigned size, const char *by)
{
	if (wanted(c, address, size))
		vec_push(c->out, (struct text_patch){ address, size, by });
}

static void add_entries(struct collect *c, const struct patch_table *table, uint64_t address,
			const uint8_t *bytes, size_t size, uint64_t slide)
{
	bool alternatives = !table->stride;
	size_t stride = alternatives ? (size_t)c->alt_size : table->stride;
	size_t field = alternatives ? (size_t)c->alt_offset : 0;

	for (size_t i = 0; i + stride <= size; i += stride) {
		const uint8_t *at = bytes + i + field;
		unsigned length = 1;
		uint64_t place;
		if (table->kind == PLACE_DISTANCE)
			place = address + i + field + (uint64_t)(int64_t)(int32_t)load_u32(at);
		else
			place = load_u64(at) + slide;
		if (alternatives)
			length = bytes[i + c->alt_length];
		else if (table->stride == 16 && table->kind == PLACE_ADDRESS)
			length = bytes[i + 9]; /* struct paravirt_patch_site: instr, type, len */
		add(c, place, length ? length : 1, table->by);
	}
	c->has_alternatives |= alternatives;
}

static const struct patch_table *table_of(const char *section)
{
	for (size_t i = 0; i < array_size(tables); i++) {
		if (starts_with(section, tables[i].section))
			return &tables[i];
	}
	return NULL;
}

static void add_section(void *ctx, const struct file_section *section)
{
	struct collect *c = ctx;
	const struct patch_table *table = table_of(section->name);

	if (!table || !section->size || section->size > TABLE_MAX)
		return;
	if (!c->module) {
		add_entries(c, table, section->address, section->bytes, section->size,
			    section->slide);
		return;
	}
	auto_free uint8_t *bytes = xmalloc(section->size);
	if (memory_read(c->s->memory, section->address, bytes, section->size) == READ_OK)
		add_entries(c, table, section->address, bytes, section->size, 0);
}

/* The tables between symbols. */
static void add_between(struct collect *c)
{
	for (size_t i = 0; i < array_size(tables); i++) {
		const char *const names[] = { tables[i].start, tables[i].stop };
		struct file_section part;
		uint64_t at[2];
		if (!names[0])
			continue;
		symbols_addresses(c->s->symbols, names, 2, at);
		if (at[0] && at[1] > at[0] && at[1] - at[0] <= TABLE_MAX &&
		    debuginfo_kernel_bytes(c->s->debuginfo, at[0], (size_t)(at[1] - at[0]), &part))
			add_entries(c, &tables[i], part.address, part.bytes, part.size, part.slide);
	}
}

static int compare(const void *va, const void *vb)
{
	const struct text_patch *a = va, *b = vb;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* Another build of the same source has other code. */
static bool same_build(struct session *s, uint64_t address)
{
	struct debug_module *file = debuginfo_of(s->debuginfo, address);
	const char *text = file ? debug_module_text(file) : NULL;

	return text && (strstr(text, "build-id matches") || strstr(text, "banner matches"));
}

const char *text_patches_find(struct session *s, const struct text_range *ranges, size_t count,
			      struct text_patches *patches)
{
	const char *prefixes[array_size(tables) + 1] = { 0 };
	struct collect c = { .s = s, .ranges = ranges, .count = count, .out = patches };

	*patches = (struct text_patches){ 0 };
	if (!count || !s->symbols || !s->debuginfo)
		return "there is no code to look at";
	if (!same_build(s, ranges[0].start))
		return "there is no file of that very build";
	c.alt_size = types_sizeof(s->types, "struct alt_instr");
	if (!koffset(s, "alt_instr", "instr_offset", &c.alt_offset) ||
	    !koffset(s, "alt_instr", "instrlen", &c.alt_length) || c.alt_size < 8 ||
	    c.alt_size > 64 || c.alt_length >= c.alt_size || c.alt_offset + 4 > c.alt_size)
		return "how this kernel lists its alternatives (struct alt_instr) is not known";
	c.module = symbols_module_of(s->symbols, ranges[0].start);
	for (size_t i = 0; i < array_size(tables); i++)
		prefixes[i] = tables[i].section;
	if (!debuginfo_sections(s->debuginfo, ranges[0].start, prefixes, add_section, &c))
		return "there is no file of that code";
	if (!c.module)
		add_between(&c);
	if (!c.module && !c.has_alternatives)
		return "the file has no list of alternatives: what the kernel patched is not known";
	if (patches->count)
		qsort(patches->data, patches->count, sizeof(*patches->data), compare);
	return NULL;
}

void text_patches_deinit(struct text_patches *patches)
{
	vec_deinit(patches);
}

const struct text_patch *text_patch_at(const struct text_patches *patches, uint64_t start,
				       uint64_t end)
{
	enum { LENGTH_MAX = 256 };
	size_t low = 0, high = patches->count;

	/* The first that could reach @start; none is longer than a byte counts. */
	uint64_t from = start > LENGTH_MAX ? start - LENGTH_MAX : 0;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (patches->data[middle].start < from)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < patches->count && patches->data[low].start < end; low++) {
		const struct text_patch *p = &patches->data[low];
		if (p->start + p->size > start)
			return p;
	}
	return NULL;
}
