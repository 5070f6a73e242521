// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Addresses of user space: which mean something only within the address space of a task. A kernel
 * thread has none; between mappings there is nothing, but the next one above may be a stack that
 * would have grown.
 */
#include <stdio.h>

#include "forensics/what.h"
#include "kernel/mappings.h"

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

static void describe(const struct what_ask *ask, const struct mapping *mapping)
{
	uint64_t offset = ask->address - mapping->start + mapping->page_offset * PAGE_SIZE;
	char owner[48], name[160];

	what_task_name(ask->task, owner, sizeof(owner));
	what_set(ask, WHAT_USER, mapping->start, mapping->end - mapping->start);
	ask->what->object = mapping->vma;
	ask->what->pid = ask->task->pid;
	bool named = mapping_name(ask->s, ask->task->mm, mapping, name, sizeof(name));
	if (mapping->file && *name)
		what_textf(ask, "user space of %s: %s, offset 0x%lx in the file", owner, name,
			   (unsigned long)offset);
	else
		what_textf(ask, "user space of %s: %s, +0x%lx in the mapping", owner,
			   *name   ? name
			   : named ? "anonymous memory"
				   : "a mapping",
			   (unsigned long)(ask->address - mapping->start));
}

bool what_user(const struct what_ask *ask)
{
	struct mapping mapping;

	if (ask->s->arch->is_kernel_address(ask->address))
		return false;
	/* Whose, a word of memory does not say. */
	if (ask->brief)
		return true;
	what_set(ask, WHAT_USER, 0, 0);
	what_textf(ask, "an address of user space");
	if (ask->task && ask->task->mm &&
	    mapping_at(ask->s, ask->task->mm, ask->address, &mapping))
		describe(ask, &mapping);
	as_percpu_offset(ask);
	return true;
}
