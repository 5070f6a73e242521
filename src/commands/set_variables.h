/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The user's variables. One that is new is a row in set_variables.c, and a member of
 * struct session_settings if it keeps something. */
#pragma once

#include "commands/command.h"

/* The name of the @i-th variable, NULL behind the last; the words that it can be ("on|off"). */
const char *set_variable_name(size_t i);
const char *set_variable_values(const char *name);
bool set_is_variable(const char *name);
/* set NAME [VALUE]: sets it, and shows it. */
struct error *set_variable(struct command_args *args) must_check;
void set_list_variables(struct command_args *args);
