/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A task waits for a program that serves a file system (FUSE). */
#pragma once

#include "diagnosis/diagnosis.h"
#include "forensics/waits.h"

/*
 * Adds to the finding's reason what was asked of which program, and blames that. False, and nothing
 * is changed, when @wait is for none.
 */
bool user_server_tell(const struct facts *facts, const struct wait *wait, struct findings *out,
		      struct finding *f);
