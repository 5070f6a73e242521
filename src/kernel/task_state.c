// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Task states in letters. The bits are those of 4.14 and later, include/linux/sched.h (task_read.c
 * brings older ones into this form); the letters are task_state_to_char()'s.
 */
#include "kernel/tasks.h"

enum {
	STATE_INTERRUPTIBLE = 0x1,
	STATE_UNINTERRUPTIBLE = 0x2,
	STATE_STOPPED = 0x4,
	STATE_TRACED = 0x8,
	EXIT_DEAD = 0x10,
	EXIT_ZOMBIE = 0x20,
	STATE_PARKED = 0x40,
	STATE_DEAD = 0x80,
	STATE_WAKING = 0x200,
	STATE_NOLOAD = 0x400,
	STATE_NEW = 0x800,
	STATE_RTLOCK_WAIT = 0x1000,
	STATE_FROZEN = 0x8000,
	STATE_IDLE = STATE_UNINTERRUPTIBLE | STATE_NOLOAD,
	STATE_REPORT = 0x7f,
};

char task_state_letter(const struct task *task)
{
	static const char letters[] = "RSDTtXZP";
	uint64_t bits = (task->state | task->exit_state) & STATE_REPORT;

	if (!task->has_state)
		return '?';
	if ((task->state & STATE_IDLE) == STATE_IDLE && !task->exit_state)
		return 'I';
	/* Frozen, and waiting for a lock that PREEMPT_RT made sleep: shown as uninterruptible. */
	if (!bits && task->state & (STATE_RTLOCK_WAIT | STATE_FROZEN))
		return 'D';
	unsigned highest = 0;
	while (bits >> highest)
		highest++;
	return letters[highest];
}

bool task_is_frozen(const struct task *task)
{
	return task->has_state && task->state & STATE_FROZEN;
}

const char *task_state_name(const struct task *task)
{
	switch (task_state_letter(task)) {
	case 'S':
		return "IN";
	case 'D':
		return "UN";
	case 'T':
		return "ST";
	case 't':
		return "TR";
	case 'X':
		return "DE";
	case 'Z':
		return "ZO";
	case 'P':
		return "PA";
	case 'I':
		return "ID";
	case '?':
		return "??";
	}
	if (task->state & STATE_DEAD)
		return "DE";
	if (task->state & STATE_WAKING)
		return "WA";
	return task->state & STATE_NEW ? "NE" : "RU";
}

const char *task_road_name(enum task_road road)
{
	switch (road) {
	case ROAD_IDLE:
		return "idle tasks of the CPUs";
	case ROAD_PID_INDEX:
		return "pid index";
	case ROAD_TASK_LIST:
		return "task list";
	case ROAD_RUN_QUEUE:
		return "run queues";
	case ROAD_CURRENT:
		return "running on a CPU";
	case ROAD_SLAB:
		return "slab pages";
	case ROAD_COUNT:
		break;
	}
	return "?";
}
