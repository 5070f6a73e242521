// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The functions and source lines around an address. In its compile unit, the subprogram that has
 * it is looked for among the top-level entries, and in that the inlined subroutines, one within the
 * other (lexical blocks between them are passed through). The line table gives the innermost line;
 * each inlined subroutine says where it was called from, which is the line in the one around it.
 *
 * Damaged entries may nest or repeat without end: depth and the number of entries looked at are
 * bounded, and siblings must move forward.
 */
#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "symbols/debug_module.h"

enum {
	DEPTH_MAX = 64,
	ENTRIES_MAX = 1 << 20, /* looked at for one address */
	PATH_MAX_BYTES = 4096,
};

/* --- Names of files. --- */

void source_path_clean(char *path)
{
	char *out = path, *floor = path;
	const char *in = path;

	if (*in == '/')
		out = floor = path + 1, in++;
	while (*in) {
		size_t n = strcspn(in, "/");
		bool up = n == 2 && in[0] == '.' && in[1] == '.';
		if (up && (out > floor || (*path == '/' && out == path + 1))) {
			/* Back over the last component and its slash. */
			out -= out > floor;
			while (out > floor && out[-1] != '/')
				out--;
		} else if (n && !(n == 1 && in[0] == '.')) {
			memmove(out, in, n);
			out += n;
			if (up)
				floor = out + (in[n] == '/');
			if (in[n] == '/')
				*out++ = '/';
		}
		in += n;
		in += *in == '/';
	}
	*out = '\0';
}

static const char *string_attr(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attr;

	return dwarf_attr(die, name, &attr) ? dwarf_formstring(&attr) : NULL;
}

/*
 * Where the kernel's sources lay: the first unit of every x86 vmlinux is arch/x86/kernel/head_64.S
 * (it must be linked first), other architectures have theirs in arch/ as well. What stands before
 * that in its name is what all absolute names start with. Empty when names are relative.
 */
static void find_root(struct debug_module *kernel)
{
	Dwarf_Die unit;
	uint64_t bias;

	if (kernel->root_tried)
		return;
	kernel->root_tried = true;
	if (!debug_module_dwarf(kernel, &bias) || !debug_module_unit_at(kernel, 0, &unit))
		return;
	const char *name = string_attr(&unit, DW_AT_name);
	const char *arch = name ? strstr(name, "/arch/") : NULL;
	for (const char *next = arch; next; next = strstr(next + 1, "/arch/"))
		arch = next;
	if (!arch || name[0] != '/')
		return;
	pthread_mutex_lock(&kernel->info->lock);
	kernel->root = arena_strndup(&kernel->info->arena, name, (size_t)(arch - name) + 1);
	pthread_mutex_unlock(&kernel->info->lock);
}

static const char *without_prefix(const char *path, const char *prefix)
{
	size_t n = prefix ? strlen(prefix) : 0;

	while (n && prefix[n - 1] == '/')
		n--;
	if (!n || strncmp(path, prefix, n) != 0 || path[n] != '/')
		return path;
	return path + n + 1;
}

/* A clean copy of @path in @buf; "" when it is too long. */
static void copy_clean(const char *path, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%s", path);

	if (n < 0 || (size_t)n >= size)
		buf[0] = '\0';
	source_path_clean(buf);
}

/* As the kernel's own tree names it; what lies outside of the tree keeps its whole path. */
static const char *file_name(struct debug_module *m, Dwarf_Die *unit, const char *name)
{
	struct debuginfo *info = m->info;
	char path[PATH_MAX_BYTES], comp_dir[PATH_MAX_BYTES] = "";
	const char *dir = string_attr(unit, DW_AT_comp_dir);

	if (!name)
		return NULL;
	copy_clean(name, path, sizeof(path));
	if (dir)
		copy_clean(dir, comp_dir, sizeof(comp_dir));
	const char *rest = without_prefix(path, comp_dir);
	if (rest == path && info->kernel)
		rest = without_prefix(path, info->kernel->root);
	return *rest ? arena_strdup(&info->arena, rest) : NULL;
}

/* --- Entries. --- */

struct die_walk {
	struct debug_module *module;
	Dwarf_Die unit;
	uint64_t pc; /* as the file counts */
	unsigned entries;
	const char *damage; /* what is wrong with the entries; NULL: nothing was seen */
	Dwarf_Die chain[SOURCE_FRAMES_MAX]; /* outermost first: the function, what is inlined */
	unsigned depth;
};

static bool next_sibling(struct die_walk *w, Dwarf_Die *die)
{
	Dwarf_Die next;

	int status = dwarf_siblingof(die, &next);
	if (status < 0)
		w->damage = dwarf_errmsg(-1);
	else if (status == 0 && (const char *)next.addr <= (const char *)die->addr)
		w->damage = "its entries lead back to themselves";
	else if (++w->entries > ENTRIES_MAX)
		w->damage = "a unit has too many entries";
	if (status != 0 || w->damage)
		return false;
	*die = next;
	return true;
}

static bool first_child(struct die_walk *w, Dwarf_Die *parent, unsigned depth, Dwarf_Die *child)
{
	int status = depth < DEPTH_MAX ? dwarf_child(parent, child) : -1;

	if (status < 0)
		w->damage = depth < DEPTH_MAX ? dwarf_errmsg(-1) : "its entries nest too deep";
	return status == 0;
}

static bool has_range(Dwarf_Die *die)
{
	return dwarf_hasattr(die, DW_AT_low_pc) || dwarf_hasattr(die, DW_AT_ranges);
}

static bool covers(struct die_walk *w, Dwarf_Die *die)
{
	int status = has_range(die) ? dwarf_haspc(die, w->pc) : 0;

	if (status < 0)
		w->damage = dwarf_errmsg(-1);
	return status == 1;
}

static void walk_inlined(struct die_walk *w, Dwarf_Die *parent, unsigned depth)
{
	Dwarf_Die die;
	unsigned before = w->depth;

	if (!first_child(w, parent, depth, &die))
		return;
	do {
		int tag = dwarf_tag(&die);
		if (tag == DW_TAG_inlined_subroutine && covers(w, &die)) {
			if (w->depth < SOURCE_FRAMES_MAX)
				w->chain[w->depth++] = die;
			walk_inlined(w, &die, depth + 1);
			return;
		}
		/* Whatever a block's own ranges are: gcc's may be empty (DWARF 4: a pair of zeros). */
		if (tag == DW_TAG_lexical_block) {
			walk_inlined(w, &die, depth + 1);
			if (w->depth != before)
				return;
		}
	} while (next_sibling(w, &die));
}

/* C has functions at the top only, Rust within namespaces and types. */
static bool may_hold_functions(int tag, bool c)
{
	return tag == DW_TAG_namespace ||
	       (!c && (tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
		       tag == DW_TAG_enumeration_type));
}

static bool walk_functions(struct die_walk *w, Dwarf_Die *parent, bool c, unsigned depth)
{
	Dwarf_Die die;

	if (!first_child(w, parent, depth, &die))
		return false;
	do {
		int tag = dwarf_tag(&die);
		if (tag == DW_TAG_subprogram && covers(w, &die)) {
			w->chain[w->depth++] = die;
			walk_inlined(w, &die, 0);
			return true;
		}
		if (may_hold_functions(tag, c) && walk_functions(w, &die, c, depth + 1))
			return true;
	} while (next_sibling(w, &die));
	return false;
}

static bool is_c(Dwarf_Die *unit)
{
	/* Rust is 0x1c (DWARF 5, table 7.17). */
	return dwarf_srclang(unit) != DW_LANG_Rust;
}

static unsigned number_attr(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attr) || dwarf_formudata(&attr, &value) != 0 ||
	    value > UINT32_MAX)
		return 0;
	return (unsigned)value;
}

/* The place of the call that @inlined stands for. */
static struct source_line call_line(struct die_walk *w, Dwarf_Die *inlined)
{
	struct source_line line = {
		.line = number_attr(inlined, DW_AT_call_line),
		.column = number_attr(inlined, DW_AT_call_column),
	};
	Dwarf_Files *files;
	size_t count;
	unsigned file = number_attr(inlined, DW_AT_call_file);

	if (dwarf_hasattr(inlined, DW_AT_call_file) &&
	    dwarf_getsrcfiles(&w->unit, &files, &count) == 0 && file < count)
		line.file = file_name(w->module, &w->unit, dwarf_filesrc(files, file, NULL, NULL));
	return line;
}

static struct source_line table_line(struct die_walk *w)
{
	struct source_line line = { 0 };
	Dwarf_Lines *lines;
	size_t count;
	int number = 0, column = 0;

	if (dwarf_hasattr(&w->unit, DW_AT_stmt_list) &&
	    dwarf_getsrclines(&w->unit, &lines, &count) != 0)
		w->damage = dwarf_errmsg(-1);
	Dwarf_Line *row = dwarf_getsrc_die(&w->unit, w->pc);

	/* Line 0 is code that belongs to no line (DWARF 5, 6.2.2). */
	if (!row || dwarf_lineno(row, &number) != 0 || number <= 0)
		return line;
	line.line = (unsigned)number;
	if (dwarf_linecol(row, &column) == 0 && column > 0)
		line.column = (unsigned)column;
	line.file = file_name(w->module, &w->unit, dwarf_linesrc(row, NULL, NULL));
	return line;
}

static const char *function_name(struct debuginfo *info, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);

	return name ? arena_strdup(&info->arena, name) : NULL;
}

/* --- Answers, kept by address. --- */

struct cached_frames debug_module_frames(struct debug_module *m, uint64_t address)
{
	struct debuginfo *info = m->info;
	struct cached_frames result = { 0 };
	auto_free struct die_walk *w = xcalloc(1, sizeof(*w));
	uint64_t bias;

	w->module = m;
	if (!debug_module_unit(m, address, &w->unit))
		return result;
	debug_module_dwarf(m, &bias);
	w->pc = address - bias;
	walk_functions(w, &w->unit, is_c(&w->unit), 0);
	struct source_line line = table_line(w);
	if (w->damage)
		debuginfo_note(info, error_new(ERROR_FORMAT, "%s: its debug info is damaged: %s",
					       m->file->path, w->damage));
	if (!w->depth && !line.line)
		return result;
	/* Assembler units may have lines and no functions. */
	result.count = w->depth ? w->depth : 1;
	struct source_frame *frames = arena_zalloc(&info->arena, result.count * sizeof(*frames));
	for (size_t i = 0; i < result.count; i++) {
		Dwarf_Die *die = w->depth ? &w->chain[w->depth - 1 - i] : NULL;
		frames[i].at = line;
		frames[i].function = die ? function_name(info, die) : NULL;
		frames[i].inlined = i + 1 < result.count;
		if (frames[i].inlined)
			line = call_line(w, die);
	}
	result.frames = frames;
	return result;
}

static struct cached_frames cached(struct debuginfo *info, uint64_t address)
{
	struct debug_module *m = debuginfo_of(info, address);
	struct debug_module *kernel = m ? debuginfo_kernel(info) : NULL;
	struct cached_frames result = { 0 };
	uint64_t number, bias;

	if (!m)
		return result;
	if (kernel) {
		debug_module_lock(kernel);
		find_root(kernel);
		debug_module_unlock(kernel);
	}
	debug_module_lock(m);
	/* Placing a module's sections asks the kernel station: not under the last lock. */
	debug_module_dwarf(m, &bias);
	pthread_mutex_lock(&info->lock);
	if (map_get(&info->by_address, address, &number)) {
		result = info->frames.data[number];
	} else {
		result = debug_module_frames(m, address);
		map_set(&info->by_address, address, info->frames.count);
		vec_push(&info->frames, result);
	}
	pthread_mutex_unlock(&info->lock);
	debug_module_unlock(m);
	return result;
}

size_t debuginfo_frames(struct debuginfo *info, uint64_t address,
			struct source_frame frames[SOURCE_FRAMES_MAX])
{
	struct cached_frames found = info ? cached(info, address) : (struct cached_frames){ 0 };

	if (found.count)
		memcpy(frames, found.frames, found.count * sizeof(*frames));
	return found.count;
}

bool debuginfo_line(struct debuginfo *info, uint64_t address, struct source_line *line)
{
	struct cached_frames found = info ? cached(info, address) : (struct cached_frames){ 0 };

	*line = found.count ? found.frames[0].at : (struct source_line){ 0 };
	return found.count && line->line;
}
