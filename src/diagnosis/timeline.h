/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the log's earlier anomalies have to do with the crash. Sets anomaly.related, .relation and
 * .cause; of the best one that is strong enough the verdict's WHY, evidence and doubts tell.
 */
#pragma once

#include "diagnosis/diagnosis.h"

void timeline_relate(struct facts *facts, struct findings *out, struct finding *finding);
