/*
 * Lists objects of kmalloc caches whose type is known here, in /sys/kernel/debug/lab_typed: "ADDRESS TYPE ORIGIN", a line each. They are
 * what the kernel itself allocated in its ordinary work, found by walking from variables and tasks along typed members; some we make
 * ourselves by the kernel's functions. Origin "pair": two structures end to end in one object, "TYPE+OFFSET" each. Origin "leftover": the
 * head of an sk_buff in whose memory the type had lain before.
 */
#include <linux/cdev.h>
#include <linux/cgroup.h>
#include <linux/debugfs.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/if_ether.h>
#include <linux/inetdevice.h>
#include <linux/interrupt.h>
#include <linux/ip.h>
#include <linux/ipc_namespace.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/kprobes.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/pci.h>
#include <linux/pipe_fs_i.h>
#include <linux/platform_device.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/version.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "trigger.h"

#define NOIPA __attribute__((noipa))

enum { OBJECTS_MAX = 1024, EACH_MAX = 12 };

struct object {
	const void *address;
	const char *type, *origin;
};

static struct object objects[OBJECTS_MAX];
static unsigned int count;

static unsigned long (*lookup)(const char *name);

static void *symbol(const char *name)
{
	return (void *)lookup(name);
}

static void note(const void *address, const char *type, const char *origin)
{
	unsigned int same = 0;

	if (IS_ERR_OR_NULL(address) || !virt_addr_valid(address) || count == OBJECTS_MAX)
		return;
	if (!folio_test_slab(virt_to_folio(address)))
		return;
	for (unsigned int i = 0; i < count; i++) {
		if (objects[i].address == address)
			return;
		same += !strcmp(objects[i].type, type);
	}
	if (same < EACH_MAX)
		objects[count++] = (struct object){ address, type, origin };
}

/* --- Devices --- */

static void note_device(struct device *dev)
{
	char release[64];

	note(dev->p, "device_private", "device");
	if (dev->driver)
		note(dev->driver->p, "driver_private", "device");
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
	if (dev->bus)
		note(dev->bus->p, "subsys_private", "device");
	if (dev->class)
		note(dev->class->p, "subsys_private", "device");
#endif
	note(dev->power.wakeup, "wakeup_source", "device");
	note(dev->power.subsys_data, "pm_subsys_data", "device");
	note(dev->kobj.kset, "kset", "device");
	if (dev->bus && !strcmp(dev->bus->name, "pci")) {
		struct pci_dev *pci = to_pci_dev(dev);
		note(pci, "pci_dev", "device");
		note(pci->bus, "pci_bus", "device");
		if (pci->bus)
			note(pci->bus->bridge ? container_of(pci->bus->bridge, struct pci_host_bridge, dev) : NULL,
			     "pci_host_bridge", "device");
		return;
	}
	snprintf(release, sizeof(release), "%ps", dev->release ? dev->release : dev->type ? dev->type->release : NULL);
	if (!strcmp(release, "platform_device_release"))
		note(to_platform_device(dev), "platform_object", "device");
	else if (!strcmp(release, "device_create_release"))
		note(dev, "device", "device");
}

static void walk_devices(void)
{
	struct kset **all = symbol("devices_kset");
	struct kobject *kobj;

	if (!all || !*all)
		return;
	spin_lock(&(*all)->list_lock);
	list_for_each_entry(kobj, &(*all)->list, entry)
		note_device(container_of(kobj, struct device, kobj));
	spin_unlock(&(*all)->list_lock);
}

static void note_resources(struct resource *parent, int depth)
{
	for (struct resource *r = parent->child; r && depth < 4; r = r->sibling) {
		note(r, "resource", "resource tree");
		note_resources(r, depth + 1);
	}
}

static void walk_lists(void)
{
	static const char *const kobjects[] = { "kernel_kobj", "mm_kobj", "fs_kobj", "power_kobj", "firmware_kobj", "hypervisor_kobj" };
	static const char *const ksets[] = { "module_kset", "bus_kset", "class_kset", "system_kset", "iommu_group_kset", "slab_kset" };
	struct irq_desc *(*to_desc)(unsigned int) = symbol("irq_to_desc");
	struct list_head *all, *at;

	for (int i = 0; i < ARRAY_SIZE(kobjects); i++) {
		struct kobject **kobj = symbol(kobjects[i]);
		note(kobj ? *kobj : NULL, "kobject", "variable");
	}
	for (int i = 0; i < ARRAY_SIZE(ksets); i++) {
		struct kset **kset = symbol(ksets[i]);
		note(kset ? *kset : NULL, "kset", "variable");
	}
	all = symbol("workqueues"); /* workqueue_struct.list is its second member, kernel/workqueue.c */
	if (all) {
		list_for_each(at, all)
			note((char *)at - sizeof(struct list_head), "workqueue_struct", "workqueues");
	}
	all = symbol("super_blocks");
	if (all) {
		list_for_each(at, all) {
			struct super_block *sb = container_of(at, struct super_block, s_list);
			note(sb, "super_block", "super_blocks");
			note(sb->s_bdi, "backing_dev_info", "super_blocks");
		}
	}
	all = symbol("tty_drivers");
	if (all) {
		list_for_each(at, all)
			note(container_of(at, struct tty_driver, tty_drivers), "tty_driver", "tty_drivers");
	}
	for (unsigned int i = 0; i < 256 && to_desc; i++) {
		struct irq_desc *desc = to_desc(i);
		note(desc, "irq_desc", "interrupts");
		note(desc ? desc->action : NULL, "irqaction", "interrupts");
	}
	note_resources(&iomem_resource, 0);
	note_resources(&ioport_resource, 0);
}

/* --- The network --- */

static void walk_network(void)
{
	struct net_device *dev;
	struct net *net;

	rcu_read_lock();
	for_each_net_rcu(net) {
		for_each_netdev_rcu(net, dev) {
			struct in_device *in = __in_dev_get_rcu(dev);
			note(dev, "net_device", "network");
			note(in, "in_device", "network");
			note(in ? in->ifa_list : NULL, "in_ifaddr", "network");
			note(rcu_dereference(dev->ip6_ptr), "inet6_dev", "network");
			note(rcu_dereference(dev->qdisc), "Qdisc", "network");
		}
	}
	rcu_read_unlock();
}

/* --- Files and tasks --- */

static void note_file(struct file *file)
{
	static const struct {
		const char *name, *type;
	} kinds[] = {
		{ "[eventfd]", "eventfd_ctx" }, { "[timerfd]", "timerfd_ctx" }, { "[eventpoll]", "eventpoll" }, { "inotify", "fsnotify_group" },
	};
	const char *name = file->f_path.dentry->d_name.name;

	if (S_ISFIFO(file_inode(file)->i_mode))
		note(file_inode(file)->i_pipe, "pipe_inode_info", "file");
	for (int i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(name, kinds[i].name) || (!strcmp(kinds[i].name, "inotify") && !strcmp(name, "[inotify]")))
			note(file->private_data, kinds[i].type, "file");
	}
	if (S_ISSOCK(file_inode(file)->i_mode)) {
		struct socket *sock = sock_from_file(file);
		if (sock && sock->sk && sock->sk->sk_family == AF_NETLINK)
			note(sock->sk, "netlink_sock", "socket");
		if (sock && sock->sk && sock->sk->sk_family == AF_PACKET)
			note(sock->sk, "packet_sock", "socket");
	}
	if (!strcmp(name, "maps"))
		note(((struct seq_file *)file->private_data)->private, "proc_maps_private", "file");
	if (!strcmp(name, "mounts"))
		note(((struct seq_file *)file->private_data)->private, "proc_mounts", "file");
}

static void note_ipc(struct ipc_namespace *ns)
{
	static const char *const types[] = { "sem_array", "msg_queue", "shmid_kernel" };
	void *entry;
	int id;

	note(ns, "ipc_namespace", "task");
	for (int i = 0; i < 3; i++)
		idr_for_each_entry(&ns->ids[i].ipcs_idr, entry, id)
			note(entry, types[i], "ipc");
}

static void note_task(struct task_struct *task)
{
	note(task->stack_vm_area, "vm_struct", "task");
	if (task->flags & PF_KTHREAD)
		note(task->worker_private, "kthread", "task");
	note(rcu_access_pointer(task->cgroups), "css_set", "task");
	note(rcu_access_pointer(task->cgroups)->dfl_cgrp, "cgroup", "task");
	note(task->signal->tty, "tty_struct", "task");
	note(task_cred_xxx(task, group_info), "group_info", "task");
	if (!thread_group_leader(task))
		return;
	task_lock(task);
	if (task->nsproxy) {
		note(task->nsproxy->mnt_ns, "mnt_namespace", "task");
		note(task->nsproxy->cgroup_ns, "cgroup_namespace", "task");
		note_ipc(task->nsproxy->ipc_ns);
	}
	if (task->files) {
		struct fdtable *table = rcu_dereference(task->files->fdt);
		if (table != &task->files->fdtab)
			note(table, "fdtable", "task");
		for (unsigned int fd = 0; fd < table->max_fds; fd++) {
			struct file *file = rcu_dereference(table->fd[fd]);
			if (file)
				note_file(file);
		}
	}
	task_unlock(task);
}

static void walk_tasks(void)
{
	struct task_struct *leader, *task;

	rcu_read_lock();
	for_each_process_thread(leader, task)
		note_task(task);
	rcu_read_unlock();
}

/* --- Of our own making --- */

static void typed_work(struct work_struct *work)
{
}

static void typed_timer(struct timer_list *timer)
{
}

static void typed_release(struct device *dev)
{
}

static const struct file_operations device_fops = { .owner = THIS_MODULE, .llseek = noop_llseek };

static struct device *make_device(void *memory, int i)
{
	struct device *dev = memory;

	device_initialize(dev);
	dev->release = typed_release;
	dev_set_name(dev, "typed%d", i);
	return dev;
}

/* Two structures end to end in an object of kmalloc-1k, as requests are with what drivers keep behind them. */
static void make_pair(int i)
{
	size_t first = i & 1 ? sizeof(struct delayed_work) : sizeof(struct cdev);
	void *pair = kzalloc(first + sizeof(struct device), GFP_KERNEL);

	if (i & 1) {
		INIT_DELAYED_WORK((struct delayed_work *)pair, typed_work);
		schedule_delayed_work(pair, 3600 * HZ);
	} else {
		cdev_init(pair, &device_fops);
	}
	make_device(pair + first, i);
	if (count < OBJECTS_MAX)
		objects[count++] = (struct object){
			pair, kasprintf(GFP_KERNEL, "%s+0,device+%zu", i & 1 ? "delayed_work" : "cdev", first), "pair"
		};
}

static NOIPA void typed_make(void)
{
	for (int i = 0; i < 8; i++) {
		struct delayed_work *work = kzalloc(sizeof(*work), GFP_KERNEL);
		struct cdev *cdev = cdev_alloc();
		struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

		INIT_DELAYED_WORK(work, typed_work);
		schedule_delayed_work(work, 3600 * HZ);
		note(work, "delayed_work", "ours");
		cdev->ops = &device_fops;
		cdev->owner = THIS_MODULE;
		note(cdev, "cdev", "ours");
		timer_setup(timer, typed_timer, 0);
		mod_timer(timer, jiffies + 3600 * HZ);
		note(timer, "timer_list", "ours");
		note(alloc_workqueue("typed%d", 0, 0, i), "workqueue_struct", "ours");
		make_pair(i);
	}
}

/* A freed device of kmalloc-1k, and then the head of an sk_buff in its place. */
static NOIPA void typed_leftover(void)
{
	unsigned int made = 0;

	for (int i = 0; i < 64 && made < 8; i++) {
		struct device *dev = kzalloc(max_t(size_t, sizeof(*dev), 900), GFP_KERNEL);
		struct sk_buff *skb;

		make_device(dev, 100 + i);
		dev->driver_data = objects;
		preempt_disable();
		kfree(dev);
		skb = alloc_skb(1000 - SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) - 8, GFP_ATOMIC);
		preempt_enable();
		if (!skb || skb->head != (void *)dev)
			continue; /* they are kept: the next one gets other memory */
		skb_reserve(skb, 2);
		skb_put_data(skb, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0\x45\0\0\x28\0\1\0\0\x40\6\0\0\x7f\0\0\1\x7f\0\0\1\x1f\x90\0\x50", 38);
		objects[count++] = (struct object){ dev, "device", "leftover" };
		made++;
	}
}

static int typed_show(struct seq_file *file, void *unused)
{
	for (unsigned int i = 0; i < count; i++)
		seq_printf(file, "typed: %px %s %s\n", objects[i].address, objects[i].type, objects[i].origin);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(typed);

static int prepare_set(const char *value, const struct kernel_param *parameter)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };

	if (register_kprobe(&probe))
		return -ENOENT;
	lookup = (void *)probe.addr;
	unregister_kprobe(&probe);
	walk_devices();
	walk_lists();
	walk_network();
	walk_tasks();
	typed_make();
	typed_leftover();
	debugfs_create_file("lab_typed", 0400, NULL, NULL, &typed_fops);
	return 0;
}

static NOIPA void typed_end(void)
{
	panic("lab: all types are in place");
}

static const struct kernel_param_ops prepare_ops = { .set = prepare_set };
module_param_cb(prepare, &prepare_ops, NULL, 0200);
TRIGGER(typed_end, "Objects of known types in caches of no type");
