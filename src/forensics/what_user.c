// SPDX-License-Identifier: LGPL-2.1-or-later
/* Addresses of user space: which mean something only within the address space of a task. */
#include <stdio.h>

#include "forensics/what.h"

/* On kernels that give per-CPU variables addresses from 0 on, a small number may be one's. */
static void as_percpu_offset(const struct what_ask *ask)
{
	struct symbol symbol;
	char place[160];

	if (!ask->s->symbols || !symbols_per_cpu(ask->s->symbols, ask->address, &symbol))
		return;
	what_plus(place, sizeof(place), symbol.name, ask->address - symbol.address);
	what_detailf(ask, "as a per-CPU offset: %s", place);
}

bool what_user(const struct what_ask *ask)
{
	if (ask->s->arch->is_kernel_address(ask->address))
		return false;
	/* Whose, a word of memory does not say. */
	if (ask->brief)
		return true;
	what_set(ask, WHAT_USER, 0, 0);
	what_textf(ask, "an address of user space");
	as_percpu_offset(ask);
	return true;
}
