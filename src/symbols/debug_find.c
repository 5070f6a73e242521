// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Looks for a debug file: what the user named, then by build-id, by release, and in the folders
 * where distributions put them; debuginfod's servers last, and only when asked to. A candidate must
 * have DWARF and belong to the dump: by build-id where both have one, else by the kernel's banner
 * or the module's srcversion. The first that does is taken; the others are told about only when
 * there is none.
 */
#include "symbols/debug_find.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "symbols/build_id.h"

enum { PATH_BYTES = 4096, BANNER_BYTES = 512 };

struct search {
	struct debug_folders *folders;
	const struct debug_wanted *wanted;
	debug_note_fn note;
	void *ctx;
	struct debug_file *found, *other; /* @other: the first that does not belong */
	struct error *other_error;
	const char *how;  /* it is known to belong */
	const char *release; /* "" when it could not be part of a path */
};

/* --- Does it belong? --- */

static struct error *check_banner(struct search *s, const struct debug_file *file)
{
	char banner[BANNER_BYTES];

	if (!debug_file_text(file, "linux_banner", banner, sizeof(banner)))
		return NULL;
	banner[strcspn(banner, "\n")] = '\0';
	if (strncmp(banner, s->wanted->banner, strlen(s->wanted->banner)) == 0) {
		s->how = "its banner matches";
		return NULL;
	}
	return error_new(ERROR_USAGE, "it is of another kernel: \"%s\", the dump's is \"%s\"", banner,
			 s->wanted->banner);
}

static struct error *check(struct search *s, const struct debug_file *file)
{
	const struct debug_wanted *w = s->wanted;

	if (file->machine != w->machine)
		return error_new(ERROR_USAGE, "it is for another architecture");
	if (w->module && !file->relocatable)
		return error_new(ERROR_USAGE, "it is no module");
	s->how = "not checked: the dump or the file has no build-id";
	if (*file->build_id && *w->build_id) {
		s->how = "build-id matches";
		return build_id_check(file->build_id, w->build_id);
	}
	if (!w->module && *w->banner)
		return check_banner(s, file);
	if (w->module && *w->srcversion && *file->srcversion) {
		s->how = "srcversion matches";
		if (strcmp(w->srcversion, file->srcversion) != 0)
			return error_new(ERROR_USAGE, "it is another build of the module: its "
					 "srcversion is %s, the dump's %s", file->srcversion,
					 w->srcversion);
	}
	return NULL;
}

/* Takes over the file; true when it is the one. */
static bool consider(struct search *s, struct debug_file *file)
{
	struct error *err = check(s, file);

	if (!err) {
		s->found = file;
		return true;
	}
	err = error_prefix(err, "%s", file->path);
	if (s->other || file->machine != s->wanted->machine) {
		debug_file_close(file);
		error_free(err);
		return false;
	}
	s->other = file;
	s->other_error = err;
	return false;
}

/* --- Candidates. --- */

static bool try_path(struct search *s, const char *path, bool follow_link);

/* gdb's rule: beside the file, in .debug/ there, and below /usr/lib/debug. */
static bool try_debuglink(struct search *s, const struct debug_file *file)
{
	const char *slash = strrchr(file->path, '/');
	int n = slash ? (int)(slash - file->path) : 1;
	const char *dir = slash ? file->path : ".";
	char path[PATH_BYTES];

	/* The name is the file's own: it must not lead elsewhere. */
	if (!file->debuglink || strchr(file->debuglink, '/') || strcmp(file->debuglink, "..") == 0)
		return false;
	static const char *const forms[] = { "%s%.*s/%s", "%s%.*s/.debug/%s" };
	for (size_t i = 0; i < 4; i++) {
		const char *root = i < 2 ? "" : "/usr/lib/debug";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(path, sizeof(path), forms[i % 2], root, n, dir, file->debuglink);
#pragma GCC diagnostic pop
		if (strcmp(path, file->path) != 0 && try_path(s, path, false))
			return true;
	}
	return false;
}

static bool try_path(struct search *s, const char *path, bool follow_link)
{
	struct debug_file *file;
	struct stat st;

	if (s->found)
		return true;
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || access(path, R_OK) != 0)
		return false;
	struct error *err = debug_file_open(path, &file);
	/* A System.map is for the symbol station, which says what is wrong with others. */
	if (err && err->code == ERROR_UNSUPPORTED && path == s->wanted->options->kernel) {
		error_free(err);
		return false;
	}
	if (err) {
		s->note(s->ctx, err);
		return false;
	}
	if (file->has_dwarf)
		return consider(s, file);
	bool found = follow_link && try_debuglink(s, file);
	debug_file_close(file);
	return found;
}

/* Calls for debug_folder_each(): true to go on. */
static bool try_listed(void *ctx, const char *path)
{
	return !try_path(ctx, path, true);
}

static bool try_build_id(struct search *s, const char *root)
{
	static const char *const trees[] = { "/usr/lib/debug/.build-id", "/.build-id" };
	const char *id = s->wanted->build_id;
	char path[PATH_BYTES];

	if (strlen(id) < 4 || id[strspn(id, "0123456789abcdef")])
		return false;
	for (size_t i = 0; i < array_size(trees); i++) {
		/* A tree at the top of the system is nobody's habit. */
		if (i && !*root)
			continue;
		snprintf(path, sizeof(path), "%s%s/%.2s/%s.debug", root, trees[i], id, id + 2);
		if (try_path(s, path, false))
			return true;
	}
	return false;
}

/* A vmlinux by its usual names; those without a release only in a folder that the user gave. */
static bool try_releases(struct search *s, const char *root)
{
	static const struct {
		const char *before, *after;
	} places[] = {
		{ "/usr/lib/debug/boot/vmlinux-", "" },
		{ "/usr/lib/debug/lib/modules/", "/vmlinux" },
		{ "/usr/lib/debug/vmlinux-", "" },
		{ "/usr/lib/debug/usr/lib/modules/", "/vmlinux" },
		{ "/lib/modules/", "/vmlinux" },
		{ "/lib/modules/", "/build/vmlinux" },
		{ "/boot/vmlinux-", "" },
		{ "/vmlinux-", "" },
		{ "/", "/vmlinux" },
	};
	static const char *const endings[] = { "", ".debug", ".xz", ".zst", ".gz" };
	char path[PATH_BYTES];

	if (!*s->release)
		return false;
	for (size_t i = 0; i < array_size(places); i++) {
		for (size_t k = 0; k < array_size(endings); k++) {
			snprintf(path, sizeof(path), "%s%s%s%s%s", root, places[i].before,
				 s->release, places[i].after, endings[k]);
			if (try_path(s, path, true))
				return true;
		}
	}
	return false;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A module's file below a root: where its release is, else anywhere in a folder of the user's. */
static bool try_module_folders(struct search *s, const char *root)
{
	static const char *const places[] = { "/usr/lib/debug/lib/modules/",
					      "/usr/lib/debug/usr/lib/modules/", "/lib/modules/" };
	char path[PATH_BYTES];

	for (size_t i = 0; *s->release && i < array_size(places); i++) {
		snprintf(path, sizeof(path), "%s%s%s", root, places[i], s->release);
		if (is_folder(path) &&
		    !debug_folder_each(s->folders, path, s->wanted->module, s->release, try_listed,
				       s))
			return true;
	}
	return false;
}

static bool try_root(struct search *s, const char *root)
{
	if (try_build_id(s, root) ||
	    (s->wanted->module ? try_module_folders(s, root) : try_releases(s, root)))
		return true;
	return *root && !debug_folder_each(s->folders, root, s->wanted->module, s->release,
					   try_listed, s);
}

/*
 * -k FILE. For a module, and for a FILE without debug info: the tree of a debug package that it is
 * in, the folder of a release (the one that vmlinux and kernel/ are in).
 */
static bool try_around(struct search *s, const char *file)
{
	static const char debug[] = "/usr/lib/debug/";
	char folder[PATH_BYTES], below[PATH_BYTES + 8];
	const char *in = strstr(file, debug), *slash = strrchr(file, '/');

	if (!s->wanted->module && try_path(s, file, true))
		return true;
	if (in && in != file) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(in - file), file);
		if (try_build_id(s, folder) ||
		    (s->wanted->module ? try_module_folders(s, folder) : try_releases(s, folder)))
			return true;
	}
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - file) : 1, slash ? file : ".");
	snprintf(below, sizeof(below), "%s/kernel", folder);
	return s->wanted->module && is_folder(below) &&
	       !debug_folder_each(s->folders, folder, s->wanted->module, s->release, try_listed, s);
}

static void search_named(struct search *s)
{
	const struct debug_options *o = s->wanted->options;

	if (s->wanted->module && o->modules && is_folder(o->modules))
		try_root(s, o->modules);
	else if (s->wanted->module && o->modules)
		try_path(s, o->modules, true);
	if (s->found || !o->kernel)
		return;
	if (!is_folder(o->kernel))
		try_around(s, o->kernel);
	else if (!try_root(s, o->kernel) && !s->other && !s->wanted->module)
		s->note(s->ctx, error_new(ERROR_NOT_FOUND, "%s: no vmlinux with debug info is in it",
					  o->kernel));
}

static void search_servers(struct search *s)
{
	const struct debug_wanted *w = s->wanted;
	struct debug_file *file;
	char *path = NULL;
	int fd = -1;

	if (!w->options->debuginfod || !*w->build_id)
		return;
	struct error *err = debuginfod_fetch(w->build_id, w->module ? w->module : "the kernel", &fd,
					     &path);
	if (!err && fd >= 0)
		err = debug_file_open_fd(fd, path, &file);
	if (err)
		s->note(s->ctx, err);
	else if (fd >= 0)
		consider(s, file);
	free(path);
}

/* --- The choice. --- */

static void settle_other(struct search *s)
{
	if (!s->other)
		return;
	if (s->found) {
		error_free(s->other_error);
		debug_file_close(s->other);
		return;
	}
	if (!s->wanted->options->force || (s->wanted->module && !s->other->relocatable)) {
		s->note(s->ctx, s->other_error);
		debug_file_close(s->other);
		return;
	}
	s->found = s->other;
	s->how = "FORCED, it is of another build: lines and types may be wrong";
	s->note(s->ctx, error_prefix(s->other_error, "used by --force, lines and types may be wrong"));
}

static char *describe(const struct search *s)
{
	const char *path = s->found->path, *slash = strrchr(path, '/');

	/* A file of a build-id tree has no name that says anything. */
	if (slash && !strstr(path, "/.build-id/"))
		path = slash + 1;
	return xasprintf("%s (%s)", path, s->how);
}

struct debug_file *debug_find(struct debug_folders *folders, const struct debug_wanted *wanted,
			      debug_note_fn note, void *ctx, char **text)
{
	struct search s = {
		.folders = folders, .wanted = wanted, .note = note, .ctx = ctx,
		.release = strchr(wanted->release, '/') ? "" : wanted->release,
	};

	search_named(&s);
	if (!s.found && !try_build_id(&s, "") && wanted->module)
		try_module_folders(&s, "");
	else if (!s.found)
		try_releases(&s, "");
	if (!s.found)
		search_servers(&s);
	settle_other(&s);
	*text = s.found ? describe(&s) : NULL;
	return s.found;
}
