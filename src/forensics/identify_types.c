// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Every struct and union of BTF that has a name is numbered in one pass over the types. The probes
 * of a struct are made by walking its members down to what cannot be taken apart: numbers,
 * pointers, and the few structs of which the meaning is known as a whole (list_head, spinlock ...).
 *
 * Alternatives of a union cannot all hold: they are kept apart (PROBE_UNION, PROBE_CASE), and who
 * scores takes the best. Of arrays the first elements are looked at. Everything is bounded: BTF of
 * a dump is as little to be trusted as the rest.
 *
 * Prototypes: the types of a function and of a member that points to such functions are two in BTF,
 * since one has names of parameters. So they are compared by a hash over the types alone, where a
 * struct is its name.
 */
#include "forensics/identify_types.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/map.h"
#include "base/vec.h"
#include "types/source.h"

enum {
	STRUCT_SIZE_MAX = 1 << 16,
	PROBES_MAX = 700,
	SUBS_MAX = 200,
	ELEMENTS_MAX = 4,
	DEPTH_MAX = 12,
	ENUMERATORS_MAX = 200,
	HASH_DEPTH_MAX = 6,
	SOURCES_MAX = 1024,
	MEMBERS_MAX = 4000,
	LONG_ARRAY = 16,
	TAIL_TEXT = 16, /* bytes looked at of a char array of no length at the end */
};

struct id_types {
	struct session *session;
	struct arena arena;
	struct {
		vec_fields(struct id_struct);
	} structs;
	struct {
		vec_fields(struct enum_range);
	} enums;
	struct map by_type, by_name, enum_by_type, hash_by_type;
	struct map prototypes; /* hash -> members that have it */
	uint64_t prototype_total;
	const struct type_source *source[SOURCES_MAX];
	unsigned source_count;
	unsigned source_last;
};

/* What is gathered about one struct. */
struct compile {
	struct id_types *types;
	struct {
		vec_fields(struct probe);
	} probes;
	struct {
		vec_fields(struct sub_struct);
	} subs;
	unsigned visited;
	uint32_t size; /* of the struct */
};

/* A number for each type, whatever the source. */
static uint64_t type_key(struct id_types *types, struct type type)
{
	unsigned i = types->source_last;

	if (i >= types->source_count || types->source[i] != type.source) {
		for (i = 0; i < types->source_count && types->source[i] != type.source; i++)
			;
		if (i == types->source_count && i < SOURCES_MAX)
			types->source[types->source_count++] = type.source;
		types->source_last = i;
	}
	return (uint64_t)(i + 1) << 32 | type.id;
}

/*
 * Of a struct that ends in a large array, as much as surely exists: some are allocated only as long
 * as the machine needs (kmem_cache.node[], task_struct's FPU state).
 */
static uint32_t least_size(struct type type, const struct type_info *info)
{
	struct raw_member last;
	struct type_info of;

	if (info->kind != TYPE_STRUCT || !type_raw_member(type, info->count - 1, &last) ||
	    last.bits / 8 >= info->size)
		return (uint32_t)info->size;
	struct type member = last.type;
	if (!type_describe_stripped(&member, &of) || of.kind != TYPE_ARRAY ||
	    of.length < LONG_ARRAY)
		return (uint32_t)info->size;
	return (uint32_t)(last.bits / 8 + (info->size - last.bits / 8) / of.length);
}

static bool add_struct(void *ctx, struct type type)
{
	struct id_types *types = ctx;
	struct type_info info;

	if (!type_describe(type, &info) ||
	    (info.kind != TYPE_STRUCT && info.kind != TYPE_UNION) || info.incomplete ||
	    !*info.name || info.size < 4 || info.size > STRUCT_SIZE_MAX || !info.count)
		return true;
	uint32_t id = (uint32_t)types->structs.count;
	vec_push(&types->structs,
		 (struct id_struct){ .type = type,
				      .name = info.name,
				      .size = (uint32_t)info.size,
				      .least = least_size(type, &info) });
	map_set(&types->by_type, type_key(types, type), id);
	uint64_t old;
	if (!map_get_name(&types->by_name, info.name, &old))
		map_set_name(&types->by_name, info.name, id);
	return true;
}

struct id_types *id_types_create(struct session *s)
{
	struct id_types *types = xcalloc(1, sizeof(*types));

	types->session = s;
	types_each(s->types, add_struct, types);
	/* All are compiled at once, as most are tried anyway: that counts pointers and prototypes. */
	for (uint32_t i = 0; i < types->structs.count && !session_stopped(s); i++)
		(void)id_struct_at(types, i);
	return types;
}

void id_types_destroy(struct id_types *types)
{
	if (!types)
		return;
	vec_deinit(&types->structs);
	vec_deinit(&types->enums);
	map_deinit(&types->by_type);
	map_deinit(&types->by_name);
	map_deinit(&types->enum_by_type);
	map_deinit(&types->hash_by_type);
	map_deinit(&types->prototypes);
	arena_deinit(&types->arena);
	free(types);
}

size_t id_types_count(const struct id_types *types)
{
	return types->structs.count;
}

uint32_t id_struct_named(const struct id_types *types, const char *name)
{
	uint64_t id;

	return map_get_name(&types->by_name, name, &id) ? (uint32_t)id : ID_NONE;
}

const struct enum_range *id_enum(const struct id_types *types, uint32_t index)
{
	return &types->enums.data[index];
}

/* --- Prototypes --- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static uint64_t hash_name(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
	return hash;
}

static uint64_t hash_type(struct id_types *types, struct type type, unsigned depth)
{
	struct type_info info;
	struct raw_member parameter;

	if (depth > HASH_DEPTH_MAX || !type_describe_stripped(&type, &info))
		return 1;
	uint64_t hash = mix(2, info.kind);
	switch (info.kind) {
	case TYPE_STRUCT:
	case TYPE_UNION:
	case TYPE_ENUM:
		return mix(hash, hash_name(info.name));
	case TYPE_POINTER:
	case TYPE_ARRAY:
		return mix(mix(2, TYPE_POINTER), hash_type(types, info.target, depth + 1));
	case TYPE_INT:
		return mix(hash, info.size << 1 | info.is_signed);
	case TYPE_FUNCTION:
		hash = mix(hash, hash_type(types, info.target, depth + 1));
		for (unsigned i = 0; i < info.count && i < 32; i++) {
			if (!type_raw_member(type, i, &parameter))
				break;
			hash = mix(hash, hash_type(types, parameter.type, depth + 1));
		}
		return mix(hash, info.count);
	default:
		return hash;
	}
}

uint32_t id_prototype(struct id_types *types, struct type function)
{
	uint64_t key, hash;

	function = type_strip(function);
	if (!function.source)
		return 0;
	key = type_key(types, function);
	if (!map_get(&types->hash_by_type, key, &hash)) {
		hash = hash_type(types, function, 0);
		map_set(&types->hash_by_type, key, hash);
	}
	return (uint32_t)(hash ^ hash >> 32) | 1;
}

double id_prototype_share(const struct id_types *types, uint32_t prototype)
{
	uint64_t count = 0;

	map_get(&types->prototypes, prototype, &count);
	return (double)(count + 1) / (double)(types->prototype_total + 10);
}

/* --- Probes --- */

static uint32_t enum_index(struct id_types *types, struct type type, const struct type_info *info)
{
	uint64_t key = type_key(types, type), found;
	struct enum_range range = { .low = INT64_MAX, .high = INT64_MIN, .flags = true };
	const char *name;
	int64_t value;

	if (map_get(&types->enum_by_type, key, &found))
		return (uint32_t)found;
	for (unsigned i = 0; i < info->count && i < ENUMERATORS_MAX; i++) {
		if (!type_enumerator_at(type, i, &name, &value))
			break;
		range.low = value < range.low ? value : range.low;
		range.high = value > range.high ? value : range.high;
		range.bits |= (uint64_t)value;
		range.flags &= value >= 0 && !(value & (value - 1));
	}
	if (info->count < 4 || info->count > ENUMERATORS_MAX)
		range.flags = info->count > ENUMERATORS_MAX;
	vec_push(&types->enums, range);
	found = types->enums.count - 1;
	map_set(&types->enum_by_type, key, found);
	return (uint32_t)found;
}

static void add_probe(struct compile *c, enum probe_kind kind, uint64_t offset, uint64_t size,
		      uint32_t target)
{
	if (c->probes.count < PROBES_MAX)
		vec_push(&c->probes, (struct probe){ .offset = (uint32_t)offset,
						     .kind = (uint8_t)kind,
						     .size = (uint16_t)min_u64(size, UINT16_MAX),
						     .target = target });
}

static uint32_t struct_id(struct id_types *types, struct type type, const struct type_info *info)
{
	uint64_t id;

	if (map_get(&types->by_type, type_key(types, type), &id))
		return (uint32_t)id;
	/* Elsewhere only declared: the definition may be in a module. */
	return *info->name && info->incomplete ? id_struct_named(types, info->name) : ID_NONE;
}

static void add_pointer(struct compile *c, uint64_t offset, struct type target)
{
	bool is_const = false;
	struct type_info info;

	for (unsigned i = 0; i < TYPE_CHAIN_MAX && type_describe(target, &info) &&
			     (info.kind == TYPE_QUALIFIER || info.kind == TYPE_TYPEDEF);
	     i++) {
		is_const |= info.kind == TYPE_QUALIFIER && info.qualifier == QUALIFIER_CONST;
		target = info.target;
	}
	if (!type_describe_stripped(&target, &info))
		return;
	switch (info.kind) {
	case TYPE_STRUCT:
	case TYPE_UNION: {
		uint32_t id = struct_id(c->types, target, &info);
		add_probe(c, PROBE_POINTER, offset, 8, id);
		if (id != ID_NONE)
			c->types->structs.data[id].pointed++;
		break;
	}
	case TYPE_FUNCTION: {
		uint32_t prototype = id_prototype(c->types, target);
		uint64_t count = 0;
		map_get(&c->types->prototypes, prototype, &count);
		map_set(&c->types->prototypes, prototype, count + 1);
		c->types->prototype_total++;
		add_probe(c, PROBE_FUNCTION, offset, 8, prototype);
		break;
	}
	case TYPE_VOID:
		add_probe(c, PROBE_VOID, offset, 8, 0);
		break;
	case TYPE_INT:
		add_probe(c, info.size == 1 && !info.is_bool ? PROBE_STRING : PROBE_OTHER, offset,
			  8, 0);
		break;
	default:
		add_probe(c, PROBE_OTHER, offset, 8, 0);
		break;
	}
	if (c->probes.count)
		c->probes.data[c->probes.count - 1].is_const = is_const;
}

/* Structs that mean something as a whole. */
static const struct {
	const char *name;
	enum probe_kind kind;
	unsigned size;
} wholes[] = {
	{ "list_head", PROBE_LIST, 16 },
	{ "hlist_node", PROBE_HNODE, 16 },
	{ "hlist_nulls_node", PROBE_HNODE, 16 },
	{ "hlist_bl_node", PROBE_HNODE, 16 },
	{ "rb_node", PROBE_RB, 24 },
	{ "raw_spinlock", PROBE_SPINLOCK, 4 },
	{ "qspinlock", PROBE_SPINLOCK, 4 },
	{ "spinlock", PROBE_SPINLOCK, 4 },
	{ "refcount_struct", PROBE_REFCOUNT, 4 },
};

static bool add_whole(struct compile *c, const struct type_info *info, uint64_t offset)
{
	for (size_t i = 0; i < array_size(wholes); i++) {
		/* With lock debugging a spinlock is longer: then it is taken apart. */
		if (strcmp(info->name, wholes[i].name) == 0 && info->size == wholes[i].size) {
			add_probe(c, wholes[i].kind, offset, wholes[i].size, 0);
			return true;
		}
	}
	return false;
}

static void walk(struct compile *c, struct type type, uint64_t offset, unsigned depth);

static void walk_members(struct compile *c, struct type type, const struct type_info *info,
			 uint64_t offset, unsigned depth)
{
	struct raw_member m;

	for (unsigned i = 0; i < info->count && ++c->visited < MEMBERS_MAX; i++) {
		if (!type_raw_member(type, i, &m))
			return;
		if (!m.bit_size)
			walk(c, m.type, offset + m.bits / 8, depth + 1);
	}
}

static void walk_union(struct compile *c, struct type type, const struct type_info *info,
		       uint64_t offset, unsigned depth)
{
	size_t start = c->probes.count;
	struct raw_member m;

	add_probe(c, PROBE_UNION, offset, info->size, 0);
	for (unsigned i = 0; i < info->count && ++c->visited < MEMBERS_MAX; i++) {
		if (!type_raw_member(type, i, &m))
			break;
		size_t at = c->probes.count;
		add_probe(c, PROBE_CASE, offset + m.bits / 8, 0, 0);
		if (!m.bit_size)
			walk(c, m.type, offset + m.bits / 8, depth + 1);
		if (at < c->probes.count)
			c->probes.data[at].target = (uint32_t)c->probes.count;
	}
	if (start < c->probes.count)
		c->probes.data[start].target = (uint32_t)c->probes.count;
}

static void walk_array(struct compile *c, const struct type_info *info, uint64_t offset,
		       unsigned depth)
{
	struct type element = info->target;
	struct type_info of;

	if (!type_describe_stripped(&element, &of))
		return;
	uint64_t size = type_size(element);
	if (of.kind == TYPE_INT && of.size == 1) {
		bool text = strcmp(of.name, "char") == 0;
		if (text && info->length > 1)
			add_probe(c, PROBE_TEXT, offset, info->length, 0);
		else if (text && !info->length && offset + 2 >= c->size && depth == 1)
			add_probe(c, PROBE_TEXT, offset, TAIL_TEXT, 0);
		return;
	}
	if (!size)
		return;
	for (uint64_t i = 0; i < info->length && i < ELEMENTS_MAX; i++)
		walk(c, element, offset + i * size, depth + 1);
}

static void walk(struct compile *c, struct type type, uint64_t offset, unsigned depth)
{
	struct type_info info;

	if (depth > DEPTH_MAX || c->probes.count >= PROBES_MAX || offset > STRUCT_SIZE_MAX ||
	    !type_describe_stripped(&type, &info))
		return;
	switch (info.kind) {
	case TYPE_STRUCT:
	case TYPE_UNION:
		if (*info.name && c->subs.count < SUBS_MAX) {
			uint32_t id = struct_id(c->types, type, &info);
			if (id != ID_NONE)
				vec_push(&c->subs, (struct sub_struct){ (uint32_t)offset, id });
		}
		if (add_whole(c, &info, offset))
			return;
		if (info.kind == TYPE_STRUCT)
			walk_members(c, type, &info, offset, depth);
		else
			walk_union(c, type, &info, offset, depth);
		return;
	case TYPE_POINTER:
		add_pointer(c, offset, info.target);
		return;
	case TYPE_ARRAY:
		walk_array(c, &info, offset, depth);
		return;
	case TYPE_INT:
		if (info.is_bool)
			add_probe(c, PROBE_BOOL, offset, 1, 0);
		else if (info.size <= 8)
			add_probe(c, PROBE_INT, offset, info.size, 0);
		return;
	case TYPE_ENUM:
		add_probe(c, PROBE_ENUM, offset, info.size, enum_index(c->types, type, &info));
		return;
	default:
		return;
	}
}

static void *keep(struct arena *arena, const void *data, size_t size)
{
	void *copy = arena_alloc(arena, size ? size : 1);

	if (size)
		memcpy(copy, data, size);
	return copy;
}

/* Probes behind the end of the struct are those of a broken BTF. */
static void drop_outside(struct compile *c, uint32_t size)
{
	for (size_t i = 0; i < c->probes.count; i++) {
		const struct probe *p = &c->probes.data[i];
		if (p->kind != PROBE_UNION && p->kind != PROBE_CASE &&
		    !range_fits(p->offset, p->kind == PROBE_TEXT ? 0 : p->size, size))
			c->probes.count = 0;
	}
}

const struct id_struct *id_struct_at(struct id_types *types, uint32_t id)
{
	struct id_struct *st = &types->structs.data[id];
	struct compile c = { .types = types, .size = st->size };

	if (st->compiled)
		return st;
	walk(&c, st->type, 0, 0);
	drop_outside(&c, st->size);
	st->probe_count = (uint32_t)c.probes.count;
	st->probes = keep(&types->arena, c.probes.data, c.probes.count * sizeof(struct probe));
	st->sub_count = (uint32_t)c.subs.count;
	st->subs = keep(&types->arena, c.subs.data, c.subs.count * sizeof(struct sub_struct));
	st->compiled = true;
	vec_deinit(&c.probes);
	vec_deinit(&c.subs);
	return st;
}

bool id_struct_holds(struct id_types *types, uint32_t outer, uint64_t offset, uint32_t inner)
{
	if (outer == inner)
		return offset == 0;
	const struct id_struct *st = id_struct_at(types, outer);
	for (uint32_t i = 0; i < st->sub_count; i++) {
		if (st->subs[i].offset == offset && st->subs[i].id == inner)
			return true;
	}
	return false;
}
