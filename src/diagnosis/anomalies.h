/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which log lines should alarm; private to this folder. */
#pragma once

#include "diagnosis/facts.h"

/* What kind of trouble this line announces; NULL for an ordinary one. */
const char *anomaly_of_line(const char *text, enum anomaly_weight *weight);
/* Fills facts->anomalies from facts->log. */
void anomalies_scan(struct facts *facts);
