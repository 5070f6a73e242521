// SPDX-License-Identifier: LGPL-2.1-or-later
/* Options by table, and users' words into addresses, tasks and CPUs. */
#include "commands/args.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "code/code.h"
#include "commands/expression.h"
#include "commands/suggest.h"
#include "kernel/context.h"
#include "kernel/cpus.h"

static int option_named(const struct option *table, size_t count, const char *name, size_t length)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(table[i].name) == length && strncmp(table[i].name, name, length) == 0)
			return (int)i;
	}
	return -1;
}

static bool takes_value(const struct option *option)
{
	return option->value == true || option->value == OPTION_MANY;
}

/* Sets option @index; its value is @rest when not empty, else the next word. */
static struct error *option_set(struct command_args *args, int *at, const struct option *table,
				int index, const char *rest, struct options *options)
{
	options->set[index] = true;
	options->times[index]++;
	if (!takes_value(&table[index]))
		return NULL;
	if (*rest)
		options->value[index] = rest;
	else if (*at + 1 < args->argc)
		options->value[index] = args->argv[++*at];
	else
		return error_new(ERROR_USAGE, "option -%s needs a value", table[index].name);
	if (table[index].value == OPTION_MANY) {
		options->many[options->many_count].option = index;
		options->many[options->many_count++].value = options->value[index];
	}
	return NULL;
}

static struct error *parse_one(struct command_args *args, int *at, const struct option *table,
			       size_t count, struct options *options)
{
	const char *s = args->argv[*at] + 1;
	int index = option_named(table, count, s, strlen(s));

	if (index >= 0)
		return option_set(args, at, table, index, "", options);
	for (; *s; s++) {
		index = option_named(table, count, s, 1);
		if (index < 0)
			return error_new(ERROR_USAGE, "no such option: %s%s", args->argv[*at],
					 suggest_option(&args->doc->arena, table, count,
							args->argv[*at]));
		if (takes_value(&table[index]))
			return option_set(args, at, table, index, s + 1, options);
		options->set[index] = true;
		options->times[index]++;
		if (table[index].value == OPTION_MAY && s[1] == '=') {
			options->value[index] = s + 2;
			return NULL;
		}
	}
	return NULL;
}

struct error *options_parse(struct command_args *args, const struct option *table, size_t count,
			    struct options *options)
{
	bool only_words = false;

	assert(count <= OPTIONS_MAX);
	*options = (struct options){ 0 };
	options->words =
		arena_zalloc(&args->doc->arena, (size_t)args->argc * sizeof(*options->words));
	options->many =
		arena_zalloc(&args->doc->arena, (size_t)args->argc * sizeof(*options->many));
	for (int i = 1; i < args->argc; i++) {
		const char *word = args->argv[i];
		if (only_words || word[0] != '-' || !word[1]) {
			options->words[options->word_count++] = word;
		} else if (strcmp(word, "--") == 0) {
			only_words = true;
		} else {
			struct error *err = parse_one(args, &i, table, count, options);
			if (err)
				return err;
		}
	}
	return NULL;
}

/* Surely a number and no name: 0x..., or 8 and more hexadecimal digits. */
static bool looks_like_address(const char *word)
{
	return (word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) || strlen(word) >= 8;
}

/* A symbol, with ":CPU" behind a per-CPU one. */
static bool symbol_address(struct session *s, const char *name, uint64_t *address)
{
	const char *colon = strrchr(name, ':');
	struct symbol symbol;
	uint64_t cpu;

	if (!s->symbols)
		return false;
	if (colon && isdigit((unsigned char)colon[1]) && parse_u64(colon + 1, &cpu) &&
	    cpu < CPU_LIST_MAX) {
		auto_free char *variable = xstrndup(name, (size_t)(colon - name));
		const struct cpu *found = cpu_by_id(s, (unsigned)cpu);
		if (!found || !symbols_by_name(s->symbols, variable, &symbol) ||
		    !symbol_is_percpu(s, &symbol))
			return false;
		*address = symbol.address + found->percpu_offset;
		return true;
	}
	if (!symbols_by_name(s->symbols, name, &symbol))
		return false;
	*address = symbol.address;
	return true;
}

static bool base_address(struct session *s, const char *word, uint64_t *address)
{
	if (looks_like_address(word) && parse_hex(word, address))
		return true;
	return symbol_address(s, word, address) || parse_hex(word, address);
}

struct error *parse_address(struct session *session, const char *word, uint64_t *address)
{
	size_t length = strcspn(word, "+-");
	uint64_t offset;

	if (base_address(session, word, address))
		return NULL;
	if (word[length] && length) {
		auto_free char *base = xstrndup(word, length);
		if (base_address(session, base, address)) {
			/* "-8+4" and "+sizeof(long)" are C as they stand. */
			struct error *err = expression_address(session, word + length, &offset);
			*address += offset;
			return error_prefix(err, "%s", word + length);
		}
	}
	/* Anything but a plain name may be C. */
	if (strpbrk(word, "()[].*&+-~!<>|^%/@:$")) {
		struct error *err = expression_address(session, word, address);
		return error_prefix(err, "%s", word);
	}
	/* A local variable of the chosen frame. */
	if (session->debuginfo) {
		struct error *err = expression_address(session, word, address);
		if (!err || err->code == ERROR_MISSING)
			return err;
		error_free(err);
	}
	if (!session->symbols)
		return error_new(ERROR_NOT_FOUND, "%s is not an address, and there are no symbols",
				 word);
	struct arena arena = { 0 };
	struct error *err = error_new(ERROR_NOT_FOUND, "%s is neither an address nor a symbol%s", word,
				      suggest_symbol(session, &arena, word));
	arena_deinit(&arena);
	return err;
}

/* The list of CPUs behind the last colon of @word, or NULL. */
static const char *cpus_behind(const char *word)
{
	const char *colon = strrchr(word, ':');

	if (!colon || colon == word)
		return NULL;
	const char *list = colon + 1;
	if (strcmp(list, "a") == 0 || strcmp(list, "all") == 0)
		return list;
	return *list && !list[strspn(list, "0123456789,-")] ? list : NULL;
}

const char *own_cpu_word(struct session *session, struct arena *arena, const char *word)
{
	size_t length = strlen(word);

	if (length < 2 || word[length - 1] != ':' || word[length - 2] == ':')
		return word;
	const struct task *task = context_task(session);
	return task && task->cpu >= 0 ? arena_printf(arena, "%s%d", word, task->cpu) : word;
}

struct error *parse_percpu_addresses(struct session *s, const char *word, struct doc *doc,
				     struct cpu_addresses *addresses)
{
	word = own_cpu_word(s, &doc->arena, word);
	const char *list = cpus_behind(word);
	struct symbol symbol;
	size_t count;

	*addresses = (struct cpu_addresses){ 0 };
	addresses->data = arena_zalloc(&doc->arena, sizeof(*addresses->data));
	addresses->data[0].cpu = -1;
	if (!list) {
		addresses->count = 1;
		return parse_address(s, word, &addresses->data[0].address);
	}
	char *base = arena_strndup(&doc->arena, word, (size_t)(list - 1 - word));
	bool *wanted = arena_zalloc(&doc->arena, CPU_LIST_MAX * sizeof(*wanted));
	uint64_t address;
	struct error *err = parse_address(s, base, &address);
	if (!err)
		err = parse_cpu_list(list, wanted);
	if (err)
		return err;
	if (s->symbols && symbols_by_name(s->symbols, base, &symbol) &&
	    !symbol_is_percpu(s, &symbol))
		return error_new(ERROR_USAGE, "%s is no per-CPU variable", base);
	const struct cpu *all = cpus(s, &count);
	addresses->data = arena_zalloc(&doc->arena, (count + 1) * sizeof(*addresses->data));
	for (size_t i = 0; i < count; i++) {
		if (all[i].id >= CPU_LIST_MAX || !wanted[all[i].id])
			continue;
		addresses->data[addresses->count].cpu = (int)all[i].id;
		addresses->data[addresses->count++].address = address + all[i].percpu_offset;
	}
	if (!addresses->count)
		return error_new(ERROR_NOT_FOUND, "there is no such CPU: %s", list);
	return NULL;
}

struct error *parse_count(const char *word, uint64_t *count)
{
	if (!parse_u64(word, count))
		return error_new(ERROR_USAGE, "%s is not a number", word);
	return NULL;
}

static bool is_named(const struct task *task, const char *name)
{
	return strlen(name) < sizeof(task->comm) &&
	       strncmp(task->comm, name, sizeof(task->comm)) == 0;
}

/* By its name, where one task has it; NULL when none has. Of several the error names some. */
static struct error *task_named(struct session *s, const char *name, const struct task **task)
{
	enum { NAMED_MAX = 8 };
	size_t count, found = 0;
	const struct task *all = tasks(s, &count);
	auto_strbuf pids = { 0 };

	*task = NULL;
	for (size_t i = 0; i < count; i++) {
		if (!*name || !is_named(&all[i], name))
			continue;
		if (found < NAMED_MAX)
			strbuf_addf(&pids, "%s%d", found ? ", " : "", all[i].pid);
		*task = &all[i];
		found++;
	}
	if (found > 1)
		return error_new(ERROR_USAGE, "%zu tasks are called %s: PIDs %s%s", found, name,
				 pids.data, found > NAMED_MAX ? " ..." : "");
	return NULL;
}

static struct error *task_by_number(struct session *session, const char *word,
				    const struct task **task)
{
	uint64_t number;

	if (!looks_like_address(word)) {
		if (!parse_u64(word, &number) || number > INT32_MAX) {
			if (!parse_hex(word, &number))
				return error_new(ERROR_USAGE,
						 "%s is neither a PID nor a task's address", word);
		} else {
			*task = task_by_pid(session, (int32_t)number);
			if (*task)
				return NULL;
			return error_new(ERROR_NOT_FOUND, "no task has PID %" PRIu64, number);
		}
	} else if (!parse_hex(word, &number)) {
		return error_new(ERROR_USAGE, "%s is neither a PID nor a task's address", word);
	}
	*task = task_by_address(session, number);
	if (!*task)
		return error_new(ERROR_NOT_FOUND, "there is no task at %" PRIx64, number);
	return NULL;
}

struct error *parse_task(struct session *session, const char *word, const struct task **task)
{
	const struct task *named;

	struct error *err = task_by_number(session, word, task);
	/* A number is never a name; "add" may be both, an address first. */
	if (!err || isdigit((unsigned char)*word))
		return err;
	struct error *several = task_named(session, word, &named);
	if (!several && !named)
		return err;
	error_free(err);
	*task = named;
	return several;
}

struct error *task_or_current(struct session *session, const char *word, const struct task **task)
{
	if (word)
		return parse_task(session, word, task);
	*task = context_task(session);
	if (!*task)
		return error_new(ERROR_NOT_FOUND,
				 "which task crashed is not known; name one by PID or address");
	return NULL;
}

static bool parse_range(const char *word, uint64_t *low, uint64_t *high)
{
	const char *dash = strchr(word, '-');

	if (!dash)
		return parse_u64(word, low) && parse_u64(word, high);
	auto_free char *first = xstrndup(word, (size_t)(dash - word));
	return parse_u64(first, low) && parse_u64(dash + 1, high) && *low <= *high;
}

/* The next part of "3,5-8"; @s moves behind it and its comma. */
static bool take_range(const char **s, uint64_t *low, uint64_t *high)
{
	size_t length = strcspn(*s, ",");
	auto_free char *part = xstrndup(*s, length);

	*s += length + ((*s)[length] == ',');
	return parse_range(part, low, high);
}

struct error *parse_cpu_list(const char *word, bool wanted[CPU_LIST_MAX])
{
	bool all = strcmp(word, "a") == 0 || strcmp(word, "all") == 0;
	const char *s = word;

	for (unsigned i = 0; i < CPU_LIST_MAX; i++)
		wanted[i] = all;
	while (!all && *s) {
		uint64_t low, high;
		if (!take_range(&s, &low, &high) || high >= CPU_LIST_MAX)
			return error_new(ERROR_USAGE, "%s is not a list of CPUs", word);
		for (uint64_t i = low; i <= high; i++)
			wanted[i] = true;
	}
	return NULL;
}

bool number_list(const char *word, uint64_t number, bool *has)
{
	*has = strcmp(word, "a") == 0 || strcmp(word, "all") == 0;
	while (!*has && *word) {
		uint64_t low, high;
		if (!take_range(&word, &low, &high))
			return false;
		*has = number >= low && number <= high;
	}
	return true;
}

struct error *parse_task_option(struct session *session, const char *value,
				const struct task **task)
{
	*task = NULL;
	return value ? parse_task(session, value, task) : NULL;
}

struct error *parse_cpu_option(struct command_args *args, const char *value, bool **wanted)
{
	*wanted = NULL;
	if (!value)
		return NULL;
	*wanted = arena_zalloc(&args->doc->arena, CPU_LIST_MAX * sizeof(**wanted));
	return parse_cpu_list(value, *wanted);
}

void address_name(struct session *session, uint64_t address, char *buf, size_t size)
{
	struct symbol symbol;

	*buf = '\0';
	if (!session->symbols || !symbols_by_address(session->symbols, address, &symbol))
		return;
	int n = snprintf(buf, size, "%s", symbol.name);
	if (address > symbol.address && n >= 0 && (size_t)n < size)
		n += snprintf(buf + n, size - (size_t)n, "+0x%" PRIx64, address - symbol.address);
	if (symbol.module && n >= 0 && (size_t)n < size)
		snprintf(buf + n, size - (size_t)n, " [%s]", symbol.module->name);
}

static void name_of(void *ctx, uint64_t address, char *buf, size_t size)
{
	address_name(ctx, address, buf, size);
}

void instruction_text(struct session *session, uint64_t pc, char *buf, size_t size)
{
	uint8_t bytes[CODE_INSN_MAX];
	size_t got = memory_read_some(session->memory, pc, bytes, sizeof(bytes));

	code_format(bytes, got, pc, name_of, session, buf, size);
}
