/*
 * Prints addresses of known nature: "place: NAME 0xADDRESS WORDS", where words are key=value, the truth for tests of what an address
 * is. Everything is made beforehand and told by the trigger, in the last moment before the panic.
 */
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/fs_struct.h>
#include <linux/file.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/kfence.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/net.h>
#include <linux/pagemap.h>
#include <linux/percpu.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/version.h>
#include <linux/utsname.h>
#include <linux/vmalloc.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <asm/processor.h>

#include <linux/module.h>
#include <linux/moduleparam.h>

#define NOIPA __attribute__((noipa))
#define SAY(name, address, words, ...) pr_info("place: %s 0x%px " words "\n", name, (const void *)(address), ##__VA_ARGS__)

struct parts {
	u64 first;
	struct {
		u32 second;
		u32 third[5];
	} inner;
};

static struct parts places_data = { .first = 1 };
static char places_bss[300];
static const char places_rodata[64] = "constant";
static DEFINE_PER_CPU(struct parts, places_percpu);
static struct parts __percpu *dynamic;
static u64 sink;

/* --- A thread that sleeps deep in known functions. --- */

static struct task_struct *sleeper;

static NOIPA int places_inner(char *from_middle)
{
	char buffer[48];

	strscpy(buffer, from_middle, sizeof(buffer));
	SAY("stack-local", buffer, "function=places_inner comm=%s pid=%d size=%zu variable=buffer", current->comm, current->pid, sizeof(buffer));
	while (!kthread_should_stop()) {
		set_current_state(TASK_IDLE);
		schedule();
	}
	return buffer[3];
}

static NOIPA int places_middle(u64 number)
{
	char text[64];
	u64 numbers[4] = { number, number + 1, number + 2, number + 3 };
	int result;

	snprintf(text, sizeof(text), "number %llu", number);
	SAY("stack-local", text + 7, "function=places_middle comm=%s pid=%d variable=text", current->comm, current->pid);
	SAY("stack-local", &numbers[2], "function=places_middle comm=%s pid=%d variable=numbers", current->comm, current->pid);
	result = places_inner(text);
	return result + text[1] + (int)numbers[result & 3];
}

static int places_sleeper(void *data)
{
	struct parts local = { .first = 77 };
	int result;

	SAY("stack-local", &local.inner.third[1], "function=places_sleeper comm=%s pid=%d variable=local", current->comm, current->pid);
	OPTIMIZER_HIDE_VAR(data);
	result = places_middle((u64)data + local.first);
	sink += (u64)&local + (u64)result + local.inner.third[2];
	return 0;
}

/* --- What is made beforehand. --- */

static const unsigned int sizes[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192 };
static void *kmallocs[ARRAY_SIZE(sizes)];
static void *large, *area, *mapped, *guarded;
static void __iomem *device;
static struct page *pages, *mapped_pages[3];
static struct kmem_cache *cache;
static void *cached[8];
static void *fenced, *fence_freed;
static struct sk_buff *skb;
static char said[24][160];
static unsigned int said_count;

static unsigned long user_anonymous, user_shared;
static int file_number, pipe_number, socket_number;

static void *kmalloc_slab(size_t size)
{
	void *p = NULL;

	/* Not one of KFENCE's. */
	for (int i = 0; i < 10; i++) {
		p = kmalloc(size, GFP_KERNEL);
		if (!is_kfence_address(p))
			return p;
	}
	return p;
}

static void *kmalloc_fenced(size_t size)
{
	for (int i = 0; i < 400; i++) {
		void *p = kmalloc(size, GFP_KERNEL);
		if (is_kfence_address(p))
			return p;
		kfree(p);
		msleep(5);
	}
	return NULL;
}

static void constructor(void *object)
{
	memset(object, 0, 8);
}

static void prepare(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		kmallocs[i] = kmalloc_slab(sizes[i]);
	large = kmalloc(100000, GFP_KERNEL);
	area = vmalloc(3 * PAGE_SIZE);
	pages = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	for (int i = 0; i < 3; i++)
		mapped_pages[i] = alloc_page(GFP_KERNEL);
	mapped = vmap(mapped_pages, 3, VM_MAP, PAGE_KERNEL);
	guarded = vmalloc(PAGE_SIZE);
	device = ioremap(0xfed00000, PAGE_SIZE);
	/* The constructor keeps it from being merged with others. */
	cache = kmem_cache_create("places_cache", 136, 0, 0, constructor);
	for (unsigned int i = 0; i < ARRAY_SIZE(cached); i++) {
		do
			cached[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		while (is_kfence_address(cached[i]));
	}
	fenced = kmalloc_fenced(100);
	fence_freed = kmalloc_fenced(100);
	skb = alloc_skb(700, GFP_KERNEL);
	dynamic = alloc_percpu(struct parts);
	sleeper = kthread_run(places_sleeper, (void *)5, "places_sleeper");
}

/* --- What is told. --- */

static void tell_irq_stack(void *told)
{
	u64 local = sink;

	/* An idle CPU that polls runs this without an interrupt: not on the stack that is wanted. */
	if (!in_hardirq())
		return;
	*(bool *)told = true;
	SAY("irq-stack", &local, "cpu=%d", smp_processor_id());
	sink += (u64)&local;
}

static void tell_percpu(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		SAY("percpu-module", &per_cpu_ptr(&places_percpu, cpu)->inner.third[1], "cpu=%d size=%zu offset=16", cpu, sizeof(struct parts));
		SAY("percpu-dynamic", &per_cpu_ptr(dynamic, cpu)->inner.second, "cpu=%d size=%zu offset=8", cpu, sizeof(struct parts));
		SAY("percpu-kernel", &cpu_data(cpu).x86_model_id[3], "cpu=%d symbol=cpu_info member=x86_model_id[3]", cpu);
	}
}

static void tell_symbols(void)
{
	SAY("data", &jiffies, "symbol=jiffies");
	SAY("data", &init_task.comm[2], "symbol=init_task member=comm[2]");
	SAY("data", &init_task.se.vruntime, "symbol=init_task member=se.vruntime");
	SAY("rodata", &_ctype[65], "symbol=_ctype");
	SAY("text", (char *)kernel_read + 5, "symbol=kernel_read");
	SAY("text", (char *)places_inner + 9, "symbol=places_inner module=places");
	SAY("data", &places_data.inner, "symbol=places_data module=places");
	SAY("data", &places_bss[200], "symbol=places_bss module=places");
	SAY("rodata", &places_rodata[5], "symbol=places_rodata module=places");
	SAY("data", &init_net.loopback_dev, "symbol=init_net member=loopback_dev");
	SAY("data", &init_uts_ns.name.release[1], "symbol=init_uts_ns member=name.release[1]");
	SAY("direct-of-image", (char *)__va(__pa_symbol(&init_task)) + 8, "symbol=init_task");
	SAY("module-struct", THIS_MODULE->name, "module=places");
}

static void tell_memory(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		SAY("slab", kmallocs[i], "cache=kmalloc size=%u offset=0 freed=0", sizes[i]);
		SAY("slab", (char *)kmallocs[i] + sizes[i] - 5, "cache=kmalloc size=%u offset=%u freed=0", sizes[i], sizes[i] - 5);
	}
	SAY("large-kmalloc", (char *)large + 70000, "size=131072 offset=70000");
	SAY("vmalloc", (char *)area + 0x1234, "offset=0x1234 size=12288");
	SAY("vmalloc-guard", (char *)guarded + PAGE_SIZE + 8, "-");
	SAY("vmap", (char *)mapped + 0x2010, "offset=0x2010 size=12288");
	SAY("ioremap", (char *)device + 0xf0, "phys=0xfed00000");
	SAY("pages", (char *)page_address(pages) + 0x1003, "order=2 offset=0x1003");
	SAY("page-struct", pages + 3, "pfn=0x%lx", page_to_pfn(pages + 3));
	SAY("direct-of-vmalloc", (char *)page_address(vmalloc_to_page((char *)area + PAGE_SIZE)) + 0x10, "-");
	for (unsigned int i = 0; i < ARRAY_SIZE(cached); i++)
		SAY("slab", (char *)cached[i] + 8, "cache=places_cache size=136 offset=8 freed=%d", i % 3 == 1);
	if (fenced)
		SAY("kfence", (char *)fenced + 4, "size=100 offset=4 freed=0");
	if (fence_freed)
		SAY("kfence", (char *)fence_freed + 4, "size=100 offset=4 freed=1");
	SAY("slab", &skb->len, "type=sk_buff member=len freed=0");
	SAY("skb-head", skb->head + 10, "offset=10");
}

static void tell_process(void)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma = find_vma(mm, user_anonymous);
	pgd_t *pgd = pgd_offset(mm, user_anonymous);
	p4d_t *p4d = p4d_offset(pgd, user_anonymous);
	pud_t *pud = pud_offset(p4d, user_anonymous);
	pmd_t *pmd = pmd_offset(pud, user_anonymous);
	struct page *page;

	SAY("slab", &current->comm, "type=task_struct member=comm who=resident freed=0");
	SAY("slab", &sleeper->pid, "type=task_struct member=pid who=places_sleeper freed=0");
	SAY("slab", &mm->mmap_lock, "type=mm_struct freed=0");
	SAY("slab", &vma->vm_mm, "type=vm_area_struct member=vm_mm freed=0");
	SAY("slab", &current_cred()->fsuid, "type=cred member=fsuid freed=0");
	SAY("slab", current->files, "type=files_struct freed=0");
	SAY("slab", &current->fs->pwd, "type=fs_struct member=pwd freed=0");
	SAY("slab", &current->signal->group_exit_code, "type=signal_struct member=group_exit_code freed=0");
	SAY("slab", &current->sighand->siglock, "type=sighand_struct freed=0");
	SAY("slab", &task_pid(current)->level, "type=pid member=level freed=0");
	SAY("slab", &vma->vm_page_prot, "type=vm_area_struct member=vm_page_prot freed=0");
	SAY("page-table", mm->pgd, "level=pgd");
	SAY("page-table", pmd_page_vaddr(*pmd) + 8, "level=pte");
	if (get_user_pages_fast(user_anonymous, 1, 0, &page) == 1)
		SAY("anonymous-page", (char *)page_address(page) + 0x123, "virtual=0x%lx comm=resident", user_anonymous);
	if (get_user_pages_fast(user_shared, 1, 0, &page) == 1)
		SAY("file-page", (char *)page_address(page) + 0x44, "path=/tmp/places-file offset=0x3044");
}

static void tell_files(void)
{
	struct file *file = fget(file_number), *pipe = fget(pipe_number);
	int err;
	struct socket *socket = sockfd_lookup(socket_number, &err);

	SAY("slab", &file->f_pos, "type=file member=f_pos freed=0");
	SAY("slab", file->f_path.dentry, "type=dentry freed=0");
	SAY("slab", &file->f_path.dentry->d_parent, "type=dentry member=d_parent freed=0");
	SAY("slab", &file->f_path.mnt->mnt_sb, "type=mount freed=0");
	SAY("slab", &file_inode(file)->i_size, "type=inode member=i_size freed=0");
	if (pipe) {
		struct pipe_inode_info *info = pipe->private_data;
		SAY("slab", info, "cache=kmalloc freed=0");
		SAY("page-of-pipe", (char *)page_address(info->bufs[info->tail & (info->ring_size - 1)].page) + 2, "-");
	}
	if (socket) {
		struct sk_filter *filter;
		SAY("slab", &socket->ops, "type=socket freed=0");
		SAY("slab", &socket->sk->sk_rcvbuf, "type=unix_sock freed=0");
		rcu_read_lock();
		filter = rcu_dereference(socket->sk->sk_filter);
		if (filter)
			SAY("bpf", (char *)filter->prog->bpf_func + 1, "name=lab_filter");
		rcu_read_unlock();
	}
}

static NOIPA void places_tell_all(void)
{
	u64 here = sink;
	int cpu;

	for (unsigned int i = 0; i < said_count; i++)
		pr_info("place: %s\n", said[i]);
	tell_symbols();
	tell_percpu();
	tell_memory();
	tell_process();
	tell_files();
	for_each_online_cpu(cpu) {
		bool told = cpu == raw_smp_processor_id();
		for (int i = 0; !told && i < 100; i++)
			smp_call_function_single(cpu, tell_irq_stack, &told, 1);
	}
	SAY("stack-local", &here, "function=places_tell_all comm=%s pid=%d variable=here", current->comm, current->pid);
	SAY("stack-end", end_of_stack(sleeper), "comm=places_sleeper pid=%d", sleeper->pid);
	SAY("stack-below", (char *)task_stack_page(sleeper) - 8, "comm=places_sleeper pid=%d", sleeper->pid);
	SAY("stack-stale", (char *)task_stack_page(sleeper) + 128, "comm=places_sleeper pid=%d", sleeper->pid);
	SAY("stack-pt-regs", &task_pt_regs(current)->ip, "comm=%s pid=%d register=rip", current->comm, current->pid);
	SAY("stack-pt-regs", &task_pt_regs(current)->di, "comm=%s pid=%d register=rdi", current->comm, current->pid);
	local_irq_disable();
	for (unsigned int i = 0; i < ARRAY_SIZE(cached); i++) {
		if (i % 3 == 1)
			kmem_cache_free(cache, cached[i]);
	}
	/* The pool is small: what was freed earlier would be in use again. */
	if (fence_freed)
		kfree(fence_freed);
	sink += (u64)&here;
	panic("lab: all places are told");
}

/* --- From the process. --- */

static int say_set(const char *value, const struct kernel_param *parameter)
{
	if (said_count < ARRAY_SIZE(said))
		strscpy(said[said_count++], value, sizeof(said[0]));
	return 0;
}

static int resident_set(const char *value, const struct kernel_param *parameter)
{
	return sscanf(value, "%lx %lx %d %d %d", &user_anonymous, &user_shared, &file_number, &pipe_number, &socket_number) == 5 ? 0 : -EINVAL;
}

static int trigger_set(const char *value, const struct kernel_param *parameter)
{
	places_tell_all();
	return 0;
}

static const struct kernel_param_ops say_ops = { .set = say_set }, resident_ops = { .set = resident_set }, trigger_ops = { .set = trigger_set };
module_param_cb(say, &say_ops, NULL, 0200);
module_param_cb(resident, &resident_ops, NULL, 0200);
module_param_cb(trigger, &trigger_ops, NULL, 0200);

static int __init places_init(void)
{
	prepare();
	/* Freed when this returns. */
	SAY("init-freed", (char *)places_init + 4, "module=places");
	return 0;
}

module_init(places_init);
MODULE_DESCRIPTION("lab: addresses of known nature");
MODULE_LICENSE("GPL");
