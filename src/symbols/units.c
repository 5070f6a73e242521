// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From an address to its compile unit, touching nothing else of the file.
 *
 * Which one it is, .debug_aranges says; where there is none (clang makes it for assembler only),
 * the units' own ranges, gathered once.
 *
 * libdw can hand out a unit only after it has read the header of each unit before it: in a vmlinux
 * 2,000 of them, scattered over 170 MB, which costs 4 ms warm, 80 cold and as many page tables as
 * to spoil any limit of memory. So it is given the unit on its own: a second ELF handle on the same
 * mapped bytes, whose .debug_info is cut down to the one unit ("slice"). All other sections are
 * whole. That is only right for units that refer to no other unit: one look at its abbreviations
 * tells. The others (link-time optimisation, dwz) and files that libdwfl relocates or libelf
 * decompresses take libdw's way.
 */
#include <dwarf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "symbols/aranges.h"
#include "symbols/debug_module.h"

/* Bounds on what a damaged file can make us do. */
enum {
	UNITS_MAX = 1 << 20,
	RANGES_MAX = 1 << 22,
	LINES_BYTES_MAX = 16 << 20,
	ABBREV_BYTES = 32 << 10, /* as many as a unit of the kernel has */
	MAPPED_PAGE = 4096,
};

static Elf_Scn *section_by_name(Elf *elf, const char *wanted, GElf_Shdr *header)
{
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return NULL;
	for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
		const char *name;
		if (!gelf_getshdr(scn, header))
			continue;
		name = elf_strptr(elf, names, header->sh_name);
		if (name && strcmp(name, wanted) == 0)
			return scn;
	}
	return NULL;
}

static const Elf_Data *section_data(Elf *elf, const char *name)
{
	GElf_Shdr header;
	Elf_Scn *scn = section_by_name(elf, name, &header);
	const Elf_Data *data = scn && header.sh_type != SHT_NOBITS ? elf_rawdata(scn, NULL) : NULL;

	return data && data->d_buf ? data : NULL;
}

/* --- The mapped file. --- */

/* libdw would write the size that they get into the headers, which are the mapped file's. */
static bool has_compressed(Elf *elf)
{
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return true;
	for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
		GElf_Shdr header;
		if (!gelf_getshdr(scn, &header) || (header.sh_flags & SHF_COMPRESSED))
			return true;
		const char *name = elf_strptr(elf, names, header.sh_name);
		if (name && strncmp(name, ".zdebug", strlen(".zdebug")) == 0)
			return true;
	}
	return false;
}

/*
 * A mapping of our own, without the read-ahead of libelf's: what is read together is asked for
 * together, by need(). None for files that libdwfl relocates or libelf decompresses.
 */
static void open_view(struct debug_module *m)
{
	struct stat st;
	GElf_Ehdr ehdr;

	m->view_tried = true;
	if (fstat(m->file->fd, &st) != 0 || st.st_size <= 0)
		return;
	void *image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, m->file->fd, 0);
	if (image == MAP_FAILED)
		return;
	(void)madvise(image, (size_t)st.st_size, MADV_RANDOM);
	m->image = image;
	m->image_size = (size_t)st.st_size;
	m->view = elf_memory(image, m->image_size);
	if (m->view && gelf_getehdr(m->view, &ehdr) && ehdr.e_type != ET_REL &&
	    !has_compressed(m->view))
		return;
	elf_end(m->view);
	m->view = NULL;
}

/* Of the sections as they are in the file; libdw's when it had to change them. */
static Elf *sections_of(struct debug_module *m)
{
	if (!m->view_tried)
		open_view(m);
	return m->view ? m->view : dwarf_getelf(m->dwarf);
}

/* These bytes will be read soon: one request, and not one for each page. */
static void need(const struct debug_module *m, const void *data, uint64_t size)
{
	const char *start = data, *image = m->image;

	if (!m->view || start < image || start >= image + m->image_size)
		return;
	uint64_t at = (uint64_t)(start - image), page = at & ~(uint64_t)(MAPPED_PAGE - 1);
	size = min_u64(size, m->image_size - at) + (at - page);
	(void)madvise((char *)(uintptr_t)image + page, size, MADV_WILLNEED);
}

/* --- One unit as a Dwarf of its own. --- */

static bool refers_elsewhere(uint64_t form)
{
	return form == DW_FORM_ref_addr || form == DW_FORM_GNU_ref_alt ||
	       form == DW_FORM_ref_sup4 || form == DW_FORM_ref_sup8 || form == DW_FORM_ref_sig8;
}

static uint64_t read_uleb(struct bytes *b)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = bytes_u8(b);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while ((byte & 0x80) && !b->bad);
	return value;
}

/*
 * Do all abbreviations from @offset on keep within their unit? (DWARF 5, 7.5.3.) Not by libdw,
 * whose dwarf_getattrcnt() miscounts where there are implicit constants (0.188).
 */
static bool is_self_contained(struct debug_module *m, uint64_t offset)
{
	const Elf_Data *data = section_data(m->view, ".debug_abbrev");

	if (!data || offset > data->d_size)
		return false;
	struct bytes b = bytes_of((const char *)data->d_buf + offset, data->d_size - offset);
	need(m, b.data, min_u64(b.size, ABBREV_BYTES));
	while (read_uleb(&b) && !b.bad) {
		read_uleb(&b); /* tag */
		bytes_u8(&b);  /* has children? */
		for (;;) {
			uint64_t name = read_uleb(&b), form = read_uleb(&b);
			if (form == DW_FORM_implicit_const)
				read_uleb(&b);
			if (refers_elsewhere(form) || form == DW_FORM_indirect || b.bad)
				return false;
			if (!name && !form)
				break;
		}
	}
	return !b.bad;
}

static void slice_close(struct unit_slice *slice)
{
	if (slice->dwarf)
		dwarf_end(slice->dwarf);
	if (slice->elf)
		elf_end(slice->elf);
}

struct unit_header {
	uint64_t offset, size, header_size, abbrevs; /* @size with the header */
};

/* DWARF 5, 7.5.1; the layout before version 5 has the abbreviations' offset first. */
static bool read_header(const Elf_Data *info, uint64_t offset, struct unit_header *h)
{
	struct bytes b = bytes_of(info->d_buf, info->d_size);

	if (offset > info->d_size)
		return false;
	bytes_seek(&b, (size_t)offset);
	uint64_t length = bytes_u32(&b);
	bool wide = length == UINT32_MAX;
	if (wide)
		length = bytes_u64(&b);
	if (b.bad || length > bytes_left(&b))
		return false;
	h->offset = offset;
	h->size = b.pos - offset + length;
	uint16_t version = bytes_u16(&b);
	/* Of version 5 only whole units; those of types and skeletons are libdw's. */
	if (version >= 5 && (bytes_u8(&b) != DW_UT_compile || bytes_u8(&b) != 8))
		return false;
	h->abbrevs = wide ? bytes_u64(&b) : bytes_u32(&b);
	if (version < 5)
		bytes_u8(&b);
	h->header_size = b.pos - offset;
	return !b.bad && version >= 2 && version <= 5;
}

/* A handle on the same bytes that sees one unit of .debug_info only. */
static bool slice_open(struct debug_module *m, const struct unit_header *h,
		       struct unit_slice *slice)
{
	GElf_Shdr header;

	slice->elf = elf_memory(m->image, m->image_size);
	Elf_Scn *scn = slice->elf ? section_by_name(slice->elf, ".debug_info", &header) : NULL;
	/* libdw asks for the same descriptor and keeps it. */
	Elf_Data *data = scn && header.sh_type != SHT_NOBITS ? elf_getdata(scn, NULL) : NULL;
	if (!data || !data->d_buf || !range_fits(h->offset, h->size, data->d_size))
		return false;
	data->d_buf = (char *)data->d_buf + h->offset;
	data->d_size = h->size;
	slice->start = data->d_buf;
	need(m, data->d_buf, data->d_size);
	slice->dwarf = dwarf_begin_elf(slice->elf, DWARF_C_READ, NULL);
	return slice->dwarf != NULL;
}

/* Its line program will be read from end to end. */
static void need_lines(struct debug_module *m, Dwarf_Die *unit)
{
	const Elf_Data *data = section_data(m->view, ".debug_line");
	Dwarf_Attribute attr;
	Dwarf_Word offset;

	if (!data || !dwarf_attr(unit, DW_AT_stmt_list, &attr) ||
	    dwarf_formudata(&attr, &offset) != 0 || !range_fits(offset, 4, data->d_size))
		return;
	const char *program = (const char *)data->d_buf + offset;
	need(m, program, min_u64(load_u32(program), LINES_BYTES_MAX));
}

static bool slice_unit(struct debug_module *m, uint64_t offset, Dwarf_Die *unit)
{
	const Elf_Data *info = m->view ? section_data(m->view, ".debug_info") : NULL;
	struct unit_slice slice = { .offset = offset };
	struct unit_header h;
	Dwarf_CU *cu = NULL;

	if (!info || !read_header(info, offset, &h) || !is_self_contained(m, h.abbrevs))
		return false;
	if (slice_open(m, &h, &slice) &&
	    dwarf_get_units(slice.dwarf, NULL, &cu, NULL, NULL, &slice.die, NULL) == 0 &&
	    (const char *)slice.die.addr == slice.start + h.header_size) {
		need_lines(m, &slice.die);
		vec_push(&m->slices, slice);
		*unit = slice.die;
		return true;
	}
	slice_close(&slice);
	return false;
}

enum { ENTRY_DEPTH_MAX = 64 };

/* Entries lie in order of their offsets: one look at each level's last one before @offset. */
static bool find_entry(Dwarf_Die *parent, uint64_t offset, unsigned depth, Dwarf_Die *entry)
{
	Dwarf_Die die, last = *parent;
	int more;

	if (dwarf_dieoffset(parent) == offset) {
		*entry = *parent;
		return true;
	}
	if (depth > ENTRY_DEPTH_MAX || dwarf_child(parent, &die) != 0)
		return false;
	do {
		if (dwarf_dieoffset(&die) > offset)
			break;
		last = die;
		more = dwarf_siblingof(&die, &die);
	} while (more == 0);
	return last.addr != parent->addr && find_entry(&last, offset, depth + 1, entry);
}

bool debug_module_unit_at(struct debug_module *m, uint64_t offset, Dwarf_Die *unit)
{
	Dwarf_Off next;
	size_t header_size;

	vec_for_each (slice, &m->slices) {
		if (slice->offset == offset) {
			*unit = slice->die;
			return true;
		}
	}
	(void)sections_of(m);
	if (slice_unit(m, offset, unit))
		return true;
	return dwarf_next_unit(m->dwarf, offset, &next, &header_size, NULL, NULL, NULL, NULL, NULL,
			       NULL) == 0 && next > offset &&
	       dwarf_offdie(m->dwarf, offset + header_size, unit);
}

bool debug_module_entry(struct debug_module *m, const Dwarf_Die *unit, uint64_t offset,
			Dwarf_Die *entry)
{
	Dwarf *dwarf = dwarf_cu_getdwarf(unit->cu);
	Dwarf_Die here = *unit, whole;

	if (dwarf != m->dwarf) {
		const struct unit_slice *found = NULL;
		vec_for_each (slice, &m->slices) {
			if (slice->dwarf == dwarf)
				found = slice;
		}
		if (!found || offset < found->offset)
			return false;
		offset -= found->offset;
	}
	/* libdw believes any offset inside the unit: only one that a walk comes by is an entry. */
	return dwarf_diecu(&here, &whole, NULL, NULL) && find_entry(&whole, offset, 0, entry);
}

/* --- Which unit? --- */

/* Of the file's code, in bytes. */
static uint64_t code_size(Elf *elf)
{
	uint64_t size = 0;

	for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
		GElf_Shdr header;
		if (gelf_getshdr(scn, &header) && (header.sh_flags & SHF_EXECINSTR) &&
		    header.sh_type != SHT_NOBITS)
			size += header.sh_size;
	}
	return size;
}

static void add_unit_ranges(struct debug_module *m, Dwarf_Die *unit, uint64_t offset)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	while (m->ranges.count < RANGES_MAX &&
	       (at = dwarf_ranges(unit, at, &base, &start, &end)) > 0) {
		if (start && end > start)
			vec_push(&m->ranges, (struct unit_range){ start, end, offset });
	}
}

/* The ranges of all units, by libdw: once for a file without whole aranges. */
static void gather_ranges(struct debug_module *m)
{
	Dwarf_Off offset = 0, next;
	size_t header_size;

	m->ranges_tried = true;
	for (unsigned i = 0; i < UNITS_MAX; i++) {
		Dwarf_Die die;
		if (dwarf_next_unit(m->dwarf, offset, &next, &header_size, NULL, NULL, NULL, NULL,
				    NULL, NULL) != 0 || next <= offset)
			break;
		if (dwarf_offdie(m->dwarf, offset + header_size, &die))
			add_unit_ranges(m, &die, offset);
		offset = next;
	}
}

static bool find_range(struct debug_module *m, uint64_t address, uint64_t *offset)
{
	vec_for_each (r, &m->ranges) {
		if (address >= r->start && address < r->end) {
			*offset = r->offset;
			return true;
		}
	}
	return false;
}

static bool find_unit(struct debug_module *m, uint64_t address, uint64_t *offset)
{
	Elf *elf = sections_of(m);
	const Elf_Data *data = section_data(elf, ".debug_aranges");

	if (data)
		need(m, data->d_buf, data->d_size);
	if (data && aranges_find(data->d_buf, data->d_size, address, offset))
		return true;
	/* Do they leave out units? A tenth may be paddings and code without a unit. */
	if (!m->aranges_judged) {
		uint64_t code = code_size(elf);
		m->aranges_judged = true;
		m->aranges_whole = data &&
				   aranges_covered(data->d_buf, data->d_size) >= code - code / 10;
	}
	if (m->aranges_whole)
		return false;
	if (!m->ranges_tried)
		gather_ranges(m);
	return find_range(m, address, offset);
}

bool debug_module_unit(struct debug_module *module, uint64_t address, Dwarf_Die *unit)
{
	uint64_t bias, offset;

	if (!debug_module_dwarf(module, &bias) || !find_unit(module, address - bias, &offset))
		return false;
	if (debug_module_unit_at(module, offset, unit))
		return true;
	debuginfo_note(module->info,
		       error_new(ERROR_FORMAT, "%s: its debug info is damaged: %s",
				 module->file->path, dwarf_errmsg(-1)));
	return false;
}

void debug_module_free_units(struct debug_module *m)
{
	vec_for_each (slice, &m->slices)
		slice_close(slice);
	vec_deinit(&m->slices);
	elf_end(m->view);
	if (m->image)
		munmap(m->image, m->image_size);
	vec_deinit(&m->ranges);
}
