// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Prints the man page ("man") or the bash completion ("bash"), both made from the tables of options
 * and commands, so that they cannot go stale. Runs at build time and is not installed.
 */
#include <stdio.h>
#include <string.h>

#include "cli/options.h"

/* Text for roff: backslashes and dashes escaped, a line that starts with a dot made harmless. */
static void roff(const char *s, size_t length)
{
	if (length && (*s == '.' || *s == '\''))
		fputs("\\&", stdout);
	for (size_t i = 0; i < length; i++) {
		if (s[i] == '\\')
			fputs("\\e", stdout);
		else if (s[i] == '-')
			fputs("\\-", stdout);
		else
			putchar(s[i]);
	}
}

static void roff_line(const char *s)
{
	roff(s, strlen(s));
	putchar('\n');
}

static void man_options(void)
{
	puts(".SH OPTIONS");
	for (const struct cli_option *o = cli_option_table; o->letter || o->name; o++) {
		fputs(".TP\n\\fB", stdout);
		if (o->letter)
			printf("\\-%c", o->letter);
		if (o->letter && o->name)
			fputs("\\fR, \\fB", stdout);
		if (o->name) {
			fputs("\\-\\-", stdout);
			roff(o->name, strlen(o->name));
		}
		fputs("\\fR", stdout);
		if (o->argument)
			printf(" \\fI%s\\fR", o->argument);
		putchar('\n');
		fputs(o->help, stdout);
		puts(".");
	}
}

static void man_command(const struct command *command)
{
	const char *line = command->help;

	fputs(".SS ", stdout);
	roff(command->name, strlen(command->name));
	putchar(' ');
	roff_line(command->usage);
	roff_line(command->summary);
	puts(".PP\n.nf");
	while (*line) {
		size_t length = strcspn(line, "\n");
		roff(line, length);
		putchar('\n');
		line += length + (line[length] == '\n');
	}
	puts(".fi");
}

static void man(void)
{
	puts(".\\\" Made by tools/gendocs.c from the tables of options and commands.\n"
	     ".TH INQUEST 1 \"\" \"inquest " INQUEST_VERSION "\" \"User Commands\"\n"
	     ".SH NAME\ninquest \\- says why a Linux kernel died, from its dump alone\n"
	     ".SH SYNOPSIS\n.B inquest");
	roff_line(cli_usage);
	puts(".SH DESCRIPTION\n"
	     "Opens the memory image of a dead Linux kernel (kdump, QEMU; ELF or kdump-compressed,\n"
	     "plain, flattened or split) and prints a report: what the machine was, how it died, the\n"
	     "stack it died on. Symbols, types and unwind tables are read out of the dump; debug\n"
	     "info is not needed.\n"
	     ".PP\nThe files may come in any order; one that is a vmlinux or a System.map is used for\n"
	     "what the dump lacks. \"\\-\" reads the dump from a pipe. The pieces of a split dump are\n"
	     "given together.\n"
	     ".PP\n\\fBinquest oops\\fR \\fITEXT\\fR ... does the same from what the kernel printed, where\n"
	     "there is no dump: a console log, a vmcore\\-dmesg.txt, records of pstore, a serial capture,\n"
	     "a journal, a bug report or a session of crash, of x86\\-64 kernels from 2.6.32 on. Prefixes\n"
	     "of loggers, colours, HTML and prose around it do not matter. The word oops may be left out\n"
	     "where the file shows what it is. What needs memory is unknown then: the values that the\n"
	     "report and \\fBorigin\\fR tell are those of the printed registers and bytes of code; with\n"
	     "a vmlinux, of all of the kernel's code. Commands that need memory say so.");
	man_options();
	puts(".SH COMMANDS\n"
	     "For \\fB\\-c\\fR; several are separated by semicolons. Names and options are those of\n"
	     ".BR crash (8).\n"
	     "Addresses are hexadecimal, symbols, or symbol+offset.");
	for (const struct command *const *c = commands; *c; c++)
		man_command(*c);
	puts(".SH SHELL\n"
	     "\\fBinquest shell\\fR \\fIVMCORE\\fR (or \\fB\\-i\\fR) reads commands from the terminal, or\n"
	     "from a file or pipe that is its input. A line holds commands separated by semicolons.\n"
	     ".TP\n\\fICOMMAND\\fR \\fB|\\fR \\fISHELL COMMAND\\fR\nthe output into a shell command\n"
	     ".TP\n\\fICOMMAND\\fR \\fB>\\fR \\fIFILE\\fR, \\fB>>\\fR \\fIFILE\\fR\n"
	     "the output into a file, or behind what it holds. In an expression, parentheses keep\n"
	     "these characters from being meant so.\n"
	     ".TP\n\\fB!\\fR\\fISHELL COMMAND\\fR\na shell command alone\n"
	     ".TP\n\\fB#\\fR\na remark\n"
	     ".PP\nOn a terminal, Tab completes commands, options, symbols, types and members; Ctrl\\-C stops\n"
	     "a command; a line that begins with a blank is not kept in the history; what is longer\n"
	     "than the screen goes through the pager. An error does not end the shell. Its exit\n"
	     "status is 0 on a terminal, else that of the last command.");
	puts(".SH EXIT STATUS\n"
	     ".TP\n0\nfine\n"
	     ".TP\n1\nsomething could not be shown: a page that the dump lacks, no such task\n"
	     ".TP\n2\nusage, or the dump cannot be opened");
	puts(".SH ENVIRONMENT\n.TP\nNO_COLOR\nno colours, unless \\fB\\-\\-color always\\fR asks for "
	     "them\n"
	     ".TP\nPAGER\nthe shell's pager, instead of less \\-FRX; empty or \"cat\": none");
	puts(".SH FILES\n.TP\n$XDG_STATE_HOME/inquest/history (~/.local/state/inquest/history)\n"
	     "what was typed in the shell");
	puts(".SH EXAMPLES\n.nf\n"
	     "inquest vmcore\n"
	     "inquest shell vmcore\n"
	     "inquest \\-c 'bt \\-a; log \\-l err' vmcore\n"
	     "inquest \\-\\-json \\-c ps vmcore | jq '.tasks[] | select(.state == \"D\")'\n"
	     "inquest \\-o report.html vmcore\n"
	     "inquest \\-c 'ps; bt \\-a' \\-o tasks.html vmcore\n"
	     "inquest oops console.log vmlinux\n"
	     "journalctl \\-k \\-b \\-1 | inquest oops \\-\n"
	     "makedumpfile \\-F \\-l \\-d 31 /proc/vmcore | inquest \\-\n.fi");
	puts(".SH SEE ALSO\n.BR crash (8),\n.BR makedumpfile (8),\n.BR kdump (5)");
}

static void bash(void)
{
	puts("# Made by tools/gendocs.c from the tables of options and commands.\n"
	     "_inquest()\n{\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	     "\tCOMPREPLY=()\n"
	     "\tcase $prev in\n"
	     "\t--color)\n\t\tCOMPREPLY=($(compgen -W 'auto always never' -- \"$cur\"))\n"
	     "\t\treturn ;;");
	fputs("\t-c|--command)\n\t\tCOMPREPLY=($(compgen -W '", stdout);
	for (const struct command *const *c = commands; *c; c++)
		printf("%s%s", c == commands ? "" : " ", (*c)->name);
	puts("' -- \"$cur\"))\n\t\treturn ;;\n\tesac");
	fputs("\tif [[ $cur == -* ]]; then\n\t\tCOMPREPLY=($(compgen -W '", stdout);
	for (const struct cli_option *o = cli_option_table; o->letter || o->name; o++)
		printf("%s--%s", o == cli_option_table ? "" : " ", o->name);
	puts("' -- \"$cur\"))\n\telif [[ $COMP_CWORD == 1 ]]; then\n"
	     "\t\tCOMPREPLY=($(compgen -W 'shell oops' -- \"$cur\") $(compgen -f -- \"$cur\"))\n"
	     "\telse\n\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n\tfi\n}\n"
	     "complete -o filenames -F _inquest inquest");
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "man") == 0)
		man();
	else if (argc == 2 && strcmp(argv[1], "bash") == 0)
		bash();
	else
		return 2;
	return 0;
}
