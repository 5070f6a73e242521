// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The universe of types of a session: the kernel's source, the modules', and what we derive. Names
 * are looked for in the kernel first, then in modules in the order in which they were added. BTF
 * comes before DWARF: where the kernel has BTF, debug files answer only what it lacks.
 *
 * Answers to types_member() and types_sizeof() are remembered, because walkers ask the same
 * question once for each of thousands of objects from several threads: the memory is a table of
 * pointers to entries that never change, read without a lock; a table that is too full is replaced
 * by a bigger one, and kept until the end for those who still read it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "symbols/dwarf.h"
#include "types/dwarf.h"
#include "types/parse.h"
#include "types/source.h"

#define LOADER_CALLS_MAX 4
/* Per-CPU data is some hundred kilobytes; no kernel is linked that low. */
#define PERCPU_OFFSET_MAX (16u << 20)

struct memo {
	uint64_t hash;
	const char *struct_name;
	const char *path; /* NULL: the size */
	bool found;
	unsigned sources;     /* not found in so many modules */
	struct member member; /* .size when no path */
};

struct memo_table {
	size_t mask;
	struct memo_table *older;
	_Atomic(const struct memo *) slot[];
};

struct module_source {
	const char *name;
	struct type_source *source;
	struct module_source *_Atomic next;
};

struct debug_loader {
	_Atomic bool busy;
	unsigned calls; /* by who set busy */
};

struct types {
	struct memory *mem;
	struct btf *kernel;
	struct derived *derived;
	struct module_source *_Atomic modules;
	/* From debug files. */
	struct type_source *_Atomic debug_kernel;
	struct module_source *_Atomic debug_modules;
	struct debug_loader debug_loader[2]; /* the kernel's, the modules' */
	void (*load_debug)(void *ctx, bool modules);
	void *load_debug_ctx;
	char *debug_text;
	_Atomic unsigned module_count; /* of both kinds */
	_Atomic bool loading;
	unsigned loader_calls; /* by who set loading */
	void (*loader)(void *ctx);
	void *loader_ctx;
	pthread_mutex_t lock; /* adding sources and memos */
	_Atomic(struct memo_table *) memos;
	size_t memo_count;
	struct arena arena;
};

static struct memo_table *memo_table_create(size_t capacity)
{
	struct memo_table *t = xcalloc(1, sizeof(*t) + capacity * sizeof(t->slot[0]));

	t->mask = capacity - 1;
	return t;
}

struct types *types_create(struct memory *mem)
{
	struct types *types = xcalloc(1, sizeof(*types));

	types->mem = mem;
	types->derived = derived_create();
	pthread_mutex_init(&types->lock, NULL);
	atomic_init(&types->memos, memo_table_create(512));
	return types;
}

static void destroy_sources(struct module_source *_Atomic *list)
{
	struct module_source *module = atomic_load(list);

	for (; module; module = atomic_load(&module->next))
		module->source->ops->destroy(module->source);
}

void types_destroy(struct types *types)
{
	if (!types)
		return;
	destroy_sources(&types->modules);
	destroy_sources(&types->debug_modules);
	if (atomic_load(&types->debug_kernel))
		dwarf_destroy(atomic_load(&types->debug_kernel));
	free(types->debug_text);
	if (types->kernel) {
		struct type_source *source = btf_source(types->kernel);
		source->ops->destroy(source);
	}
	derived_destroy(types->derived);
	for (struct memo_table *t = atomic_load(&types->memos), *older; t; t = older) {
		older = t->older;
		free(t);
	}
	pthread_mutex_destroy(&types->lock);
	arena_deinit(&types->arena);
	free(types);
}

static void append(struct types *types, struct module_source *_Atomic *list,
		   const char *name, struct type_source *source)
{
	pthread_mutex_lock(&types->lock);
	struct module_source *new = arena_zalloc(&types->arena, sizeof(*new));
	new->name = arena_strdup(&types->arena, name);
	new->source = source;
	while (atomic_load(list))
		list = &atomic_load(list)->next;
	atomic_store(list, new);
	atomic_fetch_add(&types->module_count, 1);
	pthread_mutex_unlock(&types->lock);
}

static struct error *add(struct types *types, const char *module, uint64_t vaddr, const void *data,
			 uint64_t size)
{
	struct memory *mem = data ? NULL : types->mem;
	struct btf *btf;

	if (!module && types->kernel)
		return error_new(ERROR_USAGE, "the kernel has one BTF only");
	if (module && !types->kernel)
		return error_new(ERROR_MISSING, "BTF of module %s needs the kernel's", module);
	if (!data && !mem)
		return error_new(ERROR_USAGE, "there is no memory to read BTF from");
	struct error *err = btf_create(mem, vaddr, data, size, module ? types->kernel : NULL, &btf);
	if (err)
		return module ? error_prefix(err, "module %s", module) : err;
	if (!module) {
		types->kernel = btf;
		return NULL;
	}
	append(types, &types->modules, module, btf_source(btf));
	return NULL;
}

struct error *types_add_btf(struct types *types, const char *module, uint64_t vaddr, uint64_t size)
{
	return add(types, module, vaddr, NULL, size);
}

struct error *types_add_btf_bytes(struct types *types, const char *module, const void *data,
				  uint64_t size)
{
	return add(types, module, 0, data, size);
}

void types_set_module_loader(struct types *types, void (*loader)(void *ctx), void *ctx)
{
	types->loader = loader;
	types->loader_ctx = ctx;
}

struct error *types_add_dwarf(struct types *types, const char *module, struct debug_module *debug,
			      const uint64_t *hubs, size_t hub_count)
{
	struct dwarf *dwarf;

	if (!module && atomic_load(&types->debug_kernel))
		return error_new(ERROR_USAGE, "the kernel has one debug file only");
	struct error *err = dwarf_open(debug, hubs, hub_count, &dwarf);
	if (err)
		return module ? error_prefix(err, "module %s", module) : err;
	if (module) {
		append(types, &types->debug_modules, module, &dwarf->source);
		return NULL;
	}
	types->debug_text = xasprintf("DWARF of %s", debug_module_path(debug));
	atomic_store(&types->debug_kernel, &dwarf->source);
	return NULL;
}

void types_set_debug_loader(struct types *types, void (*loader)(void *ctx, bool modules), void *ctx)
{
	types->load_debug = loader;
	types->load_debug_ctx = ctx;
}

/* Called from within itself (it reads modules, whose types it asks for) it does nothing. */
void types_load_debug(struct types *types, bool modules)
{
	struct debug_loader *loader = &types->debug_loader[modules];
	bool loaded = modules ? atomic_load(&types->debug_modules) != NULL
			      : atomic_load(&types->debug_kernel) != NULL;

	if (!types->load_debug || loaded || atomic_exchange(&loader->busy, true))
		return;
	if (loader->calls++ < 1)
		types->load_debug(types->load_debug_ctx, modules);
	atomic_store(&loader->busy, false);
}

static void tell_damage(const struct type_source *source,
			void (*fn)(void *ctx, const char *sentence), void *ctx)
{
	const struct dwarf *dwarf = source ? dwarf_of(source) : NULL;
	uint64_t at = dwarf ? atomic_load(&dwarf->damage) : UINT64_MAX;

	if (at == UINT64_MAX)
		return;
	auto_free char *sentence =
		xasprintf("%s: damaged at 0x%llx of .debug_info: some types may be missing",
			  dwarf->path ? dwarf->path : "debug file", (unsigned long long)at);
	fn(ctx, sentence);
}

void types_debug_problems(struct types *types, void (*fn)(void *ctx, const char *sentence),
			  void *ctx)
{
	tell_damage(atomic_load(&types->debug_kernel), fn, ctx);
	for (struct module_source *m = atomic_load(&types->debug_modules); m;
	     m = atomic_load(&m->next))
		tell_damage(m->source, fn, ctx);
}

const char *types_source(const struct types *types)
{
	if (types->kernel)
		return "BTF in the dump";
	return atomic_load(&types->debug_kernel) ? types->debug_text : "none";
}

/* --- Names --- */

/*
 * The loader reads the module list, for which it looks up types: it may be called from within
 * itself, which must do nothing, or while who called is still gathering the modules, which finds
 * none yet; then it is called again the next time.
 */
void types_load_modules(struct types *types)
{
	if (!types->kernel)
		types_load_debug(types, true);
	if (!types->loader || !types->kernel || atomic_load(&types->modules) ||
	    atomic_exchange(&types->loading, true))
		return;
	if (types->loader_calls++ < LOADER_CALLS_MAX)
		types->loader(types->loader_ctx);
	atomic_store(&types->loading, false);
}

/* The source that void is of; NULL when there are no types. */
static const struct type_source *base_source(const struct types *types)
{
	return types->kernel ? btf_source(types->kernel) : atomic_load(&types->debug_kernel);
}

struct search {
	enum name_class as;
	const char *name;
	struct type incomplete; /* the first forward declaration that was met */
};

/* True when @source has a complete type of this name. */
static bool search_source(struct search *search, const struct type_source *source,
			  struct type *type)
{
	struct type found;

	if (!source || !source->ops->find(source, search->as, search->name, &found))
		return false;
	if (search->as == NAME_FUNCTION || search->as == NAME_VARIABLE || type_is_complete(found)) {
		*type = found;
		return true;
	}
	if (!search->incomplete.source)
		search->incomplete = found;
	return false;
}

static bool search_modules(struct search *search, struct module_source *_Atomic *list,
			   struct type *type)
{
	for (struct module_source *m = atomic_load(list); m; m = atomic_load(&m->next)) {
		if (search_source(search, m->source, type))
			return true;
	}
	return false;
}

/*
 * A complete type if any source has one, else the forward declaration of the first that has it.
 * Debug files are asked when @debug, and where there is no BTF.
 */
static bool find_name(struct types *types, enum name_class as, const char *name, bool debug,
		      struct type *type)
{
	struct search search = { .as = as, .name = name };

	if (types->kernel && (search_source(&search, btf_source(types->kernel), type) ||
			      search_modules(&search, &types->modules, type)))
		return true;
	if ((debug || !types->kernel) &&
	    (search_source(&search, atomic_load(&types->debug_kernel), type) ||
	     search_modules(&search, &types->debug_modules, type)))
		return true;
	if (!search.incomplete.source)
		return false;
	*type = search.incomplete;
	return true;
}

static bool find_base(struct types *types, const struct type_expression *e, bool debug,
		      struct type *type)
{
	switch (e->tag) {
	case TAG_VOID:
		*type = (struct type){ .source = base_source(types), .id = 0 };
		return type->source;
	case TAG_STRUCT:
		return find_name(types, NAME_STRUCT, e->name, debug, type);
	case TAG_UNION:
		return find_name(types, NAME_UNION, e->name, debug, type);
	case TAG_ENUM:
		return find_name(types, NAME_ENUM, e->name, debug, type);
	default:
		return find_name(types, NAME_ANY, e->name, debug, type) ||
		       (e->other_name && find_name(types, NAME_ANY, e->other_name, debug, type));
	}
}

static bool find_expression(struct types *types, const char *name, bool debug, struct type *ret)
{
	struct type_expression e;
	struct type type;

	if (!type_expression_parse(name, &e) || !find_base(types, &e, debug, &type))
		return false;
	for (unsigned i = 0; i < e.pointers && type.source; i++)
		type = derived_pointer(types->derived, type);
	for (unsigned i = e.dimensions; i-- > 0 && type.source;)
		type = derived_array(types->derived, type, e.length[i]);
	if (!type.source)
		return false;
	*ret = type;
	return true;
}

static bool each_of(const struct type_source *source, bool (*fn)(void *ctx, struct type type),
		    void *ctx)
{
	struct type type;

	for (uint32_t i = 0; source->ops->at && source->ops->at(source, i, &type); i++) {
		if (!fn(ctx, type))
			return false;
	}
	return true;
}

bool types_each(struct types *types, bool (*fn)(void *ctx, struct type type), void *ctx)
{
	if (!types->kernel)
		return false;
	types_load_modules(types);
	if (!each_of(btf_source(types->kernel), fn, ctx))
		return true;
	for (struct module_source *m = atomic_load(&types->modules); m; m = atomic_load(&m->next)) {
		if (!each_of(m->source, fn, ctx))
			break;
	}
	return true;
}

bool types_pointer(struct types *types, struct type target, struct type *pointer)
{
	*pointer = derived_pointer(types->derived, target);
	return pointer->source != NULL;
}

bool types_array(struct types *types, struct type element, uint64_t length, struct type *array)
{
	*array = derived_array(types->derived, element, length);
	return array->source != NULL;
}

bool types_function_of(struct types *types, struct type result, struct type *function)
{
	*function = derived_function(types->derived, result);
	return function->source != NULL;
}

bool types_find(struct types *types, const char *name, struct type *type)
{
	if (find_expression(types, name, false, type) && type_is_complete(*type))
		return true;
	types_load_modules(types);
	if (find_expression(types, name, false, type) && type_is_complete(*type))
		return true;
	for (int modules = 0; modules < 2; modules++) {
		types_load_debug(types, modules);
		if (find_expression(types, name, true, type) && type_is_complete(*type))
			return true;
	}
	return find_expression(types, name, true, type);
}

/* Functions and variables. */
static bool find_object(struct types *types, enum name_class as, const char *name,
			struct type *type)
{
	if (find_name(types, as, name, false, type))
		return true;
	types_load_modules(types);
	if (find_name(types, as, name, false, type))
		return true;
	for (int modules = 0; modules < 2; modules++) {
		types_load_debug(types, modules);
		if (find_name(types, as, name, true, type))
			return true;
	}
	return false;
}

bool types_function(struct types *types, const char *name, struct type *type)
{
	return find_object(types, NAME_FUNCTION, name, type);
}

static bool find_in_module(struct module_source *_Atomic *list, const char *module,
			   struct search *search, struct type *type)
{
	for (struct module_source *m = atomic_load(list); m; m = atomic_load(&m->next)) {
		if (strcmp(m->name, module) == 0 && search_source(search, m->source, type))
			return true;
	}
	return false;
}

bool types_own_function(struct types *types, const char *module, const char *name,
			struct type *type)
{
	struct search search = { .as = NAME_FUNCTION, .name = name };

	if (module) {
		types_load_modules(types);
		if (find_in_module(&types->modules, module, &search, type))
			return true;
		types_load_debug(types, true);
		return find_in_module(&types->debug_modules, module, &search, type);
	}
	if (types->kernel && search_source(&search, btf_source(types->kernel), type))
		return true;
	types_load_debug(types, false);
	return search_source(&search, atomic_load(&types->debug_kernel), type);
}

bool types_btf_function(struct types *types, const char *name, struct type *type)
{
	types_load_modules(types);
	return types->kernel && find_name(types, NAME_FUNCTION, name, false, type);
}

bool types_variable(struct types *types, const char *name, struct type *type)
{
	const char *known = global_type_name(name);

	if (!known)
		return find_object(types, NAME_VARIABLE, name, type);
	/* Those of the table are the kernel's; it saves loading the modules for them. */
	if (types->kernel) {
		const struct type_source *kernel = btf_source(types->kernel);
		if (kernel->ops->find(kernel, NAME_VARIABLE, name, type))
			return true;
	}
	types_load_debug(types, false);
	const struct type_source *debug = atomic_load(&types->debug_kernel);
	if (debug && debug->ops->find(debug, NAME_VARIABLE, name, type))
		return true;
	return types_find(types, known, type);
}

bool types_variable_at(struct types *types, const char *name, uint64_t address, struct type *type)
{
	for (int modules = 0; modules < 2; modules++) {
		types_load_debug(types, modules);
		struct type_source *source = atomic_load(&types->debug_kernel);
		struct module_source *m = atomic_load(&types->debug_modules);
		if (modules)
			source = m ? m->source : NULL;
		while (source) {
			struct dwarf *dwarf = dwarf_of(source);
			/* Per-CPU variables have offsets for addresses, which do not move. */
			if (dwarf_find_variable(dwarf, name, address - dwarf->bias, type) ||
			    (address <= PERCPU_OFFSET_MAX &&
			     dwarf_find_variable(dwarf, name, address, type)))
				return true;
			m = modules ? atomic_load(&m->next) : NULL;
			source = m ? m->source : NULL;
		}
	}
	return false;
}

static bool enumerator_of(struct module_source *_Atomic *list, const char *name, int64_t *value)
{
	for (struct module_source *m = atomic_load(list); m; m = atomic_load(&m->next)) {
		if (m->source->ops->find_enumerator(m->source, name, value))
			return true;
	}
	return false;
}

bool types_enumerator(struct types *types, const char *name, int64_t *value)
{
	const struct type_source *base = base_source(types);

	if (base && base->ops->find_enumerator(base, name, value))
		return true;
	if (types->kernel) {
		types_load_modules(types);
		if (enumerator_of(&types->modules, name, value))
			return true;
		types_load_debug(types, false);
		const struct type_source *debug = atomic_load(&types->debug_kernel);
		if (debug && debug->ops->find_enumerator(debug, name, value))
			return true;
	}
	types_load_debug(types, true);
	return enumerator_of(&types->debug_modules, name, value);
}

/* --- Remembered answers --- */

static uint64_t memo_hash(const char *struct_name, const char *path)
{
	uint64_t hash = XXH3_64bits(struct_name, strlen(struct_name));

	return path ? XXH3_64bits_withSeed(path, strlen(path), hash) : ~hash;
}

static bool memo_is(const struct memo *m, uint64_t hash, const char *struct_name, const char *path)
{
	return m->hash == hash && !m->path == !path && strcmp(m->struct_name, struct_name) == 0 &&
	       (!path || strcmp(m->path, path) == 0);
}

static const struct memo *memo_find(const struct memo_table *t, uint64_t hash,
				    const char *struct_name, const char *path)
{
	for (size_t i = hash & t->mask;; i = (i + 1) & t->mask) {
		const struct memo *m = atomic_load_explicit(&t->slot[i], memory_order_acquire);
		if (!m || memo_is(m, hash, struct_name, path))
			return m;
	}
}

/* Puts @memo where it belongs, in place of an older answer; true when there was none. */
static bool memo_place(struct memo_table *t, const struct memo *memo)
{
	for (size_t i = memo->hash & t->mask;; i = (i + 1) & t->mask) {
		const struct memo *old = atomic_load_explicit(&t->slot[i], memory_order_relaxed);
		if (old && !memo_is(old, memo->hash, memo->struct_name, memo->path))
			continue;
		atomic_store_explicit(&t->slot[i], memo, memory_order_release);
		return !old;
	}
}

static struct memo_table *memo_room(struct types *types)
{
	struct memo_table *t = atomic_load(&types->memos);

	if (types->memo_count < t->mask / 2)
		return t;
	struct memo_table *bigger = memo_table_create((t->mask + 1) * 2);
	for (size_t i = 0; i <= t->mask; i++) {
		if (t->slot[i])
			(void)memo_place(bigger, t->slot[i]);
	}
	bigger->older = t;
	atomic_store_explicit(&types->memos, bigger, memory_order_release);
	return bigger;
}

static void memo_compute(struct types *types, const char *struct_name, const char *path,
			 struct memo *memo)
{
	struct type_expression e;
	struct type type;

	if (!type_expression_parse(struct_name, &e))
		return;
	if (path && e.tag == TAG_NONE && !e.pointers && !e.dimensions)
		memo->found = find_name(types, NAME_COMPOUND, e.name, false, &type);
	else
		memo->found = find_expression(types, struct_name, false, &type);
	if (!memo->found)
		return;
	if (path)
		memo->found = type_find_member(type, path, &memo->member);
	else if ((memo->found = type_is_complete(type)))
		memo->member.size = type_size(type);
}

static const struct memo *memo_get(struct types *types, const char *struct_name, const char *path)
{
	uint64_t hash = memo_hash(struct_name, path);
	struct memo_table *t = atomic_load_explicit(&types->memos, memory_order_acquire);
	const struct memo *old = memo_find(t, hash, struct_name, path);
	unsigned sources = atomic_load(&types->module_count);

	/* What was not found is looked for again when there are more modules. */
	if (old && (old->found || old->sources == sources))
		return old;
	struct memo fresh = { .hash = hash, .sources = sources };
	memo_compute(types, struct_name, path, &fresh);

	pthread_mutex_lock(&types->lock);
	struct memo *memo = arena_alloc(&types->arena, sizeof(*memo));
	fresh.struct_name = arena_strdup(&types->arena, struct_name);
	fresh.path = path ? arena_strdup(&types->arena, path) : NULL;
	*memo = fresh;
	if (memo_place(memo_room(types), memo))
		types->memo_count++;
	pthread_mutex_unlock(&types->lock);
	return memo;
}

bool types_member(struct types *types, const char *struct_name, const char *path,
		  struct member *member)
{
	const struct memo *memo = memo_get(types, struct_name, path);

	if (memo->found)
		*member = memo->member;
	return memo->found;
}

uint64_t types_sizeof(struct types *types, const char *name)
{
	return memo_get(types, name, NULL)->member.size;
}
