// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The names of all units, gathered in one pass over .debug_info on all cores.
 *
 * What is at the top level of a unit is visited, and enumerators; the rest is jumped over by its
 * sibling attribute. Attributes are passed over by the steps that were made of the abbreviations
 * (dwarf_abbrev.c), not decoded. A name is known by its offset in .debug_str: the linker has merged
 * equal strings, so that the string need not be touched. The same struct comes with every unit that
 * includes its header: names with the same kind and line of declaration are one, of which the first
 * in the file counts. That keeps different things that share a name apart, so that who looks up
 * sees that there are several.
 *
 * Each thread takes runs of units and has a table of its own; the tables are merged at the end.
 */
#include <dwarf.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"
#include "types/dwarf.h"

#define THREADS_MAX 16
#define RUN         16 /* units that a thread takes at once */
#define NESTING_MAX 64
/* Names of a sane kernel are a few hundred thousand. */
#define NAMES_MAX   (16u << 20)
#define INLINE_NAME (UINT64_C(1) << 63)
#define ALT_NAME    (UINT64_C(1) << 62)

/* A name's key: INLINE_NAME | its hash, or its offset in .debug_str (| ALT_NAME). */
struct gathered {
	uint64_t name;
	uint32_t line; /* its low 16 bits */
	uint32_t offset;
	uint8_t kind; /* enum index_kind; 0: free */
	uint8_t flags, file, spare;
};

struct table {
	struct gathered *slot;
	size_t mask, count;
};

struct job {
	const struct dwarf_sections *sections; /* of all files */
	const struct index_units *units;
	_Atomic size_t next;
	_Atomic uint64_t damage;
};

struct worker {
	struct job *job;
	pthread_t thread;
	struct table table;
	struct dwarf_abbrevs abbrevs;
	uint64_t abbrevs_at; /* | file << 63; UINT64_MAX: none */
	uint64_t budget;     /* bytes of abbreviations that may still be read */
};

/* --- The table --- */

static size_t slot_of(const struct table *t, const struct gathered *g)
{
	uint64_t h = g->name * UINT64_C(0x9e3779b97f4a7c15);

	h ^= ((uint64_t)g->line << 8 ^ g->kind ^ (uint64_t)g->flags << 4) *
	     UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	return (size_t)h & t->mask;
}

static struct gathered *find_slot(const struct table *t, const struct gathered *g)
{
	for (size_t i = slot_of(t, g);; i = (i + 1) & t->mask) {
		struct gathered *s = &t->slot[i];
		if (!s->kind || (s->name == g->name && s->line == g->line && s->kind == g->kind &&
				 s->flags == g->flags))
			return s;
	}
}

static void table_grow(struct table *t)
{
	size_t capacity = t->slot ? (t->mask + 1) * 2 : 65536;
	struct table bigger = { .slot = xcalloc(capacity, sizeof(*t->slot)),
				.mask = capacity - 1,
				.count = t->count };

	for (size_t i = 0; t->slot && i <= t->mask; i++) {
		if (t->slot[i].kind)
			*find_slot(&bigger, &t->slot[i]) = t->slot[i];
	}
	free(t->slot);
	*t = bigger;
}

/* True when it was not there yet. The first in the file counts. */
static bool table_add(struct table *t, const struct gathered *g)
{
	if (t->count >= NAMES_MAX)
		return false;
	if (t->count * 3 >= t->mask * 2)
		table_grow(t);
	struct gathered *s = find_slot(t, g);
	if (!s->kind) {
		*s = *g;
		t->count++;
		return true;
	}
	if (g->file < s->file || (g->file == s->file && g->offset < s->offset)) {
		s->file = g->file;
		s->offset = g->offset;
	}
	return false;
}

/* --- One DIE --- */

/* What the steps have found. */
struct sighting {
	uint64_t name; /* 0: none */
	uint64_t line, sibling, specification;
	bool external, declaration;
};

struct scanner {
	struct worker *worker;
	const struct dwarf_sections *sections; /* of all files */
	struct dwarf_unit unit;
	const uint8_t *info, *end;
};

static uint64_t inline_key(const char *name)
{
	return XXH3_64bits(name, strlen(name)) | INLINE_NAME;
}

/* The key of a string that a DIE was read with. */
static uint64_t key_of(const struct scanner *s, const char *name)
{
	const char *own = (const char *)s->sections[s->unit.file].str.data;

	if (!*name)
		return 0;
	if (name >= own && name < own + s->sections[s->unit.file].str.size)
		return (uint64_t)(name - own) | (s->unit.file ? ALT_NAME : 0);
	return inline_key(name);
}

static uint64_t load_sized(const uint8_t *p, unsigned size)
{
	uint64_t v = 0;

	memcpy(&v, p, size);
	return v;
}

static unsigned number_size(unsigned form)
{
	switch (form) {
	case DW_FORM_data1:
	case DW_FORM_ref1:
	case DW_FORM_strx1:
		return 1;
	case DW_FORM_data2:
	case DW_FORM_ref2:
	case DW_FORM_strx2:
		return 2;
	case DW_FORM_strx3:
		return 3;
	case DW_FORM_data4:
	case DW_FORM_ref4:
	case DW_FORM_strx4:
		return 4;
	case DW_FORM_data8:
	case DW_FORM_ref8:
		return 8;
	default:
		return 0;
	}
}

/* A number of a captured form, which is one of the constant or reference forms. */
static bool capture_number(struct scanner *s, const uint8_t **p, unsigned form, uint64_t *value)
{
	unsigned size = number_size(form);
	int64_t ignored;

	*value = 0;
	if (form == DW_FORM_ref_addr || form == DW_FORM_GNU_ref_alt)
		size = form == DW_FORM_ref_addr && s->unit.version <= 2 ? s->unit.address_size
									: s->unit.offset_size;
	if (form == DW_FORM_udata || form == DW_FORM_ref_udata)
		return dwarf_uleb(p, s->end, value);
	if (form == DW_FORM_sdata)
		return dwarf_sleb(p, s->end, &ignored);
	if (!size || (size_t)(s->end - *p) < size)
		return false;
	*value = load_sized(*p, size);
	*p += size;
	return true;
}

static bool capture_name(struct scanner *s, const uint8_t **p, unsigned form, uint64_t *name)
{
	const struct dwarf_sections *own = &s->sections[s->unit.file];
	bool alt = s->unit.file == DWARF_ALT;
	uint64_t i;

	*name = 0;
	switch (form) {
	case DW_FORM_string: {
		const uint8_t *nul = memchr(*p, 0, (size_t)(s->end - *p));
		if (!nul)
			return false;
		if (nul > *p)
			*name = XXH3_64bits(*p, (size_t)(nul - *p)) | INLINE_NAME;
		*p = nul + 1;
		return true;
	}
	case DW_FORM_strp:
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_strp_alt:
		if ((size_t)(s->end - *p) < s->unit.offset_size)
			return false;
		i = load_sized(*p, s->unit.offset_size);
		*p += s->unit.offset_size;
		alt |= form != DW_FORM_strp;
		if (i < s->sections[alt].str.size && s->sections[alt].str.data[i])
			*name = i | (alt ? ALT_NAME : 0);
		return true;
	case DW_FORM_strx:
	case DW_FORM_GNU_str_index:
		if (!dwarf_uleb(p, s->end, &i))
			return false;
		break;
	case DW_FORM_strx1:
	case DW_FORM_strx2:
	case DW_FORM_strx3:
	case DW_FORM_strx4:
		if (!capture_number(s, p, form, &i))
			return false;
		break;
	default:
		return false;
	}
	if (dwarf_string_index(own, &s->unit, i, &i) && i < own->str.size && own->str.data[i])
		*name = i | (alt ? ALT_NAME : 0);
	return true;
}

static bool skip_block(const uint8_t **p, const uint8_t *end, unsigned size)
{
	uint64_t n;

	if (!size) {
		if (!dwarf_uleb(p, end, &n))
			return false;
	} else {
		if ((size_t)(end - *p) < size)
			return false;
		n = load_sized(*p, size);
		*p += size;
	}
	if (n > (uint64_t)(end - *p))
		return false;
	*p += n;
	return true;
}

/* A form that is told by the bytes before it, or that we do not know: the reader of DIEs decides.
 */
static bool skip_other(struct scanner *s, uint64_t die, const uint8_t **p, struct sighting *sight)
{
	struct dwarf_die full;

	if (!dwarf_die_read(s->sections, &s->unit, die, &full))
		return false;
	*p = s->info + full.end;
	*sight = (struct sighting){ .name = key_of(s, full.name),
				    .line = full.line,
				    .sibling = full.sibling ? full.sibling - s->unit.start : 0,
				    .external = full.external,
				    .declaration = full.declaration };
	return true;
}

static bool run_steps(struct scanner *s, const struct dwarf_abbrev *a, uint64_t die,
		      const uint8_t **at, struct sighting *sight)
{
	const struct scan_step *step = a->steps ? &s->worker->abbrevs.steps.data[a->step] : NULL;
	const uint8_t *p = *at;
	uint64_t ignored;

	for (unsigned n = a->steps; n; n--, step++) {
		switch ((enum scan_op)step->op) {
		case SCAN_SKIP:
			if ((size_t)(s->end - p) < step->arg)
				return false;
			p += step->arg;
			break;
		case SCAN_LEB:
			if (!dwarf_uleb(&p, s->end, &ignored))
				return false;
			break;
		case SCAN_BLOCK:
			if (!skip_block(&p, s->end, step->arg))
				return false;
			break;
		case SCAN_STRING:
			p = memchr(p, 0, (size_t)(s->end - p));
			if (!p)
				return false;
			p++;
			break;
		case SCAN_NAME:
			if (!capture_name(s, &p, step->arg, &sight->name))
				return false;
			break;
		case SCAN_LINE:
			if (!capture_number(s, &p, step->arg, &sight->line))
				return false;
			break;
		case SCAN_LINE_IS:
			sight->line = step->arg;
			break;
		case SCAN_SIBLING:
			if (!capture_number(s, &p, step->arg, &sight->sibling))
				return false;
			break;
		case SCAN_SPECIFICATION:
			if (!capture_number(s, &p, step->arg, &sight->specification))
				return false;
			if (number_size(step->arg) == 0)
				sight->specification = 0; /* of another unit */
			break;
		case SCAN_EXTERNAL:
		case SCAN_DECLARATION:
			if (p == s->end)
				return false;
			if (step->op == SCAN_EXTERNAL)
				sight->external = *p != 0;
			else
				sight->declaration = *p != 0;
			p++;
			break;
		case SCAN_OTHER:
			if (!skip_other(s, die, &p, sight))
				return false;
			*at = p;
			return true;
		}
	}
	*at = p;
	return true;
}

/* --- One unit --- */

unsigned dwarf_index_kind(unsigned tag)
{
	switch (tag) {
	case DW_TAG_structure_type:
		return INDEX_STRUCT;
	case DW_TAG_union_type:
		return INDEX_UNION;
	case DW_TAG_enumeration_type:
		return INDEX_ENUM;
	case DW_TAG_typedef:
		return INDEX_TYPEDEF;
	case DW_TAG_base_type:
		return INDEX_BASE;
	case DW_TAG_subprogram:
		return INDEX_FUNCTION;
	case DW_TAG_variable:
		return INDEX_VARIABLE;
	case DW_TAG_enumerator:
		return INDEX_ENUMERATOR;
	default:
		return 0;
	}
}

/* A definition names the declaration that it completes: name and linkage are there. */
static void complete(struct scanner *s, struct sighting *sight)
{
	struct dwarf_die die;

	if (dwarf_die_read(s->sections, &s->unit, s->unit.start + sight->specification, &die)) {
		sight->name = key_of(s, die.name);
		sight->external |= die.external;
	}
}

/* True when it is new. */
static bool note(struct scanner *s, unsigned kind, uint64_t die, struct sighting *sight)
{
	bool object = kind == INDEX_FUNCTION || kind == INDEX_VARIABLE;

	if (!sight->name && sight->specification)
		complete(s, sight);
	if (!sight->name || (sight->declaration && !object))
		return false;
	struct gathered g = {
		.name = sight->name,
		.line = (uint16_t)sight->line,
		.offset = (uint32_t)die,
		.kind = (uint8_t)kind,
		.flags = (uint8_t)((object && sight->external ? INDEX_EXTERNAL : 0) |
				   (sight->declaration ? INDEX_DECLARATION : 0)),
		.file = (uint8_t)s->unit.file,
	};
	return table_add(&s->worker->table, &g);
}

/* Where to go on behind a DIE with children that nobody wants; NULL: into them. */
static const uint8_t *behind(const struct scanner *s, const struct sighting *sight,
			     const uint8_t *p)
{
	uint64_t at;

	if (!sight->sibling || __builtin_add_overflow(sight->sibling, s->unit.start, &at) ||
	    at > s->unit.end || s->info + at < p)
		return NULL;
	return s->info + at;
}

/* False when it met what it could not read. */
static bool scan_dies(struct scanner *s)
{
	const uint8_t *p = s->info + s->unit.root;
	unsigned depth = 0, enum_depth = 0;
	uint64_t code;

	while (p < s->end) {
		uint64_t die = (uint64_t)(p - s->info);
		struct sighting sight = { 0 };
		if (!dwarf_uleb(&p, s->end, &code))
			return false;
		if (!code) {
			if (depth <= 1)
				return true;
			depth--;
			if (depth < enum_depth)
				enum_depth = 0;
			continue;
		}
		const struct dwarf_abbrev *a = dwarf_abbrev(&s->worker->abbrevs, code);
		if (!a)
			return false;
		sight.external = a->external;
		sight.declaration = a->declaration;
		if (!run_steps(s, a, die, &p, &sight))
			return false;
		bool named = depth == 1 || (depth == 2 && enum_depth);
		unsigned kind = named ? dwarf_index_kind(a->tag) : 0;
		if (kind == INDEX_ENUMERATOR)
			sight.line = 0;
		bool new = kind && note(s, kind, die, &sight);
		if (!a->children)
			continue;
		/* Of an enum that was seen, with its name, the enumerators were too. */
		bool enter = depth == 0 || (kind == INDEX_ENUM && (new || !sight.name));
		const uint8_t *next = enter ? NULL : behind(s, &sight, p);
		if (next) {
			p = next;
			continue;
		}
		if (++depth > NESTING_MAX)
			return false;
		if (kind == INDEX_ENUM && enter)
			enum_depth = depth;
	}
	/* A unit without anything in it has no end of children. */
	return depth == 0;
}

static bool use_abbrevs(struct worker *w, const struct dwarf_unit *unit)
{
	const struct dwarf_sections *sections = &w->job->sections[unit->file];
	uint64_t at = unit->abbrev_offset | (uint64_t)unit->file << 63;

	if (at == w->abbrevs_at && w->abbrevs.address_size == unit->address_size &&
	    w->abbrevs.offset_size == unit->offset_size && w->abbrevs.version == unit->version)
		return true;
	(void)dwarf_abbrevs_read(sections, unit->abbrev_offset, unit->address_size,
				 unit->offset_size, unit->version, &w->abbrevs);
	w->abbrevs_at = at;
	if (w->abbrevs.bytes > w->budget)
		return false;
	w->budget -= w->abbrevs.bytes;
	return true;
}

static bool scan_unit(struct worker *w, unsigned file, uint32_t start)
{
	const struct span *info = &w->job->sections[file].info;
	struct scanner s = { .worker = w, .sections = w->job->sections, .info = info->data };

	if (!dwarf_unit_header(info, file, start, &s.unit) || s.unit.version < 2 ||
	    s.unit.version > 5 || (s.unit.address_size != 8 && s.unit.address_size != 4) ||
	    !use_abbrevs(w, &s.unit))
		return false;
	s.unit.abbrevs = &w->abbrevs;
	if (!dwarf_unit_root(w->job->sections, &s.unit))
		return false;
	s.end = s.info + s.unit.end;
	return s.unit.foreign || scan_dies(&s);
}

static void note_damage(struct job *job, uint64_t at)
{
	uint64_t known = atomic_load(&job->damage);

	while (at < known && !atomic_compare_exchange_weak(&job->damage, &known, at))
		;
}

static void *work(void *ctx)
{
	struct worker *w = ctx;
	struct job *job = w->job;
	size_t first, main_count = job->units[0].count, count = main_count + job->units[1].count;

	while ((first = atomic_fetch_add(&job->next, RUN)) < count) {
		size_t end = first + RUN < count ? first + RUN : count;
		for (size_t i = first; i < end; i++) {
			unsigned file = i >= main_count;
			uint32_t start = job->units[file].data[i - (file ? main_count : 0)];
			if (!scan_unit(w, file, start))
				note_damage(job, start);
		}
	}
	dwarf_abbrevs_deinit(&w->abbrevs);
	return NULL;
}

/* --- All of them --- */

bool dwarf_units_walk(const struct span *info, struct index_units *units)
{
	struct dwarf_unit unit;

	for (uint64_t at = 0; at < info->size; at = unit.end) {
		if (!dwarf_unit_header(info, 0, at, &unit))
			return false;
		vec_push(units, (uint32_t)at);
	}
	return true;
}

static void run_workers(struct worker *workers, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			count = i;
	}
	work(&workers[0]);
	for (unsigned i = 1; i < count; i++)
		pthread_join(workers[i].thread, NULL);
}

static struct table gather(struct job *job)
{
	struct worker workers[THREADS_MAX] = { 0 };
	size_t units = job->units[0].count + job->units[1].count;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned count = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (unsigned)cores;

	if (count > units / RUN / 2 + 1)
		count = (unsigned)(units / RUN / 2 + 1);
	for (unsigned i = 0; i < count; i++) {
		workers[i].job = job;
		workers[i].abbrevs_at = UINT64_MAX;
		/* Units may share a table, or a hostile file give each a part of the same. */
		workers[i].budget =
			(job->sections[0].abbrev.size + job->sections[1].abbrev.size) * 16 +
			(1 << 20);
		table_grow(&workers[i].table);
	}
	run_workers(workers, count);
	for (unsigned i = 1; i < count; i++) {
		struct table *t = &workers[i].table;
		for (size_t k = 0; k <= t->mask; k++) {
			if (t->slot[k].kind)
				(void)table_add(&workers[0].table, &t->slot[k]);
		}
		free(t->slot);
	}
	return workers[0].table;
}

static uint32_t hash_of(const struct dwarf_sections *sections, uint64_t name)
{
	if (name & INLINE_NAME)
		return (uint32_t)name;
	const struct span *str = &sections[name & ALT_NAME ? DWARF_ALT : DWARF_MAIN].str;
	return index_hash((const char *)str->data + (name & ~ALT_NAME));
}

struct index_image *dwarf_scan(const struct dwarf_sections *sections,
			       const struct index_units units[DWARF_FILES],
			       const struct index_identity *identity, uint64_t *damage)
{
	struct job job = { .sections = sections, .units = units, .damage = UINT64_MAX };

	/* Entries have 32 bits for offsets. */
	if (sections[0].info.size > UINT32_MAX || sections[1].info.size > UINT32_MAX)
		return NULL;
	struct table table = gather(&job);
	if (atomic_load(&job.damage) != UINT64_MAX)
		*damage = atomic_load(&job.damage);
	struct index_entry *entries = xcalloc(table.count, sizeof(*entries));
	size_t n = 0;
	for (size_t i = 0; i <= table.mask; i++) {
		const struct gathered *g = &table.slot[i];
		if (g->kind)
			entries[n++] = (struct index_entry){ .hash = hash_of(sections, g->name),
							     .offset = g->offset,
							     .kind = g->kind,
							     .flags = g->flags,
							     .file = g->file };
	}
	free(table.slot);
	struct index_image *image = index_image_make(identity, entries, n, units);
	free(entries);
	return image;
}
