/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words for what a task waits for: a part of wait_graph.c. */
#pragma once

#include "forensics/waits.h"

/*
 * "mutex ffff... (a_lock, data of module x)", "page 3 of /var/log/x", in @arena. @lock_kind is of
 * WAIT_LOCK; @object 0: not known, then the kind alone.
 */
const char *wait_resource_words(struct session *s, enum wait_kind kind, enum lock_kind lock_kind,
				uint64_t object, struct arena *arena);
