// SPDX-License-Identifier: LGPL-2.1-or-later
/* A function's symbol -> the name that the source has for it -> its prototype in the types. */
#include "forensics/prototype.h"

#include <stdio.h>
#include <string.h>

enum { PARAMETERS_MAX = 32 };

bool prototype_of(struct session *s, uint64_t address, struct type *prototype, bool *changed)
{
	struct symbol symbol;
	char name[256];

	if (!s->symbols || !symbols_by_address(s->symbols, address, &symbol))
		return false;
	snprintf(name, sizeof(name), "%s", symbol.name);
	name[strcspn(name, ".")] = '\0';
	if (changed)
		*changed = strstr(symbol.name, ".isra.") || strstr(symbol.name, ".constprop.") ||
			   strstr(symbol.name, ".part.");
	return types_own_function(s->types, symbol.module ? symbol.module->name : NULL, name,
				  prototype);
}

bool prototype_points_to(struct type type, struct type target)
{
	struct type pointer = type_strip(type), to;

	if (type_kind(pointer) != TYPE_POINTER)
		return false;
	to = type_strip(type_target(pointer));
	if (to.source == target.source && to.id == target.id)
		return true;
	/* The same struct may be described twice, in a module's types and the kernel's. */
	return type_kind(to) == type_kind(target) && *type_name(to) &&
	       strcmp(type_name(to), type_name(target)) == 0;
}

bool prototype_takes(struct session *s, uint64_t address, struct type type)
{
	struct type prototype;
	struct member parameter;

	if (!prototype_of(s, address, &prototype, NULL))
		return false;
	for (unsigned i = 0; i < PARAMETERS_MAX && type_member_at(prototype, i, &parameter); i++) {
		if (prototype_points_to(parameter.type, type))
			return true;
	}
	return false;
}
