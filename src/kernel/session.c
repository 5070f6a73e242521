// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Opening a dump, station by station. Only the first two can refuse: without pages or a known
 * architecture there is nothing to show. From there on whatever is missing becomes a problem that
 * the report states, and the session goes on with what it has.
 */
#include "kernel/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/vec.h"
#include "kernel/module_sections.h"
#include "kernel/modules.h"
#include "kernel/returns.h"
#include "kernel/text.h"

void session_problem(struct session *session, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* That a text has no memory is said once, and not for each thing that is not in it. */
	if (session->text && session->opened)
		return;
	for (size_t i = 0; i < session->problems.count; i++) {
		if (strcmp(session->problems.data[i], text) == 0)
			return;
	}
	/* A damaged dump could give one for each of a million objects. */
	if (session->problems.count >= 200)
		return;
	vec_push(&session->problems, arena_strdup(&session->arena, text));
}

static void debug_problem(void *ctx, const char *sentence)
{
	struct session *session = ctx;
	size_t before = session->problems.count;

	session_problem(session, "%s", sentence);
	session->debug_problems += session->problems.count - before;
}

void session_debug_problems(struct session *session)
{
	const char *const *sentences;
	size_t count = session->debuginfo ? debuginfo_problems(session->debuginfo, &sentences) : 0;

	for (size_t i = session->debug_problems_seen; i < count; i++) {
		debug_problem(session, sentences[i]);
	}
	session->debug_problems_seen = count;
	types_debug_problems(session->types, debug_problem, session);
}

/* Turns an error into a problem; true when there was none. */
static bool tolerate(struct session *session, const char *what, struct error *err)
{
	if (!err)
		return true;
	session_problem(session, "%s: %s", what, err->message);
	error_free(err);
	return false;
}

static void load_modules(void *session)
{
	modules_register(session);
}

/* The BTF of modules, for when the kernel's own has not what is asked for. */
static void load_module_types(void *ctx)
{
	struct session *s = ctx;
	size_t count;
	const struct module_info *info = modules(s, &count);

	for (size_t i = 0; i < count; i++) {
		const struct module *m = &info[i].module;
		if (m->btf && m->btf_size)
			error_free(types_add_btf(s->types, m->name, m->btf, m->btf_size));
	}
}

/*
 * Functions in whose compile units nearly all structs are that we ask for. A compiler describes
 * only what a unit uses, not all that it includes.
 */
static const char *const hubs[] = {
	"schedule",        /* kernel/sched/core.c */
	"__module_get",    /* kernel/module/main.c, or kernel/module.c */
	"mod_sysfs_setup", /* kernel/module/sysfs.c */
	"copy_process",    /* kernel/fork.c */
	"do_exit",         /* kernel/exit.c */
	"alloc_pid",       /* kernel/pid.c */
	"idr_find",        /* lib/radix-tree.c, before 4.11 lib/idr.c */
	"xas_load",        /* lib/xarray.c, since 4.20 */
	"vprintk_emit",    /* kernel/printk/printk.c */
	"kmem_cache_free", /* mm/slub.c, or mm/slab.c */
	"__free_pages",    /* mm/page_alloc.c */
	"ktime_get",       /* kernel/time/timekeeping.c */
};

/* Types from debug files, for what BTF does not tell. */
static void load_debug_types(void *ctx, bool of_modules)
{
	struct session *s = ctx;
	uint64_t address[array_size(hubs)] = { 0 };
	struct debug_module *debug;
	size_t count;

	if (!s->debuginfo)
		return;
	if (!of_modules) {
		debug = debuginfo_kernel(s->debuginfo);
		/* Hubs are for those who ask for many types. */
		bool all = strcmp(types_source(s->types), "none") == 0;
		if (all)
			symbols_addresses(s->symbols, hubs, array_size(hubs), address);
		if (!debug)
			return;
		struct error *err = types_add_dwarf(s->types, NULL, debug, address,
						    all ? array_size(hubs) : 0);
		/* A vmlinux may be given for its symbols; that it has no types matters here only. */
		if (err && all)
			debug_problem(s, err->message);
		error_free(err);
		return;
	}
	const struct module_info *info = modules(s, &count);
	for (size_t i = 0; i < count; i++) {
		const struct module *m = &info[i].module;
		debug = m->text_start ? debuginfo_of(s->debuginfo, m->text_start) : NULL;
		if (debug)
			error_free(types_add_dwarf(s->types, m->name, debug, NULL, 0));
	}
}

/* Without BTF all that is known of structures is in the debug file. */
static void open_debug_types(struct session *s, bool no_btf)
{
	types_set_debug_loader(s->types, load_debug_types, s);
	if (strcmp(types_source(s->types), "none") != 0)
		return;
	types_load_debug(s->types, false);
	if (strcmp(types_source(s->types), "none") == 0)
		session_problem(s, "%s; structures cannot be read without it",
				no_btf ? "BTF is not to be used, and there is no debug file"
				       : "no BTF was found: this kernel carries none, or its symbols "
					 "are incomplete; nor is there a debug file");
}

static void open_types(struct session *s)
{
	uint64_t start = symbols_address(s->symbols, "__start_BTF");
	uint64_t stop = symbols_address(s->symbols, "__stop_BTF");

	if (!start) {
		/* 5.2 to 5.4, when objcopy made a file of it (kernel/bpf/btf.c). */
		start = symbols_address(s->symbols, "_binary__btf_vmlinux_bin_start");
		stop = symbols_address(s->symbols, "_binary__btf_vmlinux_bin_end");
	}
	if (start && stop > start)
		(void)tolerate(s, "types", types_add_btf(s->types, NULL, start, stop - start));
}

/* The start of the direct map, for memory whose page tables are missing. */
static void complete_layout(struct session *s)
{
	struct kernel_layout layout = *memory_layout(s->memory);
	uint64_t base;

	if (layout.has_page_offset)
		return;
	if (!kglobal(s, "page_offset_base", 8, &base)) {
		/* Without CONFIG_DYNAMIC_MEMORY_LAYOUT: __PAGE_OFFSET_BASE_L4 and _L5. */
		base = layout.root.levels == 5 ? UINT64_C(0xff11000000000000)
					       : UINT64_C(0xffff888000000000);
	}
	/* Believed only if the page tables, where they can be read, say so too. */
	struct walk walk;
	memory_walk(s->memory, base + PAGE_SIZE, &walk);
	if (walk.status == READ_OK && walk.paddr.v != PAGE_SIZE)
		return;
	layout.page_offset = base;
	layout.has_page_offset = true;
	memory_set_layout(s->memory, &layout);
}

enum { DUMP_ID_BYTES = 128 };

/* The release and build-id of the dump's kernel, "" where they are not known. */
static void identify(struct session *s, char release[DUMP_ID_BYTES], char build_id[DUMP_ID_BYTES])
{
	if (!dump_vmcoreinfo(s->dump, "OSRELEASE", release, DUMP_ID_BYTES))
		snprintf(release, DUMP_ID_BYTES, "%s", dump_info(s->dump)->release);
	if (!dump_vmcoreinfo(s->dump, "BUILD-ID", build_id, DUMP_ID_BYTES))
		build_id[0] = '\0';
}

static struct debug_options debug_options(const struct session_options *options)
{
	struct debug_options debug = options->debug;

	if (!debug.kernel)
		debug.kernel = options->namelist;
	return debug;
}

/* Nothing is opened yet: debug files are looked for when something is asked of them. */
static void open_debuginfo(struct session *s, const struct session_options *options)
{
	char release[DUMP_ID_BYTES], build_id[DUMP_ID_BYTES];
	struct debug_options debug = debug_options(options);

	identify(s, release, build_id);
	s->debuginfo = debuginfo_create(s->memory, s->symbols, &debug, release, build_id);
	module_sections_register(s);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Without a symbol table in the dump, that of the kernel's debug file is as good. */
static struct error *create_symbols(struct session *s, const struct session_options *options)
{
	const char *namelist = is_folder(options->namelist) ? NULL : options->namelist;
	char release[DUMP_ID_BYTES], build_id[DUMP_ID_BYTES];
	struct debug_options debug = debug_options(options);
	struct error *err = symbols_create(s->memory, namelist, &s->symbols);

	if (!err || namelist || debug.off)
		return err;
	identify(s, release, build_id);
	auto_free char *found = debuginfo_find_kernel(&debug, release, build_id,
						      s->arch->elf_machine);
	if (!found)
		return err;
	error_free(err);
	return symbols_create(s->memory, found, &s->symbols);
}

static void open_symbols(struct session *s, const struct session_options *options)
{
	struct error *err = create_symbols(s, options);

	if (!tolerate(s, "symbols", err)) {
		s->symbols = NULL;
		return;
	}
	if (symbols_problem(s->symbols))
		session_problem(s, "%s", symbols_problem(s->symbols));
	symbols_set_module_loader(s->symbols, load_modules, s);
	complete_layout(s);
	if (!options->no_btf)
		open_types(s);
	types_set_module_loader(s->types, load_module_types, s);
	open_debuginfo(s, options);
	open_debug_types(s, options->no_btf);
	s->unwinder = unwinder_create(s->memory, s->symbols);
	unwinder_set_resolver(s->unwinder, return_address_resolve);
	unwinder_set_debuginfo(s->unwinder, s->debuginfo);
	if (options->no_orc)
		unwinder_forget_orc(s->unwinder);
}

/* A text's symbols are the places that it names. */
static void set_image_offset(struct session *s, uint64_t offset)
{
	struct kernel_layout layout = *memory_layout(s->memory);

	layout.image_offset = offset;
	layout.has_image_offset = true;
	memory_set_layout(s->memory, &layout);
}

/* The symbols of a vmlinux or System.map, moved to where the text's kernel ran. */
static bool open_text_symbols(struct session *s, const char *namelist)
{
	set_image_offset(s, 0);
	if (!tolerate(s, "symbols", symbols_create(s->memory, namelist, &s->symbols)))
		return false;
	uint64_t offset = text_image_offset(s);
	bool fits = text_fits(s);
	if (fits && !offset)
		return true;
	symbols_destroy(s->symbols);
	s->symbols = NULL;
	memory_drop_fills(s->memory);
	if (!fits)
		return false;
	set_image_offset(s, offset);
	return tolerate(s, "symbols", symbols_create(s->memory, namelist, &s->symbols));
}

static void open_text(struct session *s, const struct session_options *options)
{
	const char *namelist = is_folder(options->namelist) ? NULL : options->namelist;

	text_open(s);
	bool vmlinux = namelist && open_text_symbols(s, namelist);
	if (!vmlinux)
		s->symbols = symbols_create_empty(s->memory);
	text_place(s, vmlinux);
	if (vmlinux && !options->no_btf)
		open_types(s);
	open_debuginfo(s, options);
	if (vmlinux)
		types_set_debug_loader(s->types, load_debug_types, s);
	s->unwinder = unwinder_create(s->memory, s->symbols);
}

static bool is_text(const struct session *s)
{
	size_t size;

	return dump_text(s->dump, &size) != NULL;
}

struct error *session_open(const struct session_options *options, struct session **session)
{
	struct session *s = xcalloc(1, sizeof(*s));
	struct error *err = options->text
		? dump_open_text(options->paths, options->path_count, &s->dump)
		: dump_open(options->paths, options->path_count, &s->dump);

	if (!err)
		err = arch_of_dump(s->dump, &s->arch);
	if (err) {
		session_close(s);
		return err;
	}
	s->path = arena_strdup(&s->arena, options->paths[0]);
	s->source = options->source;
	const struct dump_info *info = dump_info(s->dump);
	for (size_t i = 0; i < info->problem_count; i++)
		session_problem(s, "%s", info->problems[i]);
	s->memory = memory_create(s->dump, s->arch);
	s->types = types_create(s->memory);
	if (is_text(s))
		open_text(s, options);
	else
		open_symbols(s, options);
	s->opened = true;
	s->verify = options->verify;
	s->fail_detector = options->fail_detector;
	s->rules = options->rules;
	*session = s;
	return NULL;
}

void session_forget(struct session *s)
{
	for (size_t i = 0; i < SLOT_COUNT; i++) {
		/* Modules' symbols and types were made out of their list. */
		if (i == SLOT_CHANGES || i == SLOT_MODULES || !s->slot[i].destroy)
			continue;
		s->slot[i].destroy(s->slot[i].data);
		s->slot[i].data = NULL;
		s->slot[i].destroy = NULL;
	}
	memory_forget(s->memory);
}

void session_close(struct session *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < SLOT_COUNT; i++) {
		if (s->slot[i].destroy)
			s->slot[i].destroy(s->slot[i].data);
	}
	text_close(s);
	unwinder_destroy(s->unwinder);
	types_destroy(s->types);
	debuginfo_destroy(s->debuginfo);
	symbols_destroy(s->symbols);
	memory_destroy(s->memory);
	dump_close(s->dump);
	free(s->problems.data);
	arena_deinit(&s->arena);
	free(s);
}
