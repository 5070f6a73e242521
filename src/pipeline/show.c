// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What comes out of the last stage, as a table. Without a "select" a row shows its object's address
 * and what is usual for its type, as far as this kernel has it.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/ops.h"

enum { STRUCT_TEXT_MAX = 240, USUAL_MAX = 16 };

struct show {
	struct column *columns;
	struct cell *cells;
	struct row_expr address;
	struct stage_expr address_source;
	bool has_address;
	struct column_def *usual_columns;
	struct stage_expr *usual_sources;
	struct row_expr *usual;
	unsigned usual_count;
	unsigned carried;      /* columns that came with the rows */
	unsigned stack;        /* index + 1 of a column that is shown under the row */
	struct column_def *defs;
	unsigned count;
	size_t shown;
	size_t holes;          /* structs that are not in the dump, or not whole */
};

/* --- Values --- */

static const char *duration(struct arena *arena, uint64_t ns)
{
	static const struct {
		uint64_t unit;
		const char *name;
	} units[] = { { 1000000000, "s" }, { 1000000, "ms" }, { 1000, "us" } };

	for (size_t i = 0; i < array_size(units); i++) {
		if (ns >= units[i].unit)
			return arena_printf(arena, "%" PRIu64 ".%" PRIu64 " %s",
					    ns / units[i].unit,
					    ns % units[i].unit / (units[i].unit / 10),
					    units[i].name);
	}
	return arena_printf(arena, "%" PRIu64 " ns", ns);
}

static const char *bytes_text(struct arena *arena, uint64_t bytes)
{
	static const char units[] = "KMGT";
	uint64_t unit = 1024;
	unsigned i = 0;

	if (bytes < unit)
		return arena_printf(arena, "%" PRIu64, bytes);
	while (i < 3 && bytes / unit >= 1024) {
		unit *= 1024;
		i++;
	}
	return arena_printf(arena, "%.1f %ciB", (double)bytes / (double)unit, units[i]);
}

static struct cell pointer_cell(struct op *op, struct type type, uint64_t number)
{
	struct session *s = op->run->session;
	struct arena *arena = &op->run->doc->arena;
	struct symbol symbol;

	if (!number)
		return cell_shown(cell_address(0), "0");
	/* Of an object the symbol's name tells more than the number; others have none. */
	if (type_kind(type_strip(type_target(type_strip(type)))) != TYPE_FUNCTION &&
	    !symbols_module_of(s->symbols, number) && number < s->arch->image_base)
		return cell_address(number);
	if (s->symbols && symbols_by_address(s->symbols, number, &symbol) &&
	    symbol.address == number)
		return cell_shown(cell_address(number),
				  arena_printf(arena, "%016" PRIx64 " <%s>", number, symbol.name));
	return cell_address(number);
}

static struct cell number_cell(struct op *op, const struct column_def *c, uint64_t n)
{
	struct arena *arena = &op->run->doc->arena;
	struct type type = type_strip(c->type);
	enum type_kind kind = type_kind(type);

	if (c->look == LOOK_FIELD) {
		switch (c->field) {
		case FIELD_ADDRESS:
			return cell_address(n);
		case FIELD_BOOL:
			return cell_bool(n != 0);
		case FIELD_TIME:
			return cell_shown(cell_udec(n), duration(arena, n));
		case FIELD_BYTES:
			return cell_shown(cell_udec(n), bytes_text(arena, n));
		default:
			return cell_dec((int64_t)n);
		}
	}
	if (kind == TYPE_POINTER)
		return pointer_cell(op, type, n);
	if (kind == TYPE_ENUM && type_enum_name(type, (int64_t)n))
		return cell_str(type_enum_name(type, (int64_t)n));
	if (strcmp(type_name(type), "_Bool") == 0 || strcmp(type_name(type), "bool") == 0)
		return cell_bool(n != 0);
	return type_is_signed(type) ? cell_dec((int64_t)n) : cell_udec(n);
}

/* A struct as one line of C. */
static struct cell place_cell(struct op *op, const struct column_def *c, uint64_t address)
{
	struct session *s = op->run->session;
	uint64_t size = min_u64(type_size(c->type), 1024);
	struct value_format format = { 0 };
	auto_strbuf text = { 0 }, line = { 0 };
	uint8_t bytes[1024];

	size_t have = memory_read_some(s->memory, address, bytes, (size_t)size);
	((struct show *)op->state)->holes += have < size;
	if (!have)
		return cell_shown(cell_none(), "?");
	type_format_value(c->type, bytes, have, &format, &text);
	for (const char *t = strbuf_text(&text); *t && line.len < STRUCT_TEXT_MAX; t++) {
		bool blank = isspace((unsigned char)*t);
		if (!blank)
			strbuf_add_char(&line, *t);
		else if (line.len && line.data[line.len - 1] != ' ')
			strbuf_add_char(&line, ' ');
	}
	if (line.len >= STRUCT_TEXT_MAX)
		strbuf_add(&line, " ...");
	return cell_str(arena_strdup(&op->run->doc->arena, strbuf_text(&line)));
}

static struct cell make_cell(struct op *op, const struct column_def *c,
			     const struct cell_value *v)
{
	struct cell cell;

	switch (v->datum.kind) {
	case DATUM_NONE:
		return cell_shown(cell_none(), v->shown		       ? v->shown
					       : v->datum.why == DATUM_NULL ? "-"
									    : "?");
	case DATUM_TEXT:
		cell = cell_str(v->datum.text);
		break;
	case DATUM_PLACE:
		cell = place_cell(op, c, v->datum.number);
		break;
	default:
		cell = c->look == LOOK_REAL ? cell_float(v->real)
					    : number_cell(op, c, v->datum.number);
		break;
	}
	return v->shown ? cell_shown(cell, v->shown) : cell;
}

/* --- Columns --- */

static bool is_right(const struct column_def *c)
{
	enum type_kind kind = type_kind(type_strip(c->type));

	if (c->kind != DATUM_NUMBER)
		return false;
	if (c->look == LOOK_FIELD)
		return c->field != FIELD_ADDRESS && c->field != FIELD_BOOL;
	return kind == TYPE_INT || c->look == LOOK_REAL;
}

static void add_column(struct op *op, struct show *show, const struct column_def *c)
{
	struct arena *arena = &op->run->doc->arena;
	struct column *column = &show->columns[show->count];

	show->defs[show->count] = *c;
	*column = (struct column){
		.key = arena_strdup(arena, c->name),
		.title = c->hidden ? NULL : arena_strdup(arena, c->title ? c->title : c->name),
		.right = is_right(c),
	};
	if (c->look == LOOK_FIELD && c->field == FIELD_STACK && c->kind == DATUM_TEXT) {
		show->stack = show->count + 1;
		column->title = NULL;
	}
	show->count++;
}

static bool has_column(const struct show *show, const char *name)
{
	for (unsigned i = 0; i < show->count; i++) {
		if (strcmp(show->defs[i].name, name) == 0)
			return true;
	}
	return false;
}

/* The usual columns of a type, as far as this kernel has them. */
static void add_usual(struct op *op, struct show *show)
{
	const char *text = walk_columns(op->in.walker, schema_struct(&op->in));
	struct pipeline p;
	size_t at;

	if (!text)
		return;
	const char *line = arena_printf(&op->run->arena, "x |> select %s", text);
	struct error *err = pipeline_parse(line, &op->run->arena, &p, &at);
	size_t count = err ? 0 : p.stages[0].exprs.count;
	error_free(err);
	for (size_t i = 0; i < count && i < USUAL_MAX; i++) {
		struct stage_expr *source = &p.stages[0].exprs.data[i];
		struct row_expr *expr = &show->usual[show->usual_count];
		if (has_column(show, source->name))
			continue;
		err = row_compile(&op->env, NULL, source, PROGRAM_VALUE, expr, &at);
		if (err) {
			error_free(err);
			row_expr_deinit(expr);
			continue;
		}
		add_column(op, show, &expr->column);
		show->usual_count++;
	}
}

static struct error *add_address(struct op *op, struct show *show, size_t *at)
{
	const char *name = schema_struct(&op->in);

	show->address_source = (struct stage_expr){ .text = "$", .name = "address" };
	struct error *err = row_compile(&op->env, NULL, &show->address_source, PROGRAM_VALUE,
					&show->address, at);
	if (err)
		return err;
	show->has_address = true;
	struct column_def column = show->address.column;
	column.look = LOOK_FIELD;
	column.field = FIELD_ADDRESS;
	column.title = name && *name ? name : NULL;
	add_column(op, show, &column);
	return NULL;
}

/* What a command has only for JSON is better than nothing to see. */
static void unhide(struct show *show)
{
	for (unsigned i = 0; i < show->count; i++) {
		if (show->columns[i].title || show->stack)
			return;
	}
	for (unsigned i = 0; i < show->count; i++)
		show->columns[i].title = show->columns[i].key;
}

static struct error *show_begin(struct op *op, size_t *at)
{
	struct show *show = arena_zalloc(&op->run->arena, sizeof(*show));
	struct arena *arena = &op->run->arena;
	unsigned most = op->in.column_count + USUAL_MAX + 1;
	char spelled[160];
	struct error *err = NULL;

	op->state = show;
	show->columns = arena_zalloc(&op->run->doc->arena, most * sizeof(*show->columns));
	show->defs = arena_zalloc(arena, most * sizeof(*show->defs));
	show->cells = arena_zalloc(arena, most * sizeof(*show->cells));
	show->usual = arena_zalloc(arena, USUAL_MAX * sizeof(*show->usual));
	if (!op->in.chosen && (op->in.object.source || op->in.untyped))
		err = add_address(op, show, at);
	if (err)
		return err;
	show->carried = op->in.column_count;
	for (unsigned i = 0; i < op->in.column_count; i++)
		add_column(op, show, &op->in.columns[i]);
	if (!op->in.chosen)
		add_usual(op, show);
	unhide(show);
	if (op->in.object.source && !op->in.chosen) {
		type_spell(op->in.object, spelled, sizeof(spelled));
		doc_field(op->run->doc, "type", NULL, cell_str(spelled));
	}
	doc_table(op->run->doc, "rows", show->columns, show->count);
	return NULL;
}

/* --- Rows --- */

/* Functions, each on a line under the row. */
static void show_stack(struct doc *doc, const char *stack)
{
	doc_detail(doc);
	doc_lines(doc, NULL, NULL);
	doc_only_in(doc, DOC_IN_TEXT | DOC_IN_HTML);
	while (*stack) {
		const char *arrow = strstr(stack, " <- ");
		size_t length = arrow ? (size_t)(arrow - stack) : strlen(stack);
		doc_linef(doc, "%.*s", (int)length, stack);
		stack += length + (arrow ? strlen(" <- ") : 0);
	}
	doc_end(doc);
	doc_end(doc);
}

static bool show_push(struct op *op, const struct row *row)
{
	struct show *show = op->state;
	struct cell_value value;
	unsigned n = 0;

	if (show->shown++ == ROWS_SHOWN_MAX) {
		doc_remark(op->run->doc, REMARK_ERROR, "more than %d rows: the rest is left out",
			   ROWS_SHOWN_MAX);
		return false;
	}
	row_env_set(&op->env, row);
	if (show->has_address) {
		show->cells[n] = cell_address(row->object.address);
		n++;
	}
	for (unsigned i = 0; i < show->carried; i++, n++)
		show->cells[n] = make_cell(op, &show->defs[n], &row->cells[i]);
	for (unsigned i = 0; i < show->usual_count; i++, n++) {
		row_eval(&show->usual[i], &value);
		show->cells[n] = make_cell(op, &show->defs[n], &value);
	}
	doc_row_array(op->run->doc, show->cells);
	const struct cell *stack = show->stack ? &show->cells[show->stack - 1] : NULL;
	if (stack && stack->kind == CELL_STRING && (op->run->doc->media & ~(unsigned)DOC_IN_JSON))
		show_stack(op->run->doc, stack->str);
	return true;
}

static void show_finish(struct op *op)
{
	doc_end(op->run->doc);
}

static void show_end(struct op *op)
{
	struct show *show = op->state;

	for (unsigned i = 0; i < show->usual_count; i++) {
		run_remark_lost(op->run, &show->usual[i]);
		row_expr_deinit(&show->usual[i]);
	}
	if (show->has_address)
		row_expr_deinit(&show->address);
	if (show->holes)
		doc_remark(op->run->doc, REMARK_HOLE, "%zu struct%s not, or not whole, in the dump",
			   show->holes, show->holes == 1 ? " is" : "s are");
}

const struct op_kind op_show = { show_begin, show_push, show_finish, show_end };
