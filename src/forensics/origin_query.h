/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to origin.c: which value of a frame a question is about. */
#pragma once

#include "forensics/args_frame.h"
#include "forensics/origin.h"

/* Its node in the flow of frame @frame; sets o->subject. FLOW_NONE without a subject: none fits. */
flow_id origin_node(struct args_run *run, size_t frame, const struct origin_query *query,
		    struct origin *o);
