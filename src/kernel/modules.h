/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loaded modules: from the list `modules`, in both layouts (core_layout and, 6.4, mem[]). */
#pragma once

#include "kernel/session.h"

struct module_info {
	struct module module;
	uint64_t size;       /* core size, as lsmod shows it */
	uint64_t refcount;   /* users */
	uint64_t taints;     /* bit n: taint n of the kernel's table */
	unsigned state;      /* enum module_state: 0 live, 1 coming, 2 going, 3 unformed */
	bool has_refcount, has_taints, has_state; /* what is unknown is 0 */
	char version[64], srcversion[32];
};

/* All modules in list order (newest first), and how many. Owned by the session. */
const struct module_info *modules(struct session *s, size_t *count);
/* Hands the modules to the symbol station; the session's module loader. */
void modules_register(struct session *s);
/* Adds the modules' own types to session->types, once: for look-ups of types by name. */
void modules_add_types(struct session *s);
