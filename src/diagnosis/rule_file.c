// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A rule's YAML -> struct rule. libyaml reads the document as a tree; here it is checked against
 * tables of keys. An unknown key is an error: a condition that is spelt wrong must not be left
 * out in silence. Errors name file and line.
 */
#include "diagnosis/rule.h"

#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/strbuf.h"
#include "diagnosis/rule_release.h"

const char *const condition_names[CONDITION_COUNT] = {
	[CONDITION_CLASS] = "class",
	[CONDITION_FUNCTION] = "function",
	[CONDITION_MODULE] = "module",
	[CONDITION_STACK] = "stack",
	[CONDITION_MEMBER] = "member",
	[CONDITION_VALUE] = "value",
	[CONDITION_OFFSET] = "offset",
	[CONDITION_RELEASE] = "release",
	[CONDITION_MODULE_VERSION] = "module_version",
	[CONDITION_LOADED] = "loaded",
	[CONDITION_TAINT] = "taint",
	[CONDITION_CONFIG] = "config",
	[CONDITION_PARAMETER] = "parameter",
	[CONDITION_LOG] = "log",
};

struct reader {
	const char *path;
	struct arena *arena;
	yaml_document_t document;
	struct error *error; /* the first */
};

enum { LIST_MAX = 256 };

static void printf_like(3, 4)
	complain(struct reader *r, const yaml_node_t *node, const char *fmt, ...)
{
	char text[512];
	va_list args;

	if (r->error)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	r->error = error_new(ERROR_FORMAT, "%s:%zu: %s", r->path,
			     node ? node->start_mark.line + 1 : 1, text);
}

static const yaml_node_t *node_at(struct reader *r, int index)
{
	return yaml_document_get_node(&r->document, index);
}

/* --- Values. --- */

static const char *read_text(struct reader *r, const yaml_node_t *node)
{
	if (node->type != YAML_SCALAR_NODE) {
		complain(r, node, "a text is expected here");
		return "";
	}
	const char *text = (const char *)node->data.scalar.value;
	size_t length = node->data.scalar.length;
	if (strlen(text) != length)
		complain(r, node, "there is a NUL byte in the text");
	/* A folded text ends with the line's end. */
	while (length && (text[length - 1] == '\n' || text[length - 1] == ' '))
		length--;
	return arena_strndup(r->arena, text, length);
}

/* A list of texts; a single text is a list of one. */
static struct rule_words read_list(struct reader *r, const yaml_node_t *node)
{
	struct {
		vec_fields(const char *);
	} list = { 0 };

	if (node->type == YAML_SCALAR_NODE)
		vec_push(&list, read_text(r, node));
	else if (node->type == YAML_SEQUENCE_NODE) {
		const yaml_node_item_t *end = node->data.sequence.items.top;
		for (const yaml_node_item_t *i = node->data.sequence.items.start; i < end; i++) {
			const yaml_node_t *item = node_at(r, *i);
			if (list.count == LIST_MAX)
				complain(r, item, "the list is too long");
			if (r->error)
				break;
			vec_push(&list, read_text(r, item));
		}
	} else {
		complain(r, node, "a text or a list of texts is expected here");
	}
	struct rule_words words = { .count = list.count };
	if (list.count) {
		const char **copy = arena_alloc(r->arena, list.count * sizeof(*copy));
		memcpy(copy, list.data, list.count * sizeof(*copy));
		words.data = copy;
	} else {
		complain(r, node, "the list is empty");
	}
	vec_deinit(&list);
	return words;
}

/* Runs @each for the pairs of a mapping. */
static void read_map(struct reader *r, const yaml_node_t *node, void *ctx,
		     void (*each)(struct reader *r, void *ctx, const yaml_node_t *key,
				  const char *name, const yaml_node_t *value))
{
	if (node->type != YAML_MAPPING_NODE) {
		complain(r, node, "keys with values are expected here");
		return;
	}
	const yaml_node_pair_t *end = node->data.mapping.pairs.top;
	const yaml_node_pair_t *p = node->data.mapping.pairs.start;
	for (; p < end && !r->error; p++) {
		const yaml_node_t *key = node_at(r, p->key);
		each(r, ctx, key, read_text(r, key), node_at(r, p->value));
	}
}

struct pairs {
	struct {
		vec_fields(const char *);
	} names, values;
};

static void read_pair(struct reader *r, void *ctx, const yaml_node_t *key, const char *name,
		      const yaml_node_t *value)
{
	struct pairs *pairs = ctx;

	if (pairs->names.count == LIST_MAX)
		complain(r, key, "too many keys");
	vec_push(&pairs->names, name);
	vec_push(&pairs->values, read_text(r, value));
}

static const char *const *copy_words(struct reader *r, const char *const *data, size_t count)
{
	const char **copy = arena_alloc(r->arena, count * sizeof(*copy));

	if (count)
		memcpy(copy, data, count * sizeof(*copy));
	return copy;
}

static void read_pairs(struct reader *r, const yaml_node_t *node, struct condition *c)
{
	struct pairs pairs = { 0 };

	read_map(r, node, &pairs, read_pair);
	c->names = (struct rule_words){
		copy_words(r, pairs.names.data, pairs.names.count), pairs.names.count };
	c->words = (struct rule_words){
		copy_words(r, pairs.values.data, pairs.values.count), pairs.values.count };
	vec_deinit(&pairs.names);
	vec_deinit(&pairs.values);
}

static bool read_number(struct reader *r, const yaml_node_t *node, const char *text,
			uint64_t *value)
{
	bool negative = *text == '-';
	uint64_t number;

	if (!parse_u64(text + negative, &number)) {
		complain(r, node, "\"%s\" is no number", text);
		return false;
	}
	*value = negative ? -number : number;
	return true;
}

static bool read_bool(struct reader *r, const yaml_node_t *node)
{
	const char *text = read_text(r, node);

	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		complain(r, node, "true or false is expected here, not \"%s\"", text);
	return strcmp(text, "true") == 0;
}

static bool read_confidence(struct reader *r, const yaml_node_t *node, enum confidence *confidence)
{
	const char *text = read_text(r, node);

	for (enum confidence c = CONFIDENCE_POSSIBLE; c <= CONFIDENCE_CERTAIN; c++) {
		if (strcmp(confidence_name(c), text) != 0)
			continue;
		*confidence = c;
		return true;
	}
	complain(r, node, "confidence is certain, likely or possible, not \"%s\"", text);
	return false;
}

/* --- Conditions. --- */

static void check_words(struct reader *r, const yaml_node_t *node, enum condition_kind kind,
			const struct condition *c)
{
	for (size_t i = 0; i < c->words.count && !r->error; i++) {
		const char *word = c->words.data[i];
		uint64_t number;
		regex_t regex;
		if (kind == CONDITION_VALUE || kind == CONDITION_OFFSET) {
			read_number(r, node, word, &number);
		} else if (kind == CONDITION_RELEASE) {
			struct error *error = release_range_check(word);
			if (error)
				complain(r, node, "%s", error->message);
			error_free(error);
		} else if (kind == CONDITION_LOG) {
			int failed = regcomp(&regex, word, REG_EXTENDED | REG_NOSUB);
			char why[128];
			if (failed) {
				regerror(failed, &regex, why, sizeof(why));
				complain(r, node, "\"%s\": %s", word, why);
			} else {
				regfree(&regex);
			}
		}
	}
}

static void read_condition(struct reader *r, void *ctx, const yaml_node_t *key, const char *name,
			   const yaml_node_t *value)
{
	struct rule *rule = ctx;

	for (unsigned i = 0; i < CONDITION_COUNT; i++) {
		struct condition *c = &rule->condition[i];
		if (strcmp(condition_names[i], name) != 0)
			continue;
		if (c->asked)
			complain(r, key, "\"%s\" is there twice", name);
		c->asked = true;
		c->line = (unsigned)key->start_mark.line + 1;
		if (i == CONDITION_CONFIG || i == CONDITION_PARAMETER)
			read_pairs(r, value, c);
		else
			c->words = read_list(r, value);
		check_words(r, value, (enum condition_kind)i, c);
		return;
	}
	complain(r, key, "\"%s\" is nothing that can be matched", name);
}

/* --- Fact sets. --- */

/* Texts and lists of a fact set; what is neither is read by read_other_fact(). */
static const struct {
	const char *key;
	size_t text, list; /* offset in struct rule_facts of the one or the other, +1 */
	size_t known;      /* of the bool that says so, +1 */
} fact_keys[] = {
#define AT(member) (offsetof(struct rule_facts, member) + 1)
	{ "class", AT(kind), 0, 0 },
	{ "plain_class", AT(plain_kind), 0, 0 },
	{ "function", AT(function), 0, 0 },
	{ "fault_function", AT(fault_function), 0, 0 },
	{ "module", AT(module), 0, AT(module_known) },
	{ "module_version", AT(module_version), 0, 0 },
	{ "release", AT(release), 0, 0 },
	{ "banner", AT(banner), 0, 0 },
	{ "taint", AT(taint), 0, 0 },
	{ "stack", 0, AT(stack), 0 },
	{ "member", 0, AT(members), 0 },
	{ "log", 0, AT(log), AT(log_known) },
	{ "loaded", 0, AT(loaded), AT(loaded_known) },
#undef AT
};

static void read_other_fact(struct reader *r, struct rule_fact_set *set, const yaml_node_t *key,
			    const char *name, const yaml_node_t *value)
{
	struct rule_facts *facts = &set->facts;

	if (strcmp(name, "value") == 0)
		facts->has_value = read_number(r, value, read_text(r, value), &facts->value);
	else if (strcmp(name, "offset") == 0)
		facts->has_offset = read_number(r, value, read_text(r, value), &facts->offset);
	else if (strcmp(name, "config") == 0)
		read_pairs(r, value, &set->config), set->config.asked = true;
	else if (strcmp(name, "parameter") == 0)
		read_pairs(r, value, &set->parameter), set->parameter.asked = true;
	else
		complain(r, key, "\"%s\" is no fact", name);
}

static void read_fact(struct reader *r, void *ctx, const yaml_node_t *key, const char *name,
		      const yaml_node_t *value)
{
	struct rule_fact_set *set = ctx;
	char *base = (char *)&set->facts;

	for (size_t i = 0; i < array_size(fact_keys); i++) {
		if (strcmp(fact_keys[i].key, name) != 0)
			continue;
		if (fact_keys[i].text)
			*(const char **)(void *)(base + fact_keys[i].text - 1) =
				read_text(r, value);
		else
			*(struct rule_words *)(void *)(base + fact_keys[i].list - 1) =
				read_list(r, value);
		if (fact_keys[i].known)
			*(bool *)(base + fact_keys[i].known - 1) = true;
		return;
	}
	read_other_fact(r, set, key, name, value);
}

static void read_test_key(struct reader *r, void *ctx, const yaml_node_t *key, const char *name,
			  const yaml_node_t *value)
{
	struct rule_fact_set *set = ctx;
	enum confidence confidence;

	if (strcmp(name, "match") == 0) {
		set->match = read_bool(r, value);
	} else if (strcmp(name, "confidence") == 0) {
		if (read_confidence(r, value, &confidence))
			set->confidence = confidence_name(confidence);
	} else if (strcmp(name, "facts") == 0) {
		read_map(r, value, set, read_fact);
	} else if (strcmp(name, "name") != 0) {
		complain(r, key, "a test has match, facts, name and confidence, no \"%s\"", name);
	}
}

/* "module: kernel" is the kernel itself. */
static void settle_module(struct rule_facts *facts)
{
	if (facts->module && strcmp(facts->module, "kernel") == 0)
		facts->module = NULL;
}

static void read_tests(struct reader *r, const yaml_node_t *node, struct rule *rule)
{
	if (node->type != YAML_SEQUENCE_NODE) {
		complain(r, node, "tests are a list");
		return;
	}
	const yaml_node_item_t *start = node->data.sequence.items.start;
	size_t count = (size_t)(node->data.sequence.items.top - start);
	if (count > LIST_MAX) {
		complain(r, node, "too many tests");
		return;
	}
	struct rule_fact_set *sets = arena_zalloc(r->arena, (count + 1) * sizeof(*sets));
	for (size_t i = 0; i < count && !r->error; i++) {
		const yaml_node_t *item = node_at(r, start[i]);
		sets[i].line = (unsigned)item->start_mark.line + 1;
		read_map(r, item, &sets[i], read_test_key);
		settle_module(&sets[i].facts);
		rule->info.positive += sets[i].match;
		rule->info.negative += !sets[i].match;
	}
	rule->tests = sets;
	rule->test_count = count;
}

/* --- The rule. --- */

static void read_key(struct reader *r, void *ctx, const yaml_node_t *key, const char *name,
		     const yaml_node_t *value)
{
	struct rule *rule = ctx;
	struct rule_info *info = &rule->info;
	const struct {
		const char *key;
		const char **text;
		struct rule_words *list;
	} keys[] = {
		{ "id", &info->id, NULL },
		{ "title", &info->title, NULL },
		{ "explains", &info->explains, NULL },
		{ "workaround", &info->workaround, NULL },
		{ "reference", NULL, &info->reference },
		{ "fixed_in", NULL, &info->fixed_in },
	};

	for (size_t i = 0; i < array_size(keys); i++) {
		if (strcmp(keys[i].key, name) != 0)
			continue;
		if (keys[i].text)
			*keys[i].text = read_text(r, value);
		else
			*keys[i].list = read_list(r, value);
		return;
	}
	if (strcmp(name, "confidence") == 0)
		read_confidence(r, value, &info->confidence);
	else if (strcmp(name, "match") == 0)
		read_map(r, value, rule, read_condition);
	else if (strcmp(name, "tests") == 0)
		read_tests(r, value, rule);
	else
		complain(r, key, "there is no key \"%s\" in a rule", name);
}

/* What would match everything, or cannot be looked up, is no rule. */
static void check_whole(struct reader *r, const yaml_node_t *root, const struct rule *rule)
{
	const struct rule_info *info = &rule->info;
	const char *file = strrchr(r->path, '/') ? strrchr(r->path, '/') + 1 : r->path;
	size_t length = info->id ? strlen(info->id) : 0;
	const struct condition *c = rule->condition;

	if (!info->id || !info->title || !info->explains)
		complain(r, root, "id, title and explains are needed");
	else if (strncmp(file, info->id, length) != 0 || strcmp(file + length, ".yaml") != 0)
		complain(r, root, "the id \"%s\" is not the file's name", info->id);
	else if (!info->reference.count)
		complain(r, root, "there is no reference: where is the bug described?");
	else if (!c[CONDITION_FUNCTION].asked && !c[CONDITION_STACK].asked &&
		 !c[CONDITION_MODULE].asked && !c[CONDITION_MEMBER].asked &&
		 !c[CONDITION_VALUE].asked && !c[CONDITION_LOG].asked)
		complain(r, root, "function, stack, module, member, value or log is needed: without one "
			 "the rule would fit too much");
}

static struct error *parse_error(const char *path, const yaml_parser_t *parser)
{
	return error_new(ERROR_FORMAT, "%s:%zu: %s%s%s", path, parser->problem_mark.line + 1,
			 parser->context ? parser->context : "", parser->context ? ": " : "",
			 parser->problem ? parser->problem : "this is no YAML");
}

struct error *rule_parse(const char *path, const char *text, size_t size, struct arena *arena,
			 struct rule **rule)
{
	struct reader r = { .path = path, .arena = arena };
	yaml_parser_t parser;

	*rule = NULL;
	if (!yaml_parser_initialize(&parser))
		return error_new(ERROR_SYSTEM, "%s: the YAML library cannot be used", path);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	if (!yaml_parser_load(&parser, &r.document)) {
		struct error *error = parse_error(path, &parser);
		yaml_parser_delete(&parser);
		return error;
	}
	const yaml_node_t *root = yaml_document_get_root_node(&r.document);
	struct rule *made = arena_zalloc(arena, sizeof(*made));
	made->info.path = arena_strdup(arena, path);
	made->info.confidence = CONFIDENCE_LIKELY;
	if (root)
		read_map(&r, root, made, read_key);
	else
		complain(&r, NULL, "the file is empty");
	if (root)
		check_whole(&r, root, made);
	yaml_document_delete(&r.document);
	yaml_parser_delete(&parser);
	if (!r.error)
		*rule = made;
	return r.error;
}
