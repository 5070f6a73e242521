// SPDX-License-Identifier: LGPL-2.1-or-later
/* The command table: every row complete, found by name, and near names suggested. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "commands/command.h"

enum { HELP_COLUMNS_MAX = 92 };

static void rows_are_complete(void **state)
{
	(void)state;
	for (const struct command *const *c = commands; *c; c++) {
		const struct command *row = *c;
		print_message("# %s\n", row->name);
		assert_true(row->name && *row->name);
		assert_non_null(row->usage);
		assert_true(row->summary && *row->summary);
		assert_int_not_equal(row->summary[strlen(row->summary) - 1], '.');
		assert_null(strchr(row->summary, '\n'));
		assert_true(row->help && *row->help);
		assert_int_not_equal(row->help[strlen(row->help) - 1], '\n');
		assert_non_null(row->run);
		assert_ptr_equal(command_find(row->name), row);
		if (c != commands)
			assert_true(strcmp(c[-1]->name, row->name) < 0);
		for (const char *line = row->help; *line;) {
			size_t length = strcspn(line, "\n");
			assert_true(length <= HELP_COLUMNS_MAX);
			line += length + (line[length] == '\n');
		}
	}
}

static void every_option_is_told(void **state)
{
	(void)state;
	/* Help and usage name the same options: each "-x" of the usage stands in the help. */
	for (const struct command *const *c = commands; *c; c++) {
		const char *s = (*c)->usage;
		while ((s = strchr(s, '-'))) {
			size_t n = strcspn(s, " ]|");
			if (n > 1 && (s == (*c)->usage || strchr("[ |", s[-1])) &&
			    !(s[1] >= '0' && s[1] <= '9')) {
				char option[32];
				snprintf(option, sizeof(option), "%.*s", (int)n, s);
				print_message("# %s %s\n", (*c)->name, option);
				assert_non_null(strstr((*c)->help, option));
			}
			s += n ? n : 1;
		}
	}
}

static void finds_aliases_and_neighbours(void **state)
{
	(void)state;
	assert_string_equal(command_find("dmesg")->name, "log");
	assert_null(command_find("b"));
	assert_null(command_find(""));
	assert_string_equal(command_nearest("hlep")->name, "help");
	assert_string_equal(command_nearest("vtp")->name, "vtop");
	assert_string_equal(command_nearest("symbols")->name, "sym");
	assert_null(command_nearest("xyzzy"));
	assert_null(command_nearest("a name that is far too long for any command"));
}

static void errors_of_a_line(void **state)
{
	(void)state;
	struct doc doc;
	static const struct {
		const char *line, *word;
	} cases[] = {
		{ "hlep", "did you mean help" },
		{ "xyzzy", "lists the commands" },
		{ "help nosuch", "no command nosuch" },
		{ "help 'bt", "not closed" },
		{ "ps", "there is no dump" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		doc_init(&doc);
		struct error *err = command_run(NULL, cases[i].line, &doc);
		assert_non_null(err);
		assert_non_null(strstr(err->message, cases[i].word));
		error_free(err);
		doc_deinit(&doc);
	}
	doc_init(&doc);
	assert_null(command_run(NULL, "help bt", &doc));
	assert_null(command_run(NULL, "", &doc));
	doc_deinit(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_complete), cmocka_unit_test(every_option_is_told),
		cmocka_unit_test(finds_aliases_and_neighbours), cmocka_unit_test(errors_of_a_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
