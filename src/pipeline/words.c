// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is not an expression but holds some: the words of a walker, and the text of a command to be
 * run for each row.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "commands/command.h"
#include "pipeline/ops.h"

/* --- Walkers' words --- */

struct word_expr {
	const char *text;
	struct stage_expr source;
	struct row_expr expr;
};

struct words {
	struct row_env *env;
	struct run *run;
	char **argv;
	size_t *starts;      /* of the words in the text */
	int argc;
	const char *bad;     /* the word that is no expression, */
	size_t bad_at;       /* and where in it */
	bool dry;
	struct { vec_fields(struct word_expr *); } exprs;
};

/* Blanks in brackets belong to the word; quotes around it are taken off. */
static const char *take_word(const char *s, struct strbuf *word)
{
	int depth = 0;

	for (; *s && (depth > 0 || !isspace((unsigned char)*s)); s++) {
		depth += strchr("([{", *s) != NULL;
		depth -= strchr(")]}", *s) != NULL;
		if ((*s == '\'' || *s == '"') && depth <= 0) {
			size_t length = strcspn(s + 1, *s == '"' ? "\"" : "'");
			strbuf_add_n(word, s + 1, length);
			s += length + (s[length + 1] != '\0');
			continue;
		}
		strbuf_add_char(word, *s);
	}
	return s;
}

struct words *words_create(struct row_env *env, struct run *run, const char *text)
{
	struct words *w = arena_zalloc(&run->arena, sizeof(*w));
	const char *whole = text;
	auto_strbuf word = { 0 };

	w->env = env;
	w->run = run;
	w->argv = arena_zalloc(&run->arena, (strlen(text) / 2 + 2) * sizeof(*w->argv));
	w->starts = arena_zalloc(&run->arena, (strlen(text) / 2 + 2) * sizeof(*w->starts));
	for (;;) {
		while (isspace((unsigned char)*text))
			text++;
		if (!*text)
			return w;
		strbuf_clear(&word);
		w->starts[w->argc] = (size_t)(text - whole) + (*text == '\'' || *text == '"');
		text = take_word(text, &word);
		w->argv[w->argc++] = arena_strdup(&run->arena, strbuf_text(&word));
	}
}

int words_count(const struct words *w)
{
	return w->argc;
}

const char *words_at(const struct words *w, int i)
{
	return i < w->argc ? w->argv[i] : "";
}

struct error *words_place(const struct words *w, struct error *err, const struct stage *stage,
			  size_t *at)
{
	size_t base = stage->rest_at;

	for (int i = 0; w->bad && i < w->argc; i++) {
		if (w->argv[i] == w->bad)
			base += w->starts[i] + (*w->bad == '{');
	}
	return place_error(err, stage, base, w->bad ? w->bad_at : 0, at);
}

void words_destroy(struct words *w)
{
	if (!w)
		return;
	vec_for_each (e, &w->exprs) {
		run_remark_lost(w->run, &(*e)->expr);
		row_expr_deinit(&(*e)->expr);
	}
	vec_deinit(&w->exprs);
}

static struct error *find_expr(struct words *w, const char *text, struct row_expr **expr)
{
	struct arena *arena = &w->run->arena;
	size_t length = strlen(text), at;

	vec_for_each (e, &w->exprs) {
		if ((*e)->text == text) {
			*expr = &(*e)->expr;
			return NULL;
		}
	}
	struct word_expr *new = arena_zalloc(arena, sizeof(*new));
	new->text = text;
	new->source.text = new->source.name = text;
	if (length > 2 && text[0] == '{' && text[length - 1] == '}')
		new->source.text = arena_strndup(arena, text + 1, length - 2);
	w->env->expr.bare_hex = true;
	struct error *err = row_compile(w->env, NULL, &new->source, PROGRAM_PLACE, &new->expr, &at);
	w->env->expr.bare_hex = false;
	if (err) {
		row_expr_deinit(&new->expr);
		w->bad = text;
		w->bad_at = at;
		return err;
	}
	vec_push(&w->exprs, new);
	*expr = &new->expr;
	return NULL;
}

static struct error *word_value(void *ctx, const char *text, struct value *value,
				uint64_t *address)
{
	struct words *w = ctx;
	struct row_expr *expr;
	static const struct row none = { .object = { .cpu = -1 } };
	struct cell_value cell;
	struct datum datum;

	*address = 0;
	struct error *err = find_expr(w, text, &expr);
	if (err)
		return err;
	struct type type = program_type(expr->program);
	datum = (struct datum){ .kind = program_kind(expr->program) };
	if (!w->dry) {
		if (!w->env->current)
			row_env_set(w->env, &none);
		row_eval(expr, &cell);
		datum = cell.datum;
	}
	/* From nowhere there is nothing to walk. */
	if (!w->dry && datum.kind == DATUM_NUMBER && !datum.number &&
	    type_kind(type_strip(type)) == TYPE_POINTER)
		datum = (struct datum){ .kind = DATUM_NONE, .why = DATUM_NULL };
	if (datum.kind == DATUM_NONE)
		return error_new(ERROR_MISSING, "%s is %s", text,
				 datum.why == DATUM_NULL ? "NULL" : "not known");
	*value = datum.kind == DATUM_PLACE ? value_of_memory(type, datum.number)
					   : value_of_number(type, datum.number);
	*address = datum.number;
	return NULL;
}

struct error *words_walk(struct words *w, const struct walker *walker, struct arena *arena,
			 bool dry, struct walking *walk)
{
	struct walk_input input = { .session = w->run->session, .arena = arena,
				    .argc = w->argc - 1, .argv = w->argv + 1,
				    .value = word_value, .ctx = w, .dry = dry };

	w->dry = dry;
	return walk_begin(walker, &input, walk);
}

/* --- Commands with values in them --- */

struct filler_part {
	const char *text; /* as it is; NULL: .expr */
	struct stage_expr source;
	struct row_expr expr;
};

struct filler {
	bool nested; /* in a pipeline: what a dump holds must not become a stage of it */
	struct { vec_fields(struct filler_part *); } parts;
};

static void add_text(struct filler *f, struct arena *arena, const char *text, size_t length)
{
	struct filler_part *part = arena_zalloc(arena, sizeof(*part));

	if (!length)
		return;
	part->text = arena_strndup(arena, text, length);
	vec_push(&f->parts, part);
}

static struct error *add_expr(struct filler *f, struct op *op, const char *text, size_t length,
			      size_t text_at, size_t *at)
{
	struct filler_part *part = arena_zalloc(&op->run->arena, sizeof(*part));

	part->source.text = arena_strndup(&op->run->arena, text, length);
	part->source.name = part->source.text;
	part->source.at = text_at;
	struct error *err = row_compile(&op->env, op->stage, &part->source, PROGRAM_VALUE,
					&part->expr, at);
	vec_push(&f->parts, part);
	return err;
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

struct error *filler_create(struct op *op, const char *text, size_t text_at, struct filler **filler,
			    size_t *at)
{
	struct filler *f = arena_zalloc(&op->run->arena, sizeof(*f));
	struct error *err = NULL;
	const char *plain = text, *s = text;

	*filler = f;
	f->nested = *op->stage->rest == '(';
	while (*s && !err) {
		/* Of a row that is no object "$" is what it is to the command: a register. */
		bool object = *s == '$' && !is_name_char(s[1]) &&
			      (op->in.object.source || op->in.untyped);
		const char *end = *s == '{' ? strchr(s, '}') : NULL;
		if (!object && !end) {
			s++;
			continue;
		}
		add_text(f, &op->run->arena, plain, (size_t)(s - plain));
		if (object)
			err = add_expr(f, op, "$", 1, text_at + (size_t)(s - text), at);
		else
			err = add_expr(f, op, s + 1, (size_t)(end - s - 1),
				       text_at + (size_t)(s + 1 - text), at);
		s = plain = object ? s + 1 : end + 1;
	}
	add_text(f, &op->run->arena, plain, strlen(plain));
	return err;
}

/* The quote that is open behind @text, as command_words() reads it; '\0' none. */
static char open_quote(const char *text)
{
	char quote = '\0';

	for (; *text; text++) {
		if (quote ? *text == quote : *text == '\'' || *text == '"')
			quote = quote ? '\0' : *text;
	}
	return quote;
}

/* Does the command that @line begins with take words, and not an expression or the like? */
static bool takes_words(const char *line)
{
	auto_free char *name = xstrndup(line, strcspn(line, " \t"));
	const struct command *command = command_find(name);

	return !command || !command->takes_line;
}

/* Does the next character begin a word? */
static bool at_word(const struct strbuf *out)
{
	size_t length = out->len;

	while (length && strchr("'\"", out->data[length - 1]))
		length--;
	return length && isspace((unsigned char)out->data[length - 1]);
}

/* What a dump holds is one word of the command, and no option. False when it cannot be put so. */
static bool add_word(struct strbuf *out, const char *text)
{
	char quote = open_quote(strbuf_text(out));

	if (*text == '-' && at_word(out))
		return false;
	if (quote || !strpbrk(text, " \t\n\v\f\r'\"")) {
		strbuf_add(out, text);
		return !quote || !strchr(text, quote);
	}
	quote = strchr(text, '"') ? '\'' : '"';
	strbuf_addf(out, "%c%s%c", quote, text, quote);
	return quote == '"' || !strchr(text, quote);
}

static bool add_dump_text(const struct filler *f, const struct filler_part *part, const char *text,
			  struct strbuf *out)
{
	auto_free char *literal = xasprintf("\"%s\"", text);

	if (f->nested && strstr(text, "|>"))
		return false;
	/* What stands in the expression is the user's. */
	if (!f->nested && out->len && takes_words(strbuf_text(out)) &&
	    !strstr(part->source.text, literal))
		return add_word(out, text);
	strbuf_add(out, text);
	return true;
}

bool filler_fill(struct filler *f, struct strbuf *out)
{
	struct cell_value value;

	strbuf_clear(out);
	vec_for_each (p, &f->parts) {
		struct filler_part *part = *p;
		if (part->text) {
			strbuf_add(out, part->text);
			continue;
		}
		row_eval(&part->expr, &value);
		struct type type = type_strip(part->expr.column.type);
		bool address = part->expr.column.look == LOOK_FIELD &&
			       part->expr.column.field == FIELD_ADDRESS;
		if (value.datum.kind == DATUM_NONE)
			return false;
		if (value.datum.kind == DATUM_TEXT &&
		    !add_dump_text(f, part, value.datum.text, out))
			return false;
		if (value.datum.kind == DATUM_TEXT)
			continue;
		if (address || value.datum.kind == DATUM_PLACE ||
			 type_kind(type) == TYPE_POINTER)
			strbuf_addf(out, "0x%" PRIx64, value.datum.number);
		else if (type_is_signed(type))
			strbuf_addf(out, "%" PRId64, (int64_t)value.datum.number);
		else
			strbuf_addf(out, "%" PRIu64, value.datum.number);
	}
	return true;
}

void filler_destroy(struct filler *f)
{
	if (!f)
		return;
	vec_for_each (p, &f->parts) {
		if (!(*p)->text)
			row_expr_deinit(&(*p)->expr);
	}
	vec_deinit(&f->parts);
}
