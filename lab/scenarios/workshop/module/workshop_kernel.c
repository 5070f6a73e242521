/*
 * The workshop's kernel part: wait queues of several sorts with known waiters, timers, hrtimers and delayed works far in the future, lines
 * of the log with a device and of several levels. /sys/module/workshop_kernel/parameters/report tells where all of it is: kind, name,
 * address, and for timers the function's name, when it expires (jiffies or ns) and on which CPU it was started (-1: any).
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/swait.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct stall {
	char name[16];
	u64 magic;
	wait_queue_head_t queue;
	struct swait_queue_head simple;
	struct completion done;
	struct timer_list timer;
	struct delayed_work work;
};

static DECLARE_WAIT_QUEUE_HEAD(workshop_bench);
static DECLARE_WAIT_QUEUE_HEAD(workshop_empty);
static DECLARE_SWAIT_QUEUE_HEAD(workshop_simple);
static struct stall *stall;
static struct task_struct *waiters[16];
static int waiter_count;
static struct timer_list plain_timer, pinned_timer, deferrable_timer;
static struct delayed_work late_work;
static struct hrtimer monotonic_timer, real_timer, boot_timer, soft_timer;

static int wait_bench(void *unused)
{
	wait_event(workshop_bench, READ_ONCE(stall) == NULL);
	return 0;
}

static int wait_exclusive(void *unused)
{
	return wait_event_interruptible_exclusive(workshop_bench, READ_ONCE(stall) == NULL);
}

static int wait_stall(void *unused)
{
	return wait_event_interruptible(stall->queue, READ_ONCE(stall) == NULL);
}

static int wait_simple(void *unused)
{
	swait_event_exclusive(workshop_simple, READ_ONCE(stall) == NULL);
	return 0;
}

static int wait_stall_simple(void *unused)
{
	return swait_event_interruptible_exclusive(stall->simple, READ_ONCE(stall) == NULL);
}

static int wait_done(void *unused)
{
	wait_for_completion(&stall->done);
	return 0;
}

/* On two queues at once. */
static int wait_both(void *unused)
{
	DEFINE_WAIT(first);
	DEFINE_WAIT(second);

	prepare_to_wait(&workshop_bench, &first, TASK_IDLE);
	prepare_to_wait(&stall->queue, &second, TASK_IDLE);
	schedule();
	finish_wait(&workshop_bench, &first);
	finish_wait(&stall->queue, &second);
	return 0;
}

static const struct {
	int (*function)(void *);
	const char *name;
} people[] = {
	{ wait_bench, "bench/0" }, { wait_bench, "bench/1" }, { wait_exclusive, "bench/2" }, { wait_both, "both" }, { wait_stall, "stall/0" },
	{ wait_stall, "stall/1" }, { wait_simple, "simple/0" }, { wait_simple, "simple/1" }, { wait_stall_simple, "stall-simple" },
	{ wait_done, "done/0" },
};

static void workshop_tick(struct timer_list *timer)
{
}

static void workshop_tock(struct timer_list *timer)
{
}

static void workshop_do(struct work_struct *work)
{
}

static enum hrtimer_restart workshop_ring(struct hrtimer *timer)
{
	return HRTIMER_NORESTART;
}

static void start_timers(void)
{
	timer_setup(&plain_timer, workshop_tick, 0);
	mod_timer(&plain_timer, jiffies + 1000 * HZ);
	timer_setup(&pinned_timer, workshop_tock, TIMER_PINNED);
	pinned_timer.expires = jiffies + 2000 * HZ;
	add_timer_on(&pinned_timer, num_online_cpus() - 1);
	timer_setup(&deferrable_timer, workshop_tick, TIMER_DEFERRABLE);
	mod_timer(&deferrable_timer, jiffies + 3000 * HZ);
	timer_setup(&stall->timer, workshop_tock, 0);
	mod_timer(&stall->timer, jiffies + 200 * HZ);
	INIT_DELAYED_WORK(&late_work, workshop_do);
	schedule_delayed_work(&late_work, 4000 * HZ);
	INIT_DELAYED_WORK(&stall->work, workshop_do);
	schedule_delayed_work_on(num_online_cpus() - 1, &stall->work, 5000 * HZ);
}

static void start_hrtimer(struct hrtimer *timer, clockid_t clock, enum hrtimer_mode mode, u64 seconds)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, workshop_ring, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = workshop_ring;
#endif
	hrtimer_start_range_ns(timer, ns_to_ktime(seconds * NSEC_PER_SEC), 50 * NSEC_PER_MSEC, mode);
}

static int report_timer(char *buffer, int length, const char *name, struct timer_list *timer, const char *function, int cpu)
{
	return length + sysfs_emit_at(buffer, length, "timer\t%s\t%px\t%s\t%lu\t%d\n", name, timer, function, timer->expires, cpu);
}

static int report_hrtimer(char *buffer, int length, const char *name, struct hrtimer *timer)
{
	return length + sysfs_emit_at(buffer, length, "hrtimer\t%s\t%px\tworkshop_ring\t%lld\t%lld\n", name, timer,
				      ktime_to_ns(hrtimer_get_softexpires(timer)), ktime_to_ns(hrtimer_get_expires(timer)));
}

static int report_get(char *buffer, const struct kernel_param *parameter)
{
	int length = 0, last = num_online_cpus() - 1;

	length += sysfs_emit_at(buffer, length, "queue\tworkshop_bench\t%px\n", &workshop_bench);
	length += sysfs_emit_at(buffer, length, "queue\tworkshop_empty\t%px\n", &workshop_empty);
	length += sysfs_emit_at(buffer, length, "simple\tworkshop_simple\t%px\n", &workshop_simple);
	length += sysfs_emit_at(buffer, length, "stall\tstall\t%px\n", stall);
	length += sysfs_emit_at(buffer, length, "queue\tstall.queue\t%px\n", &stall->queue);
	length += sysfs_emit_at(buffer, length, "simple\tstall.simple\t%px\n", &stall->simple);
	length += sysfs_emit_at(buffer, length, "completion\tstall.done\t%px\n", &stall->done);
	for (int i = 0; i < waiter_count; i++)
		length += sysfs_emit_at(buffer, length, "waiter\t%s\t%px\t%d\n", waiters[i]->comm, waiters[i], waiters[i]->pid);
	length = report_timer(buffer, length, "plain", &plain_timer, "workshop_tick", -1);
	length = report_timer(buffer, length, "pinned", &pinned_timer, "workshop_tock", last);
	length = report_timer(buffer, length, "deferrable", &deferrable_timer, "workshop_tick", -1);
	length = report_timer(buffer, length, "stall", &stall->timer, "workshop_tock", -1);
	length = report_timer(buffer, length, "late-work", &late_work.timer, "delayed_work_timer_fn", -1);
	length = report_timer(buffer, length, "stall-work", &stall->work.timer, "delayed_work_timer_fn", last);
	length = report_hrtimer(buffer, length, "monotonic", &monotonic_timer);
	length = report_hrtimer(buffer, length, "real", &real_timer);
	length = report_hrtimer(buffer, length, "boot", &boot_timer);
	length = report_hrtimer(buffer, length, "soft", &soft_timer);
	length += sysfs_emit_at(buffer, length, "jiffies\tjiffies\t%lu\nhz\thz\t%d\n", jiffies, HZ);
	return length;
}

static const struct kernel_param_ops report_ops = { .get = report_get };
module_param_cb(report, &report_ops, NULL, 0400);

static int __init workshop_init(void)
{
	struct platform_device *device;

	stall = kzalloc(sizeof(*stall), GFP_KERNEL);
	if (!stall)
		return -ENOMEM;
	strscpy(stall->name, "the stall", sizeof(stall->name));
	stall->magic = 0x5741524b53484f50;
	init_waitqueue_head(&stall->queue);
	init_swait_queue_head(&stall->simple);
	init_completion(&stall->done);
	start_timers();
	start_hrtimer(&monotonic_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL, 6000);
	start_hrtimer(&real_timer, CLOCK_REALTIME, HRTIMER_MODE_REL, 7000);
	start_hrtimer(&boot_timer, CLOCK_BOOTTIME, HRTIMER_MODE_REL, 8000);
	start_hrtimer(&soft_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT, 9000);
	for (int i = 0; i < ARRAY_SIZE(people); i++) {
		struct task_struct *task = kthread_run(people[i].function, NULL, "%s", people[i].name);

		if (!IS_ERR(task))
			waiters[waiter_count++] = task;
		msleep(20);
	}
	device = platform_device_register_simple("workshop", 7, NULL, 0);
	if (!IS_ERR(device))
		dev_warn(&device->dev, "a line of a device\n");
	pr_emerg("workshop: a line of level 0\n");
	pr_debug("workshop: never printed\n");
	printk(KERN_DEBUG "workshop: a line of level 7\n");
	pr_notice("workshop: two lines,\nof one message\n");
	pr_info("workshop: a name of Rust, _RNvCs1234_7mycrate3foo, and one of old, _ZN4core3fmt9Formatter3pad17h0123456789abcdefE\n");
	pr_info("workshop: in parts:");
	pr_cont(" first");
	pr_cont(" second\n");
	return 0;
}
module_init(workshop_init);
MODULE_DESCRIPTION("wait queues and timers with known contents");
MODULE_VERSION("3.14");
MODULE_LICENSE("GPL");
