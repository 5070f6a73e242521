/*
 * A panic while other CPUs allocate and free slab objects as fast as they can: the allocator is caught in mid-operation, its data half
 * updated and yet undamaged. Some of the caches have the kernel's debugging (slub_debug in "append").
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "trigger.h"

enum { THREADS_PER_CPU = 2, KEPT = 300, CACHES = 5, TURNS = 64 };

static struct kmem_cache *caches[CACHES];

static void constructor(void *address)
{
	*(u64 *)address = 0x636f6e7374727563;
}

static int toil(void *data)
{
	static const unsigned int sizes[] = { 24, 96, 512, 2048 };
	void **kept = kcalloc(KEPT, sizeof(*kept), GFP_KERNEL);
	u8 *owner = kcalloc(KEPT, 1, GFP_KERNEL);
	unsigned int seed = (unsigned long)data * 7919 + 1;

	for (unsigned long turn = 0; kept && owner; turn++) {
		unsigned int i;

		seed = seed * 1103515245 + 12345;
		i = (seed >> 8) % KEPT;
		if (kept[i] && owner[i] < CACHES)
			kmem_cache_free(caches[owner[i]], kept[i]);
		else
			kfree(kept[i]);
		owner[i] = (seed >> 20) % (CACHES + 2);
		kept[i] = owner[i] < CACHES ? kmem_cache_alloc(caches[owner[i]], GFP_KERNEL) :
					      kmalloc(sizes[(seed >> 24) % ARRAY_SIZE(sizes)], GFP_KERNEL);
		if (turn % TURNS == 0)
			cond_resched();
	}
	return 0;
}

static noinline void busy_end(void)
{
	unsigned int cpu, i;

	caches[0] = kmem_cache_create("lab_busy_debug_a", 80, 0, 0, NULL);
	caches[1] = kmem_cache_create("lab_busy_debug_b", 700, 0, SLAB_HWCACHE_ALIGN, NULL);
	caches[2] = kmem_cache_create("lab_busy_c", 1000, 0, 0, constructor);
	caches[3] = kmem_cache_create("lab_busy_d", 64, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	caches[4] = kmem_cache_create("lab_busy_debug_e", 3000, 0, 0, NULL);
	for_each_online_cpu(cpu) {
		for (i = 0; i < THREADS_PER_CPU; i++) {
			struct task_struct *thread = kthread_create(toil, (void *)(unsigned long)(cpu * 16 + i), "toil/%u", cpu);

			if (IS_ERR(thread))
				return;
			kthread_bind(thread, cpu);
			wake_up_process(thread);
		}
	}
	msleep(300);
	panic("lab: the others were busy");
}

TRIGGER(busy_end, "lab: a panic while slab objects are allocated and freed");
