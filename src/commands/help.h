/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `help` knows besides the commands. */
#pragma once

#include "commands/command.h"

/* The name of the @i-th topic; NULL behind the last. */
const char *help_topic(size_t i);
