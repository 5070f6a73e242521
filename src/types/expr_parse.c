// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Expressions into trees: operators by precedence climbing, the rest by descent. The grammar is
 * C's; whether "(x" begins a cast is asked of the types, as in a C compiler. Depth and size of the
 * tree are bounded, so that whoever walks it may recurse.
 */
#include <ctype.h>
#include <inttypes.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "types/expr_node.h"
#include "types/source.h"

static struct error *parse_unary(struct parser *p, const struct node **node) must_check;
static struct error *parse_binary(struct parser *p, unsigned least, const struct node **node)
	must_check;

struct error *parser_fail(struct parser *p, size_t at, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	*p->at = at;
	return error_new(ERROR_USAGE, "%s at column %zu", text, at + 1);
}

struct error *parser_next(struct parser *p)
{
	if (p->nodes > EXPR_NODES_MAX)
		return parser_fail(p, p->next, "the expression is too long");
	p->taken_end = p->token.end;
	struct error *err = expr_lex(p->text, p->env, p->arena, &p->next, &p->token);
	if (!err)
		return NULL;
	struct error *full = parser_fail(p, p->next, "%s", err->message);
	error_free(err);
	return full;
}

bool parser_sees(const struct parser *p, uint32_t op)
{
	return p->token.kind == TOKEN_OPERATOR && p->token.op == op;
}

struct error *parser_expect(struct parser *p, char op)
{
	if (parser_sees(p, (unsigned char)op))
		return parser_next(p);
	return parser_fail(p, p->token.kind == TOKEN_END ? p->taken_end : p->token.at,
			   "expected '%c'", op);
}

/* Each comes with a word at least, and parser_next() counts. */
static struct node *new_node(struct parser *p, enum node_kind kind, size_t at)
{
	struct node *node = arena_zalloc(p->arena, sizeof(*node));

	p->nodes++;
	node->kind = kind;
	node->at = at;
	node->cpu = -1;
	return node;
}

static struct node *value_node(struct parser *p, struct value value, size_t at)
{
	struct node *node = new_node(p, NODE_VALUE, at);

	node->value = value;
	return node;
}

/* Node @kind around *@node, which it becomes. */
static struct node *wrap(struct parser *p, enum node_kind kind, size_t at,
			 const struct node **node)
{
	struct node *outer = new_node(p, kind, at);

	outer->child[0] = *node;
	*node = outer;
	return outer;
}

/* --- Names --- */

/* The list of CPUs at @s: its length; 0 when there is none. "0", "0,2-4", "a", "all". */
static size_t cpu_list_length(const char *s)
{
	size_t length = 0;

	if (*s == 'a') {
		length = strncmp(s, "all", 3) == 0 ? 3 : 1;
		return isalnum((unsigned char)s[length]) || s[length] == '_' ? 0 : length;
	}
	while (isdigit((unsigned char)s[length])) {
		while (isdigit((unsigned char)s[length]))
			length++;
		if ((s[length] == ',' || s[length] == '-') && isdigit((unsigned char)s[length + 1]))
			length++;
	}
	return length;
}

static struct error *set_cpu_list(struct parser *p, const char *s, size_t length)
{
	char *list = arena_strndup(p->arena, s, length);

	if (p->cpu_list && strcmp(p->cpu_list, list) != 0)
		return parser_fail(p, (size_t)(s - p->text), "there are two lists of CPUs");
	p->cpu_list = list;
	return NULL;
}

/* ":0" and ":a" behind a per-CPU variable. */
static struct error *parse_cpus(struct parser *p, struct node *node)
{
	const char *s = p->text + p->next;
	size_t length = cpu_list_length(s);
	struct expr_symbol symbol;
	uint64_t cpu;

	if (!length || !p->env->symbol ||
	    !p->env->symbol(p->env->value.ctx, node->name, &symbol) || !symbol.is_percpu)
		return NULL;
	char *list = arena_strndup(p->arena, s, length);
	if (parse_u64(list, &cpu)) {
		if (cpu >= EXPR_CPUS_MAX)
			return parser_fail(p, p->next, "there is no CPU %s", list);
		node->cpu = (int)cpu;
	} else {
		struct error *err = set_cpu_list(p, s, length);
		if (err)
			return err;
	}
	p->next += length;
	p->token.end = p->next;
	return parser_next(p);
}

/* "module:name" */
static struct error *parse_qualified(struct parser *p, struct node *node)
{
	const char *s = p->text + p->next;
	struct expr_symbol symbol;
	size_t length = 0;

	while (isalnum((unsigned char)s[length]) || s[length] == '_')
		length++;
	char *name = arena_printf(p->arena, "%s:%.*s", node->name, (int)length, s);
	if (!p->env->symbol || !p->env->symbol(p->env->value.ctx, name, &symbol))
		return NULL;
	node->name = name;
	p->next += length;
	p->token.end = p->next;
	return parser_next(p);
}

static struct error *parse_name(struct parser *p, const struct node **result)
{
	struct node *node = new_node(p, NODE_NAME, p->token.at);

	node->name = p->token.text;
	*result = node;
	struct error *err = parser_next(p);
	if (err)
		return err;
	if (parser_sees(p, '('))
		return parser_fail(p, node->at, "the functions of a dead kernel cannot be called");
	if (!parser_sees(p, ':') || !p->token.joined || *node->name == '$')
		return NULL;
	char next = p->text[p->next];
	if (isalpha((unsigned char)next) || next == '_')
		err = parse_qualified(p, node);
	if (!err && parser_sees(p, ':') && p->token.joined)
		err = parse_cpus(p, node);
	return err;
}

/* --- What looks like a call --- */

static struct error *parse_sizeof(struct parser *p, const struct node **node)
{
	size_t at = p->token.at, inner_at;
	struct type type;

	struct error *err = parser_next(p);
	if (!err && parser_sees(p, '(')) {
		/* Is it a type in parentheses, or an expression that begins with them? */
		struct parser before = *p;
		err = parser_next(p);
		if (!err && parser_sees_type(p)) {
			inner_at = p->token.at;
			err = parser_type(p, &type);
			if (!err)
				err = parser_expect(p, ')');
			if (err)
				return err;
			*node = value_node(p, value_of_memory(type, 0), inner_at);
			(void)wrap(p, NODE_SIZEOF, at, node);
			return NULL;
		}
		if (err)
			return err;
		*p = before;
	}
	if (!err)
		err = parse_unary(p, node);
	if (!err)
		(void)wrap(p, NODE_SIZEOF, at, node);
	return err;
}

/* "member.member[3]" of @type, as a chain of nodes from address 0. */
static struct error *parse_path(struct parser *p, struct type type, const struct node **node)
{
	struct error *err = NULL;

	*node = value_node(p, value_of_memory(type, 0), p->token.at);
	for (bool first = true;; first = false) {
		size_t at = p->token.at;
		if (first || parser_sees(p, '.')) {
			if (!first)
				err = parser_next(p);
			if (!err && p->token.kind != TOKEN_NAME)
				err = parser_fail(p, p->token.at, "a member's name was expected");
			if (err)
				return err;
			wrap(p, NODE_MEMBER, p->token.at, node)->name = p->token.text;
			err = parser_next(p);
		} else if (parser_sees(p, '[')) {
			struct node *outer = wrap(p, NODE_INDEX, at, node);
			err = parser_next(p);
			if (!err)
				err = parser_expression(p, &outer->child[1]);
			if (!err)
				err = parser_expect(p, ']');
		} else {
			return NULL;
		}
		if (err)
			return err;
	}
}

/* offsetof(type, path), from behind its parenthesis. */
static struct error *parse_offset(struct parser *p, size_t at, struct type *type,
				  const struct node **node)
{
	struct error *err = parser_type(p, type);

	if (!err)
		err = parser_expect(p, ',');
	if (!err)
		err = parse_path(p, *type, node);
	if (!err)
		err = parser_expect(p, ')');
	if (!err)
		(void)wrap(p, NODE_OFFSETOF, at, node);
	return err;
}

static struct error *parse_offsetof(struct parser *p, const struct node **node)
{
	size_t at = p->token.at;
	struct type type;

	struct error *err = parser_next(p);
	if (!err)
		err = parser_expect(p, '(');
	return err ? err : parse_offset(p, at, &type, node);
}

static struct error *parse_container(struct parser *p, const struct node **node)
{
	size_t at = p->token.at;
	struct type type, pointer;

	struct error *err = parser_next(p);
	if (!err)
		err = parser_expect(p, '(');
	if (!err)
		err = parser_expression(p, node);
	if (!err)
		err = parser_expect(p, ',');
	if (err)
		return err;
	struct node *outer = wrap(p, NODE_CONTAINER, at, node);
	err = parse_offset(p, at, &type, &outer->child[1]);
	if (!err && !types_pointer(p->env->value.types, type, &pointer))
		err = parser_fail(p, at, "too many types were made up");
	if (!err)
		outer->value.type = pointer;
	return err;
}

/* per_cpu(variable, 1), per_cpu_ptr(pointer, 1) */
static struct error *parse_percpu(struct parser *p, const struct node **node)
{
	bool is_ptr = strcmp(p->token.text, "per_cpu_ptr") == 0;
	size_t at = p->token.at;

	struct error *err = parser_next(p);
	if (!err)
		err = parser_expect(p, '(');
	if (!err)
		err = parser_expression(p, node);
	if (!err)
		err = parser_expect(p, ',');
	if (err)
		return err;
	struct node *outer = wrap(p, NODE_PERCPU, at, node);
	outer->is_percpu_ptr = is_ptr;
	err = parser_expression(p, &outer->child[1]);
	return err ? err : parser_expect(p, ')');
}

/* --- Operands --- */

static struct error *parse_string(struct parser *p, const struct node **node)
{
	struct value value = { .place = VALUE_BYTES, .is_text = true };
	auto_strbuf text = { 0 };
	size_t at = p->token.at;
	struct error *err = NULL;

	/* Neighbours are one. */
	for (; !err && p->token.kind == TOKEN_STRING; err = parser_next(p))
		strbuf_add_n(&text, p->token.text, p->token.length);
	if (err)
		return err;
	uint8_t *bytes = arena_zalloc(p->arena, text.len + 1);
	if (text.len)
		memcpy(bytes, text.data, text.len);
	value.bytes = bytes;
	value.size = text.len + 1;
	if (!types_array(p->env->value.types, basic_type(BASIC_CHAR), value.size, &value.type))
		return parser_fail(p, at, "too many types were made up");
	*node = value_node(p, value, at);
	return NULL;
}

static struct error *parse_word(struct parser *p, const struct node **node)
{
	static const struct {
		const char *name;
		struct error *(*parse)(struct parser *p, const struct node **node);
	} words[] = { { "sizeof", parse_sizeof },       { "offsetof", parse_offsetof },
		      { "container_of", parse_container }, { "list_entry", parse_container },
		      { "per_cpu", parse_percpu },      { "per_cpu_ptr", parse_percpu } };

	for (size_t i = 0; i < array_size(words); i++) {
		if (strcmp(p->token.text, words[i].name) == 0)
			return words[i].parse(p, node);
	}
	if (parser_sees_type(p))
		return parser_fail(p, p->token.at, "%s is a type: a value was expected",
				   p->token.text);
	return parse_name(p, node);
}

static struct error *parse_primary(struct parser *p, const struct node **node)
{
	struct error *err;

	switch (p->token.kind) {
	case TOKEN_NUMBER:
	case TOKEN_CHAR:
		*node = value_node(p, value_of_number(p->token.type, p->token.number),
				   p->token.at);
		return parser_next(p);
	case TOKEN_STRING:
		return parse_string(p, node);
	case TOKEN_NAME:
		return parse_word(p, node);
	case TOKEN_END:
		return parser_fail(p, p->taken_end, "the expression ends early");
	default:
		break;
	}
	if (!parser_sees(p, '('))
		return parser_fail(p, p->token.at, "a value was expected");
	err = parser_next(p);
	if (!err)
		err = parser_expression(p, node);
	return err ? err : parser_expect(p, ')');
}

static struct error *parse_postfix(struct parser *p, const struct node **node)
{
	struct error *err = parse_primary(p, node);

	while (!err) {
		size_t at = p->token.at;
		if (parser_sees(p, '[')) {
			struct node *outer = wrap(p, NODE_INDEX, at, node);
			err = parser_next(p);
			if (!err)
				err = parser_expression(p, &outer->child[1]);
			if (!err)
				err = parser_expect(p, ']');
		} else if (parser_sees(p, '.') || parser_sees(p, TWO('-', '>'))) {
			err = parser_next(p);
			if (!err && p->token.kind != TOKEN_NAME)
				err = parser_fail(p, p->token.kind == TOKEN_END ? p->taken_end
										: p->token.at,
						  "a member's name was expected");
			if (err)
				return err;
			wrap(p, NODE_MEMBER, p->token.at, node)->name = p->token.text;
			err = parser_next(p);
		} else {
			break;
		}
	}
	return err;
}

static struct error *parse_cast(struct parser *p, size_t at, const struct node **node)
{
	struct type type;

	struct error *err = parser_type(p, &type);
	if (!err)
		err = parser_expect(p, ')');
	if (!err)
		err = parse_unary(p, node);
	if (!err)
		wrap(p, NODE_CAST, at, node)->value.type = type;
	return err;
}

/* A prefix operator with what follows it. */
static struct error *parse_prefix(struct parser *p, const struct node **node)
{
	static const struct {
		char op;
		enum node_kind kind;
		enum value_op value;
	} prefixes[] = { { '*', NODE_DEREF, 0 },         { '&', NODE_ADDRESS, 0 },
			 { '-', NODE_UNARY, OP_MINUS },  { '+', NODE_UNARY, OP_PLUS },
			 { '!', NODE_UNARY, OP_NOT },    { '~', NODE_UNARY, OP_INVERT } };
	size_t at = p->token.at;

	for (size_t i = 0; i < array_size(prefixes); i++) {
		if (!parser_sees(p, (unsigned char)prefixes[i].op))
			continue;
		struct error *err = parser_next(p);
		if (!err)
			err = parse_unary(p, node);
		if (!err)
			wrap(p, prefixes[i].kind, at, node)->op = prefixes[i].value;
		return err;
	}
	return parse_postfix(p, node);
}

static struct error *parse_unary(struct parser *p, const struct node **node)
{
	struct error *err = NULL;
	size_t at = p->token.at;

	if (++p->depth > EXPR_DEPTH_MAX)
		return parser_fail(p, at, "the expression is nested too deeply");
	if (parser_sees(p, '(')) {
		struct parser before = *p;
		err = parser_next(p);
		if (!err && parser_sees_type(p)) {
			err = parse_cast(p, at, node);
			p->depth--;
			return err;
		}
		/* Lexed once more, which costs nothing: there is one such step for each. */
		if (!err)
			*p = before;
	}
	if (!err)
		err = parse_prefix(p, node);
	p->depth--;
	return err;
}

/* --- Operators --- */

static const struct binary {
	uint32_t op;
	uint8_t precedence;
	enum value_op value;
} binaries[] = {
	{ TWO('|', '|'), 1, OP_LOR }, { TWO('&', '&'), 2, OP_LAND }, { '|', 3, OP_OR },
	{ '^', 4, OP_XOR },	      { '&', 5, OP_AND },	     { TWO('=', '='), 6, OP_EQ },
	{ TWO('!', '='), 6, OP_NE },  { '<', 7, OP_LT },	     { '>', 7, OP_GT },
	{ TWO('<', '='), 7, OP_LE },  { TWO('>', '='), 7, OP_GE },   { TWO('<', '<'), 8, OP_SHL },
	{ TWO('>', '>'), 8, OP_SHR }, { '@', 9, OP_REPEAT },	     { '+', 10, OP_ADD },
	{ '-', 10, OP_SUB },	      { '*', 11, OP_MUL },	     { '/', 11, OP_DIV },
	{ '%', 11, OP_MOD },	      { '~', 6, OP_GLOB },	     { TWO('=', '~'), 6, OP_REGEX },
};
/* Of two words: "!~x" is C. */
static const struct binary unlike = { '!', 6, OP_UNLIKE };

static const struct binary *sees_binary(const struct parser *p)
{
	for (size_t i = 0; i < array_size(binaries); i++) {
		if (parser_sees(p, binaries[i].op))
			return &binaries[i];
	}
	return parser_sees(p, '!') && p->text[p->next] == '~' ? &unlike : NULL;
}

/* Patterns are the user's: what a dump holds is not compiled. */
static struct error *check_pattern(struct parser *p, const struct node *node)
{
	const struct node *pattern = node->child[1];
	regex_t regex;

	if (node->op < OP_GLOB || node->op > OP_REGEX)
		return NULL;
	if (pattern->kind != NODE_VALUE || !pattern->value.is_text)
		return parser_fail(p, pattern->at, "a pattern is a text in double quotes");
	if (node->op != OP_REGEX)
		return NULL;
	if (regcomp(&regex, (const char *)pattern->value.bytes, REG_EXTENDED | REG_NOSUB) != 0)
		return parser_fail(p, pattern->at, "this is no regular expression");
	regfree(&regex);
	return NULL;
}

static struct error *parse_binary(struct parser *p, unsigned least, const struct node **node)
{
	const struct binary *binary;

	struct error *err = parse_unary(p, node);
	while (!err && (binary = sees_binary(p)) && binary->precedence >= least) {
		struct node *outer = wrap(p, NODE_BINARY, p->token.at, node);
		outer->op = binary->value;
		err = parser_next(p);
		if (!err && binary == &unlike)
			err = parser_next(p);
		if (!err)
			err = parse_binary(p, binary->precedence + 1u, &outer->child[1]);
		if (!err)
			err = check_pattern(p, outer);
	}
	return err;
}

struct error *parser_expression(struct parser *p, const struct node **node)
{
	if (++p->depth > EXPR_DEPTH_MAX)
		return parser_fail(p, p->token.at, "the expression is nested too deeply");
	struct error *err = parse_binary(p, 1, node);
	if (!err && parser_sees(p, '?')) {
		struct node *outer = wrap(p, NODE_CONDITION, p->token.at, node);
		err = parser_next(p);
		if (!err)
			err = parser_expression(p, &outer->child[1]);
		if (!err)
			err = parser_expect(p, ':');
		if (!err)
			err = parser_expression(p, &outer->child[2]);
	}
	p->depth--;
	return err;
}

/* --- The whole --- */

static struct error *not_the_end(struct parser *p)
{
	static const char assigning[] = "+-*/%&|^";
	uint32_t op = p->token.op;

	if (p->token.kind == TOKEN_OPERATOR &&
	    (op == '=' || op == TWO('+', '+') || op == TWO('-', '-') ||
	     ((op & 0xff) == '=' && op >> 8 && strchr(assigning, (int)(op >> 8)))))
		return parser_fail(p, p->token.at, "nothing in a dump can be changed");
	return parser_fail(p, p->token.at, "expected an operator or the end");
}

/* Behind the expression: nothing, or the CPUs that it is to be evaluated for. */
static struct error *parse_end(struct parser *p, size_t *end)
{
	*end = p->token.at;
	if (p->token.kind == TOKEN_END)
		return NULL;
	if (!parser_sees(p, ':'))
		return not_the_end(p);
	p->next += strspn(p->text + p->next, " \t");
	const char *s = p->text + p->next;
	size_t length = cpu_list_length(s);
	if (!length)
		return parser_fail(p, p->next, isalpha((unsigned char)*s)
						       ? "no module has such a symbol"
						       : "a list of CPUs was expected");
	struct error *err = set_cpu_list(p, s, length);
	if (err)
		return err;
	p->next += length;
	err = parser_next(p);
	return err || p->token.kind == TOKEN_END ? err : not_the_end(p);
}

struct error *expr_parse(const char *text, const struct expr_env *env, struct arena *arena,
			 struct expr **expr, size_t *at)
{
	struct parser p = { .text = text, .env = env, .arena = arena, .at = at };
	const struct node *root = NULL;
	size_t end = 0;

	*at = 0;
	if (strlen(text) > EXPR_TEXT_MAX)
		return error_new(ERROR_USAGE, "the expression is too long");
	struct error *err = parser_next(&p);
	if (!err && p.token.kind == TOKEN_END)
		err = error_new(ERROR_USAGE, "there is no expression");
	if (!err)
		err = parser_expression(&p, &root);
	if (!err)
		err = parse_end(&p, &end);
	if (err)
		return err;
	while (end && isspace((unsigned char)text[end - 1]))
		end--;
	*expr = arena_zalloc(arena, sizeof(**expr));
	(*expr)->root = root;
	(*expr)->text = arena_strndup(arena, text, end);
	(*expr)->cpu_list = p.cpu_list;
	return NULL;
}

const char *expr_cpu_list(const struct expr *expr)
{
	return expr->cpu_list;
}

const char *expr_text(const struct expr *expr)
{
	return expr->text;
}

const char *expr_name(const struct expr *expr)
{
	return expr->root->kind == NODE_NAME && expr->root->cpu < 0 ? expr->root->name : NULL;
}
