/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 3: pages -> bytes at physical and virtual addresses, cached, from any number of threads.
 *
 * In: a dump, its architecture, and how the kernel was placed (page-table root, KASLR). Out: bytes,
 * or the reason why there are none and the address where they stop. Kernel virtual addresses are
 * translated by the kernel's own page tables; where these are missing from a damaged dump, the
 * linear mappings (kernel image, direct map) are used, as far as their bases are known.
 */
#pragma once

#include "arch/arch.h"
#include "base/compiler.h"
#include "dump/dump.h"

struct memory;

/* Where and why a read failed. */
struct fault {
	enum read_status status;
	uint64_t vaddr;       /* first byte that could not be read (virtual reads) */
	struct paddr paddr;   /* its physical address, when has_paddr */
	bool has_paddr;
};

/*
 * How the kernel is placed in memory. Filled by memory_create() from VMCOREINFO and headers; the
 * symbol station completes it for dumps without VMCOREINFO (memory_set_layout()).
 */
struct kernel_layout {
	struct page_root root;       /* swapper_pg_dir, or a CR3 */
	bool has_root;
	uint64_t image_size;         /* of the image's linear mapping; modules lie behind it */
	uint64_t image_offset;       /* KASLR: run-time minus link-time address of the image */
	bool has_image_offset;
	int64_t phys_base;           /* x86: physical = virtual - 0xffffffff80000000 + phys_base */
	bool has_phys_base;
	uint64_t page_offset;        /* virtual start of the direct map */
	bool has_page_offset;
};

/* Never fails: a dump that says nothing of its layout gives a memory without has_root. */
struct memory *memory_create(const struct dump *dump, const struct arch *arch);
void memory_destroy(struct memory *mem);
const struct kernel_layout *memory_layout(const struct memory *mem);
/* Replaces the layout and forgets cached translations. Not while other threads read. */
void memory_set_layout(struct memory *mem, const struct kernel_layout *layout);
/* Forgets what it keeps of pages and translations: the dump was changed. Not while others read. */
void memory_forget(struct memory *mem);
/*
 * Constant bytes of the kernel image from another source (a vmlinux), read where the dump has a
 * hole. @data is borrowed. Not while other threads read; more than a few are ignored.
 */
void memory_add_fill(struct memory *mem, uint64_t vaddr, const void *data, uint64_t size);
/* Forgets these. Not while other threads read. */
void memory_drop_fills(struct memory *mem);
/*
 * Whether pages that were excluded from the dump, or lie behind its cut-off end, are read as zeros
 * from here on. Page tables never are: "not there" is not "not mapped".
 */
void memory_zero_missing(struct memory *mem, bool on);
bool memory_zeroes_missing(const struct memory *mem);
/* How many reads were given such zeros so far. */
uint64_t memory_zeroed(const struct memory *mem);
const struct dump *memory_dump(const struct memory *mem);
const struct arch *memory_arch(const struct memory *mem);

/* Physical bytes; all or nothing. @fault may be NULL. */
enum read_status memory_read_phys(struct memory *mem, struct paddr addr, void *buf, size_t size);

/* Kernel virtual bytes; all or nothing. @fault may be NULL, else is set on failure. */
enum read_status memory_read(struct memory *mem, uint64_t vaddr, void *buf, size_t size);
enum read_status memory_read_fault(struct memory *mem, uint64_t vaddr, void *buf, size_t size,
				   struct fault *fault);
/* As many bytes as can be read from the start; returns how many. */
size_t memory_read_some(struct memory *mem, uint64_t vaddr, void *buf, size_t size);
enum read_status memory_u64(struct memory *mem, uint64_t vaddr, uint64_t *value);
enum read_status memory_u32(struct memory *mem, uint64_t vaddr, uint32_t *value);
enum read_status memory_u16(struct memory *mem, uint64_t vaddr, uint16_t *value);
enum read_status memory_u8(struct memory *mem, uint64_t vaddr, uint8_t *value);
/*
 * A NUL-terminated string of at most @size - 1 bytes. READ_OK also when it was cut off at @size;
 * a string that runs into a hole gives the hole's status and what was before it.
 */
enum read_status memory_string(struct memory *mem, uint64_t vaddr, char *buf, size_t size);

/* The same in the address space with page-table root @root (a task's mm->pgd). */
enum read_status memory_read_user(struct memory *mem, const struct page_root *root, uint64_t vaddr,
				  void *buf, size_t size, struct fault *fault);

/* The walk for a kernel address; falls back on the linear mappings, then walk->levels is 0. */
void memory_walk(struct memory *mem, uint64_t vaddr, struct walk *walk);
void memory_walk_user(struct memory *mem, const struct page_root *root, uint64_t vaddr,
		      struct walk *walk);
/* Virtual to physical for a kernel address. */
enum read_status memory_vtop(struct memory *mem, uint64_t vaddr, struct paddr *paddr);
