// SPDX-License-Identifier: LGPL-2.1-or-later
/* The program's options, and command lines into commands and words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "cli/complete.h"
#include "cli/options.h"
#include "cli/redirect.h"

static struct error *parse(struct cli_options *options, const char *const *argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return cli_options_parse(argc, argv, options);
}

#define parse_words(options, ...) parse(options, (const char *const[]){ "inquest", __VA_ARGS__, NULL })

static void options_and_paths(void **state)
{
	(void)state;
	struct cli_options o;

	assert_null(parse_words(&o, "vmcore", "--json", "-c", "bt; ps", "-csys", "--kernel=map",
				"--color", "never", "-"));
	assert_int_equal(o.format, FORMAT_JSON);
	assert_int_equal(o.color, COLOR_NEVER);
	assert_string_equal(o.namelist, "map");
	assert_int_equal(o.paths.count, 2);
	assert_string_equal(o.paths.data[1], "-");
	assert_int_equal(o.commands.count, 3);
	assert_string_equal(o.commands.data[1], "ps");
	assert_string_equal(o.commands.data[2], "sys");
	cli_options_deinit(&o);

	assert_null(parse_words(&o, "--", "--json"));
	assert_int_equal(o.format, FORMAT_TEXT);
	assert_int_equal(o.paths.count, 1);
	cli_options_deinit(&o);

	assert_null(parse_words(&o, "-V"));
	assert_int_equal(o.action, CLI_VERSION);
	cli_options_deinit(&o);
}

static void refuses(const char *const *argv, const char *word)
{
	struct cli_options o;
	struct error *err = parse(&o, argv);

	assert_non_null(err);
	assert_int_equal(err->code, ERROR_USAGE);
	assert_non_null(strstr(err->message, word));
	error_free(err);
	cli_options_deinit(&o);
}

static void wrong_options(void **state)
{
	(void)state;
	refuses((const char *const[]){ "inquest", "--nonsense", NULL }, "--nonsense");
	refuses((const char *const[]){ "inquest", "-jz", NULL }, "-jz");
	refuses((const char *const[]){ "inquest", "-c", NULL }, "needs a value");
	refuses((const char *const[]){ "inquest", "--command", NULL }, "needs a value");
	refuses((const char *const[]){ "inquest", "--json=1", NULL }, "no value");
	refuses((const char *const[]){ "inquest", "--color=pink", NULL }, "pink");
	refuses((const char *const[]){ "inquest", "-c", " ; ", NULL }, "no command");
	refuses((const char *const[]){ "inquest", "-k", "a", "-k", "b", NULL }, "twice");
}

static void splits_commands(void **state)
{
	(void)state;
	struct command_lines lines = { 0 };

	command_lines_split(" bt -a ;; ps 'a;b'\n\nlog \"x\n\";  ", &lines);
	assert_int_equal(lines.count, 3);
	assert_string_equal(lines.data[0], "bt -a");
	assert_string_equal(lines.data[1], "ps 'a;b'");
	assert_string_equal(lines.data[2], "log \"x\n\"");
	command_lines_deinit(&lines);
}

static void splits_words(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	char **argv;
	int argc;

	assert_null(command_words(&arena, "  ps 'kworker 1' a\"b c\"d '' ", &argc, &argv));
	assert_int_equal(argc, 4);
	assert_string_equal(argv[1], "kworker 1");
	assert_string_equal(argv[2], "ab cd");
	assert_string_equal(argv[3], "");
	assert_null(argv[4]);
	assert_null(command_words(&arena, "", &argc, &argv));
	assert_int_equal(argc, 0);
	struct error *err = command_words(&arena, "ps 'x", &argc, &argv);
	assert_non_null(err);
	error_free(err);
	arena_deinit(&arena);
}

static void knows_a_namelist(void **state)
{
	(void)state;
	static const char map[] = "ffffffff81000000 T _text\nffffffff81000000 T startup_64\n";
	static const char percpu[] = "0000000000000000 D __per_cpu_start\n";
	uint8_t elf[64] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };

	assert_true(cli_is_namelist((const uint8_t *)map, sizeof(map)));
	assert_true(cli_is_namelist((const uint8_t *)percpu, sizeof(percpu)));
	assert_false(cli_is_namelist((const uint8_t *)"KDUMP   ", 8));
	assert_false(cli_is_namelist((const uint8_t *)"ffff", 4));
	elf[16] = 2;
	assert_true(cli_is_namelist(elf, sizeof(elf)));
	elf[16] = 4; /* ET_CORE: a dump */
	assert_false(cli_is_namelist(elf, sizeof(elf)));
	assert_false(cli_is_namelist(elf, 10));
}

static void redirections(void **state)
{
	(void)state;
	static const struct {
		const char *line, *command, *target;
		enum redirect_kind kind;
	} cases[] = {
		{ "bt -a", "bt -a", NULL, REDIRECT_NONE },
		{ " bt -a | grep 'a | b' ", "bt -a", "grep 'a | b'", REDIRECT_PIPE },
		{ "log>x", "log", "x", REDIRECT_FILE },
		{ "ps >> 'a b'", "ps", "a b", REDIRECT_APPEND },
		{ "!ls; pwd", "", "ls; pwd", REDIRECT_SHELL },
		{ "p (1 > 2)", "p (1 > 2)", NULL, REDIRECT_NONE },
		{ "p a->b", "p a->b", NULL, REDIRECT_NONE },
		{ "p a->b > f", "p a->b", "f", REDIRECT_FILE },
		{ "p a || b", "p a || b", NULL, REDIRECT_NONE },
		{ "p a >= b", "p a >= b", NULL, REDIRECT_NONE },
		{ "ps '|' | wc | cat > x", "ps '|'", "wc | cat > x", REDIRECT_PIPE },
		{ ")) | x", "))", "x", REDIRECT_PIPE },
		/* Between objects ">" compares, unless no operand can follow. */
		{ "a |> where x > 5 |> count", "a |> where x > 5 |> count", NULL, REDIRECT_NONE },
		{ "a |> where x > y.z | wc", "a |> where x > y.z", "wc", REDIRECT_PIPE },
		{ "a |> where x > 5 > /tmp/f", "a |> where x > 5", "/tmp/f", REDIRECT_FILE },
		{ "a |> first >> ./f", "a |> first", "./f", REDIRECT_APPEND },
		{ "a |> first > 'b c'", "a |> first", "b c", REDIRECT_FILE },
		{ "a |> where (x | 4) >> 2", "a |> where (x | 4) >> 2", NULL, REDIRECT_NONE },
	};
	static const char *const bad[] = { "bt |", "| grep", "> f", "bt >", "!", "bt >>  " };
	struct redirect r;

	for (size_t i = 0; i < array_size(cases); i++) {
		assert_null(redirect_parse(cases[i].line, &r));
		assert_int_equal(r.kind, cases[i].kind);
		assert_string_equal(r.command, cases[i].command);
		if (cases[i].target)
			assert_string_equal(r.target, cases[i].target);
		else
			assert_null(r.target);
		redirect_deinit(&r);
	}
	for (size_t i = 0; i < array_size(bad); i++) {
		struct error *error = redirect_parse(bad[i], &r);
		assert_non_null(error);
		error_free(error);
		redirect_deinit(&r);
	}
}

static bool offered(const char *line, const char *word)
{
	struct completions c = { 0 };
	bool found = false;

	complete_line(NULL, line, strlen(line), &c);
	for (size_t i = 0; i < c.count; i++)
		found |= strcmp(c.data[i], word) == 0;
	completions_deinit(&c);
	return found;
}

static void completion_in_pipelines(void **state)
{
	(void)state;
	assert_true(offered("dent", "dentries"));
	assert_true(offered("tasks |> whe", "where"));
	assert_true(offered("tasks |> where x |> ", "count"));
	assert_true(offered("tasks |> walk vm", "vmas"));
	assert_true(offered("tasks |> each b", "bt"));
	assert_false(offered("tasks |> count | wh", "where"));
	assert_false(offered("ps | wh", "where"));
}

/* Of more than are given, too, only what they have in common is put into the line. */
static void completion_of_many(void **state)
{
	(void)state;
	char folder[] = "/tmp/inquest-unit-XXXXXX", path[64], line[64];
	struct completions c = { 0 };
	enum { FILES = 2000 };

	assert_non_null(mkdtemp(folder));
	for (unsigned i = 0; i <= FILES; i++) {
		snprintf(path, sizeof(path), "%s/a%c%u", folder, i == FILES / 2 ? 'b' : 'a', i);
		int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		close(fd);
	}
	snprintf(line, sizeof(line), "ps > %s/a", folder);
	complete_line(NULL, line, strlen(line), &c);
	assert_true(c.more);
	assert_int_equal(c.count, COMPLETIONS_MAX);
	assert_int_equal(completions_common(&c), strlen(folder) + strlen("/a"));
	completions_deinit(&c);
	for (unsigned i = 0; i <= FILES; i++) {
		snprintf(path, sizeof(path), "%s/a%c%u", folder, i == FILES / 2 ? 'b' : 'a', i);
		unlink(path);
	}
	rmdir(folder);
}

static void completion(void **state)
{
	(void)state;
	struct completions c = { 0 };

	complete_line(NULL, "he", 2, &c);
	assert_int_equal(c.start, 0);
	assert_int_equal(c.count, 1);
	assert_string_equal(c.data[0], "help");
	completions_deinit(&c);
	complete_line(NULL, "sys; help s", 11, &c);
	assert_int_equal(c.start, 10);
	assert_true(c.count >= 3);
	assert_int_equal(completions_common(&c), 1);
	completions_deinit(&c);
	complete_line(NULL, "bt --", 5, &c);
	assert_int_equal(c.start, 3);
	assert_true(c.count >= 1);
	assert_string_equal(c.data[0], "--all");
	completions_deinit(&c);
	complete_line(NULL, "bt | he", 7, &c);
	assert_int_equal(c.count, 0);
	complete_line(NULL, "", 0, &c);
	assert_true(c.count > 10);
	completions_deinit(&c);
	complete_line(NULL, "nosuch x", 8, &c);
	assert_int_equal(c.count, 0);
	completions_deinit(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(redirections),
		cmocka_unit_test(completion),
		cmocka_unit_test(completion_of_many),
		cmocka_unit_test(completion_in_pipelines),
		cmocka_unit_test(options_and_paths), cmocka_unit_test(wrong_options),
		cmocka_unit_test(splits_commands),   cmocka_unit_test(splits_words),
		cmocka_unit_test(knows_a_namelist),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
