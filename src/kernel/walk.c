// SPDX-License-Identifier: LGPL-2.1-or-later
/* What walkers met; see walk.h. */
#include "kernel/walk.h"

#include <stdarg.h>
#include <stdio.h>

void walk_trouble_add(struct walk_trouble *trouble, const char *fmt, ...)
{
	va_list args;

	if (trouble->count++)
		return;
	va_start(args, fmt);
	vsnprintf(trouble->text, sizeof(trouble->text), fmt, args);
	va_end(args);
}

void walk_trouble_tell(const struct walk_trouble *trouble, struct session *s, const char *what)
{
	if (trouble->count == 1)
		session_problem(s, "%s: %s", what, trouble->text);
	else if (trouble->count)
		session_problem(s, "%s: %s; and %zu more of the kind", what, trouble->text,
				trouble->count - 1);
}
