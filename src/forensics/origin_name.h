/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and types of the values of value flow. Internal to forensics/. */
#pragma once

#include "base/strbuf.h"
#include "forensics/args_frame.h"

/*
 * What C would call a value in @f's function: "skb", "skb->head", "jiffies"; into @out. The type
 * where it is known, else {0}.
 */
void origin_name(struct args_run *run, const struct frame_flow *f, flow_id id, struct strbuf *out,
		 struct type *type);
/* "sk_buff.head": which member of which struct the value was read from; false: not known. */
bool origin_member(struct args_run *run, const struct frame_flow *f, flow_id id,
		   struct strbuf *out);
/* The parameter that @reg brings: its place from 1 on, 0: none that is known. */
unsigned origin_parameter(struct args_run *run, const struct frame_flow *f, int reg,
			  struct member *parameter);
