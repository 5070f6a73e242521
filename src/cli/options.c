// SPDX-License-Identifier: LGPL-2.1-or-later
/* The command line of the program. getopt is not used: it keeps its state in globals. */
#include "cli/options.h"

#include <ctype.h>
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/strbuf.h"
#include "base/vec.h"

enum option_id { ID_COMMAND, ID_FILE, ID_SHELL, ID_NO_INIT, ID_ZERO_EXCLUDED,
		 ID_KERNEL, ID_MODULES, ID_FORCE, ID_NO_DEBUGINFO,
		 ID_DEBUGINFOD,
		 ID_SOURCE, ID_RULES, ID_JSON, ID_JSONL, ID_CSV, ID_HTML,
		 ID_OUTPUT, ID_COLOR, ID_VERIFY, ID_NO_ORC,
		 ID_NO_BTF,
		 ID_FAIL_DETECTOR,
		 ID_HELP, ID_VERSION };

const char cli_usage[] = "[shell|oops] [OPTION ...] VMCORE|TEXT ... [VMLINUX]";

const struct cli_option cli_option_table[] = {
	[ID_COMMAND] = { 'c', "command", "COMMANDS",
			 "run these commands (separated by \";\") in place of the report" },
	[ID_FILE] = { 'f', "file", "FILE", "run the lines of a file (\"-\": of the standard input)" },
	[ID_NO_INIT] = { 0, "no-init", NULL, "the shell leaves out ~/.config/inquest/init" },
	[ID_ZERO_EXCLUDED] = { 0, "zero-excluded", NULL,
			       "read pages that the dump lacks as zeros, with a remark" },
	[ID_SHELL] = { 'i', "interactive", NULL,
		       "the shell: type or pipe commands (as \"inquest shell VMCORE\")" },
	[ID_KERNEL] = { 'k', "kernel", "FILE",
			"a vmlinux, System.map or folder, for what the dump lacks" },
	[ID_MODULES] = { 'm', "modules", "FOLDER", "where modules' debug files are" },
	[ID_FORCE] = { 0, "force", NULL, "use debug files of another build, with a warning" },
	[ID_NO_DEBUGINFO] = { 0, "no-debuginfo", NULL, "look for no debug files" },
	[ID_DEBUGINFOD] = { 0, "debuginfod", NULL,
			    "fetch debug files from the servers of $DEBUGINFOD_URLS" },
	[ID_SOURCE] = { 0, "source", "FOLDER", "the kernel's sources, for `src`" },
	[ID_RULES] = { 0, "rules", "FOLDER", "more rules of known issues (see docs/rules.md)" },
	[ID_JSON] = { 'j', "json", NULL, "print JSON" },
	[ID_JSONL] = { 0, "jsonl", NULL, "print JSON, an object a line for each row" },
	[ID_CSV] = { 0, "csv", NULL, "print tables as CSV" },
	[ID_HTML] = { 0, "html", NULL, "print a page for a browser, of one file" },
	[ID_OUTPUT] = { 'o', "output", "FILE",
			"write FILE, in the form that its name ends in: .html, .json, .jsonl, .csv, .txt" },
	[ID_COLOR] = { 0, "color", "WHEN", "colours: auto, always or never" },
	[ID_VERIFY] = { 0, "verify", NULL,
			"compare what is known from several sources, and say where they disagree" },
	[ID_NO_ORC] = { 0, "no-orc", NULL, "do without the dump's own unwind tables (for tests)" },
	[ID_NO_BTF] = { 0, "no-btf", NULL, "do without the dump's own types (for tests)" },
	[ID_FAIL_DETECTOR] = { 0, "fail-detector", "NAME",
			       "let this detector fail (for tests of the report)" },
	[ID_HELP] = { 'h', "help", NULL, "print this help" },
	[ID_VERSION] = { 'V', "version", NULL, "print the version" },
	{ 0, NULL, NULL, NULL },
};

enum { OPTION_COUNT = array_size(cli_option_table) - 1 };

static struct error *set_color(struct cli_options *options, const char *when)
{
	static const char *const names[] = {
		[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never",
	};

	for (size_t i = 0; i < array_size(names); i++) {
		if (strcmp(names[i], when) == 0) {
			options->color = (enum cli_color)i;
			return NULL;
		}
	}
	return error_new(ERROR_USAGE, "--color takes auto, always or never, not %s", when);
}

static struct error *set_format(struct cli_options *options, enum cli_format format)
{
	if (options->format != FORMAT_TEXT && options->format != format)
		return error_new(ERROR_USAGE, "one of JSON, JSON lines, CSV and HTML, not several");
	options->format = format;
	return NULL;
}

static struct error *set_output(struct cli_options *options, const char *path)
{
	static const struct {
		const char *suffix;
		enum cli_format format;
	} kinds[] = {
		{ ".html", FORMAT_HTML }, { ".htm", FORMAT_HTML }, { ".json", FORMAT_JSON },
		{ ".jsonl", FORMAT_JSONL }, { ".csv", FORMAT_CSV }, { ".txt", FORMAT_TEXT },
	};
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash + 1 : path, '.');

	if (options->output)
		return error_new(ERROR_USAGE, "-o is given twice");
	options->output = path;
	for (size_t i = 0; i < array_size(kinds); i++) {
		if (dot && strcmp(dot, kinds[i].suffix) == 0)
			return set_format(options, kinds[i].format);
	}
	return error_new(ERROR_USAGE, "-o takes a file whose name ends in .html, .json, .jsonl, .csv or "
			 ".txt, not %s", path);
}

static struct error *apply(struct cli_options *options, enum option_id id, const char *value)
{
	switch (id) {
	case ID_COMMAND:
		command_lines_split(value, &options->commands);
		if (!options->commands.count)
			return error_new(ERROR_USAGE, "no command in -c '%s'", value);
		break;
	case ID_FILE:
		if (options->script)
			return error_new(ERROR_USAGE, "-f is given twice");
		options->script = value;
		break;
	case ID_NO_INIT:
		options->no_init = true;
		break;
	case ID_ZERO_EXCLUDED:
		options->zero_excluded = true;
		break;
	case ID_SHELL:
		options->shell = true;
		break;
	case ID_KERNEL:
		if (options->namelist)
			return error_new(ERROR_USAGE, "-k is given twice");
		options->namelist = value;
		break;
	case ID_MODULES:
		options->debug.modules = value;
		break;
	case ID_SOURCE:
		options->source = value;
		break;
	case ID_RULES:
		options->rules = value;
		break;
	case ID_FORCE:
		options->debug.force = true;
		break;
	case ID_NO_DEBUGINFO:
		options->debug.off = true;
		break;
	case ID_DEBUGINFOD:
		options->debug.debuginfod = true;
		break;
	case ID_JSON:
		return set_format(options, FORMAT_JSON);
	case ID_JSONL:
		return set_format(options, FORMAT_JSONL);
	case ID_CSV:
		return set_format(options, FORMAT_CSV);
	case ID_HTML:
		return set_format(options, FORMAT_HTML);
	case ID_OUTPUT:
		return set_output(options, value);
	case ID_COLOR:
		return set_color(options, value);
	case ID_VERIFY:
		options->verify = true;
		break;
	case ID_NO_ORC:
		options->no_orc = true;
		break;
	case ID_NO_BTF:
		options->no_btf = true;
		break;
	case ID_FAIL_DETECTOR:
		options->fail_detector = value;
		break;
	case ID_HELP:
		options->action = CLI_HELP;
		break;
	case ID_VERSION:
		options->action = CLI_VERSION;
		break;
	}
	return NULL;
}

struct parser {
	int argc, at;
	const char *const *argv;
	struct cli_options *options;
};

static struct error *take_long(struct parser *p)
{
	const char *word = p->argv[p->at] + 2;
	size_t length = strcspn(word, "=");

	for (unsigned id = 0; id < OPTION_COUNT; id++) {
		const struct cli_option *o = &cli_option_table[id];
		if (strlen(o->name) != length || strncmp(o->name, word, length) != 0)
			continue;
		const char *value = word[length] ? word + length + 1 : NULL;
		if (!o->argument && value)
			return error_new(ERROR_USAGE, "--%s takes no value", o->name);
		if (o->argument && !value && p->at + 1 < p->argc)
			value = p->argv[++p->at];
		if (o->argument && !value)
			return error_new(ERROR_USAGE, "--%s needs a value", o->name);
		return apply(p->options, (enum option_id)id, value);
	}
	return error_new(ERROR_USAGE, "no such option: %s (see inquest --help)", p->argv[p->at]);
}

static struct error *take_letters(struct parser *p)
{
	const char *word = p->argv[p->at];

	for (const char *s = word + 1; *s; s++) {
		unsigned id = 0;
		while (id < OPTION_COUNT && cli_option_table[id].letter != *s)
			id++;
		if (id == OPTION_COUNT)
			return error_new(ERROR_USAGE, "no such option: %s (see inquest --help)",
					 word);
		const char *value = NULL;
		bool takes = cli_option_table[id].argument;
		if (takes && s[1])
			value = s + 1;
		else if (takes && p->at + 1 < p->argc)
			value = p->argv[++p->at];
		else if (takes)
			return error_new(ERROR_USAGE, "-%c needs a value", *s);
		struct error *err = apply(p->options, (enum option_id)id, value);
		if (err || takes)
			return err;
	}
	return NULL;
}

struct error *cli_options_parse(int argc, const char *const *argv, struct cli_options *options)
{
	struct parser p = { .argc = argc, .argv = argv, .options = options };
	bool only_paths = false;

	*options = (struct cli_options){ 0 };
	for (p.at = 1; p.at < argc; p.at++) {
		const char *word = argv[p.at];
		struct error *err = NULL;
		/* A dump of that name can still be given as ./shell. */
		if (!only_paths && !options->paths.count && !options->shell &&
		    strcmp(word, "shell") == 0)
			options->shell = true;
		else if (!only_paths && !options->paths.count && !options->text &&
			 strcmp(word, "oops") == 0)
			options->text = true;
		else if (only_paths || word[0] != '-' || !word[1])
			vec_push(&options->paths, word);
		else if (strcmp(word, "--") == 0)
			only_paths = true;
		else
			err = word[1] == '-' ? take_long(&p) : take_letters(&p);
		if (err)
			return err;
	}
	if (options->output && options->shell)
		return error_new(ERROR_USAGE, "-o is for commands given with -c; in the shell: ps > FILE");
	return NULL;
}

void cli_options_deinit(struct cli_options *options)
{
	vec_deinit(&options->paths);
	command_lines_deinit(&options->commands);
}

/* --- Which of the files is the kernel's? --- */

/* "ffffffff81000000 T _text", the form of nm and of System.map. */
static bool is_symbol_line(const uint8_t *bytes, size_t size)
{
	size_t n = 0;

	while (n < size && isxdigit(bytes[n]))
		n++;
	return (n == 8 || n == 16) && n + 3 < size && bytes[n] == ' ' && isalpha(bytes[n + 1]) &&
	       bytes[n + 2] == ' ' && isgraph(bytes[n + 3]);
}

bool cli_is_namelist(const uint8_t *bytes, size_t size)
{
	if (size >= offsetof(Elf64_Ehdr, e_machine) && memcmp(bytes, ELFMAG, SELFMAG) == 0) {
		uint16_t type = load_u16(bytes + offsetof(Elf64_Ehdr, e_type));
		return type == ET_EXEC || type == ET_DYN;
	}
	return is_symbol_line(bytes, size);
}

/* Only of regular files: reading from a pipe would take its start away from the dump reader. */
static bool file_is_namelist(const char *path)
{
	uint8_t start[64];
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, start, sizeof(start));
	close(fd);
	return n > 0 && cli_is_namelist(start, (size_t)n);
}

struct error *cli_find_namelist(struct cli_options *options)
{
	size_t kept = 0;

	for (size_t i = 0; i < options->paths.count; i++) {
		const char *path = options->paths.data[i];
		if (!file_is_namelist(path)) {
			options->paths.data[kept++] = path;
			continue;
		}
		if (options->namelist)
			return error_new(ERROR_USAGE, "two kernels are given: %s and %s",
					 options->namelist, path);
		options->namelist = path;
	}
	options->paths.count = kept;
	return NULL;
}
