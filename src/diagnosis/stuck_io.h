/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A task waits for a page or buffer whose I/O does not come back: which device, request, driver. */
#pragma once

#include "diagnosis/diagnosis.h"
#include "forensics/waits.h"

/*
 * Adds to the finding's reason what @wait's page is of, and the request for it that the driver was
 * given; blames the driver where it has had it for long. False, and nothing is changed, when no
 * request for it is under way.
 */
bool stuck_io_tell(const struct facts *facts, const struct wait *wait, struct findings *out,
		   struct finding *f);
/* The same of a request_queue that lets no more in, since what it has under way does not end. */
bool stuck_queue_tell(const struct facts *facts, uint64_t queue, struct findings *out,
		      struct finding *f);
