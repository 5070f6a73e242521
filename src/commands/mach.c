// SPDX-License-Identifier: LGPL-2.1-or-later
/* mach: the machine: how its kernel lies in memory, its memory map, resources and processors. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/table.h"
#include "kernel/context.h"
#include "kernel/cpu_state.h"
#include "kernel/devices.h"
#include "kernel/machine.h"
#include "kernel/system.h"
#include "kernel/timekeeper.h"

enum { OPT_MEMORY, OPT_CPUS, OPT_RESOURCES, OPT_HEX, OPT_DECIMAL };

static const struct option mach_option_table[] = {
	[OPT_MEMORY] = { "m", false }, [OPT_CPUS] = { "c", false },
	[OPT_RESOURCES] = { "i", false }, [OPT_HEX] = { "x", false },
	[OPT_DECIMAL] = { "d", false },
};

static const char *mega(struct arena *arena, uint64_t bytes)
{
	return arena_printf(arena, "%" PRIu64 " MB", bytes >> 20);
}

/* The hypervisor by the kernel's enum; NULL: not known. */
static const char *hypervisor(struct session *s)
{
	static const char prefix[] = "X86_HYPER_";
	struct type type;
	uint64_t value;

	if (!types_find(s->types, "enum x86_hypervisor_type", &type) ||
	    !kglobal(s, "x86_hyper_type", 4, &value))
		return NULL;
	const char *name = type_enum_name(type, (int64_t)value);
	if (!name)
		return NULL;
	if (starts_with(name, prefix))
		name += sizeof(prefix) - 1;
	return strcmp(name, "NATIVE") == 0 ? "none, or one that it does not know" : name;
}

static void add_address(struct doc *doc, const char *key, const char *title, bool known,
			uint64_t address)
{
	doc_field(doc, key, title, known ? cell_address(address) : cell_none());
}

static void add_layout(struct session *s, struct doc *doc)
{
	const struct kernel_layout *layout = memory_layout(s->memory);
	uint64_t base, page_offset = layout->page_offset;
	bool known = layout->has_page_offset || kglobal(s, "page_offset_base", 8, &page_offset);

	add_address(doc, "virtual_base", "KERNEL VIRTUAL BASE", known, page_offset);
	known = kglobal(s, "vmalloc_base", 8, &base);
	add_address(doc, "vmalloc_base", "KERNEL VMALLOC BASE", known, base);
	known = kglobal(s, "vmemmap_base", 8, &base);
	add_address(doc, "vmemmap_base", "KERNEL VMEMMAP BASE", known, base);
	base = s->symbols ? symbols_address(s->symbols, "_text") : 0;
	add_address(doc, "text_base", "KERNEL TEXT", base, base);
	doc_field(doc, "kaslr_offset", "KASLR OFFSET",
		  layout->has_image_offset ? cell_hex(layout->image_offset) : cell_none());
	doc_field(doc, "phys_base", "PHYSICAL BASE",
		  layout->has_phys_base ? cell_hex((uint64_t)layout->phys_base) : cell_none());
	doc_field(doc, "page_table", "PAGE TABLE",
		  layout->has_root ? cell_hex(layout->root.table.v) : cell_none());
	doc_field(doc, "page_table_levels", "PAGE TABLE LEVELS",
		  layout->has_root ? cell_udec(layout->root.levels) : cell_none());
	doc_field(doc, "stack_size", "KERNEL STACK SIZE", cell_udec(cpu_thread_size(s)));
}

/* The stacks that belong to CPUs. */
static void add_stacks(struct session *s, struct doc *doc)
{
	static const struct column columns[] = {
		{ .key = "cpu", .title = "CPU", .right = true },
		{ .key = "stack", .title = "STACK" },
		{ .key = "low", .title = "FROM" },
		{ .key = "high", .title = "TO" },
	};
	size_t count;
	const struct cpu *cpu = cpus(s, &count);

	doc_table(doc, "stacks", columns, array_size(columns));
	for (size_t i = 0; i < count; i++) {
		struct stack_limits stacks[CPU_STACKS_MAX];
		unsigned found = cpu_own_stacks(s, &cpu[i], stacks);
		for (unsigned k = 0; k < found; k++)
			doc_row(doc, cell_udec(cpu[i].id), cell_str(stacks[k].name),
				cell_address(stacks[k].low), cell_address(stacks[k].high));
	}
	doc_end(doc);
}

static void show_machine(struct command_args *args)
{
	struct session *s = args->session;
	struct doc *doc = args->doc;
	struct system_info *info = arena_zalloc(&doc->arena, sizeof(*info));
	uint64_t khz, jiffies, hz = kernel_ticks(s, &jiffies);

	system_info(s, info);
	doc_field(doc, "machine", "MACHINE TYPE", cell_str(info->machine));
	doc_field(doc, "memory_bytes", "MEMORY SIZE",
		  info->memory_bytes ? cell_shown(cell_udec(info->memory_bytes),
						  mega(&doc->arena, info->memory_bytes))
				     : cell_none());
	unsigned cpu_count = info->cpus_online ? info->cpus_online : info->cpus_possible;
	doc_field(doc, "cpus", "CPUS", cpu_count ? cell_udec(cpu_count) : cell_none());
	doc_field(doc, "hypervisor", "HYPERVISOR", cell_str(hypervisor(s)));
	bool known = (kglobal(s, "tsc_khz", 4, &khz) && khz) || (kglobal(s, "cpu_khz", 4, &khz) && khz);
	doc_field(doc, "mhz", "PROCESSOR SPEED",
		  known ? cell_shown(cell_udec(khz / 1000),
				     arena_printf(&doc->arena, "%" PRIu64 " Mhz", khz / 1000))
			: cell_none());
	doc_field(doc, "hz", "HZ", hz ? cell_udec(hz) : cell_none());
	doc_field(doc, "page_size", "PAGE SIZE", cell_udec(PAGE_SIZE));
	add_layout(s, doc);
	add_stacks(s, doc);
}

static bool add_range(void *ctx, const struct memory_range *range)
{
	struct command_args *args = ctx;
	const char *text = arena_printf(&args->doc->arena, "%016" PRIx64 " - %016" PRIx64,
					range->start, range->start + range->size);
	const char *name = range->type_name;

	doc_row(args->doc, cell_shown(cell_none(), text), cell_hex(range->start),
		cell_hex(range->start + range->size),
		cell_shown(cell_str(name),
			   name ? name : arena_printf(&args->doc->arena, "(type %" PRIu64 ")",
						      range->type)),
		cell_udec(range->type), cell_udec(range->size));
	return true;
}

static struct error *show_memory(struct command_args *args)
{
	static const struct column columns[] = {
		{ .key = NULL, .title = "PHYSICAL ADDRESS RANGE" },
		{ .key = "start" },
		{ .key = "end" },
		{ .key = "type", .title = "TYPE", .style = STYLE_STRONG },
		{ .key = "type_number" },
		{ .key = "size", .title = "SIZE", .right = true },
	};

	doc_table(args->doc, "memory_map", columns, array_size(columns));
	bool known = memory_map_each(args->session, add_range, args);
	doc_end(args->doc);
	return known ? NULL : error_new(ERROR_MISSING, "the firmware's memory map cannot be read "
					"(e820_table; other architectures than x86 have none): "
					"see mach -i");
}

static void add_resource(void *ctx, const struct resource *r)
{
	struct command_args *args = ctx;
	const char *text = arena_printf(&args->doc->arena, "%*s%08" PRIx64 "-%08" PRIx64,
					(int)r->depth * 2, "", r->start, r->end);
	bool known = r->start || r->end || !r->incomplete;

	doc_row(args->doc, known ? cell_shown(cell_none(), text) : cell_none(),
		known ? cell_hex(r->start) : cell_none(), known ? cell_hex(r->end) : cell_none(),
		cell_str(r->name[0] ? r->name : NULL), cell_udec(r->depth),
		known ? cell_hex(r->flags) : cell_none(), cell_address(r->address));
}

static struct error *show_resources(struct command_args *args)
{
	static const struct column columns[] = {
		{ .key = NULL, .title = "PHYSICAL ADDRESSES" },
		{ .key = "start" },
		{ .key = "end" },
		{ .key = "name", .title = "WHAT", .style = STYLE_STRONG },
		{ .key = "depth" },
		{ .key = "flags" },
		{ .key = "resource", .title = "RESOURCE" },
	};
	struct walk_trouble trouble = { 0 };

	doc_table(args->doc, "resources", columns, array_size(columns));
	size_t shown = args->doc->current->row_count;
	resources_each(args->session, "iomem_resource", &trouble, add_resource, args);
	shown = args->doc->current->row_count - shown;
	doc_end(args->doc);
	if (!shown)
		return error_new(ERROR_MISSING, "%s", trouble.count ? trouble.text
							: "iomem_resource is empty");
	if (trouble.count)
		doc_remark(args->doc, REMARK_HOLE, "%s", trouble.text);
	return NULL;
}

/* The structure itself, as crash shows it, with -x or -d. */
static void add_structure(struct command_args *args, const struct processor *p,
			  const struct options *options)
{
	struct value_format format = { 0 };
	auto_strbuf text = { 0 };
	uint8_t bytes[4096];
	struct type type;

	doc_lines(args->doc, "structure", NULL);
	if (types_find(args->session->types, "struct cpuinfo_x86", &type)) {
		size_t size = (size_t)min_u64(type_size(type), sizeof(bytes));
		size_t got = memory_read_some(args->session->memory, p->address, bytes, size);
		context_format(args->session, options->set[OPT_HEX], options->set[OPT_DECIMAL],
			       &format);
		type_format_value(type, bytes, got, &format, &text);
		for (char *line = text.data, *end; line && *line; line = end) {
			end = line + strcspn(line, "\n");
			if (*end)
				*end++ = '\0';
			doc_line(args->doc, line);
		}
	}
	doc_end(args->doc);
}

static struct cell part_cell(uint64_t value)
{
	return value == PROCESSOR_UNKNOWN ? cell_none() : cell_udec(value);
}

/* As /proc/cpuinfo makes it: arch/x86/kernel/cpu/proc.c */
static struct cell bogomips(struct arena *arena, uint64_t loops_per_jiffy, uint64_t hz)
{
	if (!hz || hz > 5000 || loops_per_jiffy == PROCESSOR_UNKNOWN)
		return cell_none();
	uint64_t hundredths = loops_per_jiffy / (5000 / hz);
	return cell_shown(cell_float((double)hundredths / 100),
			  arena_printf(arena, "%" PRIu64 ".%02" PRIu64, hundredths / 100,
				       hundredths % 100));
}

static void add_processor(struct command_args *args, unsigned cpu, const struct processor *p,
			  uint64_t hz, const struct options *options)
{
	struct doc *doc = args->doc;
	auto_strbuf flags = { 0 };

	doc_record(doc, NULL, NULL);
	doc_heading(doc, "CPU %u: struct cpuinfo_x86 at %016" PRIx64, cpu, p->address);
	doc_field(doc, "cpu", NULL, cell_udec(cpu));
	doc_field(doc, "address", NULL, cell_address(p->address));
	doc_field(doc, "vendor", "VENDOR", cell_str(p->vendor));
	doc_field(doc, "family", "FAMILY", part_cell(p->family));
	doc_field(doc, "model", "MODEL", part_cell(p->model));
	doc_field(doc, "model_name", "MODEL NAME", cell_str(p->model_name[0] ? p->model_name : NULL));
	doc_field(doc, "stepping", "STEPPING", part_cell(p->stepping));
	doc_field(doc, "microcode", "MICROCODE", p->microcode == PROCESSOR_UNKNOWN
							 ? cell_none() : cell_hex(p->microcode));
	doc_field(doc, "cache_kb", "CACHE SIZE KB", part_cell(p->cache_kb));
	doc_field(doc, "package", "PHYSICAL ID", part_cell(p->package));
	doc_field(doc, "core", "CORE ID", part_cell(p->core));
	doc_field(doc, "cores", "CORES", part_cell(p->cores));
	doc_field(doc, "apicid", "APIC ID", part_cell(p->apicid));
	doc_field(doc, "bogomips", "BOGOMIPS", bogomips(&doc->arena, p->loops_per_jiffy, hz));
	doc_field(doc, "clflush", "CLFLUSH SIZE", part_cell(p->clflush));
	doc_field(doc, "physical_bits", "PHYSICAL BITS", part_cell(p->physical_bits));
	doc_field(doc, "virtual_bits", "VIRTUAL BITS", part_cell(p->virtual_bits));
	bool known = processor_flags(args->session, p->address, &flags);
	doc_field(doc, "flags", "FLAGS", cell_str(known ? strbuf_text(&flags) : NULL));
	if (options->set[OPT_HEX] || options->set[OPT_DECIMAL])
		add_structure(args, p, options);
	doc_end(doc);
}

static struct error *show_processors(struct command_args *args, const struct options *options)
{
	uint64_t jiffies, hz = kernel_ticks(args->session, &jiffies);
	size_t count, shown = 0, missing = 0;
	const struct cpu *cpu = cpus(args->session, &count);

	doc_array(args->doc, "processors", NULL);
	for (size_t i = 0; i < count; i++) {
		struct processor p;
		if (!cpu[i].online)
			continue;
		if (!processor(args->session, cpu[i].id, &p)) {
			missing++;
			continue;
		}
		add_processor(args, cpu[i].id, &p, hz, options);
		shown++;
	}
	doc_end(args->doc);
	if (missing && shown)
		doc_remark(args->doc, REMARK_HOLE, "what was known of %zu processor%s is not in the "
			   "dump", missing, missing == 1 ? "" : "s");
	return shown ? NULL : error_new(ERROR_MISSING, "no processor's cpuinfo_x86 can be read");
}

static struct error *run_mach(struct command_args *args)
{
	struct options options;
	struct error *err = options_parse(args, mach_option_table, array_size(mach_option_table),
					  &options);

	if (!err && options.word_count)
		err = error_new(ERROR_USAGE, "unexpected word: %s", options.words[0]);
	if (err)
		return err;
	if (options.set[OPT_MEMORY])
		return show_memory(args);
	if (options.set[OPT_RESOURCES])
		return show_resources(args);
	if (options.set[OPT_CPUS])
		return show_processors(args, &options);
	show_machine(args);
	return NULL;
}

const struct command command_mach = {
	.name = "mach",
	.usage = "[-m | -i | -c [-x | -d]]",
	.summary = "the machine: processors, memory map, where the kernel lies",
	.help = "What the hardware is, and where its kernel lies in memory.\n"
		"  -m        the firmware's memory map (x86: e820) as the kernel uses it\n"
		"  -i        whose each physical address is, as /proc/iomem says\n"
		"  -c        what the kernel knows of each processor, as in /proc/cpuinfo\n"
		"  -x, -d    with -c also the whole structure, numbers in hexadecimal or decimal\n"
		"Examples: mach | mach -m | mach -c -x",
	.run = run_mach,
};
