/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What kmem's views of slabs and the command slab share. */
#pragma once

#include "commands/args.h"
#include "kernel/slab.h"

/* Which caches are wanted, by their index in slab_caches(). In the document's arena. */
struct error *slab_select_caches(struct command_args *args, const char *const *words, int count,
				 bool **wanted) must_check;
const char *slab_state_name(enum object_state state);
const char *slab_place_name(enum slab_place place);
