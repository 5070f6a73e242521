/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* help -m, -n, -r ...: what the program knows of the dump and of itself, as crash's letters ask. */
#pragma once

#include "commands/command.h"

/* @letter without its dash. False: there is no such one. */
bool help_state(struct command_args *args, char letter);
/* All of them with what they show. */
void help_state_list(struct doc *doc);
