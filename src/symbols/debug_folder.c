// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Folders as users have them: a tree of a distribution's debug package, /lib/modules, or a heap of
 * files. Each is walked once, bounded, and the files that may be a module's or a kernel's by their
 * names are listed. Where depmod has left modules.dep, that is the list.
 *
 * '-' and '_' are the same in names of modules, as for modprobe.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/filemap.h"
#include "base/strbuf.h"
#include "symbols/debug_find.h"

enum { DEPTH_MAX = 16, ENTRIES_MAX = 1 << 18, NAME_BYTES = 256, PATH_BYTES = 4096 };

struct listed {
	const char *name; /* of the module; "" for a kernel's file */
	const char *path;
};

struct debug_folder {
	const char *path;
	struct {
		vec_fields(struct listed);
	} files;
	size_t seen;
};

void debug_folders_deinit(struct debug_folders *folders)
{
	vec_for_each (folder, folders) {
		vec_deinit(&(*folder)->files);
		free(*folder);
	}
	vec_deinit(folders);
	arena_deinit(&folders->arena);
}

static bool cut_suffix(char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	if (n <= k || strcmp(name + n - k, suffix) != 0)
		return false;
	name[n - k] = '\0';
	return true;
}

/* What a file is by its name: a module's, with '_' for '-', or "" for a kernel's. */
static bool name_of_file(const char *base, char name[NAME_BYTES])
{
	if (snprintf(name, NAME_BYTES, "%s", base) >= NAME_BYTES)
		return false;
	(void)(cut_suffix(name, ".xz") || cut_suffix(name, ".zst") || cut_suffix(name, ".gz"));
	(void)cut_suffix(name, ".debug");
	if (cut_suffix(name, ".ko")) {
		for (char *c = name; *c; c++)
			*c = *c == '-' ? '_' : *c;
		return true;
	}
	if (strcmp(name, "vmlinux") != 0 && !starts_with(name, "vmlinux-"))
		return false;
	name[0] = '\0';
	return true;
}

static void list_file(struct debug_folders *folders, struct debug_folder *folder, const char *path)
{
	const char *slash = strrchr(path, '/');
	char name[NAME_BYTES];

	if (name_of_file(slash ? slash + 1 : path, name))
		vec_push(&folder->files, (struct listed){ arena_strdup(&folders->arena, name),
							  arena_strdup(&folders->arena, path) });
}

static void walk_folder(struct debug_folders *folders, struct debug_folder *folder,
			const char *path, unsigned depth)
{
	DIR *dir = depth < DEPTH_MAX ? opendir(path) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) && folder->seen++ < ENTRIES_MAX) {
		char below[PATH_BYTES];
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >=
			    (int)sizeof(below))
			continue;
		unsigned char type = entry->d_type;
		struct stat st;
		if (type == DT_UNKNOWN && lstat(below, &st) == 0)
			type = S_ISDIR(st.st_mode) ? DT_DIR : DT_REG;
		/* Links to folders (build, source) would lead out of the tree, or round in it. */
		if (type == DT_DIR)
			walk_folder(folders, folder, below, depth + 1);
		else
			list_file(folders, folder, below);
	}
	if (dir)
		closedir(dir);
}

/* Lines of "kernel/net/foo.ko.xz: what it needs". */
static bool read_modules_dep(struct debug_folders *folders, struct debug_folder *folder)
{
	char path[PATH_BYTES];
	struct filemap *map;

	snprintf(path, sizeof(path), "%s/modules.dep", folder->path);
	if (access(path, R_OK) != 0)
		return false;
	struct error *err = filemap_open(path, &map);
	if (err) {
		error_free(err);
		return false;
	}
	const char *at = (const char *)map->data, *end = at ? at + map->size : at;
	for (size_t lines = 0; at && at < end && lines < ENTRIES_MAX; lines++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		const char *colon = memchr(at, ':', (size_t)(stop - at));
		int n = colon ? (int)min_u64((uint64_t)(colon - at), PATH_BYTES / 2) : 0;
		snprintf(path, sizeof(path), *at == '/' ? "%s%.*s" : "%s/%.*s",
			 *at == '/' ? "" : folder->path, n, at);
		if (n)
			list_file(folders, folder, path);
		at = stop + 1;
	}
	filemap_close(map);
	return folder->files.count;
}

static struct debug_folder *folder_at(struct debug_folders *folders, const char *path)
{
	struct debug_folder *folder;

	vec_for_each (known, folders) {
		if (strcmp((*known)->path, path) == 0)
			return *known;
	}
	folder = xcalloc(1, sizeof(*folder));
	folder->path = arena_strdup(&folders->arena, path);
	if (!read_modules_dep(folders, folder))
		walk_folder(folders, folder, path, 0);
	vec_push(folders, folder);
	return folder;
}

bool debug_folder_each(struct debug_folders *folders, const char *path, const char *module,
		       const char *release, debug_path_fn fn, void *ctx)
{
	struct debug_folder *folder = folder_at(folders, path);
	char wanted[NAME_BYTES] = "";

	if (module)
		snprintf(wanted, sizeof(wanted), "%s", module);
	for (char *c = wanted; *c; c++)
		*c = *c == '-' ? '_' : *c;
	/* A folder may have several kernels: this release's first. */
	for (unsigned pass = 0; pass < 2; pass++) {
		vec_for_each (file, &folder->files) {
			bool ours = *release && strstr(file->path, release);
			if (ours == !pass && strcmp(file->name, wanted) == 0 &&
			    !fn(ctx, file->path))
				return false;
		}
	}
	return true;
}
