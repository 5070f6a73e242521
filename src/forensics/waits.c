// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Functions that wait, by name, with the argument that is the object. Of several on one stack the
 * one with the higher level tells more: wait_for_completion() is how flush_work() waits. Names are
 * those of kernel/locking/, kernel/sched/{completion,wait,wait_bit,swait}.c, kernel/workqueue.c,
 * kernel/{kthread,smp}.c, kernel/rcu/, kernel/futex/, mm/{filemap,vmscan,page-writeback}.c,
 * fs/{buffer,inode,super,pipe,select,eventpoll}.c, block/, net/sunrpc/sched.c, of 2.6.32 to 7.x.
 */
#include "forensics/waits.h"

#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "forensics/args_frame.h"
#include "forensics/whatis.h"
#include "kernel/anchors.h"
#include "kernel/block_io.h"
#include "kernel/code_env.h"
#include "kernel/slab.h"

enum { TOP_FRAMES = 14, SPREAD_MAX = 9, ARGUMENT_FRAMES = 5, NO_OBJECT = -1, SUBMITTERS = 10 };

/* Task states, include/linux/sched.h. */
enum { TASK_RUNNING = 0 };

static const struct row {
	const char *glob;
	enum wait_kind kind;
	int argument;
	unsigned level;
	enum lock_kind lock;
	bool shared;
} rows[] = {
	{ "__mutex_lock*", WAIT_LOCK, 0, 2, LOCK_MUTEX, false },
	{ "mutex_lock*", WAIT_LOCK, 0, 2, LOCK_MUTEX, false },
	{ "rwsem_down_read*", WAIT_LOCK, 0, 2, LOCK_RWSEM, true },
	{ "rwsem_down_write*", WAIT_LOCK, 0, 2, LOCK_RWSEM, false },
	{ "call_rwsem_down_read*", WAIT_LOCK, 0, 2, LOCK_RWSEM, true },
	{ "call_rwsem_down_write*", WAIT_LOCK, 0, 2, LOCK_RWSEM, false },
	{ "down_read*", WAIT_LOCK, 0, 2, LOCK_RWSEM, true },
	{ "down_write*", WAIT_LOCK, 0, 2, LOCK_RWSEM, false },
	{ "rt_mutex_slowlock*", WAIT_LOCK, 0, 2, LOCK_RT_MUTEX, false },
	{ "__rt_mutex_slowlock*", WAIT_LOCK, 0, 2, LOCK_RT_MUTEX, false },
	{ "rt_mutex_lock*", WAIT_LOCK, 0, 2, LOCK_RT_MUTEX, false },
	/* With PREEMPT_RT: all of these are built on that, kernel/locking/{rwbase,spinlock}_rt.c. */
	{ "rtlock_slowlock*", WAIT_LOCK, 0, 2, LOCK_RT_MUTEX, false },
	{ "__rtlock_slowlock*", WAIT_LOCK, 0, 2, LOCK_RT_MUTEX, false },
	{ "rwbase_read_lock*", WAIT_LOCK, 0, 3, LOCK_RWSEM, true },
	{ "__rwbase_read_lock*", WAIT_LOCK, 0, 3, LOCK_RWSEM, true },
	{ "rwbase_write_lock*", WAIT_LOCK, 0, 3, LOCK_RWSEM, false },
	{ "rt_spin_lock*", WAIT_LOCK, 0, 4, LOCK_SLEEPING_SPIN, false },
	{ "rt_read_lock*", WAIT_LOCK, 0, 4, LOCK_SLEEPING_READ_WRITE, true },
	{ "rt_write_lock*", WAIT_LOCK, 0, 4, LOCK_SLEEPING_READ_WRITE, false },
	{ "__down_common", WAIT_LOCK, 0, 2, LOCK_SEMAPHORE, false },
	{ "___down_common", WAIT_LOCK, 0, 2, LOCK_SEMAPHORE, false },
	{ "__down*", WAIT_LOCK, 0, 2, LOCK_SEMAPHORE, false },
	{ "down", WAIT_LOCK, 0, 2, LOCK_SEMAPHORE, false },
	{ "down_interruptible", WAIT_LOCK, 0, 2, LOCK_SEMAPHORE, false },
	{ "down_killable", WAIT_LOCK, 0, 2, LOCK_SEMAPHORE, false },
	{ "down_timeout", WAIT_LOCK, 0, 2, LOCK_SEMAPHORE, false },
	{ "percpu_rwsem_wait", WAIT_LOCK, 0, 2, LOCK_PERCPU_RWSEM, true },
	{ "percpu_down_write", WAIT_LOCK, 0, 3, LOCK_PERCPU_RWSEM, false },
	{ "__wait_for_common", WAIT_LOCK, 0, 2, LOCK_COMPLETION, false },
	{ "wait_for_common*", WAIT_LOCK, 0, 2, LOCK_COMPLETION, false },
	{ "do_wait_for_common", WAIT_LOCK, 0, 2, LOCK_COMPLETION, false },
	{ "wait_for_completion*", WAIT_LOCK, 0, 2, LOCK_COMPLETION, false },

	{ "__wait_on_bit*", WAIT_BIT, NO_OBJECT, 1, 0, false },
	{ "out_of_line_wait_on_bit*", WAIT_BIT, 0, 2, 0, false },
	{ "wait_on_bit*", WAIT_BIT, 0, 2, 0, false },
	{ "folio_wait_bit*", WAIT_PAGE, 0, 3, 0, false },
	{ "__folio_lock*", WAIT_PAGE, 0, 3, 0, false },
	{ "folio_wait_writeback*", WAIT_PAGE, 0, 3, 0, false },
	{ "wait_on_page_bit_common", WAIT_PAGE, 1, 3, 0, false },
	{ "wait_on_page_bit*", WAIT_PAGE, 0, 3, 0, false },
	{ "__lock_page*", WAIT_PAGE, 0, 3, 0, false },
	{ "wait_on_page_writeback*", WAIT_PAGE, 0, 3, 0, false },
	{ "__wait_on_buffer", WAIT_BUFFER, 0, 3, 0, false },
	{ "__lock_buffer", WAIT_BUFFER, 0, 3, 0, false },
	{ "inode_wait_for_writeback", WAIT_INODE, 0, 3, 0, false },
	{ "__inode_wait_for_writeback", WAIT_INODE, 0, 3, 0, false },
	{ "__wait_on_freeing_inode", WAIT_INODE, 0, 3, 0, false },
	{ "futex_wait*", WAIT_FUTEX, 0, 3, 0, false },
	{ "__futex_wait", WAIT_FUTEX, 0, 3, 0, false },
	{ "futex_lock_pi", WAIT_FUTEX, 0, 3, 0, false },
	{ "do_futex", WAIT_FUTEX, 0, 4, 0, false },
	{ "__synchronize_srcu", WAIT_LOCK, 0, 4, LOCK_SRCU, false },
	{ "synchronize_srcu*", WAIT_LOCK, 0, 3, LOCK_SRCU, false },
	{ "synchronize_rcu*", WAIT_RCU, NO_OBJECT, 4, 0, false },
	{ "synchronize_sched*", WAIT_RCU, NO_OBJECT, 4, 0, false },
	{ "synchronize_net", WAIT_RCU, NO_OBJECT, 4, 0, false },
	{ "__wait_rcu_gp", WAIT_RCU, NO_OBJECT, 3, 0, false },
	{ "wait_rcu_gp", WAIT_RCU, NO_OBJECT, 3, 0, false },
	{ "rcu_barrier*", WAIT_RCU, NO_OBJECT, 4, 0, false },
	{ "__flush_workqueue", WAIT_WORKQUEUE, 0, 4, 0, false },
	{ "__flush_work*", WAIT_WORK, 0, 3, 0, false },
	{ "flush_work", WAIT_WORK, 0, 4, 0, false },
	{ "flush_delayed_work", WAIT_WORK, 0, 4, 0, false },
	{ "__cancel_work_timer", WAIT_WORK, 0, 4, 0, false },
	{ "__cancel_work_sync", WAIT_WORK, 0, 4, 0, false },
	{ "cancel_work_sync", WAIT_WORK, 0, 4, 0, false },
	{ "cancel_delayed_work_sync", WAIT_WORK, 0, 4, 0, false },
	{ "flush_workqueue", WAIT_WORKQUEUE, 0, 4, 0, false },
	{ "drain_workqueue", WAIT_WORKQUEUE, 0, 4, 0, false },
	{ "kthread_stop*", WAIT_KTHREAD, 0, 4, 0, false },
	{ "kthread_park", WAIT_KTHREAD, 0, 4, 0, false },
	{ "__sb_start_write", WAIT_FROZEN_FS, 0, 4, 0, false },
	{ "sb_start_write*", WAIT_FROZEN_FS, 0, 4, 0, false },
	{ "sb_wait_write", WAIT_FROZEN_FS, 0, 4, 0, false },
	{ "blk_queue_enter", WAIT_FROZEN_QUEUE, 0, 4, 0, false },
	{ "__bio_queue_enter", WAIT_FROZEN_QUEUE, 0, 4, 0, false },
	{ "blk_mq_freeze_queue_wait*", WAIT_FROZEN_QUEUE, 0, 4, 0, false },
	/* Full: no tag is left, or a limit of requests under way is reached (blk-wbt, blk-iolatency). */
	{ "blk_mq_get_tag", WAIT_FROZEN_QUEUE, NO_OBJECT, 4, 0, false },
	{ "rq_qos_wait", WAIT_FROZEN_QUEUE, NO_OBJECT, 4, 0, false },
	{ "wbt_wait", WAIT_FROZEN_QUEUE, NO_OBJECT, 4, 0, false },
	{ "get_request*", WAIT_FROZEN_QUEUE, NO_OBJECT, 4, 0, false },
	/* A wait for I/O whose object is known is one for a bio. */
	{ "submit_bio_wait", WAIT_IO, 0, 4, 0, false },
	{ "blk_execute_rq", WAIT_IO, NO_OBJECT, 4, 0, false },
	{ "blkdev_issue_flush", WAIT_IO, NO_OBJECT, 3, 0, false },
	{ "io_schedule*", WAIT_IO, NO_OBJECT, 1, 0, false },
	{ "__io_wait*", WAIT_IO, NO_OBJECT, 2, 0, false },
	{ "throttle_direct_reclaim", WAIT_RECLAIM, NO_OBJECT, 3, 0, false },
	{ "balance_dirty_pages*", WAIT_RECLAIM, NO_OBJECT, 3, 0, false },
	{ "shrink_inactive_list", WAIT_RECLAIM, NO_OBJECT, 2, 0, false },
	{ "congestion_wait", WAIT_RECLAIM, NO_OBJECT, 2, 0, false },
	{ "reclaim_throttle", WAIT_RECLAIM, NO_OBJECT, 3, 0, false },
	{ "mem_cgroup_oom_synchronize", WAIT_RECLAIM, NO_OBJECT, 3, 0, false },
	{ "__refrigerator", WAIT_FREEZER, NO_OBJECT, 4, 0, false },
	{ "smp_call_function_many*", WAIT_CPU_CALL, NO_OBJECT, 3, 0, false },
	{ "smp_call_function_single*", WAIT_CPU_CALL, 0, 3, 0, false },
	{ "generic_exec_single", WAIT_CPU_CALL, NO_OBJECT, 2, 0, false },
	{ "csd_lock_wait*", WAIT_CPU_CALL, NO_OBJECT, 2, 0, false },
	{ "stop_one_cpu*", WAIT_CPU_CALL, 0, 4, 0, false },
	{ "stop_machine*", WAIT_CPU_CALL, NO_OBJECT, 4, 0, false },
	{ "rpc_wait_bit_killable", WAIT_RPC, NO_OBJECT, 4, 0, false },
	{ "__rpc_execute", WAIT_RPC, 0, 4, 0, false },
	{ "nfs_wait_bit_*", WAIT_RPC, NO_OBJECT, 4, 0, false },
	{ "__rpc_wait_for_completion_task", WAIT_RPC, 0, 4, 0, false },

	/* For a page that a program is to deliver (userfaultfd), in the middle of whatever. */
	{ "handle_userfault", WAIT_QUEUE, NO_OBJECT, 5, 0, false },

	{ "do_poll*", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "do_sys_poll", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "do_select", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "ep_poll", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "do_epoll_wait", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "do_nanosleep", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "hrtimer_nanosleep", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "do_wait", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "do_sigtimedwait*", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "sigsuspend", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "*sys_pause", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "do_signal_stop", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "ptrace_stop*", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "*pipe_read", WAIT_PIPE, NO_OBJECT, 4, 0, false },
	{ "*pipe_write", WAIT_PIPE, NO_OBJECT, 4, 0, false },
	{ "pipe_wait*", WAIT_PIPE, NO_OBJECT, 4, 0, false },
	{ "wait_for_partner", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "*skb_wait_for_more_packets", WAIT_SOCKET, NO_OBJECT, 4, 0, false },
	{ "sk_wait_data", WAIT_SOCKET, NO_OBJECT, 4, 0, false },
	{ "unix_stream_read_generic", WAIT_SOCKET, NO_OBJECT, 4, 0, false },
	{ "unix_stream_data_wait", WAIT_SOCKET, NO_OBJECT, 4, 0, false },
	{ "sk_stream_wait_memory", WAIT_SOCKET, NO_OBJECT, 4, 0, false },
	{ "sk_stream_wait_connect", WAIT_SOCKET, NO_OBJECT, 4, 0, false },
	{ "sock_alloc_send_pskb", WAIT_SOCKET, NO_OBJECT, 4, 0, false },
	{ "inet_stream_connect", WAIT_SOCKET, NO_OBJECT, 4, 0, false },
	{ "__inet_stream_connect", WAIT_SOCKET, NO_OBJECT, 4, 0, false },
	{ "inet_csk_accept", WAIT_SOCKET, NO_OBJECT, 4, 0, false },
	{ "inet_csk_wait_for_connect", WAIT_SOCKET, NO_OBJECT, 4, 0, false },
	{ "n_tty_read", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "tty_wait_until_sent", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "do_syslog*", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "devkmsg_read", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "do_msgrcv", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "do_semtimedop*", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "inotify_read", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "eventfd_read", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "fuse_dev_do_read", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "signalfd_read*", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "timerfd_read*", WAIT_RESTING, NO_OBJECT, 4, 0, false },
	{ "worker_thread", WAIT_RESTING, NO_OBJECT, 1, 0, false },
	{ "rescuer_thread", WAIT_RESTING, NO_OBJECT, 1, 0, false },
	{ "smpboot_thread_fn", WAIT_RESTING, NO_OBJECT, 1, 0, false },
	{ "kthreadd", WAIT_RESTING, NO_OBJECT, 1, 0, false },
	{ "kthread_worker_fn", WAIT_RESTING, NO_OBJECT, 1, 0, false },
	{ "irq_thread", WAIT_RESTING, NO_OBJECT, 1, 0, false },
	{ "irq_wait_for_interrupt", WAIT_RESTING, NO_OBJECT, 1, 0, false },
	{ "rcu_boost_kthread", WAIT_RESTING, NO_OBJECT, 1, 0, false },
	{ "msleep*", WAIT_RESTING, NO_OBJECT, 2, 0, false },
	{ "usleep_range*", WAIT_RESTING, NO_OBJECT, 2, 0, false },
};

/* Higher than any wait: in one of these the thread is about to leave, or idle. */
const char *wait_kind_name(enum wait_kind kind)
{
	static const char *const names[WAIT_KINDS] = {
		[WAIT_NOTHING] = "nothing",
		[WAIT_LOCK] = "lock",
		[WAIT_BIT] = "bit",
		[WAIT_PAGE] = "page",
		[WAIT_BUFFER] = "buffer",
		[WAIT_INODE] = "inode",
		[WAIT_FUTEX] = "futex",
		[WAIT_RCU] = "RCU grace period",
		[WAIT_WORK] = "work",
		[WAIT_WORKQUEUE] = "work queue",
		[WAIT_KTHREAD] = "end of a kernel thread",
		[WAIT_FROZEN_FS] = "frozen file system",
		[WAIT_FROZEN_QUEUE] = "request queue",
		[WAIT_IO] = "I/O",
		[WAIT_RECLAIM] = "memory",
		[WAIT_FREEZER] = "freezer",
		[WAIT_CPU_CALL] = "another CPU",
		[WAIT_QUEUE] = "wait queue",
		[WAIT_RPC] = "remote procedure call",
		[WAIT_JOURNAL] = "journal",
		[WAIT_FUSE] = "FUSE request",
		[WAIT_PIPE] = "pipe",
		[WAIT_SOCKET] = "socket",
		[WAIT_RESTING] = "an event",
		[WAIT_OTHER] = "not known",
	};

	return names[kind];
}

static const struct row *row_of(const char *name)
{
	for (size_t i = 0; i < array_size(rows); i++) {
		if (glob_match(rows[i].glob, name))
			return &rows[i];
	}
	return NULL;
}

static const char *frame_function(struct session *s, const struct frame *frame,
				  struct arena *arena)
{
	struct symbol symbol;

	if (frame->how == FRAME_SCAN || !s->symbols ||
	    !symbols_by_address(s->symbols, frame->is_call ? frame->pc - 1 : frame->pc, &symbol))
		return NULL;
	return arena_strndup(arena, symbol.name, strcspn(symbol.name, "."));
}

/*
 * Who waits for a lock waits for that, whatever the functions outside are to wait for: they have
 * not come to it. But of a futex with priority inheritance an rt_mutex is a part.
 */
static bool is_lock_itself(const struct row *inner, const struct row *outer)
{
	return inner->kind == WAIT_LOCK && outer->kind != WAIT_LOCK && outer->kind != WAIT_FUTEX &&
	       (inner->lock == LOCK_MUTEX || inner->lock == LOCK_RWSEM ||
		inner->lock == LOCK_RT_MUTEX || inner->lock == LOCK_SEMAPHORE ||
		inner->lock == LOCK_SLEEPING_SPIN || inner->lock == LOCK_SLEEPING_READ_WRITE);
}

/*
 * With PREEMPT_RT mutex_lock() and rt_mutex_lock() jump on to one slow path and are not on the
 * stack: the call in the frame that wanted the lock tells them apart.
 */
static bool called_rt_mutex(struct session *s, const struct stack *stack, size_t frame)
{
	struct symbol symbol;
	const char *why;
	uint32_t call;

	if (frame >= stack->count || !stack->frames[frame].is_call)
		return false;
	uint64_t returns_to = stack->frames[frame].pc;
	const struct cfg *cfg = code_cfg(s, returns_to - 1, &why);
	if (!cfg || !cfg_find_end(cfg, returns_to, &call) || !cfg->insns[call].target)
		return false;
	return symbols_by_address(s->symbols, cfg->insns[call].target, &symbol) &&
	       glob_match("rt_mutex_lock*", symbol.name);
}

void wait_of_stack(struct session *s, const struct task *task, const struct stack *stack,
		   struct arena *arena, struct wait *wait)
{
	const struct row *best = NULL;
	size_t first = SIZE_MAX;

	bool can_run = task->state == TASK_RUNNING && (task->has_state || s->text);
	*wait = (struct wait){ .kind = task->on_cpu || can_run ? WAIT_NOTHING : WAIT_OTHER };
	if (wait->kind == WAIT_NOTHING)
		return;
	for (size_t i = 0; i < stack->count && i < TOP_FRAMES; i++) {
		const char *name = frame_function(s, &stack->frames[i], arena);
		const struct row *row = name ? row_of(name) : NULL;
		/* What is far below the first one called it for reasons of its own. */
		if (first != SIZE_MAX && i > first + SPREAD_MAX)
			break;
		if (!row || (best && (row->level < best->level || is_lock_itself(best, row))))
			continue;
		/* Of equals the outer one: its argument is in the source's own terms. */
		if (best && row->level == best->level &&
		    (row->kind != best->kind || row->lock != best->lock))
			continue;
		best = row;
		if (first == SIZE_MAX)
			first = i;
		wait->kind = row->kind;
		wait->lock_kind = row->lock;
		wait->shared = row->shared;
		wait->frame = i;
		wait->function = name;
	}
	if (wait->kind == WAIT_LOCK && wait->lock_kind == LOCK_RT_MUTEX && locks_are_rt(s) &&
	    !called_rt_mutex(s, stack, wait->frame + 1))
		wait->lock_kind = LOCK_MUTEX;
}

bool frame_argument(struct session *s, const struct task *task, struct stack *stack, size_t frame,
		    unsigned n, uint64_t *value, bool *memory)
{
	struct arena arena = { 0 };
	struct args_run run = { .session = s, .task = task, .stack = stack, .arena = &arena };
	size_t whole = stack->count;
	struct flow_value v = { 0 };
	bool known = false;

	if (n >= s->arch->arg_reg_count || frame >= whole)
		return false;
	/* The frames around it tell what there is to know; the rest of the stack costs time. */
	if (frame + ARGUMENT_FRAMES < whole)
		stack->count = frame + ARGUMENT_FRAMES;
	if (args_run_open(&run) && frame < run.count) {
		const struct frame_flow *f = &run.frames[frame];
		unsigned reg = s->arch->arg_regs[n];
		known = f->usable && !(f->conflict >> reg & 1) &&
			flow_eval(f->facts, flow_entry(f->flow, reg), false, &v) && v.bits == 64;
		*memory = false;
		if (!known && f->guessed[n] && f->guess[n].bits == 64) {
			v = f->guess[n];
			*memory = known = true;
		}
	}
	args_run_close(&run);
	arena_deinit(&arena);
	stack->count = whole;
	*value = v.value;
	return known;
}

/* The user-space word of a futex is the system call's own argument. */
static bool futex_word(struct session *s, const struct task *task, struct stack *stack,
		       struct wait *wait)
{
	struct syscall_entry entry;

	if (!syscall_of(s, task, stack, &entry) || !starts_with(entry.name, "futex"))
		return false;
	wait->object = entry.args[0];
	return true;
}

/*
 * Since 6.16 a task notes itself what it waits for (CONFIG_DETECT_HUNG_TASK_BLOCKER): the lock's
 * address, its kind in the low two bits, include/linux/hung_task.h. Waiters for an rt_mutex are
 * linked from their task in every kernel that has priority inheritance: with PREEMPT_RT nearly all.
 */
static bool noted_blocker(struct session *s, const struct task *task, struct wait *wait)
{
	static const enum lock_kind kinds[] = { LOCK_MUTEX, LOCK_SEMAPHORE, LOCK_RWSEM,
						LOCK_RWSEM };
	enum { KIND_MASK = 3 };
	uint64_t word, waiter, base;

	if (wait->kind != WAIT_LOCK)
		return false;
	if ((wait->lock_kind == LOCK_RT_MUTEX || locks_are_rt(s)) &&
	    kread(s, task->address, "task_struct", "pi_blocked_on", &waiter) && waiter &&
	    kread(s, waiter, "rt_mutex_waiter", "lock", &base) && base) {
		wait->object = lock_of_rt_mutex(s, wait->lock_kind, base);
		return wait->object;
	}
	if (!kread(s, task->address, "task_struct", "blocker", &word) || !word ||
	    kinds[word & KIND_MASK] != wait->lock_kind)
		return false;
	wait->object = word & ~(uint64_t)KIND_MASK;
	return true;
}

/* Of a buffer b_state comes first, include/linux/buffer_head.h; its cache is called as the struct. */
static bool is_buffer(struct session *s, uint64_t word)
{
	struct slab_object object;
	uint64_t state;

	return koffset(s, "buffer_head", "b_state", &state) && slab_object_at(s, word, &object) &&
	       object.address + state == word &&
	       strcmp(object.slab.cache->name, "buffer_head") == 0;
}

/* Its i_state, or a byte of that (include/linux/fs.h, inode_state_wait_address()). 0: it is none. */
static uint64_t inode_of_word(struct session *s, uint64_t word)
{
	struct what what;
	char path[sizeof(what.member)];
	uint64_t offset = 0;

	whatis(s, NULL, word, &what);
	char *state = what.type ? strstr(what.member, "i_state") : NULL;
	if (!state || (state != what.member && state[-1] != '.'))
		return 0;
	snprintf(path, sizeof(path), "%.*s",
		 state == what.member ? 0 : (int)(state - what.member) - 1, what.member);
	if (*path ? !koffset(s, what.type, path, &offset) : strcmp(what.type, "inode") != 0)
		return 0;
	return what.start + offset;
}

void wait_tell_word(struct session *s, struct wait *wait)
{
	if (wait->kind != WAIT_BIT)
		return;
	uint64_t inode = inode_of_word(s, wait->object);
	if (is_buffer(s, wait->object)) {
		wait->kind = WAIT_BUFFER;
	} else if (inode) {
		wait->kind = WAIT_INODE;
		wait->object = inode;
	}
}

/* The queue that is full is that of the bio which is to go there. */
static uint64_t queue_of_submitter(struct session *s, const struct task *task, struct stack *stack,
				   struct wait *wait)
{
	static const char *const globs[] = { "blk_mq_submit_bio", "__submit_bio*", "submit_bio*" };
	uint64_t bio, queue = 0;
	size_t end = wait->frame + SUBMITTERS < stack->count ? wait->frame + SUBMITTERS
							      : stack->count;

	for (size_t i = wait->frame; i < end && !queue; i++) {
		struct arena arena = { 0 };
		const char *name = frame_function(s, &stack->frames[i], &arena);
		bool submits = false;
		for (size_t g = 0; g < array_size(globs) && name; g++)
			submits |= glob_match(globs[g], name);
		arena_deinit(&arena);
		if (submits && frame_argument(s, task, stack, i, 0, &bio, &wait->memory) && bio)
			queue = block_queue_of_bio(s, bio);
	}
	return queue;
}

void wait_find_object(struct session *s, const struct task *task, struct stack *stack,
		      struct wait *wait)
{
	const struct row *row = wait->function ? row_of(wait->function) : NULL;

	if ((wait->kind == WAIT_FUTEX && futex_word(s, task, stack, wait)) ||
	    noted_blocker(s, task, wait))
		return;
	if (wait->kind == WAIT_FROZEN_QUEUE && row && row->argument == NO_OBJECT)
		wait->object = queue_of_submitter(s, task, stack, wait);
	if (!row || row->argument == NO_OBJECT)
		return;
	/* The same wait is told by several functions: whichever knows its argument. */
	for (size_t i = wait->frame + 1; i-- > 0;) {
		struct arena arena = { 0 };
		const char *name = frame_function(s, &stack->frames[i], &arena);
		const struct row *other = name ? row_of(name) : NULL;
		bool same = other && other->kind == row->kind && other->lock == row->lock &&
			    other->argument != NO_OBJECT;
		arena_deinit(&arena);
		if (same && frame_argument(s, task, stack, i, (unsigned)other->argument,
					   &wait->object, &wait->memory)) {
			wait_tell_word(s, wait);
			return;
		}
	}
	wait->object = 0;
}
