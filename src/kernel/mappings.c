// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The mappings of an address space: struct vm_area_struct, in the maple tree mm->mm_mt since 6.1,
 * before that on the list mm->mmap in order of address. What an anonymous one is for is told by
 * where it lies (heap, stack), by a name that the program gave it (prctl), or for what the kernel
 * maps there itself (vdso) by its struct vm_special_mapping (fs/proc/task_mmu.c, mm/mmap.c).
 */
#include "kernel/mappings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/maple.h"

enum { MAPPINGS_MAX = 1 << 24 };

struct mapping_walk {
	struct session *session;
	mapping_fn fn;
	void *ctx;
	bool whole;
};

bool mapping_read(struct session *s, uint64_t vma, struct mapping *mapping)
{
	*mapping = (struct mapping){ .vma = vma };
	mapping->incomplete =
		!kread(s, vma, "vm_area_struct", "vm_start", &mapping->start) ||
		!kread(s, vma, "vm_area_struct", "vm_end", &mapping->end) ||
		!kread(s, vma, "vm_area_struct", "vm_flags", &mapping->flags) ||
		!kread(s, vma, "vm_area_struct", "vm_pgoff", &mapping->page_offset) ||
		!kread(s, vma, "vm_area_struct", "vm_file", &mapping->file);
	return !mapping->incomplete;
}

static bool walk_entry(void *ctx, uint64_t first, uint64_t last, uint64_t entry)
{
	struct mapping_walk *walk = ctx;
	struct session *s = walk->session;
	struct mapping mapping;

	if (!s->arch->is_kernel_address(entry)) {
		/* A place that is kept for another entry (XA_ZERO_ENTRY, while fork() copies). */
		walk->whole &= entry < 4096;
		return true;
	}
	if (!mapping_read(s, entry, &mapping)) {
		walk->whole = false;
		/* The tree still tells where it lay. */
		mapping.start = first;
		mapping.end = last + 1;
	} else if (mapping.start != first || mapping.end != last + 1) {
		session_problem(s, "the vm_area_struct at %016" PRIx64 " is damaged: it says %"
				PRIx64 "-%" PRIx64 ", its tree %" PRIx64 "-%" PRIx64, entry,
				mapping.start, mapping.end, first, last + 1);
		walk->whole = false;
	}
	return walk->fn(walk->ctx, &mapping);
}

static bool walk_list(struct mapping_walk *walk, uint64_t vma)
{
	struct session *s = walk->session;
	struct mapping mapping;
	uint64_t end = 0;

	for (unsigned i = 0; vma && i < MAPPINGS_MAX; i++) {
		/* Addresses rise, or it is no list any more. */
		if (!mapping_read(s, vma, &mapping) || mapping.start < end ||
		    mapping.end <= mapping.start) {
			session_problem(s, "the list of mappings breaks off at the vm_area_struct "
					"%016" PRIx64 ": not in the dump, or damaged", vma);
			return false;
		}
		end = mapping.end;
		if (!walk->fn(walk->ctx, &mapping))
			return true;
		if (!kread(s, vma, "vm_area_struct", "vm_next", &vma))
			return false;
	}
	return true;
}

bool mappings_each(struct session *s, uint64_t mm, mapping_fn fn, void *ctx)
{
	struct mapping_walk walk = { .session = s, .fn = fn, .ctx = ctx, .whole = true };
	uint64_t offset, first;

	if (koffset(s, "mm_struct", "mm_mt", &offset)) {
		bool whole = maple_each(s, mm + offset, "the tree of mappings", walk_entry, &walk);
		return whole && walk.whole;
	}
	return kread(s, mm, "mm_struct", "mmap", &first) && walk_list(&walk, first);
}

struct search {
	uint64_t address;
	struct mapping *found;
	bool hit;
};

static bool look(void *ctx, const struct mapping *mapping)
{
	struct search *search = ctx;

	if (search->address < mapping->start)
		return false;
	if (search->address >= mapping->end)
		return true;
	*search->found = *mapping;
	search->hit = true;
	return false;
}

bool mapping_at(struct session *s, uint64_t mm, uint64_t address, struct mapping *mapping)
{
	struct search search = { .address = address, .found = mapping };

	mappings_each(s, mm, look, &search);
	return search.hit;
}

/* --- Names. --- */

/*
 * The name of what the kernel itself maps: vdso, vvar. False when it is none of that, or (then
 * *@known is false) that or its name is not in the dump.
 */
static bool special_name(struct session *s, uint64_t vma, char *buf, size_t size, bool *known)
{
	uint64_t ops, special;
	struct symbol symbol;

	*known = kread(s, vma, "vm_area_struct", "vm_ops", &ops);
	if (!ops || !s->symbols ||
	    !symbols_by_address(s->symbols, ops, &symbol) || symbol.address != ops ||
	    !strstr(symbol.name, "special_mapping_vmops"))
		return false;
	*known = kread(s, vma, "vm_area_struct", "vm_private_data", &special) &&
		 kread_string(s, special, "vm_special_mapping", "name", buf, size);
	return *known;
}

static bool given_name(struct session *s, uint64_t vma, const char *kind, char *buf, size_t size)
{
	uint64_t at;
	char name[96];

	if (!kread(s, vma, "vm_area_struct", "anon_name", &at) || !at ||
	    !kread_string(s, at, "anon_vma_name", "name", name, sizeof(name)))
		return false;
	snprintf(buf, size, "[%s:%s]", kind, name);
	return true;
}

/* Until 6.1 the name shared its place with the links of a file's mappings. */
static bool file_may_have_name(struct session *s)
{
	uint64_t name, links;

	return koffset(s, "vm_area_struct", "anon_name", &name) &&
	       (!koffset(s, "vm_area_struct", "shared", &links) || name != links);
}

bool mapping_name(struct session *s, uint64_t mm, const struct mapping *mapping, char *buf,
		  size_t size)
{
	uint64_t brk, start_brk, stack;
	bool known;

	if (size)
		buf[0] = '\0';
	if (mapping->file) {
		if (file_may_have_name(s) && given_name(s, mapping->vma, "anon_shmem", buf, size))
			return true;
		return file_path(s, mapping->file, buf, size);
	}
	if (special_name(s, mapping->vma, buf, size, &known))
		return true;
	bool placed = kread(s, mm, "mm_struct", "brk", &brk) &&
		      kread(s, mm, "mm_struct", "start_brk", &start_brk) &&
		      kread(s, mm, "mm_struct", "start_stack", &stack);
	if (placed && mapping->start < brk && mapping->end > start_brk)
		snprintf(buf, size, "[heap]");
	else if (placed && mapping->start <= stack && mapping->end >= stack)
		snprintf(buf, size, "[stack]");
	else
		given_name(s, mapping->vma, "anon", buf, size);
	return known && placed && !mapping->incomplete;
}

struct error *task_page_root(struct session *session, const struct task *task,
			     struct page_root *root)
{
	const struct kernel_layout *layout = memory_layout(session->memory);
	char title[TASK_TITLE_MAX];
	uint64_t pgd;

	if (!layout->has_root)
		return error_new(ERROR_MISSING, "where the kernel's page tables are is not known");
	if (!task->mm && !task_has_no_memory(task))
		return error_new(ERROR_MISSING, "which memory %s has is not known: its task_struct "
				 "is not in the dump", task_title(task, title));
	if (!task->mm)
		return error_new(ERROR_NOT_FOUND, "task %d (%.16s) %s: it has no user addresses",
				 task->pid, task->comm, task_kind(task) == TASK_USER
				 ? "has exited" : "is a kernel thread");
	if (!kread(session, task->mm, "mm_struct", "pgd", &pgd))
		return error_new(ERROR_MISSING, "mm_struct.pgd of task %d at %" PRIx64
				 " cannot be read", task->pid, task->mm);
	*root = layout->root;
	enum read_status status = memory_vtop(session->memory, pgd, &root->table);
	if (status != READ_OK)
		return error_new(ERROR_MISSING, "the page tables of task %d at %" PRIx64 ": %s",
				 task->pid, pgd, read_status_text(status));
	return NULL;
}
