// SPDX-License-Identifier: LGPL-2.1-or-later
/* The notation of pipelines taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/strbuf.h"
#include "pipeline/parse.h"

/* "source|where:a > b|top3:-x,y by ..." */
static void add_exprs(struct strbuf *out, const struct stage_exprs *exprs)
{
	for (size_t i = 0; i < exprs->count; i++) {
		const struct stage_expr *e = &exprs->data[i];
		strbuf_addf(out, "%s%s<%s>", i ? "," : "", e->descending ? "-" : "", e->text);
		if (e->named)
			strbuf_addf(out, "=%s", e->name);
	}
}

static void expect(const char *line, const char *wanted)
{
	struct arena arena = { 0 };
	auto_strbuf out = { 0 };
	struct pipeline p;
	size_t at;

	struct error *err = pipeline_parse(line, &arena, &p, &at);
	if (err)
		fail_msg("%s: %s", line, err->message);
	strbuf_add(&out, p.source);
	for (size_t i = 0; i < p.count; i++) {
		const struct stage *s = &p.stages[i];
		assert_int_equal(s->number, i + 1);
		strbuf_addf(&out, " | %s", s->word);
		if (s->kind == STAGE_TOP || s->kind == STAGE_FIRST || s->kind == STAGE_LAST)
			strbuf_addf(&out, " %d", (int)s->n);
		if (s->exprs.count)
			strbuf_add_char(&out, ' ');
		add_exprs(&out, &s->exprs);
		if (s->by.count)
			strbuf_add(&out, " by ");
		add_exprs(&out, &s->by);
		if (s->kind == STAGE_EACH || s->kind == STAGE_WALK || s->kind == STAGE_STACKS)
			strbuf_addf(&out, " {%s}", s->rest);
	}
	if (strcmp(strbuf_text(&out), wanted) != 0)
		fail_msg("%s\n  gives %s\n  not   %s", line, strbuf_text(&out), wanted);
	arena_deinit(&arena);
}

static void refuse(const char *line, const char *words, size_t column)
{
	struct arena arena = { 0 };
	struct pipeline p;
	size_t at;

	struct error *err = pipeline_parse(line, &arena, &p, &at);
	if (!err)
		fail_msg("%s was taken", line);
	if (!strstr(err->message, words) || at + 1 != column)
		fail_msg("%s: %s (%zu)", line, err->message, at + 1);
	error_free(err);
	arena_deinit(&arena);
}

static void stages(void **state)
{
	(void)state;
	expect("tasks", "tasks");
	expect("  ps -u  |>  count  ", "ps -u | count");
	expect("a |> where x > 3 && (y | 4)", "a | where <x > 3 && (y | 4)>");
	expect("a|>where x|>first", "a | where <x> | first 10");
	expect("a |> select x, y->z[1, 2] as w, \"a, b as c\"",
	       "a | select <x>,<y->z[1, 2]>=w,<\"a, b as c\">");
	expect("a |> sort -x, y desc, (-z)", "a | sort -<x>,-<y>,<(-z)>");
	expect("a |> top 5 rss * 2", "a | top 5 <rss * 2>");
	expect("a |> top 5 -rss", "a | top 5 -<rss>");
	expect("a |> first 0x10 |> last 3", "a | first 16 | last 3");
	expect("a |> head 3 |> tail |> uniq x |> filter y",
	       "a | first 3 | last 10 | unique <x> | where <y>");
	expect("a |> count by x, y as z", "a | count by <x>,<y>=z");
	expect("a |> sum x by y |> min x |> max x, y as z by w",
	       "a | sum <x> by <y> | min <x> | max <x>,<y>=z by <w>");
	expect("a |> avg standby by by_cpu", "a | avg <standby> by <by_cpu>");
	expect("a |> follow mm |> walk list &children task_struct.sibling",
	       "a | follow <mm> | walk {list &children task_struct.sibling}");
	expect("a |> each (threads {pid} |> count) |> stacks mutex* module x",
	       "a | each {(threads {pid} |> count)} | stacks {mutex* module x}");
	expect("a |> stacks", "a | stacks {}");
	expect("a |> where c == \"|>\" && d == '|'", "a | where <c == \"|>\" && d == '|'>");
	expect("a |> where c == \"\\\"|>\"", "a | where <c == \"\\\"|>\">");
}

static void mistakes(void **state)
{
	(void)state;
	refuse("|> count", "nothing before", 1);
	refuse("a |>", "a stage is expected", 5);
	refuse("a |> |> b", "a stage is expected", 6);
	refuse("a |> coun", "did you mean count?", 6);
	refuse("a |> nonsense", "help pipelines", 6);
	refuse("a |> where ", "an expression is expected", 11);
	refuse("a |> select x,, y", "an expression is expected", 15);
	refuse("a |> select x as", "a name is expected", 17);
	refuse("a |> select x as 1", "a name is expected", 18);
	refuse("a |> top x", "how many?", 10);
	refuse("a |> top 3", "an expression is expected", 11);
	refuse("a |> first 3 4", "nothing is expected", 14);
	refuse("a |> first -1", "no number", 12);
	refuse("a |> count x", "count takes nothing", 12);
	refuse("a |> count by", "an expression is expected", 14);
	refuse("a |> sum by x", "an expression is expected", 10);
	refuse("a |> walk", "what?", 10);
	refuse("b |> first |> where x |> sort", "stage 3 (sort): an expression is expected", 30);
}

static void bounds(void **state)
{
	auto_strbuf many = { 0 };

	(void)state;
	strbuf_add(&many, "a");
	for (int i = 0; i <= PIPELINE_STAGES_MAX; i++)
		strbuf_add(&many, " |> first");
	refuse(many.data, "at most 64 stages", 2 + PIPELINE_STAGES_MAX * 9 + 1);
	strbuf_clear(&many);
	strbuf_add(&many, "a |> select x");
	for (int i = 0; i < PIPELINE_EXPRS_MAX; i++)
		strbuf_add(&many, ",x");
	refuse(many.data, "at most 32 expressions", 14 + (PIPELINE_EXPRS_MAX - 1) * 2 + 1);
	strbuf_clear(&many);
	for (int i = 0; i <= PIPELINE_TEXT_MAX; i++)
		strbuf_add_char(&many, 'a');
	refuse(many.data, "too long", 1);
}

static void operators(void **state)
{
	(void)state;
	assert_null(pipeline_operator("p a | b"));
	assert_null(pipeline_operator("p \"|>\""));
	assert_null(pipeline_operator("each (a |> b)"));
	assert_string_equal(pipeline_operator("a |> b |> c"), "|> b |> c");
	for (size_t i = 0; stage_word_at(i); i++) {
		assert_true(*stage_word_at(i)->name && *stage_word_at(i)->summary);
		assert_non_null(stage_word_at(i)->usage);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stages),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(bounds),
		cmocka_unit_test(operators),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
