/*
 * What functions were called with: the truth for arguments. Probes at the entry of the functions of a table write down the registers that
 * carry arguments, and where the return address lies, which tells one call from another. The code of the functions stays as the compiler
 * made it: nothing in it prints.
 *
 * The functions here call each other in chains, with arguments of all kinds that are kept, changed, forgotten or passed on in the same
 * register, down to one that sleeps, spins in an interrupt on another CPU, or faults. The table also names functions of the kernel; those
 * are written down for threads whose names begin with "arg-".
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "trigger.h"

/* --- The truth. --- */

enum { RECORDS = 16384, REGISTERS = 6, ON_STACK = 3 };

struct truth {
	pid_t pid;
	const char *function;
	unsigned long sp; /* where the return address lies */
	unsigned long registers[REGISTERS];
	unsigned long on_stack[ON_STACK];
};

static struct truth *truths;
static atomic_t truth_count = ATOMIC_INIT(0);

static const char *const probed[] = {
	/* here */
	"keep_order", "keep_item", "keep_list", "keep_label", "keep_total", "keep_last",
	"drop_start", "drop_small", "drop_bool", "drop_wide", "drop_swap", "drop_last",
	"many_start", "many_sum", "many_pass", "many_struct", "many_call", "many_callback",
	"tail_start", "tail_middle", "tail_switch", "tail_even", "tail_odd", "tail_last",
	"turn_start", "turn_around", "turn_step", "turn_last", "finish", "fall_asleep", "spin_forever", "fault_now",
	"chain_thread", "on_other_cpu", "work_chain",
	/* the kernel's */
	"vfs_read", "ksys_read", "vfs_write", "ksys_write", "do_sys_openat2", "do_filp_open", "path_openat", "fifo_open", "pipe_read",
	"pipe_write", "eventfd_read", "inotify_read", "timerfd_read", "signalfd_read_iter", "tty_read", "n_tty_read",
	"do_wait", "kernel_wait4", "kernel_waitid", "do_epoll_wait", "ep_poll", "do_sys_poll", "do_select", "core_sys_select",
	"poll_schedule_timeout.constprop.0", "do_futex", "futex_wait", "__futex_wait", "futex_wait_queue", "futex_wait_queue_me",
	"do_nanosleep", "hrtimer_nanosleep", "common_nsleep", "do_sigtimedwait", "sigsuspend", "do_msgrcv", "do_semtimedop", "__do_semtimedop",
	"do_mq_timedreceive", "wq_sleep", "kernel_clone", "wait_for_vfork_done",
	"schedule", "schedule_timeout", "schedule_hrtimeout_range", "schedule_hrtimeout_range_clock", "wait_woken", "do_wait_intr_irq",
	"wait_for_completion", "wait_for_completion_state", "wait_for_completion_interruptible", "__wait_rcu_gp",
	"sock_recvmsg", "____sys_recvmsg", "__sys_recvmsg", "__sys_recvfrom", "sock_read_iter", "sock_write_iter", "sock_sendmsg",
	"unix_stream_recvmsg", "unix_stream_read_generic", "unix_stream_read_actor", "unix_dgram_recvmsg", "__unix_dgram_recvmsg",
	"unix_stream_sendmsg", "sock_alloc_send_pskb", "__skb_recv_datagram", "__skb_wait_for_more_packets", "unix_accept",
	"inet_recvmsg", "udp_recvmsg", "__skb_recv_udp", "tcp_recvmsg", "tcp_recvmsg_locked", "sk_wait_data", "inet_accept",
	"inet_csk_accept", "do_accept", "__sys_accept4", "__sys_accept4_file", "skb_recv_datagram",
	"flock_lock_inode_wait", "locks_lock_inode_wait", "fcntl_setlk", "do_lock_file_wait", "do_fcntl", "do_signal_stop", "ptrace_stop",
	"mutex_lock", "__mutex_lock_slowpath", "down_read", "rwsem_down_read_slowpath", "msleep", "msleep_interruptible",
	"shmem_file_read_iter", "seq_read_iter", "kernfs_fop_read_iter", "do_syscall_64",
};

static struct kprobe probes[ARRAY_SIZE(probed)];

static int at_entry(struct kprobe *probe, struct pt_regs *regs)
{
	const unsigned long *stack = (const unsigned long *)regs->sp;
	unsigned int n;
	struct truth *truth;

	if (strncmp(current->comm, "arg-", 4) && !within_module((unsigned long)probe->addr, THIS_MODULE))
		return 0;
	n = atomic_inc_return(&truth_count) - 1;
	if (n >= RECORDS)
		return 0;
	truth = &truths[n];
	truth->pid = task_pid_nr(current);
	truth->sp = regs->sp;
	truth->registers[0] = regs->di;
	truth->registers[1] = regs->si;
	truth->registers[2] = regs->dx;
	truth->registers[3] = regs->cx;
	truth->registers[4] = regs->r8;
	truth->registers[5] = regs->r9;
	for (int i = 0; i < ON_STACK; i++)
		truth->on_stack[i] = stack[1 + i];
	smp_wmb();
	truth->function = probe->symbol_name;
	return 0;
}

static void start_probes(void)
{
	truths = kvcalloc(RECORDS, sizeof(*truths), GFP_KERNEL);
	if (!truths)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(probed); i++) {
		probes[i].symbol_name = probed[i];
		probes[i].pre_handler = at_entry;
		if (register_kprobe(&probes[i]))
			pr_info("arguments: no function %s to probe\n", probed[i]);
	}
}

/* "truth: PID FUNCTION SP" and the words; quietly, since the serial port is slow. */
static void tell_truth(void)
{
	unsigned int count = min_t(unsigned int, atomic_read(&truth_count), RECORDS);

	for (unsigned int i = 0; i < count; i++) {
		const struct truth *t = &truths[i];

		if (!t->function)
			continue;
		printk(KERN_DEBUG "truth: %d %s %lx %lx %lx %lx %lx %lx %lx %lx %lx %lx\n", t->pid, t->function, t->sp, t->registers[0],
		       t->registers[1], t->registers[2], t->registers[3], t->registers[4], t->registers[5], t->on_stack[0],
		       t->on_stack[1], t->on_stack[2]);
	}
	if (atomic_read(&truth_count) > RECORDS)
		pr_info("arguments: only the first %d calls are told\n", RECORDS);
}

/* --- Where all chains end. --- */

enum ending { ENDS_ASLEEP, ENDS_SPINNING, ENDS_FAULTING };

struct item {
	int number;
	u16 kind;
	char letter;
	bool ready;
	u64 weight;
	struct list_head list;
};

struct order {
	struct list_head items;
	const char *label;
	u64 total;
	int count;
	enum ending ending;
	struct item *chosen, *missing;
	struct item first, second;
};

static u64 sink;
/* What the compiler must not know. */
static u32 seeds[] = { 0xfedcba98, 33, 90, 42, 3 };
static s64 wide_seed = -5000000000;
static bool spinning, release_it;

static noinline long fall_asleep(struct order *order, long timeout)
{
	long left = timeout;

	while (!READ_ONCE(release_it)) {
		set_current_state(TASK_INTERRUPTIBLE);
		left = schedule_timeout(timeout);
	}
	return left + order->count;
}

static noinline int spin_forever(struct order *order, int cpu)
{
	WRITE_ONCE(spinning, true);
	while (!READ_ONCE(release_it))
		cpu_relax();
	return order->count + cpu;
}

static noinline u64 fault_now(struct order *order, struct item *missing, u32 code)
{
	tell_truth();
	missing->weight = code;
	return order->total + missing->weight;
}

static noinline long finish(struct order *order, u64 token)
{
	switch (order->ending) {
	case ENDS_ASLEEP:
		return fall_asleep(order, MAX_SCHEDULE_TIMEOUT - (long)(token & 0xff)) + 1;
	case ENDS_SPINNING:
		return spin_forever(order, smp_processor_id()) + 2;
	default:
		return fault_now(order, READ_ONCE(order->missing), (u32)token * 3) + 3;
	}
}

/* --- All is needed afterwards: it is kept in saved registers and on the stack. --- */

static noinline long keep_last(struct order *order, struct item *item, u64 token)
{
	long result = finish(order, token + item->number);

	item->weight += result;
	sink += token;
	return result + order->count;
}

static noinline long keep_total(struct order *order, u64 *total, int depth)
{
	long result;

	*total += depth;
	result = keep_last(order, order->chosen, *total ^ 0x5555);
	*total += result;
	sink += depth;
	return result;
}

static noinline int keep_label(struct order *order, const char *label, size_t length, bool loud)
{
	char copy[24];
	u64 total = length * 100;
	int result;

	strscpy(copy, label, sizeof(copy));
	result = (int)keep_total(order, &total, (int)length + 1);
	sink += total + copy[0];
	return result + loud + (label[0] == copy[0]);
}

static noinline int keep_list(struct order *order, struct list_head *head, unsigned int wanted)
{
	struct item *item;
	int result = 0;

	list_for_each_entry(item, head, list) {
		if (item->number != wanted)
			continue;
		order->chosen = item;
		result = keep_label(order, order->label, strlen(order->label), item->ready);
		sink += item->weight + wanted;
	}
	return result + order->count;
}

static noinline u64 keep_item(struct order *order, struct item *item, char letter, u16 kind)
{
	u64 result = keep_list(order, &order->items, item->number);

	sink += letter + kind;
	return result + item->weight;
}

static noinline long keep_order(struct order *order, int a, u32 b, s64 c)
{
	u64 result = keep_item(order, &order->second, order->first.letter, order->second.kind);

	sink += a + b + c;
	return result;
}

/* --- Nothing is needed afterwards: only callers still know. --- */

static noinline long drop_last(struct order *order, u64 token, bool flag)
{
	return finish(order, token ^ flag) ^ 1;
}

static noinline long drop_swap(u64 token, struct order *order)
{
	return drop_last(order, token + 77, token & 1) ^ 2;
}

static noinline long drop_wide(struct order *order, u64 a, s64 b, u32 c)
{
	return drop_swap(a ^ (u64)b ^ c, order) ^ 4;
}

static noinline long drop_bool(struct order *order, bool yes, bool no)
{
	return drop_wide(order, yes ? 0x1111222233334444 : 5, no ? -9 : -10, order->count) ^ 8;
}

static noinline long drop_small(struct order *order, s8 tiny, u8 byte, s16 half)
{
	return drop_bool(order, tiny < 0, byte + half > 1000) ^ 16;
}

static noinline long drop_start(struct order *order, int seed)
{
	return drop_small(order, (s8)-seed, (u8)(seed * 3), (s16)(seed * 100)) ^ 32;
}

/* --- Many arguments, structures by value, pointers to functions. --- */

struct pair {
	u32 left;
	u32 right;
};

struct triple {
	u64 one, two, three;
};

typedef long (*callback_fn)(struct order *order, void *data, int n);

static noinline long many_callback(struct order *order, void *data, int n)
{
	long result = finish(order, (u64)n << 33);

	sink += *(u32 *)data;
	return result + n;
}

static noinline long many_call(callback_fn callback, struct order *order, void *data, int n)
{
	long result = callback(order, data, n + 1);

	sink += n;
	return result;
}

static noinline long many_struct(struct order *order, struct pair pair, struct triple triple)
{
	u32 local = pair.left + (u32)triple.two;
	long result = many_call(READ_ONCE(order->count) ? many_callback : NULL, order, &local, pair.right);

	sink += local;
	return result + triple.three;
}

static noinline long many_pass(u64 a, struct order *order, u64 c, u64 d, u64 e, u64 f, u64 g, u64 h, int i)
{
	struct pair pair = { .left = (u32)a, .right = (u32)h };
	struct triple triple = { .one = c ^ d, .two = e, .three = f };
	long result = many_struct(order, pair, triple);

	return result + g + i;
}

static noinline long many_sum(struct order *order, u8 a, u16 b, u32 c, u64 d, s8 e, s16 f, s32 g, s64 h)
{
	long result = many_pass(a + d, order, b, c, d * 2, e, f, g + 1000, (int)h);

	sink += a + b + c + d + e + f + g + h;
	return result;
}

static noinline long many_start(struct order *order, u32 seed)
{
	return many_sum(order, (u8)seed, (u16)(seed * 7), seed * 11, (u64)seed << 35, (s8)-seed, (s16)(seed - 40), -(s32)seed,
			-(s64)seed * 1000000007) + 1;
}

/* --- Tail calls, branches that reuse a register, recursion. --- */

static noinline long tail_last(struct order *order, u64 token)
{
	long result = finish(order, token);

	sink += token;
	return result;
}

static noinline long tail_odd(struct order *order, u64 token, int n)
{
	if (n > 1000)
		token = order->total;
	sink++;
	return tail_last(order, token + 1) + n;
}

static noinline long tail_even(struct order *order, u64 token, int n)
{
	sink += 2;
	return tail_odd(order, token + n, n + 1);
}

static noinline long tail_switch(struct order *order, int n, u64 token)
{
	switch (n) {
	case 0:
		return tail_odd(order, token, n);
	case 1:
		return tail_last(order, token);
	case 2:
		return tail_even(order, token ^ 2, n);
	case 3:
		order->count++;
		return tail_even(order, token, n * 5);
	default:
		return tail_even(order, token * 3, -n);
	}
}

static noinline long tail_middle(struct order *order, u32 seed)
{
	return tail_switch(order, (int)(seed % 5), (u64)seed * 0x100000001) * 3;
}

static noinline long tail_start(struct order *order, u32 seed)
{
	order->total += seed;
	return tail_middle(order, seed + 1);
}

static noinline long turn_last(struct order *order, int left, u64 path)
{
	return finish(order, path) + left;
}

static long turn_step(struct order *order, int left, u64 path);

static noinline long turn_around(struct order *order, int left, u64 path, struct item *item)
{
	long result = turn_step(order, left - 1, path << 4 | (unsigned int)left);

	item->number++;
	return result;
}

static noinline long turn_step(struct order *order, int left, u64 path)
{
	struct item item = { .number = left };

	if (left <= 0)
		return turn_last(order, left, path) + 1;
	return turn_around(order, left, path ^ 1, &item) + item.number;
}

static noinline long turn_start(struct order *order, int turns)
{
	return turn_step(order, turns, 0xf) + turns;
}

/* --- Who runs them. --- */

static long run_chain(struct order *order, unsigned int which)
{
	u32 seed = READ_ONCE(seeds[which]);

	switch (which) {
	case 0:
		return keep_order(order, -(int)seed, seed, READ_ONCE(wide_seed));
	case 1:
		return drop_start(order, (int)seed);
	case 2:
		return many_start(order, seed);
	case 3:
		return tail_start(order, seed);
	default:
		return turn_start(order, (int)seed);
	}
}

static struct order *new_order(enum ending ending)
{
	struct order *order = kzalloc(sizeof(*order), GFP_KERNEL);

	BUG_ON(!order);
	INIT_LIST_HEAD(&order->items);
	order->label = "an order";
	order->count = 2;
	order->ending = ending;
	order->first = (struct item){ .number = 101, .kind = 7, .letter = 'f', .weight = 0x1122334455667788 };
	order->second = (struct item){ .number = 102, .kind = 9, .letter = 's', .ready = true, .weight = 3 };
	list_add_tail(&order->first.list, &order->items);
	list_add_tail(&order->second.list, &order->items);
	return order;
}

struct job {
	struct order *order;
	unsigned int which;
	struct work_struct work;
};

static struct job *new_job(enum ending ending, unsigned int which)
{
	struct job *job = kzalloc(sizeof(*job), GFP_KERNEL);

	BUG_ON(!job);
	job->order = new_order(ending);
	job->which = which;
	return job;
}

static int chain_thread(void *data)
{
	struct job *job = data;

	return (int)run_chain(job->order, job->which) & 1;
}

static void on_other_cpu(void *data)
{
	struct job *job = data;

	run_chain(job->order, job->which);
}

static void work_chain(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);

	run_chain(job->order, job->which);
}

static void start_chains(void)
{
	struct job *work = new_job(ENDS_ASLEEP, 2);

	for (unsigned int which = 0; which < 5; which++)
		kthread_run(chain_thread, new_job(ENDS_ASLEEP, which), "arg-chain/%u", which);
	INIT_WORK(&work->work, work_chain);
	queue_work(system_unbound_wq, &work->work);
}

static void crash(void)
{
	unsigned int other;

	get_cpu();
	other = cpumask_any_but(cpu_online_mask, smp_processor_id());
	if (other < nr_cpu_ids) {
		smp_call_function_single(other, on_other_cpu, new_job(ENDS_SPINNING, 2), 0);
		while (!READ_ONCE(spinning))
			cpu_relax();
	}
	run_chain(new_order(ENDS_FAULTING), 0);
	put_cpu();
}

/* First the probes, then the chains that sleep, then the crash. */
static void next_step(void)
{
	static void (*const steps[])(void) = { start_probes, start_chains, crash };
	static unsigned int step;

	if (step < ARRAY_SIZE(steps))
		steps[step++]();
}

TRIGGER(next_step, "lab: known arguments");
