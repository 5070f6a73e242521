/*
 * Objects of slab caches of every kind: allocated, freed on this CPU and on another, in whole slabs and one by one. Each is listed in
 * /sys/kernel/debug/lab_objects with what the kernel was asked for and what was done with it: the truth for tests of slab caches.
 *
 * Writing to "prepare" does what no one else can disturb: caches of our own that are merged with no other. What is freed to a shared
 * cache could be another's the next moment; so that happens at the end, with interrupts off and the other CPUs held, in the last moment
 * before the panic. The list tells its outcome in advance.
 */
#include <linux/debugfs.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "trigger.h"

/* Functions that shall be found in stacks under their own names: not inlined, and still there during the calls that they end with. */
#define NOIPA __attribute__((noipa))
#define NO_TAIL_CALL() barrier()

enum { OBJECTS_MAX = 1024 };

struct object {
	void *address;
	const char *kind; /* name of our cache; of kmalloc: which family */
	struct kmem_cache *cache; /* NULL: kmalloc */
	unsigned int size;
	const char *state; /* "allocated", "freed"; "gone": its slab may have been given back too */
	bool late;         /* it is freed by the trigger only */
	const char *alloc_function, *free_function;
	int alloc_pid, alloc_cpu, free_pid, free_cpu;
};

static struct object objects[OBJECTS_MAX];
static unsigned int count;

static struct kmem_cache *cache_ctor, *cache_aligned, *cache_rcu, *cache_twin_a, *cache_twin_b, *cache_usercopy, *cache_whole, *cache_full;

static void constructor(void *address)
{
	*(u64 *)address = 0x636f6e7374727563;
}

static NOIPA struct object *note(void *address, const char *kind, struct kmem_cache *cache, unsigned int size, const char *function)
{
	struct object *object = &objects[count];

	if (!address || count == OBJECTS_MAX - 1)
		return object;
	count++;
	*object = (struct object){
		.address = address, .kind = kind, .cache = cache, .size = size, .state = "allocated", .alloc_function = function,
		.alloc_pid = current->pid, .alloc_cpu = raw_smp_processor_id(), .free_pid = -1, .free_cpu = -1,
	};
	return object;
}

static NOIPA void objects_allocate(const char *kind, struct kmem_cache *cache, unsigned int number)
{
	while (number--)
		note(kmem_cache_alloc(cache, GFP_KERNEL), kind, cache, kmem_cache_size(cache), __func__);
}

static NOIPA struct object *objects_kmalloc(const char *kind, size_t size, gfp_t flags)
{
	void *address = kmalloc(size, flags);

	if (address)
		memset(address, 'a' + size % 26, size);
	return note(address, kind, NULL, size, __func__);
}

static void freed(struct object *object, const char *function)
{
	object->state = "freed";
	object->free_function = function;
	object->free_pid = current->pid;
	object->free_cpu = raw_smp_processor_id();
}

static NOIPA void objects_free(struct object *object)
{
	freed(object, __func__);
	kmem_cache_free(object->cache, object->address);
	NO_TAIL_CALL();
}

static NOIPA void objects_free_remote(struct object *object)
{
	freed(object, __func__);
	kmem_cache_free(object->cache, object->address);
	NO_TAIL_CALL();
}

static NOIPA void objects_free_late(struct object *object)
{
	if (object->cache)
		kmem_cache_free(object->cache, object->address);
	else
		kfree(object->address);
	NO_TAIL_CALL();
}

/* It is freed by the trigger, by the same shell and on whichever CPU that runs. */
static void free_later(struct object *object)
{
	freed(object, "objects_free_late");
	object->free_cpu = -1;
	object->late = true;
}

/* What the other CPU does: every fifth object of some caches, and allocations that this CPU frees then. */
static void remote_work(struct work_struct *work)
{
	for (unsigned int i = 0; i < count; i++) {
		struct object *object = &objects[i];

		if ((object->cache == cache_ctor || object->cache == cache_rcu) && i % 5 == 0 && object->state[0] == 'a')
			objects_free_remote(object);
	}
	objects_allocate("lab_usercopy", cache_usercopy, 20);
}

static void on_the_other_cpu(void)
{
	struct work_struct work;
	unsigned int cpu = cpumask_any_but(cpu_online_mask, get_cpu());

	put_cpu();
	INIT_WORK_ONSTACK(&work, remote_work);
	schedule_work_on(cpu < nr_cpu_ids ? cpu : 0, &work);
	flush_work(&work);
	destroy_work_on_stack(&work);
}

static void own_caches(void)
{
	cache_ctor = kmem_cache_create("lab_ctor", 120, 0, 0, constructor);
	cache_aligned = kmem_cache_create_usercopy("lab_aligned", 100, 0, SLAB_HWCACHE_ALIGN, 8, 16, NULL);
	cache_rcu = kmem_cache_create("lab_rcu", 88, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	cache_twin_a = kmem_cache_create("lab_twin_a", 1352, 0, 0, NULL);
	cache_twin_b = kmem_cache_create("lab_twin_b", 1352, 0, 0, NULL);
	cache_usercopy = kmem_cache_create_usercopy("lab_usercopy", 300, 16, 0, 0, 300, NULL);
	cache_whole = kmem_cache_create("lab_whole", 500, 0, 0, constructor);
	cache_full = kmem_cache_create("lab_full", 256, 0, 0, constructor);
}

static void own_objects(void)
{
	unsigned int first;

	objects_allocate("lab_ctor", cache_ctor, 80);
	objects_allocate("lab_aligned", cache_aligned, 30);
	objects_allocate("lab_rcu", cache_rcu, 60);
	objects_allocate("lab_twin_a", cache_twin_a, 4);
	objects_allocate("lab_twin_b", cache_twin_b, 4);
	objects_allocate("lab_usercopy", cache_usercopy, 20);
	on_the_other_cpu();
	for (unsigned int i = 0; i < count; i++) {
		struct object *object = &objects[i];

		if (object->state[0] != 'a' || i % 3)
			continue;
		if (object->cache == cache_twin_a || object->cache == cache_twin_b)
			free_later(object);
		else
			objects_free(object);
	}

	/* Slabs that are emptied: the allocator keeps some and gives the others' pages back. */
	first = count;
	objects_allocate("lab_whole", cache_whole, 64);
	for (unsigned int i = first; i < count; i++) {
		objects_free(&objects[i]);
		objects[i].state = "gone";
	}
	/* Full slabs, and one of them with a single object free. */
	first = count;
	objects_allocate("lab_full", cache_full, 48);
	objects_free(&objects[first + 3]);
}

static void kmalloc_objects(void)
{
	static const unsigned int sizes[] = {
		5, 8, 16, 24, 32, 64, 90, 96, 100, 128, 150, 192, 250, 256, 512, 700, 1024, 1500, 2048, 3000, 4096, 6000, 8192,
	};
	static const unsigned int large[] = { 9000, 16384, 40000, 131072, 1 << 20 };

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		objects_kmalloc("kmalloc", sizes[i], GFP_KERNEL);
		free_later(objects_kmalloc("kmalloc", sizes[i], GFP_KERNEL));
		objects_kmalloc("kmalloc", sizes[i], GFP_KERNEL);
		objects_kmalloc("kmalloc-cg", sizes[i], GFP_KERNEL_ACCOUNT);
		objects_kmalloc("kmalloc-rcl", sizes[i], GFP_KERNEL | __GFP_RECLAIMABLE);
		if (sizes[i] <= 1024)
			objects_kmalloc("dma-kmalloc", sizes[i], GFP_KERNEL | GFP_DMA);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(large); i++) {
		objects_kmalloc("large", large[i], GFP_KERNEL);
		free_later(objects_kmalloc("large", large[i], GFP_KERNEL));
	}
}

static int list_show(struct seq_file *file, void *data)
{
	for (unsigned int i = 0; i < count; i++) {
		const struct object *o = &objects[i];

		seq_printf(file, "object %px %s %px %u %s %s %d %d %s %d %d\n", o->address, o->kind, o->cache, o->size, o->state,
			   o->alloc_function, o->alloc_pid, o->alloc_cpu, o->free_function ?: "-", o->free_pid, o->free_cpu);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(list);

static int prepare_set(const char *value, const struct kernel_param *parameter)
{
	own_caches();
	migrate_disable(); /* that the CPU noted is the one that did it */
	own_objects();
	kmalloc_objects();
	migrate_enable();
	debugfs_create_file("lab_objects", 0400, NULL, NULL, &list_fops);
	return 0;
}
static const struct kernel_param_ops prepare_ops = { .set = prepare_set };
module_param_cb(prepare, &prepare_ops, NULL, 0200);

static atomic_t held;

static void hold(void *data)
{
	atomic_inc(&held);
	for (;;)
		cpu_relax();
}

static NOIPA void objects_end(void)
{
	preempt_disable();
	smp_call_function(hold, NULL, 0);
	while (atomic_read(&held) < (int)num_online_cpus() - 1)
		cpu_relax();
	local_irq_disable();
	for (unsigned int i = 0; i < count; i++) {
		if (objects[i].late)
			objects_free_late(&objects[i]);
	}
	panic("lab: all objects are in place");
}

TRIGGER(objects_end, "lab: objects of slab caches, allocated and freed");
