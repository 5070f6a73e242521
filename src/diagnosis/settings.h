/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the machine was told to die of: sysctls, read from the variables behind them. */
#pragma once

#include "diagnosis/diagnosis.h"

/* The value of sysctl @name ("kernel.panic_on_oops"); false: not known here, or not in the dump. */
bool setting_read(const struct facts *facts, const char *name, uint64_t *value);
/* Adds "NAME = VALUE" to the evidence, with the command that shows it, when it can be read. */
bool setting_evidence(const struct facts *facts, struct findings *out, struct finding *f,
		      const char *name);
/*
 * Adds to a finding about a CPU exception that a setting made it deadly, which could have been
 * survived it: kernel.panic_on_oops.
 */
void settings_of_oops(const struct facts *facts, struct findings *out, struct finding *f);
