// SPDX-License-Identifier: LGPL-2.1-or-later
/* bpf: the loaded BPF programs and maps. */
#include "kernel/bpf.h"

#include <inttypes.h>
#include <stdio.h>

#include "commands/show.h"
#include "commands/table.h"

enum { OPT_PROGRAM, OPT_PROGRAMS, OPT_MAP, OPT_MAPS, OPT_STRUCTS, OPT_HEX, OPT_DEC };

static const struct option bpf_option_table[] = {
	[OPT_PROGRAM] = { "p", true },  [OPT_PROGRAMS] = { "P", false },
	[OPT_MAP] = { "m", true },      [OPT_MAPS] = { "M", false },
	[OPT_STRUCTS] = { "s", false }, [OPT_HEX] = { "x", false },
	[OPT_DEC] = { "d", false },
};

static const struct column program_columns[] = {
	{ .key = "id", .title = "ID", .right = true },
	{ .key = "address", .title = "BPF_PROG" },
	{ .key = "aux", .title = "BPF_PROG_AUX" },
	{ .key = "type", .title = "BPF_PROG_TYPE" },
	{ .key = "tag", .title = "TAG" },
	{ .key = "used_maps", .title = "USED_MAPS" },
	{ .key = "name", .title = "NAME", .style = STYLE_STRONG },
};

static const struct column map_columns[] = {
	{ .key = "id", .title = "ID", .right = true },
	{ .key = "address", .title = "BPF_MAP" },
	{ .key = "type", .title = "BPF_MAP_TYPE" },
	{ .key = "flags", .title = "MAP_FLAGS", .right = true },
	{ .key = "name", .title = "NAME", .style = STYLE_STRONG },
};

struct bpf_run {
	struct command_args *args;
	struct options options;
	uint64_t id;      /* with -p, -m: only this */
	bool one, detail;
	size_t count, incomplete;
	struct error *err;
};

static struct cell text_or_none(const char *text)
{
	return text[0] ? cell_str(text) : cell_none();
}

static void add_structs(struct bpf_run *run, const char *first, uint64_t at, const char *second,
			uint64_t aux)
{
	bool hex = run->options.set[OPT_HEX], decimal = run->options.set[OPT_DEC];

	if (run->err || !run->options.set[OPT_STRUCTS])
		return;
	doc_array(run->args->doc, "structs", NULL);
	run->err = show_object(run->args, first, at, hex, decimal);
	if (!run->err && second && aux)
		run->err = show_object(run->args, second, aux, hex, decimal);
	doc_end(run->args->doc);
}

static void add_program_detail(struct bpf_run *run, const struct bpf_program *p)
{
	struct doc *doc = run->args->doc;
	/* Without all of struct bpf_prog there is no type_name; time 0 is when the machine started. */
	bool known = p->type_name[0];
	char time[48];

	snprintf(time, sizeof(time), "%.3f s after boot", (double)p->loaded_ns / 1e9);
	doc_detail(doc);
	doc_field(doc, "instructions", "XLATED", known ? cell_udec(p->instructions) : cell_none());
	doc_field(doc, "jited", "JITED", known ? cell_udec(p->jited) : cell_none());
	doc_field(doc, "memory", "MEMLOCK", known ? cell_udec(p->memory) : cell_none());
	doc_field(doc, "loaded_ns", "LOAD_TIME",
		  p->loaded_ns ? cell_shown(cell_udec(p->loaded_ns), time) : cell_none());
	doc_field(doc, "gpl", "GPL_COMPATIBLE",
		  known ? cell_shown(cell_bool(p->gpl), p->gpl ? "yes" : "no") : cell_none());
	doc_field(doc, "uid", "UID", p->uid_known ? cell_udec(p->uid) : cell_none());
	add_structs(run, "struct bpf_prog", p->address, "struct bpf_prog_aux", p->aux);
	doc_end(doc);
}

static void add_program(void *ctx, const struct bpf_program *p)
{
	struct bpf_run *run = ctx;
	struct cell ids[64];
	size_t count = (size_t)min_u64(p->map_count, array_size(p->map_ids));

	if (run->one && p->id != run->id)
		return;
	run->count++;
	run->incomplete += p->incomplete;
	for (size_t i = 0; i < count; i++)
		ids[i] = p->map_ids[i] ? cell_udec(p->map_ids[i]) : cell_none();
	struct cell_list list = { ids, count };
	doc_row(run->args->doc, cell_udec(p->id), cell_address(p->address),
		p->aux ? cell_address(p->aux) : cell_none(), text_or_none(p->type_name),
		text_or_none(p->tag),
		p->incomplete && !count ? cell_none() : cell_of_list(&list),
		p->incomplete ? text_or_none(p->name) : cell_str(p->name));
	if (run->detail)
		add_program_detail(run, p);
}

static void add_map(void *ctx, const struct bpf_map *m)
{
	struct bpf_run *run = ctx;
	struct doc *doc = run->args->doc;
	char flags[20];

	if (run->one && m->id != run->id)
		return;
	run->count++;
	run->incomplete += m->incomplete;
	snprintf(flags, sizeof(flags), "%08" PRIx64, m->flags);
	bool known = !m->incomplete;
	doc_row(doc, cell_udec(m->id), cell_address(m->address), text_or_none(m->type_name),
		known ? cell_shown(cell_hex(m->flags), flags) : cell_none(),
		known ? cell_str(m->name) : text_or_none(m->name));
	if (!run->detail)
		return;
	doc_detail(doc);
	doc_field(doc, "key_size", "KEY_SIZE", known ? cell_udec(m->key_size) : cell_none());
	doc_field(doc, "value_size", "VALUE_SIZE", known ? cell_udec(m->value_size) : cell_none());
	doc_field(doc, "max_entries", "MAX_ENTRIES",
		  known ? cell_udec(m->max_entries) : cell_none());
	add_structs(run, "struct bpf_map", m->address, NULL, 0);
	doc_end(doc);
}

static void add_programs(struct bpf_run *run)
{
	struct walk_trouble trouble = { .count = 0 };

	doc_table(run->args->doc, "programs", program_columns, array_size(program_columns));
	bpf_programs_each(run->args->session, &trouble, add_program, run);
	doc_end(run->args->doc);
	show_trouble(run->args->doc, &trouble, "BPF programs");
}

static void add_maps(struct bpf_run *run)
{
	struct walk_trouble trouble = { .count = 0 };

	doc_table(run->args->doc, "maps", map_columns, array_size(map_columns));
	bpf_maps_each(run->args->session, &trouble, add_map, run);
	doc_end(run->args->doc);
	show_trouble(run->args->doc, &trouble, "BPF maps");
}

static struct error *run_bpf(struct command_args *args)
{
	struct bpf_run run = { .args = args };

	struct error *err = options_parse(args, bpf_option_table, array_size(bpf_option_table),
					  &run.options);
	bool *set = run.options.set;
	if (!err && run.options.word_count)
		err = error_new(ERROR_USAGE, "bpf takes options only");
	/* An id is one of programs, or one of maps. */
	if (!err && ((set[OPT_PROGRAM] && (set[OPT_MAP] || set[OPT_MAPS])) ||
		     (set[OPT_MAP] && set[OPT_PROGRAMS])))
		err = error_new(ERROR_USAGE, "one id of programs (-p), or one of maps (-m), alone");
	const char *word = run.options.value[set[OPT_PROGRAM] ? OPT_PROGRAM : OPT_MAP];
	run.one = word != NULL;
	if (!err && run.one)
		err = parse_count(word, &run.id);
	if (err)
		return err;
	bool programs = set[OPT_PROGRAM] || set[OPT_PROGRAMS], maps = set[OPT_MAP] || set[OPT_MAPS];
	run.detail = programs || maps || set[OPT_STRUCTS];
	if (programs || !maps)
		add_programs(&run);
	if (maps || !programs)
		add_maps(&run);
	if (run.incomplete)
		doc_remark(args->doc, REMARK_HOLE, "%zu of them are only partly in the dump",
			   run.incomplete);
	if (!run.err && run.one && !run.count)
		return error_new(ERROR_NOT_FOUND, "there is no BPF %s %s",
				 programs ? "program" : "map", word);
	return run.err;
}

const struct command command_bpf = {
	.name = "bpf",
	.usage = "[-p ID | -P | -m ID | -M] [-s [-x | -d]]",
	.summary = "BPF programs and maps",
	.help = "The BPF programs and maps that are loaded.\n"
		"  -p ID   one program, with its sizes, when it was loaded, and by whom; -P  all programs\n"
		"  -m ID   one map, with the sizes of keys and values; -M  all maps\n"
		"  -s      with their structures; -x, -d  in this base\n"
		"Examples: bpf | bpf -P | bpf -M",
	.run = run_bpf,
};
