// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names of types inside expressions: the words of the base, then an abstract declarator: stars,
 * dimensions, and the function pointer "(*)(...)", whose parameters are not looked at. An
 * identifier is a type when it is a typedef that no local variable hides; a struct's name without
 * "struct" is taken too, where nothing else bears the name.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "types/expr_node.h"
#include "types/parse.h"
#include "types/source.h"

enum { STARS_MAX = 8, DIMENSIONS_MAX = 8 };

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

static bool is_qualifier(const char *word)
{
	static const char *const words[] = { "const", "volatile", "restrict", "__iomem", "__user",
					     "__percpu", "__rcu", "__force" };

	return is_one_of(word, words, array_size(words));
}

static bool is_integer_word(const char *word)
{
	static const char *const words[] = { "unsigned", "signed", "long", "short", "int", "char",
					     "__int128" };

	return is_one_of(word, words, array_size(words));
}

static bool is_tag(const char *word)
{
	static const char *const words[] = { "struct", "union", "enum" };

	return is_one_of(word, words, array_size(words));
}

static bool is_typeof(const char *word)
{
	static const char *const words[] = { "typeof", "__typeof__", "__typeof" };

	return is_one_of(word, words, array_size(words));
}

/* Does a local variable or a symbol have that name? */
static bool is_variable(const struct expr_env *env, const char *name, bool local_only)
{
	struct expr_symbol symbol;
	struct value value;
	struct error *err = NULL;

	if (env->name && !env->locals_last &&
	    env->name(env->value.ctx, name, &value, &err) != EXPR_UNKNOWN) {
		error_free(err);
		return true;
	}
	return !local_only && env->symbol && env->symbol(env->value.ctx, name, &symbol);
}

/* "name *)" and "name) operand": can what is in the parentheses be a type at all? */
static bool looks_like_cast(const struct parser *p)
{
	const char *s = p->text + p->next;
	size_t stars = strspn(s, " \t*");

	if (s[stars] != ')')
		return false;
	if (memchr(s, '*', stars))
		return true;
	s += stars + 1;
	s += strspn(s, " \t");
	return isalnum((unsigned char)*s) || (*s && strchr("_$\"'(~!", *s));
}

bool parser_sees_type(struct parser *p)
{
	const char *word = p->token.text;
	struct type type;
	int64_t value;

	if (p->token.kind != TOKEN_NAME || word[0] == '$')
		return false;
	if (is_qualifier(word) || is_integer_word(word) || is_tag(word) || is_typeof(word) ||
	    strcmp(word, "void") == 0)
		return true;
	/* Looking for a type that does not exist means to look through all modules. */
	if (!looks_like_cast(p) && is_variable(p->env, word, false))
		return false;
	if (is_variable(p->env, word, true) || !types_find(p->env->value.types, word, &type))
		return false;
	enum type_kind kind = type_kind(type);
	if (kind != TYPE_STRUCT && kind != TYPE_UNION && kind != TYPE_ENUM)
		return true;
	return !is_variable(p->env, word, false) &&
	       !types_enumerator(p->env->value.types, word, &value);
}

/* --- The base --- */

static struct error *parse_typeof(struct parser *p, struct type *type)
{
	const struct node *node;

	struct error *err = parser_expect(p, '(');
	if (!err && parser_sees_type(p)) {
		err = parser_type(p, type);
	} else if (!err) {
		err = parser_expression(p, &node);
		if (!err)
			err = expr_type_of(node, p->env, type, p->at);
	}
	return err ? err : parser_expect(p, ')');
}

static struct error *find_base(struct parser *p, const char *words, size_t at, struct type *type)
{
	struct type_expression e;
	char spelled[TYPE_NAME_MAX];

	if (types_find(p->env->value.types, words, type))
		return NULL;
	/* The integer types need no dump. */
	if (type_expression_parse(words, &e) && (e.tag == TAG_NONE || e.tag == TAG_VOID) &&
	    basic_find(e.name, type))
		return NULL;
	snprintf(spelled, sizeof(spelled), "%s", words);
	if (strcmp(types_source(p->env->value.types), "none") == 0)
		return parser_fail(p, at, "there is no type %s: this dump has no type information",
				   spelled);
	return parser_fail(p, at, "there is no type %s", spelled);
}

static struct error *parse_base(struct parser *p, struct type *type)
{
	auto_strbuf words = { 0 };
	size_t at = p->token.at;
	bool integer = false, tag = false, named = false;
	struct error *err = NULL;

	while (!err && p->token.kind == TOKEN_NAME) {
		const char *word = p->token.text;
		if (is_qualifier(word)) {
			err = parser_next(p);
			continue;
		}
		if (is_typeof(word) && !integer && !tag && !named) {
			err = parser_next(p);
			return err ? err : parse_typeof(p, type);
		}
		if (named || (integer && !is_integer_word(word)))
			break;
		integer |= !tag && is_integer_word(word);
		named = !integer && (tag || !is_tag(word));
		tag |= is_tag(word);
		if (words.len < TYPE_NAME_MAX)
			strbuf_addf(&words, "%s%s", words.len ? " " : "", word);
		err = parser_next(p);
	}
	if (err)
		return err;
	if (!integer && !named)
		return parser_fail(p, p->token.at, tag ? "the struct's name is missing"
						       : "a type was expected");
	return find_base(p, words.data, at, type);
}

/* --- The declarator --- */

static struct error *point(struct parser *p, struct type *type)
{
	struct type target = *type;

	if (types_pointer(p->env->value.types, target, type))
		return NULL;
	return parser_fail(p, p->token.at, "too many types were made up");
}

static struct error *parse_stars(struct parser *p, unsigned *stars)
{
	struct error *err = NULL;

	for (*stars = 0; !err; err = parser_next(p)) {
		if (parser_sees(p, '*'))
			++*stars;
		else if (p->token.kind != TOKEN_NAME || !is_qualifier(p->token.text))
			break;
		if (*stars > STARS_MAX)
			return parser_fail(p, p->token.at, "too many stars");
	}
	return err;
}

static struct error *parse_dimensions(struct parser *p, struct type *type)
{
	uint64_t lengths[DIMENSIONS_MAX];
	struct type element;
	unsigned count = 0;
	struct error *err;

	while (parser_sees(p, '[')) {
		if (count == DIMENSIONS_MAX)
			return parser_fail(p, p->token.at, "too many dimensions");
		lengths[count] = 0;
		err = parser_next(p);
		if (!err && p->token.kind == TOKEN_NUMBER) {
			lengths[count] = p->token.number;
			err = parser_next(p);
		}
		if (!err)
			err = parser_expect(p, ']');
		if (err)
			return err;
		count++;
	}
	while (count--) {
		element = *type;
		if (!types_array(p->env->value.types, element, lengths[count], type))
			return parser_fail(p, p->token.at, "too many types were made up");
	}
	return NULL;
}

/* Over a parameter list, whatever is in it. */
static struct error *skip_parameters(struct parser *p)
{
	struct error *err = parser_expect(p, '(');

	for (unsigned depth = 1; !err && depth;) {
		if (p->token.kind == TOKEN_END)
			return parser_expect(p, ')');
		depth += parser_sees(p, '(');
		depth -= parser_sees(p, ')');
		err = parser_next(p);
	}
	return err;
}

/* Is this "(" followed by a star: the middle of a function pointer or a pointer to an array? */
static bool sees_inner(const struct parser *p)
{
	const char *s = p->text + p->next;

	if (!parser_sees(p, '('))
		return false;
	return s[strspn(s, " \t")] == '*';
}

struct error *parser_type(struct parser *p, struct type *type)
{
	unsigned stars, inner = 0;
	struct type result;

	struct error *err = parse_base(p, type);
	if (!err)
		err = parse_stars(p, &stars);
	while (!err && stars--)
		err = point(p, type);
	if (!err && sees_inner(p)) {
		err = parser_next(p);
		if (!err)
			err = parse_stars(p, &inner);
		if (!err)
			err = parser_expect(p, ')');
		if (!err && parser_sees(p, '(')) {
			result = *type;
			err = skip_parameters(p);
			if (!err && !types_function_of(p->env->value.types, result, type))
				err = parser_fail(p, p->token.at, "too many types were made up");
		}
	}
	if (!err)
		err = parse_dimensions(p, type);
	while (!err && inner--)
		err = point(p, type);
	return err;
}
