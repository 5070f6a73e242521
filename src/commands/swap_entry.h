/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to commands/: what pte and vtop say of a page that is away. */
#pragma once

#include "commands/command.h"

/* Fields "away" (shown under @title) and "swap_entry" of @pte; none when it is no such entry. */
void add_swap_entry(struct command_args *args, uint64_t pte, const char *title);
