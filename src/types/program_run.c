// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Programs run: each step asks its children and gives a datum. Unknown is a third truth: what &&
 * and || can tell without the side that is unknown they tell, all else that needs it is unknown,
 * too.
 */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "types/program_steps.h"
#include "types/source.h"
#include "types/value_rules.h"

/* Nothing is mapped there: what points into it is NULL, or a member of NULL. */
static bool is_null(uint64_t address)
{
	return address < 4096;
}

/* ERR_PTR(), include/linux/err.h */
static bool is_error(uint64_t address)
{
	return address >= (uint64_t)-4095;
}

static void run(struct program *p, const struct step *step, struct datum *out);

uint64_t fit_number(struct fit fit, uint64_t number)
{
	if (fit.is_bool)
		return number != 0;
	if (!fit.size || fit.size >= 8)
		return number;
	unsigned shift = 64u - fit.size * 8u;
	number <<= shift;
	return fit.is_signed ? (uint64_t)((int64_t)number >> shift) : number >> shift;
}

static void none(struct datum *out, enum datum_why why)
{
	*out = (struct datum){ .kind = DATUM_NONE, .why = why };
}

static void number(struct datum *out, uint64_t n)
{
	*out = (struct datum){ .kind = DATUM_NUMBER, .number = n };
}

static bool is_true(const struct datum *datum)
{
	return datum->is_real ? datum->real != 0 : datum->number != 0;
}

/* --- Reading --- */

static void lose(struct program *p, uint64_t address, enum read_status status, struct datum *out)
{
	if (!p->lost++) {
		p->lost_address = address;
		p->lost_status = status;
	}
	none(out, DATUM_LOST);
}

static bool read_window(struct program *p)
{
	const struct value_env *env = &p->env->expr->value;

	if (p->window_state == WINDOW_NEW)
		p->window_state = p->object_size && p->object_size <= WINDOW_MAX && env->read &&
						  env->read(env->ctx, p->object, p->window,
							    (size_t)p->object_size) == READ_OK
					  ? WINDOW_READ
					  : WINDOW_NONE;
	return p->window_state == WINDOW_READ;
}

static enum read_status read_bytes(struct program *p, uint64_t address, void *buf, size_t size)
{
	const struct value_env *env = &p->env->expr->value;
	uint64_t offset = address - p->object;

	if (offset < p->object_size && size <= p->object_size - offset && read_window(p)) {
		memcpy(buf, p->window + offset, size);
		return READ_OK;
	}
	return env->read ? env->read(env->ctx, address, buf, size) : READ_UNMAPPED;
}

static void load(struct program *p, const struct step *step, struct datum *out)
{
	size_t size = step->bit_size ? (size_t)(step->bit_offset + step->bit_size + 7) / 8
				     : step->fit.size;
	uint8_t bytes[16] = { 0 };
	uint64_t n;

	run(p, step->child[0], out);
	if (out->kind == DATUM_NONE)
		return;
	if (is_null(out->number) || is_error(out->number)) {
		none(out, is_null(out->number) ? DATUM_NULL : DATUM_ABSURD);
		return;
	}
	enum read_status status = read_bytes(p, out->number, bytes, size);
	if (status != READ_OK) {
		lose(p, out->number, status, out);
		return;
	}
	if (step->bit_size) {
		struct member m = { .size = step->fit.size, .bit_offset = step->bit_offset,
				    .bit_size = step->bit_size, .type = step->type };
		if (!member_load(&m, bytes, size, &n)) {
			none(out, DATUM_ABSURD);
			return;
		}
		number(out, n);
		return;
	}
	/* Little-endian, as all architectures that are read are. */
	memcpy(&n, bytes, sizeof(n));
	number(out, fit_number(step->fit, n));
}

/* Up to the NUL; what is behind it need not be there. */
static void load_string(struct program *p, const struct step *step, struct datum *out)
{
	char *buf = step->buffer;
	size_t most = (size_t)step->number, have = 0;

	run(p, step->child[0], out);
	if (out->kind == DATUM_NONE)
		return;
	uint64_t at = out->number;
	if (is_null(at) || is_error(at)) {
		none(out, is_null(at) ? DATUM_NULL : DATUM_ABSURD);
		return;
	}
	while (have < most) {
		size_t n = min_u64(most - have, min_u64(16, 4096 - ((at + have) & 4095)));
		enum read_status status = read_bytes(p, at + have, buf + have, n);
		if (status != READ_OK) {
			lose(p, at + have, status, out);
			return;
		}
		if (memchr(buf + have, '\0', n))
			break;
		have += n;
	}
	buf[most] = '\0';
	*out = (struct datum){ .kind = DATUM_TEXT, .number = at, .text = buf };
}

/* --- Computing --- */

/* Both children; false when one is unknown, and @a says why. */
static bool run_both(struct program *p, const struct step *step, struct datum *a, struct datum *b)
{
	run(p, step->child[0], a);
	if (a->kind == DATUM_NONE)
		return false;
	run(p, step->child[1], b);
	if (b->kind == DATUM_NONE)
		*a = *b;
	return b->kind != DATUM_NONE;
}

static void run_unary(struct program *p, const struct step *step, struct datum *out)
{
	run(p, step->child[0], out);
	if (out->kind == DATUM_NONE)
		return;
	if (step->op == OP_NOT) {
		number(out, !is_true(out));
		return;
	}
	uint64_t n = fit_number(step->fit, out->number);
	number(out, fit_number(step->fit, step->op == OP_MINUS	  ? -n
					  : step->op == OP_INVERT ? ~n
								  : n));
}

static uint64_t divide(enum value_op op, uint64_t a, uint64_t b, bool is_signed)
{
	if (!is_signed)
		return op == OP_DIV ? a / b : a % b;
	if ((int64_t)b == -1)
		return op == OP_DIV ? -a : 0;
	return (uint64_t)(op == OP_DIV ? (int64_t)a / (int64_t)b : (int64_t)a % (int64_t)b);
}

/* False: C leaves it undefined. */
static bool compute(const struct step *step, uint64_t a, uint64_t b, uint64_t *n)
{
	unsigned width = step->fit.size * 8u;

	switch (step->op) {
	case OP_MUL:
		*n = a * b;
		return true;
	case OP_DIV:
	case OP_MOD:
		if (b)
			*n = divide(step->op, a, b, step->is_signed);
		return b != 0;
	case OP_ADD:
		*n = a + b;
		return true;
	case OP_SUB:
		*n = a - b;
		return true;
	case OP_SHL:
		*n = b < width ? a << b : 0;
		return b < width;
	case OP_SHR:
		*n = b >= width	       ? 0
		     : step->is_signed ? (uint64_t)((int64_t)a >> b)
				       : a >> b;
		return b < width;
	case OP_AND:
		*n = a & b;
		return true;
	case OP_XOR:
		*n = a ^ b;
		return true;
	case OP_OR:
		*n = a | b;
		return true;
	default:
		*n = value_compare(step->op, a, b, step->is_signed);
		return true;
	}
}

static long double real_of(const struct step *step, const struct datum *datum)
{
	if (datum->is_real)
		return datum->real;
	return step->fit.is_signed ? (long double)(int64_t)datum->number
				   : (long double)datum->number;
}

/* Of a fraction and a fraction or an integer. */
static bool compare_reals(const struct step *step, const struct datum *a, const struct datum *b)
{
	long double x = real_of(step->child[0], a), y = real_of(step->child[1], b);

	return value_compare(step->op, (uint64_t)(x > y), (uint64_t)(x < y), true);
}

static void run_binary(struct program *p, const struct step *step, struct datum *out)
{
	struct datum b;
	uint64_t n;

	if (!run_both(p, step, out, &b))
		return;
	bool compares = step->op >= OP_LT && step->op <= OP_NE;
	if (compares && (out->is_real || b.is_real)) {
		number(out, compare_reals(step, out, &b));
		return;
	}
	bool shifts = step->op == OP_SHL || step->op == OP_SHR;
	uint64_t x = step->cuts ? fit_number(step->fit, out->number) : out->number;
	uint64_t y = step->cuts && !shifts ? fit_number(step->fit, b.number) : b.number;
	if (!compute(step, x, y, &n)) {
		none(out, DATUM_ABSURD);
		return;
	}
	number(out, compares ? n : fit_number(step->fit, n));
}

static void run_logic(struct program *p, const struct step *step, struct datum *out)
{
	bool decides = step->op == OP_LOR;
	struct datum b;

	run(p, step->child[0], out);
	if (out->kind != DATUM_NONE && is_true(out) == decides) {
		number(out, decides);
		return;
	}
	run(p, step->child[1], &b);
	if (b.kind != DATUM_NONE && is_true(&b) == decides)
		number(out, decides);
	else if (out->kind != DATUM_NONE && b.kind == DATUM_NONE)
		*out = b;
	else if (out->kind != DATUM_NONE)
		number(out, !decides);
}

static void run_choose(struct program *p, const struct step *step, struct datum *out)
{
	run(p, step->child[0], out);
	if (out->kind == DATUM_NONE)
		return;
	run(p, step->child[is_true(out) ? 1 : 2], out);
	if (out->kind == DATUM_NUMBER)
		number(out, fit_number(step->fit, out->number));
}

static void run_match(struct program *p, const struct step *step, struct datum *out)
{
	run(p, step->child[0], out);
	if (out->kind == DATUM_NONE)
		return;
	if (step->regex)
		number(out, regexec(step->regex, out->text, 0, NULL, 0) == 0);
	else
		number(out, glob_match(step->pattern, out->text) == (step->op == OP_GLOB));
}

static void run_equal(struct program *p, const struct step *step, struct datum *out)
{
	struct datum b;

	if (run_both(p, step, out, &b))
		number(out, (strcmp(out->text, b.text) == 0) == (step->op == OP_EQ));
}

/* --- What is not compiled --- */

static void run_generic(struct program *p, const struct step *step, struct datum *out)
{
	const struct expr_env *env = p->env->expr;
	struct value v;
	uint64_t n;
	size_t at;

	struct error *err = expr_eval_node(step->node, env, &v, &at);
	if (!err && step->gives == DATUM_PLACE) {
		*out = (struct datum){ .kind = DATUM_PLACE, .number = v.address };
		return;
	}
	if (!err && step->gives == DATUM_TEXT && v.place != VALUE_BYTES) {
		none(out, DATUM_ABSURD);
		return;
	}
	if (!err && step->gives == DATUM_TEXT) {
		snprintf(step->buffer, PROGRAM_TEXT_MAX + 1, "%.*s", (int)v.size,
			 (const char *)v.bytes);
		*out = (struct datum){ .kind = DATUM_TEXT, .text = step->buffer };
		return;
	}
	if (!err)
		err = value_number(&env->value, &v, &n);
	if (!err) {
		number(out, n);
		return;
	}
	const struct program_fault *fault = p->env->fault;
	if (err->code != ERROR_MISSING || (fault && is_error(fault->address)))
		none(out, DATUM_ABSURD);
	else if (fault && fault->of_slot)
		none(out, fault->why);
	else if (!fault || is_null(fault->address))
		none(out, DATUM_NULL);
	else
		lose(p, fault->address, fault->status, out);
	error_free(err);
}

static void run_index(struct program *p, const struct step *step, struct datum *out)
{
	struct datum b;

	if (!run_both(p, step, out, &b))
		return;
	if (is_null(out->number) || is_error(out->number))
		none(out, is_null(out->number) ? DATUM_NULL : DATUM_ABSURD);
	else
		*out = (struct datum){ .kind = DATUM_PLACE,
				       .number = out->number + b.number * step->number };
}

static void run(struct program *p, const struct step *step, struct datum *out)
{
	switch (step->kind) {
	case STEP_CONST:
		*out = step->datum;
		return;
	case STEP_OBJECT:
		number(out, p->object);
		return;
	case STEP_SLOT:
		p->env->slot(p->env->ctx, (unsigned)step->number, out);
		if (out->kind != DATUM_NONE && out->kind != step->gives)
			none(out, DATUM_ABSURD);
		return;
	case STEP_OFFSET:
		run(p, step->child[0], out);
		if (out->kind == DATUM_NONE)
			return;
		if (step->follows && is_null(out->number))
			none(out, DATUM_NULL);
		else if (step->follows && is_error(out->number))
			none(out, DATUM_ABSURD);
		else
			*out = (struct datum){ .kind = DATUM_PLACE,
					       .number = out->number + step->number };
		return;
	case STEP_INDEX:
		run_index(p, step, out);
		return;
	case STEP_LOAD:
		load(p, step, out);
		return;
	case STEP_STRING:
		load_string(p, step, out);
		return;
	case STEP_FIT:
		run(p, step->child[0], out);
		if (out->kind != DATUM_NONE)
			number(out, fit_number(step->fit, out->number));
		return;
	case STEP_UNARY:
		run_unary(p, step, out);
		return;
	case STEP_BINARY:
		run_binary(p, step, out);
		return;
	case STEP_LOGIC:
		run_logic(p, step, out);
		return;
	case STEP_CHOOSE:
		run_choose(p, step, out);
		return;
	case STEP_EQUAL:
		run_equal(p, step, out);
		return;
	case STEP_MATCH:
		run_match(p, step, out);
		return;
	case STEP_GENERIC:
		run_generic(p, step, out);
		return;
	}
}

void program_run(struct program *p, uint64_t address, struct datum *datum)
{
	p->object = address;
	p->window_state = WINDOW_NEW;
	run(p, p->root, datum);
	/* The address of something that is a member of NULL is no place. */
	if (datum->kind == DATUM_PLACE && is_null(datum->number))
		none(datum, DATUM_NULL);
	if (p->wish == PROGRAM_TRUTH && datum->kind != DATUM_NONE)
		number(datum, is_true(datum));
}
