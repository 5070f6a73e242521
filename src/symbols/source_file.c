// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Symbols from a file that the user gives: a vmlinux with .symtab, or a System.map (lines of
 * "address type name", as nm prints).
 *
 * Addresses in the file are those the kernel was linked at; per-CPU offsets stay, all others move
 * by the KASLR offset. Whether the file belongs to the dump is checked by the build-id where both
 * have one, by the addresses that VMCOREINFO has, and by linux_banner: at its address in the dump
 * must be a banner.
 *
 * Of several symbols at one address, the first must be the one that the kernel would print, so
 * they are put in the order that scripts/kallsyms.c (compare_symbols) gives them: strong before
 * weak, names that the linker makes last, fewer leading underscores first.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/filemap.h"
#include "base/map.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "symbols/build_id.h"
#include "symbols/image.h"
#include "symbols/source.h"
#include "symbols/unpack.h"

enum { FILE_SYMBOLS_MAX = 1 << 24 };

struct entry {
	uint64_t address;
	const char *name;
	char type;
};

struct file_source {
	struct symbol_source base;
	struct filemap *map;
	char *text;            /* System.map with lines cut into strings */
	struct {
		vec_fields(struct entry);
	} entries;
	struct map by_name;    /* name -> number, filled on first use */
	bool indexed;
	bool late;             /* the entries are read when one is asked for */
	uint64_t shift;        /* run-time minus link-time addresses */
	uint64_t image_base;   /* addresses from here on are shifted */
	char build_id[BUILD_ID_HEX_MAX];
	/* Sections without relocations: the same in every run of this kernel. */
	struct {
		uint64_t address, offset, size;
	} constant[8];
	unsigned constant_count;
	bool of_text; /* for a text in place of a dump */
};

static void load_entries(struct file_source *fs);

/* Callers hold the station's lock. */
static struct file_source *file_of(const struct symbol_source *source)
{
	return (struct file_source *)(uintptr_t)source;
}

static struct file_source *loaded(const struct symbol_source *source)
{
	struct file_source *fs = file_of(source);

	if (fs->late)
		load_entries(fs);
	return fs;
}

static uint64_t op_address(const struct symbol_source *source, uint32_t i)
{
	return loaded(source)->entries.data[i].address;
}

static bool op_name(const struct symbol_source *source, uint32_t i, char *buf, char *type)
{
	const struct entry *e = &loaded(source)->entries.data[i];

	snprintf(buf, SYMBOL_NAME_MAX, "%s", e->name);
	*type = e->type;
	return true;
}

static uint32_t op_at(const struct symbol_source *source, uint64_t address)
{
	const struct file_source *fs = loaded(source);
	size_t low = 0, high = fs->entries.count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (fs->entries.data[mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? (uint32_t)(low - 1) : source->count;
}

/* Can any of the names be in the file? Told from its strings alone, where that is cheaper. */
static bool may_have(const struct file_source *fs, const char *const *names, size_t n);

/* The first use makes the index. */
static void op_find_names(const struct symbol_source *source, const char *const *names, size_t n,
			  uint32_t *found)
{
	struct file_source *fs = file_of(source);
	uint64_t value;

	for (size_t i = 0; i < n; i++)
		found[i] = UINT32_MAX;
	if (fs->late && !may_have(fs, names, n))
		return;
	(void)loaded(source);
	if (!fs->indexed) {
		map_reserve(&fs->by_name, fs->entries.count);
		for (size_t i = fs->entries.count; i-- > 0;)
			(void)map_set_name(&fs->by_name, fs->entries.data[i].name, i);
		fs->indexed = true;
	}
	for (size_t i = 0; i < n; i++)
		found[i] = map_get_name(&fs->by_name, names[i], &value) ? (uint32_t)value :
									  UINT32_MAX;
}

static void op_each(const struct symbol_source *source, source_fn fn, void *ctx)
{
	const struct file_source *fs = loaded(source);

	for (size_t i = 0; i < fs->entries.count; i++) {
		const struct entry *e = &fs->entries.data[i];
		if (!fn(ctx, (uint32_t)i, e->type, e->name))
			return;
	}
}

static void op_destroy(struct symbol_source *source)
{
	struct file_source *fs = file_of(source);

	vec_deinit(&fs->entries);
	map_deinit(&fs->by_name);
	filemap_close(fs->map);
	free(fs->text);
	free(fs);
}

static const struct symbol_source_ops file_ops = {
	.address = op_address,
	.name = op_name,
	.at = op_at,
	.find_names = op_find_names,
	.each = op_each,
	.destroy = op_destroy,
};

/* --- Order. --- */

static bool ends_with(const char *s, const char *end)
{
	size_t a = strlen(s), b = strlen(end);

	return a >= b && strcmp(s + a - b, end) == 0;
}

static bool is_linkers(const char *name)
{
	if (strlen(name) < 8 || name[0] != '_' || name[1] != '_')
		return false;
	name += 2;
	return strncmp(name, "start_", 6) == 0 || strncmp(name, "stop_", 5) == 0 ||
	       strncmp(name, "end_", 4) == 0 || ends_with(name, "_start") ||
	       ends_with(name, "_end");
}

/* What comes first among equals has the smaller number. */
static unsigned rank(const struct entry *e)
{
	unsigned underscores = (unsigned)strspn(e->name, "_");

	unsigned weak = e->type == 'w' || e->type == 'W', linkers = is_linkers(e->name);

	return weak << 17 | linkers << 16 | (underscores < 0xffff ? underscores : 0xffff);
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	unsigned i, j;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	i = rank(x);
	j = rank(y);
	if (i != j)
		return i < j ? -1 : 1;
	/* As nm sorts what it hands on. */
	return strcmp(x->name, y->name);
}

/* Symbols that the kernel's own table leaves out: they would hide others at their address. */
static bool is_noise(const char *name)
{
	static const char *const prefixes[] = { "$", "__kcfi_typeid_", "__crc_", "__kstrtab_",
						"__kstrtabns_" };

	for (size_t i = 0; i < array_size(prefixes); i++) {
		if (starts_with(name, prefixes[i]))
			return true;
	}
	return !*name || (name[0] == '.' && name[1] == 'L');
}

/* --- vmlinux. --- */

static char letter_of(const Elf64_Sym *sym, const Elf64_Shdr *sections, size_t count)
{
	bool local = ELF64_ST_BIND(sym->st_info) == STB_LOCAL;
	char c = 'd';

	if (ELF64_ST_BIND(sym->st_info) == STB_WEAK)
		return 'W';
	if (sym->st_shndx >= count)
		c = 'a';
	else if (sections[sym->st_shndx].sh_flags & SHF_EXECINSTR)
		c = 't';
	else if (!(sections[sym->st_shndx].sh_flags & SHF_WRITE))
		c = 'r';
	else if (sections[sym->st_shndx].sh_type == SHT_NOBITS)
		c = 'b';
	return local ? c : (char)(c - 'a' + 'A');
}

static void read_build_id(struct file_source *fs, const Elf64_Shdr *section)
{
	if (section->sh_type == SHT_NOTE && !fs->build_id[0] &&
	    range_fits(section->sh_offset, section->sh_size, fs->map->size))
		elf_notes_build_id(fs->map->data + section->sh_offset, section->sh_size,
				  fs->build_id);
}

static void add_elf_symbols(struct file_source *fs, const Elf64_Shdr *sections, size_t count,
			    const Elf64_Shdr *symtab, const Elf64_Shdr *strtab)
{
	const uint8_t *data = fs->map->data;
	const char *strings = (const char *)data + strtab->sh_offset;
	size_t n = min_u64(symtab->sh_size / sizeof(Elf64_Sym), FILE_SYMBOLS_MAX);

	filemap_need(fs->map, symtab->sh_offset, symtab->sh_size);
	filemap_need(fs->map, strtab->sh_offset, strtab->sh_size);

	vec_reserve(&fs->entries, n);
	for (size_t i = 1; i < n; i++) {
		Elf64_Sym sym;

		memcpy(&sym, data + symtab->sh_offset + i * sizeof(sym), sizeof(sym));
		unsigned type = ELF64_ST_TYPE(sym.st_info);
		/* Absolute symbols are constants of the assembler. */
		if (sym.st_shndx == SHN_UNDEF || sym.st_shndx == SHN_ABS || type == STT_FILE ||
		    type == STT_SECTION || sym.st_name >= strtab->sh_size ||
		    is_noise(strings + sym.st_name))
			continue;
		vec_push(&fs->entries, (struct entry){ sym.st_value, strings + sym.st_name,
						       letter_of(&sym, sections, count) });
	}
}

static bool strings_end(const struct filemap *map, const Elf64_Shdr *strtab)
{
	return strtab->sh_type == SHT_STRTAB && strtab->sh_size &&
	       range_fits(strtab->sh_offset, strtab->sh_size, map->size) &&
	       map->data[strtab->sh_offset + strtab->sh_size - 1] == '\0';
}

/*
 * Types and unwind tables are distances and numbers only, untouched by relocation and patching:
 * where the dump has holes in them, the file's bytes are as good.
 */
static void note_constant(struct file_source *fs, const Elf64_Shdr *section, const char *name)
{
	/* The last ones change as the kernel starts; a text has nothing better. */
	static const char *const names[] = { ".BTF", ".orc_unwind", ".orc_unwind_ip", ".text",
					     ".rodata" };
	size_t count = array_size(names) - (fs->of_text ? 0 : 2);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) != 0 || !section->sh_addr ||
		    section->sh_type == SHT_NOBITS ||
		    !range_fits(section->sh_offset, section->sh_size, fs->map->size) ||
		    fs->constant_count == array_size(fs->constant))
			continue;
		fs->constant[fs->constant_count].address = section->sh_addr;
		fs->constant[fs->constant_count].offset = section->sh_offset;
		fs->constant[fs->constant_count].size = section->sh_size;
		fs->constant_count++;
	}
}

static const char *section_name(const struct filemap *map, const Elf64_Shdr *sections, size_t count,
				size_t names, const Elf64_Shdr *section)
{
	if (names >= count || !strings_end(map, &sections[names]) ||
	    section->sh_name >= sections[names].sh_size)
		return "";
	return (const char *)map->data + sections[names].sh_offset + section->sh_name;
}

struct sections {
	Elf64_Shdr *data; /* to be freed */
	size_t count, names;
};

static struct error *read_sections(struct memory *mem, const struct filemap *map,
				   struct sections *sections)
{
	Elf64_Ehdr eh;

	if (map->size < sizeof(eh))
		return error_new(ERROR_FORMAT, "the ELF header is cut off");
	memcpy(&eh, map->data, sizeof(eh));
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB ||
	    (mem && eh.e_machine != memory_arch(mem)->elf_machine))
		return error_new(ERROR_UNSUPPORTED, "an ELF file for another architecture");
	if (eh.e_type == ET_CORE)
		return error_new(ERROR_USAGE, "a core file, not a vmlinux");
	if (eh.e_shentsize != sizeof(Elf64_Shdr) ||
	    !range_fits(eh.e_shoff, (uint64_t)eh.e_shnum * sizeof(Elf64_Shdr), map->size))
		return error_new(ERROR_FORMAT, "its ELF section headers are cut off or damaged");
	sections->data = xcalloc((size_t)eh.e_shnum + 1, sizeof(Elf64_Shdr));
	memcpy(sections->data, map->data + eh.e_shoff, (size_t)eh.e_shnum * sizeof(Elf64_Shdr));
	sections->count = eh.e_shnum;
	sections->names = eh.e_shstrndx;
	return NULL;
}

/* The strings of symbol table @i; NULL when it is none, or damaged. */
static const Elf64_Shdr *symbol_strings(const struct filemap *map, const struct sections *sections,
					size_t i)
{
	const Elf64_Shdr *s = &sections->data[i];

	if (s->sh_type != SHT_SYMTAB || s->sh_link >= sections->count ||
	    s->sh_entsize != sizeof(Elf64_Sym) ||
	    !range_fits(s->sh_offset, s->sh_size, map->size) ||
	    !strings_end(map, &sections->data[s->sh_link]))
		return NULL;
	return &sections->data[s->sh_link];
}

static struct error *read_elf(struct memory *mem, struct file_source *fs)
{
	struct sections sections = { 0 };
	struct error *err = read_sections(mem, fs->map, &sections);

	for (size_t i = 0; i < sections.count; i++) {
		const Elf64_Shdr *s = &sections.data[i];
		read_build_id(fs, s);
		note_constant(fs, s, section_name(fs->map, sections.data, sections.count,
						  sections.names, s));
	}
	free(sections.data);
	return err;
}

static struct error *read_elf_symbols(struct file_source *fs)
{
	struct sections sections = { 0 };
	struct error *err = read_sections(NULL, fs->map, &sections);

	for (size_t i = 0; i < sections.count; i++) {
		const Elf64_Shdr *strings = symbol_strings(fs->map, &sections, i);
		if (strings)
			add_elf_symbols(fs, sections.data, sections.count, &sections.data[i],
					strings);
	}
	if (!err && !fs->entries.count)
		err = error_new(ERROR_NOT_FOUND, "it has no symbol table (stripped)");
	free(sections.data);
	return err;
}

/* Names may share their ends with others: what stands before one is not looked at. */
static bool may_have(const struct file_source *fs, const char *const *names, size_t n)
{
	struct sections sections = { 0 };
	bool found = false;

	error_free(read_sections(NULL, fs->map, &sections));
	for (size_t i = 0; i < sections.count && !found; i++) {
		const Elf64_Shdr *strings = symbol_strings(fs->map, &sections, i);
		if (strings)
			filemap_need(fs->map, strings->sh_offset, strings->sh_size);
		for (size_t k = 0; strings && k < n && !found; k++)
			found = memmem(fs->map->data + strings->sh_offset, strings->sh_size,
				       names[k], strlen(names[k]) + 1);
	}
	free(sections.data);
	return found;
}

static bool has_symbols(const struct file_source *fs)
{
	struct sections sections = { 0 };
	bool found = false;

	error_free(read_sections(NULL, fs->map, &sections));
	for (size_t i = 0; i < sections.count; i++)
		found |= symbol_strings(fs->map, &sections, i) != NULL;
	free(sections.data);
	return found;
}

/* --- System.map. --- */

static bool read_line(struct file_source *fs, char *line)
{
	char *end, *name;
	uint64_t address = strtoull(line, &end, 16);

	if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ')
		return false;
	name = end + 3;
	name[strcspn(name, " \t\r")] = '\0';
	if (!is_noise(name) && fs->entries.count < FILE_SYMBOLS_MAX)
		vec_push(&fs->entries, (struct entry){ address, name, end[1] });
	return true;
}

static struct error *read_map(struct file_source *fs)
{
	char *line, *next;

	fs->text = xstrndup((const char *)fs->map->data, fs->map->size);
	for (line = fs->text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!read_line(fs, line))
			return error_new(ERROR_FORMAT, "neither an ELF file nor a System.map");
	}
	if (fs->entries.count < 256)
		return error_new(ERROR_NOT_FOUND, "it has hardly any symbols (a placeholder?)");
	return NULL;
}

/* --- Does it fit the dump? --- */

static const struct entry *find_entry(struct file_source *fs, const char *name)
{
	uint32_t i;

	op_find_names(&fs->base, &name, 1, &i);
	return i == UINT32_MAX ? NULL : &fs->entries.data[i];
}

static struct error *check_build_id(struct memory *mem, const struct file_source *fs)
{
	char wanted[160];

	if (!dump_vmcoreinfo(memory_dump(mem), "BUILD-ID", wanted, sizeof(wanted)))
		return NULL;
	return build_id_check(fs->build_id, wanted);
}

static struct error *check_banner(struct memory *mem, struct file_source *fs)
{
	const struct entry *banner = find_entry(fs, "linux_banner");
	char text[15] = "";
	enum read_status status;

	if (!banner)
		return NULL;
	status = memory_read(mem, banner->address, text, sizeof(text) - 1);
	if (status != READ_OK && status != READ_UNMAPPED)
		return NULL;
	if (strcmp(text, "Linux version ") == 0)
		return NULL;
	return error_new(ERROR_USAGE,
			 "it is of another kernel: its linux_banner would be at 0x%" PRIx64
			 ", where the dump has no kernel banner",
			 banner->address);
}

/* Addresses that VMCOREINFO gives, too: they tell even where the dump lacks the banner. */
static struct error *check_vmcoreinfo(struct memory *mem, struct file_source *fs)
{
	static const char *const names[] = { "_stext",         "init_uts_ns",   "prb",
					     "log_buf_len",    "init_top_pgt",  "init_level4_pgt",
					     "node_online_map", "kallsyms_names", "vmap_area_list" };

	for (size_t i = 0; i < array_size(names); i++) {
		const struct entry *e = find_entry(fs, names[i]);
		char key[64];
		uint64_t address;

		snprintf(key, sizeof(key), "SYMBOL(%s)", names[i]);
		if (!e || !dump_vmcoreinfo_hex(memory_dump(mem), key, &address) ||
		    e->address == address)
			continue;
		return error_new(ERROR_USAGE,
				 "it is of another kernel: it has %s at 0x%" PRIx64
				 ", the dump at 0x%" PRIx64,
				 names[i], e->address, address);
	}
	return NULL;
}

/* Run-time minus link-time addresses. */
static bool find_shift(struct memory *mem, struct file_source *fs, uint64_t *shift)
{
	const struct kernel_layout *layout = memory_layout(mem);
	const struct entry *text = find_entry(fs, "_text");
	struct extents extents = { 0 };

	if (!text)
		text = find_entry(fs, "_stext");
	if (layout->has_image_offset) {
		*shift = layout->image_offset;
		return true;
	}
	image_extents(mem, &extents);
	*shift = text && extents.count ? extents.data[0].vaddr - text->address : 0;
	free(extents.data);
	return text && extents.count;
}

static void sort_entries(struct file_source *fs)
{
	/* Per-CPU offsets are below, and stay. */
	vec_for_each (e, &fs->entries)
		e->address += e->address >= fs->image_base ? fs->shift : 0;
	qsort(fs->entries.data, fs->entries.count, sizeof(*fs->entries.data), compare_entries);
	map_deinit(&fs->by_name);
	fs->by_name = (struct map){ 0 };
	fs->indexed = false;
	fs->base.count = (uint32_t)fs->entries.count;
}

static void load_entries(struct file_source *fs)
{
	fs->late = false;
	error_free(read_elf_symbols(fs));
	sort_entries(fs);
}

/*
 * Files of hundreds of megabytes are usual, and their 100,000 symbols rarely needed when the dump
 * has kallsyms: with equal build-ids there is nothing to check by them.
 */
static bool can_wait(struct memory *mem, const struct file_source *fs)
{
	char wanted[160];

	return *fs->build_id && memory_layout(mem)->has_image_offset &&
	       dump_vmcoreinfo(memory_dump(mem), "BUILD-ID", wanted, sizeof(wanted)) &&
	       strcmp(wanted, fs->build_id) == 0 && has_symbols(fs);
}

/* Of what is inside, when the file is packed (vmlinux.xz, vmlinuz). */
static struct error *open_map(const char *path, struct filemap **map)
{
	struct error *err = filemap_open(path, map);
	char unpacked_path[64];
	int unpacked;

	if (err)
		return err;
	err = unpack_file((*map)->fd, &unpacked);
	if (!err && unpacked < 0)
		return NULL;
	filemap_close(*map);
	if (!err) {
		snprintf(unpacked_path, sizeof(unpacked_path), "/proc/self/fd/%d", unpacked);
		err = filemap_open(unpacked_path, map);
		close(unpacked);
	}
	return error_prefix(err, "%s", path);
}

static struct error *read_now(struct memory *mem, struct file_source *fs, bool elf)
{
	struct error *err = elf ? read_elf_symbols(fs) : read_map(fs);

	if (!err && !find_shift(mem, fs, &fs->shift))
		err = error_new(ERROR_MISSING, "where this dump's kernel ran is not known");
	if (err)
		return err;
	sort_entries(fs);
	err = check_vmcoreinfo(mem, fs);
	return err ? err : check_banner(mem, fs);
}

struct error *source_file(struct memory *mem, const char *path, bool sparing,
			  struct symbol_source **source)
{
	struct file_source *fs = xcalloc(1, sizeof(*fs));

	fs->base.ops = &file_ops;
	size_t text_size;
	fs->image_base = memory_arch(mem)->image_base;
	fs->of_text = dump_text(memory_dump(mem), &text_size) != NULL;
	struct error *err = open_map(path, &fs->map);
	if (err) {
		free(fs);
		return err;
	}
	bool elf = fs->map->size >= SELFMAG && memcmp(fs->map->data, ELFMAG, SELFMAG) == 0;
	if (elf)
		err = read_elf(mem, fs);
	if (!err)
		err = check_build_id(mem, fs);
	fs->shift = memory_layout(mem)->image_offset;
	fs->late = !err && elf && sparing && can_wait(mem, fs);
	if (!err && !fs->late)
		err = read_now(mem, fs, elf);
	if (err) {
		op_destroy(&fs->base);
		return error_prefix(err, "%s", path);
	}
	for (unsigned i = 0; i < fs->constant_count; i++)
		memory_add_fill(mem, fs->constant[i].address + fs->shift,
				fs->map->data + fs->constant[i].offset, fs->constant[i].size);
	fs->base.indexed = true;
	const char *slash = strrchr(path, '/');
	snprintf(fs->base.text, sizeof(fs->base.text), "%s", slash ? slash + 1 : path);
	*source = &fs->base;
	return NULL;
}
