// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rules: the known issues that the report looks for. Without a dump it lists, shows and tests them:
 * who writes a rule runs `rules --test FILE` until all fact sets come out right.
 */
#include <string.h>

#include "commands/table.h"
#include "diagnosis/rules.h"

struct rules_request {
	bool test;
	const char *path; /* of a folder or file; NULL: all rules */
	const char *id;   /* NULL: all */
};

/* A word with a slash or ".yaml" is a path: names of rules have neither. */
static struct error *parse(struct command_args *args, struct rules_request *request)
{
	for (int i = 1; i < args->argc; i++) {
		const char *word = args->argv[i];
		if (strcmp(word, "--test") == 0 || strcmp(word, "-t") == 0)
			request->test = true;
		else if (*word == '-')
			return error_new(ERROR_USAGE, "no such option: %s", word);
		else if (strchr(word, '/') || strstr(word, ".yaml") || strcmp(word, ".") == 0)
			request->path = word;
		else if (request->id)
			return error_new(ERROR_USAGE, "one rule at a time");
		else
			request->id = word;
	}
	return NULL;
}

static bool wanted(const struct rules_request *request, const struct rule_info *info)
{
	return !request->id || strcmp(request->id, info->id) == 0;
}

static void list(const struct rule_set *set, const struct rules_request *request, struct doc *doc)
{
	static const struct column columns[] = {
		{ .key = "id", .title = "RULE", .style = STYLE_STRONG },
		{ .key = "confidence", .title = "SURE" },
		{ .key = "title", .title = "KNOWN ISSUE" },
		{ .key = "path" },
		{ .key = "positive" },
		{ .key = "negative" },
	};

	doc_table(doc, "rules", columns, array_size(columns));
	for (size_t i = 0; i < set->rules.count; i++) {
		struct rule_info info;
		rule_info(set->rules.data[i], &info);
		if (wanted(request, &info))
			doc_row(doc, cell_str(info.id), cell_str(confidence_name(info.confidence)),
				cell_str(info.title), cell_str(info.path), cell_udec(info.positive),
				cell_udec(info.negative));
	}
	doc_end(doc);
}

static void lines(struct doc *doc, const char *key, const char *heading,
		  const struct rule_words *words)
{
	doc_lines(doc, key, NULL);
	if (words->count)
		doc_heading(doc, "%s", heading);
	for (size_t i = 0; i < words->count; i++)
		doc_line(doc, words->data[i]);
	doc_end(doc);
}

static bool show(const struct rule_set *set, const struct rules_request *request, struct doc *doc)
{
	for (size_t i = 0; i < set->rules.count; i++) {
		const struct rule *rule = set->rules.data[i];
		struct rule_info info;
		rule_info(rule, &info);
		if (!wanted(request, &info))
			continue;
		const struct rule_words conditions = rule_conditions(rule, &doc->arena);
		doc_record(doc, "rule", NULL);
		doc_prose(doc);
		doc_field(doc, "id", "RULE", cell_str(info.id));
		doc_field(doc, "title", "TITLE", cell_str(info.title));
		doc_field(doc, "explains", "EXPLAINS", cell_str(info.explains));
		doc_field(doc, "confidence", "SURE", cell_str(confidence_name(info.confidence)));
		if (info.workaround)
			doc_field(doc, "workaround", "AROUND", cell_str(info.workaround));
		else
			doc_field(doc, "workaround", NULL, cell_none());
		doc_field(doc, "path", "FILE", cell_str(info.path));
		doc_field(doc, "positive", NULL, cell_udec(info.positive));
		doc_field(doc, "negative", NULL, cell_udec(info.negative));
		lines(doc, "match", "MATCHES WHEN ALL OF", &conditions);
		lines(doc, "fixed_in", "FIXED IN", &info.fixed_in);
		lines(doc, "reference", "DESCRIBED IN", &info.reference);
		doc_end(doc);
		return true;
	}
	return false;
}

/* A rule without a fact set that it must match, and one that it must not, is not tested. */
static void test(const struct rule_set *set, const struct rules_request *request, struct doc *doc)
{
	size_t passed = 0, failed = 0, untested = 0;

	doc_record(doc, "rules_test", NULL);
	doc_lines(doc, "failures", NULL);
	for (size_t i = 0; i < set->rules.count; i++) {
		struct rule_info info;
		struct rule_words failures;
		rule_info(set->rules.data[i], &info);
		if (!wanted(request, &info))
			continue;
		passed += rule_test(set->rules.data[i], &doc->arena, &failures);
		for (size_t k = 0; k < failures.count; k++, failed++)
			doc_line(doc, failures.data[k]);
		if (info.positive && info.negative)
			continue;
		untested++;
		doc_linef(doc, "%s: no fact set that %s must%s match", info.path, info.id,
			  info.positive ? " not" : "");
	}
	doc_end(doc);
	doc_field(doc, "passed", NULL, cell_udec(passed));
	doc_field(doc, "failed", NULL, cell_udec(failed));
	doc_field(doc, "untested", NULL, cell_udec(untested));
	doc_end(doc);
	doc_textf(doc, failed || untested ? STYLE_BAD : STYLE_PLAIN,
		  "%zu passed / %zu failed / %zu rules without a test of either kind", passed, failed,
		  untested);
	doc->incomplete |= failed || untested;
}

static struct error *run_rules(struct command_args *args)
{
	struct rules_request request = { 0 };
	struct error *error = parse(args, &request);
	struct rule_set set;

	if (error)
		return error;
	if (request.path)
		rules_load_path(request.path, &set);
	else
		rules_load(args->session ? args->session->rules : NULL, &set);
	for (size_t i = 0; i < set.problems.count; i++)
		doc_remark(args->doc, REMARK_ERROR, "%s", set.problems.data[i]);
	if (request.test)
		test(&set, &request, args->doc);
	else if (!request.id)
		list(&set, &request, args->doc);
	else if (!show(&set, &request, args->doc))
		error = error_new(ERROR_NOT_FOUND, "there is no rule %s (\"rules\" lists them)",
				  request.id);
	rules_deinit(&set);
	return error;
}

const struct command command_rules = {
	.name = "rules",
	.usage = "[-t] [FOLDER|FILE] [ID]",
	.summary = "the known issues that the report looks for",
	.help = "Lists the rules of known issues; with ID shows one. A folder or a file (with a slash\n"
		"or \".yaml\") is read in place of $INQUEST_RULES, the user's and the shipped rules.\n"
		"  -t, --test  run each rule's own fact sets; exit status 1 when one comes out wrong\n"
		"Examples: rules\n"
		"          rules --test ./my-rules",
	.needs_no_dump = true,
	.run = run_rules,
};
