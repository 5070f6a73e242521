// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The station's front: kernel names and addresses from a source (kallsyms of the dump, a file),
 * those of modules from module_symbols.c.
 *
 * Names that were decoded once are kept in an arena; what names were found, or not, is remembered.
 * On kernels without an index by name (before 6.2, except where it was backported) a look-up is a
 * pass over all names, so the well-known names that other stations ask for are looked up together,
 * with the first of them.
 *
 * Every function takes the lock, which is recursive: the module loader asks for symbols itself.
 */
#include "symbols/symbols.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "symbols/image.h"
#include "symbols/module_symbols.h"
#include "symbols/places.h"
#include "symbols/source.h"

struct cached_name {
	char type;
	char name[];
};

/* An area of a module, for the search by address. */
struct area {
	uint64_t start, end;
	uint32_t module;
	bool text;
};

struct symbols {
	struct memory *mem;
	struct symbol_source *source; /* NULL while there is none */
	struct symbol_source *extra;  /* the user's file, when the dump has kallsyms; or NULL */
	char *text;                   /* symbols_source() */
	char *problem;
	pthread_mutex_t lock;
	struct arena arena;
	struct map by_name;           /* name -> number in source + 1, or 0: there is none */
	struct map names;             /* number -> struct cached_name * */
	bool known_done;              /* the well-known names were looked up */
	uint64_t start, end;          /* of the kernel image, for symbols */
	uint64_t stext, etext, sinittext, einittext;
	module_loader_fn loader;
	void *loader_ctx;
	struct places *places;        /* of a text; NULL */
	struct module_symbols *modules;
	size_t module_count;
	struct {
		vec_fields(struct area);
	} areas;
};

static void lock(struct symbols *s)
{
	pthread_mutex_lock(&s->lock);
}

static void unlock(struct symbols *s)
{
	pthread_mutex_unlock(&s->lock);
}

/* --- Names of the kernel. --- */

static void remember(struct symbols *s, const char *const *names, size_t n)
{
	uint32_t *found = xcalloc(n + 1, sizeof(*found));

	s->source->ops->find_names(s->source, names, n, found);
	for (size_t i = 0; i < n; i++)
		(void)map_set_name(&s->by_name, arena_strdup(&s->arena, names[i]),
				   found[i] == UINT32_MAX ? 0 : (uint64_t)found[i] + 1);
	free(found);
}

/* Number of the first symbol called @name, or UINT32_MAX. */
static uint32_t find_number(struct symbols *s, const char *name)
{
	uint64_t value;

	if (map_get_name(&s->by_name, name, &value))
		return (uint32_t)value - 1;
	if (!s->known_done && !s->source->indexed) {
		s->known_done = true;
		size_t n = 0;
		while (symbols_well_known[n])
			n++;
		remember(s, symbols_well_known, n);
		if (map_get_name(&s->by_name, name, &value))
			return (uint32_t)value - 1;
	}
	remember(s, &name, 1);
	return map_get_name(&s->by_name, name, &value) ? (uint32_t)value - 1 : UINT32_MAX;
}

static const struct cached_name *name_of(struct symbols *s, uint32_t i)
{
	char buf[SYMBOL_NAME_MAX], type = '?';
	uint64_t value;

	if (map_get(&s->names, i, &value))
		return (const struct cached_name *)(uintptr_t)value;
	if (!s->source->ops->name(s->source, i, buf, &type))
		return NULL;
	size_t size = strlen(buf) + 1;
	struct cached_name *cached = arena_alloc(&s->arena, sizeof(*cached) + size);
	cached->type = type;
	memcpy(cached->name, buf, size);
	(void)map_set(&s->names, i, (uint64_t)(uintptr_t)cached);
	return cached;
}

/*
 * Where symbol @i ends: at the next one with another address; the last of the image, at the end of
 * its section (get_symbol_pos() in kernel/kallsyms.c).
 */
static uint64_t end_of(const struct symbols *s, const struct symbol_source *source, uint32_t i)
{
	uint64_t address = source->ops->address(source, i);
	enum { ALIASES_MAX = 1024 };

	for (uint32_t next = i + 1; next < source->count; next++) {
		uint64_t other = source->ops->address(source, next);
		if (other != address) /* the image does not end what is below it: per-CPU offsets */
			return other > address && (address >= s->start || other < s->start) ?
				       other : address;
		if (next - i > ALIASES_MAX) /* a hole in the table */
			return address;
	}
	if (address >= s->sinittext && address < s->einittext)
		return s->einittext;
	return max_u64(s->end, address);
}

static bool fill(struct symbols *s, uint32_t i, struct symbol *symbol)
{
	const struct cached_name *name = name_of(s, i);

	if (!name)
		return false;
	*symbol = (struct symbol){
		.address = s->source->ops->address(s->source, i),
		.name = name->name,
		.type = name->type,
	};
	symbol->size = end_of(s, s->source, i) - symbol->address;
	return true;
}

/* What kallsyms leaves out: the user's file may have it, VMCOREINFO names a few more. */
static bool find_elsewhere(struct symbols *s, const char *name, struct symbol *symbol)
{
	char key[128], type;
	uint32_t i;

	*symbol = (struct symbol){ .type = '?' };
	if (s->extra) {
		s->extra->ops->find_names(s->extra, &name, 1, &i);
		char buf[SYMBOL_NAME_MAX];
		if (i != UINT32_MAX && s->extra->ops->name(s->extra, i, buf, &type)) {
			symbol->address = s->extra->ops->address(s->extra, i);
			symbol->size = end_of(s, s->extra, i) - symbol->address;
			symbol->type = type;
			symbol->name = arena_strdup(&s->arena, name);
			return true;
		}
	}
	if ((size_t)snprintf(key, sizeof(key), "SYMBOL(%s)", name) >= sizeof(key) ||
	    !dump_vmcoreinfo_hex(memory_dump(s->mem), key, &symbol->address))
		return false;
	symbol->name = arena_strdup(&s->arena, name);
	return true;
}

/* --- Modules. --- */

static void load_modules(struct symbols *s)
{
	module_loader_fn loader = s->loader;

	s->loader = NULL;
	if (loader)
		loader(s->loader_ctx);
}

static int compare_areas(const void *a, const void *b)
{
	const struct area *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void drop_modules(struct symbols *s)
{
	for (size_t i = 0; i < s->module_count; i++)
		module_symbols_deinit(&s->modules[i]);
	free(s->modules);
	s->modules = NULL;
	s->module_count = 0;
	vec_deinit(&s->areas);
}

void symbols_set_modules(struct symbols *s, const struct module *modules, size_t count)
{
	lock(s);
	drop_modules(s);
	s->loader = NULL;
	s->modules = xcalloc(count + 1, sizeof(*s->modules));
	s->module_count = count;
	for (size_t i = 0; i < count; i++) {
		const struct module *m = &modules[i];
		s->modules[i].module = m;
		for (unsigned j = 0; j < m->area_count && j < array_size(m->area); j++) {
			const struct module_area *a = &m->area[j];
			if (a->size && a->start + a->size > a->start)
				vec_push(&s->areas, (struct area){ a->start, a->start + a->size,
								   (uint32_t)i, a->text });
		}
	}
	if (s->areas.count)
		qsort(s->areas.data, s->areas.count, sizeof(*s->areas.data), compare_areas);
	unlock(s);
}

void symbols_set_module_loader(struct symbols *s, module_loader_fn loader, void *ctx)
{
	lock(s);
	s->loader = loader;
	s->loader_ctx = ctx;
	unlock(s);
}

/* The module area that covers @address. Overlaps mean damage: the last that starts below wins. */
static const struct area *area_of(struct symbols *s, uint64_t address)
{
	size_t low = 0, high;

	if (address < memory_arch(s->mem)->image_base)
		return NULL;
	load_modules(s);
	high = s->areas.count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (s->areas.data[mid].start <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low && address < s->areas.data[low - 1].end ? &s->areas.data[low - 1] : NULL;
}

const struct module *symbols_module_of(struct symbols *s, uint64_t address)
{
	struct symbol place;

	if (s->places && places_at(s->places, address, &place))
		return place.module;
	lock(s);
	const struct area *area =
		address >= s->start && address < s->end ? NULL : area_of(s, address);
	const struct module *module = area ? s->modules[area->module].module : NULL;
	unlock(s);
	return module;
}

/* "mod:name"; false when there is no such module, since names may have colons, too. */
static bool find_in_named(struct symbols *s, const char *name, struct symbol *symbol)
{
	const char *colon = strchr(name, ':');
	size_t len = colon ? (size_t)(colon - name) : 0;

	if (!len)
		return false;
	if (s->places && places_find(s->places, colon + 1, name, len, symbol))
		return true;
	load_modules(s);
	for (size_t i = 0; i < s->module_count; i++) {
		const char *module = s->modules[i].module->name;
		if (module && strncmp(module, name, len) == 0 && !module[len] &&
		    module_symbols_find(&s->modules[i], s->mem, colon + 1, symbol))
			return true;
	}
	return false;
}

static bool find_in_modules(struct symbols *s, const char *name, struct symbol *symbol)
{
	load_modules(s);
	for (size_t i = 0; i < s->module_count; i++) {
		if (module_symbols_find(&s->modules[i], s->mem, name, symbol))
			return true;
	}
	return false;
}

/* --- Questions. --- */

static bool find_in_kernel(struct symbols *s, const char *name, struct symbol *symbol)
{
	uint32_t i = find_number(s, name);

	if (i != UINT32_MAX)
		return fill(s, i, symbol);
	return find_elsewhere(s, name, symbol);
}

bool symbols_by_name(struct symbols *s, const char *name, struct symbol *symbol)
{
	lock(s);
	bool found = (s->places && places_find(s->places, name, NULL, 0, symbol)) ||
		     find_in_named(s, name, symbol) || find_in_kernel(s, name, symbol) ||
		     find_in_modules(s, name, symbol);
	unlock(s);
	return found;
}

uint64_t symbols_address(struct symbols *s, const char *name)
{
	struct symbol symbol = { 0 };

	lock(s);
	uint32_t i = find_number(s, name);
	if (i != UINT32_MAX)
		symbol.address = s->source->ops->address(s->source, i);
	else if (!find_elsewhere(s, name, &symbol) && !find_in_named(s, name, &symbol))
		symbol.address = 0;
	unlock(s);
	return symbol.address;
}

void symbols_addresses(struct symbols *s, const char *const *names, size_t n, uint64_t *addresses)
{
	lock(s);
	remember(s, names, n);
	for (size_t i = 0; i < n; i++)
		addresses[i] = symbols_address(s, names[i]);
	unlock(s);
}

static bool kernel_symbol_at(struct symbols *s, uint64_t address, struct symbol *symbol)
{
	const struct symbol_source *source = s->source;
	uint32_t i = source->ops->at(source, address);

	if (i >= source->count)
		return false;
	uint64_t start = source->ops->address(source, i);
	while (i && source->ops->address(source, i - 1) == start)
		i--;
	return fill(s, i, symbol);
}

bool symbols_by_address(struct symbols *s, uint64_t address, struct symbol *symbol)
{
	bool found = false;

	if (s->places && places_at(s->places, address, symbol))
		return true;
	lock(s);
	if (address >= s->start && address < s->end) {
		found = kernel_symbol_at(s, address, symbol);
	} else {
		const struct area *area = area_of(s, address);
		if (area)
			found = module_symbols_at(&s->modules[area->module], s->mem, address,
						  symbol);
	}
	unlock(s);
	return found;
}

bool symbols_per_cpu(struct symbols *s, uint64_t offset, struct symbol *symbol)
{
	uint64_t start, end;
	bool found = false;

	lock(s);
	start = symbols_address(s, "__per_cpu_start");
	end = symbols_address(s, "__per_cpu_end");
	if (!start && end < s->start && offset < end)
		found = kernel_symbol_at(s, offset, symbol);
	unlock(s);
	return found && offset - symbol->address < end;
}

bool symbols_is_text(struct symbols *s, uint64_t address)
{
	struct symbol place;

	if (s->places && places_at(s->places, address, &place))
		return true;
	if (address >= s->stext && address < s->etext)
		return true;
	if (address >= s->sinittext && address < s->einittext)
		return true;
	if (address >= s->start && address < s->end)
		return false;
	lock(s);
	const struct area *area = area_of(s, address);
	bool text = area && area->text;
	unlock(s);
	return text;
}

void symbols_format(struct symbols *s, uint64_t address, char *buf, size_t size)
{
	struct symbol symbol;

	if (!symbols_by_address(s, address, &symbol)) {
		snprintf(buf, size, "0x%" PRIx64, address);
		return;
	}
	char offset[64] = "";

	if (!symbol.inside_only)
		snprintf(offset, sizeof(offset), "+0x%" PRIx64 "/0x%" PRIx64,
			 address - symbol.address, symbol.size);
	snprintf(buf, size, "%s%s%s%s%s", symbol.name, offset, symbol.module ? " [" : "",
		 symbol.module ? symbol.module->name : "", symbol.module ? "]" : "");
}

struct each {
	struct symbols *s;
	symbol_fn fn;
	void *ctx;
	bool stopped;
};

static bool each_one(void *ctx, uint32_t i, char type, const char *name)
{
	struct each *each = ctx;
	struct symbol symbol = { .name = name, .type = type };

	symbol.address = each->s->source->ops->address(each->s->source, i);
	symbol.size = end_of(each->s, each->s->source, i) - symbol.address;
	each->stopped = !each->fn(each->ctx, &symbol);
	return !each->stopped;
}

void symbols_each(struct symbols *s, symbol_fn fn, void *ctx)
{
	struct each each = { s, fn, ctx, false };

	if (s->places && !places_each(s->places, NULL, fn, ctx))
		return;
	lock(s);
	load_modules(s);
	s->source->ops->each(s->source, each_one, &each);
	for (size_t i = 0; i < s->module_count && !each.stopped; i++)
		each.stopped = !module_symbols_each(&s->modules[i], s->mem, fn, ctx);
	unlock(s);
}

void symbols_module_each(struct symbols *s, const struct module *module, symbol_fn fn, void *ctx)
{
	if (s->places && !places_each(s->places, module, fn, ctx))
		return;
	lock(s);
	load_modules(s);
	for (size_t i = 0; i < s->module_count; i++) {
		if (s->modules[i].module->address == module->address)
			(void)module_symbols_each(&s->modules[i], s->mem, fn, ctx);
	}
	unlock(s);
}

const char *symbols_source(const struct symbols *s)
{
	return s->text;
}

const char *symbols_problem(const struct symbols *s)
{
	return s->problem;
}

size_t symbols_count(const struct symbols *s)
{
	return s->source->count;
}

/* --- Beginning and end. --- */

/*
 * The kernel frees its initialisation code once it runs; what is there later is other data. enum
 * system_states: 0 booting, 1 scheduling (before 4.13: running).
 */
static bool still_starting(struct symbols *s)
{
	uint64_t address = symbols_address(s, "system_state");
	uint32_t state;

	return address && memory_u32(s->mem, address, &state) == READ_OK && state <= 1;
}

static void find_limits(struct symbols *s)
{
	const struct arch *arch = memory_arch(s->mem);
	const struct symbol_source *source = s->source;

	s->stext = symbols_address(s, "_stext");
	s->etext = symbols_address(s, "_etext");
	s->sinittext = symbols_address(s, "_sinittext");
	s->einittext = symbols_address(s, "_einittext");
	s->start = symbols_address(s, "_text");
	s->end = symbols_address(s, "_end");
	if (!s->start)
		s->start = s->stext;
	if (!s->stext)
		s->stext = s->start;
	if (!s->start) {
		uint32_t i = source->ops->at(source, arch->image_base);
		i = i < source->count ? i + 1 : 0;
		s->start = i < source->count ? source->ops->address(source, i) : 0;
		s->start = max_u64(s->start, arch->image_base); /* below are per-CPU offsets */
	}
	/* Without CONFIG_KALLSYMS_ALL there is no _end, and only text has symbols. */
	if (s->end <= s->start)
		s->end = max_u64(s->etext, s->einittext);
	if (s->end <= s->start)
		s->end = source->ops->address(source, source->count - 1) + PAGE_SIZE;
	if (!s->etext)
		s->etext = s->end;
	if (s->einittext && !still_starting(s)) {
		/* Its symbols stay; only that it is text is no longer true. */
		s->sinittext = s->einittext = 0;
	}
}

static struct error *open_file(struct symbols *s, const char *path)
{
	struct symbol_source *file;
	struct error *err = source_file(s->mem, path, s->source != NULL, &file);

	if (err) {
		s->problem = xstrdup(err->message);
		if (s->source) {
			error_free(err);
			return NULL;
		}
		return err;
	}
	if (s->source)
		s->extra = file;
	else
		s->source = file;
	return NULL;
}

static void describe(struct symbols *s)
{
	if (s->extra)
		s->text = xasprintf("%s, and %s", s->source->text, s->extra->text);
	else
		s->text = xstrdup(s->source->text);
}

static struct symbols *new_symbols(struct memory *mem)
{
	struct symbols *s = xcalloc(1, sizeof(*s));
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&s->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	s->mem = mem;
	return s;
}

struct symbols *symbols_create_empty(struct memory *mem)
{
	struct symbols *s = new_symbols(mem);

	s->source = source_empty();
	describe(s);
	return s;
}

void symbols_set_places(struct symbols *s, const struct symbol_place *places, size_t count)
{
	places_destroy(s->places);
	s->places = places_create(places, count);
}

struct error *symbols_create(struct memory *mem, const char *vmlinux_or_map,
			     struct symbols **symbols)
{
	struct symbols *s = new_symbols(mem);
	struct error *err = NULL;
	bool missing;

	s->source = source_vmcoreinfo(mem, &missing);
	if (!s->source && !missing) {
		if (!memory_layout(mem)->has_root)
			(void)image_find_layout(mem);
		s->source = source_scan(mem);
	}
	if (vmlinux_or_map)
		err = open_file(s, vmlinux_or_map);
	else if (!s->source)
		err = error_new(ERROR_NOT_FOUND,
				"%s; a System.map or vmlinux of this kernel can be given instead",
				missing ? "the kernel's symbol table (kallsyms) is missing from "
					  "the dump" :
					  "no kernel symbol table (kallsyms) in the dump");
	if (err) {
		symbols_destroy(s);
		return err;
	}
	if (!memory_layout(mem)->has_image_offset)
		image_complete_layout(mem, s->source);
	find_limits(s);
	describe(s);
	*symbols = s;
	return NULL;
}

void symbols_destroy(struct symbols *s)
{
	if (!s)
		return;
	drop_modules(s);
	if (s->source)
		s->source->ops->destroy(s->source);
	if (s->extra)
		s->extra->ops->destroy(s->extra);
	places_destroy(s->places);
	map_deinit(&s->by_name);
	map_deinit(&s->names);
	arena_deinit(&s->arena);
	free(s->text);
	free(s->problem);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
