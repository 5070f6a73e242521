/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which log lines should alarm; private to this folder. */
#pragma once

#include "diagnosis/facts.h"

/* What kind of trouble this line announces; NULL for an ordinary one. */
const char *anomaly_of_line(const char *text, enum anomaly_weight *weight);
/*
 * Fills facts->anomalies and facts->reports from facts->log: a report of several lines is one
 * anomaly, and so are lines that differ only in their numbers.
 */
void anomalies_scan(struct facts *facts);
/* Index of @record in facts->log. */
static inline size_t anomaly_position(const struct facts *facts, const struct anomaly *a)
{
	return (size_t)(a->record - facts->log);
}
