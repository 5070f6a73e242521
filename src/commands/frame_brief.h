/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame of a stack on one line: place and arguments, for the report. */
#pragma once

#include "base/doc.h"
#include "base/strbuf.h"
#include "forensics/args.h"

/* Adds the line to the table of frames. @at: its line in the source, @args: its arguments; or NULL. */
void frame_brief(struct session *s, struct doc *doc, const struct frame *frame, size_t level,
		 const char *place, const struct source_line *at, const struct frame_args *args);
/* Only the arguments, as many as a line has room for: "session=ffff8d81c19fca20  amount=9320". */
void frame_brief_arguments(struct session *s, const struct frame_args *args, struct strbuf *text);
