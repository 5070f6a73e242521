// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Prints the layout of every struct and union that is named on standard input, from BTF in files
 * (the kernel's, then perhaps a module's) or from the DWARF of an ELF file, for comparison with
 * pahole:
 *
 *	struct list_head 16
 *	next 0 0 8
 *
 * that is name, size; then for each member its name, offset in bits, bits (0: no bit-field) and
 * size in bytes. With -t instead it measures how long looking up typical members takes.
 */
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/filemap.h"
#include "base/strbuf.h"
#include "types/dwarf.h"

static struct filemap *load(struct types *types, const char *module, const char *path)
{
	struct filemap *map;
	struct error *err = filemap_open(path, &map);

	volatile uint8_t sum = 0;
	for (size_t i = 0; !err && i < map->size; i += 4096)
		sum = (uint8_t)(sum + map->data[i]); /* page it in: that is not what is measured */
	if (!err)
		err = types_add_btf_bytes(types, module, map->data, map->size);
	if (err) {
		fprintf(stderr, "%s\n", err->message);
		exit(1);
	}
	return map;
}

static void print_layout(const char *name, const struct type *found)
{
	struct member m;

	if (!found) {
		printf("%s missing\n", name);
		return;
	}
	struct type type = *found;
	printf("%s %llu\n", name, (unsigned long long)type_size(type));
	for (unsigned i = 0; type_member_at(type, i, &m); i++)
		printf("%s %llu %u %llu\n", *m.name ? m.name : "-",
		       (unsigned long long)m.offset * 8 + m.bit_offset, m.bit_size,
		       (unsigned long long)type_size(m.type));
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static const char *const typical[][2] = {
	{ "task_struct", "thread.sp" },
	{ "task_struct", "tasks.next" },
	{ "task_struct", "__state|state" },
	{ "task_struct", "comm" },
	{ "module", "mem[0].base|core_layout.base" },
	{ "pid", "numbers[0].nr" },
	{ "uts_namespace", "name.release" },
	{ "printk_ringbuffer", "desc_ring.count_bits" },
	{ "prb_desc", "state_var" },
	{ "printk_info", "caller_id" },
	{ "pid_namespace", "idr.idr_rt.xa_head" },
	{ "xa_node", "slots" },
	{ "rq", "curr" },
	{ "mm_struct", "pgd" },
	{ "kmem_cache", "name" },
	{ "timekeeper", "xtime_sec" },
	{ "no_such_struct", "member" },
};

static void measure(struct types *types)
{
	struct member m;

	for (size_t i = 0; i < array_size(typical); i++) {
		double start = now();
		bool found = types_member(types, typical[i][0], typical[i][1], &m);
		printf("%8.3f ms %s.%s %s\n", now() - start, typical[i][0], typical[i][1],
		       found ? "" : "not found");
	}
	double start = now();
	for (int i = 0; i < 1000000; i++)
		types_member(types, typical[i % 16][0], typical[i % 16][1], &m);
	printf("%8.3f ns again\n", now() - start);
	struct type t;
	start = now();
	types_function(types, "do_exit", &t);
	printf("%8.3f ms first function\n", now() - start);
	int64_t v;
	start = now();
	types_enumerator(types, "NR_FREE_PAGES", &v);
	printf("%8.3f ms first enumerator\n", now() - start);
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

static int print_dwarf(const char *path)
{
	Dwarf_Addr bias;
	char line[512];
	struct type type;
	Dwfl *dwfl = dwfl_begin(&callbacks);
	Dwfl_Module *module = dwfl_report_offline(dwfl, path, path, -1);
	Dwarf *handle = module ? dwfl_module_getdwarf(module, &bias) : NULL;
	struct dwarf *dwarf = handle ? dwarf_from_handle(handle, NULL, 0) : NULL;

	if (!dwarf) {
		fprintf(stderr, "%s: has no DWARF\n", path);
		return 1;
	}
	const struct type_source *source = &dwarf->source;
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		bool is_union = strncmp(line, "union ", 6) == 0;
		const char *name = strchr(line, ' ');
		bool found = name && source->ops->find(source, is_union ? NAME_UNION : NAME_STRUCT,
						       name + 1, &type);
		print_layout(line, found ? &type : NULL);
	}
	source->ops->destroy(&dwarf->source);
	dwfl_end(dwfl);
	return 0;
}

static bool is_elf(const char *path)
{
	char magic[4] = "";
	FILE *file = fopen(path, "re");

	if (file) {
		if (fread(magic, 1, sizeof(magic), file) != sizeof(magic))
			magic[0] = '\0';
		fclose(file);
	}
	return memcmp(magic, "\177ELF", sizeof(magic)) == 0;
}

int main(int argc, char **argv)
{
	bool timing = argc > 1 && strcmp(argv[1], "-t") == 0;
	char line[512];

	if (argc < 2 + timing) {
		fprintf(stderr, "usage: type_layouts [-t] BTF [MODULE-BTF] | ELF\n");
		return 2;
	}
	argv += timing;
	if (is_elf(argv[1]))
		return print_dwarf(argv[1]);
	struct types *types = types_create(NULL);
	struct filemap *kernel = load(types, NULL, argv[1]);
	struct filemap *module = argv[2] ? load(types, "module", argv[2]) : NULL;
	if (timing)
		measure(types);
	while (!timing && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		struct type type;
		print_layout(line, types_find(types, line, &type) ? &type : NULL);
	}
	types_destroy(types);
	filemap_close(module);
	filemap_close(kernel);
	return 0;
}
