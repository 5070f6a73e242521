// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * DWARF as a source of types: what is opened when.
 *
 * Opening takes the sections from libdw, which has found, decompressed and (modules) relocated
 * them; from there on nothing of libdw is used. A unit is opened when a DIE in it is looked at. The
 * index of all names is needed only for what the hubs do not have: it is then mapped from the cache
 * on disk, or gathered from all units and kept there (dwarf_scan.c, index_file.c). Where there is
 * no cache yet, a name that does not occur in .debug_str saves gathering.
 *
 * Answers come from several threads. The index has a lock of its own, as gathering takes long; what
 * is published through it is never changed afterwards.
 */
#include <elfutils/libdwelf.h>
#include <stdio.h>
#include <string.h>

#include "symbols/dwarf.h"
#include "types/dwarf.h"

/* Names no longer than an offset (of 4 bytes, or 8) are cheaper in place; compilers do so. */
#define NAME_MERGED_MIN 8
#define HUBS_MAX        16
#define KEPT_MIN        (4u << 20)

/* --- Units --- */

static int compare_starts(const void *key, const void *start)
{
	uint64_t offset = *(const uint64_t *)key;
	const uint32_t *s = start;

	/* The next start exists behind the last, see load_units(). */
	return offset < s[0] ? -1 : offset >= s[1];
}

static struct dwarf_unit *open_unit(struct dwarf *dwarf, unsigned file, uint64_t start)
{
	struct dwarf_unit *unit = arena_zalloc(&dwarf->arena, sizeof(*unit));

	/* One that cannot be opened stays, without abbreviations, so as not to be tried again. */
	(void)dwarf_unit_open(dwarf->sections, file, start, unit);
	unit->next = dwarf->opened;
	dwarf->opened = unit;
	return unit;
}

static struct unit_table *load_units(struct dwarf *dwarf, unsigned file)
{
	struct unit_table *table = atomic_load(&dwarf->units[file]);
	struct index_image *index = atomic_load(&dwarf->index);
	const uint32_t *starts;
	size_t count;

	if (table)
		return table;
	if (dwarf->sections[file].info.size > UINT32_MAX)
		return NULL;
	table = arena_zalloc(&dwarf->arena, sizeof(*table));
	if (index && index_image_units(index, file, &starts, &count)) {
		for (size_t i = 0; i < count; i++)
			vec_push(&table->starts, starts[i]);
	} else {
		(void)dwarf_units_walk(&dwarf->sections[file].info, &table->starts);
	}
	count = table->starts.count;
	vec_push(&table->starts, (uint32_t)dwarf->sections[file].info.size);
	table->starts.count = count;
	table->open = xcalloc(count + 1, sizeof(*table->open));
	atomic_store_explicit(&dwarf->units[file], table, memory_order_release);
	return table;
}

const struct dwarf_unit *dwarf_unit_of(struct dwarf *dwarf, struct dwarf_place place)
{
	for (unsigned i = 0; place.file == DWARF_MAIN && i < dwarf->hub_count; i++) {
		const struct dwarf_unit *hub = dwarf->hub_unit[i];
		if (place.offset >= hub->start && place.offset < hub->end)
			return hub;
	}
	struct unit_table *table =
		atomic_load_explicit(&dwarf->units[place.file], memory_order_acquire);
	if (!table) {
		pthread_mutex_lock(&dwarf->lock);
		table = load_units(dwarf, place.file);
		pthread_mutex_unlock(&dwarf->lock);
	}
	if (!table || !table->starts.count)
		return NULL;
	const uint32_t *start = bsearch(&place.offset, table->starts.data, table->starts.count,
					sizeof(*start), compare_starts);
	if (!start)
		return NULL;
	struct dwarf_slot *slot = &table->open[start - table->starts.data];
	struct dwarf_unit *unit = atomic_load_explicit(&slot->unit, memory_order_acquire);
	if (!unit) {
		pthread_mutex_lock(&dwarf->lock);
		unit = atomic_load(&slot->unit);
		if (!unit) {
			unit = open_unit(dwarf, place.file, *start);
			atomic_store_explicit(&slot->unit, unit, memory_order_release);
		}
		pthread_mutex_unlock(&dwarf->lock);
	}
	return unit->abbrevs ? unit : NULL;
}

bool dwarf_die_at(struct dwarf *dwarf, struct dwarf_place place, struct dwarf_die *die)
{
	const struct dwarf_unit *unit = dwarf_unit_of(dwarf, place);

	return unit && dwarf_die_read(dwarf->sections, unit, place.offset, die) && die->tag;
}

/* --- The index --- */

/* What is gathered within two milliseconds is not. */
static bool worth_keeping(const struct dwarf *dwarf)
{
	return *dwarf->identity.build_id && dwarf->sections[DWARF_MAIN].info.size >= KEPT_MIN;
}

static struct index_image *gather_all(struct dwarf *dwarf)
{
	struct index_units units[DWARF_FILES] = { 0 };
	struct index_image *image;

	uint64_t damage = UINT64_MAX;

	for (unsigned file = 0; file < DWARF_FILES; file++) {
		const struct span *info = &dwarf->sections[file].info;
		struct index_units *u = &units[file];
		if (info->size <= UINT32_MAX && !dwarf_units_walk(info, u))
			damage = u->count ? u->data[u->count - 1] : 0;
	}
	image = dwarf_scan(dwarf->sections, units, &dwarf->identity, &damage);
	atomic_store(&dwarf->damage, damage);
	for (unsigned file = 0; file < DWARF_FILES; file++)
		vec_deinit(&units[file]);
	if (image && damage == UINT64_MAX && worth_keeping(dwarf))
		(void)index_file_save(image);
	return image;
}

/* False: no DIE has this name. */
static bool may_have(const struct dwarf *dwarf, const char *name)
{
	const struct span *str = &dwarf->sections[DWARF_MAIN].str;
	size_t length = strlen(name);

	return !dwarf->names_merged || length < NAME_MERGED_MIN ||
	       memmem(str->data, str->size, name, length + 1);
}

struct index_image *dwarf_index(struct dwarf *dwarf, const char *name)
{
	struct index_image *index = atomic_load_explicit(&dwarf->index, memory_order_acquire);

	if (index)
		return index;
	pthread_mutex_lock(&dwarf->index_lock);
	index = atomic_load(&dwarf->index);
	if (!index && !dwarf->index_tried && worth_keeping(dwarf))
		index = index_file_load(&dwarf->identity);
	dwarf->index_tried = true;
	if (!index && may_have(dwarf, name))
		index = gather_all(dwarf);
	atomic_store_explicit(&dwarf->index, index, memory_order_release);
	pthread_mutex_unlock(&dwarf->index_lock);
	return index;
}

void dwarf_index_renew(struct dwarf *dwarf)
{
	pthread_mutex_lock(&dwarf->index_lock);
	struct index_image *index = atomic_load(&dwarf->index);
	/* What was gathered now is never damaged: this happens once. */
	if (index && index_image_damaged(index) && !dwarf->damaged) {
		index_file_remove(&dwarf->identity);
		dwarf->damaged = index;
		atomic_store_explicit(&dwarf->index, gather_all(dwarf), memory_order_release);
	}
	pthread_mutex_unlock(&dwarf->index_lock);
}

/* --- Opening --- */

static void open_hubs(struct dwarf *dwarf, const uint64_t *hubs, size_t count)
{
	struct index_units units[DWARF_FILES] = { 0 };
	uint64_t damage = UINT64_MAX;

	for (size_t i = 0; i < count && dwarf->hub_count < array_size(dwarf->hub_unit); i++) {
		bool known = hubs[i] >= UINT32_MAX;
		for (unsigned k = 0; k < dwarf->hub_count; k++)
			known |= dwarf->hub_unit[k]->start == hubs[i];
		struct dwarf_unit *unit = known ? NULL : open_unit(dwarf, DWARF_MAIN, hubs[i]);
		if (!unit || !unit->abbrevs)
			continue;
		dwarf->hub_unit[dwarf->hub_count++] = unit;
		vec_push(&units[DWARF_MAIN], (uint32_t)hubs[i]);
	}
	if (dwarf->hub_count)
		dwarf->hubs = dwarf_scan(dwarf->sections, units, &dwarf->identity, &damage);
	atomic_store(&dwarf->damage, damage);
	vec_deinit(&units[DWARF_MAIN]);
}

/* So that a string that begins inside ends inside. */
static void end_with_nul(struct span *strings)
{
	const uint8_t *last = strings->size ? memrchr(strings->data, 0, strings->size) : NULL;

	strings->size = last ? (size_t)(last - strings->data) + 1 : 0;
}

struct dwarf *dwarf_create(const struct dwarf_sections sections[DWARF_FILES],
			   const struct index_identity *identity, const uint64_t *hubs,
			   size_t hub_count)
{
	struct dwarf *dwarf = xcalloc(1, sizeof(*dwarf));

	dwarf->source.ops = &dwarf_type_ops;
	dwarf->identity = *identity;
	for (unsigned file = 0; file < DWARF_FILES; file++) {
		dwarf->sections[file] = sections[file];
		end_with_nul(&dwarf->sections[file].str);
		end_with_nul(&dwarf->sections[file].line_str);
	}
	dwarf->identity.info_size = sections[DWARF_MAIN].info.size;
	dwarf->identity.abbrev_size = sections[DWARF_MAIN].abbrev.size;
	dwarf->identity.str_size = sections[DWARF_MAIN].str.size;
	dwarf->identity.alt_size = sections[DWARF_ALT].info.size;
	pthread_mutex_init(&dwarf->lock, NULL);
	pthread_mutex_init(&dwarf->index_lock, NULL);
	open_hubs(dwarf, hubs, hub_count);
	return dwarf;
}

void dwarf_destroy(struct type_source *source)
{
	struct dwarf *dwarf = dwarf_of(source);

	index_image_close(dwarf->hubs);
	index_image_close(atomic_load(&dwarf->index));
	index_image_close(dwarf->damaged);
	for (struct dwarf_unit *unit = dwarf->opened; unit; unit = unit->next) {
		if (unit->abbrevs)
			dwarf_abbrevs_deinit(unit->abbrevs);
		free(unit->abbrevs);
	}
	for (unsigned file = 0; file < DWARF_FILES; file++) {
		struct unit_table *table = atomic_load(&dwarf->units[file]);
		if (!table)
			continue;
		vec_deinit(&table->starts);
		free(table->open);
	}
	free(dwarf->path);
	vec_deinit(&dwarf->handles);
	map_deinit(&dwarf->handle_of);
	map_deinit(&dwarf->children);
	map_deinit(&dwarf->definitions);
	pthread_mutex_destroy(&dwarf->lock);
	pthread_mutex_destroy(&dwarf->index_lock);
	arena_deinit(&dwarf->arena);
	free(dwarf);
}

/* --- From a debug file --- */

static struct span *section_of(struct dwarf_sections *sections, const char *name)
{
	static const struct {
		const char *name;
		size_t at;
	} known[] = {
		{ "info", offsetof(struct dwarf_sections, info) },
		{ "abbrev", offsetof(struct dwarf_sections, abbrev) },
		{ "str", offsetof(struct dwarf_sections, str) },
		{ "line_str", offsetof(struct dwarf_sections, line_str) },
		{ "str_offsets", offsetof(struct dwarf_sections, str_offsets) },
	};

	if (strncmp(name, ".debug_", 7) == 0)
		name += 7;
	else if (strncmp(name, ".zdebug_", 8) == 0)
		name += 8;
	else
		return NULL;
	for (size_t i = 0; i < array_size(known); i++) {
		if (strcmp(known[i].name, name) == 0)
			return (struct span *)(void *)((char *)sections + known[i].at);
	}
	return NULL;
}

/* libdw has decompressed and relocated what it knows; its data are ours then. */
static void take_sections(Dwarf *handle, struct dwarf_sections *sections, bool *merged)
{
	Elf *elf = dwarf_getelf(handle);
	size_t names;

	if (!elf || elf_getshdrstrndx(elf, &names) != 0)
		return;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		GElf_Shdr header;
		if (!gelf_getshdr(scn, &header) || header.sh_type == SHT_NOBITS)
			continue;
		const char *name = elf_strptr(elf, names, header.sh_name);
		struct span *span = name ? section_of(sections, name) : NULL;
		if (!span || span->size || header.sh_flags & SHF_COMPRESSED)
			continue;
		const Elf_Data *data = elf_getdata(scn, NULL);
		if (!data || !data->d_buf)
			continue;
		*span = (struct span){ .data = data->d_buf, .size = data->d_size };
		if (span == &sections->str)
			*merged = header.sh_flags & SHF_MERGE && header.sh_flags & SHF_STRINGS;
	}
}

static void take_build_id(Dwarf *handle, struct index_identity *identity)
{
	const void *id;
	ssize_t n = dwelf_elf_gnu_build_id(dwarf_getelf(handle), &id);

	if (n < 8 || n > 64)
		return;
	for (ssize_t i = 0; i < n; i++)
		snprintf(identity->build_id + i * 2, 3, "%02x", ((const uint8_t *)id)[i]);
}

struct dwarf *dwarf_from_handle(Dwarf *handle, const uint64_t *hubs, size_t hub_count)
{
	struct dwarf_sections sections[DWARF_FILES] = { 0 };
	struct index_identity identity = { 0 };
	Dwarf *alternate = dwarf_getalt(handle);
	bool merged = false, ignored;

	take_sections(handle, &sections[DWARF_MAIN], &merged);
	if (alternate)
		take_sections(alternate, &sections[DWARF_ALT], &ignored);
	if (!sections[DWARF_MAIN].info.size || !sections[DWARF_MAIN].abbrev.size)
		return NULL;
	take_build_id(handle, &identity);
	struct dwarf *dwarf = dwarf_create(sections, &identity, hubs, hub_count);
	dwarf->names_merged = merged && !sections[DWARF_ALT].info.size;
	return dwarf;
}

/*
 * Offsets of the units that the functions at @addresses are in. libdw may have been shown the unit
 * on its own (symbols/units.c), and count from there: its bytes tell where it is.
 */
static size_t hub_units(struct debug_module *debug, Dwarf *handle, const uint64_t *addresses,
			size_t count, uint64_t offsets[HUBS_MAX])
{
	struct dwarf_sections sections = { 0 };
	bool ignored;
	size_t n = 0;

	take_sections(handle, &sections, &ignored);
	for (size_t i = 0; i < count && n < HUBS_MAX; i++) {
		Dwarf_Die die;
		if (!addresses[i] || !debug_module_unit(debug, addresses[i], &die))
			continue;
		uintptr_t at = (uintptr_t)die.addr - (uintptr_t)sections.info.data;
		if (at < sections.info.size && dwarf_cuoffset(&die) <= at)
			offsets[n++] = at - dwarf_cuoffset(&die);
	}
	return n;
}

struct error *dwarf_open(struct debug_module *debug, const uint64_t *hubs, size_t hub_count,
			 struct dwarf **ret)
{
	uint64_t bias = 0, offsets[HUBS_MAX];
	struct dwarf *dwarf = NULL;

	debug_module_lock(debug);
	Dwarf *handle = debug_module_dwarf(debug, &bias);
	if (handle) {
		size_t n = hub_units(debug, handle, hubs, hub_count, offsets);
		dwarf = dwarf_from_handle(handle, offsets, n);
	}
	debug_module_unlock(debug);
	if (!dwarf)
		return error_new(ERROR_NOT_FOUND, "%s: has no DWARF types",
				 debug_module_path(debug));
	dwarf->bias = bias;
	dwarf->path = xstrdup(debug_module_path(debug));
	*ret = dwarf;
	return NULL;
}
