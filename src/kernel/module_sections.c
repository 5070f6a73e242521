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

static bool find_section(struct session *s, uint64_t attrs, const char *wanted, uint64_t *address)
{
	const char *type = "module_sect_attr";
	uint64_t first, count, size = types_sizeof(s->types, type);
	char name[NAME_BYTES];

	if (!size) {
		type = "bin_attribute";
		size = types_sizeof(s->types, type);
	}
	if (!size || !koffset(s, "module_sect_attrs", "attrs", &first))
		return false;
	if (!kread(s, attrs, "module_sect_attrs", "nsections", &count))
		count = count_listed(s, attrs, "module_sect_attrs", SECTIONS_MAX);
	for (uint64_t i = 0; i < count && i < SECTIONS_MAX; i++) {
		if (read_entry(s, attrs + first + i * size, type, name, address) &&
		    strcmp(name, wanted) == 0)
			return true;
	}
	return false;
}

bool module_section(struct session *s, const struct module *module, const char *name,
		    uint64_t *address)
{
	uint64_t attrs;

	return kread(s, module->address, "module", "sect_attrs", &attrs) && attrs &&
	       find_section(s, attrs, name, address);
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

static bool section_fn(void *session, const struct module *module, const char *name,
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
	static const struct module_facts_ops ops = { .section = section_fn,
						     .identity = identity_fn };

	debuginfo_set_module_facts(s->debuginfo, &ops, s);
}
