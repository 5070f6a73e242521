// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which object does a store go to? Its address is followed through the function (code/flow.h), and
 * types along with it (flow_type.h): from parameters and results, through members. That decides
 * most cases; many structures have a member at the same offset.
 */
#include <stdio.h>
#include <string.h>

#include "forensics/flow_type.h"
#include "forensics/prototype.h"
#include "forensics/writers.h"
#include "kernel/code_env.h"

enum { DEPTH_MAX = 12, MEMBERS_MAX = 4096 };

static bool same_struct(struct type a, struct type b)
{
	if (a.source == b.source && a.id == b.id)
		return true;
	return type_kind(a) == type_kind(b) && *type_name(a) &&
	       strcmp(type_name(a), type_name(b)) == 0;
}

/* Does @object have a @type in it that begins at @offset? (sock in tcp_sock: at 0.) */
static bool holds_at(struct type object, uint64_t offset, struct type type, unsigned depth)
{
	struct member m;

	object = type_strip(object);
	if (!offset && same_struct(object, type))
		return true;
	if (depth == DEPTH_MAX ||
	    (type_kind(object) != TYPE_STRUCT && type_kind(object) != TYPE_UNION))
		return false;
	for (unsigned i = 0; i < MEMBERS_MAX && type_member_at(object, i, &m); i++) {
		if (offset >= m.offset && offset - m.offset < m.size && !m.bit_size &&
		    holds_at(m.type, offset - m.offset, type, depth + 1))
			return true;
	}
	return false;
}

static bool find_place(struct session *s, const struct writer *w, struct arena *arena,
		       struct typed_place *place)
{
	struct flow_typing typing;
	struct flow *flow;
	const char *why;
	uint32_t insn;

	if (!code_env(s))
		return false;
	const struct cfg *cfg = code_cfg(s, w->pc, &why);
	if (!cfg || !cfg_find(cfg, w->pc, &insn) ||
	    !flow_create(code_env(s), cfg, w->pc, NULL, &flow, &why))
		return false;
	flow_typing_init(&typing, s, flow, cfg, cfg->entry, arena);
	bool found = flow_typed_place(&typing, flow_address(flow, &w->store.memory), place);
	flow_destroy(flow);
	return found;
}

bool writer_member(struct session *s, const struct writer *w, char *member, size_t size,
		   uint64_t *offset, uint64_t *struct_size)
{
	struct arena arena = { 0 };
	struct typed_place place;

	bool found = find_place(s, w, &arena, &place) && !place.unsure && *place.path &&
		     type_kind(type_strip(place.object)) == TYPE_STRUCT;
	if (found) {
		struct type object = type_strip(place.object);
		snprintf(member, size, "%s.%s", type_name(object), place.path);
		*offset = place.offset;
		*struct_size = type_size(object);
		found = *type_name(object);
	}
	arena_deinit(&arena);
	return found;
}

enum writer_base writer_base(struct session *s, const struct writer *w, struct type type,
			     uint64_t offset, char *text, size_t size)
{
	struct arena arena = { 0 };
	struct typed_place place;
	enum writer_base base = BASE_UNKNOWN;

	text[0] = '\0';
	if (find_place(s, w, &arena, &place)) {
		snprintf(text, size, "%s->%s", place.pointer, place.path);
		bool holds = place.offset >= offset &&
			     holds_at(place.object, place.offset - offset, type, 0);
		base = holds ? BASE_EXACT : BASE_OTHER;
		/* What it points to is not said by void and characters. */
		enum type_kind kind = type_kind(type_strip(place.object));
		if (base == BASE_OTHER && kind != TYPE_STRUCT && kind != TYPE_UNION)
			base = BASE_UNKNOWN;
	}
	arena_deinit(&arena);
	if (base == BASE_UNKNOWN && prototype_takes(s, w->function, type))
		base = BASE_POSSIBLE;
	return base;
}
