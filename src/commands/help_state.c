// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * crash prints its internal tables for these letters; here each shows what our program has in their
 * place, as records. Where there is nothing in its place, a note says why or what to use instead.
 */
#include "commands/help_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "base/strbuf.h"
#include "commands/alias.h"
#include "commands/show.h"
#include "commands/source.h"
#include "commands/table.h"
#include "kernel/cpus.h"
#include "kernel/modules.h"
#include "kernel/tasks.h"

/* --- -m: how memory is laid out. --- */

static struct cell known(bool is_known, struct cell cell)
{
	return is_known ? cell : cell_none();
}

static void show_memory(struct command_args *args)
{
	struct session *s = args->session;
	const struct kernel_layout *l = memory_layout(s->memory);
	struct doc *doc = args->doc;

	doc_record(doc, "memory_layout", NULL);
	doc_field(doc, "architecture", "ARCHITECTURE", cell_str(s->arch->name));
	doc_field(doc, "page_size", "PAGE SIZE", cell_udec(PAGE_SIZE));
	doc_field(doc, "page_table", "PAGE TABLE", known(l->has_root, cell_hex(l->root.table.v)));
	doc_field(doc, "levels", "LEVELS", known(l->has_root, cell_udec(l->root.levels)));
	doc_field(doc, "image_base", "IMAGE BASE", cell_address(s->arch->image_base));
	doc_field(doc, "image_size", "IMAGE SIZE", cell_hex(l->image_size));
	doc_field(doc, "image_offset", "IMAGE OFFSET",
		  known(l->has_image_offset, cell_hex(l->image_offset)));
	doc_field(doc, "phys_base", "PHYSICAL BASE",
		  known(l->has_phys_base, cell_hex((uint64_t)l->phys_base)));
	doc_field(doc, "page_offset", "DIRECT MAP",
		  known(l->has_page_offset, cell_address(l->page_offset)));
	doc_field(doc, "phys_mask", "PHYSICAL MASK", cell_hex(l->root.phys_mask));
	doc_end(doc);
}

/* --- -n, -D: the dump file. --- */

static const struct column note_columns[] = {
	{ .key = "kind", .title = "NOTE" },
	{ .key = "cpu", .title = "CPU", .right = true },
	{ .key = "bytes", .title = "BYTES", .right = true },
};

static const struct column segment_columns[] = {
	{ .key = "start", .title = "PHYSICAL" },
	{ .key = "size", .title = "SIZE" },
	{ .key = "virtual", .title = "VIRTUAL" },
};

static void show_notes(struct doc *doc, const struct dump_info *info)
{
	doc_table(doc, "notes", note_columns, array_size(note_columns));
	if (!info->note_count)
		doc_hidden(doc);
	for (size_t i = 0; i < info->note_count; i++)
		doc_row(doc, cell_str(info->notes[i].kind == NOTE_QEMU ? "QEMU" : "NT_PRSTATUS"),
			cell_udec(info->notes[i].cpu), cell_udec(info->notes[i].size));
	doc_end(doc);
	doc_table(doc, "segments", segment_columns, array_size(segment_columns));
	if (!info->segment_count)
		doc_hidden(doc);
	for (size_t i = 0; i < info->segment_count; i++)
		doc_row(doc, cell_address(info->segments[i].start.v),
			cell_hex(info->segments[i].size), cell_address(info->segments[i].vaddr));
	doc_end(doc);
	doc_lines(doc, "vmcoreinfo", NULL);
	if (info->vmcoreinfo)
		doc_heading(doc, "VMCOREINFO");
	const char *line = info->vmcoreinfo;
	const char *end = line ? line + info->vmcoreinfo_size : NULL;
	while (line && line < end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((stop ? stop : end) - line);
		if (length)
			doc_linef(doc, "%.*s", (int)length, line);
		line += length + 1;
	}
	doc_end(doc);
}

static void show_dump(struct command_args *args)
{
	const struct dump_info *info = dump_info(args->session->dump);
	struct doc *doc = args->doc;

	doc_record(doc, "dump", NULL);
	doc_field(doc, "path", "FILE", cell_str(args->session->path));
	doc_field(doc, "format", "FORMAT", cell_str(info->format));
	doc_field(doc, "compression", "COMPRESSION", cell_str(info->compression));
	doc_field(doc, "flattened", "FLATTENED", cell_bool(info->flattened));
	doc_field(doc, "files", "FILES", cell_udec(info->files));
	doc_field(doc, "bytes", "BYTES", cell_udec(info->file_size));
	doc_field(doc, "release", "RELEASE", cell_str(*info->release ? info->release : NULL));
	doc_field(doc, "version", "VERSION", cell_str(*info->version ? info->version : NULL));
	doc_field(doc, "machine", "MACHINE", cell_str(*info->machine ? info->machine : NULL));
	doc_field(doc, "timestamp", "TIMESTAMP",
		  known(info->timestamp != 0, cell_udec(info->timestamp)));
	doc_field(doc, "dump_level", "DUMP LEVEL",
		  known(info->has_dump_level, cell_udec(info->dump_level)));
	doc_field(doc, "max_pfn", "MAX PFN", cell_hex(info->max_pfn));
	doc_field(doc, "present_pages", "PAGES", cell_udec(info->present_pages));
	doc_field(doc, "truncated", "CUT OFF", cell_bool(info->truncated));
	doc_end(doc);
	show_notes(doc, info);
}

/* --- -r: what the dump saved of each CPU. --- */

static void show_registers(struct command_args *args)
{
	struct session *s = args->session;
	struct doc *doc = args->doc;
	size_t count;
	const struct cpu *all = cpus(s, &count);

	doc_array(doc, "registers", NULL);
	for (size_t i = 0; i < count; i++) {
		doc_record(doc, NULL, NULL);
		doc_heading(doc, "CPU %u  %s", all[i].id,
			    all[i].has_regs ? all[i].regs_source : "not saved");
		doc_field(doc, "cpu", NULL, cell_udec(all[i].id));
		doc_field(doc, "source", NULL,
			  cell_str(all[i].has_regs ? all[i].regs_source : NULL));
		doc_record(doc, "values", NULL);
		doc_look(doc, LOOK_REGISTERS);
		for (unsigned r = 0; all[i].has_regs && r < s->arch->reg_count; r++) {
			if (all[i].regs.known >> r & 1)
				doc_field(doc, s->arch->reg_names[r], s->arch->reg_names[r],
					  cell_address(all[i].regs.value[r]));
		}
		doc_end(doc);
		doc_end(doc);
	}
	doc_end(doc);
	if (!count)
		doc_remark(doc, REMARK_HOLE, "which CPUs there were cannot be read");
}

/* --- -s, -k, -t, -v, -p --- */

static void show_symbols(struct command_args *args)
{
	struct session *s = args->session;
	struct doc *doc = args->doc;
	auto_strbuf files = { 0 };
	size_t module_count = 0;

	if (s->debuginfo)
		source_files_text(s, &files);
	if (s->symbols)
		(void)modules(s, &module_count);
	doc_record(doc, "symbols", NULL);
	doc_field(doc, "source", "SYMBOLS", cell_str(s->symbols ? symbols_source(s->symbols) : NULL));
	doc_field(doc, "types", "TYPES", cell_str(s->types ? types_source(s->types) : NULL));
	doc_field(doc, "debug_files", "DEBUG FILES", cell_str(strbuf_text(&files)));
	doc_field(doc, "modules", "MODULES", cell_udec(module_count));
	doc_end(doc);
}

static void show_kernel(struct command_args *args)
{
	struct command_args alone = *args;

	alone.argc = 1;
	doc_record(args->doc, "kernel", NULL);
	error_free(command_sys.run(&alone));
	doc_end(args->doc);
}

static void show_tasks(struct command_args *args)
{
	size_t count;
	const struct task *all = tasks(args->session, &count);
	struct doc *doc = args->doc;
	uint64_t threads = 0, kernel = 0, running = 0, incomplete = 0;

	for (size_t i = 0; i < count; i++) {
		threads += all[i].pid != all[i].tgid;
		kernel += task_kind(&all[i]) == TASK_KERNEL;
		running += all[i].on_cpu;
		incomplete += all[i].incomplete;
	}
	doc_record(doc, "tasks", NULL);
	doc_field(doc, "tasks", "TASKS", cell_udec(count));
	doc_field(doc, "kernel_threads", "KERNEL THREADS", cell_udec(kernel));
	doc_field(doc, "threads", "FURTHER THREADS", cell_udec(threads));
	doc_field(doc, "on_cpu", "ON A CPU", cell_udec(running));
	doc_field(doc, "incomplete", "INCOMPLETE", cell_udec(incomplete));
	doc_end(doc);
	show_unknown_kinds(doc, all, count);
}

static const struct column facts_columns[] = {
	{ .key = "type", .title = "TYPE" },
	{ .key = "size", .title = "SIZE", .right = true },
};

/* What the memory commands stand on: the sizes of the types, as this kernel has them. */
static void show_vm(struct command_args *args)
{
	static const char *const types[] = {
		"page", "pglist_data", "zone", "kmem_cache", "slab", "vm_area_struct", "mm_struct",
		"vmap_area", "mem_section", "folio",
	};
	struct doc *doc = args->doc;

	show_memory(args);
	doc_table(doc, "sizes", facts_columns, array_size(facts_columns));
	for (size_t i = 0; i < array_size(types); i++) {
		uint64_t size = types_sizeof(args->session->types, types[i]);
		doc_row(doc, cell_str(types[i]), known(size != 0, cell_udec(size)));
	}
	doc_end(doc);
}

static void show_program(struct command_args *args)
{
	struct doc *doc = args->doc;

	doc_record(doc, "program", NULL);
	doc_field(doc, "name", "PROGRAM", cell_str("inquest"));
	doc_field(doc, "version", "VERSION", cell_str(INQUEST_VERSION));
	doc_field(doc, "compiler", "COMPILER", cell_str(__VERSION__));
	doc_end(doc);
}

static void show_aliases(struct command_args *args)
{
	args->rest = "";
	error_free(command_alias.run(args));
}

static void show_list(struct command_args *args)
{
	help_state_list(args->doc);
}

static const struct {
	char letter;
	const char *summary;
	void (*show)(struct command_args *args); /* NULL: @summary is why there is nothing */
} states[] = {
	{ 'a', "the aliases", show_aliases },
	{ 'b', "there are no shared buffers", NULL },
	{ 'B', "the program's version and compiler", show_program },
	{ 'c', "arguments are not counted ahead; `args` finds them", NULL },
	{ 'd', "devices are read when they are asked for; `dev` shows them", NULL },
	{ 'D', "the dump file: header, notes, VMCOREINFO", show_dump },
	{ 'e', "there are no extensions; pipelines, --json and --csv do that work", NULL },
	{ 'f', "files are read when they are asked for; `files` and `mount` show them", NULL },
	{ 'g', "there is no gdb inside", NULL },
	{ 'h', "lists find their loops without a hash", NULL },
	{ 'H', "lists find their loops without a hash", NULL },
	{ 'k', "the kernel (as `sys`)", show_kernel },
	{ 'K', "the kernel (as `sys`)", show_kernel },
	{ 'L', "LKCD dumps are not read", NULL },
	{ 'm', "how memory is laid out", show_memory },
	{ 'M', "how memory is laid out", show_memory },
	{ 'n', "the dump file: header, notes, VMCOREINFO", show_dump },
	{ 'N', "the network is read when it is asked for; `net` shows it", NULL },
	{ 'o', "offsets are asked by name when they are needed; `struct -o NAME` shows them", NULL },
	{ 'p', "the program's version and compiler", show_program },
	{ 'r', "the registers that the dump saved of each CPU", show_registers },
	{ 's', "where symbols, types and debug information come from", show_symbols },
	{ 't', "how many tasks there are, and of which kinds", show_tasks },
	{ 'T', "how many tasks there are, and of which kinds", show_tasks },
	{ 'v', "what memory's commands stand on: layout and sizes", show_vm },
	{ 'V', "what memory's commands stand on: layout and sizes", show_vm },
	{ 'x', "there is no cache of disassembled text", NULL },
	{ 'z', "these letters", show_list },
};

static const struct column state_columns[] = {
	{ .key = "letter", .title = "", .style = STYLE_STRONG },
	{ .key = "shows", .title = "" },
	{ .key = "summary" },
};

void help_state_list(struct doc *doc)
{
	doc_table(doc, "states", state_columns, array_size(state_columns));
	doc_bare(doc);
	for (size_t i = 0; i < array_size(states); i++) {
		char word[] = { '-', states[i].letter, '\0' };
		char *nothing = arena_printf(&doc->arena, "(nothing: %s)", states[i].summary);
		doc_row(doc, cell_str(word),
			states[i].show ? cell_str(states[i].summary)
				       : cell_shown(cell_none(), nothing),
			cell_str(states[i].summary));
	}
	doc_end(doc);
}

bool help_state(struct command_args *args, char letter)
{
	for (size_t i = 0; i < array_size(states); i++) {
		if (states[i].letter != letter)
			continue;
		if (states[i].show)
			states[i].show(args);
		else
			doc_remark(args->doc, REMARK_NOTE, "-%c: %s", letter, states[i].summary);
		return true;
	}
	return false;
}
