/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the kernel was built: its .config, where the kernel carries it (CONFIG_IKCONFIG). */
#pragma once

#include "kernel/session.h"

/* Can anything be told at all? */
bool kernel_config_known(struct session *s);
/* "y", "m", a number or a text without its quotes; NULL: not set, or nothing is known. */
const char *kernel_config(struct session *s, const char *name);
