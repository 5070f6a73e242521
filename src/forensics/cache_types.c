// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kernel does not record of which type the objects of a slab cache are: kmem_cache_create() is
 * given a name and a size. But most caches are made by KMEM_CACHE(), which takes the struct's name,
 * or are called like the struct with something hung on ("ext4_inode_cache" of ext4_inode_info).
 * So names are tried, the cache's own and with endings off and on, and the first of which a struct
 * has the very size of the cache's objects is right. What no rule gets is in a table. The caches
 * left over are looked up in code (cache_code.c).
 *
 * A type is claimed only when sizeof agrees. Objects longer than the struct are those with a
 * flexible array, of which the name must be the struct's own; or the table says so.
 *
 * Caches of equal size and flags are merged into one (mm/slab_common.c, __kmem_cache_alias()),
 * which then has the name of the first and objects of all: refcount counts them. Nothing is claimed
 * of those.
 */
#include "forensics/cache_types.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/strbuf.h"
#include "forensics/cache_code.h"

struct cache_types {
	pthread_mutex_t lock;
	struct map by_cache; /* kmem_cache -> struct cache_type */
	struct cache_sites *sites; /* NULL until a cache needs them */
	struct arena arena;
};

enum fit {
	FIT_EXACT,
	FIT_LONGER,  /* something lies behind the struct: flexible array, cpumask, front pad */
	FIT_SHORTER, /* only as much of the struct is allocated as the machine needs */
};

/*
 * Caches that are not called like their struct. The files named create them. A row is used only
 * when the size fits, so that a reused name does no harm.
 */
static const struct {
	const char *cache, *type;
	enum fit fit;
} known[] = {
	{ "task_struct", "task_struct", FIT_SHORTER },  /* kernel/fork.c: arch_task_struct_size */
	{ "task_struct", "task_struct", FIT_LONGER },
	{ "mm_struct", "mm_struct", FIT_LONGER },       /* kernel/fork.c: cpumask behind */
	{ "kmem_cache", "kmem_cache", FIT_SHORTER },    /* mm/slub.c: node[nr_node_ids] */
	{ "kmem_cache_node", "kmem_cache_node", FIT_EXACT },
	{ "pid", "pid", FIT_LONGER },                   /* kernel/pid_namespace.c: numbers[] */
	{ "filp", "file", FIT_EXACT },                  /* fs/file_table.c */
	{ "cred_jar", "cred", FIT_EXACT },              /* kernel/cred.c */
	{ "mnt_cache", "mount", FIT_EXACT },            /* fs/namespace.c */
	{ "net_namespace", "net", FIT_EXACT },          /* net/core/net_namespace.c */
	{ "skbuff_head_cache", "sk_buff", FIT_EXACT },  /* net/core/skbuff.c */
	{ "skbuff_fclone_cache", "sk_buff_fclones", FIT_EXACT },
	{ "skbuff_ext_cache", "skb_ext", FIT_LONGER },
	{ "sock_inode_cache", "socket_alloc", FIT_EXACT }, /* net/socket.c */
	{ "bdev_cache", "bdev_inode", FIT_EXACT },      /* block/bdev.c */
	{ "dax_cache", "dax_device", FIT_EXACT },       /* drivers/dax/super.c */
	{ "radix_tree_node", "xa_node", FIT_EXACT },    /* lib/radix-tree.c */
	{ "radix_tree_node", "radix_tree_node", FIT_EXACT },
	{ "blkdev_ioc", "io_context", FIT_EXACT },      /* block/blk-ioc.c */
	{ "bfq_queue", "bfq_queue", FIT_EXACT },
	{ "request_queue_srcu", "request_queue", FIT_LONGER }, /* block/blk-core.c */
	{ "blkdev_queue", "request_queue", FIT_EXACT }, /* the same before 4.20 or so */
	{ "posix_timers_cache", "k_itimer", FIT_EXACT },
	{ "numa_policy", "mempolicy", FIT_EXACT },      /* mm/mempolicy.c */
	{ "shared_policy_node", "sp_node", FIT_EXACT },
	{ "eventpoll_epi", "epitem", FIT_EXACT },       /* fs/eventpoll.c */
	{ "eventpoll_pwq", "eppoll_entry", FIT_EXACT },
	{ "ep_head", "epitems_head", FIT_EXACT },
	{ "inotify_inode_mark", "inotify_inode_mark", FIT_EXACT },
	{ "dnotify_mark", "dnotify_mark", FIT_EXACT },
	{ "fsnotify_mark_connector", "fsnotify_mark_connector", FIT_EXACT },
	{ "fasync_cache", "fasync_struct", FIT_EXACT },
	{ "file_lock_ctx", "file_lock_context", FIT_EXACT },
	{ "configfs_dir_cache", "configfs_dirent", FIT_EXACT },
	{ "kernfs_iattrs_cache", "kernfs_iattrs", FIT_EXACT },
	{ "ip_dst_cache", "rtable", FIT_EXACT },        /* net/ipv4/route.c */
	{ "ip6_dst_cache", "rt6_info", FIT_EXACT },
	{ "ip_fib_trie", "key_vector", FIT_LONGER },    /* net/ipv4/fib_trie.c: tnode of one slot */
	{ "ip_fib_alias", "fib_alias", FIT_EXACT },
	{ "fib6_nodes", "fib6_node", FIT_EXACT },
	{ "inet_peer_cache", "inet_peer", FIT_EXACT },
	{ "arp_cache", "neighbour", FIT_LONGER },
	{ "tcp_bind_bucket", "inet_bind_bucket", FIT_EXACT }, /* net/ipv4/tcp.c */
	{ "tcp_bind2_bucket", "inet_bind2_bucket", FIT_EXACT },
	{ "bridge_fdb_cache", "net_bridge_fdb_entry", FIT_EXACT },
	{ "nf_conntrack", "nf_conn", FIT_LONGER },
	{ "nf_conntrack_expect", "nf_conntrack_expect", FIT_LONGER },
	{ "secpath_cache", "sec_path", FIT_EXACT },
	{ "xfrm_dst_cache", "xfrm_dst", FIT_EXACT },
	{ "xfrm_state", "xfrm_state", FIT_EXACT },
	{ "ip4-frags", "ipq", FIT_EXACT },              /* net/ipv4/ip_fragment.c */
	{ "ip6-frags", "frag_queue", FIT_EXACT },
	/* struct proto: caches are called as it is, sized by obj_size. net/ipv4, ipv6, unix ... */
	{ "TCP", "tcp_sock", FIT_EXACT },
	{ "TCPv6", "tcp6_sock", FIT_EXACT },
	{ "UDP", "udp_sock", FIT_EXACT },
	{ "UDPv6", "udp6_sock", FIT_EXACT },
	{ "UDP-Lite", "udp_sock", FIT_EXACT },
	{ "UDPLITEv6", "udp6_sock", FIT_EXACT },
	{ "RAW", "raw_sock", FIT_EXACT },
	{ "RAWv6", "raw6_sock", FIT_EXACT },
	{ "PING", "inet_sock", FIT_EXACT },
	{ "PINGv6", "raw6_sock", FIT_EXACT },
	{ "MPTCP", "mptcp_sock", FIT_EXACT },
	{ "MPTCPv6", "mptcp6_sock", FIT_EXACT },
	{ "UNIX", "unix_sock", FIT_EXACT },
	{ "UNIX-STREAM", "unix_sock", FIT_EXACT },
	{ "PACKET", "packet_sock", FIT_EXACT },
	{ "NETLINK", "netlink_sock", FIT_EXACT },
	{ "SCTP", "sctp_sock", FIT_EXACT },
	{ "request_sock_TCP", "tcp_request_sock", FIT_EXACT },
	{ "request_sock_TCPv6", "tcp_request_sock", FIT_EXACT },
	{ "tw_sock_TCP", "tcp_timewait_sock", FIT_EXACT },
	{ "tw_sock_TCPv6", "tcp_timewait_sock", FIT_EXACT },
	{ "tw_sock_TCPv6", "tcp6_timewait_sock", FIT_EXACT },
	{ "Acpi-Parse", "acpi_parse_object", FIT_EXACT }, /* drivers/acpi/acpica/utalloc.c */
	{ "Acpi-Namespace", "acpi_namespace_node", FIT_EXACT },
	{ "Acpi-State", "acpi_generic_state", FIT_EXACT },
	{ "Acpi-Operand", "acpi_operand_object", FIT_EXACT },
	{ "io_kiocb", "io_kiocb", FIT_EXACT },
	{ "bsg_cmd", "bsg_command", FIT_EXACT },
	{ "btrfs_delayed_node", "btrfs_delayed_node", FIT_EXACT },
	{ "xfs_ili", "xfs_inode_log_item", FIT_EXACT }, /* fs/xfs/xfs_super.c */
	{ "xfs_buf_item", "xfs_buf_log_item", FIT_EXACT },
	{ "xfs_ioend", "xfs_ioend", FIT_EXACT },
	{ "xfs_btree_cur", "xfs_btree_cur", FIT_LONGER },
	{ "nfs_inode_cache", "nfs_inode", FIT_EXACT },
	{ "nfs_read_data", "nfs_pgio_header", FIT_EXACT },
	{ "nfs_write_data", "nfs_pgio_header", FIT_EXACT },
	{ "rpc_inode_cache", "rpc_inode", FIT_EXACT },
	{ "rpc_tasks", "rpc_task", FIT_EXACT },
	{ "ovl_inode", "ovl_inode", FIT_EXACT },
	{ "fuse_request", "fuse_req", FIT_EXACT },
	{ "kvm_vcpu", "vcpu_vmx", FIT_LONGER },
	{ "mmu_page_header", "kvm_mmu_page", FIT_EXACT },
	{ "pte_list_desc", "pte_list_desc", FIT_EXACT },
	{ "rmap_item", "ksm_rmap_item", FIT_EXACT },
	{ "ksm_rmap_item", "ksm_rmap_item", FIT_EXACT },
	{ "ksm_stable_node", "ksm_stable_node", FIT_EXACT },
	{ "uid_cache", "user_struct", FIT_EXACT },
	{ "iommu_iova", "iova", FIT_EXACT },
	{ "dm_io", "dm_io", FIT_LONGER },
	{ "audit_tree_mark", "audit_tree_mark", FIT_EXACT },
	{ "dmaengine-unmap-2", "dmaengine_unmap_data", FIT_LONGER },
	{ "kioctx", "kioctx", FIT_EXACT },
	{ "perf_event", "perf_event", FIT_EXACT },
	{ "drm_i915_gem_object", "drm_i915_gem_object", FIT_EXACT },
	{ "i915_request", "i915_request", FIT_EXACT },
};

/* Endings that caches' names have and structs' have not; and the other way round. */
static const char *const cache_endings[] = {
	"", "_cache", "_cachep", "_slab", "_jar", "_pool", "_kmem", "_struct", "_head_cache", "s",
};
static const char *const struct_endings[] = {
	"", "_info", "_struct", "_s", "_state", "_node", "_entry", "_data", "_t", "_item", "_object",
};

/* Of these no object type can be told, however they are called. */
static const char *const general_names[] = {
	"kmalloc-*", "dma-kmalloc-*", "size-*", "names_cache", "kmalloc_*", "*_kmalloc-*",
	"rnd-*", "kmem_buckets*", "*-kmalloc-*", "memdup_user-*", "msg_msg-*",
};

/* sizeof of a complete struct or union of that name; 0 when there is none. */
static uint64_t size_of(struct session *s, const char *name)
{
	char tagged[96];
	struct type type;

	snprintf(tagged, sizeof(tagged), "struct %s", name);
	if (!types_find(s->types, tagged, &type) || !type_is_complete(type)) {
		snprintf(tagged, sizeof(tagged), "union %s", name);
		if (!types_find(s->types, tagged, &type))
			return 0;
	}
	return type_is_complete(type) ? type_size(type) : 0;
}

static bool fits(uint64_t size, uint64_t object_size, enum fit fit)
{
	if (!size || !object_size)
		return false;
	switch (fit) {
	case FIT_EXACT: /* sizes are rounded up to a word in kernels with a freelist outside */
		return size == object_size || ((size + 7) & ~UINT64_C(7)) == object_size;
	case FIT_LONGER:
		return size <= object_size && object_size <= 2 * size + 128;
	case FIT_SHORTER:
		return object_size <= size && object_size >= 64;
	}
	return false;
}

static const char *by_table(struct session *s, const struct cache_type *cache)
{
	for (size_t i = 0; i < array_size(known); i++) {
		if (strcmp(known[i].cache, cache->name) == 0 &&
		    fits(size_of(s, known[i].type), cache->object_size, known[i].fit))
			return known[i].type;
	}
	return NULL;
}

/* A name as identifiers are spelled: "Acpi-State" is acpi_state. False: too odd to be one. */
static bool spell_identifier(const char *name, char *buf, size_t size)
{
	size_t n = strlen(name);

	if (n + 1 > size || !n)
		return false;
	for (size_t i = 0; i <= n; i++) {
		unsigned char c = (unsigned char)name[i];
		buf[i] = c == '-' || c == ' ' || c == '.' ? '_' : (char)tolower(c);
	}
	return true;
}

static const char *try_name(struct cache_types *types, struct session *s,
			    const struct cache_type *cache, const char *stem, size_t length,
			    const char *ending, enum fit fit)
{
	char name[96];

	snprintf(name, sizeof(name), "%.*s%s", (int)length, stem, ending);
	if (!fits(size_of(s, name), cache->object_size, fit))
		return NULL;
	return arena_strdup(&types->arena, name);
}

static const char *by_name(struct cache_types *types, struct session *s,
			   const struct cache_type *cache)
{
	char stem[64];
	const char *type = NULL;

	if (!spell_identifier(cache->name, stem, sizeof(stem)))
		return NULL;
	size_t n = strlen(stem);
	for (size_t i = 0; i < array_size(cache_endings) && !type; i++) {
		size_t length = strlen(cache_endings[i]);
		if (length >= n || strcmp(stem + n - length, cache_endings[i]) != 0)
			continue;
		for (size_t j = 0; j < array_size(struct_endings) && !type; j++)
			type = try_name(types, s, cache, stem, n - length, struct_endings[j],
					FIT_EXACT);
	}
	/* Names of the struct itself: a flexible array may hang on it. */
	if (!type) {
		uint64_t size = size_of(s, stem);
		if (size >= 32 && size <= cache->object_size &&
		    cache->object_size <= size + size / 2)
			type = arena_strdup(&types->arena, stem);
	}
	return type;
}

static bool is_general(const char *name)
{
	for (size_t i = 0; i < array_size(general_names); i++) {
		if (glob_match(general_names[i], name))
			return true;
	}
	return false;
}

static struct cache_type *examine(struct cache_types *types, struct session *s, uint64_t address)
{
	struct cache_type *cache = arena_zalloc(&types->arena, sizeof(*cache));
	uint64_t refcount = 0, ctor = 0;

	if (!kread_string(s, address, "kmem_cache", "name", cache->name, sizeof(cache->name)) ||
	    !kread(s, address, "kmem_cache", "object_size", &cache->object_size))
		return cache;
	kread(s, address, "kmem_cache", "refcount", &refcount);
	kread(s, address, "kmem_cache", "ctor", &ctor);
	cache->constructed = ctor != 0;
	cache->general = is_general(cache->name);
	/* Boot caches have a refcount of -1 (create_boot_cache()): never merged. */
	cache->merged = (int32_t)refcount > 1;
	if (cache->general)
		return cache;
	cache->type = by_table(s, cache);
	cache->rule = CACHE_TYPE_TABLE;
	if (!cache->type) {
		cache->type = by_name(types, s, cache);
		cache->rule = CACHE_TYPE_NAME;
	}
	if (!cache->type) {
		if (!types->sites)
			types->sites = cache_sites_create(s);
		cache->type = cache_sites_type(types->sites, address, cache->object_size);
		cache->rule = CACHE_TYPE_CODE;
	}
	if (!cache->type)
		cache->rule = CACHE_TYPE_NONE;
	if (cache->merged) {
		cache->maybe = cache->type;
		cache->type = NULL;
	}
	return cache;
}

static void destroy(void *data)
{
	struct cache_types *types = data;

	map_deinit(&types->by_cache);
	cache_sites_destroy(types->sites);
	pthread_mutex_destroy(&types->lock);
	arena_deinit(&types->arena);
	free(types);
}

/* Threads that come here first at once: one makes it (the lock is of the session's slots). */
static struct cache_types *cache_types(struct session *s)
{
	static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&making);
	struct cache_types *types = s->slot[SLOT_CACHE_TYPES].data;
	if (!types) {
		types = xcalloc(1, sizeof(*types));
		pthread_mutex_init(&types->lock, NULL);
		s->slot[SLOT_CACHE_TYPES].data = types;
		s->slot[SLOT_CACHE_TYPES].destroy = destroy;
	}
	pthread_mutex_unlock(&making);
	return types;
}

const struct cache_type *cache_type_of(struct session *s, uint64_t kmem_cache)
{
	struct cache_types *types = cache_types(s);
	uint64_t found;

	pthread_mutex_lock(&types->lock);
	if (!map_get(&types->by_cache, kmem_cache, &found)) {
		found = (uint64_t)(uintptr_t)examine(types, s, kmem_cache);
		map_set(&types->by_cache, kmem_cache, found);
	}
	pthread_mutex_unlock(&types->lock);
	return (const struct cache_type *)(uintptr_t)found;
}

const char *cache_type(struct session *s, uint64_t kmem_cache)
{
	return cache_type_of(s, kmem_cache)->type;
}
