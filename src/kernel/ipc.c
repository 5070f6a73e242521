// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * System V IPC: each kind of object has a struct ipc_ids in the namespace, with an IDR (an xarray
 * since 4.20) of struct kern_ipc_perm, which lies within the object itself (ipc/util.h, ipc/shm.c,
 * ipc/sem.c, ipc/msg.c).
 */
#include "kernel/ipc.h"

#include <inttypes.h>

#include "kernel/trees.h"

/* include/linux/shm.h */
enum { SHM_DEST = 01000, SHM_LOCKED = 02000 };
/* include/uapi/linux/magic.h */
#define HUGETLBFS_MAGIC 0x958458f6ul

uint64_t ipc_namespace(struct session *s, const struct task *task)
{
	uint64_t proxy, namespace;

	if (!task)
		return s->symbols ? symbols_address(s->symbols, "init_ipc_ns") : 0;
	return kread(s, task->address, "task_struct", "nsproxy", &proxy) && proxy &&
			       kread(s, proxy, "nsproxy", "ipc_ns", &namespace)
		       ? namespace : 0;
}

/*
 * A shared memory segment is a file of tmpfs, whose pages are in the page cache or in swap; with
 * SHM_HUGETLB one of hugetlbfs, whose inode is another struct, and which pages nrpages counts then
 * depends on the kernel.
 */
static void read_shm_pages(struct session *s, struct ipc_object *o)
{
	uint64_t mapping, info, sb, magic, size = PAGE_SIZE;

	o->pages = o->bytes / size + (o->bytes % size != 0);
	if (!o->file || !kread(s, o->file, "file", "f_inode", &o->inode) || !o->inode ||
	    !kread(s, o->file, "file", "f_mapping", &mapping) ||
	    !kread(s, o->inode, "inode", "i_sb", &sb) ||
	    !kread(s, sb, "super_block", "s_magic", &magic))
		return;
	o->huge = magic == HUGETLBFS_MAGIC;
	if (o->huge)
		return;
	info = kcontainer(s, o->inode, "shmem_inode_info", "vfs_inode");
	o->pages_known = info && kread(s, mapping, "address_space", "nrpages", &o->resident) &&
			 kread(s, info, "shmem_inode_info", "swapped", &o->swapped);
}

static void read_object(struct session *s, uint64_t perm, struct ipc_object *o)
{
	static const char *const structs[] = { "sem_array", "msg_queue", "shmid_kernel" };
	static const char *const perms[] = { "sem_perm", "q_perm", "shm_perm" };
	uint64_t id;

	o->address = kcontainer(s, perm, structs[o->kind], perms[o->kind]);
	o->incomplete = !o->address || !kread(s, perm, "kern_ipc_perm", "key", &o->key) ||
			!kread(s, perm, "kern_ipc_perm", "id", &id) ||
			!kread(s, perm, "kern_ipc_perm", "uid.val|uid", &o->uid) ||
			!kread(s, perm, "kern_ipc_perm", "mode", &o->mode);
	o->id = o->incomplete ? -1 : (int64_t)id;
	o->key &= UINT32_MAX;
	o->destroyed = o->mode & SHM_DEST;
	o->locked = o->mode & SHM_LOCKED;
	switch (o->kind) {
	case IPC_SHM:
		o->incomplete |= !kread(s, o->address, structs[IPC_SHM], "shm_segsz", &o->bytes) ||
				 !kread(s, o->address, structs[IPC_SHM], "shm_nattch",
					&o->attached) ||
				 !kread(s, o->address, structs[IPC_SHM], "shm_file", &o->file);
		read_shm_pages(s, o);
		break;
	case IPC_SEM:
		o->incomplete |= !kread(s, o->address, structs[IPC_SEM], "sem_nsems", &o->count);
		break;
	case IPC_MSG:
		o->incomplete |= !kread(s, o->address, structs[IPC_MSG], "q_qnum", &o->count) ||
				 !kread(s, o->address, structs[IPC_MSG], "q_cbytes",
					&o->used_bytes);
		break;
	}
}

void ipc_each(struct session *s, uint64_t namespace, enum ipc_kind kind,
	      struct walk_trouble *trouble, ipc_fn fn, void *ctx)
{
	static const char *const roots[] = {
		"ids[0].ipcs_idr.idr_rt", "ids[1].ipcs_idr.idr_rt", "ids[2].ipcs_idr.idr_rt",
	};
	struct tree_walk walk;
	struct tree_entry entry;
	uint64_t offset;

	if (!namespace || !koffset(s, "ipc_namespace", roots[kind], &offset)) {
		walk_trouble_add(trouble, "the IPC namespace is not known");
		return;
	}
	bool ok = tree_walk_init(&walk, s, TREE_XARRAY, namespace + offset);
	while (ok && !session_stopped(s) && tree_walk_step(&walk, &entry)) {
		struct ipc_object object = { .kind = kind };
		if (entry.kind != TREE_POINTER)
			continue;
		read_object(s, entry.address, &object);
		if (!fn(ctx, &object))
			break;
	}
	if (walk.trouble.count)
		walk_trouble_add(trouble, "%s", walk.trouble.text);
	tree_walk_fini(&walk);
}
