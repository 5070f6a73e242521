/*
 * Threads in waiting rooms that few machines fill: a kernel rt_mutex, an SRCU domain, the RCU of tasks, the mmap_lock of a process, an inode that is being made and one that is
 * being freed, a whole work queue, a frozen request queue. Each room has one who lets nobody on, and others who wait for that.
 */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/mutex.h>
#include <linux/pseudo_fs.h>
#include <linux/rtmutex.h>
#include <linux/sched.h>
#include <linux/srcu.h>
#include <linux/workqueue.h>

#include "trigger.h"

#define INODE_MADE  4711
#define INODE_FREED 4712

static DEFINE_RT_MUTEX(scales);
static DEFINE_MUTEX(ledger);
static struct workqueue_struct *clerks;
static struct vfsmount *cellar;

static void sleep_for_ever(void)
{
	for (;;)
		schedule_timeout_interruptible(HZ * 100);
}

static void known(const char *name, const void *address)
{
	pr_info("known %s %px\n", name, address);
}

static noinline int weigh(void *first)
{
	rt_mutex_lock(&scales);
	if (first)
		sleep_for_ever();
	rt_mutex_unlock(&scales);
	return 0;
}

/* --- SRCU, and the RCU of tasks. --- */

DEFINE_STATIC_SRCU(shelf);

static noinline int look_at_shelf(void *unused)
{
	int index = srcu_read_lock(&shelf);

	sleep_for_ever();
	srcu_read_unlock(&shelf, index);
	return 0;
}

static noinline int clear_shelf(void *unused)
{
	synchronize_srcu(&shelf);
	return 0;
}

#ifdef CONFIG_TASKS_RCU
/* Others may run, but it never goes to sleep. */
static noinline int never_rest(void *unused)
{
	for (;;)
		cond_resched();
	return 0;
}

static noinline int wait_for_rest(void *unused)
{
	synchronize_rcu_tasks();
	return 0;
}
#endif

/* --- Inodes. --- */

static void cellar_evict(struct inode *inode)
{
	if (inode->i_ino == INODE_FREED)
		sleep_for_ever();
	clear_inode(inode);
}

static const struct super_operations cellar_ops = { .evict_inode = cellar_evict, .statfs = simple_statfs, .drop_inode = generic_delete_inode };

static int cellar_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, 0x0ce11a4);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &cellar_ops;
	return 0;
}

static struct file_system_type cellar_type = { .name = "cellarfs", .init_fs_context = cellar_context, .kill_sb = kill_anon_super };

static noinline int fetch_inode(void *number)
{
	struct inode *inode = iget_locked(cellar->mnt_sb, (unsigned long)number);

	if (inode && (unsigned long)number == INODE_MADE)
		known("made", inode);
	/* Who makes it never says that it is made. */
	if (inode && (unsigned long)number == INODE_MADE)
		sleep_for_ever();
	return 0;
}

static noinline int drop_inode(void *inode)
{
	iput(inode);
	return 0;
}

/* --- A work queue. --- */

static int bookkeeper(void *unused)
{
	mutex_lock(&ledger);
	sleep_for_ever();
	mutex_unlock(&ledger);
	return 0;
}

static void book(struct work_struct *work)
{
	mutex_lock(&ledger);
	mutex_unlock(&ledger);
}

static DECLARE_WORK(booking, book);

static noinline int close_the_books(void *unused)
{
	queue_work(clerks, &booking);
	flush_workqueue(clerks);
	return 0;
}

/* --- In the context of who writes to the parameters. --- */

static int hold_mm(const char *value, const struct kernel_param *parameter)
{
	mmap_write_lock(current->mm);
	known("mmap_lock", &current->mm->mmap_lock);
	sleep_for_ever();
	mmap_write_unlock(current->mm);
	return 0;
}

static int freeze_queue(const char *value, const struct kernel_param *parameter)
{
	struct file *file = filp_open(strim((char *)value), O_RDONLY, 0);

	if (IS_ERR(file))
		return PTR_ERR(file);
	known("queue", bdev_get_queue(I_BDEV(file->f_mapping->host)));
	blk_mq_freeze_queue(bdev_get_queue(I_BDEV(file->f_mapping->host)));
	return 0;
}

static const struct kernel_param_ops hold_ops = { .set = hold_mm }, freeze_ops = { .set = freeze_queue };
module_param_cb(hold_mm, &hold_ops, NULL, 0200);
module_param_cb(freeze_queue, &freeze_ops, NULL, 0200);

static void start(void)
{
	struct inode *inode;

	clerks = alloc_workqueue("clerks", 0, 0);
	cellar = kern_mount(&cellar_type);
	if (!clerks || IS_ERR(cellar))
		return;
	known("scales", &scales);
	known("clerks", clerks);
	kthread_run(weigh, &scales, "scales/0");
	schedule_timeout_uninterruptible(HZ / 5);
	kthread_run(weigh, NULL, "scales/1");
	kthread_run(weigh, NULL, "scales/2");

	known("shelf", &shelf);
	kthread_run(look_at_shelf, NULL, "shelf/0");
	schedule_timeout_uninterruptible(HZ / 5);
	kthread_run(clear_shelf, NULL, "shelf/1");
#ifdef CONFIG_TASKS_RCU
	kthread_run(never_rest, NULL, "restless/0");
	kthread_run(wait_for_rest, NULL, "restless/1");
#endif

	kthread_run(fetch_inode, (void *)INODE_MADE, "made/0");
	schedule_timeout_uninterruptible(HZ / 5);
	kthread_run(fetch_inode, (void *)INODE_MADE, "made/1");

	inode = iget_locked(cellar->mnt_sb, INODE_FREED);
	known("freed", inode);
	unlock_new_inode(inode);
	kthread_run(drop_inode, inode, "freed/0");
	schedule_timeout_uninterruptible(HZ / 5);
	kthread_run(fetch_inode, (void *)INODE_FREED, "freed/1");

	kthread_run(bookkeeper, NULL, "bookkeeper");
	schedule_timeout_uninterruptible(HZ / 5);
	kthread_run(close_the_books, NULL, "closer");
}

TRIGGER(start, "lab: rooms in which others wait for one");
