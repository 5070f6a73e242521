// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names of files. A dentry names a file in its folder, which is its parent; a file system's root is
 * its own parent. A struct mount hangs a file system's root (or a part of it) over a dentry of the
 * parent mount. A path is put together from its end: up the parents to the mount's root, then on
 * from the place where it is mounted, up to the mount that is its own parent (fs/d_path.c).
 *
 * Files of kernel-internal file systems have no place in the tree: their dentry operations make up
 * a name (d_dname), "pipe:[inode]" and so on. Which one is told by the file system's name.
 */
#include "kernel/mappings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 256, MOUNTS_MAX = 256, NAME_BYTES = 256, PATH_BYTES = 4096 };

/* A path that grows towards its front. */
struct path {
	struct session *session;
	char text[PATH_BYTES];
	size_t start; /* text[start..] is what there is so far */
	bool whole;
};

static void path_init(struct path *path, struct session *s)
{
	path->session = s;
	path->start = sizeof(path->text) - 1;
	path->text[path->start] = '\0';
	path->whole = true;
}

static void prepend(struct path *path, const char *text)
{
	size_t length = strlen(text);

	if (length > path->start) {
		path->whole = false;
		length = path->start;
	}
	path->start -= length;
	memcpy(path->text + path->start, text, length);
}

/* What comes before it is not in the dump. */
static void lose_front(struct path *path)
{
	path->whole = false;
	prepend(path, "/...");
}

static bool finish(const struct path *path, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%s", path->text + path->start);

	return path->whole && n >= 0 && (size_t)n < size;
}

static bool dentry_name(struct session *s, uint64_t dentry, char name[NAME_BYTES])
{
	uint64_t at, length;

	name[0] = '\0';
	if (!kread(s, dentry, "dentry", "d_name.name", &at) ||
	    !kread(s, dentry, "dentry", "d_name.len", &length) || length >= NAME_BYTES)
		return false;
	return memory_string(s->memory, at, name, (size_t)length + 1) == READ_OK &&
	       strlen(name) == length;
}

/*
 * Puts the names from @dentry up to, not with, @root in front; stops at the file system's root as
 * well. Tells whether @root was met.
 */
static bool climb(struct path *path, uint64_t dentry, uint64_t root)
{
	char name[NAME_BYTES + 1] = "/";
	uint64_t parent;

	for (unsigned i = 0; i < DEPTH_MAX; i++) {
		if (dentry == root)
			return true;
		if (!kread(path->session, dentry, "dentry", "d_parent", &parent)) {
			lose_front(path);
			return false;
		}
		if (parent == dentry)
			return false;
		if (!dentry_name(path->session, dentry, name + 1)) {
			path->whole = false;
			strcpy(name + 1, "?");
		}
		prepend(path, name);
		dentry = parent;
	}
	path->whole = false;
	return false;
}

/* Taken out of its folder, so deleted: its hash link is empty (d_unhashed(), linux/dcache.h). */
static void prepend_deleted(struct path *path, uint64_t dentry)
{
	struct session *s = path->session;
	uint64_t hashed, parent;

	if (!kread(s, dentry, "dentry", "d_hash.pprev", &hashed) ||
	    !kread(s, dentry, "dentry", "d_parent", &parent))
		path->whole = false;
	else if (!hashed && parent != dentry)
		prepend(path, " (deleted)");
}

static void finish_root(struct path *path)
{
	if (!path->text[path->start])
		prepend(path, "/");
}

bool dentry_path(struct session *s, uint64_t dentry, char *buf, size_t size)
{
	struct path path;

	path_init(&path, s);
	climb(&path, dentry, 0);
	finish_root(&path);
	return finish(&path, buf, size);
}

/* The whole way from @dentry in @mount (a struct mount) to the root of all mounts. */
static bool mount_path(struct session *s, uint64_t mount, uint64_t dentry, char *buf, size_t size)
{
	struct path path;
	uint64_t root, parent;

	path_init(&path, s);
	prepend_deleted(&path, dentry);
	size_t tail = path.start;
	for (unsigned i = 0; i < MOUNTS_MAX; i++) {
		if (!kread(s, mount, "mount", "mnt.mnt_root", &root)) {
			climb(&path, dentry, 0);
			lose_front(&path);
			break;
		}
		/* A file beyond the mount's root: unreachable (bind mount of a folder, moved). */
		if (!climb(&path, dentry, root))
			break;
		if (!kread(s, mount, "mount", "mnt_parent", &parent) ||
		    (parent != mount && !kread(s, mount, "mount", "mnt_mountpoint", &dentry))) {
			lose_front(&path);
			break;
		}
		if (parent == mount)
			break;
		mount = parent;
	}
	if (path.start == tail)
		prepend(&path, "/");
	return finish(&path, buf, size);
}

/* --- Files without a place in the tree. --- */

static bool fs_type(struct session *s, uint64_t dentry, char name[32])
{
	uint64_t sb, type;

	return kread(s, dentry, "dentry", "d_sb", &sb) &&
	       kread(s, sb, "super_block", "s_type", &type) &&
	       kread_string(s, type, "file_system_type", "name", name, 32);
}

/*
 * "net:[4026531840]": the kind stands in the operations of its namespace, which hangs on the inode
 * (fs/nsfs.c).
 */
static void namespace_name(struct session *s, uint64_t inode, const char *number, char *buf,
			   size_t size)
{
	char kind[32] = "";
	uint64_t ops, ns;

	if (!kread(s, inode, "inode", "i_private", &ns) || !ns ||
	    !kread(s, ns, "ns_common", "ops", &ops) ||
	    !kread_string(s, ops, "proc_ns_operations", "name", kind, sizeof(kind)) || !kind[0])
		strcpy(kind, "ns");
	snprintf(buf, size, "%s:[%s]", kind, number);
}

/*
 * A name that the file system makes up (d_dname); false when it does not. A part of it that the
 * dump lacks is "?", and *@whole false.
 */
static bool made_up_name(struct session *s, uint64_t dentry, char *buf, size_t size, bool *whole)
{
	uint64_t ops, dname, inode = 0, ino;
	char type[32] = "", name[NAME_BYTES], number[24] = "?";

	if (!kread(s, dentry, "dentry", "d_op", &ops) || !ops ||
	    !kread(s, ops, "dentry_operations", "d_dname", &dname) || !dname)
		return false;
	kread(s, dentry, "dentry", "d_inode", &inode);
	if (kread(s, inode, "inode", "i_ino", &ino))
		snprintf(number, sizeof(number), "%" PRIu64, ino);
	bool typed = fs_type(s, dentry, type), numbered = true;
	bool named = dentry_name(s, dentry, name);
	if (!named)
		strcpy(name, "?");
	if (!typed)
		snprintf(buf, size, "?:[%s]", number);
	else if (strcmp(type, "pipefs") == 0)
		snprintf(buf, size, "pipe:[%s]", number);
	else if (strcmp(type, "sockfs") == 0)
		snprintf(buf, size, "socket:[%s]", number);
	else if (strcmp(type, "nsfs") == 0)
		namespace_name(s, inode, number, buf, size);
	else
		numbered = false;
	if (!numbered && strcmp(type, "anon_inodefs") == 0)
		snprintf(buf, size, "anon_inode:%s", name);
	else if (!numbered && strcmp(type, "dmabuf") == 0)
		snprintf(buf, size, "/%s:", name);
	else if (!numbered)
		snprintf(buf, size, "/%s (deleted)", name);
	*whole = typed && (numbered ? strcmp(number, "?") != 0 : named);
	return true;
}

bool place_path(struct session *s, uint64_t vfsmount, uint64_t dentry, char *buf, size_t size)
{
	uint64_t root = 0, mount;
	bool whole;

	if (size)
		buf[0] = '\0';
	if (!dentry)
		return false;
	if (!vfsmount)
		return dentry_path(s, dentry, buf, size) && false;
	kread(s, vfsmount, "vfsmount", "mnt_root", &root);
	if (dentry != root && made_up_name(s, dentry, buf, size, &whole))
		return whole;
	mount = kcontainer(s, vfsmount, "mount", "mnt");
	if (!mount)
		return dentry_path(s, dentry, buf, size) && false;
	return mount_path(s, mount, dentry, buf, size);
}

bool file_path(struct session *s, uint64_t file, char *buf, size_t size)
{
	uint64_t dentry, vfsmount;

	if (size)
		buf[0] = '\0';
	if (!file || !kread(s, file, "file", "f_path.dentry|__f_path.dentry", &dentry) || !dentry)
		return false;
	kread(s, file, "file", "f_path.mnt|__f_path.mnt", &vfsmount);
	return place_path(s, vfsmount, dentry, buf, size);
}

/* --- Without a struct mount: some place where the file system is mounted. --- */

/*
 * Its namespace; 0 where users do not see it. Mounts of the kernel's own are in none, or in one
 * that is an error number (MNT_NS_INTERNAL, fs/mount.h). False where that cannot be read.
 */
static bool namespace_of(struct session *s, uint64_t mount, uint64_t *ns)
{
	bool known = kread(s, mount, "mount", "mnt_ns", ns);

	if (!s->arch->is_kernel_address(*ns) || *ns >= -(uint64_t)4096)
		*ns = 0;
	return known;
}

/* The namespace of mounts that the first process began with. */
static bool first_namespace(struct session *s, uint64_t *ns)
{
	uint64_t proxy = s->symbols ? symbols_address(s->symbols, "init_nsproxy") : 0;

	*ns = 0;
	return !proxy || kread(s, proxy, "nsproxy", "mnt_ns", ns);
}

/* Is @dentry the directory @root, or below it? */
static bool is_below(struct session *s, uint64_t dentry, uint64_t root)
{
	uint64_t parent;

	for (unsigned i = 0; i < DEPTH_MAX; i++, dentry = parent) {
		if (dentry == root)
			return true;
		if (!kread(s, dentry, "dentry", "d_parent", &parent) || parent == dentry)
			return false;
	}
	return false;
}

/* How well a mount shows @dentry (0: any) to users: bits, the greater the better. */
enum { SHOWS_ALL = 1, SHOWS_IN_FIRST = 2, SHOWS_IT = 4, SHOWS_BEST = 7 };

static unsigned shows(struct session *s, uint64_t mount, uint64_t sb, uint64_t dentry,
		      bool in_first)
{
	uint64_t root = 0, whole = 0;

	(void)kread(s, mount, "mount", "mnt.mnt_root", &root);
	(void)kread(s, sb, "super_block", "s_root", &whole);
	bool all = root && root == whole;
	return (all ? SHOWS_ALL : 0) | (in_first ? SHOWS_IN_FIRST : 0) |
	       (all || !dentry || is_below(s, dentry, root) ? SHOWS_IT : 0);
}

/*
 * A mount of @sb that shows @dentry (0: any) to users: the whole file system rather than a part of
 * it, and if possible in the first namespace: others have their file systems elsewhere
 * (devtmpfsd's /dev is its root). 0: none. False: there may be one.
 */
static bool visible_mount(struct session *s, uint64_t sb, uint64_t dentry, uint64_t *found)
{
	uint64_t offset, link, head = 0, next, first, ns;
	unsigned best = 0;
	bool told = first_namespace(s, &first);
	bool single = koffset(s, "mount", "mnt_next_for_sb", &offset);

	*found = 0;
	if (!single && (!koffset(s, "mount", "mnt_instance", &offset) ||
			!koffset(s, "super_block", "s_mounts", &head)))
		return false;
	if (!kread(s, sb, "super_block", single ? "s_mounts" : "s_mounts.next", &link))
		return false;
	for (unsigned i = 0; i < MOUNTS_MAX && link && (single || link != sb + head); i++) {
		uint64_t mount = single ? link : link - offset;
		told &= namespace_of(s, mount, &ns);
		unsigned how = ns ? shows(s, mount, sb, dentry, ns == first) : 0;
		if (ns && (!*found || how > best)) {
			*found = mount;
			best = how;
		}
		if (best == SHOWS_BEST)
			return true;
		if (memory_u64(s->memory, mount + offset, &next) != READ_OK)
			return false;
		link = next;
	}
	return told;
}

bool mounted_dentry_path(struct session *s, uint64_t dentry, char *buf, size_t size)
{
	uint64_t sb, mount = 0;
	bool whole;

	if (made_up_name(s, dentry, buf, size, &whole))
		return whole;
	bool told = kread(s, dentry, "dentry", "d_sb", &sb) && visible_mount(s, sb, dentry, &mount);
	whole = mount ? mount_path(s, mount, dentry, buf, size)
		      : dentry_path(s, dentry, buf, size);
	return whole && told;
}

bool inode_path(struct session *s, uint64_t inode, char *buf, size_t size)
{
	uint64_t alias, dentry;

	if (size)
		buf[0] = '\0';
	if (!kread(s, inode, "inode", "i_dentry.first", &alias) || !alias)
		return false;
	dentry = kcontainer(s, alias, "dentry", "d_u.d_alias|d_alias");
	return dentry && mounted_dentry_path(s, dentry, buf, size);
}

bool super_block_path(struct session *s, uint64_t sb, char *buf, size_t size)
{
	uint64_t mount, root;

	if (size)
		buf[0] = '\0';
	return visible_mount(s, sb, 0, &mount) && mount && kread(s, mount, "mount", "mnt.mnt_root", &root) &&
	       mount_path(s, mount, root, buf, size);
}

bool mount_point(struct session *s, uint64_t mount, char *buf, size_t size)
{
	uint64_t root;

	if (size)
		buf[0] = '\0';
	return kread(s, mount, "mount", "mnt.mnt_root", &root) &&
	       mount_path(s, mount, root, buf, size);
}
