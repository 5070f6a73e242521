/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An address where something was, or just behind something: unloaded modules, vmalloc areas. */
#pragma once

#include "diagnosis/facts.h"

struct gone {
	const char *kind, *title;
	const char *place;  /* "in the vmalloc area at ... that was freed" */
	const char *why;
	const char *module; /* that is gone, if this is known to be its; NULL */
};

/* @execute: the CPU tried to run code there. False: nothing of the kind is known of @address. */
bool gone_find(const struct facts *facts, uint64_t address, bool execute, struct gone *gone);
/* Shows where the module's name comes from, and blames it. */
struct findings;
struct finding;
void gone_blame(const struct facts *facts, struct findings *out, struct finding *f,
		const struct gone *gone);
