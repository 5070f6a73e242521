// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The hardware. The memory map is e820_table (since 4.12 a pointer to struct e820_table; the array
 * of the struct is packed). Processors are the per-CPU variable cpu_info; the names of their
 * features are the array x86_cap_flags (arch/x86/kernel/cpu/capflags.c, made when the kernel is
 * built), 32 for each word of the mask.
 */
#include "kernel/machine.h"

#include <string.h>

#include "base/bytes.h"
#include "base/strbuf.h"

enum {
	RANGES_MAX = 4096,
	CAPABILITY_WORDS_MAX = 64,
};

static const char *range_type_name(struct session *s, uint64_t type)
{
	struct type names;

	return types_find(s->types, "enum e820_type", &names) ? type_enum_name(names, (int64_t)type)
							       : NULL;
}

bool memory_map_each(struct session *s, memory_range_fn fn, void *ctx)
{
	uint64_t table, count, entries, size = types_sizeof(s->types, "e820_entry");

	if (!kglobal(s, "e820_table", 8, &table) || !table || !size ||
	    !kread(s, table, "e820_table", "nr_entries", &count) || count > RANGES_MAX ||
	    !koffset(s, "e820_table", "entries", &entries))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = table + entries + i * size;
		struct memory_range range;
		if (!kread(s, at, "e820_entry", "addr", &range.start) ||
		    !kread(s, at, "e820_entry", "size", &range.size) ||
		    !kread(s, at, "e820_entry", "type", &range.type))
			return false;
		range.type_name = range_type_name(s, range.type);
		if (!fn(ctx, &range))
			break;
	}
	return true;
}

enum dmi_found dmi_string(struct session *s, const char *field, char *buf, size_t size)
{
	uint64_t table = s->symbols ? symbols_address(s->symbols, "dmi_ident") : 0, at;
	int64_t index;

	buf[0] = '\0';
	if (!table || !types_enumerator(s->types, field, &index) || index < 0 || index > 255)
		return DMI_NONE;
	if (memory_u64(s->memory, table + (uint64_t)index * 8, &at) != READ_OK)
		return DMI_HOLE;
	if (!at)
		return DMI_NONE;
	if (memory_string(s->memory, at, buf, size) == READ_OK)
		return DMI_KNOWN;
	buf[0] = '\0';
	return DMI_HOLE;
}

bool processor(struct session *s, unsigned cpu, struct processor *p)
{
	/* Parts of the topology were members of their own until 6.6. */
	const struct {
		const char *path;
		uint64_t *value;
	} members[] = {
		{ "x86", &p->family },
		{ "x86_model", &p->model },
		{ "x86_stepping|x86_mask", &p->stepping },
		{ "microcode", &p->microcode },
		{ "x86_cache_size", &p->cache_kb },
		{ "topo.pkg_id|phys_proc_id", &p->package },
		{ "topo.core_id|cpu_core_id", &p->core },
		{ "booted_cores", &p->cores },
		{ "topo.apicid|apicid", &p->apicid },
		{ "loops_per_jiffy", &p->loops_per_jiffy },
		{ "x86_clflush_size", &p->clflush },
		{ "x86_phys_bits", &p->physical_bits },
		{ "x86_virt_bits", &p->virtual_bits },
	};
	static const char type[] = "cpuinfo_x86";
	uint64_t at = kpercpu(s, "cpu_info", cpu);

	*p = (struct processor){ .address = at };
	if (!at || !kread_string(s, at, type, "x86_vendor_id", p->vendor, sizeof(p->vendor)))
		return false;
	kread_string(s, at, type, "x86_model_id", p->model_name, sizeof(p->model_name));
	for (size_t i = 0; i < array_size(members); i++) {
		if (!kread(s, at, type, members[i].path, members[i].value))
			*members[i].value = PROCESSOR_UNKNOWN;
	}
	return true;
}

bool processor_flags(struct session *s, uint64_t address, struct strbuf *text)
{
	uint64_t names = s->symbols ? symbols_address(s->symbols, "x86_cap_flags") : 0, at;
	uint8_t mask[CAPABILITY_WORDS_MAX * 4];
	struct member capabilities;
	struct symbol symbol;
	char name[64];

	if (!names || !types_member(s->types, "cpuinfo_x86", "x86_capability", &capabilities))
		return false;
	uint64_t words = min_u64(capabilities.size, sizeof(mask)) / 4;
	/* The mask has two more words, of bugs, whose names are elsewhere. */
	if (symbols_by_address(s->symbols, names, &symbol) && symbol.size)
		words = min_u64(words, symbol.size / 8 / 32);
	if (memory_read(s->memory, address + capabilities.offset, mask, words * 4) != READ_OK)
		return false;
	for (uint64_t bit = 0; bit < words * 32; bit++) {
		if (!(mask[bit / 8] >> bit % 8 & 1))
			continue;
		if (memory_u64(s->memory, names + bit * 8, &at) != READ_OK ||
		    (at && memory_string(s->memory, at, name, sizeof(name)) != READ_OK))
			return false;
		if (at)
			strbuf_addf(text, "%s%s", text->len ? " " : "", name);
	}
	return true;
}
