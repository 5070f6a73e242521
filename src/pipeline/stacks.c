// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * stacks: tasks whose stacks are the same, function by function, folded into one row, as mdb's
 * ::stacks does. A filter keeps stacks with such a function, or with a function of such a module.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "pipeline/ops.h"

enum { PIDS_SHOWN = 8, STATES_MAX = 8 };

struct fold {
	const char *stack;
	uint64_t count;
	struct strbuf pids;
	char states[STATES_MAX + 1];
};

struct folding {
	struct row_expr pid;
	const char *function, *module;
	struct map by_stack;
	vec_fields(struct fold);
	size_t unknown;
	struct row_expr stack, state;
	struct stage_expr pid_source, stack_source, state_source;
};

static struct error *compile_one(struct op *op, const char *text, struct stage_expr *source,
				 struct row_expr *expr, size_t *at)
{
	source->text = source->name = text;
	source->at = op->stage->at;
	return row_compile(&op->env, op->stage, source, PROGRAM_VALUE, expr, at);
}

/* "FUNCTION", "module NAME", both. */
static struct error *take_filter(struct op *op, struct folding *f, size_t *at)
{
	struct words *words = words_create(&op->env, op->run, op->stage->rest);
	struct error *err = NULL;

	for (int i = 0; i < words_count(words) && !err; i++) {
		const char *word = words_at(words, i);
		if (strcmp(word, "module") == 0 && i + 1 < words_count(words))
			f->module = words_at(words, ++i);
		else if (!f->function && strcmp(word, "module") != 0)
			f->function = word;
		else
			err = place_error(error_new(ERROR_USAGE, "stacks takes a function, and "
						    "\"module\" with a name"), op->stage,
					  op->stage->rest_at, 0, at);
	}
	words_destroy(words);
	return err;
}

static struct error *stacks_begin(struct op *op, size_t *at)
{
	static const struct {
		const char *name;
		enum datum_kind kind;
		enum column_look look;
		enum field_kind field;
	} columns[] = {
		{ "count", DATUM_NUMBER, LOOK_BY_TYPE, 0 },
		{ "states", DATUM_TEXT, LOOK_BY_TYPE, 0 },
		{ "pids", DATUM_TEXT, LOOK_BY_TYPE, 0 },
		{ "stack", DATUM_TEXT, LOOK_FIELD, FIELD_STACK },
	};
	struct folding *f = arena_zalloc(&op->run->arena, sizeof(*f));
	const char *type = schema_struct(&op->in);

	op->state = f;
	if (!type || strcmp(type, "task_struct") != 0)
		return place_error(error_new(ERROR_USAGE, "only tasks have stacks"), op->stage,
				   op->stage->at, 0, at);
	struct error *err = take_filter(op, f, at);
	if (!err)
		err = compile_one(op, "pid", &f->pid_source, &f->pid, at);
	if (!err)
		err = compile_one(op, "backtrace", &f->stack_source, &f->stack, at);
	if (!err)
		err = compile_one(op, "state", &f->state_source, &f->state, at);
	if (err)
		return err;
	op->out = (struct schema){ .chosen = true, .column_count = array_size(columns) };
	op->out.columns = arena_zalloc(&op->run->arena, sizeof(*op->out.columns) *
							       array_size(columns));
	for (size_t i = 0; i < array_size(columns); i++)
		op->out.columns[i] = (struct column_def){
			.name = columns[i].name, .kind = columns[i].kind, .look = columns[i].look,
			.field = columns[i].field,
			.type = i ? (struct type){ 0 } : expr_register_type(),
		};
	return NULL;
}

/* Does a frame, "function" or "function [module]", fit the filter? */
static bool frame_fits(const struct folding *f, char *frame)
{
	char *module = strstr(frame, " [");
	const char *name = "vmlinux";

	if (module) {
		*module = '\0';
		name = module + 2;
		module[strlen(module + 2) + 1] = '\0'; /* the bracket */
	}
	return (!f->function || glob_match(f->function, frame)) &&
	       (!f->module || glob_match(f->module, name));
}

static bool stack_fits(const struct folding *f, const char *stack)
{
	if (!f->function && !f->module)
		return true;
	while (*stack) {
		const char *arrow = strstr(stack, " <- ");
		size_t length = arrow ? (size_t)(arrow - stack) : strlen(stack);
		auto_free char *frame = xstrndup(stack, length);
		if (frame_fits(f, frame))
			return true;
		stack += length + (arrow ? strlen(" <- ") : 0);
	}
	return false;
}

static struct fold *find_fold(struct op *op, struct folding *f, const char *stack)
{
	uint64_t index;

	if (map_get_name(&f->by_stack, stack, &index))
		return &f->data[index];
	if (!op_may_keep(op))
		return NULL;
	const char *kept = arena_strdup(&op->run->arena, stack);
	map_set_name(&f->by_stack, kept, f->count);
	vec_push(f, (struct fold){ .stack = kept });
	return &f->data[f->count - 1];
}

static bool stacks_push(struct op *op, const struct row *row)
{
	struct folding *f = op->state;
	struct cell_value stack, pid, state;

	row_env_set(&op->env, row);
	row_eval(&f->stack, &stack);
	row_eval(&f->state, &state);
	bool has_state = state.datum.kind == DATUM_TEXT;
	if (stack.datum.kind != DATUM_TEXT) {
		/* Who has exited needs none any more. */
		f->unknown += !has_state || !strchr("ZX", *state.datum.text);
		return true;
	}
	if (!stack_fits(f, stack.datum.text))
		return true;
	struct fold *fold = find_fold(op, f, stack.datum.text);
	if (!fold)
		return false;
	row_eval(&f->pid, &pid);
	if (fold->count < PIDS_SHOWN) {
		strbuf_add(&fold->pids, fold->count ? " " : "");
		if (pid.datum.kind == DATUM_NUMBER)
			strbuf_addf(&fold->pids, "%d", (int)pid.datum.number);
		else
			strbuf_add_char(&fold->pids, '?');
	} else if (fold->count == PIDS_SHOWN) {
		strbuf_add(&fold->pids, " ...");
	}
	fold->count++;
	if (has_state && !strchr(fold->states, *state.datum.text) &&
	    strlen(fold->states) < STATES_MAX)
		fold->states[strlen(fold->states)] = *state.datum.text;
	return true;
}

static int compare_folds(const void *a, const void *b)
{
	const struct fold *x = a, *y = b;

	return x->count != y->count ? (x->count < y->count) - (x->count > y->count)
				    : strcmp(x->stack, y->stack);
}

static struct cell_value text_cell(const char *text)
{
	return (struct cell_value){ .datum = { .kind = DATUM_TEXT, .text = text } };
}

static void stacks_finish(struct op *op)
{
	struct folding *f = op->state;

	if (f->count)
		qsort(f->data, f->count, sizeof(*f->data), compare_folds);
	for (size_t i = 0; i < f->count; i++) {
		const struct fold *fold = &f->data[i];
		struct cell_value cells[] = {
			{ .datum = { .kind = DATUM_NUMBER, .number = fold->count } },
			text_cell(fold->states), text_cell(strbuf_text(&fold->pids)),
			text_cell(fold->stack),
		};
		if (!op_push(op->next, &(struct row){ .object = { .cpu = -1 }, .cells = cells }))
			return;
	}
}

static void stacks_end(struct op *op)
{
	struct folding *f = op->state;

	if (f->unknown)
		doc_remark(op->run->doc, REMARK_HOLE, "%zu task%s no stack that can be followed",
			   f->unknown, f->unknown == 1 ? " has" : "s have");
	vec_for_each (fold, f)
		strbuf_deinit(&fold->pids);
	vec_deinit(f);
	map_deinit(&f->by_stack);
	row_expr_deinit(&f->pid);
	row_expr_deinit(&f->stack);
	row_expr_deinit(&f->state);
}

const struct op_kind op_stacks = { stacks_begin, stacks_push, stacks_finish, stacks_end };
