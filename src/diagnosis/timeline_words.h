/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an earlier anomaly was, in words; private to the timeline. */
#pragma once

#include "diagnosis/diagnosis.h"

/* "19 ms", "3 s", "2 hours" between the anomaly (its last time) and @record; NULL: not known. */
const char *timeline_ago(struct findings *out, const struct anomaly *a,
			 const struct log_record *record);
/* "the page allocation of order 6 that failed 19 ms earlier in docker-runc". */
const char *timeline_event(struct findings *out, const struct anomaly *a,
			   const struct log_record *death);
/*
 * Why a block of that order could not be had: "only 3 free blocks of order 6 or more were left in
 * zone Normal, beside 462 MiB in smaller ones: fragmentation"; NULL: the report does not tell.
 * @zone: of which zone that is.
 */
const char *timeline_fragmentation(struct findings *out, const struct oops_report *r,
				   const struct oops_zone **zone);
