/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What to do now: concrete steps from the findings. */
#pragma once

#include "diagnosis/diagnosis.h"

enum { NEXT_MAX = 6 };

/*
 * The steps, the most useful first, in the facts' arena; sets diagnosis->next. The diagnosis has
 * its findings and known issues. Commands of this program stand between backquotes and can be
 * typed as they are.
 */
void next_steps(struct diagnosis *diagnosis);
