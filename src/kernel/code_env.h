/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The dump's code as the reasoning of code/ sees it: text, symbols, the exception table, the bug
 * table. For one thread at a time.
 */
#pragma once

#include "code/flow.h"
#include "kernel/session.h"

/* Of the session, and owned by it. NULL without symbols. */
const struct code_env *code_env(struct session *s);
/* The function around @pc, kept for when it is asked for again; NULL, and *@why (static). */
const struct cfg *code_cfg(struct session *s, uint64_t pc, const char **why);
/* Frees kept graphs if they are many; none may be in use. */
void code_cfg_trim(struct session *s);
