/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A task waits for a server on the network: for the answer to a call, or for a page of its files. */
#pragma once

#include "diagnosis/diagnosis.h"
#include "forensics/waits.h"

/*
 * Adds to the finding's reason which call of which server @wait is for, and blames that server.
 * False, and nothing is changed, when @wait is for none.
 */
bool remote_server_tell(const struct facts *facts, const struct wait *wait, struct findings *out,
			struct finding *f);
