/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to origin.c: its tree as one sentence. */
#pragma once

#include "forensics/args_frame.h"
#include "forensics/origin.h"

/* Sets origin->sentence: of what is called @subject ("rdi") in frame @frame. */
void origin_say(const struct args_run *run, size_t frame, const char *subject,
		struct origin *origin);
