/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Short words for longer ones: crash's own, and those that the user defines with `alias`. */
#pragma once

#include "commands/command.h"

struct alias {
	const char *name, *text;
	bool built_in;
};

/* The @i-th alias, sorted by name; false behind the last. Valid until one is defined or removed. */
bool alias_at(struct session *s, size_t i, struct alias *alias);
/*
 * @line with its first word replaced, which the caller frees; NULL when that is no alias. Done once
 * for each line that is typed, before anything else is looked at; @s may be NULL.
 */
char *alias_expand(struct session *s, const char *line);
