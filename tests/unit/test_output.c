// SPDX-License-Identifier: LGPL-2.1-or-later
/* The renderers, on documents made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "output/output.h"
#include "output/utf8.h"

static char *render_html(const struct doc *doc)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	output_html(doc, "ps <b>", out);
	fclose(out);
	return text;
}

static size_t occurrences(const char *text, const char *word)
{
	size_t count = 0;

	for (const char *s = strstr(text, word); s; s = strstr(s + 1, word))
		count++;
	return count;
}

static char *render(const struct doc *doc, bool json, const struct text_options *options)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	if (json)
		output_json(doc, out);
	else
		output_text(doc, options, out);
	fclose(out);
	return text;
}

static void expect(const struct doc *doc, bool json, const char *wanted)
{
	char *text = render(doc, json, &(struct text_options){ 0 });

	assert_string_equal(text, wanted);
	free(text);
}

static const struct column columns[] = {
	{ .key = "pid", .title = "PID", .right = true },
	{ .key = "name", .title = "NAME" },
	{ .key = "hidden" },
	{ .key = NULL, .title = "NOTE" },
};

static void record_aligns_labels(void **state)
{
	(void)state;
	struct doc doc;

	doc_init(&doc);
	doc_field(&doc, "panic", "PANIC", cell_str("sysrq"));
	doc_field(&doc, "cpus", "CPU COUNT", cell_udec(2));
	doc_field(&doc, "secret", NULL, cell_hex(255));
	doc_field(&doc, "unknown", "GONE", cell_none());
	expect(&doc, false, "    PANIC: sysrq\nCPU COUNT: 2\n     GONE: ?\n");
	expect(&doc, true, "{\n  \"panic\": \"sysrq\",\n  \"cpus\": 2,\n  \"secret\": \"0xff\",\n"
			   "  \"unknown\": null\n}\n");
	doc_deinit(&doc);
}

static void table_fits_its_content(void **state)
{
	(void)state;
	struct doc doc;

	doc_init(&doc);
	doc_table(&doc, "tasks", columns, array_size(columns));
	doc_row(&doc, cell_dec(1), cell_str("a long name"), cell_bool(true), cell_str("x"));
	doc_textf(&doc, STYLE_PLAIN, "--- between ---");
	doc_row(&doc, cell_dec(12345), cell_shown(cell_str("b"), "[b]"), cell_bool(false),
		cell_str(""));
	doc_detail(&doc);
	doc_textf(&doc, STYLE_PLAIN, "under it");
	doc_field(&doc, "more", NULL, cell_dec(-1));
	doc_end(&doc);
	doc_end(&doc);
	expect(&doc, false,
	       "  PID  NAME         NOTE\n"
	       "    1  a long name  x\n"
	       "--- between ---\n"
	       "12345  [b]\n"
	       "    under it\n");
	expect(&doc, true,
	       "{\n  \"tasks\": [\n"
	       "    {\"pid\": 1, \"name\": \"a long name\", \"hidden\": true},\n"
	       "    {\"pid\": 12345, \"name\": \"b\", \"hidden\": false, \"more\": -1}\n"
	       "  ]\n}\n");
	doc_deinit(&doc);
}

static void nested_nodes(void **state)
{
	(void)state;
	struct doc doc;

	doc_init(&doc);
	doc_array(&doc, "threads", NULL);
	for (int i = 0; i < 2; i++) {
		doc_record(&doc, NULL, NULL);
		doc_heading(&doc, "PID: %d", i);
		doc_field(&doc, "pid", NULL, cell_dec(i));
		doc_lines(&doc, "lines", NULL);
		doc_linef(&doc, "line %d", i);
		doc_end(&doc);
		doc_record(&doc, "regs", NULL);
		doc_hidden(&doc);
		doc_field(&doc, "rip", NULL, cell_address(0x10));
		doc_end(&doc);
		doc_end(&doc);
	}
	doc_end(&doc);
	doc_array(&doc, "none", NULL);
	doc_end(&doc);
	expect(&doc, false, "PID: 0\nline 0\n\nPID: 1\nline 1\n");
	char *json = render(&doc, true, NULL);
	assert_non_null(strstr(json, "\"rip\": \"0x10\""));
	assert_non_null(strstr(json, "\"none\": []"));
	free(json);
	doc_deinit(&doc);
}

static char *render_rows(const struct doc *doc, bool csv, const char *command, size_t number)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	if (csv)
		output_csv(doc, command, number, out);
	else
		output_jsonl(doc, command, out);
	fclose(out);
	return text;
}

static void expect_rows(const struct doc *doc, bool csv, const char *command, size_t number,
			const char *wanted)
{
	char *text = render_rows(doc, csv, command, number);

	assert_string_equal(text, wanted);
	free(text);
}

/* Rows in a row, one of them without any; single values beside; cells that need quotes. */
static void rows_of_a_tree(void **state)
{
	(void)state;
	static const struct column outer[] = { { .key = "id" }, { .title = "TEXT" }, { .key = "name" } };
	static const struct column inner[] = { { .key = "id" }, { .key = "at" } };
	const struct cell two[] = { cell_udec(1), cell_str("x y") };
	const struct cell_list list = { two, 2 };
	struct doc doc;

	doc_init(&doc);
	doc_table(&doc, "rows", outer, array_size(outer));
	doc_row(&doc, cell_dec(1), cell_str("not shown"), cell_str("a,\"b\"\r\n\x1b"));
	doc_detail(&doc);
	doc_table(&doc, "parts", inner, array_size(inner));
	doc_row(&doc, cell_dec(7), cell_hex(16));
	doc_row(&doc, cell_dec(8), cell_none());
	doc_end(&doc);
	doc_end(&doc);
	doc_row(&doc, cell_dec(2), cell_none(), cell_of_list(&list));
	doc_end(&doc);
	expect_rows(&doc, true, NULL, 0,
		    "table,rows.id,rows.name,id,at\r\n"
		    "rows.parts,1,\"a,\"\"b\"\"\\x0d\n\\x1b\",7,0x10\r\n"
		    "rows.parts,1,\"a,\"\"b\"\"\\x0d\n\\x1b\",8,\r\n"
		    "\r\ntable,id,name\r\nrows,2,1 x y\r\n");
	expect_rows(&doc, false, "cmd", 0,
		    "{\"command\": \"cmd\", \"id\": 1, \"name\": \"a,\\\"b\\\"\\r\\n\\u001b\", "
		    "\"parts\": [{\"id\": 7, \"at\": \"0x10\"}, {\"id\": 8, \"at\": null}]}\n"
		    "{\"command\": \"cmd\", \"id\": 2, \"name\": [1, \"x y\"]}\n");
	doc_deinit(&doc);
}

/* Values of the document itself, an empty table, text alone. */
static void rows_of_little(void **state)
{
	(void)state;
	struct doc doc;

	doc_init(&doc);
	doc_field(&doc, "pid", "PID", cell_dec(-3));
	doc_textf(&doc, STYLE_PLAIN, "for people");
	doc_table(&doc, "tasks", columns, array_size(columns));
	doc_end(&doc);
	doc_lines(&doc, "text", NULL);
	doc_line(&doc, " one");
	doc_end(&doc);
	expect_rows(&doc, true, "x", 1,
		    "\r\ncommand,table,pid\r\nx,,-3\r\n\r\ncommand,table,pid,name,hidden\r\n"
		    "\r\ncommand,table,line\r\nx,text,\" one\"\r\n");
	expect_rows(&doc, false, NULL, 0,
		    "{\"pid\": -3}\n{\"table\": \"text\", \"line\": \" one\"}\n");
	doc_deinit(&doc);
	doc_init(&doc);
	expect_rows(&doc, true, NULL, 0, "");
	expect_rows(&doc, false, NULL, 0, "");
	doc_deinit(&doc);
}

/* One column: a cell without a value is not the empty line between tables. */
static void rows_of_one_cell(void **state)
{
	(void)state;
	static const struct column one[] = { { .key = "name" } };
	struct doc doc;

	doc_init(&doc);
	doc_table(&doc, "rows", one, array_size(one));
	doc_row(&doc, cell_none());
	doc_row(&doc, cell_str("\xc2\x9b\xc3\xa9"));
	doc_end(&doc);
	expect_rows(&doc, true, NULL, 0, "name\r\n\"\"\r\n\\xc2\\x9b\xc3\xa9\r\n");
	doc_deinit(&doc);
}

static void strings_cannot_hurt(void **state)
{
	(void)state;
	struct doc doc;

	doc_init(&doc);
	doc_field(&doc, "s", "S", cell_str("a\"\\\n\x1b[31m\xff\xc3\xa9\xc2\x9b\xed\xa0\x80"));
	expect(&doc, false, "S: a\"\\\\x0a\\x1b[31m\\xff\xc3\xa9\\xc2\\x9b\\xed\\xa0\\x80\n");
	expect(&doc, true, "{\n  \"s\": \"a\\\"\\\\\\n\\u001b[31m\\\\xff\xc3\xa9\xc2\x9b"
			   "\\\\xed\\\\xa0\\\\x80\"\n}\n");
	doc_deinit(&doc);
}

static void utf8_well_formed_only(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		unsigned length;
	} cases[] = {
		{ "a", 1 }, { "\xc3\xa9", 2 }, { "\xe2\x82\xac", 3 }, { "\xf0\x9f\x98\x80", 4 },
		{ "\xc0\x80", 0 }, { "\xe0\x80\x80", 0 }, { "\xed\xa0\x80", 0 },
		{ "\xf4\x90\x80\x80", 0 }, { "\x80", 0 }, { "\xe2\x82", 0 }, { "\xf5", 0 },
	};

	for (size_t i = 0; i < array_size(cases); i++)
		assert_int_equal(utf8_length((const unsigned char *)cases[i].bytes),
				 cases[i].length);
}

static void numbers_and_lists(void **state)
{
	(void)state;
	struct doc doc;
	const struct cell cells[] = { cell_hex(1), cell_none(), cell_float(0.5) };

	doc_init(&doc);
	doc_field(&doc, "list", "LIST", cell_of_list(&(struct cell_list){ cells, 3 }));
	doc_field(&doc, "nan", NULL, cell_float(__builtin_nan("")));
	doc_field(&doc, "big", NULL, cell_udec(UINT64_MAX));
	expect(&doc, false, "LIST: 0x1 ? 0.50\n");
	expect(&doc, true, "{\n  \"list\": [\"0x1\", null, 0.5],\n  \"nan\": null,\n"
			   "  \"big\": 18446744073709551615\n}\n");
	doc_deinit(&doc);
}

/* People are shown four of a kind; a program gets them all. */
static void remarks_of_a_kind_are_folded(void **state)
{
	(void)state;
	struct doc doc;

	doc_init(&doc);
	for (int i = 0; i < 6; i++) {
		doc_remark(&doc, REMARK_HOLE, "node %x of 0x%x", 0xc0ffe0 + i, i);
		doc_remark(&doc, REMARK_NOTE, "node %d is fine", i);
		doc_remark(&doc, REMARK_HOLE, "node2%c", 'a' + i);
	}
	expect(&doc, false, "missing: node c0ffe0 of 0x0\nnote: node 0 is fine\nmissing: node2a\n"
			    "missing: node c0ffe1 of 0x1\nnote: node 1 is fine\nmissing: node2b\n"
			    "missing: node c0ffe2 of 0x2\nnote: node 2 is fine\nmissing: node2c\n"
			    "missing: node c0ffe3 of 0x3\nmissing: and 2 more of the kind\n"
			    "note: node 3 is fine\nnote: and 2 more of the kind\nmissing: node2d\n"
			    "missing: node2e\nmissing: node2f\n");
	doc_deinit(&doc);
}

static void remarks_come_last(void **state)
{
	(void)state;
	struct doc doc;

	doc_init(&doc);
	doc_remark(&doc, REMARK_NOTE, "so it is");
	assert_int_equal(doc_status(&doc), 0);
	doc_remark(&doc, REMARK_HOLE, "page %d", 7);
	assert_int_equal(doc_status(&doc), 1);
	doc_field(&doc, "a", "A", cell_dec(1));
	expect(&doc, false, "A: 1\n\nnote: so it is\nmissing: page 7\n");
	expect(&doc, true,
	       "{\n  \"a\": 1,\n  \"remarks\": [\n"
	       "    {\"kind\": \"note\", \"text\": \"so it is\"},\n"
	       "    {\"kind\": \"missing\", \"text\": \"page 7\"}\n  ]\n}\n");
	doc_deinit(&doc);
}

static void colors_only_when_asked(void **state)
{
	(void)state;
	struct doc doc;

	doc_init(&doc);
	doc_field_styled(&doc, "a", "A", STYLE_BAD, cell_str("x"));
	char *colored = render(&doc, false, &(struct text_options){ .color = true });
	char *plain = render(&doc, false, &(struct text_options){ .color = false });
	assert_non_null(strstr(colored, "\033[1;31mx\033[0m"));
	assert_null(strchr(plain, '\033'));
	free(colored);
	free(plain);
	doc_deinit(&doc);
}

static void long_values_fold(void **state)
{
	(void)state;
	struct doc doc;

	doc_init(&doc);
	doc_field(&doc, "a", "A", cell_str("one two three four five six seven eight nine"));
	char *text = render(&doc, false, &(struct text_options){ .width = 29 });
	assert_string_equal(text, "A: one two three four five\n   six seven eight nine\n");
	free(text);
	doc_deinit(&doc);
}

static void several_commands(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct doc doc;

	doc_init(&doc);
	doc_field(&doc, "a", NULL, cell_dec(1));
	output_json_begin(out);
	output_json_item(&doc, "x \"y\"", 0, out);
	output_json_item(&doc, "z", 1, out);
	output_json_end(out);
	fclose(out);
	assert_string_equal(text, "{\n  \"commands\": [\n"
				  "    {\n      \"command\": \"x \\\"y\\\"\",\n      \"a\": 1\n    },\n"
				  "    {\n      \"command\": \"z\",\n      \"a\": 1\n    }\n"
				  "  ]\n}\n");
	free(text);
	doc_deinit(&doc);
}

/* Wherever a string out of a dump may stand on a page, it stays text. */
static void html_keeps_hostile_strings_text(void **state)
{
	(void)state;
	static const char evil[] = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&amp;"
				   "\x1b[2J\xff\xe2\x80\xae]]>";
	static const uint8_t bytes[] = "<script>";
	static const struct column log[] = {
		{ .key = "time", .title = "" }, { .title = "", .command = true },
		{ .title = "", .link = true },
	};
	struct doc doc;

	doc_init(&doc);
	doc_title(&doc, evil, "%s", evil);
	doc_record(&doc, "r", NULL);
	doc_section(&doc, evil, evil, "%s", evil);
	doc_look(&doc, LOOK_ANSWER);
	doc_field(&doc, "a", evil, cell_str(evil));
	doc_end(&doc);
	doc_field(&doc, "a", evil, cell_shown(cell_udec(1), evil));
	doc_textf(&doc, STYLE_BAD, "%s", evil);
	for (enum doc_look look = LOOK_PLAIN; look <= LOOK_TIMELINE; look++) {
		if (look == LOOK_ANSWER || look == LOOK_REGISTERS)
			continue;
		doc_table(&doc, "t", log, 3);
		doc_look(&doc, look);
		doc_row(&doc, look == LOOK_STEPS ? cell_str(evil) : cell_udec(1), cell_str(evil),
			cell_str(evil));
		doc_detail(&doc);
		doc_field(&doc, "x", "x", cell_str(evil));
		doc_end(&doc);
		doc_row(&doc, look == LOOK_STEPS ? cell_str(evil) : cell_udec(2), cell_str(evil),
			cell_str("https://a/?\"onclick=alert(3) javascript:alert(4)"));
		doc_textf(&doc, STYLE_PLAIN, "%s", evil);
		doc_end(&doc);
	}
	doc_lines(&doc, "l", evil);
	doc_line(&doc, evil);
	doc_end(&doc);
	doc_bytes(&doc, "b", 16, bytes, NULL, sizeof(bytes));
	doc_mark(&doc, 0, 4, STYLE_BAD, "%s", evil);
	doc_end(&doc);
	doc_remark(&doc, REMARK_ERROR, "%s", evil);
	char *page = render_html(&doc);
	/* The page's own script and no other. */
	assert_int_equal(occurrences(page, "<script"), 1);
	assert_int_equal(occurrences(page, "<img"), 0);
	assert_int_equal(occurrences(page, "\"onclick"), 0);
	assert_int_equal(occurrences(page, "href=\"javascript"), 0);
	assert_null(strchr(page, '\x1b'));
	assert_null(strchr(page, '\xff'));
	assert_null(strstr(page, "\xe2\x80\xae"));
	assert_true(occurrences(page, "&lt;script&gt;alert(1)") > 20);
	assert_non_null(strstr(page, "href=\"https://a/?\""));
	free(page);
	doc_deinit(&doc);
}

static void html_shows_what_text_shows(void **state)
{
	(void)state;
	struct doc doc;

	doc_init(&doc);
	doc_table(&doc, "tasks", columns, 4);
	doc_row(&doc, cell_dec(7), cell_str("kthreadd"), cell_str("unseen"), cell_str("seen"));
	doc_row(&doc, cell_dec(8), cell_str("gone"), cell_str(""), cell_str(""));
	doc_row_hide(&doc);
	doc_end(&doc);
	doc_record(&doc, "data", NULL);
	doc_hidden(&doc);
	doc_field(&doc, "secret", "SECRET", cell_udec(1));
	doc_end(&doc);
	doc_record(&doc, "page", NULL);
	doc_only_in(&doc, DOC_IN_HTML);
	doc_field(&doc, "extra", "EXTRA", cell_udec(1));
	doc_end(&doc);
	char *page = render_html(&doc);
	assert_non_null(strstr(page, "<th class=\"right\">PID</th>"));
	assert_non_null(strstr(page, "kthreadd"));
	assert_non_null(strstr(page, ">seen<"));
	assert_null(strstr(page, "unseen"));
	assert_null(strstr(page, "gone"));
	assert_null(strstr(page, "SECRET"));
	assert_non_null(strstr(page, "EXTRA"));
	assert_non_null(strstr(page, "<title>ps &lt;b&gt;</title>"));
	free(page);
	char *text = render(&doc, false, &(struct text_options){ 0 });
	assert_null(strstr(text, "EXTRA"));
	free(text);
	char *json = render(&doc, true, NULL);
	assert_null(strstr(json, "extra"));
	assert_non_null(strstr(json, "secret"));
	free(json);
	doc_deinit(&doc);
}

static void bytes_with_marks(void **state)
{
	(void)state;
	static const uint8_t bytes[18] = "\x01\x02" "A", known[18] = { 1, 1, 1, 0, 1 };
	struct doc doc;

	doc_init(&doc);
	doc_bytes(&doc, "object", 0x1000, bytes, known, 5);
	doc_mark(&doc, 0, 2, STYLE_PLAIN, "id");
	doc_mark(&doc, 2, 1, STYLE_BAD, "name \"x\"");
	doc_end(&doc);
	expect(&doc, false, "0000000000001000  01 02 41 ?? 00\n    +0x0  id\n    +0x2  name \"x\"\n");
	expect(&doc, true, "{\n  \"object\": {\n    \"address\": \"0x1000\",\n    \"size\": 5,\n"
			   "    \"bytes\": \"010241--00\",\n    \"marks\": [\n"
			   "      {\"offset\": 0, \"size\": 2, \"damaged\": false, \"label\": \"id\"},\n"
			   "      {\"offset\": 2, \"size\": 1, \"damaged\": true, \"label\": \"name \\\"x\\\"\"}\n"
			   "    ]\n  }\n}\n");
	char *page = render_html(&doc);
	assert_non_null(strstr(page, "class=\"hurt"));
	assert_non_null(strstr(page, "name &quot;x&quot;"));
	free(page);
	doc_deinit(&doc);
}

/* Sections, and steps with their command at the right edge, folded where there is no room. */
static void sections_and_steps(void **state)
{
	(void)state;
	static const struct column steps[] = { { .key = "claim" }, { .key = "command" } };
	struct doc doc;

	doc_init(&doc);
	doc_table(&doc, "evidence", steps, 2);
	doc_look(&doc, LOOK_STEPS);
	doc_bare(&doc);
	doc_section(&doc, "FACTS", "log", "two");
	doc_row(&doc, cell_str("the first claim"), cell_str("bt -A"));
	doc_row(&doc, cell_str("one that is too long for a line of forty"), cell_none());
	doc_end(&doc);
	char *text = render(&doc, false, &(struct text_options){ .width = 40 });
	assert_string_equal(text, "FACTS  two                           log\n"
				  " 1  the first claim                bt -A\n"
				  " 2  one that is too long for a line of\n"
				  "    forty\n");
	free(text);
	doc_deinit(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_aligns_labels),
		cmocka_unit_test(rows_of_a_tree),
		cmocka_unit_test(rows_of_little),
		cmocka_unit_test(rows_of_one_cell),
		cmocka_unit_test(html_keeps_hostile_strings_text),
		cmocka_unit_test(html_shows_what_text_shows),
		cmocka_unit_test(bytes_with_marks),
		cmocka_unit_test(sections_and_steps), cmocka_unit_test(table_fits_its_content),
		cmocka_unit_test(nested_nodes),		cmocka_unit_test(strings_cannot_hurt),
		cmocka_unit_test(utf8_well_formed_only), cmocka_unit_test(numbers_and_lists),
		cmocka_unit_test(remarks_of_a_kind_are_folded),
		cmocka_unit_test(remarks_come_last),	cmocka_unit_test(colors_only_when_asked),
		cmocka_unit_test(long_values_fold),	cmocka_unit_test(several_commands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
