/*
 * A group gets its number late, after a large array, and no number when the array cannot be had; a work item then frees the group and
 * gives its number back, -1. The log has the failed allocation, earlier.
 *
 * Beside it a thread asleep below a function that reuses the register of its argument on one of two ways, and then removes what decided
 * between them: nobody can tell from the dump which way it went.
 */
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "trigger.h"

enum { NUMBERS = 64, ARRAY_ORDER = 6 };

struct number_set {
	unsigned long used[BITS_TO_LONGS(NUMBERS)];
	unsigned int released;
};

struct group {
	struct list_head link;
	char name[16];
	void *array;
	struct work_struct release;
	struct number_set *numbers;
	int number;
};

static struct number_set *numbers;

static noinline void number_put(struct number_set *set, unsigned int number)
{
	BUG_ON((int)number < 0);
	clear_bit(number % NUMBERS, set->used);
	set->released++;
}

static noinline void group_free(struct group *g)
{
	list_del(&g->link);
	number_put(g->numbers, g->number);
	free_pages((unsigned long)g->array, ARRAY_ORDER);
	kfree(g);
}

static void group_release(struct work_struct *work)
{
	group_free(container_of(work, struct group, release));
}

/* Takes all large blocks, so that the next one cannot be had; gives them back at once. */
static noinline void *array_alloc(void)
{
	LIST_HEAD(blocks);
	struct page *page, *next;
	void *array;

	while ((page = alloc_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, ARRAY_ORDER)))
		list_add(&page->lru, &blocks);
	array = (void *)__get_free_pages(GFP_KERNEL | __GFP_NORETRY, ARRAY_ORDER);
	list_for_each_entry_safe(page, next, &blocks, lru)
		__free_pages(page, ARRAY_ORDER);
	return array;
}

static noinline int group_online(struct group *g)
{
	g->array = array_alloc();
	if (!g->array)
		return -ENOMEM;
	g->number = find_first_zero_bit(g->numbers->used, NUMBERS);
	return 0;
}

/* --- Two ways. --- */

static int planted_flag = 1;

static noinline unsigned long planted_secret(void)
{
	unsigned long secret = get_random_u32() | 0x5ec0000000000000;

	pr_info("planted secret %lx\n", secret);
	return secret;
}

static __attribute__((noipa)) int planted_sleep(unsigned long held, unsigned long gone)
{
	int sum = 0;

	/* The compiler sees uses of the arguments, but nothing keeps them. */
	asm volatile("" : : "r"(held), "r"(gone));
	do {
		set_current_state(TASK_IDLE);
		schedule();
		sum++;
	} while (!kthread_should_stop());
	return sum;
}

static __attribute__((noipa)) int planted_reuse(unsigned long secret, int *flag)
{
	unsigned long held = secret;
	int slept;

	if (READ_ONCE(*flag))
		asm volatile("rdtsc" : "=a"(held) : : "rdx");
	asm volatile("" : "+b"(held)); /* one register for both */
	WRITE_ONCE(*flag, 0);
	slept = planted_sleep(held ^ 1, held ^ 2);
	asm volatile("" : : "b"(held));
	return slept;
}

static int planted_thread(void *unused)
{
	return planted_reuse(planted_secret(), &planted_flag) + 1;
}

/* Returns when the thread sleeps. */
static bool start_planted(void)
{
	struct task_struct *task = kthread_run(planted_thread, NULL, "planted");

	if (IS_ERR(task))
		return false;
	while (READ_ONCE(task->__state) != TASK_IDLE || READ_ONCE(task->on_cpu))
		schedule_timeout_uninterruptible(1);
	return true;
}

static void offline(void)
{
	struct group *g = kzalloc(sizeof(*g), GFP_KERNEL);

	numbers = kzalloc(sizeof(*numbers), GFP_KERNEL);
	if (!g || !numbers || !start_planted())
		return;
	strscpy(g->name, "batch", sizeof(g->name));
	INIT_LIST_HEAD(&g->link);
	INIT_WORK(&g->release, group_release);
	g->numbers = numbers;
	g->number = -1;
	pr_info("known group %px cell %px set %px\n", g, &g->number, numbers);
	if (group_online(g) < 0)
		schedule_work(&g->release);
	flush_work(&g->release);
}

TRIGGER(offline, "lab: a number that was never given is released");
