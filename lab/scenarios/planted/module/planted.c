/*
 * Damage to the slab allocator's own data, one of each kind, each in a cache of its own, which the kernel does not live to notice: it is
 * done with interrupts off and the other CPUs held, in the last moment before the panic.
 *
 * Writing to "prepare" makes the caches and chooses the victims; /sys/kernel/debug/lab_damages then lists what will be done:
 * "damage KIND ADDRESS CACHE OBJECT SLAB", ADDRESS being that of the first byte that will be wrong. The caches called lab_checked_* have
 * the kernel's debugging (slub_debug in "append"), the others called lab_plain_* have none.
 */
#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/swab.h>
#include <linux/version.h>

#include "trigger.h"

/* What is private to mm/: the same in both kernels but for the order in struct slab. Checked when the caches are made. */
struct cache {
	void *cpu_slab;
	unsigned int flags;
	unsigned long min_partial;
	unsigned int size, object_size;
	u64 reciprocal;
	unsigned int offset, cpu_partial, cpu_partial_slabs, oo, min, allocflags;
	int refcount;
	void *ctor;
	unsigned int inuse, align, red_left_pad;
	const char *name;
	struct list_head list;
	struct kobject kobj;
	unsigned long random;
	unsigned int defrag_ratio;
	unsigned int *random_seq;
	unsigned int useroffset, usersize;
	struct node *node[];
};

struct node {
	spinlock_t list_lock;
	unsigned long nr_partial;
	struct list_head partial;
};

struct frame {
	unsigned long flags;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	struct cache *cache;
	struct list_head list;
#else
	struct list_head list;
	struct cache *cache;
#endif
	void *freelist;
	unsigned int inuse : 16, objects : 15, frozen : 1;
};

enum { TRACK_SIZE = 32, OBJECTS_MAX = 200, ALL_FREE_MAX = 4 };

struct damage {
	const char *kind, *name;
	unsigned int size; /* of the cache's objects; 0: kmalloc(400) */
	void (*plant)(struct damage *damage);
	/* Where in the victim the first wrong byte will be; NULL: at "where". */
	void *(*place)(struct damage *damage);
	struct cache *cache;
	struct frame *slab;
	/* The victim is the first; on the slab's list of free objects in this order, the last freed first. */
	char *object;
	char *free[ALL_FREE_MAX];
	char *other; /* an object that is free in another slab */
};

static void constructor(void *address)
{
	*(u64 *)address = 0x636f6e7374727563;
}

static struct frame *frame_of(void *object)
{
	return (struct frame *)virt_to_head_page(object);
}

static void *slab_start(struct damage *d)
{
	return page_address((struct page *)d->slab);
}

static size_t slab_bytes(struct damage *d)
{
	return page_size((struct page *)d->slab);
}

/* How CONFIG_SLAB_FREELIST_HARDENED hides pointers. */
static void set_next(struct damage *d, char *object, void *next)
{
	unsigned long *slot = (unsigned long *)(object + d->cache->offset);

	*slot = (unsigned long)next ^ d->cache->random ^ swab((unsigned long)slot);
}

static void *at_pointer(struct damage *d)
{
	return d->object + d->cache->offset;
}

/* --- What is done to the caches without debugging. --- */

static void plant_loop(struct damage *d)
{
	set_next(d, d->object, d->free[1]);
}

/* The oldest of the free objects, the list's end. */
static void *at_last_pointer(struct damage *d)
{
	d->object = d->free[3];
	return at_pointer(d);
}

static void plant_outside(struct damage *d)
{
	set_next(d, d->object, slab_start(d) - 65536 + 192);
}

static void plant_misaligned(struct damage *d)
{
	set_next(d, d->object, d->free[2] + 8);
}

static void plant_foreign(struct damage *d)
{
	set_next(d, d->object, d->other);
}

/* Not next to itself, which the kernel would notice. */
static void plant_double_free(struct damage *d)
{
	kmem_cache_free((struct kmem_cache *)d->cache, d->object);
}

static void *at_object(struct damage *d)
{
	d->object = d->free[1];
	return d->object;
}

static void plant_text(struct damage *d)
{
	memcpy(at_pointer(d), "overflow", 8);
}

static void plant_inuse(struct damage *d)
{
	d->slab->inuse += 2;
}

static void plant_objects(struct damage *d)
{
	d->slab->objects += 100;
}

static void *at_counters(struct damage *d)
{
	d->object = NULL;
	return (char *)d->slab + 40;
}

/* --- And to those with it. --- */

static void plant_right(struct damage *d)
{
	strcpy(d->object + d->cache->object_size, "too far");
}

static void *at_right(struct damage *d)
{
	return d->object + d->cache->object_size;
}

static void plant_left(struct damage *d)
{
	d->object[-3] = 0;
	d->object[-2] = 1;
}

static void *at_left(struct damage *d)
{
	return d->object - 3;
}

static void plant_use_after_free(struct damage *d)
{
	strcpy(d->object + 24, "written too late");
}

static void *at_use_after_free(struct damage *d)
{
	return d->object + 24;
}

static void *at_padding(struct damage *d)
{
	return d->object + d->cache->size - d->cache->red_left_pad - 3;
}

static void plant_padding(struct damage *d)
{
	memset(at_padding(d), 0, 2);
}

static void *at_slab_padding(struct damage *d)
{
	char *object = slab_start(d);
	size_t rest = slab_bytes(d) % d->cache->size;

	d->object = NULL;
	return rest < 8 ? NULL : object + slab_bytes(d) - 5;
}

static void plant_slab_padding(struct damage *d)
{
	memset(at_slab_padding(d), 0xff, 4);
}

static struct cache *other_cache;

static void plant_owner(struct damage *d)
{
	d->slab->cache = other_cache;
}

static void *at_owner(struct damage *d)
{
	d->object = NULL;
	return &d->slab->cache;
}

static struct node *node_of(struct damage *d)
{
	return d->cache->node[page_to_nid((struct page *)d->slab)];
}

static void plant_list(struct damage *d)
{
	d->slab->list.next = (void *)0x746e657665206f6e;
}

static void *at_list(struct damage *d)
{
	d->object = NULL;
	return &d->slab->list.next;
}

static void plant_partial_count(struct damage *d)
{
	node_of(d)->nr_partial += 3;
}

static void *at_partial_count(struct damage *d)
{
	d->object = NULL;
	return &node_of(d)->nr_partial;
}

static void *at_alloc_track(struct damage *d)
{
	return d->object + d->cache->offset + sizeof(void *);
}

static void plant_no_track(struct damage *d)
{
	memset(at_alloc_track(d), 0, TRACK_SIZE);
}

static void *at_behind_request(struct damage *d)
{
	return d->object + 405;
}

static void plant_behind_request(struct damage *d)
{
	*(char *)at_behind_request(d) = 0x11;
}

static struct damage damages[] = {
	{ "freelist-loop", "lab_plain_loop", 200, plant_loop, at_last_pointer },
	{ "freelist-outside", "lab_plain_outside", 210, plant_outside, at_pointer },
	{ "freelist-misaligned", "lab_plain_odd", 220, plant_misaligned, at_pointer },
	{ "freelist-foreign", "lab_plain_foreign", 230, plant_foreign, at_pointer },
	{ "double-free", "lab_plain_double", 240, plant_double_free, at_object },
	{ "freelist-outside", "lab_plain_cpu", 250, plant_text, at_pointer },
	{ "inuse-count", "lab_plain_inuse", 260, plant_inuse, at_counters },
	{ "object-count", "lab_plain_objects", 270, plant_objects, at_counters },
	{ "red-zone-right", "lab_checked_right", 96, plant_right, at_right },
	{ "red-zone-left", "lab_checked_left", 104, plant_left, at_left },
	{ "poison", "lab_checked_late", 112, plant_use_after_free, at_use_after_free },
	{ "object-padding", "lab_checked_padding", 120, plant_padding, at_padding },
	{ "slab-padding", "lab_checked_end", 1000, plant_slab_padding, at_slab_padding },
	{ "wrong-cache", "lab_checked_owner", 128, plant_owner, at_owner },
	{ "partial-list", "lab_checked_list", 136, plant_list, at_list },
	{ "partial-count", "lab_checked_count", 144, plant_partial_count, at_partial_count },
	{ "track", "lab_checked_track", 152, plant_no_track, at_alloc_track },
	{ "kmalloc-red-zone", "kmalloc-512", 0, plant_behind_request, at_behind_request },
};

static bool is_checked(const struct damage *d)
{
	return strstarts(d->name, "lab_checked");
}

/* Some slabs full of objects, then free ones: four of the first slab, and one each of the others. */
static bool fill(struct damage *d)
{
	struct kmem_cache *cache = (struct kmem_cache *)d->cache;
	unsigned int first = 0, picked = 0, per_slab, number;
	static char *objects[OBJECTS_MAX];

	objects[0] = kmem_cache_alloc(cache, GFP_KERNEL);
	if (!objects[0])
		return false;
	d->slab = frame_of(objects[0]);
	per_slab = d->slab->objects;
	number = min_t(unsigned int, OBJECTS_MAX, 4 * per_slab);
	if (4 * per_slab > OBJECTS_MAX)
		return false;
	for (unsigned int i = 1; i < number; i++)
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	for (unsigned int i = 0; i < number; i++) {
		bool ours = frame_of(objects[i]) == d->slab;

		if (ours && first < ALL_FREE_MAX) {
			/* The last that is freed is the first of the list. */
			d->free[ALL_FREE_MAX - 1 - first++] = objects[i];
			kmem_cache_free(cache, objects[i]);
		} else if (!ours && i / per_slab != picked && picked < 2) {
			picked = i / per_slab;
			d->other = objects[i];
			kmem_cache_free(cache, objects[i]);
		} else if (is_checked(d) && ours && !d->object) {
			d->object = objects[i];
		}
	}
	return first == ALL_FREE_MAX && d->other;
}

/* The first of the list that this CPU would allocate from. */
static void pick_of_cpu(struct damage *d)
{
	struct kmem_cache *cache = (struct kmem_cache *)d->cache;
	char *object;

	preempt_disable();
	object = kmem_cache_alloc(cache, GFP_ATOMIC);
	kmem_cache_free(cache, object);
	preempt_enable();
	d->object = object;
	d->slab = frame_of(object);
}

static bool prepare_one(struct damage *d)
{
	if (!d->size) {
		d->object = kmalloc(400, GFP_KERNEL);
		d->slab = frame_of(d->object);
		d->cache = d->slab->cache;
		return true;
	}
	/* Caches with a constructor are never merged with others; nor poisoned. */
	d->cache = (struct cache *)kmem_cache_create(d->name, d->size, 0, 0, is_checked(d) ? NULL : constructor);
	if (!d->cache || d->cache->object_size != d->size || strcmp(d->cache->name, d->name) || !fill(d))
		return false;
	if (d->plant == plant_text)
		pick_of_cpu(d);
	else if (d->plant == plant_use_after_free || d->plant == plant_no_track || !is_checked(d))
		d->object = d->free[0];
	return frame_of(d->object)->cache == d->cache;
}

static int list_show(struct seq_file *file, void *data)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(damages); i++) {
		struct damage *d = &damages[i];
		void *where = d->place(d);

		seq_printf(file, "damage %s %px %s %px %px\n", d->kind, where, d->name, d->object, slab_start(d));
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(list);

static int prepare_set(const char *value, const struct kernel_param *parameter)
{
	other_cache = (struct cache *)kmem_cache_create("lab_plain_other", 280, 0, 0, constructor);
	kmem_cache_alloc((struct kmem_cache *)other_cache, GFP_KERNEL);
	for (unsigned int i = 0; i < ARRAY_SIZE(damages); i++) {
		if (!prepare_one(&damages[i])) {
			pr_err("lab: %s cannot be prepared\n", damages[i].name);
			return -EINVAL;
		}
	}
	debugfs_create_file("lab_damages", 0400, NULL, NULL, &list_fops);
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

static noinline void planted_end(void)
{
	preempt_disable();
	smp_call_function(hold, NULL, 0);
	while (atomic_read(&held) < (int)num_online_cpus() - 1)
		cpu_relax();
	local_irq_disable();
	for (unsigned int i = 0; i < ARRAY_SIZE(damages); i++)
		damages[i].plant(&damages[i]);
	panic("lab: all damages are done");
}

TRIGGER(planted_end, "lab: damage to the slab allocator's data");
