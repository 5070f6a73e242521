// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Linux keeps for each BUG() and WARN() a struct bug_entry (include/asm-generic/bug.h): where the
 * trap is, as a distance from the entry, file and line, and flags. Kernel and modules have one
 * table each; neither is sorted, so both are searched from end to end.
 */
#include "kernel/bugs.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "kernel/modules.h"
#include "kernel/text.h"

enum {
	BUGFLAG_WARNING = 1,     /* include/asm-generic/bug.h */
	TABLE_MAX = 64 << 20,    /* a damaged count must not make us read for minutes */
	ENTRY_MAX = 64,
	CHUNK = 4096,
	SAMPLES = 32,
};

struct bug_layout {
	uint64_t size, address, file, line, flags; /* offsets; @size of an entry */
	bool has_file;
};

static bool read_layout(struct session *s, struct bug_layout *l)
{
	l->size = types_sizeof(s->types, "struct bug_entry");
	l->has_file = koffset(s, "bug_entry", "file_disp", &l->file) &&
		      koffset(s, "bug_entry", "line", &l->line);
	return l->size && l->size <= ENTRY_MAX &&
	       koffset(s, "bug_entry", "bug_addr_disp", &l->address) &&
	       koffset(s, "bug_entry", "flags", &l->flags);
}

static uint64_t displaced(uint64_t base, const uint8_t *bytes)
{
	return base + (uint64_t)(int64_t)(int32_t)load_u32(bytes);
}

static bool behind_nul(struct session *s, uint64_t at)
{
	uint8_t bytes[2];

	return memory_read(s->memory, at - 1, bytes, sizeof(bytes)) == READ_OK && !bytes[0] &&
	       bytes[1] > ' ' && bytes[1] <= '~';
}

/*
 * Distances to the file name count from the field itself since 6.0, from the entry before. Where
 * most of the kernel's own lead to the start of a string, that is the right base. (One alone does
 * not tell: a name may be the end of a longer one, or the first in its section.)
 */
static bool counts_from_field(struct session *s, const struct bug_layout *l)
{
	uint64_t table = symbols_address(s->symbols, "__start___bug_table");
	unsigned from_field = 0, from_entry = 0;
	uint8_t bytes[ENTRY_MAX];

	for (unsigned i = 0; table && i < SAMPLES; i++) {
		uint64_t entry = table + i * l->size;
		if (memory_read(s->memory, entry, bytes, l->size) != READ_OK)
			continue;
		from_field += behind_nul(s, displaced(entry + l->file, bytes + l->file));
		from_entry += behind_nul(s, displaced(entry, bytes + l->file));
	}
	return from_field >= from_entry;
}

static void read_file(struct session *s, const struct bug_layout *l, uint64_t entry,
		      const uint8_t *bytes, struct bug_site *site)
{
	uint64_t base = counts_from_field(s, l) ? entry + l->file : entry;
	uint64_t at = displaced(base, bytes + l->file);

	if (memory_string(s->memory, at, site->file, sizeof(site->file)) != READ_OK)
		site->file[0] = '\0';
	for (const char *c = site->file; *c; c++) {
		if (*c <= ' ' || *c > '~') {
			site->file[0] = '\0';
			return;
		}
	}
}

static bool search(struct session *s, const struct bug_layout *l, uint64_t table, uint64_t size,
		   uint64_t pc, struct bug_site *site)
{
	uint8_t chunk[CHUNK];
	uint64_t step = CHUNK / l->size * l->size;

	if (size > TABLE_MAX)
		return false;
	for (uint64_t done = 0; done + l->size <= size; done += step) {
		uint64_t n = min_u64(step, size - done);
		if (memory_read(s->memory, table + done, chunk, n) != READ_OK)
			continue;
		for (uint64_t i = 0; i + l->size <= n; i += l->size) {
			uint64_t entry = table + done + i;
			if (displaced(entry + l->address, chunk + i + l->address) != pc)
				continue;
			site->warning = load_u16(chunk + i + l->flags) & BUGFLAG_WARNING;
			site->line = l->has_file ? load_u16(chunk + i + l->line) : 0;
			if (l->has_file)
				read_file(s, l, entry, chunk + i, site);
			return true;
		}
	}
	return false;
}

/* What the text says takes the place of the table. */
static bool at_death(const struct text *text, uint64_t pc, struct bug_site *site)
{
	const struct oops_report *death = text->death;

	if (!death || pc != text->pc || !death->file)
		return false;
	snprintf(site->file, sizeof(site->file), "%s", death->file);
	site->line = death->line;
	site->warning = strcmp(death->kind, "kernel warning") == 0;
	return true;
}

bool bug_at(struct session *s, uint64_t pc, struct bug_site *site)
{
	struct bug_layout layout;
	uint64_t table, count;

	*site = (struct bug_site){ 0 };
	if (s->text)
		return at_death(s->text, pc, site);
	if (!s->symbols || !read_layout(s, &layout))
		return false;
	const struct module *module = symbols_module_of(s->symbols, pc);
	if (module)
		return kread(s, module->address, "module", "bug_table", &table) &&
		       kread(s, module->address, "module", "num_bugs", &count) &&
		       count < TABLE_MAX &&
		       search(s, &layout, table, count * layout.size, pc, site);
	table = symbols_address(s->symbols, "__start___bug_table");
	uint64_t end = symbols_address(s->symbols, "__stop___bug_table");
	return table && end > table && search(s, &layout, table, end - table, pc, site);
}
