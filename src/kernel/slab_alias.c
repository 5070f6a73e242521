// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names of caches that SLUB merged into others: the kernel keeps no list of them, but makes each a
 * symbolic link in /sys/kernel/slab (sysfs_slab_alias(), mm/slub.c). That folder's entries are in a
 * red-black tree of struct kernfs_node (fs/kernfs/dir.c); a link's target belongs to the kobject in
 * struct kmem_cache. The first cache of a merged lot has a link with its own name too.
 */
#include <string.h>

#include "base/strbuf.h"
#include "kernel/slab_state.h"

enum {
	KERNFS_LINK = 4, /* enum kernfs_node_flag, include/linux/kernfs.h */
	ENTRIES_MAX = 1 << 16,
	NAME_SIZE = 256,
};

struct link {
	const char *name;
	size_t cache;
};

struct alias_walk {
	struct slab_state *state;
	uint64_t kobj_offset;
	struct {
		vec_fields(struct link);
	} links;
};

static void add_link(struct alias_walk *walk, uint64_t entry)
{
	struct session *s = walk->state->session;
	static const char type[] = "kernfs_node";
	uint64_t entry_flags, target, kobj, index;
	char name[NAME_SIZE];

	if (!kread(s, entry, type, "flags", &entry_flags) || !(entry_flags & KERNFS_LINK) ||
	    !kread(s, entry, type, "symlink.target_kn", &target) ||
	    !kread(s, target, type, "priv", &kobj) ||
	    !map_get(&walk->state->by_address, kobj - walk->kobj_offset, &index) ||
	    !kread_string(s, entry, type, "name", name, sizeof(name)) || !name[0] ||
	    strcmp(name, walk->state->caches.data[index].name) == 0)
		return;
	vec_push(&walk->links, (struct link){ arena_strdup(&s->arena, name), index });
}

/* All nodes of the tree, in order of their hashes; damaged ones are cut off by the bounds. */
static void walk_tree(struct alias_walk *walk, uint64_t root, uint64_t rb_offset)
{
	struct session *s = walk->state->session;
	struct {
		vec_fields(uint64_t);
	} todo = { 0 };
	struct map seen = { 0 };
	uint64_t node;

	if (root)
		vec_push(&todo, root);
	while (todo.count && seen.count < ENTRIES_MAX) {
		uint64_t at = todo.data[--todo.count];
		if (!map_set(&seen, at, 1))
			continue;
		add_link(walk, at - rb_offset);
		if (kread(s, at, "rb_node", "rb_right", &node) && node)
			vec_push(&todo, node);
		if (kread(s, at, "rb_node", "rb_left", &node) && node)
			vec_push(&todo, node);
	}
	vec_deinit(&todo);
	map_deinit(&seen);
}

static int by_cache(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	if (x->cache != y->cache)
		return x->cache < y->cache ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Names of one cache, joined. */
static void set_aliases(struct slab_state *state, const struct link *links, size_t count)
{
	auto_strbuf text = { 0 };

	for (size_t i = 0; i < count; i++)
		strbuf_addf(&text, "%s%s", i ? "," : "", links[i].name);
	state->caches.data[links[0].cache].aliases =
		arena_strdup(&state->session->arena, strbuf_text(&text));
}

void slab_read_aliases(struct slab_state *state)
{
	struct session *s = state->session;
	struct alias_walk walk = { .state = state };
	uint64_t set, folder, root, rb_offset;

	if (!kglobal(s, "slab_kset", 8, &set) || !set ||
	    !koffset(s, "kmem_cache", "kobj", &walk.kobj_offset) ||
	    !koffset(s, "kernfs_node", "rb", &rb_offset) ||
	    !kread(s, set, "kset", "kobj.sd", &folder) ||
	    !kread(s, folder, "kernfs_node", "dir.children.rb_node", &root))
		return;
	walk_tree(&walk, root, rb_offset);
	if (walk.links.count)
		qsort(walk.links.data, walk.links.count, sizeof(*walk.links.data), by_cache);
	for (size_t i = 0, n; i < walk.links.count; i += n) {
		for (n = 1; i + n < walk.links.count &&
			    walk.links.data[i + n].cache == walk.links.data[i].cache; n++)
			;
		set_aliases(state, &walk.links.data[i], n);
	}
	vec_deinit(&walk.links);
}
