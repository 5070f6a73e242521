// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: in an ELF core of a kernel each PT_LOAD is a range of physical memory; its
 * first p_filesz bytes are in the file, the rest up to p_memsz was left out. Ranges may overlap
 * (kdump describes the kernel's text once more), begin inside a page, and have any place in the
 * file (QEMU's start at odd offsets). They become a sorted list without overlaps (extents.c), in
 * which a page is found by halving; a page is put together from several ranges where it must be.
 *
 * Why a page has no data is answered from the ranges sorted by start, each with the highest end
 * of all ranges up to it: one halving tells whether any of them covers an address.
 *
 * Source: elf(5); fs/proc/vmcore.c; qemu dump/dump.c; makedumpfile.c (ELF output, e_flags). With
 * more than 65,534 segments e_phnum is PN_XNUM and the number is in sh_info of section 0.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "dump/format.h"

enum {
	INCOMPLETE = 1, /* e_flags: DUMP_ELF_INCOMPLETE of makedumpfile */
	SEGMENTS_MAX = 1 << 24,
	NOTES_SIZE_MAX = 1 << 26,
};

struct range {
	uint64_t start;
	uint64_t file_end, memory_end; /* highest of this range and all before it */
};

struct elf {
	struct extents data; /* physical address -> offset in the file */
	struct {
		vec_fields(struct range);
	} ranges; /* by start */
	struct {
		vec_fields(struct dump_segment);
	} segments;
	uint64_t wanted, missing; /* bytes that should be in the file; that are not */
};

static bool elf_probe(const struct file_view *view)
{
	uint8_t scratch[SELFMAG];
	const uint8_t *p = view_get(view, 0, SELFMAG, scratch);

	return p && memcmp(p, ELFMAG, SELFMAG) == 0;
}

static struct error *check_header(const Elf64_Ehdr *h)
{
	if (h->e_ident[EI_DATA] == ELFDATA2MSB)
		return error_new(ERROR_UNSUPPORTED,
				 "ELF file of a big-endian machine (s390x, ppc64 ...): only "
				 "little-endian ones can be read");
	if (h->e_ident[EI_CLASS] == ELFCLASS32)
		return error_new(ERROR_UNSUPPORTED,
				 "32-bit ELF core: only 64-bit ones can be read");
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return error_new(ERROR_FORMAT, "ELF header is damaged");
	if (h->e_type == ET_EXEC || h->e_type == ET_DYN || h->e_type == ET_REL)
		return error_new(ERROR_FORMAT,
				 "not a dump, but an ELF %s (a vmlinux or a module goes with the "
				 "dump, not in its place)",
				 h->e_type == ET_REL ? "object" : "program or library");
	if (h->e_type != ET_CORE)
		return error_new(ERROR_FORMAT, "ELF file of type %u is not a core", h->e_type);
	if (h->e_phentsize != sizeof(Elf64_Phdr) && h->e_phnum)
		return error_new(ERROR_FORMAT, "ELF header is damaged: program headers of %u bytes",
				 h->e_phentsize);
	return NULL;
}

/* How many program headers there are, PN_XNUM resolved; at most what fits into the file. */
static struct error *header_count(struct dump *dump, const Elf64_Ehdr *h, uint64_t *count)
{
	const struct file_view *view = &dump->files[0].view;
	Elf64_Shdr section;

	*count = h->e_phnum;
	if (h->e_phnum == PN_XNUM) {
		if (!h->e_shoff || !range_fits(h->e_shoff, sizeof(section), view->size))
			return error_new(ERROR_FORMAT, "ELF header is damaged: number of segments "
						       "is missing");
		view_copy(view, h->e_shoff, &section, sizeof(section));
		*count = section.sh_info;
	}
	if (!*count)
		return error_new(ERROR_UNSUPPORTED, "ELF core without segments%s",
				 h->e_shnum ? ": perhaps a Xen domain's (xl dump-core), which "
					      "cannot be read"
					    : "");
	if (*count > SEGMENTS_MAX)
		return error_new(ERROR_UNSUPPORTED,
				 "ELF core with %llu segments: at most %d can be read",
				 (unsigned long long)*count, SEGMENTS_MAX);
	uint64_t fits =
		h->e_phoff < view->size ? (view->size - h->e_phoff) / sizeof(Elf64_Phdr) : 0;
	if (*count > fits) {
		dump->info.truncated = true;
		dump_problem(dump, "the file is cut off inside its segment headers: %llu of %llu",
			     (unsigned long long)fits, (unsigned long long)*count);
		*count = fits;
	}
	return NULL;
}

static void take_load(struct dump *dump, struct elf *elf, const Elf64_Phdr *p)
{
	uint64_t file_size = dump->files[0].view.size;

	if (!p->p_memsz && !p->p_filesz)
		return;
	uint64_t memory = max_u64(p->p_memsz, p->p_filesz);
	if (!range_fits(p->p_paddr, memory, PHYSICAL_MAX)) {
		/* -1: kdump's ranges that are no physical memory (vsyscall page of /proc/kcore). */
		if (p->p_paddr != UINT64_MAX)
			dump_problem(dump,
				     "a segment has an impossible address: 0x%llx, %llu bytes",
				     (unsigned long long)p->p_paddr, (unsigned long long)memory);
		return;
	}
	uint64_t there =
		p->p_offset < file_size ? min_u64(p->p_filesz, file_size - p->p_offset) : 0;
	elf->wanted += p->p_filesz;
	elf->missing += p->p_filesz - there;
	vec_push(&elf->data, (struct extent){ p->p_paddr, there, p->p_offset });
	uint64_t file_end = p->p_filesz ? p->p_paddr + p->p_filesz : 0;
	vec_push(&elf->ranges, (struct range){ p->p_paddr, file_end, p->p_paddr + memory });
	vec_push(&elf->segments, (struct dump_segment){ .start = { p->p_paddr },
							.size = memory,
							.vaddr = p->p_vaddr });
}

static void take_notes(struct dump *dump, const Elf64_Phdr *p)
{
	const struct file_view *view = &dump->files[0].view;
	uint64_t size = p->p_filesz;

	if (!size)
		return;
	if (size > NOTES_SIZE_MAX || !range_fits(p->p_offset, size, view->size)) {
		dump_problem(dump, "its notes are not in the file");
		if (p->p_offset >= view->size)
			return;
		size = min_u64(min_u64(size, view->size - p->p_offset), NOTES_SIZE_MAX);
	}
	const uint8_t *notes = view_get(view, p->p_offset, (size_t)size, NULL);
	if (!notes) {
		uint8_t *copy = arena_alloc(&dump->arena, (size_t)size);
		view_copy(view, p->p_offset, copy, (size_t)size);
		notes = copy;
	}
	dump_parse_notes(dump, notes, (size_t)size);
}

static int compare_ranges(const void *va, const void *vb)
{
	const struct range *a = va, *b = vb;

	return a->start < b->start ? -1 : a->start > b->start;
}

static void finish_ranges(struct dump *dump, struct elf *elf)
{
	bool sorted = true;

	for (size_t i = 1; i < elf->ranges.count && sorted; i++)
		sorted = elf->ranges.data[i - 1].start <= elf->ranges.data[i].start;
	if (!sorted)
		qsort(elf->ranges.data, elf->ranges.count, sizeof(struct range), compare_ranges);
	for (size_t i = 1; i < elf->ranges.count; i++) {
		struct range *r = &elf->ranges.data[i], *before = r - 1;
		r->file_end = max_u64(r->file_end, before->file_end);
		r->memory_end = max_u64(r->memory_end, before->memory_end);
	}
	extents_resolve(&elf->data);
	uint64_t end = elf->ranges.count ? elf->ranges.data[elf->ranges.count - 1].memory_end : 0;
	dump->info.max_pfn = (end + PAGE_SIZE - 1) >> PAGE_SHIFT;
	uint64_t next = 0; /* extents can share a page */
	for (size_t i = 0; i < elf->data.count; i++) {
		const struct extent *e = &elf->data.data[i];
		uint64_t first = max_u64(e->start >> PAGE_SHIFT, next);
		next = (extent_end(e) + PAGE_SIZE - 1) >> PAGE_SHIFT;
		dump->info.present_pages += next - first;
	}
}

static void describe_missing(struct dump *dump, const struct elf *elf, const Elf64_Ehdr *h)
{
	const struct dump_file *file = &dump->files[0];

	if (h->e_flags & INCOMPLETE) {
		dump->info.truncated = true;
		dump_problem(dump,
			     "%s is marked as incomplete: the disk was full when it was "
			     "written",
			     file->name);
	}
	if (file->view.cut_off && !elf->missing && elf->segments.count) {
		dump->info.truncated = true;
		dump_problem(dump, "%s is a flattened dump without its end mark", file->name);
	}
	if (elf->missing) {
		dump->info.truncated = true;
		dump_problem(dump,
			     "%s is cut off at %zu bytes: %llu of %llu KB of memory are "
			     "missing",
			     file->name, file->view.data_size,
			     (unsigned long long)elf->missing >> 10,
			     (unsigned long long)elf->wanted >> 10);
	}
}

static struct error *read_segments(struct dump *dump, struct elf *elf, const Elf64_Ehdr *h)
{
	const struct file_view *view = &dump->files[0].view;
	uint64_t count;

	struct error *err = header_count(dump, h, &count);
	if (err)
		return err;
	view_scan_begins(view, h->e_phoff, count * sizeof(Elf64_Phdr));
	for (uint64_t i = 0; i < count; i++) {
		Elf64_Phdr p;
		view_copy(view, h->e_phoff + i * sizeof(p), &p, sizeof(p));
		if (p.p_type == PT_LOAD)
			take_load(dump, elf, &p);
		else if (p.p_type == PT_NOTE)
			take_notes(dump, &p);
	}
	view_scan_ends(view, h->e_phoff, count * sizeof(Elf64_Phdr));
	if (view->cut_off && !elf->segments.count) {
		dump->info.truncated = true;
		dump_problem(dump,
			     "the segment headers of a flattened ELF core come last, and %s is "
			     "cut off before: none of its memory can be found",
			     dump->files[0].name);
	}
	if (dump->is_process)
		return error_new(ERROR_FORMAT, "the core of a program, not of a kernel");
	return NULL;
}

static struct error *elf_open(struct dump *dump)
{
	const struct file_view *view = &dump->files[0].view;
	struct dump_info *info = &dump->info;
	Elf64_Ehdr h;

	struct elf *elf = xcalloc(1, sizeof(*elf));
	dump->state = elf;
	view_copy(view, 0, &h, sizeof(h));
	struct error *err = check_header(&h);
	if (err)
		return err;
	if (view->size < sizeof(h))
		return error_new(ERROR_FORMAT, "ELF core cut off inside its header");
	if (dump->file_count > 1)
		return error_new(ERROR_USAGE, "%s is an ELF core: it is opened alone",
				 dump->files[0].name);
	info->elf_machine = h.e_machine;
	err = read_segments(dump, elf, &h);
	if (err)
		return err;
	describe_missing(dump, elf, &h);
	finish_ranges(dump, elf);
	info->segments = elf->segments.data;
	info->segment_count = elf->segments.count;
	info->format = dump_has_qemu_notes(dump) ? "ELF core (QEMU)" : "ELF core (kdump)";
	info->compression = "none";
	return NULL;
}

static void elf_close(struct dump *dump)
{
	struct elf *elf = dump->state;

	if (!elf)
		return;
	extents_deinit(&elf->data);
	vec_deinit(&elf->ranges);
	vec_deinit(&elf->segments);
	free(elf);
}

/* ---- one page ---- */

/* Why is nothing of [start, start + PAGE_SIZE) in the file? */
static enum read_status why_missing(const struct elf *elf, uint64_t start)
{
	size_t low = 0, high = elf->ranges.count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (elf->ranges.data[mid].start < start + PAGE_SIZE)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return READ_UNMAPPED;
	const struct range *r = &elf->ranges.data[low - 1];
	if (r->file_end > start)
		return READ_TRUNCATED;
	return r->memory_end > start ? READ_EXCLUDED : READ_UNMAPPED;
}

/*
 * The longest run of bytes of the page that extents from number @i on give without a gap, as
 * offsets in the page. @false: none.
 */
static bool longest_run(const struct elf *elf, size_t i, uint64_t start, uint16_t *from,
			uint16_t *to)
{
	uint64_t end = start + PAGE_SIZE, run = 0, best = 0;

	for (uint64_t last = 0; i < elf->data.count; i++) {
		const struct extent *e = &elf->data.data[i];
		if (e->start >= end)
			break;
		uint64_t a = max_u64(e->start, start), b = min_u64(extent_end(e), end);
		run = best && a == last ? run : a;
		last = b;
		if (b - run > best) {
			best = b - run;
			*from = (uint16_t)(run - start);
			*to = (uint16_t)(b - start);
		}
	}
	return best != 0;
}

/* A page that is not in one piece of the file. */
static enum read_status assemble(const struct dump *dump, uint64_t start, size_t i, uint8_t *buffer,
				 struct dump_page *page)
{
	const struct elf *elf = dump->state;
	uint16_t from, to;

	if (!longest_run(elf, i, start, &from, &to))
		return why_missing(elf, start);
	memset(buffer, 0, PAGE_SIZE);
	for (uint64_t pos = start + from; pos < start + to; i++) {
		const struct extent *e = &elf->data.data[i];
		if (extent_end(e) <= pos)
			continue;
		size_t n = (size_t)(min_u64(extent_end(e), start + to) - pos);
		uint8_t *out = buffer + (pos - start);
		const uint8_t *p =
			view_get(&dump->files[0].view, e->target + (pos - e->start), n, out);
		if (!p)
			return READ_TRUNCATED;
		if (p != out)
			memcpy(out, p, n);
		pos += n;
	}
	*page = (struct dump_page){ .data = buffer, .from = from, .to = to };
	return READ_OK;
}

static enum read_status elf_read_page(const struct dump *dump, uint64_t pfn, uint8_t *buffer,
				      struct dump_page *page)
{
	const struct elf *elf = dump->state;

	if (pfn >= PHYSICAL_MAX >> PAGE_SHIFT)
		return READ_UNMAPPED;
	uint64_t start = pfn << PAGE_SHIFT;
	size_t i = extents_find(&elf->data, start);
	if (i < elf->data.count) {
		const struct extent *e = &elf->data.data[i];
		if (e->start > start || extent_end(e) < start + PAGE_SIZE)
			return assemble(dump, start, i, buffer, page);
		const uint8_t *p = view_get(&dump->files[0].view, e->target + (start - e->start),
					    PAGE_SIZE, buffer);
		if (!p)
			return READ_TRUNCATED;
		*page = (struct dump_page){ .data = p, .from = 0, .to = PAGE_SIZE };
		return READ_OK;
	}
	return why_missing(elf, start);
}

static enum read_status elf_has_page(const struct dump *dump, uint64_t pfn)
{
	const struct elf *elf = dump->state;

	if (pfn >= PHYSICAL_MAX >> PAGE_SHIFT)
		return READ_UNMAPPED;
	uint64_t start = pfn << PAGE_SHIFT;
	size_t i = extents_find(&elf->data, start);
	if (i < elf->data.count && elf->data.data[i].start < start + PAGE_SIZE)
		return READ_OK;
	return why_missing(elf, start);
}

static bool elf_next_page(const struct dump *dump, uint64_t *pfn)
{
	const struct elf *elf = dump->state;

	if (*pfn >= PHYSICAL_MAX >> PAGE_SHIFT)
		return false;
	size_t i = extents_find(&elf->data, *pfn << PAGE_SHIFT);
	if (i == elf->data.count)
		return false;
	*pfn = max_u64(*pfn, elf->data.data[i].start >> PAGE_SHIFT);
	return true;
}

static void elf_will_need(const struct dump *dump, uint64_t pfn, uint64_t count)
{
	const struct elf *elf = dump->state;
	uint64_t limit = PHYSICAL_MAX >> PAGE_SHIFT;

	if (pfn >= limit)
		return;
	uint64_t start = pfn << PAGE_SHIFT, end = (pfn + min_u64(count, limit - pfn)) << PAGE_SHIFT;
	for (size_t i = extents_find(&elf->data, start); i < elf->data.count; i++) {
		const struct extent *e = &elf->data.data[i];
		if (e->start >= end)
			break;
		uint64_t from = max_u64(e->start, start);
		view_will_need(&dump->files[0].view, e->target + (from - e->start),
			       min_u64(extent_end(e), end) - from);
	}
}

const struct dump_format elf_format = {
	.probe = elf_probe,
	.open = elf_open,
	.close = elf_close,
	.read_page = elf_read_page,
	.has_page = elf_has_page,
	.next_page = elf_next_page,
	.will_need = elf_will_need,
};
