/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to commands/: options, and the words by which users name addresses, tasks and CPUs. */
#pragma once

#include "commands/command.h"
#include "kernel/mappings.h"
#include "kernel/tasks.h"

enum {
	OPTION_MAY = 2,  /* may be given a value, but only as "-X=VALUE" */
	OPTION_MANY = 3, /* takes a value, and may come again: see options.many */
};

struct option {
	const char *name; /* "a", "16", "-all": what follows the first dash */
	/* Does it take a value, as the next word or (one-letter options) directly behind? false,
	 * true, OPTION_MAY, OPTION_MANY. */
	uint8_t value;
};

enum { OPTIONS_MAX = 32 };

struct options {
	bool set[OPTIONS_MAX]; /* in the order of the table */
	uint8_t times[OPTIONS_MAX]; /* how often it was given */
	const char *value[OPTIONS_MAX];
	const char **words;    /* what is not an option */
	int word_count;
	/* Of options that may come again, each time, in order. */
	struct {
		int option;
		const char *value;
	} * many;
	int many_count;
};

/*
 * Takes argv apart. One-letter options may be clustered; options may follow words, as crash allows;
 * "--" ends them.
 */
struct error *options_parse(struct command_args *args, const struct option *table, size_t count,
			    struct options *options) must_check;

/*
 * An address: "ffffffff81000000" and "0x..." in hexadecimal, a symbol, "symbol+0x10", "symbol-8",
 * "symbol:2" (a per-CPU variable on CPU 2), or any C expression ("&init_task.tasks"). A word that
 * is both a number and a symbol is a symbol, unless it starts with 0x or has 8 or more digits.
 */
struct error *parse_address(struct session *session, const char *word, uint64_t *address)
	must_check;
/*
 * The same with a list of CPUs behind it, "runqueues:a" or "31980:0,2": of a per-CPU variable, or
 * an address that per_cpu_ptr() would take. Without a list one address, of CPU -1.
 */
struct cpu_addresses {
	struct {
		int cpu;
		uint64_t address;
	} * data; /* in the document's arena */
	size_t count;
};
/* "runqueues:" means the CPU of the current task: with its number behind, in @arena, else @word. */
const char *own_cpu_word(struct session *session, struct arena *arena, const char *word);
struct error *parse_percpu_addresses(struct session *session, const char *word, struct doc *doc,
				     struct cpu_addresses *addresses) must_check;
/* A count: decimal or 0x... */
struct error *parse_count(const char *word, uint64_t *count) must_check;

/* A PID (decimal), the address of a task_struct, or a name that only one task has. */
struct error *parse_task(struct session *session, const char *word, const struct task **task)
	must_check;
/* The task of @word, or when NULL the current one (which at first is the one that crashed). */
struct error *task_or_current(struct session *session, const char *word, const struct task **task)
	must_check;

/* The same of an option's value; *task is NULL where the option was not given. */
struct error *parse_task_option(struct session *session, const char *value,
				const struct task **task) must_check;

/* CPU numbers as crash takes them: "3", "0,2-4", "a" or "all". Sets wanted[cpu]. */
enum { CPU_LIST_MAX = 8192 };
struct error *parse_cpu_list(const char *word, bool wanted[CPU_LIST_MAX]) must_check;
/* Is @number in a list of the same form? False when @word is none. */
bool number_list(const char *word, uint64_t number, bool *has);
/* Of an option's value, into the document's arena; *wanted is NULL where the option was not given. */
struct error *parse_cpu_option(struct command_args *args, const char *value, bool **wanted)
	must_check;

/* What to call symbols by: never NULL, "" when there are no symbols. "name+0x12 [module]". */
void address_name(struct session *session, uint64_t address, char *buf, size_t size);
/* The instruction at @pc as text, with such names; "(bad)" when there is none. */
void instruction_text(struct session *session, uint64_t pc, char *buf, size_t size);
