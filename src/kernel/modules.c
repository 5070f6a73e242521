// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The loaded modules. The kernel chains each struct module into the list `modules`, newest first
 * (kernel/module/main.c; before 5.19 kernel/module.c). Where a module's memory is described moved:
 *
 *	before 4.5	module_core, core_size, core_text_size	(and the same with init)
 *	4.5 to 6.3	core_layout.{base,size,text_size}	(and init_layout)
 *	since 6.4	mem[MOD_TEXT ... MOD_INIT_RODATA].{base,size}	(include/linux/module.h)
 *
 * Its symbols are a mod_kallsyms behind `kallsyms` since 4.5, members of struct module before. The
 * BTF that struct module points to is forgotten once it is live; the copy that stays is the one of
 * the list btf_modules (kernel/bpf/btf.c), which is also relocated against the kernel's.
 */
#include "kernel/modules.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "kernel/text.h"

enum {
	/* No kernel has more symbols or unwind entries in one module; a larger number is damage. */
	SYMBOLS_MAX = 1 << 22, EXPORTS_MAX = 1 << 16, EXPORT_SIZE_MAX = 64,
	ORCS_MAX = 1 << 24,
	BTF_SIZE_MAX = 64 << 20,
	/* enum mod_mem_type, include/linux/module.h: the first and the fifth hold code. */
	MOD_TEXT = 0,
	MOD_INIT_TEXT = 4,
	MOD_MEM_TYPES = 7,
};

/* The largest memory of one module that we believe: half of the module area of x86-64. */
static const uint64_t module_size_max = UINT64_C(1) << 29;

struct module_list {
	struct session *session;
	struct {
		vec_fields(struct module_info);
	} infos;
	struct module *for_symbols; /* the same, as the symbol station wants them */
	bool types_added;
};

static void add_area(struct module_info *info, uint64_t start, uint64_t size, bool text)
{
	struct module *m = &info->module;

	if (!start || !size || size > module_size_max || m->area_count >= array_size(m->area))
		return;
	m->area[m->area_count++] = (struct module_area){
		.start = start,
		.size = size,
		.text = text,
	};
	info->size += size;
}

/* One image of the layouts before 6.4: code first, data behind it. */
static void add_image(struct module_info *info, uint64_t base, uint64_t size, uint64_t text_size)
{
	if (text_size > size)
		text_size = size;
	add_area(info, base, text_size, true);
	add_area(info, base + text_size, size - text_size, false);
}

/* mem[i].base and .size, since 6.4. */
static bool areas_by_type(struct session *s, uint64_t address, struct module_info *info)
{
	uint64_t mem, base, size;
	uint64_t stride = types_sizeof(s->types, "module_memory");

	if (!stride || !koffset(s, "module", "mem", &mem))
		return false;
	for (unsigned i = 0; i < MOD_MEM_TYPES; i++) {
		uint64_t at = address + mem + i * stride;
		if (!kread(s, at, "module_memory", "base", &base) ||
		    !kread(s, at, "module_memory", "size", &size))
			continue;
		add_area(info, base, size, i == MOD_TEXT || i == MOD_INIT_TEXT);
	}
	return true;
}

static void read_areas(struct session *s, uint64_t address, struct module_info *info)
{
	uint64_t base, size, text;

	if (!areas_by_type(s, address, info)) {
		kread(s, address, "module", "core_layout.base|module_core", &base);
		kread(s, address, "module", "core_layout.size|core_size", &size);
		kread(s, address, "module", "core_layout.text_size|core_text_size", &text);
		add_image(info, base, size, text);
		kread(s, address, "module", "init_layout.base|module_init", &base);
		kread(s, address, "module", "init_layout.size|init_size", &size);
		kread(s, address, "module", "init_layout.text_size|init_text_size", &text);
		add_image(info, base, size, text);
	}
	for (unsigned i = 0; i < info->module.area_count; i++) {
		const struct module_area *area = &info->module.area[i];
		if (area->text) {
			info->module.text_start = area->start;
			info->module.text_size = area->size;
			break;
		}
	}
}

static void read_symbol_tables(struct session *s, uint64_t address, struct module *module)
{
	uint64_t table, count;

	if (kread(s, address, "module", "kallsyms", &table) && table) {
		kread(s, table, "mod_kallsyms", "symtab", &module->symtab);
		kread(s, table, "mod_kallsyms", "strtab", &module->strtab);
		kread(s, table, "mod_kallsyms", "typetab", &module->typetab);
		kread(s, table, "mod_kallsyms", "num_symtab", &count);
	} else {
		kread(s, address, "module", "symtab", &module->symtab);
		kread(s, address, "module", "strtab", &module->strtab);
		kread(s, address, "module", "num_symtab", &count);
	}
	module->symbol_count = count <= SYMBOLS_MAX && module->symtab ? (unsigned)count : 0;

	uint64_t unused, size = types_sizeof(s->types, "kernel_symbol");
	if (kread(s, address, "module", "syms", &module->exports) && size && size <= EXPORT_SIZE_MAX &&
	    kread(s, address, "module", "num_syms", &count) && count <= EXPORTS_MAX) {
		module->export_count = (unsigned)count;
		module->export_size = (unsigned)size;
		module->export_relative = koffset(s, "kernel_symbol", "value_offset", &unused);
	}

	kread(s, address, "module", "arch.orc_unwind_ip", &module->orc_ip);
	kread(s, address, "module", "arch.orc_unwind", &module->orc);
	kread(s, address, "module", "arch.num_orcs", &count);
	if (count <= ORCS_MAX && module->orc && module->orc_ip)
		module->orc_count = (unsigned)count;
}

static void set_btf(struct module *module, uint64_t data, uint64_t size)
{
	if (data && size && size <= BTF_SIZE_MAX) {
		module->btf = data;
		module->btf_size = (uint32_t)size;
	}
}

static bool add_module(void *ctx, uint64_t address)
{
	struct module_list *list = ctx;
	struct session *s = list->session;
	struct module_info info = { .module.address = address };
	char name[64];
	uint64_t value, size;

	if (!kread_string(s, address, "module", "name", name, sizeof(name))) {
		session_problem(s, "the module at %016lx is not in the dump",
				(unsigned long)address);
		return true;
	}
	info.module.name = arena_strdup(&s->arena, name);
	read_areas(s, address, &info);
	read_symbol_tables(s, address, &info.module);
	kread(s, address, "module", "btf_data", &value);
	kread(s, address, "module", "btf_data_size", &size);
	set_btf(&info.module, value, size);

	/* One reference is the kernel's own: MODULE_REF_BASE, kernel/module/main.c. */
	info.has_refcount = kread(s, address, "module", "refcnt.counter", &value);
	info.refcount = (int64_t)value > 0 ? value - 1 : 0;
	info.has_taints = kread(s, address, "module", "taints", &info.taints);
	info.has_state = kread(s, address, "module", "state", &value);
	info.state = (unsigned)value;
	kread_string(s, address, "module", "version", info.version, sizeof(info.version));
	kread_string(s, address, "module", "srcversion", info.srcversion, sizeof(info.srcversion));
	vec_push(&list->infos, info);
	return true;
}

/* A struct btf_module: which module it belongs to, and its struct btf. */
static bool add_btf(void *ctx, uint64_t address)
{
	struct module_list *list = ctx;
	struct session *s = list->session;
	uint64_t module, btf, data, size;

	if (!kread(s, address, "btf_module", "module", &module) ||
	    !kread(s, address, "btf_module", "btf", &btf) || !kread(s, btf, "btf", "data", &data) ||
	    !kread(s, btf, "btf", "data_size", &size))
		return true;
	vec_for_each (info, &list->infos) {
		if (info->module.address == module)
			set_btf(&info->module, data, size);
	}
	return true;
}

static void destroy_list(void *data)
{
	struct module_list *list = data;

	vec_deinit(&list->infos);
	free(list->for_symbols);
	free(list);
}

static struct module_list *module_list(struct session *s)
{
	struct module_list *list = s->slot[SLOT_MODULES].data;
	uint64_t head;

	if (list)
		return list;
	list = xcalloc(1, sizeof(*list));
	list->session = s;
	/* In the slot before it is full: a look-up of a symbol below may ask for the modules. */
	s->slot[SLOT_MODULES].data = list;
	s->slot[SLOT_MODULES].destroy = destroy_list;
	if (!s->symbols)
		return list;
	head = symbols_address(s->symbols, "modules");
	if (head)
		klist_each(s, head, "module", "list", "the module list", add_module, list);
	/* Theirs is of no use without the kernel's. */
	bool btf = list->infos.count && starts_with(types_source(s->types), "BTF");
	head = btf ? symbols_address(s->symbols, "btf_modules") : 0;
	if (head)
		klist_each(s, head, "btf_module", "list", "the list of modules' BTF", add_btf,
			   list);
	list->for_symbols = xcalloc(list->infos.count, sizeof(*list->for_symbols));
	for (size_t i = 0; i < list->infos.count; i++)
		list->for_symbols[i] = list->infos.data[i].module;
	return list;
}

const struct module_info *modules(struct session *s, size_t *count)
{
	if (s->text) {
		*count = s->text->module_count;
		return s->text->modules;
	}
	const struct module_list *list = module_list(s);

	*count = list->infos.count;
	return list->infos.data;
}

void modules_register(struct session *s)
{
	const struct module_list *list = module_list(s);

	if (s->symbols && list->for_symbols)
		symbols_set_modules(s->symbols, list->for_symbols, list->infos.count);
}

void modules_add_types(struct session *s)
{
	struct module_list *list = module_list(s);

	if (list->types_added)
		return;
	list->types_added = true;
	vec_for_each (info, &list->infos) {
		const struct module *m = &info->module;
		if (!m->btf)
			continue;
		struct error *err = types_add_btf(s->types, m->name, m->btf, m->btf_size);
		if (err)
			session_problem(s, "types of module %s: %s", m->name, err->message);
		error_free(err);
	}
}
