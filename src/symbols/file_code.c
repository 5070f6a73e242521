// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A kernel patches its own code: alternatives for the CPU it finds, static keys, ftrace, paravirt,
 * return thunks. The debug file has what the compiler made, so the two can be compared.
 *
 * Placement changes code too, and is no patch. A module's file is relocatable: the bytes that its
 * relocations name are left out of the comparison. A vmlinux is linked, then moved by KASLR: 4 or 8
 * bytes that differ by just the distance moved (or, for offsets into the per-CPU area relative to
 * code, by its negative) are the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/strbuf.h"
#include "symbols/debug_module.h"

enum { CODE_MAX = 4 << 20 }; /* bytes looked at in one go */

/* The name of symbol @index of the table that section number @table is. */
static const char *symbol_name(Elf *elf, size_t table, size_t index, size_t section_names)
{
	Elf_Scn *section = elf_getscn(elf, table);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	GElf_Shdr header;
	GElf_Sym symbol;
	const char *name;

	if (!data || !gelf_getshdr(section, &header) || index > INT32_MAX ||
	    !gelf_getsym(data, (int)index, &symbol))
		return "";
	name = elf_strptr(elf, header.sh_link, symbol.st_name);
	if (GELF_ST_TYPE(symbol.st_info) == STT_SECTION) {
		section = elf_getscn(elf, symbol.st_shndx);
		if (section && gelf_getshdr(section, &header))
			name = elf_strptr(elf, section_names, header.sh_name);
	}
	return name ? name : "";
}

/* Notes what the relocations of section @index change in [@start, @start + code->size). */
static void find_relocations(Elf *elf, size_t index, size_t section_names, uint64_t start,
			     struct file_code *code)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_RELA ||
		    header.sh_info != index || !header.sh_entsize)
			continue;
		Elf_Data *data = elf_getdata(section, NULL);
		size_t count = data ? data->d_size / header.sh_entsize : 0;
		for (size_t i = 0; i < count && i < INT32_MAX; i++) {
			GElf_Rela rela;
			if (!gelf_getrela(data, (int)i, &rela))
				break;
			uint64_t at = rela.r_offset - start;
			if (at >= code->size)
				continue;
			vec_push(&code->relocations, (struct file_relocation){
				.offset = at,
				.width = GELF_R_TYPE(rela.r_info) == R_X86_64_64 ? 8 : 4,
				.symbol = symbol_name(elf, header.sh_link,
						      GELF_R_SYM(rela.r_info), section_names),
			});
		}
	}
}

/* Where the section was loaded; false when it was not. */
static bool section_start(const struct debug_module *m, Elf *elf, size_t names, Dwarf_Addr bias,
			  const GElf_Shdr *header, uint64_t *start)
{
	if (!m->module) {
		*start = header->sh_addr + bias;
		return true;
	}
	const char *name = elf_strptr(elf, names, header->sh_name);
	return name && m->info->facts.section &&
	       m->info->facts.section(m->info->facts_ctx, m->module, name, start);
}

/*
 * The file with its code. Of a module it is opened once more: libdwfl relocates what it reads, to
 * addresses of its own, and drops the relocations that it has applied.
 */
static Elf *code_file(struct debug_module *m, Dwarf_Addr *bias)
{
	*bias = 0;
	if (!m->module)
		return dwfl_module_getelf(m->dwfl_module, bias);
	if (!m->raw && m->file)
		m->raw = elf_begin(m->file->fd, ELF_C_READ_MMAP_PRIVATE, NULL);
	return m->raw;
}

static bool find_code(struct debug_module *m, uint64_t address, size_t size,
		      struct file_code *code)
{
	Elf_Scn *section = NULL;
	Dwarf_Addr bias;
	size_t names;

	Elf *elf = code_file(m, &bias);
	if (!elf || elf_getshdrstrndx(elf, &names) != 0)
		return false;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		uint64_t start;
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_PROGBITS ||
		    !(header.sh_flags & SHF_EXECINSTR) || header.sh_flags & SHF_COMPRESSED ||
		    !section_start(m, elf, names, bias, &header, &start) || address < start ||
		    address - start >= header.sh_size)
			continue;
		uint64_t offset = address - start;
		code->size = (size_t)min_u64(size, header.sh_size - offset);
		Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)(header.sh_offset + offset),
						      code->size, ELF_T_BYTE);
		if (!data || !data->d_buf || data->d_size < code->size)
			return false;
		code->bytes = data->d_buf;
		if (m->module)
			find_relocations(elf, elf_ndxscn(section), names, offset, code);
		else
			code->slide = bias;
		return true;
	}
	return false;
}

bool debuginfo_code(struct debuginfo *info, uint64_t address, size_t size, struct file_code *code)
{
	struct debug_module *m = debuginfo_of(info, address);

	*code = (struct file_code){ 0 };
	if (!m || !size || size > CODE_MAX)
		return false;
	debug_module_lock(m);
	bool found = find_code(m, address, size, code);
	debug_module_unlock(m);
	return found;
}

void file_code_deinit(struct file_code *code)
{
	vec_deinit(&code->relocations);
	*code = (struct file_code){ 0 };
}

/* Do the @width bytes differ by the distance that the image was moved? */
static bool moved_word(const uint8_t *file, const uint8_t *dump, unsigned width, uint64_t slide)
{
	if (width == 8) {
		uint64_t difference = load_u64(dump) - load_u64(file);
		return difference == slide || difference == -slide;
	}
	uint32_t difference = load_u32(dump) - load_u32(file);
	return difference == (uint32_t)slide || difference == -(uint32_t)slide;
}

/* A word around byte @at that placement changed; returns where it ends, 0 for none. */
static size_t moved_end(const uint8_t *file, const uint8_t *dump, size_t size, size_t at,
			uint64_t slide)
{
	for (unsigned width = 8; width >= 4; width -= 4) {
		for (size_t start = at >= width - 1 ? at - (width - 1) : 0; start <= at; start++) {
			if (start + width <= size &&
			    moved_word(file + start, dump + start, width, slide))
				return start + width;
		}
	}
	return 0;
}

const struct file_relocation *file_code_relocation(const struct file_code *code, size_t offset,
						   size_t size)
{
	for (size_t i = 0; i < code->relocations.count; i++) {
		const struct file_relocation *r = &code->relocations.data[i];
		if (r->offset < offset + size && offset < r->offset + r->width)
			return r;
	}
	return NULL;
}

bool file_code_differs(const struct file_code *code, size_t offset, const uint8_t *dump,
		       size_t size)
{
	if (offset >= code->size || size > code->size - offset)
		return false;
	const uint8_t *file = code->bytes + offset;
	for (size_t i = 0; i < size;) {
		if (file[i] == dump[i] || file_code_relocation(code, offset + i, 1)) {
			i++;
			continue;
		}
		size_t end = code->slide ? moved_end(file, dump, size, i, code->slide) : 0;
		if (!end)
			return true;
		i = end;
	}
	return false;
}

static bool has_prefix(const char *name, const char *const *prefixes)
{
	for (; *prefixes; prefixes++) {
		if (starts_with(name, *prefixes))
			return true;
	}
	return false;
}

bool debuginfo_sections(struct debuginfo *info, uint64_t address, const char *const *prefixes,
			file_section_fn fn, void *ctx)
{
	struct debug_module *m = debuginfo_of(info, address);
	Elf_Scn *section = NULL;
	Dwarf_Addr bias;
	size_t names;

	if (!m)
		return false;
	debug_module_lock(m);
	Elf *elf = code_file(m, &bias);
	bool found = elf && elf_getshdrstrndx(elf, &names) == 0;
	while (found && (section = elf_nextscn(elf, section))) {
		struct file_section out = { .slide = m->module ? 0 : bias };
		GElf_Shdr header;
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_PROGBITS ||
		    !(header.sh_flags & SHF_ALLOC) || header.sh_flags & SHF_COMPRESSED)
			continue;
		out.name = elf_strptr(elf, names, header.sh_name);
		if (!out.name || !has_prefix(out.name, prefixes) ||
		    !section_start(m, elf, names, bias, &header, &out.address))
			continue;
		Elf_Data *data = elf_rawdata(section, NULL);
		if (!data || !data->d_buf)
			continue;
		out.bytes = data->d_buf;
		out.size = data->d_size;
		fn(ctx, &out);
	}
	debug_module_unlock(m);
	return found;
}

bool debuginfo_kernel_bytes(struct debuginfo *info, uint64_t address, size_t size,
			    struct file_section *part)
{
	struct debug_module *m = debuginfo_kernel(info);
	Elf_Scn *section = NULL;
	Dwarf_Addr bias;
	bool found = false;

	if (!m || !size)
		return false;
	debug_module_lock(m);
	Elf *elf = dwfl_module_getelf(m->dwfl_module, &bias);
	while (elf && !found && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_PROGBITS ||
		    !(header.sh_flags & SHF_ALLOC) || header.sh_flags & SHF_COMPRESSED)
			continue;
		uint64_t offset = address - (header.sh_addr + bias);
		if (offset >= header.sh_size || size > header.sh_size - offset)
			continue;
		Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)(header.sh_offset + offset),
						      size, ELF_T_BYTE);
		found = data && data->d_buf && data->d_size >= size;
		if (found)
			*part = (struct file_section){ .name = "", .address = address,
						       .bytes = data->d_buf, .size = size,
						       .slide = bias };
	}
	debug_module_unlock(m);
	return found;
}
