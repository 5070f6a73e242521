/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which hardware a fatal machine check is about. */
#pragma once

#include "diagnosis/diagnosis.h"

/* Completes the finding of a machine check's panic. */
void hardware_explain(const struct facts *facts, struct findings *out, struct finding *f);
