// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Expressions compiled. Types and shapes of all parts come from evaluating them dry, so that a
 * program cannot mean anything else than expr_eval(); what has no step of its own here stays a part
 * of the tree that is evaluated for each object. What does not depend on the object is computed
 * once.
 */
#include "types/program.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "types/program_steps.h"
#include "types/source.h"

struct compiler {
	struct program *program;
	const struct program_env *env;
	struct arena *arena;
	size_t *at;
};

static struct error *compile(struct compiler *c, const struct node *node, struct step **step)
	must_check;

/* --- Helpers --- */

struct fit fit_of_type(struct type type)
{
	struct fit fit = { .size = 8 };
	struct type_info info;

	if (!type_describe_stripped(&type, &info) || !info.size || info.size > 8)
		return fit;
	fit.size = (uint8_t)info.size;
	fit.is_signed = info.is_signed;
	fit.is_bool = info.is_bool || strcmp(info.name, "_Bool") == 0;
	return fit;
}

static struct step *new_step(struct compiler *c, enum step_kind kind, enum datum_kind gives,
			     struct type type, const struct step *child)
{
	struct step *step = arena_zalloc(c->arena, sizeof(*step));

	step->kind = kind;
	step->gives = gives;
	step->type = type;
	step->fit = fit_of_type(type);
	step->child[0] = child;
	return step;
}

static enum type_kind kind_of(struct type type)
{
	return type_kind(type_strip(type));
}

static bool is_scalar(struct type type)
{
	enum type_kind kind = kind_of(type);

	return (kind == TYPE_INT || kind == TYPE_ENUM || kind == TYPE_POINTER) &&
	       type_size(type) && type_size(type) <= 8;
}

/* Does any name in it belong to the object? */
static bool depends(const struct compiler *c, const struct node *node)
{
	struct binding binding = { 0 };

	if (node->kind == NODE_NAME) {
		c->env->bind(c->env->ctx, node->name, &binding);
		return binding.kind != BIND_NONE;
	}
	for (unsigned i = 0; i < array_size(node->child); i++) {
		if (node->child[i] && depends(c, node->child[i]))
			return true;
	}
	return false;
}

static struct error *dry(struct compiler *c, const struct node *node, struct value *value)
{
	return expr_dry(node, c->env->expr, value, c->at);
}

static bool is_text_of(const struct value *v)
{
	return v->is_text && v->place == VALUE_BYTES;
}

/* --- Parts as they are --- */

static struct error *generic(struct compiler *c, const struct node *node, struct step **result)
{
	struct value v;

	struct error *err = dry(c, node, &v);
	if (err)
		return err;
	enum datum_kind gives = v.place == VALUE_MEMORY	? DATUM_PLACE
				: is_text_of(&v)	? DATUM_TEXT
							: DATUM_NUMBER;
	if (gives == DATUM_NUMBER && !is_scalar(v.type)) {
		*c->at = node->at;
		return error_new(ERROR_UNSUPPORTED, "this cannot be computed for each object");
	}
	struct step *step = new_step(c, STEP_GENERIC, gives, v.type, NULL);
	step->node = node;
	step->bit_offset = v.bit_offset;
	step->bit_size = v.bit_size;
	if (gives == DATUM_TEXT)
		step->buffer = arena_zalloc(c->arena, PROGRAM_TEXT_MAX + 1);
	*result = step;
	return NULL;
}

static struct error *constant(struct compiler *c, const struct node *node, struct step **result)
{
	const struct expr_env *env = c->env->expr;
	struct value v;

	struct error *err = expr_eval_node(node, env, &v, c->at);
	if (err)
		return err;
	struct step *step = new_step(c, STEP_CONST, DATUM_NUMBER, v.type, NULL);
	*result = step;
	if (is_text_of(&v)) {
		step->gives = DATUM_TEXT;
		step->datum.text = arena_strndup(c->arena, (const char *)v.bytes, v.size);
	} else if (v.place == VALUE_MEMORY) {
		step->gives = DATUM_PLACE;
		step->datum.number = v.address;
		step->bit_offset = v.bit_offset;
		step->bit_size = v.bit_size;
	} else {
		err = value_number(&env->value, &v, &step->datum.number);
	}
	step->datum.kind = step->gives;
	if (err)
		*c->at = node->at;
	return err;
}

/* --- Numbers and texts out of places --- */

/* The number that a step gives, or that lies where it says. */
static struct error *to_number(struct compiler *c, const struct node *node, struct step **step)
{
	struct step *place = *step;
	struct type pointer;

	if (place->gives == DATUM_NUMBER)
		return NULL;
	*c->at = node->at;
	if (place->gives == DATUM_TEXT)
		return error_new(ERROR_USAGE, "a text is no number");
	struct value v = value_of_memory(place->type, 0);
	enum type_kind kind = kind_of(v.type);
	if (kind == TYPE_ARRAY || kind == TYPE_FUNCTION) {
		struct error *err = value_decay(&c->env->expr->value, &v);
		if (err)
			return err;
		pointer = v.type;
		*step = new_step(c, STEP_FIT, DATUM_NUMBER, pointer, place);
		return NULL;
	}
	value_unwrap(&v);
	if (!is_scalar(v.type)) {
		char spelled[128];
		type_spell(place->type, spelled, sizeof(spelled));
		return error_new(ERROR_USAGE, "%s is no number", spelled);
	}
	/* As no compiler has them; what is read has to fit somewhere. */
	if (place->bit_size > 64 || place->bit_offset > 64)
		return error_new(ERROR_UNSUPPORTED, "a bit-field of %u bits at bit %u",
				 place->bit_size, place->bit_offset);
	*step = new_step(c, STEP_LOAD, DATUM_NUMBER, v.type, place);
	(*step)->bit_offset = place->bit_offset;
	(*step)->bit_size = place->bit_size;
	return NULL;
}

/* char, unsigned char and const of them; but u8 and such are small numbers. */
static bool is_char(struct type type)
{
	struct type_info info;

	for (unsigned i = 0; i < TYPE_CHAIN_MAX && type_describe(type, &info); i++) {
		if (info.kind == TYPE_QUALIFIER) {
			type = info.target;
			continue;
		}
		return info.kind == TYPE_INT && info.size == 1 && strstr(info.name, "char");
	}
	return false;
}

static bool holds_text(const struct step *step)
{
	struct type type = type_strip(step->type);
	enum type_kind kind = type_kind(type);

	return step->gives == DATUM_TEXT || ((kind == TYPE_ARRAY || kind == TYPE_POINTER) &&
					     !step->bit_size && is_char(type_target(type)));
}

/* The text that a char array holds, or a pointer points to. */
static struct error *to_text(struct compiler *c, const struct node *node, struct step **step)
{
	struct type type = type_strip((*step)->type);
	enum type_kind kind = type_kind(type);
	uint64_t length = kind == TYPE_ARRAY ? type_array_length(type) : 0;

	if ((*step)->gives == DATUM_TEXT)
		return NULL;
	if ((kind != TYPE_ARRAY && kind != TYPE_POINTER) || type_size(type_target(type)) != 1) {
		*c->at = node->at;
		return error_new(ERROR_USAGE, "only char arrays and pointers can be compared with "
					      "text");
	}
	struct error *err = kind == TYPE_POINTER ? to_number(c, node, step) : NULL;
	if (err)
		return err;
	*step = new_step(c, STEP_STRING, DATUM_TEXT, (struct type){ 0 }, *step);
	(*step)->number = length ? min_u64(length, PROGRAM_TEXT_MAX) : PROGRAM_TEXT_MAX;
	(*step)->buffer = arena_zalloc(c->arena, PROGRAM_TEXT_MAX + 1);
	return NULL;
}

static struct error *compile_number(struct compiler *c, const struct node *node,
				    struct step **step)
{
	struct error *err = compile(c, node, step);

	return err ? err : to_number(c, node, step);
}

static struct error *compile_text(struct compiler *c, const struct node *node, struct step **step)
{
	struct error *err = compile(c, node, step);

	return err ? err : to_text(c, node, step);
}

/* --- Names and members --- */

static struct step *offset(struct compiler *c, const struct step *from, const struct member *m)
{
	struct step *step = new_step(c, STEP_OFFSET, DATUM_PLACE, m->type, from);

	step->follows = from->gives == DATUM_NUMBER;
	step->number = m->offset;
	step->bit_offset = m->bit_offset;
	step->bit_size = m->bit_size;
	/* a.b.c is one step. */
	if (from->kind == STEP_OFFSET && !from->bit_size && from->gives == DATUM_PLACE) {
		step->number += from->number;
		step->follows = from->follows;
		step->child[0] = from->child[0];
	}
	return step;
}

static struct error *compile_name(struct compiler *c, const struct node *node,
				  struct step **result)
{
	struct binding binding = { 0 };
	struct member m;
	struct step *object = new_step(c, STEP_OBJECT, DATUM_NUMBER, c->env->object, NULL);

	c->env->bind(c->env->ctx, node->name, &binding);
	object->fit = (struct fit){ .size = 8 };
	switch (binding.kind) {
	case BIND_OBJECT:
		object->type = binding.type;
		*result = object;
		return NULL;
	case BIND_MEMBER:
		if (!type_find_member(c->env->object, node->name, &m))
			return error_new(ERROR_NOT_FOUND, "nothing is called %s", node->name);
		*result = offset(c, object, &m);
		return NULL;
	case BIND_SLOT:
		*result = new_step(c, STEP_SLOT, binding.is_text ? DATUM_TEXT : DATUM_NUMBER,
				   binding.type, NULL);
		(*result)->number = binding.slot;
		return NULL;
	case BIND_OTHER:
	case BIND_NONE:
		break;
	}
	return generic(c, node, result);
}

static struct error *compile_member(struct compiler *c, const struct node *node,
				    struct step **result)
{
	struct step *object;
	struct member m;

	struct error *err = compile(c, node->child[0], &object);
	if (!err && kind_of(object->type) == TYPE_POINTER)
		err = to_number(c, node->child[0], &object);
	if (err)
		return err;
	struct type type = object->type;
	if (object->gives == DATUM_NUMBER)
		type = type_target(type_strip(type));
	if (!type_find_member(type, node->name, &m))
		return generic(c, node, result);
	*result = offset(c, object, &m);
	return NULL;
}

static struct error *compile_deref(struct compiler *c, const struct node *node,
				   struct step **result)
{
	struct step *pointer;
	struct value v;

	struct error *err = compile_number(c, node->child[0], &pointer);
	if (!err)
		err = dry(c, node, &v);
	if (err)
		return err;
	struct member whole = { .type = v.type };
	*result = offset(c, pointer, &whole);
	return NULL;
}

static struct error *compile_index(struct compiler *c, const struct node *node,
				   struct step **result)
{
	struct step *base, *index;
	struct value v, i;

	struct error *err = dry(c, node, &v);
	if (!err)
		err = dry(c, node->child[1], &i);
	if (err)
		return err;
	/* 3[array] is C, too. */
	if (v.place != VALUE_MEMORY || !is_scalar(i.type) || kind_of(i.type) == TYPE_POINTER)
		return generic(c, node, result);
	err = compile_number(c, node->child[0], &base);
	if (!err)
		err = compile_number(c, node->child[1], &index);
	if (err)
		return err;
	*result = new_step(c, STEP_INDEX, DATUM_PLACE, v.type, base);
	(*result)->child[1] = index;
	(*result)->number = type_size(v.type);
	return NULL;
}

static struct error *compile_address(struct compiler *c, const struct node *node,
				     struct step **result)
{
	struct step *place;
	struct value v;

	struct error *err = compile(c, node->child[0], &place);
	if (!err)
		err = dry(c, node, &v);
	if (err)
		return err;
	if (place->gives != DATUM_PLACE)
		return generic(c, node, result);
	*result = new_step(c, STEP_FIT, DATUM_NUMBER, v.type, place);
	return NULL;
}

/* --- Operators --- */

static struct error *compile_cast(struct compiler *c, const struct node *node,
				  struct step **result)
{
	struct step *child;

	if (!is_scalar(node->value.type))
		return generic(c, node, result);
	struct error *err = compile_number(c, node->child[0], &child);
	if (!err)
		*result = new_step(c, STEP_FIT, DATUM_NUMBER, node->value.type, child);
	return err;
}

static struct error *compile_unary(struct compiler *c, const struct node *node,
				   struct step **result)
{
	struct step *child;
	struct value v;

	struct error *err = dry(c, node, &v);
	if (!err)
		err = compile_number(c, node->child[0], &child);
	if (err)
		return err;
	*result = new_step(c, STEP_UNARY, DATUM_NUMBER, v.type, child);
	(*result)->op = node->op;
	return NULL;
}

static struct error *compile_both(struct compiler *c, const struct node *node, bool texts,
				  struct step *step)
{
	for (unsigned i = 0; i < 2; i++) {
		struct step *child;
		struct error *err = texts ? compile_text(c, node->child[i], &child)
					  : compile_number(c, node->child[i], &child);
		if (err)
			return err;
		step->child[i] = child;
	}
	return NULL;
}

static bool is_struct(const struct value *v)
{
	enum type_kind kind = kind_of(v->type);

	return kind == TYPE_STRUCT || kind == TYPE_UNION || kind == TYPE_NONE;
}

/* Texts, when one side is one; else numbers, of the type that both sides have in common. */
static struct error *compile_choice(struct compiler *c, const struct node *node,
				    struct step **result)
{
	struct type type = { 0 };
	struct step *child[3];
	struct value a, b;

	struct error *err = dry(c, node->child[1], &a);
	if (!err)
		err = dry(c, node->child[2], &b);
	if (err)
		return err;
	bool texts = is_text_of(&a) || is_text_of(&b);
	if (!texts && (is_struct(&a) || is_struct(&b)))
		return generic(c, node, result);
	if (!texts)
		err = value_common(&c->env->expr->value, &a, &b, &type);
	if (!err)
		err = compile_number(c, node->child[0], &child[0]);
	for (unsigned i = 1; !err && !texts && i < array_size(child); i++)
		err = compile_number(c, node->child[i], &child[i]);
	for (unsigned i = 1; !err && texts && i < array_size(child); i++) {
		err = compile_text(c, node->child[i], &child[i]);
		if (!err)
			continue;
		error_free(err);
		err = error_new(ERROR_USAGE, "of the two values of ?: one is text, this is not");
	}
	if (err)
		return err;
	*result = new_step(c, STEP_CHOOSE, texts ? DATUM_TEXT : DATUM_NUMBER, type, child[0]);
	(*result)->child[1] = child[1];
	(*result)->child[2] = child[2];
	return NULL;
}

static struct error *compile_match(struct compiler *c, const struct node *node,
				   struct step *step)
{
	struct step *child;

	struct error *err = compile_text(c, node->child[0], &child);
	if (err)
		return err;
	step->kind = STEP_MATCH;
	step->child[0] = child;
	step->pattern = (const char *)node->child[1]->value.bytes;
	if (node->op != OP_REGEX)
		return NULL;
	step->regex = arena_zalloc(c->arena, sizeof(*step->regex));
	if (regcomp(step->regex, step->pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return error_new(ERROR_USAGE, "this is no regular expression");
	vec_push(&c->program->regexes, step->regex);
	return NULL;
}

/* Integers, and pointers where they count as numbers: how the operands are computed with. */
static bool plan(const struct compiler *c, const struct node *node, const struct step *a,
		 const struct step *b, struct step *step)
{
	bool pointers = kind_of(a->type) == TYPE_POINTER || kind_of(b->type) == TYPE_POINTER;
	bool compares = node->op >= OP_LT && node->op <= OP_NE;
	struct value x = value_of_memory(a->type, 0), y = value_of_memory(b->type, 0);
	struct type type = step->type;

	/* Bit-fields keep the size that counts when they are promoted. */
	if (a->kind == STEP_LOAD)
		x.bit_size = a->bit_size;
	if (b->kind == STEP_LOAD)
		y.bit_size = b->bit_size;
	if (pointers && (node->op == OP_ADD || node->op == OP_SUB))
		return false;
	if (pointers && compares) {
		step->fit = (struct fit){ .size = 8 };
		return true;
	}
	if (compares) {
		struct error *err = value_common(&c->env->expr->value, &x, &y, &type);
		error_free(err);
		if (err)
			return false;
	}
	step->fit = fit_of_type(type);
	step->is_signed = step->fit.is_signed;
	step->cuts = true;
	return true;
}

static struct error *compile_binary(struct compiler *c, const struct node *node,
				    struct step **result)
{
	struct value v, a, b;

	struct error *err = dry(c, node, &v);
	if (!err)
		err = dry(c, node->child[0], &a);
	if (!err)
		err = dry(c, node->child[1], &b);
	if (err)
		return err;
	struct step *step = new_step(c, STEP_BINARY, DATUM_NUMBER, v.type, NULL);
	*result = step;
	step->op = node->op;
	if (node->op >= OP_GLOB && node->op <= OP_REGEX)
		return compile_match(c, node, step);
	if (node->op == OP_LAND || node->op == OP_LOR) {
		step->kind = STEP_LOGIC;
		return compile_both(c, node, false, step);
	}
	if ((node->op == OP_EQ || node->op == OP_NE) && (a.is_text || b.is_text)) {
		step->kind = STEP_EQUAL;
		return compile_both(c, node, true, step);
	}
	if (node->op == OP_REPEAT)
		return generic(c, node, result);
	err = compile_both(c, node, false, step);
	if (!err && !plan(c, node, step->child[0], step->child[1], step))
		err = generic(c, node, result);
	return err;
}

static struct error *compile(struct compiler *c, const struct node *node, struct step **step)
{
	if (!depends(c, node))
		return constant(c, node, step);
	switch (node->kind) {
	case NODE_NAME:
		return compile_name(c, node, step);
	case NODE_MEMBER:
		return compile_member(c, node, step);
	case NODE_DEREF:
		return compile_deref(c, node, step);
	case NODE_INDEX:
		return compile_index(c, node, step);
	case NODE_ADDRESS:
		return compile_address(c, node, step);
	case NODE_CAST:
		return compile_cast(c, node, step);
	case NODE_UNARY:
		return compile_unary(c, node, step);
	case NODE_BINARY:
		return compile_binary(c, node, step);
	case NODE_CONDITION:
		return compile_choice(c, node, step);
	default:
		return generic(c, node, step);
	}
}

/* --- The whole --- */

static struct error *compile_root(struct compiler *c, const struct node *node,
				  enum program_wish wish, struct step **step)
{
	struct value v;

	/* What is wrong with the whole is said first, as expr_eval() says it. */
	struct error *err = dry(c, node, &v);
	if (!err && wish == PROGRAM_TRUTH && !is_text_of(&v)) {
		bool truth;
		struct value_env env = c->env->expr->value;
		env.dry = true;
		*c->at = node->at;
		err = value_truth(&env, &v, &truth);
	}
	if (!err)
		err = compile(c, node, step);
	if (err)
		return err;
	if (wish == PROGRAM_TRUTH)
		return to_number(c, node, step);
	struct value inner = value_of_memory((*step)->type, 0);
	if (wish == PROGRAM_PLACE)
		return (*step)->gives == DATUM_PLACE && !is_scalar(inner.type)
			       ? NULL
			       : to_number(c, node, step);
	if (holds_text(*step))
		return to_text(c, node, step);
	if ((*step)->gives == DATUM_PLACE && (is_scalar(inner.type) || value_unwrap(&inner)))
		return to_number(c, node, step);
	return NULL;
}

struct error *program_compile(const struct expr *expr, const struct program_env *env,
			      enum program_wish wish, struct arena *arena,
			      struct program **program, size_t *at)
{
	struct program *p = arena_zalloc(arena, sizeof(*p));
	struct compiler c = { .program = p, .env = env, .arena = arena, .at = at };
	struct step *root = NULL;

	*at = SIZE_MAX;
	*program = p;
	p->env = env;
	p->arena = arena;
	p->wish = wish;
	p->object_size = env->object.source ? type_size(env->object) : 0;
	struct error *err = compile_root(&c, expr->root, wish, &root);
	if (*at == SIZE_MAX)
		*at = 0;
	p->root = root;
	if (!err && !root->type.source && root->gives != DATUM_TEXT)
		err = error_new(ERROR_NOT_FOUND, "its type is not known");
	return err;
}

void program_finish(struct program *program)
{
	if (!program)
		return;
	vec_for_each (regex, &program->regexes)
		regfree(*regex);
	vec_deinit(&program->regexes);
}

struct type program_type(const struct program *program)
{
	return program->root->gives == DATUM_TEXT ? (struct type){ 0 } : program->root->type;
}

enum datum_kind program_kind(const struct program *program)
{
	return program->root->gives;
}

size_t program_lost(const struct program *program, uint64_t *address, enum read_status *status)
{
	*address = program->lost_address;
	*status = program->lost_status;
	return program->lost;
}
