// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One Dwfl for each debug file, so that opening one never disturbs another. A kernel's file is
 * placed by the KASLR offset; a module's is relocatable, libdwfl asks section by section where it
 * was loaded and relocates the debug sections when they are first read.
 */
#include "symbols/debuginfo.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "symbols/build_id.h"
#include "symbols/debug_module.h"

enum { PROBLEMS_MAX = 100, SEGMENTS_MAX = 64, NOTES_BYTES = 1 << 14 };

struct debuginfo *debuginfo_create(struct memory *mem, struct symbols *symbols,
				   const struct debug_options *options, const char *release,
				   const char *build_id)
{
	struct debuginfo *info = xcalloc(1, sizeof(*info));

	info->mem = mem;
	info->symbols = symbols;
	info->options = *options;
	info->release = xstrdup(release);
	/* It names files: anything but digits is damage. */
	if (build_id[strspn(build_id, "0123456789abcdef")] == '\0')
		snprintf(info->build_id, sizeof(info->build_id), "%s", build_id);
	/* Recursive: a module's file may need the kernel's; problems are noted on the way. */
	pthread_mutexattr_t recursive;
	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&info->opening, &recursive);
	pthread_mutex_init(&info->lock, &recursive);
	pthread_mutexattr_destroy(&recursive);
	return info;
}

static void module_destroy(struct debug_module *m)
{
	if (!m)
		return;
	debug_module_free_units(m);
	elf_end(m->raw);
	if (m->dwfl)
		dwfl_end(m->dwfl);
	pthread_mutex_destroy(&m->lock);
	debug_file_close(m->file);
	free(m->text);
	free(m);
}

void debuginfo_destroy(struct debuginfo *info)
{
	if (!info)
		return;
	module_destroy(info->kernel);
	vec_for_each (m, &info->modules)
		module_destroy(*m);
	vec_deinit(&info->modules);
	vec_deinit(&info->problems);
	vec_deinit(&info->frames);
	map_deinit(&info->by_address);
	pthread_mutex_destroy(&info->opening);
	pthread_mutex_destroy(&info->lock);
	arena_deinit(&info->arena);
	free(info->release);
	debug_folders_deinit(&info->folders);
	free(info);
}

void debuginfo_set_module_facts(struct debuginfo *info, const struct module_facts_ops *ops,
				void *ctx)
{
	info->facts = *ops;
	info->facts_ctx = ctx;
}

void debuginfo_note(struct debuginfo *info, struct error *err)
{
	bool known = false;

	pthread_mutex_lock(&info->lock);
	vec_for_each (sentence, &info->problems)
		known |= strcmp(*sentence, err->message) == 0;
	if (!known && info->problems.count < PROBLEMS_MAX)
		vec_push(&info->problems, arena_strdup(&info->arena, err->message));
	pthread_mutex_unlock(&info->lock);
	error_free(err);
}

static int section_address(Dwfl_Module *dwfl_module unused_arg, void **userdata,
			   const char *name unused_arg, Dwarf_Addr base unused_arg,
			   const char *section, GElf_Word index unused_arg,
			   const GElf_Shdr *header unused_arg, Dwarf_Addr *address)
{
	struct debug_module *m = *userdata;
	uint64_t at;

	if (!m || !m->module || !m->info->facts.section ||
	    !m->info->facts.section(m->info->facts_ctx, m->module, section, &at)) {
		*address = (Dwarf_Addr)-1; /* not loaded */
		return 0;
	}
	*address = at;
	return 0;
}

/* The file that was found; libdwfl owns the descriptor. */
static int find_elf(Dwfl_Module *dwfl_module unused_arg, void **userdata,
		    const char *name unused_arg, Dwarf_Addr base unused_arg, char **file_name,
		    Elf **elf unused_arg)
{
	const struct debug_module *m = *userdata;

	*file_name = m ? xstrdup(m->file->path) : NULL;
	return m ? dup(m->file->fd) : -1;
}

/* libdwfl shall look for nothing itself: its own callback would ask debuginfod servers. */
static int find_debuginfo(Dwfl_Module *dwfl_module unused_arg, void **userdata unused_arg,
			  const char *name unused_arg, Dwarf_Addr base unused_arg,
			  const char *file unused_arg, const char *debuglink unused_arg,
			  GElf_Word crc unused_arg, char **found unused_arg)
{
	return -1;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = find_debuginfo,
	.section_address = section_address,
};

/*
 * The kernel's file has addresses of its own, all moved by KASLR. libdwfl learns that from where
 * its first segment is said to be; dwfl_report_elf() would take the addresses as they are.
 */
static struct error *report_kernel(struct debug_module *m)
{
	uint64_t start = 0, end = 0, shift = memory_layout(m->info->mem)->image_offset;
	GElf_Phdr header;
	size_t count = 0;

	Elf *elf = elf_begin(m->file->fd, ELF_C_READ, NULL);
	if (elf && elf_getphdrnum(elf, &count) != 0)
		count = 0;
	for (int i = 0; i < (int)count && i < SEGMENTS_MAX; i++) {
		if (!gelf_getphdr(elf, i, &header) || header.p_type != PT_LOAD)
			continue;
		if (!end)
			start = header.p_vaddr & -header.p_align;
		/* The per-CPU segment starts at 0. */
		end = max_u64(end, header.p_vaddr + header.p_memsz);
	}
	elf_end(elf);
	if (start < end)
		m->dwfl_module = dwfl_report_module(m->dwfl, "kernel", start + shift, end + shift);
	return m->dwfl_module ? NULL : error_new(ERROR_FORMAT, "%s: not a kernel's ELF file",
						 m->file->path);
}

/* A module's is placed section by section; libdwfl opens it when it is first needed. */
static void report_module(struct debug_module *m)
{
	uint64_t start = UINT64_MAX, end = 0;

	for (unsigned i = 0; i < m->module->area_count; i++) {
		const struct module_area *area = &m->module->area[i];
		start = min_u64(start, area->start);
		end = max_u64(end, area->start + area->size);
	}
	m->dwfl_module = dwfl_report_module(m->dwfl, m->module->name, start, end);
}

static struct error *open_module(struct debug_module *m)
{
	struct error *err = NULL;
	void **userdata;

	m->dwfl = dwfl_begin(&callbacks);
	if (m->dwfl && m->module)
		report_module(m);
	else if (m->dwfl)
		err = report_kernel(m);
	if (err)
		return err;
	if (!m->dwfl_module)
		return error_new(ERROR_FORMAT, "%s: %s", m->file->path, dwfl_errmsg(-1));
	dwfl_report_end(m->dwfl, NULL, NULL);
	dwfl_module_info(m->dwfl_module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	*userdata = m;
	return NULL;
}

static void note_found(void *info, struct error *err)
{
	debuginfo_note(info, err);
}

/* "Linux version ..." out of the dump, for files and dumps without build-ids. */
static void read_banner(struct debuginfo *info, char *banner, size_t size)
{
	uint64_t address = symbols_address(info->symbols, "linux_banner");
	size_t got = address ? memory_read_some(info->mem, address, banner, size - 1) : 0;

	banner[got] = '\0';
	banner[strcspn(banner, "\n")] = '\0';
	if (!starts_with(banner, "Linux version "))
		banner[0] = '\0';
}

/* VMCOREINFO has the build-id since 5.14; the notes of the kernel image always had it. */
static void read_build_id(struct debuginfo *info)
{
	uint64_t start = symbols_address(info->symbols, "__start_notes");
	uint64_t stop = symbols_address(info->symbols, "__stop_notes");
	char notes[NOTES_BYTES];

	if (info->build_id[0] || !start || stop <= start || stop - start > sizeof(notes))
		return;
	size_t got = memory_read_some(info->mem, start, notes, stop - start);
	elf_notes_build_id(notes, got, info->build_id);
}

static void forget(void *ctx unused_arg, struct error *err)
{
	error_free(err);
}

char *debuginfo_find_kernel(const struct debug_options *options, const char *release,
			    const char *build_id, unsigned elf_machine)
{
	struct debug_folders folders = { 0 };
	struct debug_wanted wanted = {
		.release = release, .build_id = build_id, .banner = "", .srcversion = "",
		.machine = (uint16_t)elf_machine, .options = options,
	};
	char *text = NULL, *path = NULL;

	/* What cannot be told to be this kernel's is not taken without being named. */
	if (!*build_id && !options->kernel)
		return NULL;
	struct debug_file *file = debug_find(&folders, &wanted, forget, NULL, &text);
	if (file)
		path = xstrdup(file->path);
	debug_file_close(file);
	debug_folders_deinit(&folders);
	free(text);
	return path;
}

/* A module's file without a place for its code says nothing: tell why. */
static void check_places(struct debug_module *m)
{
	static const char *const code[] = { ".text", ".text.unlikely", ".init.text", ".exit.text" };
	const struct debuginfo *info = m->info;
	uint64_t address;

	for (size_t i = 0; i < array_size(code); i++) {
		if (info->facts.section &&
		    info->facts.section(info->facts_ctx, m->module, code[i], &address))
			return;
	}
	debuginfo_note(m->info, error_new(ERROR_MISSING,
					  "%s: where its sections were loaded is not in the dump: "
					  "no lines of module %s", m->file->path, m->module->name));
}

/* Called with the lock for opening held. */
static struct debug_module *open_found(struct debuginfo *info, const struct module *module,
				       const struct debug_options *options)
{
	struct debug_module *m = xcalloc(1, sizeof(*m));
	struct module_identity identity = { 0 };
	char banner[512] = "";
	struct error *err = NULL;

	m->info = info;
	m->module = module;
	pthread_mutex_init(&m->lock, NULL);
	if (module && info->facts.identity) {
		info->facts.identity(info->facts_ctx, module, &identity);
	} else if (!module) {
		read_build_id(info);
		read_banner(info, banner, sizeof(banner));
	}
	struct debug_wanted wanted = {
		.release = info->release,
		.build_id = module ? identity.build_id : info->build_id,
		.banner = banner,
		.module = module ? module->name : NULL,
		.srcversion = identity.srcversion,
		.machine = memory_arch(info->mem)->elf_machine,
		.options = options,
	};
	m->file = debug_find(&info->folders, &wanted, note_found, info, &m->text);
	if (m->file)
		err = open_module(m);
	if (m->file && module)
		check_places(m);
	if (err) {
		debuginfo_note(info, err);
		debug_file_close(m->file);
		m->file = NULL;
	}
	return m;
}

struct debug_module *debuginfo_kernel(struct debuginfo *info)
{
	if (!info || info->options.off)
		return NULL;
	pthread_mutex_lock(&info->opening);
	if (!info->kernel_tried) {
		info->kernel_tried = true;
		info->kernel = open_found(info, NULL, &info->options);
	}
	struct debug_module *m = info->kernel;
	pthread_mutex_unlock(&info->opening);
	return m && m->file ? m : NULL;
}

struct debug_module *debuginfo_of(struct debuginfo *info, uint64_t address)
{
	struct debug_module *found = NULL;

	if (!info || info->options.off)
		return NULL;
	const struct module *module = symbols_module_of(info->symbols, address);
	if (!module)
		return debuginfo_kernel(info);
	pthread_mutex_lock(&info->opening);
	vec_for_each (m, &info->modules) {
		if ((*m)->module == module)
			found = *m;
	}
	if (!found) {
		found = open_found(info, module, &info->options);
		vec_push(&info->modules, found);
	}
	pthread_mutex_unlock(&info->opening);
	return found->file ? found : NULL;
}

const char *debuginfo_module_text(struct debuginfo *info, const struct module *module)
{
	const char *text = NULL;

	if (!info)
		return NULL;
	pthread_mutex_lock(&info->opening);
	vec_for_each (m, &info->modules) {
		if (module && (*m)->module == module && (*m)->file)
			text = (*m)->text;
	}
	pthread_mutex_unlock(&info->opening);
	return text;
}

struct debug_module *debuginfo_load(struct debuginfo *info, const struct module *module,
				    const char *place)
{
	struct debug_module *found = NULL;

	if (!info || info->options.off)
		return NULL;
	pthread_mutex_lock(&info->opening);
	for (size_t i = info->modules.count; i-- > 0 && !found;) {
		struct debug_module *m = info->modules.data[i];
		if (m->module != module)
			continue;
		if (m->file) {
			found = m;
			continue;
		}
		/* One without a file was given to nobody. */
		module_destroy(m);
		info->modules.data[i] = info->modules.data[--info->modules.count];
	}
	if (!found) {
		struct debug_options options = info->options;
		if (place)
			options.modules = place;
		found = open_found(info, module, &options);
		vec_push(&info->modules, found);
	}
	pthread_mutex_unlock(&info->opening);
	return found->file ? found : NULL;
}

const char *debuginfo_file_text(struct debuginfo *info, size_t i)
{
	const char *text = NULL;
	size_t n = 0;

	if (!info)
		return NULL;
	pthread_mutex_lock(&info->opening);
	if (info->kernel && info->kernel->file && n++ == i)
		text = info->kernel->text;
	vec_for_each (m, &info->modules) {
		if ((*m)->file && n++ == i)
			text = (*m)->text;
	}
	pthread_mutex_unlock(&info->opening);
	return text;
}

const char *debug_module_text(const struct debug_module *module)
{
	return module->text;
}

const char *debug_module_path(const struct debug_module *module)
{
	return module->file->path;
}

const char *debug_module_build_id(const struct debug_module *module)
{
	return module->file->build_id;
}

size_t debuginfo_problems(const struct debuginfo *info, const char *const **sentences)
{
	*sentences = info->problems.data;
	return info->problems.count;
}

Dwfl_Module *debug_module_dwfl(struct debug_module *module)
{
	return module->dwfl_module;
}

Dwarf *debug_module_dwarf(struct debug_module *module, uint64_t *bias)
{
	if (!module->dwarf_tried) {
		module->dwarf_tried = true;
		module->dwarf = dwfl_module_getdwarf(module->dwfl_module, &module->bias);
		if (!module->dwarf)
			debuginfo_note(module->info,
				       error_new(ERROR_FORMAT, "%s: %s", module->file->path,
						 dwfl_errmsg(-1)));
	}
	*bias = module->bias;
	return module->dwarf;
}

void debug_module_lock(struct debug_module *module)
{
	pthread_mutex_lock(&module->lock);
}

void debug_module_unlock(struct debug_module *module)
{
	pthread_mutex_unlock(&module->lock);
}
