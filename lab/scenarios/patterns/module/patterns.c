/*
 * Known words at known places of the kernel's memory: module data, kmalloc(), vmalloc(), whole pages, the stack of a thread that sleeps. Where
 * they are, and what they are, /sys/module/patterns/parameters/ says. The words are made at run time, so that no code has them as constants.
 */
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

static unsigned long seed = 0x0123456789abcdefUL;
module_param(seed, ulong, 0444);

#define PLACE(name)                       \
	static unsigned long name##_at;       \
	static unsigned long name##_word;     \
	module_param(name##_at, ulong, 0444); \
	module_param(name##_word, ulong, 0444)

PLACE(data);
PLACE(kmalloc);
PLACE(vmalloc);
PLACE(pages);
PLACE(stack);
static unsigned long string_at, kmalloc_phys, vmalloc_phys, pages_struct;
module_param(string_at, ulong, 0444);
module_param(kmalloc_phys, ulong, 0444);
module_param(vmalloc_phys, ulong, 0444);
module_param(pages_struct, ulong, 0444);
static int stack_pid;
module_param(stack_pid, int, 0444);

static unsigned long data[16];

static noinline unsigned long word(unsigned int n)
{
	return (seed * 0x9e3779b97f4a7c15UL) ^ ((unsigned long)n << 20 | 0xabc);
}

static int sleeper(void *unused)
{
	volatile unsigned long words[8];

	for (int i = 0; i < 8; i++)
		words[i] = ~word(5);
	words[3] = word(5);
	stack_word = words[3];
	WRITE_ONCE(stack_at, (unsigned long)&words[3]);
	while (!kthread_should_stop()) {
		set_current_state(TASK_IDLE);
		schedule_timeout(MAX_SCHEDULE_TIMEOUT);
	}
	return (int)words[3];
}

static int __init patterns_init(void)
{
	struct task_struct *task;
	unsigned long *small = kmalloc(128, GFP_KERNEL | __GFP_ZERO), *large = vzalloc(3 * PAGE_SIZE);
	struct page *pages = alloc_pages(GFP_KERNEL | __GFP_COMP | __GFP_ZERO, 2);
	char *string = kmalloc(96, GFP_KERNEL);

	if (!small || !large || !pages || !string)
		return -ENOMEM;
	data_word = data[3] = word(1);
	data_at = (unsigned long)&data[3];
	kmalloc_word = small[5] = word(2);
	kmalloc_at = (unsigned long)&small[5];
	kmalloc_phys = virt_to_phys(&small[5]);
	large += PAGE_SIZE / sizeof(*large) + 32;
	vmalloc_word = *large = word(3);
	vmalloc_at = (unsigned long)large;
	vmalloc_phys = (vmalloc_to_pfn(large) << PAGE_SHIFT) + offset_in_page(large);
	pages_struct = (unsigned long)pages;
	pages_at = (unsigned long)page_address(pages) + 3 * PAGE_SIZE + 0x7f8;
	pages_word = *(unsigned long *)pages_at = word(4);
	snprintf(string, 96, "inquest patterns: %s string %lx", "kernel", seed);
	string_at = (unsigned long)string;
	task = kthread_run(sleeper, NULL, "patterns");
	if (IS_ERR(task))
		return PTR_ERR(task);
	stack_pid = task->pid;
	while (!READ_ONCE(stack_at))
		schedule_timeout_uninterruptible(1);
	return 0;
}
module_init(patterns_init);
MODULE_DESCRIPTION("Known words in the kernel's memory");
MODULE_LICENSE("GPL");
