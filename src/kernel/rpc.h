/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remote procedure calls of the kernel itself, such as those of NFS (net/sunrpc). */
#pragma once

#include "kernel/session.h"

struct rpc_call {
	uint64_t client;   /* struct rpc_clnt; 0 unknown */
	uint64_t timeouts; /* major ones, each after several tries; 0 too where unknown */
	uint64_t age_ns;   /* since it began; 0 unknown */
};

/* The struct rpc_task at @rpc. */
void rpc_call_read(struct session *s, uint64_t rpc, struct rpc_call *call);
