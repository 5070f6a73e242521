/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* System V IPC: shared memory, semaphores and message queues of an IPC namespace. */
#pragma once

#include "kernel/session.h"
#include "kernel/tasks.h"
#include "kernel/walk.h"

enum ipc_kind { IPC_SEM, IPC_MSG, IPC_SHM }; /* as ipc_namespace.ids[] has them, ipc/util.h */

struct ipc_object {
	enum ipc_kind kind;
	uint64_t address; /* of the shmid_kernel, sem_array or msg_queue */
	uint64_t key, uid, mode;
	int64_t id;
	bool incomplete;
	/* Shared memory. */
	uint64_t bytes, attached, file, inode;
	bool locked, destroyed;      /* destroyed when the last one detaches */
	bool pages_known, huge;      /* resident, swapped are; of huge pages they are not */
	uint64_t pages, resident, swapped; /* in pages */
	/* Semaphores; messages. */
	uint64_t count;  /* semaphores in the set, messages in the queue */
	uint64_t used_bytes;
};

/* The IPC namespace of a task; of NULL the first one. 0 unknown. */
uint64_t ipc_namespace(struct session *s, const struct task *task);
typedef bool (*ipc_fn)(void *ctx, const struct ipc_object *object);
void ipc_each(struct session *s, uint64_t namespace, enum ipc_kind kind,
	      struct walk_trouble *trouble, ipc_fn fn, void *ctx);
