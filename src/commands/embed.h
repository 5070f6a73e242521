/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a command prints as a part of another's page. */
#pragma once

#include "base/doc.h"
#include "kernel/session.h"

/*
 * Runs @line and adds its document to the open record, on pages only. What it remarks stays there:
 * it does not make the document around it incomplete.
 */
void embed_command(struct session *session, struct doc *doc, const char *heading, const char *line);
