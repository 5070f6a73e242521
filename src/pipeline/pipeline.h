/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 8b: pipelines of objects. In: a line such as
 *
 *	tasks |> where state == "D" |> top 5 waited |> select pid, comm, wchan
 *
 * Out: a document with one table. A source (a walker, or a command whose output is rows) gives
 * rows, each stage makes others of them. The notation is in docs/pipelines.md.
 */
#pragma once

#include "commands/command.h"
#include "pipeline/parse.h"

/*
 * Runs a pipeline, a walker alone ("modules"), or else a command by command_run(): what the user
 * types. Errors say at which stage and column they are; the text of the document points there.
 */
struct error *pipeline_run(struct session *session, const char *line, struct doc *doc) must_check;

/*
 * For completion: calls @fn with each word that could come next behind @text, a line up to the word
 * that is being typed. Nothing is walked for that. False: @text is no pipeline, or its end is the
 * shell's.
 */
bool pipeline_complete(struct session *session, const char *text,
		       void (*fn)(void *ctx, const char *word), void *ctx);
