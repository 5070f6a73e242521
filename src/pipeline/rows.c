// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The names of expressions, bound to rows. The same look-up serves the compiler (bind()), which
 * asks once, and the evaluator of what is not compiled, which asks for each row. Slots are the
 * columns, then the fields that some expression of the stage uses: each is computed at most once a
 * row.
 */
#include "pipeline/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "types/source.h"

/* --- Look-up --- */

static const struct column_def *find_column(const struct schema *schema, const char *name,
					    unsigned *index)
{
	for (unsigned i = 0; i < schema->column_count; i++) {
		if (strcmp(schema->columns[i].name, name) == 0) {
			*index = i;
			return &schema->columns[i];
		}
	}
	return NULL;
}

const char *schema_struct(const struct schema *schema)
{
	const struct walker *walker = schema->walker ? walker_find(schema->walker) : NULL;

	if (schema->object.source)
		return type_name(type_strip(schema->object));
	return walker ? walker->type : NULL;
}

/* The slot of a field; false when there is no such field, or no room for one more. */
static bool find_field(struct row_env *env, const char *name, unsigned *index)
{
	const struct schema *schema = env->schema;
	const struct walk_field *field =
		walk_field_find(schema->walker, schema_struct(schema), name);

	if (!field)
		return false;
	for (*index = 0; *index < env->field_count; ++*index) {
		if (env->fields[*index].field == field)
			return true;
	}
	if (env->field_count == FIELD_SLOTS_MAX)
		return false;
	env->fields[env->field_count++] = (struct field_slot){ .field = field };
	return true;
}

static bool is_text_field(const struct walk_field *field)
{
	return field->kind == FIELD_TEXT || field->kind == FIELD_STACK;
}

static struct type field_type(const struct row_env *env, const struct walk_field *field)
{
	struct type pointer;

	switch (field->kind) {
	case FIELD_BOOL:
		return basic_type(BASIC_INT);
	case FIELD_ADDRESS:
		if (types_pointer(env->session->types, basic_type(BASIC_VOID), &pointer))
			return pointer;
		return basic_type(BASIC_ULONG);
	case FIELD_TIME:
	case FIELD_BYTES:
		return basic_type(BASIC_ULONG);
	default:
		return basic_type(BASIC_LONG);
	}
}

/* A per-CPU variable without a CPU is the row's CPU's. */
static bool is_rows_cpu(struct row_env *env, const char *name)
{
	struct expr_symbol symbol;

	return env->schema->has_cpu && *name != '$' &&
	       env->outer.env.symbol(&env->outer, name, &symbol) && symbol.is_percpu;
}

static void bind(void *ctx, const char *name, struct binding *binding)
{
	struct row_env *env = ctx;
	const struct schema *schema = env->schema;
	const struct column_def *column;
	struct member member;
	unsigned index;

	*binding = (struct binding){ 0 };
	if (strcmp(name, "$") == 0 && (schema->object.source || schema->untyped)) {
		binding->kind = BIND_OBJECT;
		binding->type = env->pointer;
	} else if ((column = find_column(schema, name, &index))) {
		binding->kind = BIND_SLOT;
		binding->slot = index;
		binding->is_text = column->kind == DATUM_TEXT;
		binding->type = column->type;
		if (column->kind == DATUM_PLACE)
			binding->kind = BIND_OTHER;
	} else if (find_field(env, name, &index)) {
		binding->kind = BIND_SLOT;
		binding->slot = schema->column_count + index;
		binding->is_text = is_text_field(env->fields[index].field);
		binding->type = field_type(env, env->fields[index].field);
	} else if (schema->object.source && type_find_member(schema->object, name, &member)) {
		binding->kind = BIND_MEMBER;
	} else if (is_rows_cpu(env, name)) {
		binding->kind = BIND_OTHER;
	}
}

static void compute_field(struct row_env *env, struct field_slot *slot)
{
	slot->row = env->number;
	strbuf_clear(&slot->text);
	slot->datum = (struct datum){ .kind = DATUM_NONE };
	struct field_ask ask = { .session = env->session, .object = &env->current->object,
				 .cache = &env->cache, .text = &slot->text };
	enum field_found found = slot->field->get(&ask);
	if (found != FIELD_KNOWN)
		slot->datum.why = found == FIELD_LOST ? DATUM_LOST : DATUM_NULL;
	else if (is_text_field(slot->field))
		slot->datum = (struct datum){ .kind = DATUM_TEXT,
					      .text = strbuf_text(&slot->text) };
	else
		slot->datum = (struct datum){ .kind = DATUM_NUMBER, .number = ask.number };
}

static void get_slot(void *ctx, unsigned index, struct datum *datum)
{
	struct row_env *env = ctx;
	unsigned columns = env->schema->column_count;

	if (index < columns) {
		const struct cell_value *cell = &env->current->cells[index];
		*datum = cell->datum;
		datum->is_real = env->schema->columns[index].look == LOOK_REAL;
		datum->real = cell->real;
		return;
	}
	struct field_slot *slot = &env->fields[index - columns];
	if (slot->row != env->number)
		compute_field(env, slot);
	*datum = slot->datum;
}

/* --- For expr_parse() and expr_eval() --- */

static enum read_status read_bytes(void *ctx, uint64_t address, void *buf, size_t size)
{
	struct row_env *env = ctx;
	enum read_status status = memory_read(env->session->memory, address, buf, size);

	if (status != READ_OK)
		env->fault = (struct program_fault){ .address = address, .status = status };
	return status;
}

static bool lookup_symbol(void *ctx, const char *name, struct expr_symbol *symbol)
{
	struct row_env *env = ctx;

	return env->outer.env.symbol(&env->outer, name, symbol);
}

static bool percpu_address(void *ctx, uint64_t symbol, unsigned cpu, uint64_t *address)
{
	struct row_env *env = ctx;

	return env->outer.env.percpu(&env->outer, symbol, cpu, address);
}

static enum expr_found not_known(struct row_env *env, const struct datum *datum, struct error **err)
{
	env->fault = (struct program_fault){ .of_slot = true, .why = datum->why };
	*err = error_new(ERROR_MISSING, "not known");
	return EXPR_LOST;
}

static enum expr_found slot_value(struct row_env *env, const struct binding *binding,
				  struct value *value, struct error **err)
{
	struct datum datum = { .kind = DATUM_NUMBER };

	if (binding->is_text)
		datum = (struct datum){ .kind = DATUM_TEXT, .text = "" };
	if (env->current)
		get_slot(env, binding->slot, &datum);
	if (datum.kind == DATUM_NONE)
		return not_known(env, &datum, err);
	if (datum.kind == DATUM_TEXT)
		*value = (struct value){ .type = env->text_type, .place = VALUE_BYTES,
					 .bytes = (const uint8_t *)datum.text,
					 .size = strlen(datum.text) + 1, .is_text = true };
	else
		*value = value_of_number(binding->type, datum.number);
	return EXPR_FOUND;
}

static enum expr_found place_value(struct row_env *env, const char *name, struct value *value,
				   struct error **err)
{
	struct datum datum = { .kind = DATUM_PLACE };
	unsigned index;
	const struct column_def *column = find_column(env->schema, name, &index);

	if (!column)
		return EXPR_UNKNOWN;
	if (env->current)
		datum = env->current->cells[index].datum;
	if (datum.kind == DATUM_NONE)
		return not_known(env, &datum, err);
	*value = value_of_memory(column->type, datum.number);
	return EXPR_FOUND;
}

static enum expr_found lookup_name(void *ctx, const char *name, struct value *value,
				   struct error **err)
{
	struct row_env *env = ctx;
	uint64_t address = env->current ? env->current->object.address : 0;
	struct binding binding;
	struct member member;

	bind(env, name, &binding);
	switch (binding.kind) {
	case BIND_OBJECT:
		*value = value_of_number(env->pointer, address);
		return EXPR_FOUND;
	case BIND_MEMBER:
		if (!type_find_member(env->schema->object, name, &member))
			return EXPR_UNKNOWN;
		*value = value_of_memory(member.type, address + member.offset);
		value->bit_offset = member.bit_offset;
		value->bit_size = member.bit_size;
		return EXPR_FOUND;
	case BIND_SLOT:
		return slot_value(env, &binding, value, err);
	case BIND_OTHER:
	case BIND_NONE:
		break;
	}
	enum expr_found found = binding.kind == BIND_OTHER ? place_value(env, name, value, err)
							   : EXPR_UNKNOWN;
	/* Locals of a frame are no names here: a row's come from elsewhere. */
	if (found == EXPR_UNKNOWN && *name == '$' && name[1])
		return env->outer.env.name(&env->outer, name, value, err);
	return found;
}

/* --- Did you mean --- */

static void consider_members(struct type type, unsigned depth, struct nearest *near)
{
	struct member m;

	for (unsigned i = 0; type_member_at(type, i, &m); i++) {
		if (*m.name)
			nearest_consider(near, m.name);
		else if (depth < 8)
			consider_members(m.type, depth + 1, near);
	}
}

static const char *nearest_name(void *ctx, const char *name)
{
	struct row_env *env = ctx;
	const struct schema *schema = env->schema;
	struct nearest near = nearest_to(name);
	const struct walk_field *field;

	for (unsigned i = 0; i < schema->column_count; i++)
		nearest_consider(&near, schema->columns[i].name);
	for (size_t i = 0; (field = walk_field_at(i)); i++) {
		if (walk_field_find(schema->walker, schema_struct(schema), field->name) == field)
			nearest_consider(&near, field->name);
	}
	if (schema->object.source)
		consider_members(schema->object, 0, &near);
	if (near.best)
		return near.best;
	return env->outer.env.nearest ? env->outer.env.nearest(&env->outer, name) : NULL;
}

struct schema schema_of_walk(const struct walking *walk)
{
	return (struct schema){ .object = walk->type, .walker = walk->walker->name,
				.has_cpu = walk->walker->has_cpu,
				.untyped = !walk->type.source && !walk->walker->has_none };
}

void row_env_init(struct row_env *env, struct session *s, const struct schema *schema,
		  struct arena *arena)
{
	*env = (struct row_env){ .session = s, .schema = schema, .arena = arena, .number = 1 };
	expression_init(&env->outer, s);
	env->expr = (struct expr_env){
		.value = { .types = s->types, .ctx = env, .read = read_bytes },
		.cpu = -1,
		.symbol = lookup_symbol,
		.percpu = percpu_address,
		.name = lookup_name,
		.nearest = nearest_name,
	};
	env->program = (struct program_env){
		.expr = &env->expr, .ctx = env, .fault = &env->fault, .object = schema->object,
		.bind = bind, .slot = get_slot,
	};
	struct type object = schema->object.source ? schema->object : basic_type(BASIC_VOID);
	(void)types_pointer(s->types, object, &env->pointer);
	(void)types_array(s->types, basic_type(BASIC_CHAR), PROGRAM_TEXT_MAX, &env->text_type);
}

void row_env_deinit(struct row_env *env)
{
	for (unsigned i = 0; i < env->field_count; i++)
		strbuf_deinit(&env->fields[i].text);
	expression_deinit(&env->outer);
}

void row_env_set(struct row_env *env, const struct row *row)
{
	env->current = row;
	env->number++;
	env->fault = (struct program_fault){ 0 };
	if (env->schema->has_cpu)
		env->expr.cpu = row->object.cpu;
}

/* --- Expressions --- */

struct error *place_error(struct error *err, const struct stage *stage, size_t base, size_t inner,
			  size_t *at)
{
	size_t length = strlen(err->message);
	char tail[40];

	/* The place in the part is cut off: it means nothing in the whole. */
	snprintf(tail, sizeof(tail), " at column %zu", inner + 1);
	size_t tail_length = strlen(tail);
	if (length > tail_length && strcmp(err->message + length - tail_length, tail) == 0)
		length -= tail_length;
	*at = base + inner;
	struct error *full;
	if (stage)
		full = error_new(err->code, "stage %u (%s): %.*s at column %zu", stage->number,
				 stage->word, (int)length, err->message, *at + 1);
	else
		full = error_new(err->code, "%.*s at column %zu", (int)length, err->message,
				 *at + 1);
	error_free(err);
	return full;
}

/* A column of what an expression gives. */
static void describe(struct row_expr *e)
{
	struct row_env *env = e->env;
	struct column_def *c = &e->column;
	unsigned index;

	*c = (struct column_def){ .name = e->source->name, .kind = program_kind(e->program),
				  .type = program_type(e->program) };
	/* A column or field alone keeps its look. */
	const struct column_def *from = find_column(env->schema, e->source->text, &index);
	if (from) {
		e->from = (int)index;
		c->look = from->look;
		c->field = from->field;
		c->kind = from->kind;
	} else if (find_field(env, e->source->text, &index)) {
		c->look = LOOK_FIELD;
		c->field = env->fields[index].field->kind;
	}
}

/* Of a command's rows nobody knows the names by heart. */
static struct error *list_columns(struct row_env *env, struct error *err)
{
	const struct schema *schema = env->schema;
	auto_strbuf names = { 0 };

	if (schema->object.source || !schema->column_count || err->code != ERROR_NOT_FOUND)
		return err;
	for (unsigned i = 0; i < schema->column_count; i++)
		strbuf_addf(&names, "%s%s", i ? ", " : "", schema->columns[i].name);
	char *cut = strstr(err->message, " at column ");
	struct error *full = error_new(err->code, "%.*s (columns: %s)",
				       cut ? (int)(cut - err->message) : (int)strlen(err->message),
				       err->message, strbuf_text(&names));
	error_free(err);
	return full;
}

struct error *row_compile(struct row_env *env, const struct stage *stage,
			  const struct stage_expr *source, enum program_wish wish,
			  struct row_expr *expr, size_t *at)
{
	const struct row *current = env->current;
	struct expr *parsed;
	size_t inner = 0;

	/* What is not known of the row at hand has a type all the same. */
	env->current = NULL;

	*expr = (struct row_expr){ .env = env, .source = source, .from = -1 };
	struct error *err = expr_parse(source->text, &env->expr, env->arena, &parsed, &inner);
	if (!err && expr_cpu_list(parsed))
		err = error_new(ERROR_USAGE, "one CPU is enough here");
	if (!err)
		err = program_compile(parsed, &env->program, wish, env->arena, &expr->program,
				      &inner);
	env->current = current;
	if (err)
		return place_error(list_columns(env, err), stage, source->at, inner, at);
	describe(expr);
	return NULL;
}

void row_expr_deinit(struct row_expr *expr)
{
	program_finish(expr->program);
}

void row_eval(struct row_expr *expr, struct cell_value *value)
{
	*value = (struct cell_value){ 0 };
	program_run(expr->program, expr->env->current->object.address, &value->datum);
	if (value->datum.kind == DATUM_NONE && value->datum.why == DATUM_LOST)
		expr->lost++;
	if (expr->from >= 0) {
		value->real = expr->env->current->cells[expr->from].real;
		value->shown = expr->env->current->cells[expr->from].shown;
	}
}

/* --- Keeping --- */

struct cell_value cell_keep(const struct cell_value *value, struct arena *arena)
{
	struct cell_value kept = *value;

	if (kept.datum.kind == DATUM_TEXT)
		kept.datum.text = arena_strdup(arena, kept.datum.text);
	if (kept.shown)
		kept.shown = arena_strdup(arena, kept.shown);
	return kept;
}

struct row row_keep(const struct row *row, const struct schema *schema, size_t data_size,
		    struct arena *arena)
{
	struct row kept = *row;

	if (kept.object.data && data_size)
		kept.object.data = memcpy(arena_alloc(arena, data_size), kept.object.data,
					  data_size);
	if (!schema->column_count)
		return kept;
	struct cell_value *cells = arena_alloc(arena, schema->column_count * sizeof(*cells));
	for (unsigned i = 0; i < schema->column_count; i++)
		cells[i] = cell_keep(&row->cells[i], arena);
	kept.cells = cells;
	return kept;
}

uint64_t whole_number(long double real, bool is_signed)
{
	const long double half = 0x1p63L;

	if (is_signed && real < half)
		return real > -half ? (uint64_t)(int64_t)real : (uint64_t)INT64_MIN;
	if (is_signed)
		return INT64_MAX;
	return real >= 2 * half ? UINT64_MAX : real > 0 ? (uint64_t)real : 0;
}

int cells_compare(const struct cell_value *a, const struct cell_value *b,
		  const struct column_def *column)
{
	bool a_none = a->datum.kind == DATUM_NONE, b_none = b->datum.kind == DATUM_NONE;

	if (a_none || b_none)
		return a_none - b_none;
	if (column->look == LOOK_REAL)
		return (a->real > b->real) - (a->real < b->real);
	if (a->datum.kind == DATUM_TEXT && b->datum.kind == DATUM_TEXT)
		return strcmp(a->datum.text, b->datum.text);
	uint64_t x = a->datum.number, y = b->datum.number;
	if (type_is_signed(column->type))
		return ((int64_t)x > (int64_t)y) - ((int64_t)x < (int64_t)y);
	return (x > y) - (x < y);
}
