/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a check said before it stopped the kernel with BUG() or WARN(): it names the bad state. */
#pragma once

#include "diagnosis/diagnosis.h"

struct complaint {
	const char *kind, *title, *why;
	const char *unsure; /* what else it may have been; NULL: nothing */
};

/*
 * The line printed before the last line that contains @marker ("kernel BUG at ", "WARNING: "), as
 * far as it belongs to the same report; NULL when there is none. @complaint: what it means; NULL
 * when it is not one of those known.
 */
const struct log_record *complaint_before(const struct facts *facts, const char *marker,
					  const struct complaint **complaint);
/* What a BUG() or WARN() in @function of @file means, whose check says nothing; NULL: not known. */
const struct complaint *complaint_of_place(const char *file, const char *function, bool warning);
