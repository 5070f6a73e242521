/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arguments of a frame as part of a document: shared by args and bt -A. */
#pragma once

#include "base/doc.h"
#include "forensics/args.h"

/* Adds the table "arguments" to the open record, each as a line of text. */
void frame_args_add(struct session *session, struct doc *doc, const struct frame_args *frame);

/* A value as C would write it: -1, an enumerator's name, 0xffff... */
void frame_args_value(struct type type, uint64_t value, uint64_t size, char *buf, size_t buf_size);
