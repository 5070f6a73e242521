/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of the report, each in its file; report.c puts them in order. */
#pragma once

#include "base/doc.h"
#include "diagnosis/diagnosis.h"

enum {
	REPORT_WIDTH = 100,  /* columns */
	REPORT_LABELS = 5,   /* columns of the labels at the left, without the two blanks behind */
	REPORT_ROOM = REPORT_WIDTH - REPORT_LABELS - 2,
	REPORT_TOP = 10,     /* lines in which the verdict must have been said */
};

/* What, why, who, how sure; known issues, next steps, signature. @lines: how many are used above. */
void report_answer(const struct diagnosis *diagnosis, size_t lines, struct doc *doc);
/* All findings, known issues and the signature, as JSON. */
void report_findings(const struct diagnosis *diagnosis, struct doc *doc);
/* The object or cell at stake, byte by byte; pages and JSON. */
void report_memory(const struct diagnosis *diagnosis, struct doc *doc);
/* Only on pages: the code around the fault, the end of the log, what a piece of evidence shows. */
void report_code(const struct facts *facts, struct doc *doc);
void report_log_tail(const struct facts *facts, struct doc *doc);
void report_evidence_output(struct session *s, const char *command, struct doc *doc);
/* A picture for the page: who waits for whom, where the diagnosis looked at that. */
void report_waits(const struct facts *facts, struct doc *doc);
/* The log's alarming lines, in order of time. */
void report_timeline(const struct facts *facts, struct doc *doc);

/* How many bytes of @text make a line of @room columns, broken at a blank where there is one. */
size_t report_line_length(const char *text, size_t room);
/* How many lines @text takes in @room columns. */
size_t report_lines(const char *text, size_t room);
