/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SCSI: of a request that the block layer gave to it, which device it is for, and which host
 * adapter's driver has it. All disks behind SCSI share one function that takes requests
 * (scsi_queue_rq()), which tells nothing.
 */
#pragma once

#include "kernel/session.h"

struct scsi_command {
	uint64_t device, host;  /* struct scsi_device, struct Scsi_Host */
	char address[48];       /* "0:0:0:0": host, channel, target, unit */
	char model[40];         /* "Linux scsi_debug"; "" unknown */
	uint64_t queuecommand;  /* the function of the adapter's driver; 0 unknown */
	char device_state[24];  /* "running", "offline" ...; "" unknown */
	char host_state[24];    /* "running", "recovery" ... */
	uint64_t failed;        /* commands of that host that error handling has still to look at */
};

/* The command of the struct request at @request. False: it is none, or that is not known. */
bool scsi_command_of_request(struct session *s, uint64_t request, struct scsi_command *command);
