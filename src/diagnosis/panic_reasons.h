/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the message of a panic() means. */
#pragma once

#include "base/compiler.h"

enum { PANIC_SETTINGS_MAX = 2 };

struct panic_reason {
	const char *message; /* contained in the panic message */
	const char *kind, *title, *why, *next;
	unsigned rank;
	/* The sysctls that made it deadly, or set its limit. */
	const char *setting[PANIC_SETTINGS_MAX];
};

/* NULL: none of those known. */
const struct panic_reason *panic_reason(const char *message);
