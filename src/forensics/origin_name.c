// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Types ride along with values: a parameter has its prototype's; what is read at an offset of a
 * pointer to a struct is that member, and has the member's; what is read at a symbol is the
 * variable. Where the type is not known a name still is C: *(u64 *)(x + 0x10).
 */
#include "forensics/origin_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "forensics/casts.h"
#include "forensics/prototype.h"

enum { NAME_DEPTH_MAX = 10, NAME_MAX_LENGTH = 300, PARAMETERS_MAX = 16 };

struct namer {
	struct args_run *run;
	const struct frame_flow *f;
	struct strbuf *out;
};

static void name(struct namer *n, flow_id id, unsigned depth, struct type *type);

unsigned origin_parameter(struct args_run *run, const struct frame_flow *f, int reg,
			  struct member *parameter)
{
	const struct arch *arch = run->session->arch;
	struct type prototype;
	bool changed = false;
	unsigned next = 0;

	if (!prototype_of(run->session, f->cfg->entry, &prototype, &changed) || changed ||
	    strstr(f->cfg->name, ".part."))
		return 0;
	for (unsigned i = 0; i < PARAMETERS_MAX && type_member_at(prototype, i, parameter); i++) {
		uint64_t size = type_size(parameter->type);
		if (!size || size > 16 || next >= arch->arg_reg_count)
			return 0;
		if (arch->arg_regs[next] == reg)
			return size <= 8 ? i + 1 : 0;
		next += size > 8 ? 2 : 1;
	}
	return 0;
}

static const struct flow_node *node_of(const struct namer *n, flow_id id)
{
	return flow_node(n->f->flow, id);
}

/* @id as base + offset; the base's own node when there is none. */
static flow_id split(const struct namer *n, flow_id id, uint64_t *offset)
{
	const struct flow_node *node = node_of(n, id);

	*offset = 0;
	if (node->kind != FLOW_ADD || node_of(n, node->b)->kind != FLOW_CONSTANT)
		return id;
	*offset = node_of(n, node->b)->value;
	return node->a;
}

/* "->member" of what @pointer points to; false: no type tells. */
static bool member_name(struct namer *n, struct type pointer, uint64_t offset, struct type *type)
{
	struct type plain = pointer.source ? type_strip(pointer) : pointer;
	struct member member;
	char path[256];

	if (!plain.source || type_kind(plain) != TYPE_POINTER)
		return false;
	struct type target = type_strip(type_target(plain));
	enum type_kind kind = type_kind(target);
	if ((kind != TYPE_STRUCT && kind != TYPE_UNION) ||
	    !type_path_at(target, offset, path, sizeof(path)))
		return false;
	strbuf_addf(n->out, "->%s", path);
	if (type_find_member(target, path, &member) && !member.bit_size)
		*type = member.type;
	return true;
}

static void variable_name(struct namer *n, uint64_t address, unsigned size, struct type *type)
{
	struct session *s = n->run->session;
	struct symbol symbol;
	char path[256];

	if (!symbols_by_address(s->symbols, address, &symbol) ||
	    (symbol.size && address - symbol.address >= symbol.size)) {
		strbuf_addf(n->out, "*(u%u *)0x%" PRIx64, size * 8, address);
		return;
	}
	uint64_t offset = address - symbol.address;
	strbuf_add(n->out, symbol.name);
	struct type found;
	if (!types_variable(s->types, symbol.name, &found)) {
		if (offset)
			strbuf_addf(n->out, "+0x%" PRIx64, offset);
	} else if (type_kind(type_strip(found)) == TYPE_POINTER ||
		   type_kind(type_strip(found)) == TYPE_INT) {
		if (!offset)
			*type = found;
	} else if (type_path_at(type_strip(found), offset, path, sizeof(path))) {
		struct member member;
		strbuf_addf(n->out, "%s%s", *path == '[' ? "" : ".", path);
		if (type_find_member(type_strip(found), path, &member) && !member.bit_size)
			*type = member.type;
	}
}

/* The kernel's tables are at negative constants, with the index as the pointer. */
static bool table_name(struct namer *n, uint64_t offset, char *buf, size_t size)
{
	struct session *s = n->run->session;
	struct symbol symbol;

	if (!s->arch->is_kernel_address(offset) || 0 - offset < 0x100000 ||
	    !symbols_by_address(s->symbols, offset, &symbol))
		return false;
	if (offset == symbol.address)
		snprintf(buf, size, "%s", symbol.name);
	else
		snprintf(buf, size, "%s + 0x%" PRIx64, symbol.name, offset - symbol.address);
	return true;
}

static void load_name(struct namer *n, const struct flow_node *node, unsigned depth,
		      struct type *type)
{
	size_t start = n->out->len;
	struct type pointer = { 0 };
	char table[256];
	uint64_t offset;
	flow_id base = split(n, node->a, &offset);

	if (node_of(n, node->a)->kind == FLOW_CONSTANT) {
		variable_name(n, node_of(n, node->a)->value, node->size, type);
		return;
	}
	int64_t slot;
	if (flow_is_stack(n->f->flow, node->a, &slot)) {
		strbuf_add(n->out, slot ? "a stack slot" : "the return address");
		return;
	}
	name(n, base, depth - 1, &pointer);
	if (member_name(n, pointer, offset, type))
		return;
	auto_strbuf inner = { 0 };
	strbuf_add(&inner, strbuf_text(n->out) + start);
	n->out->len = start;
	if (n->out->data)
		n->out->data[start] = '\0';
	if (!offset)
		strbuf_addf(n->out, "*(u%u *)%s", node->size * 8u, strbuf_text(&inner));
	else if (table_name(n, offset, table, sizeof(table)))
		strbuf_addf(n->out, "*(u%u *)(%s + %s)", node->size * 8u, table,
			    strbuf_text(&inner));
	else if ((int64_t)offset < 0)
		strbuf_addf(n->out, "*(u%u *)(%s - 0x%" PRIx64 ")", node->size * 8u,
			    strbuf_text(&inner), 0 - offset);
	else
		strbuf_addf(n->out, "*(u%u *)(%s + 0x%" PRIx64 ")", node->size * 8u,
			    strbuf_text(&inner), offset);
}

static void per_cpu_name(struct namer *n, const struct flow_node *node, struct type *type)
{
	struct session *s = n->run->session;
	const struct flow_node *at = node_of(n, node->a);
	struct symbol symbol;

	if (at->kind == FLOW_CONSTANT && n->run->current && at->value == n->run->current) {
		strbuf_add(n->out, "current");
		types_find(s->types, "struct task_struct *", type);
		return;
	}
	if (at->kind == FLOW_CONSTANT &&
	    (symbols_per_cpu(s->symbols, at->value, &symbol) ||
	     symbols_by_address(s->symbols, at->value, &symbol)))
		strbuf_addf(n->out, "this CPU's %s", symbol.name);
	else
		strbuf_add(n->out, "a per-CPU variable");
}

static void call_name(struct namer *n, const struct flow_node *node, struct type *type)
{
	struct session *s = n->run->session;
	struct symbol symbol;
	struct type prototype;
	bool changed = false;
	uint32_t insn;

	if (!cfg_find(n->f->cfg, node->at, &insn) || !n->f->cfg->insns[insn].target ||
	    !symbols_by_address(s->symbols, n->f->cfg->insns[insn].target, &symbol)) {
		strbuf_add(n->out, "(the result of a call)");
		return;
	}
	strbuf_addf(n->out, "%s()", symbol.name);
	if (prototype_of(s, symbol.address, &prototype, &changed))
		*type = type_target(prototype);
}

static void entry_name(struct namer *n, const struct flow_node *node, struct type *type)
{
	struct member parameter;

	if (origin_parameter(n->run, n->f, node->reg, &parameter) && parameter.name &&
	    *parameter.name) {
		strbuf_add(n->out, parameter.name);
		*type = parameter.type;
		return;
	}
	strbuf_addf(n->out, "%s on entry", n->run->session->arch->reg_names[node->reg]);
}

/* The node read a member of a struct: which struct, through which pointer's node. */
static flow_id member_of(struct namer *n, flow_id id, unsigned depth, uint64_t *offset,
			 struct type *object)
{
	const struct flow_node *node = node_of(n, id);
	auto_strbuf ignored = { 0 };
	struct namer inner = { .run = n->run, .f = n->f, .out = &ignored };
	struct type pointer;

	if (node->kind == FLOW_ZERO_EXTEND || node->kind == FLOW_SIGN_EXTEND)
		node = node_of(n, node->a);
	if (node->kind != FLOW_LOAD || depth < 2)
		return FLOW_NONE;
	flow_id base = split(n, node->a, offset);
	name(&inner, base, depth - 1, &pointer);
	pointer = pointer.source ? type_strip(pointer) : pointer;
	if (!pointer.source || type_kind(pointer) != TYPE_POINTER)
		return FLOW_NONE;
	*object = type_strip(type_target(pointer));
	return base;
}

/* A sum of two values that are not constants: pointer first, and its type where there is a cast. */
static void pair_name(struct namer *n, const struct flow_node *node, unsigned depth,
		      struct type *type)
{
	auto_strbuf left = { 0 };
	auto_strbuf right = { 0 };
	struct namer to_left = { .run = n->run, .f = n->f, .out = &left };
	struct namer to_right = { .run = n->run, .f = n->f, .out = &right };
	struct type a, b, object, target;
	uint64_t at_a, at_b;

	name(&to_left, node->a, depth - 1, &a);
	name(&to_right, node->b, depth - 1, &b);
	bool swap = b.source && type_kind(type_strip(b)) == TYPE_POINTER &&
		    !(a.source && type_kind(type_strip(a)) == TYPE_POINTER);
	const char *first = strbuf_text(swap ? &right : &left);
	const char *second = strbuf_text(swap ? &left : &right);
	flow_id base = member_of(n, node->a, depth, &at_a, &object);
	if (base && base == member_of(n, node->b, depth, &at_b, &object) &&
	    cast_of_sum(n->run->session, object, at_a, at_b, &target) &&
	    types_pointer(n->run->session->types, target, type))
		strbuf_addf(n->out, "((struct %s *)(%s + %s))", type_name(target), first, second);
	else
		strbuf_addf(n->out, "(%s + %s)", first, second);
}

static void sum_name(struct namer *n, flow_id id, const struct flow_node *node, unsigned depth,
		     struct type *type)
{
	struct type pointer = { 0 };
	uint64_t offset;
	flow_id base = split(n, id, &offset);
	size_t start = n->out->len;

	if (base == id) {
		pair_name(n, node, depth, type);
		return;
	}
	strbuf_add(n->out, "&");
	name(n, base, depth - 1, &pointer);
	struct type target = { 0 };
	if ((int64_t)offset > 0 && member_name(n, pointer, offset, &target)) {
		if (target.source)
			types_pointer(n->run->session->types, target, type);
		return;
	}
	auto_strbuf inner = { 0 };
	strbuf_add(&inner, strbuf_text(n->out) + start + 1);
	n->out->len = start;
	n->out->data[start] = '\0';
	strbuf_addf(n->out, "(%s %c 0x%" PRIx64 ")", strbuf_text(&inner),
		    (int64_t)offset < 0 ? '-' : '+',
		    (int64_t)offset < 0 ? 0 - offset : offset);
}

static void operator_name(struct namer *n, const struct flow_node *node, unsigned depth)
{
	static const char *const operators[FLOW_KINDS] = {
		[FLOW_SUB] = " - ", [FLOW_AND] = " & ",  [FLOW_OR] = " | ",   [FLOW_XOR] = " ^ ",
		[FLOW_MUL] = " * ", [FLOW_SHL] = " << ", [FLOW_SHR] = " >> ", [FLOW_SAR] = " >> ",
		[FLOW_CHOICE] = " or ",
	};
	struct type ignored;

	if (node->kind == FLOW_NOT || node->kind == FLOW_NEG) {
		strbuf_add_char(n->out, node->kind == FLOW_NOT ? '~' : '-');
		name(n, node->a, depth - 1, &ignored);
		return;
	}
	strbuf_add(n->out, node->kind == FLOW_CHOICE ? "(either " : "(");
	name(n, node->a, depth - 1, &ignored);
	strbuf_add(n->out, operators[node->kind]);
	const struct flow_node *b = node_of(n, node->b);
	/* Masks that clear low bits are easier to read inverted. */
	if (node->kind == FLOW_AND && b->kind == FLOW_CONSTANT && ~b->value < 0x10000)
		strbuf_addf(n->out, "~0x%" PRIx64, ~b->value);
	else
		name(n, node->b, depth - 1, &ignored);
	strbuf_add(n->out, ")");
}

static void name(struct namer *n, flow_id id, unsigned depth, struct type *type)
{
	const struct flow_node node = *node_of(n, id);
	struct type ignored = { 0 };

	*type = (struct type){ 0 };
	if (!depth || n->out->len > NAME_MAX_LENGTH) {
		strbuf_add(n->out, "...");
		return;
	}
	switch (node.kind) {
	case FLOW_CONSTANT:
		strbuf_addf(n->out, "0x%" PRIx64, node.value);
		break;
	case FLOW_ENTRY:
		entry_name(n, &node, type);
		break;
	case FLOW_LOAD:
		load_name(n, &node, depth, type);
		break;
	case FLOW_PER_CPU:
		per_cpu_name(n, &node, type);
		break;
	case FLOW_CALL:
		call_name(n, &node, type);
		break;
	case FLOW_ADD:
		sum_name(n, id, &node, depth, type);
		break;
	case FLOW_ZERO_EXTEND:
	case FLOW_SIGN_EXTEND:
		name(n, node.a, depth - 1, type);
		/* Of a wider value only a part. */
		if (type->source && type_size(*type) != node.size)
			*type = ignored;
		break;
	case FLOW_SUB:
	case FLOW_AND:
	case FLOW_OR:
	case FLOW_XOR:
	case FLOW_MUL:
	case FLOW_SHL:
	case FLOW_SHR:
	case FLOW_SAR:
	case FLOW_NOT:
	case FLOW_NEG:
	case FLOW_CHOICE:
		operator_name(n, &node, depth);
		break;
	case FLOW_MERGE:
	case FLOW_LOST:
		if (node.reg >= 0)
			strbuf_add(n->out, n->run->session->arch->reg_names[node.reg]);
		else
			strbuf_add(n->out, "a stack slot");
		break;
	default: {
		char text[256];
		flow_format(n->f->flow, id, n->run->session->arch, text, sizeof(text));
		strbuf_add(n->out, text);
	}
	}
}

void origin_name(struct args_run *run, const struct frame_flow *f, flow_id id, struct strbuf *out,
		 struct type *type)
{
	struct namer n = { .run = run, .f = f, .out = out };

	name(&n, id, NAME_DEPTH_MAX, type);
}

bool origin_member(struct args_run *run, const struct frame_flow *f, flow_id id,
		   struct strbuf *out)
{
	struct namer n = { .run = run, .f = f };
	struct type object = { 0 };
	uint64_t offset;
	char path[256];

	if (!member_of(&n, id, NAME_DEPTH_MAX, &offset, &object) || !object.source ||
	    (type_kind(object) != TYPE_STRUCT && type_kind(object) != TYPE_UNION) ||
	    !*type_name(object) || !type_path_at(object, offset, path, sizeof(path)))
		return false;
	strbuf_addf(out, "%s.%s", type_name(object), path);
	return true;
}
