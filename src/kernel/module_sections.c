// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What sysfs shows of a module under sections/ and notes/: struct module_sect_attrs and struct
 * module_notes_attrs (kernel/module/sysfs.c, before 5.19 kernel/module.c). An element of the first
 * holds a section's name and address:
 *
 *	before 5.8	struct module_sect_attr { mattr; char *name; unsigned long address; }
 *	5.8 to 6.13	struct module_sect_attr { struct bin_attribute battr; address; }
 *	since 6.14	struct bin_attribute, the address in .private
 *
 * How many: nsections, gone in 6.14, where the attribute group has a NULL-terminated array of
 * pointers to them. The second is an array of bin_attributes, the note's address in .private.
 */
#include "kernel/module_sections.h"

#include <stdio.h>
#include <string.h>

#include "kernel/modules.h"

enum {
	/* -ffunction-sections gives one for each function. */
	SECTIONS_MAX = 1 << 16,
	NOTES_MAX = 64,
	NAME_BYTES = 128,
	NOTE_BYTES = 4096,
};

/* One section's entry: its name and address. */
static bool read_entry(struct session *s, uint64_t entry, const char *type, char *name,
		       uint64_t *address)
{
	uint64_t at;

	if (!kread(s, entry, type, "battr.attr.name|name|attr.name", &at) || !at)
		return false;
	size_t got = memory_read_some(s->memory, at, name, NAME_BYTES - 1);
	name[got] = '\0';
	return got && kread(s, entry, type, "address|private", address);
}

/* Arrays of bin_attributes without a count are ended by their group's list of pointers. */
static uint64_t count_listed(struct session *s, uint64_t attrs, const char *type, uint64_t max)
{
	uint64_t list, pointer, count = 0;

	if (!kread(s, attrs, type, "grp.bin_attrs|grp.bin_attrs_new", &list) || !list)
		return 0;
	while (count < max &&
	       memory_read(s->memory, list + count * 8, &pointer, sizeof(pointer)) == READ_OK &&
	       pointer)
		count++;
	return count;
}

void module_sections_each(struct session *s, const struct module *module, module_section_fn fn,
			  void *ctx)
{
	const char *type = "module_sect_attr";
	uint64_t attrs, first, count, address, size = types_sizeof(s->types, type);
	char name[NAME_BYTES];

	if (!size) {
		type = "bin_attribute";
		size = types_sizeof(s->types, type);
	}
	if (!size || !kread(s, module->address, "module", "sect_attrs", &attrs) || !attrs ||
	    !koffset(s, "module_sect_attrs", "attrs", &first))
		return;
	if (!kread(s, attrs, "module_sect_attrs", "nsections", &count))
		count = count_listed(s, attrs, "module_sect_attrs", SECTIONS_MAX);
	for (uint64_t i = 0; i < count && i < SECTIONS_MAX; i++) {
		if (read_entry(s, attrs + first + i * size, type, name, &address) &&
		    !fn(ctx, name, address))
			return;
	}
}

struct section_search {
	const char *wanted; /* by name */
	uint64_t low, at;   /* or by address, from low on */
	bool found;
	uint64_t address;
	char name[NAME_BYTES];
};

static bool is_wanted(void *ctx, const char *name, uint64_t address)
{
	struct section_search *search = ctx;

	if (strcmp(name, search->wanted) != 0)
		return true;
	search->found = true;
	search->address = address;
	return false;
}

static bool is_nearer(void *ctx, const char *name, uint64_t address)
{
	struct section_search *search = ctx;

	if (address < search->low || address > search->at ||
	    (search->found && address <= search->address))
		return true;
	search->found = true;
	search->address = address;
	snprintf(search->name, sizeof(search->name), "%s", name);
	return true;
}

bool module_section(struct session *s, const struct module *module, const char *name,
		    uint64_t *address)
{
	struct section_search search = { .wanted = name };

	module_sections_each(s, module, is_wanted, &search);
	*address = search.address;
	return search.found;
}

bool module_section_at(struct session *s, const struct module *module, uint64_t address,
		       char *name, size_t size, uint64_t *start)
{
	struct section_search search = { .at = address };

	for (unsigned i = 0; i < module->area_count && i < array_size(module->area); i++) {
		if (address - module->area[i].start < module->area[i].size)
			search.low = module->area[i].start;
	}
	if (!search.low)
		return false;
	module_sections_each(s, module, is_nearer, &search);
	snprintf(name, size, "%s", search.name);
	*start = search.address;
	return search.found;
}

/* The notes sections lie next to each other or not: each is looked at on its own. */
static void read_build_id(struct session *s, const struct module *module,
			  struct module_identity *identity)
{
	uint64_t attrs, first, count, at, length, size = types_sizeof(s->types, "bin_attribute");
	char notes[NOTE_BYTES];

	if (!size || !kread(s, module->address, "module", "notes_attrs", &attrs) || !attrs ||
	    !koffset(s, "module_notes_attrs", "attrs", &first))
		return;
	if (!kread(s, attrs, "module_notes_attrs", "notes", &count))
		count = count_listed(s, attrs, "module_notes_attrs", NOTES_MAX);
	for (uint64_t i = 0; i < count && i < NOTES_MAX; i++) {
		uint64_t entry = attrs + first + i * size;
		if (!kread(s, entry, "bin_attribute", "private", &at) || !at ||
		    !kread(s, entry, "bin_attribute", "size", &length))
			continue;
		size_t got = memory_read_some(s->memory, at, notes,
					      min_u64(length, sizeof(notes)));
		if (elf_notes_build_id(notes, got, identity->build_id))
			return;
	}
}

void module_identity(struct session *s, const struct module *module,
		     struct module_identity *identity)
{
	size_t count;
	const struct module_info *all = modules(s, &count);

	memset(identity, 0, sizeof(*identity));
	read_build_id(s, module, identity);
	for (size_t i = 0; i < count; i++) {
		if (all[i].module.address == module->address)
			snprintf(identity->srcversion, sizeof(identity->srcversion), "%s",
				 all[i].srcversion);
	}
}

static bool facts_section(void *session, const struct module *module, const char *name,
		       uint64_t *address)
{
	return module_section(session, module, name, address);
}

static void identity_fn(void *session, const struct module *module,
			struct module_identity *identity)
{
	module_identity(session, module, identity);
}

void module_sections_register(struct session *s)
{
	static const struct module_facts_ops ops = { .section = facts_section,
						     .identity = identity_fn };

	debuginfo_set_module_facts(s->debuginfo, &ops, s);
}
