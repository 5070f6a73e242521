/*
 * The kernel's part of the crowd: threads asleep in each way there is, and a device whose ioctls put the calling user thread to sleep
 * uninterruptibly or keep it busy in the kernel.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/wait.h>

enum crowd_command { CROWD_WAIT = 0x4301, CROWD_LOCK = 0x4302, CROWD_SPIN = 0x4303 };

static DECLARE_WAIT_QUEUE_HEAD(never);
static DEFINE_MUTEX(crowd_lock);
static struct completion never_done;

static int sleep_interruptible(void *unused)
{
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ * 1000);
	return 0;
}

static int sleep_in_queue(void *unused)
{
	wait_event_interruptible(never, false);
	return 0;
}

static int sleep_idle(void *unused)
{
	wait_event_idle(never, false);
	return 0;
}

static int sleep_uninterruptible(void *unused)
{
	wait_for_completion(&never_done);
	return 0;
}

static int keep_lock(void *unused)
{
	mutex_lock(&crowd_lock);
	wait_event_interruptible(never, false);
	mutex_unlock(&crowd_lock);
	return 0;
}

static int wait_lock(void *unused)
{
	mutex_lock(&crowd_lock);
	mutex_unlock(&crowd_lock);
	return 0;
}

static const struct {
	int (*function)(void *);
	const char *name;
	int count;
} crowd[] = {
	{ keep_lock, "crowd-keeper", 1 },
	{ sleep_interruptible, "crowd-sleep", 20 },
	{ sleep_in_queue, "crowd-queue", 15 },
	{ sleep_idle, "crowd-idle", 5 },
	{ sleep_uninterruptible, "crowd-unint", 6 },
	{ wait_lock, "crowd-lock", 4 },
};

static noinline long crowd_spin(void)
{
	while (!fatal_signal_pending(current)) {
		udelay(10);
		cond_resched();
	}
	return -EINTR;
}

static noinline long crowd_wait(void)
{
	wait_event(never, false);
	return 0;
}

static noinline long crowd_take_lock(void)
{
	mutex_lock(&crowd_lock);
	mutex_unlock(&crowd_lock);
	return 0;
}

static long crowd_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	switch (command) {
	case CROWD_WAIT:
		return crowd_wait();
	case CROWD_LOCK:
		return crowd_take_lock();
	case CROWD_SPIN:
		return crowd_spin();
	}
	return -ENOTTY;
}

static const struct file_operations crowd_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = crowd_ioctl,
};

static struct miscdevice crowd_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "crowd",
	.fops = &crowd_fops,
};

static int __init crowd_init(void)
{
	init_completion(&never_done);
	for (int i = 0; i < ARRAY_SIZE(crowd); i++) {
		for (int j = 0; j < crowd[i].count; j++)
			kthread_run(crowd[i].function, NULL, "%s/%d", crowd[i].name, j);
		msleep(20); /* the keeper must have the lock before the others want it */
	}
	return misc_register(&crowd_device);
}

module_init(crowd_init);
MODULE_DESCRIPTION("lab: kernel threads in all states");
MODULE_LICENSE("GPL");
