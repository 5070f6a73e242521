/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All structs of BTF as flat lists of probes: what must lie at which offset. Private to identify.
 *
 * In: the types of a session. Out: structs by number, by name, by type; the probes of each, made on
 * first use; what a struct contains at an offset; prototypes as hashes that can be compared.
 */
#pragma once

#include "kernel/session.h"

enum probe_kind {
	PROBE_POINTER,      /* to struct @target (ID_NONE: of which only the name is known) */
	PROBE_FUNCTION,     /* pointer to a function whose prototype hashes to @target */
	PROBE_VOID,         /* void * */
	PROBE_STRING,       /* char * */
	PROBE_OTHER,        /* pointer to a number or to a pointer */
	PROBE_LIST,         /* list_head */
	PROBE_HNODE,        /* hlist_node and its like: next, pprev */
	PROBE_RB,           /* rb_node */
	PROBE_SPINLOCK,
	PROBE_REFCOUNT,
	PROBE_BOOL,
	PROBE_ENUM,         /* @target: index of its enum_range */
	PROBE_INT,          /* @size 1, 2, 4 or 8 */
	PROBE_TEXT,         /* char array of @size bytes */
	PROBE_UNION,        /* the alternatives up to probe @target, each a PROBE_CASE */
	PROBE_CASE,         /* the probes up to @target */
	PROBE_KINDS,
};

enum { ID_NONE = UINT32_MAX };

struct probe {
	uint32_t offset;
	uint8_t kind;
	bool is_const;  /* what the pointer points to */
	uint16_t size;
	uint32_t target;
};

struct enum_range {
	int64_t low, high;
	uint64_t bits; /* of all enumerators */
	bool flags;    /* they are single bits: a value may be a sum of them */
};

struct sub_struct {
	uint32_t offset, id;
};

struct id_struct {
	struct type type;
	const char *name;
	uint32_t size;
	uint32_t least;    /* bytes that are allocated at least: arrays at the end may be shorter */
	bool compiled;
	uint32_t pointed;  /* how many members of other structs point to it */
	uint32_t probe_count, sub_count;
	const struct probe *probes;
	const struct sub_struct *subs; /* what lies in it, by value, at all depths */
};

struct id_types;

struct id_types *id_types_create(struct session *s);
void id_types_destroy(struct id_types *types); /* accepts NULL */
size_t id_types_count(const struct id_types *types);
/* With its probes; @id must be below the count. The pointer is good as long as @types. */
const struct id_struct *id_struct_at(struct id_types *types, uint32_t id);
/* The first complete struct or union of that name; ID_NONE. */
uint32_t id_struct_named(const struct id_types *types, const char *name);
/* Does struct @outer hold struct @inner at @offset (or is it the same, at 0)? */
bool id_struct_holds(struct id_types *types, uint32_t outer, uint64_t offset, uint32_t inner);
const struct enum_range *id_enum(const struct id_types *types, uint32_t index);
/* The prototype of a function type; the same number for the same types of arguments and result. */
uint32_t id_prototype(struct id_types *types, struct type function);
/* The share of members that point to functions which point to those of this prototype, 0..1. */
double id_prototype_share(const struct id_types *types, uint32_t prototype);
