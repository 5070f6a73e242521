/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arguments and locals of a frame as part of a document: shared by locals and bt -V. */
#pragma once

#include "base/doc.h"
#include "kernel/session.h"

/*
 * Adds the table "variables" of frame @index to the open record, each as a line of text. @whole:
 * structures with all members, else only where they are. Returns how many there were.
 */
size_t locals_add(struct session *session, struct doc *doc, const struct stack *stack, size_t index,
		  bool whole);
