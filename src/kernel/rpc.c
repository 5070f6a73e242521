// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Source, in linux/: include/linux/sunrpc/sched.h. tk_start is set from ktime_get() when a call
 * begins, and not when it is sent anew; tk_timeouts counts what
 * xprt_adjust_timeout() calls major time-outs (net/sunrpc/clnt.c, rpc_check_timeout()).
 */
#include "kernel/rpc.h"

#include "kernel/timekeeper.h"

enum { TIMEOUTS_MAX = 1 << 20 };

void rpc_call_read(struct session *s, uint64_t rpc, struct rpc_call *call)
{
	struct kernel_time now;
	uint64_t value;

	*call = (struct rpc_call){ 0 };
	(void)kread(s, rpc, "rpc_task", "tk_client", &call->client);
	/* Bytes and bit fields of them, by release. */
	if (kread(s, rpc, "rpc_task", "tk_timeouts", &value) && value < TIMEOUTS_MAX)
		call->timeouts = value;
	kernel_time(s, &now);
	if (kread(s, rpc, "rpc_task", "tk_start", &value) && value && now.monotonic_ns > value)
		call->age_ns = now.monotonic_ns - value;
}
