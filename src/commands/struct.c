// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * struct, union: a type's definition, or the object at an address as that type. The text is C as
 * crash prints it; JSON has a row for each member, those of nested structs by their path. What of
 * an object is not in the dump is said to be missing, member by member.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/filemap.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "commands/args.h"
#include "commands/suggest.h"
#include "commands/table.h"
#include "commands/typed.h"
#include "kernel/context.h"

enum { OPT_OFFSETS, OPT_HEX, OPT_DEC, OPT_BACK, OPT_COUNT, OPT_POINTED, OPT_RAW, OPT_USER,
       OPT_FILE };

static const struct option struct_option_table[] = {
	[OPT_OFFSETS] = { "o", false }, [OPT_HEX] = { "x", false },  [OPT_DEC] = { "d", false },
	[OPT_BACK] = { "l", true },     [OPT_COUNT] = { "c", true },
	[OPT_POINTED] = { "p", false }, [OPT_RAW] = { "r", false },  [OPT_USER] = { "u", false },
	[OPT_FILE] = { "f", false },
};

enum { COUNT_MAX = 100000 };

struct run {
	struct command_args *args;
	struct options options;
	struct typed_name named;
	struct type type; /* named.type */
	uint64_t back;     /* the addresses given point so far into the object */
	struct page_root root; /* with -u */
};

/* Calls @fn with each of the comma-separated paths. */
static struct error *each_path(struct run *run,
			       struct error *(*fn)(struct run *run, const char *path, void *ctx),
			       void *ctx)
{
	const char *rest = run->named.paths;

	for (const char *path; (path = typed_next_path(&run->args->doc->arena, &rest));) {
		struct error *err = fn(run, path, ctx);
		if (err)
			return err;
	}
	return NULL;
}

static struct error *find_path(struct run *run, const char *path, struct member *member)
{
	if (type_find_member(run->type, path, member))
		return NULL;
	return suggest_no_member(run->named.spelled, run->type, path);
}

static struct error *check_path(struct run *run, const char *path, void *ctx unused_arg)
{
	struct member member;

	return find_path(run, path, &member);
}

/* --- Definitions --- */

static struct error *define_path(struct run *run, const char *path, void *ctx)
{
	struct strbuf *text = ctx;
	struct member member;

	struct error *err = find_path(run, path, &member);
	if (err)
		return err;
	strbuf_addf(text, "   [0x%" PRIx64 "] ", member.offset);
	type_declare(member.type, path, text);
	if (member.bit_size)
		strbuf_addf(text, " : %u", member.bit_size);
	strbuf_add(text, ";\n");
	typed_definition_row(run->args->doc, path, &member);
	return NULL;
}

static struct error *define(struct run *run)
{
	struct doc *doc = run->args->doc;
	auto_strbuf text = { 0 };
	struct error *err = NULL;

	doc_record(doc, NULL, NULL);
	doc_field(doc, "type", NULL, cell_str(run->named.spelled));
	doc_field(doc, "size", NULL, cell_udec(type_size(run->type)));
	typed_definition_table(doc);
	if (run->named.paths) {
		strbuf_addf(&text, "%s {\n", run->named.spelled);
		err = each_path(run, define_path, &text);
		strbuf_add(&text, "}\n");
	} else {
		typed_definition_rows(doc, run->type);
		type_format_definition(run->type, run->options.set[OPT_OFFSETS], &text);
	}
	doc_end(doc);
	typed_lines(doc, &text);
	doc_end(doc);
	return err;
}

/* --- Objects --- */

/* -o with members and an address: where each is. */
static struct error *locate_path(struct run *run, const char *path, void *ctx)
{
	struct object *object = ctx;
	struct member member;

	struct error *err = find_path(run, path, &member);
	if (err)
		return err;
	strbuf_addf(&object->text, "  [0x%" PRIx64 "] ", object->address + member.offset);
	type_declare(member.type, path, &object->text);
	if (member.bit_size)
		strbuf_addf(&object->text, " : %u", member.bit_size);
	strbuf_add(&object->text, ";\n");
	return NULL;
}

static struct error *show_path(struct run *run, const char *path, void *ctx)
{
	struct object *object = ctx;
	struct member member;

	struct error *err = find_path(run, path, &member);
	if (err)
		return err;
	object_add_member(object, path, &member);
	return NULL;
}

static void object_for(struct run *run, struct type type, uint64_t address, struct object *object)
{
	*object = (struct object){
		.doc = run->args->doc, .session = run->args->session, .type = type,
		.address = address, .user = run->options.set[OPT_USER] ? &run->root : NULL,
	};
	context_format(run->args->session, run->options.set[OPT_HEX], run->options.set[OPT_DEC],
		       &object->format);
}

/* -f: the bytes of the (first) dump file at that offset, whatever they are. */
static struct error *read_file(struct run *run, struct object *object)
{
	struct filemap *map = NULL;
	uint64_t size = max_u64(type_size(object->type), object->extent);

	struct error *err = filemap_open(run->args->session->path, &map);
	if (!err && !range_fits(object->address, size, map->size))
		err = error_new(ERROR_MISSING, "the file has %zu bytes: none for %" PRIu64
				" at %" PRIx64, map->size, size, object->address);
	if (!err)
		object_from_bytes(object, map->data + object->address, (size_t)size);
	filemap_close(map);
	return err;
}

static struct error *read_object(struct run *run, struct object *object)
{
	return run->options.set[OPT_FILE] ? read_file(run, object) : object_read(object);
}

static void open_record(struct run *run, struct type type, uint64_t address, int cpu)
{
	struct doc *doc = run->args->doc;
	char spelled[256];

	type_spell(type, spelled, sizeof(spelled));
	doc_record(doc, NULL, NULL);
	doc_field(doc, "type", NULL, cell_str(spelled));
	doc_field(doc, "address", NULL, cell_address(address));
	if (cpu >= 0)
		doc_field(doc, "cpu", NULL, cell_dec(cpu));
	doc_field(doc, "size", NULL, cell_udec(type_size(type)));
}

/* -r: the words of memory, as rd shows them. */
static struct error *show_raw(struct run *run, uint64_t address, uint64_t size)
{
	struct command_args args = *run->args;
	const char *width = size % 8 == 0 ? "-64" : size % 4 == 0 ? "-32" : "-8";
	uint64_t words = size / (size % 8 == 0 ? 8 : size % 4 == 0 ? 4 : 1);
	struct arena *arena = &args.doc->arena;
	char *argv[6] = { arena_strdup(arena, "rd"), arena_strdup(arena, width),
			  arena_printf(arena, "0x%" PRIx64, address),
			  arena_printf(arena, "%" PRIu64, words), NULL, NULL };

	args.argc = 4;
	if (run->options.set[OPT_USER])
		argv[args.argc++] = arena_strdup(arena, "-u");
	args.argv = argv;
	return words ? command_rd.run(&args) : NULL;
}

static struct error *raw_path(struct run *run, const char *path, void *ctx)
{
	const uint64_t *address = ctx;
	struct member member;

	struct error *err = find_path(run, path, &member);
	if (err)
		return err;
	open_record(run, member.type, *address + member.offset, -1);
	err = show_raw(run, *address + member.offset, member.size);
	doc_end(run->args->doc);
	return err;
}

/* -p: what a member points to, as a record of its own. */
static struct error *show_pointed(struct run *run, const char *path, void *ctx)
{
	const struct object *from = ctx;
	struct doc *doc = run->args->doc;
	struct object object;
	struct member member;
	uint64_t address;

	struct error *err = find_path(run, path, &member);
	if (err)
		return err;
	struct type pointer = type_strip(member.type);
	if (type_kind(pointer) != TYPE_POINTER || member.offset + 8 > from->size ||
	    !member_load(&member, from->bytes + member.offset, 8, &address) || !address)
		return NULL;
	struct type target = type_target(pointer);
	if (!type_size(target) || !type_is_complete(target))
		return NULL;
	object_for(run, target, address, &object);
	err = object_read(&object);
	if (err)
		return err;
	open_record(run, target, address, -1);
	doc_field(doc, "pointed_by", NULL, cell_str(path));
	struct member whole = { .name = "", .size = type_size(target), .type = target };
	auto_free char *label = xasprintf("    *%s", path);
	object.format.indent = 1;
	object_add_value(&object, label, &whole);
	typed_lines(doc, &object.text);
	doc_end(doc);
	object_deinit(&object);
	return NULL;
}

static struct error *show(struct run *run, uint64_t address, int cpu)
{
	struct doc *doc = run->args->doc;
	struct object object;

	if (run->options.set[OPT_RAW] && run->named.paths)
		return each_path(run, raw_path, &address);
	object_for(run, run->type, address, &object);
	object.extent = typed_extent(&doc->arena, &run->named);
	struct error *err = read_object(run, &object);
	if (err)
		return err;
	if (cpu >= 0)
		strbuf_addf(&object.text, "[CPU %d] %016" PRIx64 "\n", cpu, address);
	open_record(run, run->type, address, cpu);
	if (run->options.set[OPT_RAW]) {
		typed_lines(doc, &object.text);
		err = show_raw(run, address, type_size(run->type));
		doc_end(doc);
		object_deinit(&object);
		return err;
	}
	object_table(doc);
	if (run->named.paths)
		err = each_path(run, run->options.set[OPT_OFFSETS] ? locate_path : show_path,
				&object);
	else if (run->options.set[OPT_OFFSETS])
		type_format_layout(run->type, address, &object.text);
	else
		object_add_all(&object);
	doc_end(doc);
	typed_lines(doc, &object.text);
	doc_end(doc);
	if (!err && run->options.set[OPT_POINTED])
		err = each_path(run, show_pointed, &object);
	object_deinit(&object);
	return err;
}

/* How many; a negative number means so many up to and with the one at the address. */
static struct error *find_count(struct run *run, uint64_t *count, uint64_t *before)
{
	const char *word = run->options.value[OPT_COUNT];

	*count = 1;
	*before = 0;
	if (run->options.word_count > 2)
		word = run->options.words[2];
	if (!word)
		return NULL;
	struct error *err = parse_count(word + (*word == '-'), count);
	if (!err && *count > COUNT_MAX)
		err = error_new(ERROR_USAGE, "at most %d at once", COUNT_MAX);
	if (!err && *word == '-' && *count)
		*before = *count - 1;
	return err;
}

static struct error *show_all(struct run *run)
{
	struct cpu_addresses addresses;
	uint64_t size = type_size(run->type), count, before;

	struct error *err = find_count(run, &count, &before);
	if (!err)
		err = parse_percpu_addresses(run->args->session, run->options.words[1],
					     run->args->doc, &addresses);
	for (size_t n = 0; !err && n < addresses.count; n++) {
		uint64_t first = addresses.data[n].address - run->back - before * size;
		for (uint64_t i = 0; !err && i < count; i++) {
			if (session_stopped(run->args->session))
				return NULL;
			err = show(run, first + i * size, addresses.data[n].cpu);
		}
	}
	return err;
}

/* --- The command --- */

static struct error *find_back(struct run *run)
{
	const char *word = run->options.value[OPT_BACK];
	struct member member;

	if (!word || parse_u64(word, &run->back))
		return NULL;
	/* "list" of this struct and "struct_name.list" alike. */
	if (type_find_member(run->type, word, &member)) {
		run->back = member.offset;
		return NULL;
	}
	return typed_offset(run->args->session, word, &run->back, NULL);
}

static struct error *find_user(struct run *run)
{
	const struct task *task;

	struct error *err = task_or_current(run->args->session, NULL, &task);
	return err ? err : task_page_root(run->args->session, task, &run->root);
}

static struct error *run_struct(struct command_args *args)
{
	struct run run = { .args = args };

	struct error *err = options_parse(args, struct_option_table,
					  array_size(struct_option_table), &run.options);
	if (err)
		return err;
	if (!run.options.word_count || run.options.word_count > 3)
		return error_new(ERROR_USAGE,
				 run.options.word_count ? "too many words" : "which struct?");
	err = typed_find(args->session, &args->doc->arena, run.options.words[0],
			 strcmp(args->argv[0], "union") == 0, &run.named);
	run.type = run.named.type;
	if (!err)
		err = find_back(&run);
	if (!err && run.named.paths)
		err = each_path(&run, check_path, NULL);
	if (!err && run.options.set[OPT_POINTED] &&
	    (!run.named.paths || run.options.word_count < 2))
		err = error_new(ERROR_USAGE, "-p needs members and an address");
	if (!err && run.options.set[OPT_FILE] &&
	    (run.options.set[OPT_USER] || run.options.set[OPT_RAW]))
		err = error_new(ERROR_USAGE, "-f goes neither with -u nor with -r (rd -f)");
	if (!err && run.options.set[OPT_USER])
		err = find_user(&run);
	if (err)
		return err;
	doc_array(args->doc, "structs", NULL);
	err = run.options.word_count > 1 ? show_all(&run) : define(&run);
	doc_end(args->doc);
	return err;
}

#define STRUCT_HELP                                                                                \
	"Without an address the definition; with one, what is there. NAME may be a typedef too,\n" \
	"and a member a path: se.vruntime, cpus_mask.bits[0].\n"                                   \
	"  -o         the offset of each member; with an address, the address of each\n"           \
	"  -x, -d     numbers in hexadecimal, in decimal (the default, but for flags)\n"           \
	"  -l OFFSET  the address points so many bytes, or to this member, inside the object\n"    \
	"  -c COUNT   an array of so many (COUNT may also follow the address); a negative number\n" \
	"             means so many up to the one at the address\n"                                \
	"  -p         with members: what those that are pointers point to\n"                       \
	"  -r         the raw words of memory\n"                                                   \
	"  -u         the address is one of the current task's user space\n"                       \
	"  -f         the address is an offset in the dump file\n"                                 \
	"The address may be a C expression in quotes; a per-CPU variable takes a list of CPUs,\n" \
	"or a colon alone for that of the current task.\n"

const struct command command_struct = {
	.name = "struct",
	.usage = "NAME[.MEMBER[,MEMBER ...]] [-o | -r] [-x | -d] [-p] [-u | -f] [-l OFFSET] [-c COUNT] [ADDRESS[:CPUS] [COUNT]]",
	.summary = "a struct's definition, or the one at an address",
	.help = STRUCT_HELP "Examples: struct list_head | struct -o page | "
			    "struct task_struct.comm,pid init_task\n"
			    "Examples: struct rq.nr_running runqueues:a | "
			    "struct -p task_struct.active_mm init_task",
	.run = run_struct,
};

const struct command command_union = {
	.name = "union",
	.usage = "NAME[.MEMBER[,MEMBER ...]] [-o | -r] [-x | -d] [-p] [-u | -f] [-l OFFSET] [-c COUNT] [ADDRESS[:CPUS] [COUNT]]",
	.summary = "a union's definition, or the one at an address",
	.help = STRUCT_HELP "Example: union rcu_special",
	.run = run_struct,
};
