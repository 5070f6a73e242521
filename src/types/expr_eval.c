// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Trees into values. Names are looked up as C's scopes nest: locals and registers, variables and
 * functions, enumerators. The operands of && || ?: that C does not evaluate are not, and what
 * sizeof asks about is only evaluated for its type.
 */
#include <inttypes.h>
#include <string.h>

#include "types/expr_node.h"
#include "types/source.h"

struct evaluator {
	const struct expr_env *env;
	struct value_env value; /* a copy, with .dry as it is at the moment */
	size_t *at;             /* SIZE_MAX until an error's place is known */
};

static struct error *eval(struct evaluator *e, const struct node *node, struct value *value)
	must_check;

/* Notes where an error is, unless a part did. */
static struct error *place(struct evaluator *e, const struct node *node, struct error *err)
{
	if (err && *e->at == SIZE_MAX)
		*e->at = node->at;
	return err;
}

/* --- Names --- */

static struct error *unknown_name(struct evaluator *e, const char *name)
{
	const char *near = e->env->nearest ? e->env->nearest(e->value.ctx, name) : NULL;

	if (*name == '$')
		return error_new(ERROR_NOT_FOUND, "there is no register %s", name);
	return error_new(ERROR_NOT_FOUND, "nothing is called %s%s%s%s", name,
			 near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

static struct error *percpu_address(struct evaluator *e, uint64_t address, unsigned cpu,
				    uint64_t *result)
{
	if (e->env->percpu && e->env->percpu(e->value.ctx, address, cpu, result))
		return NULL;
	return error_new(ERROR_NOT_FOUND, "there is no CPU %u, or its per-CPU area is unknown",
			 cpu);
}

static struct error *eval_symbol(struct evaluator *e, const struct node *node,
				 const struct expr_symbol *symbol, struct value *value)
{
	int cpu = node->cpu >= 0 ? node->cpu : e->env->cpu;
	struct error *err = NULL;

	*value = value_of_memory(symbol->type, symbol->address);
	value->symbol = node->name;
	if (!symbol->is_percpu) {
		if (node->cpu >= 0)
			return error_new(ERROR_USAGE, "%s is no per-CPU variable", node->name);
		return NULL;
	}
	if (cpu >= 0)
		err = percpu_address(e, symbol->address, (unsigned)cpu, &value->address);
	else if (!e->value.dry)
		err = error_new(ERROR_USAGE, "%s is a per-CPU variable: say of which CPU, as in "
				"%s:0, or %s:a for all", node->name, node->name, node->name);
	return err;
}

/* What needs no dump to be known. */
static bool eval_constant(struct evaluator *e, const char *name, struct value *value)
{
	struct type type = basic_type(BASIC_INT);
	int64_t number = 0;

	if (types_enumerator(e->value.types, name, &number)) {
		if (number < INT32_MIN || number > INT32_MAX)
			type = basic_type(BASIC_LONG);
	} else if (strcmp(name, "NULL") == 0) {
		if (!types_pointer(e->value.types, basic_type(BASIC_VOID), &type))
			return false;
	} else if (strcmp(name, "true") == 0) {
		number = 1;
	} else if (strcmp(name, "false") != 0) {
		return false;
	}
	*value = value_of_number(type, (uint64_t)number);
	return true;
}

/* A register or a local; false when there is none of that name. */
static bool eval_local(struct evaluator *e, const char *name, struct value *value,
		       struct error **err)
{
	*err = NULL;
	switch (e->env->name ? e->env->name(e->value.ctx, name, value, err) : EXPR_UNKNOWN) {
	case EXPR_FOUND:
		return true;
	case EXPR_LOST:
		if (!*err)
			*err = error_new(ERROR_MISSING, "the value of %s is not known", name);
		return true;
	case EXPR_UNKNOWN:
		break;
	}
	return false;
}

static struct error *eval_name(struct evaluator *e, const struct node *node, struct value *value)
{
	bool is_register = *node->name == '$';
	struct expr_symbol symbol;
	struct error *err;

	if ((is_register || !e->env->locals_last) && eval_local(e, node->name, value, &err))
		return err;
	if (!is_register && e->env->symbol && e->env->symbol(e->value.ctx, node->name, &symbol))
		return eval_symbol(e, node, &symbol, value);
	if (!is_register && eval_constant(e, node->name, value))
		return NULL;
	if (!is_register && e->env->locals_last && eval_local(e, node->name, value, &err))
		return err;
	return unknown_name(e, node->name);
}

/* Is @node a per-CPU variable without a CPU? @object is then as if it lay at its symbol. */
static bool bare_percpu(struct evaluator *e, const struct node *node, struct value *object)
{
	struct expr_symbol symbol;

	if (node->kind != NODE_NAME || node->cpu >= 0 || !e->env->symbol ||
	    !e->env->symbol(e->value.ctx, node->name, &symbol) || !symbol.is_percpu)
		return false;
	*object = value_of_memory(symbol.type, symbol.address);
	object->symbol = node->name;
	return true;
}

/* &variable of a per-CPU variable is a pointer that per_cpu_ptr() takes: no CPU is needed. */
static struct error *eval_address(struct evaluator *e, const struct node *node,
				  struct value *value)
{
	struct error *err = NULL;
	struct value object;

	if (e->env->cpu >= 0 || !bare_percpu(e, node->child[0], &object))
		err = eval(e, node->child[0], &object);
	return err ? err : value_address(&e->value, &object, value);
}

/* --- Operators --- */

static struct error *eval_logic(struct evaluator *e, const struct node *node, struct value *value)
{
	bool truth, dry = e->value.dry;
	struct value side;

	struct error *err = eval(e, node->child[0], &side);
	if (!err)
		err = place(e, node->child[0], value_truth(&e->value, &side, &truth));
	if (err)
		return err;
	bool decided = truth == (node->op == OP_LOR);
	bool result = truth;
	e->value.dry |= decided;
	err = eval(e, node->child[1], &side);
	if (!err)
		err = place(e, node->child[1], value_truth(&e->value, &side, &truth));
	e->value.dry = dry;
	if (!err)
		*value = value_of_number(basic_type(BASIC_INT), decided ? result : truth);
	return err;
}

/* Evaluates a side of ?: that is not chosen, for its type only. */
static struct error *eval_dry(struct evaluator *e, const struct node *node, struct value *value)
{
	bool dry = e->value.dry;

	e->value.dry = true;
	struct error *err = eval(e, node, value);
	e->value.dry = dry;
	return err;
}

static bool is_compound(const struct value *v)
{
	enum type_kind kind = type_kind(type_strip(v->type));

	return v->is_text || kind == TYPE_STRUCT || kind == TYPE_UNION || kind == TYPE_NONE ||
	       v->place == VALUE_NOTHING;
}

static struct error *eval_condition(struct evaluator *e, const struct node *node,
				    struct value *value)
{
	struct value condition, chosen, other;
	struct type type;
	bool truth;

	struct error *err = eval(e, node->child[0], &condition);
	if (!err)
		err = place(e, node->child[0], value_truth(&e->value, &condition, &truth));
	if (!err)
		err = eval(e, node->child[truth ? 1 : 2], &chosen);
	if (!err)
		err = eval_dry(e, node->child[truth ? 2 : 1], &other);
	if (err)
		return err;
	if (is_compound(&chosen) || is_compound(&other)) {
		*value = chosen;
		return NULL;
	}
	err = value_common(&e->value, &chosen, &other, &type);
	return err ? err : value_cast(&e->value, &chosen, type, value);
}

static struct error *eval_binary(struct evaluator *e, const struct node *node,
				 struct value *value)
{
	struct value a, b;

	if (node->op == OP_LAND || node->op == OP_LOR)
		return eval_logic(e, node, value);
	struct error *err = eval(e, node->child[0], &a);
	if (!err)
		err = eval(e, node->child[1], &b);
	if (err)
		return err;
	if (node->op == OP_REPEAT)
		return value_repeat(&e->value, &a, &b, value);
	return value_binary(&e->value, node->op, &a, &b, value);
}

static struct error *eval_index(struct evaluator *e, const struct node *node, struct value *value)
{
	struct value object, index;

	struct error *err = eval(e, node->child[0], &object);
	if (!err)
		err = eval(e, node->child[1], &index);
	return err ? err : value_index(&e->value, &object, &index, value);
}

static struct error *eval_sizeof(struct evaluator *e, const struct node *node,
				 struct value *value)
{
	struct value object;
	char spelled[128];

	struct error *err = eval_dry(e, node->child[0], &object);
	if (err)
		return err;
	if (object.bit_size)
		return error_new(ERROR_USAGE, "a bit-field has no size in bytes");
	if (!object.type.source)
		return error_new(ERROR_NOT_FOUND, "the type of %s is not known", object.symbol);
	struct type type = type_strip(object.type);
	enum type_kind kind = type_kind(type);
	uint64_t size = type_size(type);
	if (kind == TYPE_VOID || kind == TYPE_FUNCTION)
		size = 1;
	if (!size && !type_is_complete(type)) {
		type_spell(object.type, spelled, sizeof(spelled));
		return error_new(ERROR_NOT_FOUND, "of %s only the name is known", spelled);
	}
	*value = value_of_number(basic_type(BASIC_ULONG), size);
	return NULL;
}

/* --- offsetof and its like --- */

/* A path must stay inside of the object: there is nothing to follow a pointer through. */
static struct error *eval_path(struct evaluator *e, const struct node *node, struct value *value)
{
	struct value object, index;

	if (node->kind == NODE_VALUE) {
		*value = node->value;
		return NULL;
	}
	struct error *err = eval_path(e, node->child[0], &object);
	if (err)
		return err;
	enum type_kind kind = type_kind(type_strip(object.type));
	if (kind == TYPE_POINTER || (node->kind == NODE_INDEX && kind != TYPE_ARRAY))
		return place(e, node,
			     error_new(ERROR_USAGE, kind == TYPE_POINTER
							    ? "an offset cannot go through a pointer"
							    : "this is no array"));
	if (node->kind == NODE_MEMBER)
		return place(e, node, value_member(&e->value, &object, node->name, value));
	err = eval(e, node->child[1], &index);
	return err ? err : place(e, node, value_index(&e->value, &object, &index, value));
}

static struct error *eval_offsetof(struct evaluator *e, const struct node *node,
				   struct value *value)
{
	struct value member;

	struct error *err = eval_path(e, node->child[0], &member);
	if (err)
		return err;
	if (member.bit_size)
		return error_new(ERROR_USAGE, "a bit-field has no offset in bytes");
	*value = value_of_number(basic_type(BASIC_ULONG), member.address);
	return NULL;
}

static struct error *eval_container(struct evaluator *e, const struct node *node,
				    struct value *value)
{
	struct value pointer, offset;
	uint64_t number;

	struct error *err = eval(e, node->child[0], &pointer);
	if (!err)
		err = value_decay(&e->value, &pointer);
	if (!err)
		err = place(e, node->child[0], value_number(&e->value, &pointer, &number));
	if (!err)
		err = eval(e, node->child[1], &offset);
	if (!err)
		*value = value_of_number(node->value.type, number - offset.number);
	return err;
}

static struct error *eval_percpu(struct evaluator *e, const struct node *node,
				 struct value *value)
{
	struct value object, cpu;
	uint64_t number, address;
	struct error *err;

	if (node->is_percpu_ptr)
		err = eval(e, node->child[0], &object);
	else if (bare_percpu(e, node->child[0], &cpu))
		err = value_address(&e->value, &cpu, &object);
	else
		err = place(e, node->child[0],
			    error_new(ERROR_USAGE, "this is no per-CPU variable"));
	if (!err)
		err = eval(e, node->child[1], &cpu);
	if (!err)
		err = value_number(&e->value, &cpu, &number);
	if (!err)
		err = value_number(&e->value, &object, &address);
	if (!err && !e->value.dry && number >= EXPR_CPUS_MAX)
		err = error_new(ERROR_NOT_FOUND, "there is no CPU %" PRId64, (int64_t)number);
	if (!err && !e->value.dry)
		err = percpu_address(e, address, (unsigned)number, &address);
	if (err)
		return err;
	*value = value_of_number(object.type, address);
	if (node->is_percpu_ptr)
		return NULL;
	object = *value;
	return value_deref(&e->value, &object, value);
}

/* --- All --- */

static struct error *eval_child_op(struct evaluator *e, const struct node *node,
				   struct value *value)
{
	struct value child;

	struct error *err = eval(e, node->child[0], &child);
	if (err)
		return err;
	switch (node->kind) {
	case NODE_UNARY:
		return value_unary(&e->value, node->op, &child, value);
	case NODE_DEREF:
		return value_deref(&e->value, &child, value);
	case NODE_MEMBER:
		return value_member(&e->value, &child, node->name, value);
	default:
		return value_cast(&e->value, &child, node->value.type, value);
	}
}

static struct error *eval_node(struct evaluator *e, const struct node *node, struct value *value)
{
	switch (node->kind) {
	case NODE_VALUE:
		*value = node->value;
		return NULL;
	case NODE_NAME:
		return eval_name(e, node, value);
	case NODE_BINARY:
		return eval_binary(e, node, value);
	case NODE_CONDITION:
		return eval_condition(e, node, value);
	case NODE_ADDRESS:
		return eval_address(e, node, value);
	case NODE_INDEX:
		return eval_index(e, node, value);
	case NODE_SIZEOF:
		return eval_sizeof(e, node, value);
	case NODE_OFFSETOF:
		return eval_offsetof(e, node, value);
	case NODE_CONTAINER:
		return eval_container(e, node, value);
	case NODE_PERCPU:
		return eval_percpu(e, node, value);
	default:
		return eval_child_op(e, node, value);
	}
}

static struct error *eval(struct evaluator *e, const struct node *node, struct value *value)
{
	bool bytes = e->value.bytes;
	struct error *err;

	if (node->kind != NODE_BINARY || (node->op != OP_ADD && node->op != OP_SUB))
		e->value.bytes = false;
	err = eval_node(e, node, value);
	e->value.bytes = bytes;
	return place(e, node, err);
}

struct error *expr_eval_node(const struct node *node, const struct expr_env *env,
			     struct value *value, size_t *at)
{
	struct evaluator e = { .env = env, .value = env->value, .at = at };

	*at = SIZE_MAX;
	return eval(&e, node, value);
}

struct error *expr_dry(const struct node *node, const struct expr_env *env, struct value *value,
		       size_t *at)
{
	struct evaluator e = { .env = env, .value = env->value, .at = at };

	*at = SIZE_MAX;
	e.value.dry = true;
	return eval(&e, node, value);
}

struct error *expr_type_of(const struct node *node, const struct expr_env *env, struct type *type,
			   size_t *at)
{
	struct value value;

	struct error *err = expr_dry(node, env, &value, at);
	if (err)
		return err;
	*at = node->at;
	if (!value.type.source)
		return error_new(ERROR_NOT_FOUND, "its type is not known");
	*type = value.type;
	return NULL;
}

struct error *expr_eval(const struct expr *expr, const struct expr_env *env, struct value *value,
			size_t *at)
{
	struct error *err = expr_eval_node(expr->root, env, value, at);

	/* What the dump lacks is no fault of the text. */
	if (!err || err->code == ERROR_MISSING)
		return err;
	struct error *full = error_new(err->code, "%s at column %zu", err->message, *at + 1);
	error_free(err);
	return full;
}

struct type expr_code_type(struct types *types)
{
	struct type type, pointer;

	if (types_function_of(types, basic_type(BASIC_VOID), &type) &&
	    types_pointer(types, type, &pointer))
		return pointer;
	return basic_type(BASIC_ULONG);
}

struct type expr_register_type(void)
{
	return basic_type(BASIC_ULONG);
}

struct type expr_signed_type(void)
{
	return basic_type(BASIC_LONG);
}
