// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A node's type is that of the parameter it was on entry, of the member it was loaded from, of the
 * variable it is the address of, or of the result of the function called; sums with constants are
 * addresses of members. A sum that leaves the object (container_of()) has no type here: which
 * object is around cannot be told from the code.
 */
#include "forensics/flow_type.h"

#include <string.h>

#include "forensics/casts.h"
#include "forensics/prototype.h"

enum { DEPTH_MAX = 16, PATHS_MAX = 8, PATH_MAX_LENGTH = 200 };

static bool typed(struct flow_typing *t, flow_id id, unsigned depth, struct typed_value *value);
static bool placed(struct flow_typing *t, flow_id id, unsigned depth, struct typed_place *place);

/* Are all parameters passed in one register each? Else their numbers do not count. */
static bool simple_prototype(struct type prototype, unsigned upto)
{
	struct member parameter;

	for (unsigned i = 0; i < upto && type_member_at(prototype, i, &parameter); i++) {
		enum type_kind kind = type_kind(type_strip(parameter.type));
		if (kind == TYPE_STRUCT || kind == TYPE_UNION || kind == TYPE_FLOAT ||
		    type_size(parameter.type) > 8)
			return false;
	}
	return true;
}

void flow_typing_init(struct flow_typing *t, struct session *s, struct flow *flow,
		      const struct cfg *cfg, uint64_t function, struct arena *arena)
{
	bool changed = false;

	*t = (struct flow_typing){ .session = s, .flow = flow, .cfg = cfg, .arena = arena };
	if (!prototype_of(s, function, &t->prototype, &changed) || changed)
		t->prototype = (struct type){ 0 };
}

static bool typed_entry(struct flow_typing *t, int reg, struct typed_value *value)
{
	const struct arch *arch = t->session->arch;
	struct member parameter;

	for (unsigned i = 0; t->prototype.source && i < arch->arg_reg_count; i++) {
		if (arch->arg_regs[i] != reg)
			continue;
		if (!simple_prototype(t->prototype, i + 1) ||
		    !type_member_at(t->prototype, i, &parameter) || !*parameter.name)
			return false;
		value->type = parameter.type;
		value->text = arena_strdup(t->arena, parameter.name);
		return true;
	}
	return false;
}

static bool typed_constant(struct flow_typing *t, uint64_t address, struct typed_value *value)
{
	struct session *s = t->session;
	struct symbol symbol;
	struct type variable;

	if (!s->arch->is_kernel_address(address) || !s->symbols ||
	    !symbols_by_address(s->symbols, address, &symbol) || symbol.address != address ||
	    symbols_is_text(s->symbols, address) ||
	    !types_variable(s->types, symbol.name, &variable) ||
	    !types_pointer(s->types, variable, &value->type))
		return false;
	value->text = arena_printf(t->arena, "(&%s)", symbol.name);
	return true;
}

/* The type of the member at exactly this path; false for paths that end inside a number. */
static bool member_type(struct type object, const char *path, struct member *member)
{
	return *path && !strchr(path, '+') && type_find_member(object, path, member);
}

/* x86 has names of its own for variables that are only read: const_pcpu_hot, const_current_task. */
static bool per_cpu_type(struct session *s, const char *name, struct type *type)
{
	return types_variable(s->types, name, type) ||
	       (strncmp(name, "const_", 6) == 0 && types_variable(s->types, name + 6, type));
}

static bool typed_per_cpu(struct flow_typing *t, const struct flow_node *node,
			  struct typed_value *value)
{
	const struct flow_node *address = flow_node(t->flow, node->a);
	struct session *s = t->session;
	char path[PATH_MAX_LENGTH];
	struct symbol symbol;
	struct type variable;
	struct member member;

	if (!address || address->kind != FLOW_CONSTANT || !s->symbols ||
	    !(symbols_per_cpu(s->symbols, address->value, &symbol) ||
	      symbols_by_address(s->symbols, address->value, &symbol)) ||
	    !per_cpu_type(s, symbol.name, &variable))
		return false;
	uint64_t offset = address->value - symbol.address;
	if (!offset && type_size(variable) == node->size) {
		value->type = variable;
		value->text = strstr(symbol.name, "current_task") ? "current"
								  : arena_strdup(t->arena,
										 symbol.name);
		return true;
	}
	if (!type_path_at(type_strip(variable), offset, path, sizeof(path)) ||
	    !member_type(type_strip(variable), path, &member) || member.size != node->size)
		return false;
	value->type = member.type;
	value->text = strcmp(path, "current_task") == 0
			      ? "current"
			      : arena_printf(t->arena, "%s.%s", symbol.name, path);
	return true;
}

static bool typed_call(struct flow_typing *t, uint64_t at, struct typed_value *value)
{
	struct type prototype;
	struct symbol symbol;

	uint32_t at_insn;

	if (!cfg_find(t->cfg, at, &at_insn))
		return false;
	uint64_t target = t->cfg->insns[at_insn].target;
	if (!target || !symbols_by_address(t->session->symbols, target, &symbol) ||
	    !prototype_of(t->session, target, &prototype, NULL))
		return false;
	value->type = type_target(prototype);
	value->text = arena_printf(t->arena, "%s()", symbol.name);
	return type_kind(type_strip(value->type)) == TYPE_POINTER;
}

static bool typed_load(struct flow_typing *t, const struct flow_node *node, unsigned depth,
		       struct typed_value *value)
{
	struct typed_place place;
	struct type object;

	if (!placed(t, node->a, depth, &place))
		return false;
	value->unsure = place.unsure;
	object = type_strip(place.object);
	/* A pointer to a pointer or a number: what it points to itself. */
	if (!place.offset && type_kind(object) != TYPE_STRUCT && type_kind(object) != TYPE_UNION &&
	    type_kind(object) != TYPE_ARRAY && type_size(object) == node->size) {
		value->type = place.object;
		value->text = arena_printf(t->arena, "*%s", place.pointer);
		return true;
	}
	if (!*place.path || !place.type.source || type_size(place.type) != node->size)
		return false;
	value->type = place.type;
	value->text = arena_printf(t->arena, "%s->%s", place.pointer, place.path);
	return true;
}

struct paths {
	struct flow_typing *typing;
	struct typed_value value;
	unsigned depth, count;
	bool agree, first_pass;
};

static bool same_type(struct type a, struct type b)
{
	char left[160], right[160];

	type_spell(type_strip(a), left, sizeof(left));
	type_spell(type_strip(b), right, sizeof(right));
	return strcmp(left, right) == 0;
}

static bool add_path(void *ctx, uint64_t from, flow_id id)
{
	struct paths *p = ctx;
	struct typed_value value = { 0 };
	const struct flow_node *node = flow_node(p->typing->flow, id);

	(void)from;
	/* NULL has any pointer's type. */
	if (node && node->kind == FLOW_CONSTANT && !node->value)
		return true;
	p->typing->in_loop = false;
	if (++p->count > PATHS_MAX || !typed(p->typing, id, p->depth + 1, &value)) {
		/* What comes round a loop is typed by what went in, in the second pass. */
		p->agree &= p->typing->in_loop && p->first_pass;
		p->typing->in_loop = false;
		return p->agree;
	}
	if (p->value.type.source && !same_type(p->value.type, value.type))
		p->agree = false;
	if (!p->value.type.source)
		p->value = value;
	return p->agree;
}

static bool paths_agree(struct paths *p, struct typed_value *value)
{
	if (!p->agree || !p->value.type.source ||
	    type_kind(type_strip(p->value.type)) != TYPE_POINTER)
		return false;
	*value = p->value;
	value->unsure = true;
	return true;
}

static bool typed_merge(struct flow_typing *t, flow_id id, unsigned depth,
			struct typed_value *value)
{
	struct paths paths = { .typing = t, .depth = depth, .agree = true, .first_pass = true };
	unsigned mine = t->merge_count;

	for (unsigned i = 0; i < t->merge_count; i++) {
		if (t->merge[i].id != id)
			continue;
		*value = (struct typed_value){ .type = t->merge[i].type, .text = "", .unsure = true };
		t->in_loop |= !value->type.source;
		return value->type.source != NULL;
	}
	if (mine == array_size(t->merge))
		return false;
	t->merge[t->merge_count++].id = id;
	t->merge[mine].type = (struct type){ 0 };
	flow_merged(t->flow, id, add_path, &paths);
	bool ok = paths_agree(&paths, value);
	if (ok) {
		t->merge[mine].type = value->type;
		paths = (struct paths){ .typing = t, .depth = depth, .agree = true };
		flow_merged(t->flow, id, add_path, &paths);
		ok = paths_agree(&paths, value);
	}
	t->merge_count = mine;
	return ok;
}

/* A number that is narrower than the register it is in. */
static bool typed_part(struct flow_typing *t, const struct flow_node *node, unsigned depth,
		       struct typed_value *value)
{
	return typed(t, node->a, depth + 1, value) && type_size(value->type) == node->size;
}

/* The address of the node's cell, through extensions; FLOW_NONE: it was not read from memory. */
static flow_id cell_of(struct flow_typing *t, flow_id id)
{
	const struct flow_node *node = flow_node(t->flow, id);

	if (node && (node->kind == FLOW_ZERO_EXTEND || node->kind == FLOW_SIGN_EXTEND))
		node = flow_node(t->flow, node->a);
	return node && node->kind == FLOW_LOAD ? node->a : FLOW_NONE;
}

/* The sum of two members of one struct, which the kernel casts. */
static bool typed_sum(struct flow_typing *t, const struct flow_node *node, unsigned depth,
		      struct typed_value *value)
{
	flow_id left = cell_of(t, node->a), right = cell_of(t, node->b);
	struct typed_place a, b;
	struct type target;

	if (!left || !right || !placed(t, left, depth, &a) || !placed(t, right, depth, &b) ||
	    a.unsure || b.unsure || strcmp(a.pointer, b.pointer) != 0 ||
	    !cast_of_sum(t->session, type_strip(a.object), a.offset, b.offset, &target) ||
	    !types_pointer(t->session->types, target, &value->type))
		return false;
	bool swap = type_kind(type_strip(b.type)) == TYPE_POINTER;
	value->text = arena_printf(t->arena, "((struct %s *)(%s->%s + %s->%s))",
				   type_name(target), a.pointer, swap ? b.path : a.path, a.pointer,
				   swap ? a.path : b.path);
	return true;
}

static bool typed(struct flow_typing *t, flow_id id, unsigned depth, struct typed_value *value)
{
	const struct flow_node *node = flow_node(t->flow, id);
	struct paths paths = { .typing = t, .depth = depth, .agree = true };

	if (!node || depth > DEPTH_MAX)
		return false;
	switch (node->kind) {
	case FLOW_ENTRY:
		return typed_entry(t, node->reg, value);
	case FLOW_CONSTANT:
		return typed_constant(t, node->value, value);
	case FLOW_LOAD:
		return typed_load(t, node, depth + 1, value);
	case FLOW_PER_CPU:
		return typed_per_cpu(t, node, value);
	case FLOW_CALL:
		return typed_call(t, node->at, value);
	case FLOW_ADD:
		return typed_sum(t, node, depth + 1, value);
	case FLOW_MERGE:
		return typed_merge(t, id, depth, value);
	case FLOW_ZERO_EXTEND:
	case FLOW_SIGN_EXTEND:
		return typed_part(t, node, depth, value);
	case FLOW_CHOICE:
		return add_path(&paths, 0, node->a) && add_path(&paths, 0, node->b) &&
		       paths_agree(&paths, value);
	default:
		return false;
	}
}

static bool placed(struct flow_typing *t, flow_id id, unsigned depth, struct typed_place *place)
{
	const struct flow_node *node = flow_node(t->flow, id);
	uint64_t offset = 0;
	struct typed_value pointer = { 0 };
	char path[PATH_MAX_LENGTH] = "";
	struct member member;

	while (node && node->kind == FLOW_ADD && depth <= DEPTH_MAX) {
		const struct flow_node *b = flow_node(t->flow, node->b);
		if (!b || b->kind != FLOW_CONSTANT)
			break;
		offset += b->value;
		id = node->a;
		node = flow_node(t->flow, id);
		depth++;
	}
	if (!typed(t, id, depth, &pointer) || type_kind(type_strip(pointer.type)) != TYPE_POINTER)
		return false;
	*place = (struct typed_place){ .object = type_target(type_strip(pointer.type)),
				       .pointer = pointer.text, .offset = offset,
				       .unsure = pointer.unsure };
	struct type object = type_strip(place->object);
	uint64_t size = type_size(object);
	if (!size || offset >= size)
		return false;
	if (type_path_at(object, offset, path, sizeof(path)) &&
	    member_type(object, path, &member)) {
		place->path = arena_strdup(t->arena, path);
		place->type = member.type;
	} else {
		place->path = arena_strdup(t->arena, path);
	}
	return true;
}

bool flow_typed(struct flow_typing *t, flow_id id, struct typed_value *value)
{
	*value = (struct typed_value){ 0 };
	return typed(t, id, 0, value);
}

bool flow_typed_place(struct flow_typing *t, flow_id address, struct typed_place *place)
{
	*place = (struct typed_place){ 0 };
	return placed(t, address, 0, place);
}
