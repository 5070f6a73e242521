/*
 * Lists, trees and values of known contents, sound ones and damaged ones: what list, tree, struct, p and their like are tested on. Nearly all
 * members are of one array, st_items, whose n-th has the id n; the log has its address ("structures: item ADDRESS SIZE"), the address of
 * each head ("structures: address NAME ADDRESS") and what the heads should have ("structures: ids NAME 0 1 2").
 */
#include "trigger.h"

#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/list_bl.h>
#include <linux/list_nulls.h>
#include <linux/llist.h>
#include <linux/maple_tree.h>
#include <linux/percpu.h>
#include <linux/plist.h>
#include <linux/radix-tree.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

struct st_item {
	u32 id;
	char name[12];
	u64 key;
	struct list_head link;
	struct hlist_node hash;
	struct hlist_nulls_node nulls;
	struct hlist_bl_node bit;
	struct llist_node lifo;
	struct plist_node ranked;
	struct rb_node rb;
	struct st_item *next;
};

struct st_owner {
	u64 before[3];
	struct list_head items;
	struct rb_root tree;
	struct xarray array;
	struct maple_tree ranges;
};

enum st_colour { ST_RED = 3, ST_GREEN = 70000, ST_BLUE = -5 };

struct st_pair {
	u64 first;
	int second;
};

struct st_kinds {
	s8 tiny;
	u8 low : 3;
	u8 high : 5;
	s16 small;
	s32 negative;
	u32 flags;
	s64 wide;
	enum st_colour colour;
	bool yes, no;
	char letter;
	char text[20];
	struct st_pair pair;
	struct st_pair pairs[3];
	int grid[2][3];
	union {
		u64 whole;
		u32 half[2];
		u8 bytes[8];
	};
	struct {
		int inner;
		s64 odd : 33;
		u64 rest : 31;
	};
	struct st_kinds *self;
	struct st_item *item;
	const char *label;
	int (*call)(struct st_kinds *kinds, const char *text);
	void *nothing;
	u16 count;
	u16 tail[];
};

#define ITEMS 256
static struct st_item st_items[ITEMS];
static struct st_pair st_array[6];
static struct st_kinds *st_kinds;
static struct st_owner st_owner;
static int st_negative = -12345;
static u8 st_bytes[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
static const char st_text[] = "a string\twith a tab";
static DEFINE_PER_CPU(struct st_pair, st_percpu);
static struct st_pair __percpu *st_allocated;

static LIST_HEAD(st_list);
static LIST_HEAD(st_empty);
static LIST_HEAD(st_looped);
static LIST_HEAD(st_holed);
static LIST_HEAD(st_poisoned);
static LIST_HEAD(st_unlinked);
static HLIST_HEAD(st_hash);
static struct hlist_nulls_head st_nulls;
static struct hlist_bl_head st_bit;
static LLIST_HEAD(st_lifo);
static PLIST_HEAD(st_ranked);
static struct st_item *st_ring, *st_chain;
static struct rb_root st_tree = RB_ROOT;
static struct rb_root_cached st_cached = RB_ROOT_CACHED;
static struct rb_root st_torn = RB_ROOT;
static RADIX_TREE(st_radix, GFP_KERNEL);
static DEFINE_XARRAY(st_array_tree);
static DEFINE_XARRAY(st_single);
static DEFINE_XARRAY(st_nothing);
static DEFINE_XARRAY(st_broken);
static struct maple_tree st_ranges = MTREE_INIT(st_ranges, 0);
static struct maple_tree st_one = MTREE_INIT(st_one, 0);

static unsigned long st_hole;

#define SAY(format, ...) pr_info("structures: " format "\n", ##__VA_ARGS__)
#define SAY_ADDRESS(name) SAY("address %s %px", #name, &name)

static void st_say_ids(const char *name, unsigned first, unsigned count)
{
	char text[256];
	size_t n = 0;
	unsigned i;

	for (i = 0; i < count; i++)
		n += scnprintf(text + n, sizeof(text) - n, " %u", first + i);
	SAY("ids %s%s", name, text);
}

static void st_fill_list(struct list_head *head, unsigned first, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++)
		list_add_tail(&st_items[first + i].link, head);
}

static void st_make_lists(void)
{
	unsigned i;

	st_fill_list(&st_list, 0, 5);
	st_say_ids("st_list", 0, 5);
	st_fill_list(&st_looped, 5, 5);
	st_items[8].link.next = &st_items[6].link;
	st_say_ids("st_looped", 5, 4);
	st_fill_list(&st_holed, 10, 5);
	st_items[12].link.next = (void *)st_hole;
	st_say_ids("st_holed", 10, 3);
	st_fill_list(&st_poisoned, 15, 5);
	st_items[16].link.next = LIST_POISON1;
	st_say_ids("st_poisoned", 15, 2);
	st_fill_list(&st_unlinked, 20, 5);
	st_items[23].link.prev = &st_items[20].link;
	st_say_ids("st_unlinked", 20, 5);
	for (i = 0; i < 5; i++) {
		hlist_add_head(&st_items[29 - i].hash, &st_hash);
		llist_add(&st_items[39 - i].lifo, &st_lifo);
		hlist_bl_lock(&st_bit);
		hlist_bl_add_head(&st_items[54 - i].bit, &st_bit);
		if (i < 4)
			hlist_bl_unlock(&st_bit);
	}
	INIT_HLIST_NULLS_HEAD(&st_nulls, 7);
	for (i = 0; i < 5; i++) {
		struct hlist_nulls_node *first = st_nulls.first, *node = &st_items[34 - i].nulls;

		node->next = first;
		node->pprev = &st_nulls.first;
		st_nulls.first = node;
		if (!is_a_nulls(first))
			first->pprev = &node->next;
	}
	st_say_ids("st_hash", 25, 5);
	st_say_ids("st_nulls", 30, 5);
	st_say_ids("st_lifo", 35, 5);
	st_say_ids("st_bit", 50, 5);
	for (i = 0; i < 5; i++) {
		plist_node_init(&st_items[44 - i].ranked, 10 - (int)i);
		/* plist_add() is not for modules. */
		list_add(&st_items[44 - i].ranked.node_list, &st_ranked.node_list);
		st_items[45 + i].next = &st_items[45 + (i + 1) % 5];
		st_items[210 + i].next = i < 4 ? &st_items[211 + i] : NULL;
	}
	st_say_ids("st_ranked", 40, 5);
	st_ring = &st_items[45];
	st_say_ids("st_ring", 45, 5);
	st_chain = &st_items[210];
	st_say_ids("st_chain", 210, 5);
	INIT_LIST_HEAD(&st_owner.items);
	st_fill_list(&st_owner.items, 55, 5);
	st_say_ids("st_owner", 55, 5);
}

static void st_insert(struct rb_node *node, struct rb_root *root, struct rb_root_cached *cached)
{
	struct rb_node **link = cached ? &cached->rb_root.rb_node : &root->rb_node, *parent = NULL;
	u64 key = rb_entry(node, struct st_item, rb)->key;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (key < rb_entry(parent, struct st_item, rb)->key) {
			link = &parent->rb_left;
		} else {
			link = &parent->rb_right;
			leftmost = false;
		}
	}
	rb_link_node(node, parent, link);
	if (cached)
		rb_insert_color_cached(node, cached, leftmost);
	else
		rb_insert_color(node, root);
}

/* The kernel's own way through a tree: what the walkers are compared with. */
static void st_say_tree(const char *name, struct rb_root *root)
{
	struct rb_node *node;
	char text[256];
	size_t n = 0;

	for (node = rb_first(root); node; node = rb_next(node))
		n += scnprintf(text + n, sizeof(text) - n, " %u", rb_entry(node, struct st_item, rb)->id);
	SAY("ids %s%s", name, text);
	n = 0;
	/* Each node's depth, by its parents. */
	for (node = rb_first(root); node; node = rb_next(node)) {
		unsigned depth = 0;
		struct rb_node *up;

		for (up = rb_parent(node); up; up = rb_parent(up))
			depth++;
		n += scnprintf(text + n, sizeof(text) - n, " %u", depth);
	}
	SAY("depths %s%s", name, text);
}

static void st_make_trees(void)
{
	unsigned i;

	for (i = 60; i < 92; i++) {
		st_items[i].key = i * 37 % 101;
		st_insert(&st_items[i].rb, &st_tree, NULL);
	}
	for (i = 92; i < 100; i++) {
		st_items[i].key = i * 37 % 101;
		st_insert(&st_items[i].rb, NULL, &st_cached);
	}
	st_owner.tree = RB_ROOT;
	for (i = 220; i < 224; i++) {
		st_items[i].key = i;
		st_insert(&st_items[i].rb, &st_owner.tree, NULL);
	}
	/* 100 to 106 make a full tree of three levels: 103 above 101 and 105. */
	for (i = 100; i < 107; i++) {
		st_items[i].key = i;
		st_insert(&st_items[i].rb, &st_torn, NULL);
	}
	st_say_tree("st_tree", &st_tree);
	st_say_tree("st_cached", &st_cached.rb_root);
	st_say_tree("st_owner.tree", &st_owner.tree);
	st_say_tree("st_torn", &st_torn);
	/* Below one of the root's children nothing can be found any more. */
	SAY("lost st_torn %u", rb_entry(st_torn.rb_node->rb_right->rb_right, struct st_item, rb)->id);
	st_torn.rb_node->rb_right->rb_right = (void *)st_hole;
}

static void st_say_array(const char *name, struct xarray *xa)
{
	unsigned long index;
	void *entry;

	xa_for_each(xa, index, entry) {
		if (xa_is_value(entry))
			SAY("entry %s %lu value %lu", name, index, xa_to_value(entry));
		else
			SAY("entry %s %lu id %u", name, index, ((struct st_item *)entry)->id);
	}
}

static void st_make_arrays(void)
{
	static const unsigned long indexes[] = { 0, 1, 5, 63, 64, 4095, 4096, 1ul << 30, ~0ul };
	struct xa_node *node;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		xa_store(&st_array_tree, indexes[i], &st_items[120 + i], GFP_KERNEL);
		if (i < 7)
			radix_tree_insert(&st_radix, indexes[i], &st_items[110 + i]);
	}
	xa_store(&st_array_tree, 100, xa_mk_value(77), GFP_KERNEL);
	xa_store_range(&st_array_tree, 128, 191, &st_items[130], GFP_KERNEL);
	xa_store_range(&st_array_tree, 208, 211, &st_items[131], GFP_KERNEL);
	xa_store_range(&st_array_tree, 512, 1023, &st_items[132], GFP_KERNEL);
	if (xa_reserve(&st_array_tree, 300, GFP_KERNEL))
		SAY("no reservation");
	xa_store(&st_single, 0, &st_items[140], GFP_KERNEL);
	xa_init(&st_owner.array);
	for (i = 0; i < 3; i++)
		xa_store(&st_owner.array, 100 * i, &st_items[141 + i], GFP_KERNEL);
	for (i = 0; i < 4; i++)
		xa_store(&st_broken, 64 * i, &st_items[200 + i], GFP_KERNEL);
	st_say_array("st_array_tree", &st_array_tree);
	st_say_array("st_single", &st_single);
	st_say_array("st_owner.array", &st_owner.array);
	SAY("range st_array_tree 128 191 130");
	SAY("range st_array_tree 208 211 131");
	SAY("range st_array_tree 512 1023 132");
	for (i = 0; i < 7; i++)
		SAY("entry st_radix %lu id %u", indexes[i], 110 + i);
	node = (void *)((unsigned long)rcu_dereference_raw(st_broken.xa_head) & ~3ul);
	rcu_assign_pointer(node->slots[2], (void *)(st_hole | 2));
}

static void st_make_ranges(void)
{
	unsigned i;

	for (i = 0; i < 50; i++) {
		mtree_store_range(&st_ranges, 1000 * i + 10, 1000 * i + 10 + i, &st_items[150 + i], GFP_KERNEL);
		SAY("range st_ranges %u %u %u", 1000 * i + 10, 1000 * i + 10 + i, 150 + i);
	}
	mtree_store(&st_one, 0, &st_items[149], GFP_KERNEL);
	mt_init(&st_owner.ranges);
	mtree_store_range(&st_owner.ranges, 5, 9, &st_items[145], GFP_KERNEL);
}

static int st_call(struct st_kinds *kinds, const char *text)
{
	return kinds->tiny + text[0];
}

static void st_make_values(void)
{
	unsigned i, cpu;

	st_kinds = kzalloc(sizeof(*st_kinds) + 4 * sizeof(u16), GFP_KERNEL);
	*st_kinds = (struct st_kinds){
		.tiny = -7, .low = 5, .high = 17, .small = -300, .negative = -70000, .flags = 0xdeadbeef, .wide = -5000000000ll,
		.colour = ST_GREEN, .yes = true, .letter = 'x', .text = "text of 20", .pair = { 1, -1 },
		.pairs = { { 10, -10 }, { 20, -20 }, { 30, -30 } }, .grid = { { 1, 2, 3 }, { -4, -5, -6 } },
		.whole = 0x1122334455667788, .inner = 99, .odd = -4000000000ll, .rest = 0x7abcdef0, .self = st_kinds,
		.item = &st_items[3], .label = st_text, .call = st_call, .count = 4,
	};
	for (i = 0; i < 4; i++)
		st_kinds->tail[i] = 1000 + i;
	for (i = 0; i < ARRAY_SIZE(st_array); i++)
		st_array[i] = (struct st_pair){ 100 + i, -(int)i };
	st_allocated = alloc_percpu(struct st_pair);
	for_each_possible_cpu(cpu) {
		per_cpu(st_percpu, cpu) = (struct st_pair){ 500 + cpu, (int)cpu };
		*per_cpu_ptr(st_allocated, cpu) = (struct st_pair){ 600 + cpu, -(int)cpu };
		SAY("percpu %u %px %px", cpu, &per_cpu(st_percpu, cpu), per_cpu_ptr(st_allocated, cpu));
	}
	SAY("address *st_kinds %px", st_kinds);
	SAY("address *st_allocated %px", (void __force *)st_allocated);
}

static void st_find_hole(void)
{
	void *page = vmalloc(4096);

	/* The guard page behind an area. */
	st_hole = (unsigned long)page + 4096;
	SAY("hole %lx", st_hole);
}

static void st_say_addresses(void)
{
	SAY("item %px %zu", st_items, sizeof(st_items[0]));
	SAY_ADDRESS(st_list);
	SAY_ADDRESS(st_empty);
	SAY_ADDRESS(st_looped);
	SAY_ADDRESS(st_holed);
	SAY_ADDRESS(st_poisoned);
	SAY_ADDRESS(st_unlinked);
	SAY_ADDRESS(st_hash);
	SAY_ADDRESS(st_nulls);
	SAY_ADDRESS(st_bit);
	SAY_ADDRESS(st_lifo);
	SAY_ADDRESS(st_ranked);
	SAY_ADDRESS(st_owner);
	SAY_ADDRESS(st_ring);
	SAY_ADDRESS(st_chain);
	SAY_ADDRESS(st_array);
	SAY_ADDRESS(st_nothing);
	SAY("negative %d %px bytes %px text %px", st_negative, &st_negative, st_bytes, st_text);
}

static noinline void st_end(void)
{
	BUG();
}

static void st_start(void)
{
	unsigned i;

	for (i = 0; i < ITEMS; i++) {
		st_items[i].id = i;
		snprintf(st_items[i].name, sizeof(st_items[i].name), "item%u", i);
		INIT_LIST_HEAD(&st_items[i].link);
		RB_CLEAR_NODE(&st_items[i].rb);
	}
	st_find_hole();
	st_make_lists();
	st_make_trees();
	st_make_arrays();
	st_make_ranges();
	st_make_values();
	st_say_addresses();
	st_negative -= st_bytes[1] - 0x11;
	st_end();
}

TRIGGER(st_start, "lab: lists, trees and values of known contents");
