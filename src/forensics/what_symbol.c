// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Functions and variables with a name, of the kernel and of modules. Where a variable's type is
 * known, the member at the address is named too. What lies in a module's memory but has no name is
 * told by section.
 */
#include <stdio.h>
#include <string.h>

#include "forensics/what.h"
#include "kernel/module_sections.h"
#include "types/types.h"

/* Of static variables with namesakes, debug files tell which type is whose; else only the first's. */
static bool variable_type(const struct what_ask *ask, const char *name, uint64_t address,
			  struct type *type)
{
	struct symbol symbol;

	if (symbols_by_name(ask->s->symbols, name, &symbol) && symbol.address == address &&
	    !symbol.module && types_variable(ask->s->types, name, type))
		return true;
	return types_variable_at(ask->s->types, name, address, type);
}

void what_variable_member(const struct what_ask *ask, const char *name, uint64_t address,
			  uint64_t offset, char *buf, size_t size)
{
	struct type type;
	char path[160];

	buf[0] = '\0';
	if (ask->brief || !variable_type(ask, name, address, &type) || offset >= type_size(type))
		return;
	enum type_kind kind = type_kind(type_strip(type));
	if (kind != TYPE_STRUCT && kind != TYPE_UNION && kind != TYPE_ARRAY)
		return;
	if (type_path_at(type, offset, path, sizeof(path)))
		snprintf(buf, size, "%s%s%s", name, path[0] == '[' ? "" : ".", path);
}

static void name_data(const struct what_ask *ask, const struct symbol *symbol, const char *kind)
{
	uint64_t offset = ask->address - symbol->address;
	char place[160], member[320], in[80] = "";

	what_plus(place, sizeof(place), symbol->name, offset);
	if (symbol->module)
		snprintf(in, sizeof(in), " of module %s", symbol->module->name);
	what_variable_member(ask, symbol->name, symbol->address, offset, member, sizeof(member));
	if (*member && offset)
		what_textf(ask, "%s (%s%s: %s)", place, kind, in, member);
	else
		what_textf(ask, "%s (%s%s)", place, kind, in);
}

/* The linker lets some of a kernel's constants have the letter of data. */
static bool is_constant(const struct what_ask *ask, const struct symbol *symbol)
{
	if (symbol->module || strchr("rR", symbol->type))
		return strchr("rR", symbol->type);
	what_area_prepare(ask->s, ask->state);
	return symbol->address >= ask->state->areas.rodata_start &&
	       symbol->address < ask->state->areas.rodata_end;
}

/* Names outlive what they named: code and data of the start are freed. */
static bool was_freed(const struct what_ask *ask)
{
	what_area_prepare(ask->s, ask->state);
	return ask->address >= ask->state->areas.init_start &&
	       ask->address < ask->state->areas.init_end;
}

bool what_symbol(const struct what_ask *ask)
{
	struct session *s = ask->s;
	struct symbol symbol;

	if (!s->symbols || !symbols_by_address(s->symbols, ask->address, &symbol))
		return false;
	bool constant = is_constant(ask, &symbol);
	bool text = symbols_is_text(s->symbols, ask->address);
	what_set(ask, text ? WHAT_TEXT : constant ? WHAT_RODATA : WHAT_DATA, symbol.address,
		 symbol.size);
	ask->what->freed = was_freed(ask);
	if (ask->brief) {
		what_plus(ask->what->text, sizeof(ask->what->text), symbol.name,
			  ask->address - symbol.address);
		if (symbol.module) {
			size_t used = strlen(ask->what->text);
			snprintf(ask->what->text + used, sizeof(ask->what->text) - used, " [%s]",
				 symbol.module->name);
		}
	} else if (ask->what->freed) {
		what_textf(ask, "%s+0x%lx (initialisation code or data, freed after boot)",
			   symbol.name, (unsigned long)(ask->address - symbol.address));
	} else if (text) {
		char place[160];
		what_plus(place, sizeof(place), symbol.name, ask->address - symbol.address);
		what_textf(ask, "%s/0x%lx (code%s%s)", place, (unsigned long)symbol.size,
			   symbol.module ? " of module " : "",
			   symbol.module ? symbol.module->name : "");
	} else {
		name_data(ask, &symbol, constant ? "constant data" : "data");
	}
	return true;
}

bool what_module(const struct what_ask *ask)
{
	const struct module *module =
		ask->s->symbols ? symbols_module_of(ask->s->symbols, ask->address) : NULL;
	const char *part = "";
	char section[64];
	uint64_t start;

	if (!module)
		return false;
	what_set(ask, WHAT_MODULE, 0, 0);
	ask->what->object = module->address;
	for (unsigned i = 0; i < module->area_count && i < array_size(module->area); i++) {
		const struct module_area *area = &module->area[i];
		if (ask->address - area->start >= area->size)
			continue;
		what_set(ask, WHAT_MODULE, area->start, area->size);
		part = area->text ? "code of " : "data of ";
	}
	if (ask->brief)
		what_textf(ask, "[%s]", module->name);
	else if (module_section_at(ask->s, module, ask->address, section, sizeof(section), &start))
		what_textf(ask, "section %s of module %s, +0x%lx", section, module->name,
			   (unsigned long)(ask->address - start));
	else
		what_textf(ask, "%smodule %s, without a symbol", part, module->name);
	return true;
}
